//! The thread that brings what is in the journal into the tables: blocks, runs of the index, folds, many statements in
//! one commit; and merges runs when there is time.

use std::sync::{Arc, PoisonError, TryLockError};
use std::time::Instant;

use lectern_store::Error as StoreError;

use crate::body::AUTHORITIES;
use crate::core::Core;
use crate::entry::Hash;
use crate::error::Error;
use crate::fold::Folds;
use crate::index::Kind;
use crate::index::chunk::Posting;
use crate::index::filter::Filter;
use crate::index::merge::Merger;
use crate::index::runs::{self, RUNS, Run};
use crate::log::pack::{Packing, pack};
use crate::log::{BLOCKS, Line, block};
use crate::tail::{Group, Tail};

/// Statements in one commit at most, unless one request had more.
const MAX_STATEMENTS: u64 = 2_048;

/// The end of what is in the tables.
#[derive(Default)]
pub(crate) struct Open {
    /// The link before the block that has room for more.
    pub previous: Hash,
    /// That block's lines.
    pub lines: Vec<Arc<Line>>,
}

/// `last` is the last block of the log.
pub(crate) fn begin(core: &Core, last: Option<&block::Block>) {
    let mut open = core.open.lock().unwrap_or_else(PoisonError::into_inner);
    *open = Open {
        previous: last.map_or([0; 32], |block| block.previous),
        lines: last.map_or_else(Vec::new, |block| {
            block.lines().into_iter().map(Arc::new).collect()
        }),
    };
}

/// Runs until nobody appends any more and all is in the tables, or cannot be brought there.
pub(crate) fn run(core: &Core, folds: &Folds) {
    let mut has_merges = true;
    let mut since = Instant::now();
    let mut most = MAX_STATEMENTS;
    // Bytes a line took lately.
    let mut guess = 150;
    while let Some(groups) = core.next_groups(most, since, has_merges) {
        since = Instant::now();
        if !groups.is_empty() {
            match flush(core, folds, &groups, &mut guess) {
                Ok(()) => {
                    most = (most * 2).min(MAX_STATEMENTS);
                    answer(&groups);
                    has_merges = true;
                }
                Err(Error::Store(StoreError::Full { .. })) if groups.len() > 1 => {
                    most = (most / 2).max(1);
                }
                Err(error) => {
                    tracing::error!(event = "lrs.flush_failed", %error);
                    // They are durable, which is what was asked; what follows from them comes later.
                    answer(&groups);
                    core.failed(error);
                }
            }
            if core.gives_up() {
                return;
            }
        }
        if has_merges {
            has_merges = merge_unless_busy(core);
        }
    }
}

fn flush(
    core: &Core,
    folds: &Folds,
    groups: &[Arc<Group>],
    guess: &mut usize,
) -> Result<(), Error> {
    let mut open = core.open.lock().unwrap_or_else(PoisonError::into_inner);
    let new = groups.iter().flat_map(|group| &group.held);
    let lines: Vec<Arc<Line>> = open
        .lines
        .iter()
        .cloned()
        .chain(new.map(|held| Arc::clone(&held.line)))
        .collect();
    let Packing {
        blocks,
        open: left_open,
    } = pack(open.previous, &lines, guess);
    let end = groups.last().map_or(0, |group| group.end());
    let full = full_segments(core, end);
    let (for_tx, folds, full_for_tx) = (groups.to_vec(), Arc::clone(folds), Arc::clone(&full));
    let run = core.run;
    core.store.write(move |tx| {
        for (first, packed) in &blocks {
            tx.insert(&BLOCKS, first, packed)?;
        }
        let mut authority = None;
        for held in for_tx.iter().flat_map(|group| &group.held) {
            let Some(body) = &held.line.body else {
                continue;
            };
            if authority != Some(body.authority) {
                if !tx.contains(&AUTHORITIES, &body.authority)? {
                    tx.insert(&AUTHORITIES, &body.authority, &held.authority.to_string())?;
                }
                authority = Some(body.authority);
            }
        }
        for fold in folds.iter() {
            for held in for_tx.iter().flat_map(|group| &group.held) {
                fold.apply(tx, &held.line.entry, &held.statement)?;
            }
        }
        for full in full_for_tx.iter() {
            full.write(tx, run)?;
        }
        Ok::<_, Error>(())
    })?;
    let kept = lines.len() - left_open;
    if let Some(last) = kept.checked_sub(1).and_then(|last| lines.get(last)) {
        open.previous = last.link;
    }
    open.lines = lines.into_iter().skip(kept).collect();
    core.settled(|tail| {
        tail.in_tables = end;
        let done = tail.groups.iter().take_while(|group| group.end() <= end);
        let (count, bytes) = done.fold((0, 0), |(count, bytes), group| {
            (count + 1, bytes + group.bytes)
        });
        tail.groups.drain(..count);
        tail.bytes -= bytes;
        for full in full.iter() {
            full.leave(tail);
        }
    });
    Ok(())
}

/// A segment that has become a run.
pub(crate) struct Full {
    of: Run,
    ids: Vec<Posting>,
    postings: Vec<Posting>,
    filter: Arc<Filter>,
}

impl Full {
    pub fn new(segment: &crate::index::segment::Segment, run: u64) -> Self {
        let ids = segment.sorted(Kind::Ids);
        let mut filter = Filter::for_ids(run);
        ids.iter().for_each(|(hash, _)| filter.insert(*hash));
        Self {
            of: Run {
                level: 0,
                number: segment.number,
            },
            postings: segment.sorted(Kind::Postings),
            ids,
            filter: Arc::new(filter),
        }
    }

    pub fn write(&self, tx: &lectern_store::Tx<'_>, run: u64) -> Result<(), StoreError> {
        runs::write(tx, Kind::Ids, self.of, run, self.ids.iter().copied())?;
        runs::write(
            tx,
            Kind::Postings,
            self.of,
            run,
            self.postings.iter().copied(),
        )?;
        tx.insert(&RUNS, &(self.of.level, self.of.number), &())
            .map(|_| ())
    }

    /// The run takes the segment's place.
    pub fn leave(&self, tail: &mut Tail) {
        tail.segments
            .retain(|segment| segment.number != self.of.number);
        tail.filters.push((self.of, Arc::clone(&self.filter)));
    }
}

/// Those segments of which every statement is in the tables once `end` is.
fn full_segments(core: &Core, end: u64) -> Arc<Vec<Full>> {
    let segments: Vec<_> = core.tail().segments.iter().cloned().collect();
    let full = segments
        .iter()
        .filter(|segment| (segment.number + 1) * core.run <= end)
        .map(|segment| Full::new(segment, core.run));
    Arc::new(full.collect())
}

fn answer(groups: &[Arc<Group>]) {
    for group in groups {
        let mut waiting = group.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        for answer in waiting.drain(..) {
            // A caller that has gone away needs no answer.
            let _ = answer.send(Ok(()));
        }
    }
}

/// Does some of what there is to merge; whether there is more. Waits for whoever has the runs.
pub(crate) fn merge(core: &Core) -> bool {
    let mut merger = core.merger.lock().unwrap_or_else(PoisonError::into_inner);
    merge_with(core, &mut merger)
}

/// [`merge`], but not while erased statements are taken out of the runs: behind that it is gone on with.
fn merge_unless_busy(core: &Core) -> bool {
    match core.merger.try_lock() {
        Ok(mut merger) => merge_with(core, &mut merger),
        Err(TryLockError::Poisoned(poisoned)) => merge_with(core, &mut poisoned.into_inner()),
        Err(TryLockError::WouldBlock) => false,
    }
}

fn merge_with(core: &Core, merger: &mut Option<Merger>) -> bool {
    match step(core, merger) {
        Ok(goes_on) => goes_on,
        Err(error) => {
            tracing::warn!(event = "lrs.merge_failed", %error);
            false
        }
    }
}

fn step(core: &Core, merger: &mut Option<Merger>) -> Result<bool, StoreError> {
    let merger = match merger {
        Some(merger) => merger,
        None => merger.insert(Merger::new(&core.store.snapshot()?, core.run)?),
    };
    let progress = merger.step(&core.store)?;
    if let Some((run, filter)) = progress.made {
        let parts = crate::index::merge::parts(run);
        let mut tail = core.tail_mut();
        tail.filters.retain(|(of, _)| !parts.contains(of));
        tail.filters.push((run, Arc::new(filter)));
    }
    Ok(progress.goes_on)
}
