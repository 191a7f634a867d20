//! Opening: the index of the newest statements is made anew from the log, and what lies in the journal alone is taken in.

use std::sync::Arc;

use jiff::Timestamp;
use lectern_store::{Error as StoreError, Journal, JournalOf, Snapshot, Table};

use crate::append::hashes;
use crate::appender::End;
use crate::body::complete;
use crate::core::Core;
use crate::error::Error;
use crate::flush::Full;
use crate::frame;
use crate::index::runs::{self, CHUNKS, RUNS};
use crate::index::{id_hash, segment::Segment};
use crate::log::Packed;
use crate::log::block::Block;
use crate::tail::{Group, Held};
use crate::view::View;

/// The index's name among the folds.
pub(crate) const INDEX: &str = "lrs.index.3";
/// The index's name to the number of statements in its smallest runs.
const MADE: Table<String, u64> = Table::new("lrs.index.made");

/// Where the log was before it lay in blocks (`docs/decisions/0024`): a row an entry.
const ROWS: Table<u64, Packed> = Table::new("lrs.log");

/// Refuses a file whose statements lie where we do not look: it would seem empty, and be written over.
pub(crate) fn refuse_rows(snapshot: &Snapshot) -> Result<(), Error> {
    if snapshot.range(&ROWS, ..)?.next().is_some() {
        return Err(Error::Store(StoreError::Unreadable(
            "its statements lie in rows, as a development version before 26 November 2026 kept them. Nothing was changed. \
             Start the version that made it and have it forward the statements, or begin with an empty state folder",
        )));
    }
    Ok(())
}

/// Brings the index up to the end of the tables.
pub(crate) fn index(core: &Core, last: Option<&Block>) -> Result<(), Error> {
    let head = last.map_or(0, Block::end);
    {
        let mut tail = core.tail_mut();
        (tail.head, tail.in_tables) = (head, head);
    }
    let made = core.store.snapshot()?.get(&MADE, &INDEX.to_owned())?;
    if made != Some(core.run) {
        clear(core)?;
    }
    let snapshot = core.store.snapshot()?;
    for one in runs::all(&snapshot, core.run)? {
        let filter = Arc::new(runs::filter(&snapshot, one, core.run)?);
        core.tail_mut().filters.push((one, filter));
    }
    drop(snapshot);
    fill(core, head)
}

/// Drops the index and makes it anew.
pub(crate) fn rebuild(core: &Core) -> Result<(), Error> {
    let mut merger = core
        .merger
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    *merger = None;
    clear(core)?;
    let head = {
        let mut tail = core.tail_mut();
        tail.segments.clear();
        tail.filters.clear();
        tail.head
    };
    fill(core, head)
}

fn clear(core: &Core) -> Result<(), Error> {
    let run = core.run;
    core.store.write_making_room(move |tx| {
        tx.clear(&RUNS)?;
        tx.clear(&CHUNKS)?;
        tx.clear(&MADE)?;
        tx.insert(&MADE, &INDEX.to_owned(), &run)?;
        Ok(())
    })
}

/// Indexes what lies behind the last run, writing each run that is full.
fn fill(core: &Core, head: u64) -> Result<(), Error> {
    let run = core.run;
    let view = View::new(core)?;
    let mut number = view.runs_end()? / run;
    while number * run < head {
        let segment = Segment::new(number, run);
        for line in view.lines(number * run + 1..(number + 1) * run + 1) {
            let (entry, body) = line?;
            let statement = match &body {
                Some(body) => view.complete(&entry, body)?,
                None => None,
            };
            let found_by =
                statement.map_or_else(Vec::new, |statement| hashes(&statement, &entry.credential));
            segment.add(entry.sequence, id_hash(entry.id), &found_by);
        }
        if (number + 1) * run <= head {
            let full = Arc::new(Full::new(&segment, run));
            let for_tx = Arc::clone(&full);
            core.store
                .write_making_room(move |tx| for_tx.write(tx, run))?;
            full.leave(&mut core.tail_mut());
        } else {
            core.tail_mut().segments.push_back(Arc::new(segment));
        }
        number += 1;
    }
    Ok(())
}

/// Takes in what only the journal has. The log ends there.
pub(crate) fn journal(core: &Core, last: Option<&Block>) -> Result<(Journal, End), Error> {
    let mut end = End {
        sequence: last.map_or(0, Block::end),
        stored: last
            .and_then(|block| block.entry(block.end()))
            .map_or(Timestamp::UNIX_EPOCH, |entry| entry.stored),
        link: last.map_or([0; 32], |block| block.last),
    };
    let (journal, frames) = core.store.journal(JournalOf::Log)?;
    for bytes in frames {
        let (authority, lines) = frame::read(&bytes).map_err(|detail| damaged(&detail.0))?;
        let actor = lectern_xapi::parse_authority(&authority)?;
        let authority: Arc<str> = authority.into();
        let (mut held, mut found_by) = (Vec::new(), Vec::new());
        for (entry, body) in lines {
            if entry.sequence <= end.sequence {
                continue;
            }
            if entry.sequence != end.sequence + 1 {
                return Err(damaged(
                    "statements between the tables and the journal are missing",
                ));
            }
            let mut statement = lectern_xapi::parse_stored(&body.raw, body.version)?;
            statement.authority = Some(actor.clone());
            complete(&mut statement, &entry);
            found_by.push((id_hash(entry.id), hashes(&statement, &entry.credential)));
            let body_hash = body.hash();
            let line = end.follow(entry, body, body_hash);
            held.push(Held {
                line: Arc::new(line),
                statement,
                authority: Arc::clone(&authority),
            });
        }
        if !held.is_empty() {
            core.tail_mut()
                .push(Arc::new(Group::new(held)), &found_by, core.run);
        }
    }
    Ok((journal, end))
}

fn damaged(detail: &str) -> Error {
    Error::Store(StoreError::Corrupt {
        table: "the journal".to_owned(),
        detail: detail.to_owned(),
    })
}
