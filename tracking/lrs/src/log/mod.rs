//! The log as it lies in the tables: blocks of entries with their bodies, in order, each block chained to the one before.
//!
//! Keyed by the number of its first entry. A block is about one page of the file (4 KiB); the last one is written anew
//! while it fills.

pub(crate) mod block;
pub(crate) mod pack;

use lectern_store::{Corrupt, Error, Record, Snapshot, Table};

use crate::body::Body;
use crate::entry::{Entry, Hash};
use block::Block;

/// Number of the first entry to block.
pub(crate) const BLOCKS: Table<u64, Packed> = Table::new("lrs.blocks");

/// A block as it lies in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Packed(pub Vec<u8>);

impl Record for Packed {
    fn encode(&self) -> Vec<u8> {
        self.0.clone()
    }
    fn decode(bytes: &[u8]) -> Result<Self, Corrupt> {
        Ok(Self(bytes.to_vec()))
    }
}

/// One entry with its body and its link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    pub entry: Entry,
    /// `None` when it was erased.
    pub body: Option<Body>,
    pub body_hash: Hash,
    pub link: Hash,
}

/// The block that holds `sequence`, if there is one.
pub(crate) fn block_of(snapshot: &Snapshot, sequence: u64) -> Result<Option<Block>, Error> {
    let row = snapshot.range(&BLOCKS, ..=sequence)?.next_back();
    let Some((first, packed)) = row.transpose()? else {
        return Ok(None);
    };
    let block = decode(first, &packed)?;
    Ok((sequence <= block.end()).then_some(block))
}

/// The last block.
pub(crate) fn last_block(snapshot: &Snapshot) -> Result<Option<Block>, Error> {
    let row = snapshot.range(&BLOCKS, ..)?.next_back().transpose()?;
    row.map(|(first, packed)| decode(first, &packed))
        .transpose()
}

pub(crate) fn decode(first: u64, packed: &Packed) -> Result<Block, Error> {
    Block::decode(first, &packed.0).map_err(|Corrupt(detail)| Error::Corrupt {
        table: BLOCKS.name().to_owned(),
        detail: format!("block {first}: {detail}"),
    })
}
