//! How a person writes whom statements speak of: the sign-in name of somebody here, or any identifier of xAPI.

use lectern_lrs::forward::{print_identifier, read_identifier};
use lectern_xapi::Ifi;

use crate::Error;
use crate::lms::Lms;
use crate::registration::Who;

impl Lms {
    /// Whom `typed` means: what [`read_identifier`] reads, a person of this box by sign-in name, or else the account of
    /// that name at this box.
    ///
    /// # Errors
    /// [`Error::Invalid`] when nothing is there; when the store fails.
    pub fn read_identifier(&self, typed: &str) -> Result<Ifi, Error> {
        let typed = typed.trim();
        if let Some(ifi) = read_identifier(typed) {
            return Ok(ifi);
        }
        if typed.is_empty() {
            return Err(Error::Invalid {
                field: "person",
                message: "nobody is named".to_owned(),
            });
        }
        let person = self.person_by_name(typed)?;
        let name = person.map_or_else(|| typed.to_owned(), |person| person.actor);
        Ok(Ifi::account(self.identity()?, name))
    }

    /// [`Ifi::key`] as somebody would type it: [`Self::read_identifier`] reads it back.
    ///
    /// # Errors
    /// When the store fails.
    pub fn print_identifier(&self, key: &str) -> Result<String, Error> {
        let own = Ifi::account(self.identity()?, "").key();
        let Some(actor) = key.strip_prefix(&own) else {
            return Ok(print_identifier(key).to_owned());
        };
        Ok(match self.who_is(actor)? {
            Some(Who::Person(person)) if self.is_read_as(&person.name, key)? => person.name,
            _ => print_identifier(key).to_owned(),
        })
    }

    fn is_read_as(&self, name: &str, key: &str) -> Result<bool, Error> {
        Ok(self.read_identifier(name)?.key() == key)
    }
}
