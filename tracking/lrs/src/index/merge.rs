//! Eight runs of a level become one of the next, a slice at a time, so that nobody waits long for the writer. How far a
//! merge has come is known in memory only: a process that ends begins it anew.

use lectern_store::{Error, Snapshot, Store, Tx};

use super::Kind;
use super::chunk::{ChunkReader, ChunkWriter, Posting};
use super::filter::Filter;
use super::runs::{CHUNKS, FAN, RUNS, Run, damaged, put};

/// Chunks written, or removed, in one transaction.
const SLICE: usize = 128;

/// Chunks by their first pair.
type Chunks = Vec<(Posting, Vec<u8>)>;

/// What is to be done to the runs.
pub(crate) struct Merger {
    run: u64,
    work: Option<Work>,
    /// Of the ids of the run that is being made.
    filter: Option<Filter>,
    /// Runs that a merge made superfluous, or that a process left unfinished; their chunks are to be removed.
    garbage: Vec<Run>,
}

/// What a slice has changed.
#[derive(Default)]
pub(crate) struct Progress {
    /// There is more to do.
    pub goes_on: bool,
    /// A run that is whole now, and the filter of its ids; the runs that it stands for are gone.
    pub made: Option<(Run, Filter)>,
}

struct Work {
    target: Run,
    kind: Kind,
    writer: ChunkWriter,
    /// One for each run that is merged, in order of their statements.
    inputs: Vec<Input>,
}

struct Input {
    of: Run,
    /// Chunks read ahead, next last.
    lists: Vec<(u64, Vec<u64>)>,
    /// Where to go on reading; `None` at the end.
    next: Option<Posting>,
}

impl Merger {
    /// For the runs as they are in the file.
    pub fn new(snapshot: &Snapshot, run: u64) -> Result<Self, Error> {
        Ok(Self {
            run,
            work: None,
            filter: None,
            garbage: unfinished(snapshot)?,
        })
    }

    /// Does a slice of what is to be done. One that fails is begun anew: it writes the same chunks again.
    ///
    /// # Errors
    /// The store's.
    pub fn step(&mut self, store: &Store) -> Result<Progress, Error> {
        if let Some(of) = self.garbage.first().copied() {
            let is_clean = store.write_making_room(move |tx| remove(tx, of))?;
            if is_clean {
                self.garbage.remove(0);
            }
            return Ok(Progress {
                goes_on: true,
                made: None,
            });
        }
        let snapshot = store.snapshot()?;
        let mut work = match self.work.take() {
            Some(work) => work,
            None => match due(&snapshot, self.run)? {
                Some(target) => {
                    self.filter = Some(Filter::for_ids(target.size(self.run)));
                    Work::new(target, Kind::Ids, self.run)
                }
                None => return Ok(Progress::default()),
            },
        };
        let (chunks, is_done) = work.slice(&snapshot, self.run, self.filter.as_mut())?;
        drop(snapshot);
        let (target, kind) = (work.target, work.kind);
        if !is_done {
            write(store, kind, target, chunks, None)?;
            self.work = Some(work);
        } else if kind == Kind::Ids {
            write(store, kind, target, chunks, None)?;
            self.work = Some(Work::new(target, Kind::Postings, self.run));
        } else {
            let parts = parts(target);
            write(store, kind, target, chunks, Some(parts.clone()))?;
            self.garbage.extend(parts);
            return Ok(Progress {
                goes_on: true,
                made: self.filter.take().map(|filter| (target, filter)),
            });
        }
        Ok(Progress {
            goes_on: true,
            made: None,
        })
    }
}

/// The runs that make up `target`.
pub(crate) fn parts(target: Run) -> Vec<Run> {
    let level = target.level.saturating_sub(1);
    (target.number * FAN..(target.number + 1) * FAN)
        .map(|number| Run { level, number })
        .collect()
}

/// A run that can be made of eight others.
fn due(snapshot: &Snapshot, run: u64) -> Result<Option<Run>, Error> {
    let runs = super::runs::all(snapshot, run)?;
    Ok(runs.windows(FAN as usize).find_map(|window| {
        let (first, last) = (window.first()?, window.last()?);
        let is_due = first.number.is_multiple_of(FAN)
            && last.level == first.level
            && last.number == first.number + FAN - 1;
        is_due.then_some(Run {
            level: first.level + 1,
            number: first.number / FAN,
        })
    }))
}

fn write(
    store: &Store,
    kind: Kind,
    target: Run,
    chunks: Chunks,
    finished: Option<Vec<Run>>,
) -> Result<(), Error> {
    store.write(move |tx| {
        for chunk in &chunks {
            put(tx, kind, target, chunk.clone())?;
        }
        if let Some(parts) = &finished {
            tx.insert(&RUNS, &(target.level, target.number), &())?;
            for part in parts {
                tx.remove(&RUNS, &(part.level, part.number))?;
            }
        }
        Ok(())
    })
}

/// Removes some of a run's chunks; true when none is left.
fn remove(tx: &Tx<'_>, of: Run) -> Result<bool, Error> {
    let mut keys = Vec::new();
    for kind in Kind::ALL {
        let from = ((kind as u8, of.level), of.number, 0, 0);
        let to = ((kind as u8, of.level), of.number, u64::MAX, u64::MAX);
        for row in tx.range(&CHUNKS, from..=to)?.take(SLICE - keys.len()) {
            keys.push(row?.0);
        }
    }
    for key in &keys {
        tx.remove(&CHUNKS, key)?;
    }
    Ok(keys.len() < SLICE)
}

/// Runs that have chunks and no row: left by a process that ended in between.
fn unfinished(snapshot: &Snapshot) -> Result<Vec<Run>, Error> {
    let mut found = Vec::new();
    let mut from = ((0, 0), 0, 0, 0);
    while let Some(row) = snapshot.range(&CHUNKS, from..)?.next() {
        let (((kind, level), number, _, _), _) = row?;
        let one = Run { level, number };
        let is_whole = snapshot.contains(&RUNS, &(level, number))?;
        if !is_whole && !found.contains(&one) {
            found.push(one);
        }
        from = ((kind, level), number + 1, 0, 0);
    }
    Ok(found)
}

impl Work {
    fn new(target: Run, kind: Kind, run: u64) -> Self {
        let input = |of| Input {
            of,
            lists: Vec::new(),
            next: Some((0, 0)),
        };
        Self {
            target,
            kind,
            writer: ChunkWriter::new(target.base(run)),
            inputs: parts(target).into_iter().map(input).collect(),
        }
    }

    /// The next chunks, and whether they are the last.
    fn slice(
        &mut self,
        snapshot: &Snapshot,
        run: u64,
        mut filter: Option<&mut Filter>,
    ) -> Result<(Chunks, bool), Error> {
        let mut chunks = Vec::new();
        while chunks.len() < SLICE {
            let mut lowest = None;
            for input in &mut self.inputs {
                let hash = input.peek(snapshot, self.kind, run)?;
                lowest = match (lowest, hash) {
                    (Some(a), Some(b)) => Some(u64::min(a, b)),
                    (a, b) => a.or(b),
                };
            }
            let Some(hash) = lowest else {
                chunks.extend(self.writer.finish());
                return Ok((chunks, true));
            };
            if self.kind == Kind::Ids
                && let Some(filter) = &mut filter
            {
                filter.insert(hash);
            }
            for input in &mut self.inputs {
                // A list may go on in the input's next chunk.
                while input.peek(snapshot, self.kind, run)? == Some(hash) {
                    let list = input.lists.pop().map(|(_, list)| list).unwrap_or_default();
                    let full = list
                        .into_iter()
                        .filter_map(|sequence| self.writer.push((hash, sequence)));
                    chunks.extend(full);
                }
            }
        }
        Ok((chunks, false))
    }
}

impl Input {
    /// The hash of the next list.
    fn peek(&mut self, snapshot: &Snapshot, kind: Kind, run: u64) -> Result<Option<u64>, Error> {
        while self.lists.is_empty() {
            let Some((hash, sequence)) = self.next else {
                return Ok(None);
            };
            let place =
                |hash, sequence| ((kind as u8, self.of.level), self.of.number, hash, sequence);
            let row = snapshot
                .range(&CHUNKS, place(hash, sequence)..=place(u64::MAX, u64::MAX))?
                .next();
            let Some(((_, _, hash, sequence), chunk)) = row.transpose()? else {
                self.next = None;
                return Ok(None);
            };
            let mut reader =
                ChunkReader::new(self.of.base(run), (hash, sequence), &chunk.0).map_err(damaged)?;
            while let Some(hash) = reader.hash() {
                let mut list = Vec::new();
                reader.read(&mut list).map_err(damaged)?;
                self.lists.push((hash, list));
            }
            self.lists.reverse();
            self.next = Some((hash, sequence + 1));
        }
        Ok(self.lists.last().map(|(hash, _)| *hash))
    }
}
