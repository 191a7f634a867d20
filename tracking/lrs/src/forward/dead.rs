//! Dead letters: statements that an upstream refused for good. They are read, sent again or discarded by a person; the
//! statement itself stays in the log whatever happens here.

use std::collections::BTreeSet;

use jiff::Timestamp;
use lectern_store::{Json, Snapshot, Table, Tx};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::upstream::{UPSTREAMS, Upstreams, unknown};
use crate::error::Error;

/// (Upstream, sequence number).
const DEAD: Table<(Uuid, u64), Json<Dead>> = Table::new("lrs.upstreams.dead");

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Dead {
    pub reason: String,
    pub tries: u32,
    pub last_try: Timestamp,
    /// Whether a person asked for another try.
    pub again: bool,
}

/// A statement that an upstream refused.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DeadLetter {
    /// Its number, for retrying and discarding.
    pub n: u64,
    /// The statement's id.
    pub statement_id: Uuid,
    /// When the box stored it.
    pub stored: Timestamp,
    /// Why it was refused.
    pub reason: String,
    /// How often it was sent alone.
    pub tries: u32,
    /// When it was sent last.
    pub last_try: Timestamp,
    /// Whether it is about to be sent again.
    pub waiting: bool,
    /// The statement, as received; `None` when it was erased.
    pub statement: Option<serde_json::Value>,
}

impl Upstreams {
    /// An upstream's dead letters with numbers after `after`, oldest first.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Store`].
    pub fn dead(&self, id: Uuid, after: u64, limit: usize) -> Result<Vec<DeadLetter>, Error> {
        let view = self.lrs.view()?;
        let snapshot = view.snapshot();
        if !snapshot.contains(&UPSTREAMS, &id)? {
            return Err(unknown(id));
        }
        let mut letters = Vec::new();
        for row in snapshot
            .range(&DEAD, (id, after + 1)..=(id, u64::MAX))?
            .take(limit)
        {
            let ((_, n), Json(dead)) = row?;
            let Some(entry) = view.entry(n)? else {
                continue;
            };
            let body = view.body(n)?;
            letters.push(DeadLetter {
                n,
                statement_id: entry.id,
                stored: entry.stored,
                reason: dead.reason,
                tries: dead.tries,
                last_try: dead.last_try,
                waiting: dead.again,
                statement: body.and_then(|body| serde_json::from_str(&body.raw).ok()),
            });
        }
        Ok(letters)
    }

    /// Sends a dead letter again, soon.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Store`].
    pub fn retry(&self, id: Uuid, n: u64) -> Result<(), Error> {
        self.lrs.store().write(move |tx| {
            let Json(mut dead) = tx.get(&DEAD, &(id, n))?.ok_or_else(|| none(n))?;
            dead.again = true;
            tx.insert(&DEAD, &(id, n), &Json(dead))?;
            Ok(())
        })
    }

    /// Gives a dead letter up: this upstream will not get the statement.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Store`].
    pub fn discard(&self, id: Uuid, n: u64) -> Result<(), Error> {
        self.lrs.store().write_making_room(move |tx| {
            if tx.remove(&DEAD, &(id, n))? {
                Ok(())
            } else {
                Err(none(n))
            }
        })
    }
}

fn none(n: u64) -> Error {
    Error::NotFound(format!("there is no dead letter {n}"))
}

/// Sets a statement aside, or notes another try that failed.
pub(super) fn set_aside(
    tx: &Tx<'_>,
    id: Uuid,
    n: u64,
    reason: &str,
    now: Timestamp,
) -> Result<(), Error> {
    let before = tx.get(&DEAD, &(id, n))?.map_or(0, |Json(dead)| dead.tries);
    let dead = Dead {
        reason: reason.to_owned(),
        tries: before + 1,
        last_try: now,
        again: false,
    };
    tx.insert(&DEAD, &(id, n), &Json(dead))?;
    Ok(())
}

pub(super) fn delivered(tx: &Tx<'_>, id: Uuid, n: u64) -> Result<(), Error> {
    tx.remove(&DEAD, &(id, n))?;
    Ok(())
}

/// The log got these through after all, when it was sent again.
pub(super) fn delivered_all(tx: &Tx<'_>, id: Uuid, sequences: &[u64]) -> Result<(), Error> {
    let (Some(first), Some(last)) = (sequences.first(), sequences.last()) else {
        return Ok(());
    };
    let mut through = Vec::new();
    for row in tx.range(&DEAD, (id, *first)..=(id, *last))? {
        let ((_, n), _) = row?;
        if sequences.binary_search(&n).is_ok() {
            through.push(n);
        }
    }
    for n in through {
        delivered(tx, id, n)?;
    }
    Ok(())
}

/// The first one that a person wants to be sent again.
pub(super) fn waiting(snapshot: &Snapshot, id: Uuid) -> Result<Option<u64>, Error> {
    for row in snapshot.prefix(&DEAD, &id)? {
        let ((_, n), Json(dead)) = row?;
        if dead.again {
            return Ok(Some(n));
        }
    }
    Ok(None)
}

pub(super) fn count(snapshot: &Snapshot, id: Uuid) -> Result<u64, Error> {
    Ok(snapshot.prefix(&DEAD, &id)?.count() as u64)
}

pub(super) fn clear(tx: &Tx<'_>, id: Uuid) -> Result<(), Error> {
    let mut numbers = Vec::new();
    for row in tx.prefix(&DEAD, &id)? {
        numbers.push(row?.0);
    }
    for key in numbers {
        tx.remove(&DEAD, &key)?;
    }
    Ok(())
}

pub(super) fn is_one(snapshot: &Snapshot, id: Uuid, n: u64) -> Result<bool, lectern_store::Error> {
    snapshot.contains(&DEAD, &(id, n))
}

/// Drops those of erased statements.
pub(super) fn forget(tx: &Tx<'_>, id: Uuid, erased: &BTreeSet<u64>) -> Result<(), Error> {
    let (Some(first), Some(last)) = (erased.first(), erased.last()) else {
        return Ok(());
    };
    let mut gone = Vec::new();
    for row in tx.range(&DEAD, (id, *first)..=(id, *last))? {
        let ((_, n), _) = row?;
        if erased.contains(&n) {
            gone.push(n);
        }
    }
    for n in gone {
        tx.remove(&DEAD, &(id, n))?;
    }
    Ok(())
}
