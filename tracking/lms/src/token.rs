//! API bearer tokens: somebody's own rights without a browser. They last until revoked or the account is closed.

use crate::Error;
use crate::lms::Lms;
use crate::people::found;
use crate::person::{Person, PersonId, folded};
use crate::secret;
use crate::tables::{NAMES, PEOPLE, TOKENS, TOKENS_OF};
use jiff::Timestamp;
use lectern_store::Tx;
use serde::{Deserialize, Serialize};

/// Tells our tokens from other texts, for people and for scanners that look for leaked secrets.
const PREFIX: &str = "lectern_";
const MAX_OF_ONE: usize = 100;

/// As stored, under the token's hash.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct TokenRecord {
    pub person: PersonId,
    pub created: Timestamp,
}

impl Lms {
    /// A new token for the person with that sign-in name. It is shown this once.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Invalid`] when they have too many; when the store fails.
    pub fn add_api_token(&self, name: &str, now: Timestamp) -> Result<String, Error> {
        let token = format!("{PREFIX}{}", secret::random());
        let hash = secret::hash(&token).unwrap_or_default();
        let name = folded(name);
        self.store.write(move |tx| {
            let id = tx
                .get(&NAMES, &name)?
                .ok_or(Error::NotFound { what: "person" })?
                .person;
            if found(tx, id)?.disabled {
                return Err(Error::NotFound { what: "person" });
            }
            if tx.prefix(&TOKENS_OF, &id)?.count() >= MAX_OF_ONE {
                return Err(Error::Invalid {
                    field: "user",
                    message: format!(
                        "has {MAX_OF_ONE} tokens already: revoke them first, with `lecternd token revoke --user`"
                    ),
                });
            }
            let record = TokenRecord {
                person: id,
                created: now,
            };
            tx.insert(&TOKENS, &hash, &record)?;
            tx.insert(&TOKENS_OF, &(id, hash), &())?;
            Ok(())
        })?;
        Ok(token)
    }

    /// Whose token it is, when it is one and the account is open.
    ///
    /// # Errors
    /// When the store fails.
    pub fn api_token(&self, token: &str) -> Result<Option<Person>, Error> {
        let Some(hash) = secret::hash(token).filter(|_| token.starts_with(PREFIX)) else {
            return Ok(None);
        };
        let snapshot = self.store.snapshot()?;
        let Some(record) = snapshot.get(&TOKENS, &hash)? else {
            return Ok(None);
        };
        let person = snapshot.get(&PEOPLE, &record.person)?;
        Ok(person.filter(|person| !person.disabled))
    }

    /// Revokes all of somebody's tokens; how many there were.
    ///
    /// # Errors
    /// [`Error::NotFound`]; when the store fails.
    pub fn revoke_api_tokens(&self, id: PersonId) -> Result<usize, Error> {
        self.store.write_making_room(move |tx| {
            found(tx, id)?;
            Ok(revoke_tokens_of(tx, id)?)
        })
    }
}

/// How many there were.
pub(crate) fn revoke_tokens_of(tx: &Tx<'_>, id: PersonId) -> Result<usize, lectern_store::Error> {
    let hashes: Vec<_> = tx
        .prefix(&TOKENS_OF, &id)?
        .map(|entry| entry.map(|((_, hash), ())| hash))
        .collect::<Result<_, _>>()?;
    for hash in &hashes {
        tx.remove(&TOKENS, hash)?;
        tx.remove(&TOKENS_OF, &(id, *hash))?;
    }
    Ok(hashes.len())
}
