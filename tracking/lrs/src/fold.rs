//! Folds: what is derived from the log, besides its index. Each is written in the transaction that brings the entries
//! into the tables, so it is as far as they are while the box runs; one that is new, or was not there for a while, is
//! built from the log when the store is opened.
//!
//! A fold's cursor lies in [`FOLDS`]: the next sequence number it wants, or [`LIVE`] when it has all and is given
//! every new entry. That one row is written at opening only, so an append pays nothing for it. A row of a fold that
//! this program does not have is removed at opening: whoever brings the fold back finds it gone and builds it anew.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use lectern_store::{Snapshot, Table, Tx};
use lectern_xapi::Statement;

use crate::core::Core;
use crate::entry::Entry;
use crate::erasure::Erased;
use crate::error::Error;
use crate::view::View;

/// Something derived from the statement log.
pub trait Fold: Send + Sync {
    /// Its name in the file; another name is another fold, and is how a changed one asks to be built anew.
    fn name(&self) -> &'static str;

    /// Takes in one entry. Called once for each, in order, inside the transaction that brings it into the tables.
    ///
    /// # Errors
    /// Only the store's own; what a statement says can never make it fail.
    fn apply(
        &self,
        tx: &Tx<'_>,
        entry: &Entry,
        statement: &Statement,
    ) -> Result<(), lectern_store::Error>;

    /// Forgets what these statements said, inside the transaction that erases them: afterwards it holds what it would if it
    /// were built from the log without them.
    ///
    /// # Errors
    /// The store's own.
    fn forget(&self, tx: &Tx<'_>, erased: &Erased<'_>) -> Result<(), lectern_store::Error>;

    /// Forgets everything.
    ///
    /// # Errors
    /// The store's own.
    fn clear(&self, tx: &Tx<'_>) -> Result<(), lectern_store::Error>;
}

const FOLDS: Table<String, u64> = Table::new("lrs.folds");
/// The cursor of a fold that is given every new entry.
const LIVE: u64 = u64::MAX;
/// Entries taken into a fold in one transaction while it is built, when the disk has room.
const CHUNK: u64 = 2_000;

pub(crate) type Folds = Arc<[Arc<dyn Fold>]>;

/// Brings all folds up to the end of the log. Writes nothing when they are: a box whose disk is full must start.
pub(crate) fn catch_up(core: &Core, folds: &Folds) -> Result<(), Error> {
    let names: BTreeSet<&str> = folds.iter().map(|fold| fold.name()).collect();
    let mut cursors = cursors(&core.store.snapshot()?)?;
    let gone: Vec<String> = cursors
        .keys()
        .filter(|name| !names.contains(name.as_str()))
        .cloned()
        .collect();
    if !gone.is_empty() {
        core.store.write_making_room(move |tx| {
            for name in &gone {
                tx.remove(&FOLDS, name)?;
            }
            Ok::<_, Error>(())
        })?;
    }
    for fold in folds.iter() {
        if cursors.remove(fold.name()) != Some(LIVE) {
            build(core, fold)?;
        }
    }
    Ok(())
}

/// Drops a fold and builds it anew from the log.
pub(crate) fn rebuild(core: &Core, fold: &Arc<dyn Fold>) -> Result<(), Error> {
    let name = fold.name().to_owned();
    core.store
        .write(move |tx| tx.remove(&FOLDS, &name).map(|_| ()).map_err(Error::from))?;
    build(core, fold)
}

/// How many of the log's `head` entries the fold that is furthest behind has not taken in.
pub(crate) fn lag(snapshot: &Snapshot, folds: &Folds, head: u64) -> Result<u64, Error> {
    let cursors = cursors(snapshot)?;
    let lacks = |fold: &Arc<dyn Fold>| {
        let next = cursors.get(fold.name()).map_or(1, |next| *next);
        (head + 1).saturating_sub(next)
    };
    Ok(folds.iter().map(lacks).max().unwrap_or(0))
}

fn cursors(snapshot: &Snapshot) -> Result<BTreeMap<String, u64>, Error> {
    let rows = snapshot.range(&FOLDS, ..)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Builds to the end of the log. May use the reserve, so that an update installed on a full disk starts; a transaction
/// that does not fit in is tried with fewer entries.
fn build(core: &Core, fold: &Arc<dyn Fold>) -> Result<(), Error> {
    let mut entries = CHUNK;
    loop {
        match build_some(core, Arc::clone(fold), entries) {
            Ok(true) => return Ok(()),
            Ok(false) => {}
            Err(Error::Store(lectern_store::Error::Full { .. })) if entries > 1 => entries /= 2,
            Err(error) => return Err(error),
        }
    }
}

/// One transaction's worth of building; true when the fold is live.
fn build_some(core: &Core, fold: Arc<dyn Fold>, entries: u64) -> Result<bool, Error> {
    let view = View::new(core)?;
    let cursor = view.snapshot().get(&FOLDS, &fold.name().to_owned())?;
    if cursor == Some(LIVE) {
        return Ok(true);
    }
    let next = cursor.unwrap_or(1);
    let end = next.saturating_add(entries);
    let mut statements = Vec::new();
    let mut last = next;
    for line in view.lines(next..end) {
        let (entry, body) = line?;
        last = entry.sequence + 1;
        let Some(body) = body else { continue };
        if let Some(statement) = view.complete(&entry, &body)? {
            statements.push((entry, statement));
        }
    }
    drop(view);
    let is_done = last < end;
    core.store.write_making_room(move |tx| {
        if cursor.is_none() {
            fold.clear(tx)?;
        }
        for (entry, statement) in &statements {
            fold.apply(tx, entry, statement)?;
        }
        if last > next {
            tracing::info!(
                event = "lrs.fold_built",
                fold = fold.name(),
                sequence = last - 1
            );
        }
        let name = fold.name().to_owned();
        tx.insert(&FOLDS, &name, &if is_done { LIVE } else { last })?;
        Ok::<_, Error>(is_done)
    })
}
