//! Walks the chain of entries: each names the hash of the one before, and its body's. A body that was erased breaks
//! nothing; a body that is there must fit.

use crate::body::Read;
use crate::entry::LOG;
use crate::error::Error;
use crate::lrs::Lrs;

/// What a walk over the whole log found.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize)]
pub struct Verification {
    /// Entries walked.
    pub entries: u64,
    /// Entries whose body is erased.
    pub erased: u64,
    /// The first entry that does not fit, and why.
    pub broken: Option<(u64, String)>,
}

impl Lrs {
    /// Walks the whole log. Blocks for as long as that takes.
    ///
    /// # Errors
    /// [`Error::Store`]; what does not fit is in the answer.
    pub fn verify_chain(&self) -> Result<Verification, Error> {
        let snapshot = self.store().snapshot()?;
        let mut found = Verification::default();
        let mut previous = [0; 32];
        let mut stored = None;
        for row in snapshot.range(&LOG, ..)? {
            let (sequence, entry) = row?;
            found.entries += 1;
            let fault = if sequence != found.entries || entry.sequence != sequence {
                Some("its number does not follow the one before")
            } else if entry.previous != previous {
                Some("it does not name the hash of the entry before")
            } else if stored.is_some_and(|stored| stored >= entry.stored) {
                Some("it was stored before the entry before")
            } else {
                match snapshot.body(sequence)? {
                    None => {
                        found.erased += 1;
                        None
                    }
                    Some(body) if body.hash() == entry.body_hash => None,
                    Some(_) => Some("its body is not the one that was received"),
                }
            };
            if let Some(fault) = fault {
                found.broken = Some((sequence, fault.to_owned()));
                return Ok(found);
            }
            previous = entry.hash();
            stored = Some(entry.stored);
        }
        Ok(found)
    }
}
