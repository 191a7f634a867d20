//! Documents (Comm 2.2–2.3, 2.6–2.7, 3.1): State, Activity Profile, Agent Profile. Bytes with a media type under a
//! name, with ETags against lost updates. Not part of the log.

mod conditions;
mod place;
mod record;

use jiff::Timestamp;
use lectern_store::{Snapshot, Table, Tx};
use lectern_xapi::json::{Json, Kind};
use lectern_xapi::{Ifi, Limits, Version};

use crate::caller::Caller;
use crate::erasure::REFUSED;
use crate::error::Error;
use crate::lrs::Lrs;
pub use conditions::Conditions;
pub use place::{DocumentPlace, DocumentRequest, Resource};
pub use record::Document;

/// (Hash of the place, name) to document.
const DOCUMENTS: Table<([u8; 32], String), Document> = Table::new("lrs.documents");

/// (Hash of an Agent, hash of a place that is theirs): so that an erasure finds them.
const PLACES: Table<([u8; 32], [u8; 32]), ()> = Table::new("lrs.documents.places");

/// The largest document we keep.
pub const MAX_DOCUMENT_BYTES: usize = 8 * 1024 * 1024;
/// Names listed in one answer.
const MAX_IDS: usize = 10_000;

/// The names of the documents in a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentIds {
    /// In order of their letters.
    pub ids: Vec<String>,
    /// When the newest of them was written.
    pub last_modified: Option<Timestamp>,
}

impl Lrs {
    /// `GET` of one document.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Forbidden`], [`Error::Store`].
    pub fn get_document(
        &self,
        caller: &Caller,
        place: &DocumentPlace,
        id: &str,
    ) -> Result<Document, Error> {
        place.may_read(caller)?;
        let found = self
            .store()
            .snapshot()?
            .get(&DOCUMENTS, &(place.hash(), id.to_owned()))?;
        found.ok_or_else(|| Error::NotFound(format!("there is no document {id:?} here")))
    }

    /// `GET` without a name: the names, of documents written after `since` if given.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::Store`].
    pub fn list_documents(
        &self,
        caller: &Caller,
        place: &DocumentPlace,
        since: Option<Timestamp>,
    ) -> Result<DocumentIds, Error> {
        place.may_read(caller)?;
        let mut found = DocumentIds {
            ids: Vec::new(),
            last_modified: None,
        };
        for row in self
            .store()
            .snapshot()?
            .prefix(&DOCUMENTS, &place.hash())?
            .take(MAX_IDS)
        {
            let ((_, id), document) = row?;
            if since.is_none_or(|since| document.updated > since) {
                found.last_modified = found.last_modified.max(Some(document.updated));
                found.ids.push(id);
            }
        }
        Ok(found)
    }

    /// `PUT`: the document is now this. Over an existing one it needs a condition, so that nothing is lost unseen
    /// (Comm 3.1) – but not for State under 1.0.3, whose old content writes blindly. 1.0.3 wants one for every Profile
    /// (Comm 2.6, 2.7).
    ///
    /// # Errors
    /// [`Error::Conflict`], [`Error::PreconditionFailed`], [`Error::TooLarge`], [`Error::Forbidden`], [`Error::Store`].
    pub async fn put_document(
        &self,
        caller: &Caller,
        version: Version,
        request: &DocumentRequest,
        content_type: &str,
        bytes: Vec<u8>,
        conditions: Conditions,
    ) -> Result<(), Error> {
        let new = Document::new(content_type, bytes, self.now());
        let is_old_profile =
            version == Version::V1_0_3 && request.place.resource() != Resource::State;
        let blind_is_fine =
            version == Version::V1_0_3 && request.place.resource() == Resource::State;
        self.change(caller, request, move |old| {
            if old.is_some() && conditions.is_empty() && !blind_is_fine {
                return Err(Error::Conflict(
                    "the document exists: read it and send its ETag in If-Match, or If-None-Match: * to create only"
                        .to_owned(),
                ));
            }
            if conditions.is_empty() && is_old_profile {
                return Err(Error::parameter(
                    "If-None-Match",
                    "Comm 2.6",
                    "must be given: * to create the profile, or its ETag in If-Match",
                ));
            }
            conditions.check(old)?;
            Ok(new.clone())
        })
        .await
    }

    /// `POST`: the top-level properties of a JSON object are put into the one that is there; without one it is created.
    ///
    /// # Errors
    /// [`Error::Invalid`] when either is no JSON object, and as [`Lrs::put_document`].
    pub async fn post_document(
        &self,
        caller: &Caller,
        request: &DocumentRequest,
        content_type: &str,
        bytes: Vec<u8>,
        conditions: Conditions,
    ) -> Result<(), Error> {
        let new = Document::new(content_type, bytes, self.now());
        if new.is_json() {
            object(&new, "the body")?;
        }
        self.change(caller, request, move |old| {
            conditions.check(old)?;
            match old {
                None => Ok(new.clone()),
                Some(old) => merge(old, &new),
            }
        })
        .await
    }

    /// `DELETE` of one document; one that is not there is deleted, too.
    ///
    /// # Errors
    /// [`Error::PreconditionFailed`], [`Error::Forbidden`], [`Error::Store`].
    pub async fn delete_document(
        &self,
        caller: &Caller,
        request: &DocumentRequest,
        conditions: Conditions,
    ) -> Result<(), Error> {
        request.place.may_write(caller)?;
        let key = request.key()?;
        let owner = request.place.owner();
        let changed = move |tx: &Tx<'_>| {
            conditions.check(tx.get(&DOCUMENTS, &key)?.as_ref())?;
            tx.remove(&DOCUMENTS, &key)?;
            if let Some(owner) = owner
                && tx.prefix(&DOCUMENTS, &key.0)?.next().is_none()
            {
                tx.remove(&PLACES, &(owner, key.0))?;
            }
            Ok(())
        };
        self.store().write_async(changed).await
    }

    /// `DELETE` without a name: every document of the place.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::Store`].
    pub async fn delete_documents(
        &self,
        caller: &Caller,
        place: &DocumentPlace,
    ) -> Result<(), Error> {
        place.may_write(caller)?;
        let (hash, owner) = (place.hash(), place.owner());
        let deleted = move |tx: &Tx<'_>| {
            remove_all(tx, hash)?;
            if let Some(owner) = owner {
                tx.remove(&PLACES, &(owner, hash))?;
            }
            Ok(())
        };
        self.store().write_async(deleted).await
    }

    async fn change(
        &self,
        caller: &Caller,
        request: &DocumentRequest,
        mut next: impl FnMut(Option<&Document>) -> Result<Document, Error> + Send + 'static,
    ) -> Result<(), Error> {
        request.place.may_write(caller)?;
        let key = request.key()?;
        let owner = request.place.owner();
        let agent = request.place.agent().map(Ifi::key);
        let changed = move |tx: &Tx<'_>| {
            if let Some(agent) = &agent
                && tx.contains(&REFUSED, agent)?
            {
                return Err(Error::erased());
            }
            let old = tx.get(&DOCUMENTS, &key)?;
            let new = next(old.as_ref())?;
            if new.bytes.len() > MAX_DOCUMENT_BYTES {
                return Err(Error::TooLarge(format!(
                    "a document may hold {MAX_DOCUMENT_BYTES} bytes"
                )));
            }
            tx.insert(&DOCUMENTS, &key, &new)?;
            // Also for one that was there: what finds a document of somebody must never be missing.
            if let Some(owner) = owner {
                tx.insert(&PLACES, &(owner, key.0), &())?;
            }
            Ok(())
        };
        self.store().write_async(changed).await
    }
}

fn remove_all(tx: &Tx<'_>, place: [u8; 32]) -> Result<u64, lectern_store::Error> {
    let mut keys = Vec::new();
    for row in tx.prefix(&DOCUMENTS, &place)? {
        keys.push(row?.0);
    }
    for key in &keys {
        tx.remove(&DOCUMENTS, key)?;
    }
    Ok(keys.len() as u64)
}

/// The places that hold documents of an Agent, by [`Ifi::key`].
fn places_of(snapshot: &Snapshot, agent: &str) -> Result<Vec<[u8; 32]>, lectern_store::Error> {
    let rows = snapshot.prefix(&PLACES, &place::owner_of(agent))?;
    rows.map(|row| row.map(|((_, place), ())| place)).collect()
}

/// How many documents an Agent has: State in whatever Activity, and its profile.
pub(crate) fn count_of(snapshot: &Snapshot, agent: &str) -> Result<u64, lectern_store::Error> {
    let mut count = 0;
    for place in places_of(snapshot, agent)? {
        count += snapshot.prefix(&DOCUMENTS, &place)?.count() as u64;
    }
    Ok(count)
}

/// Removes them; how many there were.
pub(crate) fn remove_of(tx: &Tx<'_>, agent: &str) -> Result<u64, lectern_store::Error> {
    let owner = place::owner_of(agent);
    let rows = tx.prefix(&PLACES, &owner)?;
    let places: Vec<[u8; 32]> = rows
        .map(|row| row.map(|((_, place), ())| place))
        .collect::<Result<_, _>>()?;
    let mut removed = 0;
    for place in places {
        removed += remove_all(tx, place)?;
        tx.remove(&PLACES, &(owner, place))?;
    }
    Ok(removed)
}

fn merge(old: &Document, new: &Document) -> Result<Document, Error> {
    for (document, what) in [(old, "the stored document"), (new, "the body")] {
        if !document.is_json() {
            return Err(Error::parameter(
                "Content-Type",
                "Comm 2.2",
                format!("{what} is not application/json, so the two cannot be merged"),
            ));
        }
    }
    let (old_text, new_text) = (
        object(old, "the stored document")?,
        object(new, "the body")?,
    );
    let mut merged = Json::read(old_text, Limits::DEFAULT.depth)?;
    let newer = Json::read(new_text, Limits::DEFAULT.depth)?;
    if let (Kind::Object(merged), Kind::Object(newer)) = (&mut merged.kind, newer.kind) {
        for (key, value) in newer {
            match merged.iter_mut().find(|(known, _)| *known == key) {
                Some((_, old)) => *old = value,
                None => merged.push((key, value)),
            }
        }
    }
    Ok(Document::new(
        &new.content_type,
        merged.print().into_bytes(),
        new.updated,
    ))
}

/// The text of a JSON object.
fn object<'d>(document: &'d Document, what: &str) -> Result<&'d str, Error> {
    let refused = || Error::parameter("$", "Comm 2.2", format!("{what} is no JSON object"));
    let text = std::str::from_utf8(&document.bytes).map_err(|_| refused())?;
    let json = Json::read(text, Limits::DEFAULT.depth)?;
    match json.kind {
        Kind::Object(_) => Ok(text),
        _ => Err(refused()),
    }
}
