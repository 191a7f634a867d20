//! The audit log: who did what, when, to whom. Only ever added to; there is no operation that changes or removes entries.
//!
//! It names people by id: after an erasure the entries stay and point at no one. Only where an entry has an identifier from
//! elsewhere (a mail address) does the erasure put its own id in its place (`erasure`).

use crate::Error;
use crate::lms::Lms;
use crate::person::PersonId;
use crate::secret::Hash;
use crate::tables::{AUDIT, ENDS_READING};
use jiff::{SignedDuration, Timestamp};
use lectern_store::Tx;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;

const MAX_PAGE: usize = 500;
const MAX_TEXT_BYTES: usize = 500;
/// A page that refreshes itself reads again and again: within this time that is one reading.
const ONE_READING: SignedDuration = SignedDuration::from_mins(10);

/// Something to remember.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditEvent {
    /// Who did it: a person's id, `credential:ID`, or `box` (the command line).
    pub who: String,
    /// What, as `thing.deed`: `record.read`, `person.add`, `video.delete`, `session.start` …
    pub what: String,
    /// On whom or what: a person's, actor's or video's id.
    pub on: Option<String>,
    /// What else there is to know, never a secret.
    pub detail: Option<String>,
}

/// An event as it was written down.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditEntry {
    /// Counts from 1.
    pub number: u64,
    /// When.
    pub at: Timestamp,
    /// See [`AuditEvent::who`].
    pub who: String,
    /// See [`AuditEvent::what`].
    pub what: String,
    /// See [`AuditEvent::on`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on: Option<String>,
    /// See [`AuditEvent::detail`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// Whose record was read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Whose {
    /// A person's.
    Person(PersonId),
    /// That of an actor from elsewhere, by its identifier as text.
    Actor(String),
}

/// Somebody's record that was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reading {
    /// Whose: a person's id, an actor's identifier, or `everyone`.
    pub on: String,
    /// What of it, in a word or two; readings of another resource are other readings.
    pub resource: String,
    /// What else was asked for; of the readings that are not repeated, that of the first is kept.
    pub filters: String,
}

impl Reading {
    /// One and the same for the same reader, person and resource.
    pub(crate) fn hash(&self, reader: &str) -> Hash {
        let mut sha = Sha256::new();
        for part in [reader, &self.on, &self.resource] {
            sha.update((part.len() as u64).to_be_bytes());
            sha.update(part);
        }
        sha.finalize().into()
    }
}

/// Whether a reading is another than that of the time `last`; also when the clock jumped.
pub(crate) fn is_another(last: Option<u64>, now: Timestamp) -> bool {
    let last = last.and_then(|last| Timestamp::from_second(i64::try_from(last).ok()?).ok());
    last.is_none_or(|last| now.duration_since(last).abs() > ONE_READING)
}

/// Under which a reading of that second is swept.
pub(crate) fn ending(second: u64, hash: Hash) -> (i64, u8, Hash) {
    let second = i64::try_from(second).unwrap_or(i64::MAX);
    let end = second.saturating_add(ONE_READING.as_secs());
    (end, ENDS_READING, hash)
}

/// Some entries, newest first.
#[derive(Clone, Debug)]
pub struct AuditPage {
    /// Newest first.
    pub items: Vec<AuditEntry>,
    /// The cursor of the next, older page.
    pub next: Option<u64>,
}

impl Lms {
    /// Writes an event down. Durable when it returns: what must be audited is answered only then. It may use the store's
    /// reserve: on a full disk a deed that was done (a removal, a sign-in) is written down, and one that needs room was
    /// refused before.
    ///
    /// # Errors
    /// When the store fails.
    pub fn audit(&self, event: AuditEvent, now: Timestamp) -> Result<(), Error> {
        self.store
            .write_making_room(move |tx| Ok(append(tx, &event, now)?))
    }

    /// Writes down that `reader` read `what` (`video ID`, `statements` …) of these records: an entry for each, but those
    /// of the last ten minutes are not repeated, nor is reading one's own.
    ///
    /// # Errors
    /// When the store fails.
    pub fn audit_reading(
        &self,
        reader: PersonId,
        what: &str,
        whose: BTreeSet<Whose>,
        now: Timestamp,
    ) -> Result<(), Error> {
        let others = whose
            .into_iter()
            .filter(|whose| *whose != Whose::Person(reader));
        let readings = others.map(|whose| Reading {
            on: match whose {
                Whose::Person(person) => person.to_string(),
                Whose::Actor(actor) => actor,
            },
            resource: what.to_owned(),
            filters: String::new(),
        });
        self.audit_readings(&reader.to_string(), readings.collect(), now)
    }

    /// Writes down that `reader` (a person's id or `credential:ID`) read these records. What was written down within the
    /// last ten minutes is not repeated: then this is one look into the store and no write. Durable when it returns, also
    /// on a full disk, which must not keep anybody from reading; it waits for no statements.
    ///
    /// # Errors
    /// When the store fails.
    pub fn audit_readings(
        &self,
        reader: &str,
        readings: Vec<Reading>,
        now: Timestamp,
    ) -> Result<(), Error> {
        self.memory.notes.add(reader, readings, now)
    }

    /// Waits until every reading that was written down is in the tables: for whoever copies the store.
    ///
    /// # Errors
    /// When the store fails.
    pub fn settle(&self) -> Result<(), Error> {
        self.memory.notes.settle()
    }

    /// Entries before `cursor` (from the newest on without one). Of two that came within a second of each other, a reading
    /// may have the higher number though it came first.
    ///
    /// # Errors
    /// When the store fails.
    pub fn audit_list(&self, cursor: Option<u64>, limit: usize) -> Result<AuditPage, Error> {
        self.settle()?;
        let limit = limit.clamp(1, MAX_PAGE);
        let snapshot = self.store.snapshot()?;
        let entries = snapshot.range(&AUDIT, ..cursor.unwrap_or(u64::MAX))?;
        let items: Vec<AuditEntry> = entries
            .rev()
            .take(limit)
            .map(|entry| entry.map(|(_, entry)| entry))
            .collect::<Result<_, _>>()?;
        let next = items
            .last()
            .filter(|entry| items.len() == limit && entry.number > 1)
            .map(|entry| entry.number);
        Ok(AuditPage { items, next })
    }
}

pub(crate) fn append(
    tx: &Tx<'_>,
    event: &AuditEvent,
    now: Timestamp,
) -> Result<(), lectern_store::Error> {
    let last = tx.range(&AUDIT, ..)?.next_back().transpose()?;
    let number = last.map_or(1, |(number, _)| number + 1);
    let entry = AuditEntry {
        number,
        at: now,
        who: cut(&event.who),
        what: cut(&event.what),
        on: event.on.as_deref().map(cut),
        detail: event.detail.as_deref().map(cut),
    };
    tx.insert(&AUDIT, &number, &entry)?;
    Ok(())
}

fn cut(text: &str) -> String {
    let end = (0..=text.len().min(MAX_TEXT_BYTES))
        .rev()
        .find(|&end| text.is_char_boundary(end))
        .unwrap_or(0);
    text[..end].to_owned()
}
