//! What becomes of a page's statements: seen before, here already, refused, or new. What is new is stored as whatever
//! comes from elsewhere is ([`crate::intake`]).

use std::collections::HashSet;

use jiff::Timestamp;
use lectern_xapi::{Parsed, Version, equivalent};
use uuid::Uuid;

use super::page::{Attachments, Item};
use super::progress;
use super::refused::Refusal;
use crate::append::hashes;
use crate::error::Error;
use crate::lrs::Lrs;
use crate::view::View;

/// Where a source stands before a page.
#[derive(Debug, Clone)]
pub(super) struct Standing {
    pub id: Uuid,
    /// The credential under which it stores statements here.
    pub credential: String,
}

/// A page, statement by statement.
#[derive(Debug, Default)]
pub(super) struct Sifted {
    /// To be stored, in order.
    pub new: Vec<New>,
    pub known: u64,
    pub refused: Vec<Refusal>,
    /// All that was never seen before.
    pub seen: Vec<(Timestamp, Uuid)>,
}

/// A statement that is not here.
#[derive(Debug)]
pub(super) struct New {
    pub id: Uuid,
    pub stored: Option<Timestamp>,
    pub version: Version,
    pub parsed: Parsed,
    pub attachments: Attachments,
    /// The statement that it voids, when that is not here either.
    pub voids: Option<Uuid>,
}

/// Sorts a page's statements. Reads the store.
pub(super) fn sift(
    lrs: &Lrs,
    standing: &Standing,
    items: Vec<Item>,
    attachments: &Attachments,
) -> Result<Sifted, Error> {
    let view = lrs.view()?;
    let mut sifted = Sifted::default();
    let mut met = HashSet::new();
    for item in items {
        let (stored, key) = (item.stored, item.key);
        let is_twice = !met.insert(key);
        if is_twice || progress::is_seen(view.snapshot(), standing.id, stored, key)? {
            continue;
        }
        sifted.seen.extend(stored.map(|stored| (stored, key)));
        let raw = item.raw().to_owned();
        let mut refuse = |statement, reason: String, text| {
            sifted.refused.push(Refusal {
                statement,
                stored,
                reason,
                text,
            });
        };
        let parsed = match item.read {
            Ok(parsed) => parsed,
            Err((text, wrong)) => {
                refuse(Some(key), wrong.to_string(), Some(text));
                continue;
            }
        };
        if parsed.statement.id.is_none() {
            refuse(None, "it has no id".to_owned(), Some(raw));
            continue;
        }
        let Some(sequence) = view.sequence_of(key)? else {
            let voids = match parsed.statement.voids() {
                Some(target) if met.contains(&target) => None,
                Some(target) if view.sequence_of(target)?.is_some() => None,
                voids => voids,
            };
            sifted.new.push(New {
                attachments: attachments.named_by(&parsed),
                id: key,
                stored,
                version: item.version,
                parsed,
                voids,
            });
            continue;
        };
        // Stored by a task that was stopped before it could say so, or seen again behind what is remembered.
        if standing.brought(&view, sequence)? {
            continue;
        }
        match view.body(sequence)? {
            None => refuse(
                Some(key),
                "it was here once, and was erased".to_owned(),
                None,
            ),
            Some(body) if !equivalent(&body.raw, &raw) => refuse(
                Some(key),
                "another statement is stored here under its id".to_owned(),
                Some(raw),
            ),
            Some(_) => sifted.known += 1,
        }
    }
    Ok(sifted)
}

impl Standing {
    /// Whether the source brought the statement at `sequence`: then it is counted.
    fn brought(&self, view: &View, sequence: u64) -> Result<bool, Error> {
        let entry = view.entry(sequence)?;
        Ok(entry.is_some_and(|entry| entry.credential == self.credential))
    }
}

impl New {
    /// Why the bytes that it needs are not there; `None` when they are, or lie elsewhere.
    pub fn fault(&self) -> Option<String> {
        let named = self.parsed.statement.all_attachments();
        let mut needed = named.filter(|one| one.file_url.is_none());
        needed.find_map(|one| {
            if self.attachments.whole.contains_key(&one.sha2) {
                return None;
            }
            Some(match self.attachments.broken.get(&one.sha2) {
                Some(why) => (*why).to_owned(),
                None => format!(
                    "the source did not give the bytes of its attachment {}",
                    one.sha2
                ),
            })
        })
    }

    /// It, refused. Of somebody who was erased no text is kept.
    pub fn refusal(&self, reason: String, lrs: &Lrs, credential: &str) -> Refusal {
        let found_by = hashes(&self.parsed.statement, credential);
        let refused = lrs.core_arc().refused();
        let is_erased = refused.concerns(&found_by, &self.parsed.statement);
        Refusal {
            statement: Some(self.id),
            stored: self.stored,
            reason,
            text: (!is_erased).then(|| self.parsed.raw.clone()),
        }
    }
}
