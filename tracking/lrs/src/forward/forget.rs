//! What upstreams have to do with an erasure: which of them got something, and what is kept here about their people.

use std::collections::BTreeSet;

use lectern_store::{Error as StoreError, Json, Snapshot, Tx};
use lectern_xapi::Statement;
use uuid::Uuid;

use super::dead;
use super::identities::Identities;
use super::upstream::{Entered, PROGRESS, Progress, UPSTREAMS};
use crate::entry::Entry;
use crate::error::Error;

/// Stands in a filter where an erased person did: without anybody it would let everything through.
const NOBODY: &str = "erased";

/// Counts what an upstream got.
pub(crate) struct Counting {
    pub id: Uuid,
    entered: Entered,
    progress: Progress,
    /// Statements that lie behind it and are wanted by its filter as it is now.
    pub statements: u64,
    /// Whether any lies behind it at all.
    pub is_past_some: bool,
}

impl Counting {
    pub fn all(snapshot: &Snapshot) -> Result<Vec<Self>, StoreError> {
        let mut all = Vec::new();
        for row in snapshot.range(&UPSTREAMS, ..)? {
            let (id, Json(entered)) = row?;
            let progress = snapshot.get(&PROGRESS, &id)?;
            all.push(Self {
                id,
                entered,
                progress: progress.map_or_else(Progress::default, |Json(progress)| progress),
                statements: 0,
                is_past_some: false,
            });
        }
        Ok(all)
    }

    pub fn name(&self) -> &str {
        &self.entered.name
    }

    pub fn url(&self) -> &str {
        &self.entered.url
    }

    /// Whether it may have something: it took statements, and some of these lie behind it.
    pub fn may_have_some(&self) -> bool {
        self.progress.delivered > 0 && self.is_past_some
    }

    pub fn look(
        &mut self,
        snapshot: &Snapshot,
        entry: &Entry,
        statement: &Statement,
    ) -> Result<(), StoreError> {
        let is_past = entry.sequence < self.progress.cursor
            && self.entered.since.is_none_or(|since| entry.stored > since)
            && !dead::is_one(snapshot, self.id, entry.sequence)?;
        if is_past {
            self.is_past_some = true;
            self.statements += u64::from(self.entered.filter.admits(statement));
        }
        Ok(())
    }
}

/// Dead letters go with their statements.
pub(crate) fn forget(tx: &Tx<'_>, erased: &BTreeSet<u64>) -> Result<(), Error> {
    let rows = tx.range(&PROGRESS, ..)?;
    let upstreams: Vec<Uuid> = rows
        .map(|row| row.map(|(id, _)| id))
        .collect::<Result<_, _>>()?;
    for id in upstreams {
        dead::forget(tx, id, erased)?;
    }
    Ok(())
}

/// Whom upstreams know as whom, and whose statements they get: without these.
pub(crate) fn forget_people(tx: &Tx<'_>, who: &BTreeSet<String>) -> Result<bool, Error> {
    let mut changed = Vec::new();
    for row in tx.range(&UPSTREAMS, ..)? {
        let (id, Json(mut entered)) = row?;
        let mut is_changed = false;
        for key in who {
            if let Identities::Map { table, .. } = &mut entered.identities {
                is_changed |= table.remove(key).is_some();
            }
            if entered.filter.people.remove(key) {
                is_changed = true;
                if entered.filter.people.is_empty() {
                    entered.filter.people.insert(NOBODY.to_owned());
                }
            }
        }
        if is_changed {
            changed.push((id, entered));
        }
    }
    for (id, entered) in &changed {
        tx.insert(&UPSTREAMS, id, &Json(entered.clone()))?;
    }
    Ok(!changed.is_empty())
}
