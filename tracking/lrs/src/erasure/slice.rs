//! Erasing bodies: the text and its salt go, the entry with the body's hash stays, so the chain stays valid and the hash
//! says nothing. What lay in the file's free pages and in the journal goes when they are written over.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError};

use lectern_store::Error as StoreError;

use crate::error::Error;
use crate::log::block::{Block, encode};
use crate::log::{self, BLOCKS, Line, Packed};
use crate::lrs::Lrs;

/// Blocks written anew in one commit.
const SLICE: usize = 256;

impl Lrs {
    /// Erases the bodies of these entries; how many there were. Blocks.
    ///
    /// # Errors
    /// [`Error::Store`]; also when a block is not what was stored: then it is left as it is.
    pub fn erase(&self, sequences: &BTreeSet<u64>) -> Result<u64, Error> {
        self.settle();
        let core = self.core();
        // Whoever writes blocks waits.
        let mut open = core.open.lock().unwrap_or_else(PoisonError::into_inner);
        let snapshot = self.store().snapshot()?;
        let mut blocks = BTreeMap::<u64, Block>::new();
        for sequence in sequences {
            let known = blocks.range(..=sequence).next_back();
            if known.is_none_or(|(_, block)| block.end() < *sequence)
                && let Some(block) = log::block_of(&snapshot, *sequence)?
            {
                blocks.insert(block.first(), block);
            }
        }
        drop(snapshot);
        let mut erased = 0;
        let mut written = Vec::new();
        for (first, block) in blocks {
            let mut lines = block.lines();
            if lines.last().is_none_or(|last| last.link != block.last) {
                return Err(Error::Store(StoreError::Corrupt {
                    table: BLOCKS.name().to_owned(),
                    detail: format!("block {first} is not what was stored"),
                }));
            }
            for line in &mut lines {
                if sequences.contains(&line.entry.sequence) && line.body.take().is_some() {
                    erased += 1;
                }
            }
            for line in &lines {
                let place = open
                    .lines
                    .iter()
                    .position(|kept: &Arc<Line>| kept.entry.sequence == line.entry.sequence);
                if let Some(kept) = place.and_then(|place| open.lines.get_mut(place)) {
                    *kept = Arc::new(line.clone());
                }
            }
            written.push((first, Packed(encode(&block.previous, lines.iter()))));
        }
        for slice in written.chunks(SLICE) {
            let slice = slice.to_vec();
            self.store().write_making_room(move |tx| {
                for (first, packed) in &slice {
                    tx.insert(&BLOCKS, first, packed)?;
                }
                Ok::<_, Error>(())
            })?;
        }
        Ok(erased)
    }
}
