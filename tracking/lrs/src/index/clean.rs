//! Takes the postings of erased statements out of the runs: a hash of somebody's identifier can be guessed. What a run
//! holds afterwards are the bytes that it would have if it were made from the log anew.
//!
//! A run is rewritten a slice at a time. After each slice it is a run in order; only the chunk that was written last may
//! be shorter than it will be. So whoever is interrupted begins with that run again.

use std::collections::BTreeSet;
use std::sync::PoisonError;

use lectern_store::{Error, Store, Table};

use super::Kind;
use super::chunk::{ChunkReader, ChunkWriter, Posting};
use super::runs::{self, CHUNKS, Run, damaged, put};
use crate::core::Core;
use crate::flush;

/// Statements that were erased and may still have postings in a run.
pub(crate) const DIRTY: Table<u64, ()> = Table::new("lrs.index.erased");

/// Chunks read, and written anew, in one transaction.
const SLICE: usize = 256;

/// Rows of [`DIRTY`] removed in one transaction: nobody waits long for the writer.
const FORGOTTEN: usize = 4_096;

/// Cleans every run that has something of an erased statement, while `goes_on` says so; whether all is clean. Meanwhile
/// nothing is merged.
pub(crate) fn clean(core: &Core, goes_on: &mut dyn FnMut() -> bool) -> Result<bool, Error> {
    let is_clean = {
        let mut merger = core.merger.lock().unwrap_or_else(PoisonError::into_inner);
        // What it has read holds what is to go; what it has written is removed when the next one begins.
        *merger = None;
        clean_runs(core, goes_on)?
    };
    while flush::merge(core) && goes_on() {}
    Ok(is_clean)
}

fn clean_runs(core: &Core, goes_on: &mut dyn FnMut() -> bool) -> Result<bool, Error> {
    let snapshot = core.store.snapshot()?;
    let all = runs::all(&snapshot, core.run)?;
    for of in &all {
        let dirty = snapshot.range(&DIRTY, of.base(core.run) + 1..=of.end(core.run))?;
        let dirty: BTreeSet<u64> = dirty
            .map(|row| row.map(|(sequence, ())| sequence))
            .collect::<Result<_, _>>()?;
        if !dirty.is_empty() && !clean_run(&core.store, *of, core.run, dirty, goes_on)? {
            return Ok(false);
        }
    }
    // Behind the runs is memory, where nothing is left of them.
    let behind = all.last().map_or(0, |last| last.end(core.run));
    let rest: Vec<u64> = snapshot
        .range(&DIRTY, behind + 1..)?
        .map(|row| row.map(|(sequence, ())| sequence))
        .collect::<Result<_, _>>()?;
    if !rest.is_empty() {
        forget(&core.store, &rest)?;
    }
    Ok(true)
}

/// These have no postings any more.
fn forget(store: &Store, clean: &[u64]) -> Result<(), Error> {
    for part in clean.chunks(FORGOTTEN) {
        let part = part.to_vec();
        store.write_making_room(move |tx| {
            for sequence in &part {
                tx.remove(&DIRTY, sequence)?;
            }
            Ok::<_, Error>(())
        })?;
    }
    Ok(())
}

fn clean_run(
    store: &Store,
    of: Run,
    run: u64,
    dirty: BTreeSet<u64>,
    goes_on: &mut dyn FnMut() -> bool,
) -> Result<bool, Error> {
    let place = move |(hash, sequence): Posting| {
        ((Kind::Postings as u8, of.level), of.number, hash, sequence)
    };
    let mut from = (0, 0);
    loop {
        let snapshot = store.snapshot()?;
        let mut old: Vec<(Posting, Vec<u8>)> = Vec::new();
        for row in snapshot
            .range(&CHUNKS, place(from)..=place((u64::MAX, u64::MAX)))?
            .take(SLICE)
        {
            let ((_, _, hash, sequence), chunk) = row?;
            old.push(((hash, sequence), chunk.0));
        }
        drop(snapshot);
        let is_last = old.len() < SLICE;
        let mut writer = ChunkWriter::new(of.base(run));
        let mut new = Vec::new();
        for (key, bytes) in &old {
            let mut reader = ChunkReader::new(of.base(run), *key, bytes).map_err(damaged)?;
            while let Some(hash) = reader.hash() {
                let mut list = Vec::new();
                reader.read(&mut list).map_err(damaged)?;
                let kept = list
                    .into_iter()
                    .filter(|sequence| !dirty.contains(sequence));
                new.extend(kept.filter_map(|sequence| writer.push((hash, sequence))));
            }
        }
        new.extend(writer.finish());
        // The last one goes on with what comes behind.
        let last = old
            .last()
            .map(|((hash, sequence), _)| (*hash, sequence + 1));
        from = match (new.last(), last) {
            (Some((key, _)), _) => *key,
            (None, Some(behind)) => behind,
            (None, None) => from,
        };
        if new != old {
            store.write_making_room(move |tx| {
                for ((hash, sequence), _) in &old {
                    tx.remove(&CHUNKS, &place((*hash, *sequence)))?;
                }
                for chunk in &new {
                    put(tx, Kind::Postings, of, chunk.clone())?;
                }
                Ok::<_, Error>(())
            })?;
        }
        if is_last {
            break;
        }
        if !goes_on() {
            return Ok(false);
        }
    }
    forget(store, &dirty.into_iter().collect::<Vec<_>>())?;
    Ok(true)
}
