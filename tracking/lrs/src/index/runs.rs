//! Runs in the file: sorted pairs in chunks, and a row for each run that is whole.

use lectern_store::{Corrupt, Error, Snapshot, Table, Tx};

use super::Kind;
use super::chunk::{ChunkReader, ChunkWriter, Posting};
use super::filter::Filter;
use crate::log::Packed;

/// Runs of a level that make one of the next.
pub(crate) const FAN: u64 = 8;

/// (Level, number) of each run that is whole.
pub(crate) const RUNS: Table<(u8, u64), ()> = Table::new("lrs.index.runs");
/// ((Kind, level), number, hash, sequence number) of a chunk's first pair to chunk.
pub(crate) const CHUNKS: Table<((u8, u8), u64, u64, u64), Packed> = Table::new("lrs.index.chunks");

/// One run: the statements `number · size + 1 ..= (number + 1) · size`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Run {
    pub level: u8,
    pub number: u64,
}

impl Run {
    /// Statements in it, when the smallest have `run`.
    pub fn size(self, run: u64) -> u64 {
        run.saturating_mul(FAN.saturating_pow(u32::from(self.level)))
    }

    /// The sequence number before its first.
    pub fn base(self, run: u64) -> u64 {
        self.number.saturating_mul(self.size(run))
    }

    /// Its last sequence number.
    pub fn end(self, run: u64) -> u64 {
        self.base(run).saturating_add(self.size(run))
    }
}

/// All runs that are whole, the oldest statements first; together they hold all up to the last one's end.
pub(crate) fn all(snapshot: &Snapshot, run: u64) -> Result<Vec<Run>, Error> {
    let rows = snapshot.range(&RUNS, ..)?;
    let runs = rows.map(|row| row.map(|((level, number), ())| Run { level, number }));
    let mut runs: Vec<Run> = runs.collect::<Result<_, _>>()?;
    runs.sort_by_key(|one| one.base(run));
    Ok(runs)
}

/// Writes a run from pairs in order.
pub(crate) fn write(
    tx: &Tx<'_>,
    kind: Kind,
    of: Run,
    run: u64,
    pairs: impl Iterator<Item = Posting>,
) -> Result<(), Error> {
    let mut writer = ChunkWriter::new(of.base(run));
    for pair in pairs {
        if let Some(chunk) = writer.push(pair) {
            put(tx, kind, of, chunk)?;
        }
    }
    match writer.finish() {
        Some(chunk) => put(tx, kind, of, chunk),
        None => Ok(()),
    }
}

pub(crate) fn put(
    tx: &Tx<'_>,
    kind: Kind,
    of: Run,
    ((hash, sequence), bytes): (Posting, Vec<u8>),
) -> Result<(), Error> {
    let key = ((kind as u8, of.level), of.number, hash, sequence);
    tx.insert(&CHUNKS, &key, &Packed(bytes)).map(|_| ())
}

/// The list under `hash` in one chunk of a run: of the chunk in which `at` lies, or would lie; in the order of sequence
/// numbers. Ascending, when that chunk has nothing from `at` on, the beginning of the next is given where it goes on;
/// descending, nothing behind `at` is.
pub(crate) fn list(
    snapshot: &Snapshot,
    kind: Kind,
    of: Run,
    run: u64,
    (hash, at): Posting,
    ascending: bool,
) -> Result<Vec<u64>, Error> {
    let place = |hash, sequence| ((kind as u8, of.level), of.number, hash, sequence);
    let mut found = Vec::new();
    let last = if ascending { u64::MAX } else { at };
    let before = snapshot
        .range(&CHUNKS, place(0, 0)..=place(hash, at))?
        .next_back();
    if let Some(((_, _, first, sequence), chunk)) = before.transpose()? {
        list_in(
            &chunk.0,
            of.base(run),
            (first, sequence),
            (hash, last),
            &mut found,
        )?;
    }
    let is_short = found.last().is_none_or(|last| *last < at);
    if ascending && is_short {
        let after = snapshot
            .range(
                &CHUNKS,
                place(hash, at.saturating_add(1))..=place(hash, u64::MAX),
            )?
            .next();
        if let Some(((_, _, first, sequence), chunk)) = after.transpose()? {
            found.clear();
            list_in(
                &chunk.0,
                of.base(run),
                (first, sequence),
                (hash, last),
                &mut found,
            )?;
        }
    }
    Ok(found)
}

fn list_in(
    bytes: &[u8],
    base: u64,
    key: Posting,
    (hash, last): Posting,
    found: &mut Vec<u64>,
) -> Result<(), Error> {
    let mut reader = ChunkReader::new(base, key, bytes).map_err(damaged)?;
    while let Some(next) = reader.hash() {
        if next == hash {
            return reader.read_up_to(last, found).map_err(damaged);
        }
        if next > hash {
            break;
        }
        reader.skip().map_err(damaged)?;
    }
    Ok(())
}

/// A run's ids as a filter.
pub(crate) fn filter(snapshot: &Snapshot, of: Run, run: u64) -> Result<Filter, Error> {
    let mut filter = Filter::for_ids(of.size(run));
    let place = |hash, sequence| ((Kind::Ids as u8, of.level), of.number, hash, sequence);
    for row in snapshot.range(&CHUNKS, place(0, 0)..=place(u64::MAX, u64::MAX))? {
        let ((_, _, first, sequence), chunk) = row?;
        let mut reader =
            ChunkReader::new(of.base(run), (first, sequence), &chunk.0).map_err(damaged)?;
        while let Some(hash) = reader.hash() {
            filter.insert(hash);
            reader.skip().map_err(damaged)?;
        }
    }
    Ok(filter)
}

pub(crate) fn damaged(Corrupt(detail): Corrupt) -> Error {
    Error::Corrupt {
        table: CHUNKS.name().to_owned(),
        detail,
    }
}
