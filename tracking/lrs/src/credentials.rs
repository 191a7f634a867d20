//! Basic credentials (Comm 4.0): a key and a secret of our making. The secret is random, so one SHA-256 keeps it; it is
//! shown once and never again.

use jiff::Timestamp;
use lectern_store::{Json, Table};
use lectern_xapi::Ifi;
use rand::RngCore;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::caller::{Caller, Scopes};
use crate::error::Error;
use crate::lrs::Lrs;

/// Key to record.
const CREDENTIALS: Table<String, Json<Kept>> = Table::new("lrs.credentials");

/// A credential as it is listed: without its secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Credential {
    /// Its name in the log.
    pub id: Uuid,
    /// The user name of Basic authentication.
    pub key: String,
    /// What people call it.
    pub name: String,
    /// What it may do.
    pub scopes: Scopes,
    /// When it was made.
    pub created: Timestamp,
    /// When it was last used, to the minute.
    pub last_used: Option<Timestamp>,
}

/// A credential just made. Not `Debug`, so that its secret is in no log.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct NewCredential {
    /// Its name in the log.
    pub id: Uuid,
    /// The user name.
    pub key: String,
    /// The password; kept nowhere.
    pub secret: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Kept {
    id: Uuid,
    name: String,
    scopes: Scopes,
    secret_sha256: [u8; 32],
    /// Home page of the authority's account.
    identity: String,
    created: Timestamp,
    last_used: Option<Timestamp>,
}

/// The credentials of an LRS.
#[derive(Clone)]
pub struct Credentials {
    lrs: Lrs,
}

/// The longest name, in characters.
const MAX_NAME: usize = 200;
/// `last_used` is written when it is older than this.
const USE_GRAIN: jiff::SignedDuration = jiff::SignedDuration::from_mins(1);

impl Lrs {
    /// The credentials.
    pub fn credentials(&self) -> Credentials {
        Credentials { lrs: self.clone() }
    }
}

impl Credentials {
    /// Makes one. `identity` is the box's identity IRI: the home page of the account that vouches for its statements.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a name of no or too many letters and for no scope; [`Error::Store`].
    pub fn add(&self, name: &str, scopes: Scopes, identity: &str) -> Result<NewCredential, Error> {
        let name = name.trim();
        let letters = name.chars().count();
        if letters == 0 || letters > MAX_NAME || name.contains(char::is_control) {
            let message = format!("must hold 1 to {MAX_NAME} letters");
            return Err(Error::parameter("name", "limit", message));
        }
        if scopes.iter().next().is_none() {
            let message = "must name one at least: a credential without any may do nothing";
            return Err(Error::parameter("scopes", "limit", message));
        }
        let (mut key, mut secret) = ([0; 12], [0; 32]);
        rand::rng().fill_bytes(&mut key);
        rand::rng().fill_bytes(&mut secret);
        let new = NewCredential {
            id: Uuid::now_v7(),
            key: hex::encode(key),
            secret: hex::encode(secret),
        };
        let kept = Kept {
            id: new.id,
            name: name.to_owned(),
            scopes,
            secret_sha256: Sha256::digest(new.secret.as_bytes()).into(),
            identity: identity.to_owned(),
            created: self.lrs.now(),
            last_used: None,
        };
        let row = new.key.clone();
        self.lrs.store().write(move |tx| {
            tx.insert(&CREDENTIALS, &row, &Json(kept.clone()))
                .map_err(Error::from)
        })?;
        Ok(new)
    }

    /// All of them, oldest first.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub fn list(&self) -> Result<Vec<Credential>, Error> {
        let mut all = Vec::new();
        for row in self.lrs.store().snapshot()?.range(&CREDENTIALS, ..)? {
            let (key, Json(kept)) = row?;
            all.push(Credential {
                id: kept.id,
                key,
                name: kept.name,
                scopes: kept.scopes,
                created: kept.created,
                last_used: kept.last_used,
            });
        }
        all.sort_by_key(|credential| (credential.created, credential.id));
        Ok(all)
    }

    /// Takes one back, by its id; what it wrote stays.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Store`].
    pub fn revoke(&self, id: Uuid) -> Result<(), Error> {
        let all = self.list()?;
        let key = all
            .into_iter()
            .find(|credential| credential.id == id)
            .map(|credential| credential.key)
            .ok_or_else(|| Error::NotFound(format!("there is no credential {id}")))?;
        self.lrs.store().write_making_room(move |tx| {
            tx.remove(&CREDENTIALS, &key)?;
            Ok(())
        })
    }

    /// Who calls with this key and secret; `None` when nobody does.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub fn verify(&self, key: &str, secret: &str) -> Result<Option<Caller>, Error> {
        let found = self
            .lrs
            .store()
            .snapshot()?
            .get(&CREDENTIALS, &key.to_owned())?;
        let offered: [u8; 32] = Sha256::digest(secret.as_bytes()).into();
        let Some(Json(kept)) = found.filter(|Json(kept)| equal(&kept.secret_sha256, &offered))
        else {
            return Ok(None);
        };
        let name = format!("credential:{}", kept.id);
        Ok(Some(Caller {
            authority: Ifi::account(kept.identity, name.clone()).to_value(),
            credential: name,
            scopes: kept.scopes,
            bound: None,
        }))
    }

    /// Notes that one was used. Written at most once a minute, in the commit of whatever else is being written: a
    /// request costs the disk nothing but then.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn used(&self, key: &str) -> Result<(), Error> {
        let (key, now) = (key.to_owned(), self.lrs.now());
        // Also when the clock has jumped back: the date would stand in the future until it is reached again.
        let is_stale = move |kept: &Kept| {
            kept.last_used
                .is_none_or(|last| now.duration_since(last).abs() > USE_GRAIN)
        };
        let found = self.lrs.store().snapshot()?.get(&CREDENTIALS, &key)?;
        if !found.is_some_and(|Json(kept)| is_stale(&kept)) {
            return Ok(());
        }
        self.lrs
            .store()
            .write_async(move |tx| {
                // Of many requests that found it stale at once, one writes.
                if let Some(Json(mut kept)) = tx.get(&CREDENTIALS, &key)?
                    && is_stale(&kept)
                {
                    kept.last_used = Some(now);
                    tx.insert(&CREDENTIALS, &key, &Json(kept))?;
                }
                Ok(())
            })
            .await
    }
}

/// Compares in a time that does not depend on where the two differ.
fn equal(a: &[u8; 32], b: &[u8; 32]) -> bool {
    a.iter()
        .zip(b)
        .fold(0, |difference, (a, b)| difference | (a ^ b))
        == 0
}
