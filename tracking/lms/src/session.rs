//! Sessions: a random token in a cookie, kept as its hash. What the cookie is called is the web's business.

use crate::Error;
use crate::lms::Lms;
use crate::people::found;
use crate::person::{Person, PersonId};
use crate::secret::{self, Hash};
use crate::tables::{ENDINGS, ENDS_SESSION, PEOPLE, SESSIONS, SESSIONS_OF};
use jiff::{SignedDuration, Timestamp};
use lectern_store::Tx;
use serde::{Deserialize, Serialize};

/// A session ends after two weeks, however it is used.
const LASTS: SignedDuration = SignedDuration::from_hours(14 * 24);
/// So many of one person at once; the one that ends first gives way.
const MAX_OF_ONE: usize = 20;

/// A signed-in browser.
#[derive(Clone, Debug)]
pub struct Session {
    /// The secret for the cookie.
    pub token: String,
    /// What unsafe requests must repeat in a header.
    pub csrf: String,
    /// Who signed in.
    pub person: Person,
    /// When it ends.
    pub expires: Timestamp,
}

/// As stored, under the token's hash.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct SessionRecord {
    pub person: PersonId,
    pub expires: Timestamp,
}

impl Lms {
    /// Starts a session for somebody whose password was right. It may use the store's reserve: who makes room on a full
    /// disk has to sign in first.
    ///
    /// # Errors
    /// [`Error::NotFound`] when they are gone or closed by now; when the store fails.
    pub fn start_session(&self, id: PersonId, now: Timestamp) -> Result<Session, Error> {
        let token = secret::random();
        let expires = now.checked_add(LASTS).unwrap_or(Timestamp::MAX);
        let hash = secret::hash(&token).unwrap_or_default();
        let person = self.store.write_making_room(move |tx| {
            let mut person = found(tx, id)?;
            if person.disabled {
                return Err(Error::NotFound { what: "person" });
            }
            crate::viewing::sweep(tx, now)?;
            make_room(tx, id)?;
            person.last_seen = Some(now);
            tx.insert(&PEOPLE, &id, &person)?;
            tx.insert(
                &SESSIONS,
                &hash,
                &SessionRecord {
                    person: id,
                    expires,
                },
            )?;
            tx.insert(&SESSIONS_OF, &(id, hash), &())?;
            tx.insert(&ENDINGS, &(expires.as_second(), ENDS_SESSION, hash), &())?;
            Ok(person)
        })?;
        Ok(Session {
            csrf: secret::derived("csrf", &token),
            token,
            person,
            expires,
        })
    }

    /// The session of a cookie, when it is still good.
    ///
    /// # Errors
    /// When the store fails.
    pub fn session(&self, token: &str, now: Timestamp) -> Result<Option<Session>, Error> {
        let Some(hash) = secret::hash(token) else {
            return Ok(None);
        };
        let snapshot = self.store.snapshot()?;
        let Some(record) = snapshot.get(&SESSIONS, &hash)? else {
            return Ok(None);
        };
        let person = snapshot.get(&PEOPLE, &record.person)?;
        Ok(person
            .filter(|person| !person.disabled && now < record.expires)
            .map(|person| Session {
                token: token.to_owned(),
                csrf: secret::derived("csrf", token),
                person,
                expires: record.expires,
            }))
    }

    /// Signs out. A token that is no session's is fine.
    ///
    /// # Errors
    /// When the store fails.
    pub fn end_session(&self, token: &str) -> Result<(), Error> {
        let Some(hash) = secret::hash(token) else {
            return Ok(());
        };
        self.store
            .write_making_room(move |tx| Ok(end_session(tx, hash)?))
    }

    /// Signs somebody out everywhere.
    ///
    /// # Errors
    /// When the store fails.
    pub fn end_sessions(&self, id: PersonId) -> Result<(), Error> {
        self.store
            .write_making_room(move |tx| Ok(end_sessions_of(tx, id, None)?))
    }
}

pub(crate) fn end_session(tx: &Tx<'_>, hash: Hash) -> Result<(), lectern_store::Error> {
    if let Some(record) = tx.get(&SESSIONS, &hash)? {
        tx.remove(&SESSIONS, &hash)?;
        tx.remove(&SESSIONS_OF, &(record.person, hash))?;
        tx.remove(&ENDINGS, &(record.expires.as_second(), ENDS_SESSION, hash))?;
    }
    Ok(())
}

pub(crate) fn end_sessions_of(
    tx: &Tx<'_>,
    id: PersonId,
    keep: Option<Hash>,
) -> Result<(), lectern_store::Error> {
    for hash in sessions_of(tx, id)? {
        if Some(hash) != keep {
            end_session(tx, hash)?;
        }
    }
    Ok(())
}

fn sessions_of(tx: &Tx<'_>, id: PersonId) -> Result<Vec<Hash>, lectern_store::Error> {
    tx.prefix(&SESSIONS_OF, &id)?
        .map(|entry| entry.map(|((_, hash), ())| hash))
        .collect()
}

fn make_room(tx: &Tx<'_>, id: PersonId) -> Result<(), Error> {
    let hashes = sessions_of(tx, id)?;
    let surplus = (hashes.len() + 1).saturating_sub(MAX_OF_ONE);
    let mut ends = Vec::new();
    for hash in hashes {
        let expires = tx.get(&SESSIONS, &hash)?.map(|record| record.expires);
        ends.push((expires, hash));
    }
    ends.sort_unstable();
    for (_, hash) in ends.into_iter().take(surplus) {
        end_session(tx, hash)?;
    }
    Ok(())
}
