//! The first minute of a box: whoever holds the link that it printed makes the first admin.
//!
//! The token lives in memory and is another one each time the box starts; once there is an admin it opens nothing.

use crate::lms::Lms;
use crate::people::{insert_new, is_any_admin};
use crate::person::{NewPerson, Person, Role};
use crate::settings::SettingsPatch;
use crate::tables::PEOPLE;
use crate::{Error, password, secret, settings};
use jiff::Timestamp;
use std::collections::BTreeSet;

impl Lms {
    /// The token of the set-up link, as long as there is no admin.
    ///
    /// # Errors
    /// When the store fails.
    pub fn setup_token(&self) -> Result<Option<String>, Error> {
        Ok(self.needs_setup()?.then(|| self.memory.setup_token.clone()))
    }

    /// Whether there is no admin yet.
    ///
    /// # Errors
    /// When the store fails.
    pub fn needs_setup(&self) -> Result<bool, Error> {
        for entry in self.store.snapshot()?.range(&PEOPLE, ..)? {
            let (_, person) = entry?;
            if person.is(Role::Admin) && !person.disabled {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Makes the first admin, and names the site and the identity when they are given. All or nothing.
    ///
    /// # Errors
    /// [`Error::WrongSetupToken`], [`Error::SetUpAlready`], [`Error::Invalid`], [`Error::NameTaken`],
    /// [`Error::IdentityFixed`]; when the store fails.
    pub fn complete_setup(
        &self,
        token: &str,
        admin: NewPerson,
        site_name: Option<String>,
        identity: Option<&str>,
        now: Timestamp,
    ) -> Result<Person, Error> {
        if secret::hash(token) != secret::hash(&self.memory.setup_token) {
            return Err(Error::WrongSetupToken);
        }
        let admin = NewPerson {
            roles: admin
                .roles
                .union(&BTreeSet::from([Role::Admin]))
                .copied()
                .collect(),
            ..admin
        };
        let phc = password::hash(admin.password.as_deref().unwrap_or(""))?;
        let person = Person::new(&admin, now)?;
        let patch = SettingsPatch {
            site_name: site_name.filter(|name| !name.trim().is_empty()),
            identity: identity
                .filter(|identity| !identity.trim().is_empty())
                .map(ToOwned::to_owned),
            ..SettingsPatch::default()
        };
        self.store.write(move |tx| {
            if is_any_admin(tx, None)? {
                return Err(Error::SetUpAlready);
            }
            settings::change(tx, &patch)?;
            insert_new(tx, person.clone(), Some(&phc))
        })
    }
}
