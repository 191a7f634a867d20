//! How far a source is, and what lies between its cursor and the newest statement taken. Written in one transaction, after
//! the statements that it covers are in the tables: whatever happens in between, they are found here already.

use jiff::{SignedDuration, Timestamp};
use lectern_store::{Json, Snapshot, Table, Tx};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::refused::{self, Refusal};
use crate::error::Error;
use crate::remote::Failure;

/// Apart from what IT entered, because it changes with every page.
pub(super) const PROGRESS: Table<Uuid, Json<Progress>> = Table::new("lrs.sources.progress");
/// (Source, `stored` there in microseconds, id): what was seen after the cursor, and a little before.
const SEEN: Table<(Uuid, i64, Uuid), ()> = Table::new("lrs.sources.seen");

/// What was seen is remembered so long before the cursor: a source may take times to be coarser than we do.
const REMEMBERED: SignedDuration = SignedDuration::from_secs(2);
/// How much the newest page counts in the rate.
const FRESHNESS: f64 = 0.3;

/// See the module.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(super) struct Progress {
    /// From when on a list is asked for.
    pub cursor: Option<Timestamp>,
    /// The newest `stored` of the source that was taken.
    pub newest: Option<Timestamp>,
    /// Statements that were stored here because of it.
    pub stored: u64,
    /// Statements that were here already, and equal.
    pub known: u64,
    /// Statements that were refused.
    pub refused: u64,
    /// Up to this sequence number of the log what the source brought is counted.
    pub counted: u64,
    /// Statements a second, of the last pages.
    pub rate: f64,
    /// When the last page was taken in.
    pub last_success: Option<Timestamp>,
    pub last_error: Option<Failure>,
    /// When the end of its list was reached last.
    pub caught_up: Option<Timestamp>,
    /// When it is asked again, if it rests.
    pub next: Option<Timestamp>,
    /// Pages taken in: tells whether somebody else has taken one in meanwhile.
    pub pages: u64,
}

/// What a page came to.
#[derive(Debug, Clone, Default)]
pub(super) struct Taken {
    pub stored: u64,
    pub known: u64,
    pub refused: Vec<Refusal>,
    /// What was never seen before: `stored` there, and the id.
    pub seen: Vec<(Timestamp, Uuid)>,
    /// The end of the log after it.
    pub head: u64,
    pub cursor: Option<Timestamp>,
    pub newest: Option<Timestamp>,
    /// [`Progress::pages`] before it.
    pub pages: u64,
    /// How long it took from the one before, in seconds.
    pub seconds: f64,
    pub at: Timestamp,
    /// `Some` when it was the last of the list: when to ask again, if at all.
    pub end: Option<Option<Timestamp>>,
}

/// What is in the log and not counted.
#[derive(Debug, Clone, Copy)]
pub(super) struct Owed {
    pub stored: u64,
    /// The end of the log.
    pub head: u64,
    /// [`Progress::pages`] before it.
    pub pages: u64,
}

/// Whether a statement lies after the cursor and was seen.
pub(super) fn is_seen(
    snapshot: &Snapshot,
    id: Uuid,
    stored: Option<Timestamp>,
    key: Uuid,
) -> Result<bool, Error> {
    match stored {
        Some(stored) => Ok(snapshot.contains(&SEEN, &(id, stored.as_microsecond(), key))?),
        None => Ok(false),
    }
}

/// Writes down what a page came to; `false`, and nothing, when the source is gone or another page came first: that of a
/// task which was stopped while this was being written.
pub(super) fn take(tx: &Tx<'_>, id: Uuid, page: &Taken) -> Result<bool, Error> {
    let Some(Json(mut progress)) = tx.get(&PROGRESS, &id)? else {
        return Ok(false);
    };
    if progress.pages != page.pages {
        return Ok(false);
    }
    progress.pages += 1;
    let from = page
        .cursor
        .and_then(|cursor| cursor.checked_sub(REMEMBERED).ok());
    let from = from.map(Timestamp::as_microsecond);
    for (stored, key) in &page.seen {
        let stored = stored.as_microsecond();
        if from.is_none_or(|from| stored >= from) {
            tx.insert(&SEEN, &(id, stored, *key), &())?;
        }
    }
    if let Some(from) = from {
        let behind = tx.range(&SEEN, (id, i64::MIN, Uuid::nil())..(id, from, Uuid::nil()))?;
        let behind = behind.map(|row| row.map(|(key, ())| key));
        for key in behind.collect::<Result<Vec<_>, _>>()? {
            tx.remove(&SEEN, &key)?;
        }
    }
    for refusal in &page.refused {
        progress.refused += 1;
        refused::keep(tx, id, progress.refused, refusal, page.at)?;
    }
    let count = page.seen.len() as f64;
    if count > 0.0 && page.seconds > 0.0 {
        let now = count / page.seconds;
        progress.rate = if progress.rate > 0.0 {
            progress.rate + (now - progress.rate) * FRESHNESS
        } else {
            now
        };
    }
    progress.cursor = page.cursor;
    progress.newest = page.newest;
    progress.stored += page.stored;
    progress.known += page.known;
    progress.counted = progress.counted.max(page.head);
    progress.last_success = Some(page.at);
    progress.last_error = None;
    progress.next = page.end.flatten();
    if page.end.is_some() {
        progress.caught_up = Some(page.at);
    }
    tx.insert(&PROGRESS, &id, &Json(progress))?;
    Ok(true)
}

/// Counts what was stored and not written down: by who was stopped in between. `false` when another page came first.
pub(super) fn recount(tx: &Tx<'_>, id: Uuid, owed: &Owed) -> Result<bool, Error> {
    let Some(Json(mut progress)) = tx.get(&PROGRESS, &id)? else {
        return Ok(false);
    };
    if progress.pages != owed.pages {
        return Ok(false);
    }
    progress.pages += 1;
    progress.stored += owed.stored;
    progress.counted = progress.counted.max(owed.head);
    tx.insert(&PROGRESS, &id, &Json(progress))?;
    Ok(true)
}

/// Notes what went wrong, unless the source is gone.
pub(super) fn fail(tx: &Tx<'_>, id: Uuid, failure: &Failure) -> Result<(), Error> {
    if let Some(Json(mut progress)) = tx.get(&PROGRESS, &id)? {
        progress.last_error = Some(failure.clone());
        tx.insert(&PROGRESS, &id, &Json(progress))?;
    }
    Ok(())
}

/// A source is gone.
pub(super) fn clear(tx: &Tx<'_>, id: Uuid) -> Result<(), Error> {
    tx.remove(&PROGRESS, &id)?;
    let seen = tx.prefix(&SEEN, &id)?.map(|row| row.map(|(key, ())| key));
    for key in seen.collect::<Result<Vec<_>, _>>()? {
        tx.remove(&SEEN, &key)?;
    }
    refused::clear(tx, id)
}
