//! Statements of a source that were not taken: why, and what they say. All are counted, the newest kept; the source still
//! has them.

use jiff::Timestamp;
use lectern_store::{Json, Table, Tx};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::source::{SOURCES, Sources, unknown};
use crate::error::Error;

/// (Source, number).
const REFUSED: Table<(Uuid, u64), Json<Kept>> = Table::new("lrs.sources.refused");

/// Refused statements of one source that are kept.
const KEPT: u64 = 1_000;
/// The text of one that is longer is not kept.
const MAX_TEXT_BYTES: usize = 64 * 1024;

/// A statement that was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    /// Its id; `None` when it has none.
    pub statement: Option<Uuid>,
    /// `stored` there.
    pub stored: Option<Timestamp>,
    pub reason: String,
    /// Its text; `None` when it may not be kept.
    pub text: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Kept {
    statement: Option<Uuid>,
    stored: Option<Timestamp>,
    pub at: Timestamp,
    reason: String,
    pub text: Option<String>,
}

/// A statement of a source that was not taken.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RefusedStatement {
    /// Its number among them, from 1.
    pub n: u64,
    /// The statement's id; `None` when it has none.
    pub statement_id: Option<Uuid>,
    /// When the source stored it.
    pub stored: Option<Timestamp>,
    /// When it was refused.
    pub at: Timestamp,
    /// Why.
    pub reason: String,
    /// The statement, or its text when it is no JSON; `None` when it is very long, or may not be kept.
    pub statement: Option<serde_json::Value>,
}

impl Sources {
    /// What was not taken of a source with numbers after `after`, oldest first.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Store`].
    pub fn refused(
        &self,
        id: Uuid,
        after: u64,
        limit: usize,
    ) -> Result<Vec<RefusedStatement>, Error> {
        let snapshot = self.lrs.store().snapshot()?;
        if !snapshot.contains(&SOURCES, &id)? {
            return Err(unknown(id));
        }
        let rows = snapshot.range(&REFUSED, (id, after.saturating_add(1))..=(id, u64::MAX))?;
        let mut all = Vec::new();
        for row in rows.take(limit) {
            let ((_, n), Json(kept)) = row?;
            all.push(RefusedStatement {
                n,
                statement_id: kept.statement,
                stored: kept.stored,
                at: kept.at,
                reason: kept.reason,
                statement: kept.text.map(|text| {
                    serde_json::from_str(&text).unwrap_or(serde_json::Value::String(text))
                }),
            });
        }
        Ok(all)
    }
}

/// Keeps the `n`th of a source; the one that is too old by then goes.
pub(super) fn keep(
    tx: &Tx<'_>,
    id: Uuid,
    n: u64,
    refusal: &Refusal,
    now: Timestamp,
) -> Result<(), Error> {
    let kept = Kept {
        statement: refusal.statement,
        stored: refusal.stored,
        at: now,
        reason: refusal.reason.clone(),
        text: refusal
            .text
            .clone()
            .filter(|text| text.len() <= MAX_TEXT_BYTES),
    };
    tx.insert(&REFUSED, &(id, n), &Json(kept))?;
    if let Some(old) = n.checked_sub(KEPT) {
        tx.remove(&REFUSED, &(id, old))?;
    }
    Ok(())
}

pub(super) fn clear(tx: &Tx<'_>, id: Uuid) -> Result<(), Error> {
    let rows = tx.prefix(&REFUSED, &id)?;
    let keys = rows.map(|row| row.map(|(key, _)| key));
    for key in keys.collect::<Result<Vec<_>, _>>()? {
        tx.remove(&REFUSED, &key)?;
    }
    Ok(())
}

/// Takes text, id and reason of each that is `meant`; what is left says why.
pub(super) fn forget(tx: &Tx<'_>, why: &str, meant: impl Fn(&Kept) -> bool) -> Result<(), Error> {
    let mut changed = Vec::new();
    for row in tx.range(&REFUSED, ..)? {
        let (key, Json(kept)) = row?;
        if kept.text.is_some() && meant(&kept) {
            changed.push((key, kept));
        }
    }
    for (key, mut kept) in changed {
        kept.text = None;
        kept.statement = None;
        why.clone_into(&mut kept.reason);
        tx.insert(&REFUSED, &key, &Json(kept))?;
    }
    Ok(())
}
