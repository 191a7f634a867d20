//! Adding, finding, changing and removing people.

use crate::erasure::forget_grants;
use crate::lms::Lms;
use crate::person::{NewPerson, Person, PersonId, PersonPatch, Role, folded};
use crate::registration::forget_viewer;
use crate::session::end_sessions_of;
use crate::tables::{ACTORS, NAMES, PASSWORDS, PEOPLE, PersonIdRecord, WhoRecord};
use crate::token::revoke_tokens_of;
use crate::{Error, password};
use jiff::Timestamp;
use lectern_store::Tx;

/// Longest page of people.
const MAX_PAGE: usize = 500;

/// Some of the people, by name.
#[derive(Clone, Debug)]
pub struct PeoplePage {
    /// In the order of their sign-in names.
    pub items: Vec<Person>,
    /// The cursor of the next page.
    pub next: Option<String>,
}

impl Lms {
    /// Adds somebody.
    ///
    /// # Errors
    /// [`Error::NameTaken`], [`Error::Invalid`]; when the store fails.
    pub fn add_person(&self, new: &NewPerson, now: Timestamp) -> Result<Person, Error> {
        let person = Person::new(new, now)?;
        let phc = new.password.as_deref().map(password::hash).transpose()?;
        self.store
            .write(move |tx| insert_new(tx, person.clone(), phc.as_deref()))
    }

    /// That person, when there is one.
    ///
    /// # Errors
    /// When the store fails.
    pub fn person(&self, id: PersonId) -> Result<Option<Person>, Error> {
        Ok(self.store.snapshot()?.get(&PEOPLE, &id)?)
    }

    /// The person with that sign-in name.
    ///
    /// # Errors
    /// When the store fails.
    pub fn person_by_name(&self, name: &str) -> Result<Option<Person>, Error> {
        let snapshot = self.store.snapshot()?;
        match snapshot.get(&NAMES, &folded(name))? {
            Some(id) => Ok(snapshot.get(&PEOPLE, &id.person)?),
            None => Ok(None),
        }
    }

    /// People whose name, shown name or mail contains `query` (all when it is empty), a page from `cursor` on.
    ///
    /// # Errors
    /// When the store fails.
    pub fn people(
        &self,
        query: &str,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<PeoplePage, Error> {
        let limit = limit.clamp(1, MAX_PAGE);
        let query = query.trim().to_lowercase();
        let snapshot = self.store.snapshot()?;
        let mut items: Vec<Person> = Vec::new();
        for entry in snapshot.range(&NAMES, cursor.unwrap_or_default().to_owned()..)? {
            let (name, id) = entry?;
            let Some(person) = snapshot.get(&PEOPLE, &id.person)? else {
                continue;
            };
            let email = person.email.as_deref().unwrap_or_default();
            let has = |text: &str| text.to_lowercase().contains(&query);
            if !(query.is_empty() || has(&name) || has(&person.display_name) || has(email)) {
                continue;
            }
            if items.len() == limit {
                return Ok(PeoplePage {
                    items,
                    next: Some(name),
                });
            }
            items.push(person);
        }
        Ok(PeoplePage { items, next: None })
    }

    /// How many people there are.
    ///
    /// # Errors
    /// When the store fails.
    pub fn people_count(&self) -> Result<u64, Error> {
        Ok(self.store.snapshot()?.len(&PEOPLE)?)
    }

    /// Changes somebody. Closing the account ends their sessions and API tokens.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::NameTaken`], [`Error::Invalid`], [`Error::LastAdmin`]; when the store fails.
    pub fn update_person(&self, id: PersonId, patch: PersonPatch) -> Result<Person, Error> {
        self.store.write(move |tx| update(tx, id, &patch))
    }

    /// Sets a password and ends their sessions, but for `keep` (the token of the session it was changed in).
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Invalid`]; when the store fails.
    pub fn set_password(&self, id: PersonId, new: &str, keep: Option<&str>) -> Result<(), Error> {
        let phc = password::hash(new)?;
        let keep = keep.and_then(crate::secret::hash);
        self.store.write(move |tx| {
            let mut person = found(tx, id)?;
            person.has_password = true;
            tx.insert(&PEOPLE, &id, &person)?;
            tx.insert(&PASSWORDS, &id, &phc)?;
            Ok(end_sessions_of(tx, id, keep)?)
        })
    }

    /// Removes somebody: the person, their password, sessions, tokens and registrations, and to whom their actor points.
    /// Their statements stay and point at no one; [`crate::Erasing`] erases these, too.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::LastAdmin`]; when the store fails.
    pub fn remove_person(&self, id: PersonId) -> Result<Person, Error> {
        self.store.write_making_room(move |tx| remove(tx, id))
    }
}

pub(crate) fn remove(tx: &Tx<'_>, id: PersonId) -> Result<Person, Error> {
    let person = found(tx, id)?;
    if person.is(Role::Admin) && !is_any_admin(tx, Some(id))? {
        return Err(Error::LastAdmin);
    }
    end_sessions_of(tx, id, None)?;
    revoke_tokens_of(tx, id)?;
    forget_viewer(tx, id)?;
    forget_grants(tx, id, &person.actor)?;
    tx.remove(&PASSWORDS, &id)?;
    tx.remove(&ACTORS, &person.actor)?;
    tx.remove(&NAMES, &folded(&person.name))?;
    tx.remove(&PEOPLE, &id)?;
    Ok(person)
}

pub(crate) fn found(tx: &Tx<'_>, id: PersonId) -> Result<Person, Error> {
    tx.get(&PEOPLE, &id)?
        .ok_or(Error::NotFound { what: "person" })
}

pub(crate) fn insert_new(
    tx: &Tx<'_>,
    mut person: Person,
    phc: Option<&str>,
) -> Result<Person, Error> {
    claim_name(tx, &person)?;
    if let Some(phc) = phc {
        tx.insert(&PASSWORDS, &person.id, &phc.to_owned())?;
        person.has_password = true;
    }
    tx.insert(&ACTORS, &person.actor, &WhoRecord::Person(person.id))?;
    tx.insert(&PEOPLE, &person.id, &person)?;
    Ok(person)
}

pub(crate) fn update(tx: &Tx<'_>, id: PersonId, patch: &PersonPatch) -> Result<Person, Error> {
    let before = found(tx, id)?;
    let after = before.clone().patched(patch)?;
    let is_admin = |person: &Person| person.is(Role::Admin) && !person.disabled;
    if is_admin(&before) && !is_admin(&after) && !is_any_admin(tx, Some(id))? {
        return Err(Error::LastAdmin);
    }
    if folded(&before.name) != folded(&after.name) {
        claim_name(tx, &after)?;
        tx.remove(&NAMES, &folded(&before.name))?;
    }
    if after.disabled && !before.disabled {
        end_sessions_of(tx, id, None)?;
        revoke_tokens_of(tx, id)?;
    }
    tx.insert(&PEOPLE, &id, &after)?;
    Ok(after)
}

/// Whether anybody but `except` runs the box.
pub(crate) fn is_any_admin(tx: &Tx<'_>, except: Option<PersonId>) -> Result<bool, Error> {
    for entry in tx.range(&PEOPLE, ..)? {
        let (id, person) = entry?;
        if Some(id) != except && person.is(Role::Admin) && !person.disabled {
            return Ok(true);
        }
    }
    Ok(false)
}

fn claim_name(tx: &Tx<'_>, person: &Person) -> Result<(), Error> {
    let name = folded(&person.name);
    if tx.contains(&NAMES, &name)? {
        return Err(Error::NameTaken {
            name: person.name.clone(),
        });
    }
    tx.insert(&NAMES, &name, &PersonIdRecord { person: person.id })?;
    Ok(())
}
