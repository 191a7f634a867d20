//! How a person writes whom statements speak of: the sign-in name of somebody here, or any identifier of xAPI.

use std::collections::BTreeMap;

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

    /// A table of who is known as whom at an upstream, from [`Ifi::key`] here: (whom `typed` means, what
    /// [`read_identifier`] reads).
    ///
    /// # Errors
    /// [`Error::Invalid`] names the row; when the store fails.
    pub fn read_identities<'t>(
        &self,
        rows: impl Iterator<Item = (&'t str, &'t str)>,
    ) -> Result<BTreeMap<String, Ifi>, Error> {
        let mut table = BTreeMap::new();
        for (number, (from, to)) in (1..).zip(rows) {
            let refuse = |message: &str| Error::Invalid {
                field: "table",
                message: format!("row {number}: {message}"),
            };
            if from.trim().is_empty() {
                return Err(refuse("nobody is named"));
            }
            let there = read_identifier(to).ok_or_else(|| {
                refuse("whom it is there must be mailto:…, an OpenID, or home page and name of an account with a space between")
            })?;
            if table
                .insert(self.read_identifier(from)?.key(), there)
                .is_some()
            {
                return Err(refuse("the same person stands in an earlier row"));
            }
        }
        Ok(table)
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
