//! Counters of 128 seconds of a video in one record: small enough to rewrite for one segment, large enough that an hour
//! is read in 29 records. Written by the fold, read by `read`.

use crate::wire::{Reader, Writer};
use lectern_store::Corrupt;

/// Seconds in a chunk.
pub const SECONDS: u32 = 128;

/// What is counted of one second.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Passes seen.
    pub views: u32,
    /// Distinct actors among them.
    pub viewers: u32,
    /// Passes that went by hidden.
    pub hidden_views: u32,
}

/// 128 seconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chunk(pub Vec<Counts>);

impl Default for Chunk {
    fn default() -> Self {
        Self(vec![Counts::default(); SECONDS as usize])
    }
}

impl lectern_store::Record for Chunk {
    fn encode(&self) -> Vec<u8> {
        let mut out = Writer::new();
        for second in &self.0 {
            out.number(u64::from(second.views));
            out.number(u64::from(second.viewers));
            out.number(u64::from(second.hidden_views));
        }
        out.finish()
    }

    fn decode(bytes: &[u8]) -> Result<Self, Corrupt> {
        let mut from = Reader::new(bytes)?;
        let mut chunk = Self::default();
        for second in &mut chunk.0 {
            *second = Counts {
                views: from.small()?,
                viewers: from.small()?,
                hidden_views: from.small()?,
            };
        }
        Ok(chunk)
    }
}
