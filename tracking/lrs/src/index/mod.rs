//! The index: which statements may match a filter of `GET /statements` (Comm 2.1.3), and where an id is.
//!
//! Postings are pairs (hash, sequence number). Those of the newest statements are in memory only ([`segment`]), so that
//! storing one touches no page of the file. Whenever so many are together that a run is full, they are written as one:
//! sorted, in chunks of a page, side by side ([`runs`]); eight runs of a level become one of the next ([`merge`]). So a
//! posting is written a few times in its life, each time in order, and a term is looked up in some twenty places at ten
//! million statements. Where a run begins depends on sequence numbers alone: an index built anew has the same bytes.
//!
//! Ids lie in runs of their own beside the postings; a filter in memory ([`filter`]) says for most new ids that no run
//! has them.

pub(crate) mod chunk;
pub(crate) mod clean;
pub(crate) mod filter;
pub(crate) mod merge;
pub(crate) mod postings;
pub(crate) mod runs;
pub(crate) mod segment;
pub(crate) mod term;

pub(crate) use term::{Term, id_hash, reference, terms};

/// What lies in a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(crate) enum Kind {
    /// [`id_hash`] to sequence number.
    Ids = 0,
    /// [`Term::hash`] to sequence number.
    Postings = 1,
}

impl Kind {
    pub const ALL: [Self; 2] = [Self::Ids, Self::Postings];
}
