//! A chunk: pairs (hash, sequence number) in order, as short as they go.
//!
//! The first pair is the chunk's key, and is not repeated. After the format byte the sequence numbers under that hash, each as the
//! distance from the one before, ended by a zero; then for each further hash its distance from the one before, its first
//! sequence number less the run's base, distances, zero. No number but the ending zero has a zero byte, so a list is
//! skipped by looking for one.

use lectern_store::Corrupt;
use lectern_store::wire::{Reader, Writer};

/// A pair.
pub(crate) type Posting = (u64, u64);

/// What of a page of 4,096 bytes redb leaves to a value with a key of 26 bytes.
const CHUNK_BYTES: usize = 4_030;

/// Writes one run's pairs, which come in order, as chunks.
pub(crate) struct ChunkWriter {
    /// Sequence numbers are counted from here.
    base: u64,
    key: Posting,
    last: Posting,
    out: Writer,
    is_empty: bool,
}

impl ChunkWriter {
    pub fn new(base: u64) -> Self {
        Self {
            base,
            key: (0, 0),
            last: (0, 0),
            out: Writer::new(),
            is_empty: true,
        }
    }

    /// Adds a pair; a chunk that is full comes out.
    pub fn push(&mut self, (hash, sequence): Posting) -> Option<(Posting, Vec<u8>)> {
        // A new hash takes at most 7 + 10 bytes and the zeros around it.
        let full = if self.out.len() + 20 > CHUNK_BYTES {
            self.finish()
        } else {
            None
        };
        if self.is_empty {
            self.key = (hash, sequence);
            self.is_empty = false;
        } else if hash == self.last.0 {
            self.out.number(sequence.wrapping_sub(self.last.1));
        } else {
            self.out.number(0);
            self.out.number(hash.wrapping_sub(self.last.0));
            self.out.number(sequence.wrapping_sub(self.base));
        }
        self.last = (hash, sequence);
        full
    }

    /// The last chunk, if there is one.
    pub fn finish(&mut self) -> Option<(Posting, Vec<u8>)> {
        if self.is_empty {
            return None;
        }
        self.is_empty = true;
        let mut out = std::mem::replace(&mut self.out, Writer::new());
        out.number(0);
        Some((self.key, out.finish()))
    }
}

/// Reads a chunk list by list.
pub(crate) struct ChunkReader<'b> {
    base: u64,
    hash: u64,
    /// The first sequence number of the list that comes next.
    next: Option<u64>,
    rest: &'b [u8],
}

impl<'b> ChunkReader<'b> {
    pub fn new(base: u64, key: Posting, bytes: &'b [u8]) -> Result<Self, Corrupt> {
        Ok(Self {
            base,
            hash: key.0,
            next: Some(key.1),
            rest: Reader::new(bytes)?.rest(),
        })
    }

    /// The hash of the next list.
    pub fn hash(&self) -> Option<u64> {
        self.next.map(|_| self.hash)
    }

    /// Appends the next list's sequence numbers up to `last`.
    pub fn read_up_to(mut self, last: u64, into: &mut Vec<u64>) -> Result<(), Corrupt> {
        let Some(mut sequence) = self.next.take() else {
            return Ok(());
        };
        let mut from = Reader::part(self.rest);
        while sequence <= last {
            into.push(sequence);
            let step = from.number()?;
            if step == 0 {
                break;
            }
            sequence = sequence.checked_add(step).ok_or_else(damaged)?;
        }
        Ok(())
    }

    /// Appends the next list's sequence numbers.
    pub fn read(&mut self, into: &mut Vec<u64>) -> Result<(), Corrupt> {
        let Some(mut sequence) = self.next else {
            return Ok(());
        };
        into.push(sequence);
        let mut from = Reader::part(self.rest);
        loop {
            let step = from.number()?;
            if step == 0 {
                break;
            }
            sequence = sequence.checked_add(step).ok_or_else(damaged)?;
            into.push(sequence);
        }
        self.rest = from.rest();
        self.step()
    }

    /// Goes past the next list.
    pub fn skip(&mut self) -> Result<(), Corrupt> {
        let end = self.rest.iter().position(|byte| *byte == 0);
        let end = end.ok_or_else(damaged)?;
        self.rest = self.rest.get(end + 1..).ok_or_else(damaged)?;
        self.step()
    }

    fn step(&mut self) -> Result<(), Corrupt> {
        if self.rest.is_empty() {
            self.next = None;
            return Ok(());
        }
        let mut from = Reader::part(self.rest);
        self.hash = self.hash.checked_add(from.number()?).ok_or_else(damaged)?;
        let offset = from.number()?;
        self.next = Some(self.base.checked_add(offset).ok_or_else(damaged)?);
        self.rest = from.rest();
        Ok(())
    }
}

fn damaged() -> Corrupt {
    Corrupt("a chunk of the index that is none".to_owned())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::{any, prop, prop_assert_eq, proptest};

    use super::*;

    fn read_all(base: u64, chunks: &[(Posting, Vec<u8>)]) -> Vec<Posting> {
        let mut found = Vec::new();
        for (key, bytes) in chunks {
            let mut reader = ChunkReader::new(base, *key, bytes).unwrap();
            while let Some(hash) = reader.hash() {
                let mut list = Vec::new();
                reader.read(&mut list).unwrap();
                found.extend(list.into_iter().map(|sequence| (hash, sequence)));
            }
        }
        found
    }

    proptest! {
        #[test]
        fn pairs_read_back_in_order(
            pairs in prop::collection::btree_set((0..1_u64 << 48, 1..9000_u64), 0..3000),
            dense in prop::collection::btree_set((0..5_u64, 1..9000_u64), 0..6000),
            base in 0..1_u64 << 40,
        ) {
            let pairs: BTreeSet<Posting> = pairs.into_iter().chain(dense).map(|(hash, n)| (hash, base + n)).collect();
            let mut writer = ChunkWriter::new(base);
            let mut chunks: Vec<_> = pairs.iter().filter_map(|pair| writer.push(*pair)).collect();
            chunks.extend(writer.finish());
            assert!(chunks.iter().all(|(_, bytes)| bytes.len() <= CHUNK_BYTES));
            prop_assert_eq!(read_all(base, &chunks), pairs.into_iter().collect::<Vec<_>>());
        }

        #[test]
        fn a_list_is_skipped_where_the_next_begins(
            lists in prop::collection::btree_map(0..1_u64 << 48, prop::collection::btree_set(1..9000_u64, 1..9), 2..20),
        ) {
            let mut writer = ChunkWriter::new(0);
            for (hash, list) in &lists {
                for sequence in list {
                    assert!(writer.push((*hash, *sequence)).is_none());
                }
            }
            let (key, bytes) = writer.finish().unwrap();
            let mut reader = ChunkReader::new(0, key, &bytes).unwrap();
            for (n, (hash, list)) in lists.iter().enumerate() {
                prop_assert_eq!(reader.hash(), Some(*hash));
                if n % 2 == 0 {
                    reader.skip().unwrap();
                } else {
                    let mut found = Vec::new();
                    reader.read(&mut found).unwrap();
                    prop_assert_eq!(found, list.iter().copied().collect::<Vec<_>>());
                }
            }
            prop_assert_eq!(reader.hash(), None);
        }

        #[test]
        fn a_list_is_read_as_far_as_it_is_wanted(list in prop::collection::btree_set(1..9000_u64, 1..99), last in 0..9999_u64) {
            let mut writer = ChunkWriter::new(0);
            for sequence in &list {
                assert!(writer.push((7, *sequence)).is_none());
            }
            let (key, bytes) = writer.finish().unwrap();
            let mut found = Vec::new();
            ChunkReader::new(0, key, &bytes).unwrap().read_up_to(last, &mut found).unwrap();
            prop_assert_eq!(found, list.into_iter().filter(|one| *one <= last).collect::<Vec<_>>());
        }

        #[test]
        fn no_bytes_make_a_reader_panic(bytes in any::<Vec<u8>>(), key: Posting, base: u64) {
            let reader = || ChunkReader::new(base, key, &bytes).ok();
            if let Some(mut reader) = reader() {
                while reader.hash().is_some() && reader.read(&mut Vec::new()).is_ok() {}
            }
            if let Some(mut reader) = reader() {
                while reader.hash().is_some() && reader.skip().is_ok() {}
            }
        }
    }
}
