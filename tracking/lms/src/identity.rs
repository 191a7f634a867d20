//! The box's identity: the IRI under which its videos and actors are named in every statement, wherever the statements
//! travel. Asked once at set-up and fixed from the first stored statement on, because changing it would orphan them.
//! It is no address: nothing is ever fetched from it.

use crate::Error;
use crate::lms::Lms;
use crate::secret;
use crate::tables::BOX;
use lectern_lrs::{Entry, Erased, Fold};
use lectern_store::Tx;
use lectern_xapi::Statement;

const BOX_ID: &str = "box_id";
const IDENTITY: &str = "identity";
const FIXED: &str = "identity_fixed";
const MAX_BYTES: usize = 200;

impl Lms {
    /// The box's own id: random, made when the store was; travels in backups.
    ///
    /// # Errors
    /// When the store fails.
    pub fn box_id(&self) -> Result<String, Error> {
        let id = self.store.snapshot()?.get(&BOX, &BOX_ID.to_owned())?;
        id.ok_or(Error::NotFound { what: "box id" })
    }

    /// The identity IRI, without a slash at the end.
    ///
    /// # Errors
    /// When the store fails.
    pub fn identity(&self) -> Result<String, Error> {
        let chosen = self.store.snapshot()?.get(&BOX, &IDENTITY.to_owned())?;
        chosen.map_or_else(|| self.default_identity(), Ok)
    }

    /// What the identity is when nobody chooses one.
    ///
    /// # Errors
    /// When the store fails.
    pub fn default_identity(&self) -> Result<String, Error> {
        Ok(format!("https://{}.lectern.invalid", self.box_id()?))
    }

    /// Whether statements carry it already.
    ///
    /// # Errors
    /// When the store fails.
    pub fn is_identity_fixed(&self) -> Result<bool, Error> {
        Ok(self.store.snapshot()?.contains(&BOX, &FIXED.to_owned())?)
    }

    /// Chooses the identity.
    ///
    /// # Errors
    /// [`Error::IdentityFixed`] when another is in use already, [`Error::Invalid`]; when the store fails.
    pub fn set_identity(&self, identity: &str) -> Result<(), Error> {
        let identity = checked(identity)?;
        self.store.write(move |tx| set(tx, &identity))
    }
}

/// Part of set-up's transaction.
pub(crate) fn set(tx: &Tx<'_>, identity: &str) -> Result<(), Error> {
    let before = tx.get(&BOX, &IDENTITY.to_owned())?;
    if before.as_deref() == Some(identity) {
        return Ok(());
    }
    if tx.contains(&BOX, &FIXED.to_owned())? {
        return Err(Error::IdentityFixed);
    }
    tx.insert(&BOX, &IDENTITY.to_owned(), &identity.to_owned())?;
    Ok(())
}

/// Fixes the identity, the default too if none was chosen, in the transaction that stores the first statement.
pub struct IdentityFold;

impl Fold for IdentityFold {
    fn name(&self) -> &'static str {
        "lms.identity.1"
    }

    fn apply(&self, tx: &Tx<'_>, _: &Entry, _: &Statement) -> Result<(), lectern_store::Error> {
        if !tx.contains(&BOX, &FIXED.to_owned())? {
            tx.insert(&BOX, &FIXED.to_owned(), &"yes".to_owned())?;
        }
        Ok(())
    }

    /// As below.
    fn forget(&self, _: &Tx<'_>, _: &Erased<'_>) -> Result<(), lectern_store::Error> {
        Ok(())
    }

    /// Nothing to forget: it never becomes free again.
    fn clear(&self, _: &Tx<'_>) -> Result<(), lectern_store::Error> {
        Ok(())
    }
}

pub(crate) fn make_box_id(lms: &Lms) -> Result<(), Error> {
    if lms.store.snapshot()?.contains(&BOX, &BOX_ID.to_owned())? {
        return Ok(());
    }
    let id = secret::random_id();
    lms.store.write(move |tx| {
        if !tx.contains(&BOX, &BOX_ID.to_owned())? {
            tx.insert(&BOX, &BOX_ID.to_owned(), &id)?;
        }
        Ok(())
    })
}

/// `https://` or `http://`, a host, perhaps a path; no query, fragment, user or space; no slash at the end.
pub(crate) fn checked(identity: &str) -> Result<String, Error> {
    let identity = identity.trim().trim_end_matches('/');
    let rest = identity
        .strip_prefix("https://")
        .or_else(|| identity.strip_prefix("http://"));
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-._~:/[]".contains(c);
    let is_good = rest.is_some_and(|rest| {
        !rest.is_empty() && !rest.starts_with(['/', ':']) && rest.chars().all(is_plain)
    });
    if !is_good || identity.len() > MAX_BYTES {
        return Err(Error::Invalid {
            field: "identity",
            message: "an identity is an address like https://lectures.example.edu".to_owned(),
        });
    }
    Ok(identity.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identity_is_an_address_without_query_or_user() {
        assert_eq!(
            checked(" https://a.example/x/ ").unwrap(),
            "https://a.example/x"
        );
        for wrong in [
            "",
            "a.example",
            "ftp://a",
            "https://",
            "https:///x",
            "https://a?b",
            "https://a b",
            "https://u@a",
            "urn:x:y",
            "https://a#b",
        ] {
            assert!(checked(wrong).is_err(), "{wrong}");
        }
    }
}
