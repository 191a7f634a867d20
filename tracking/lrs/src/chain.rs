//! Walks the chain of entries: each names the hash of the one before, and its body's. A body that was erased breaks
//! nothing; a body that is there must fit.

use std::collections::BTreeSet;

use crate::body::{AUTHORITIES, authority_number};
use crate::error::Error;
use crate::log::{self, BLOCKS};
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
    /// Walks the whole log, as far as it is in the tables. Blocks for as long as that takes.
    ///
    /// # Errors
    /// [`Error::Store`]; what does not fit is in the answer.
    pub fn verify_chain(&self) -> Result<Verification, Error> {
        self.settle();
        let snapshot = self.store().snapshot()?;
        let mut found = Verification::default();
        let mut authorities = BTreeSet::new();
        let (mut previous, mut stored) = ([0; 32], None);
        for row in snapshot.range(&BLOCKS, ..)? {
            let (first, packed) = row?;
            let next = found.entries + 1;
            let mut fail = |sequence, why: &str| {
                found.broken = Some((sequence, why.to_owned()));
            };
            if first != next {
                fail(next, "it is missing");
                return Ok(found);
            }
            let block = match log::decode(first, &packed) {
                Ok(block) => block,
                Err(error) => {
                    fail(next, &format!("it cannot be read: {error}"));
                    return Ok(found);
                }
            };
            if block.previous != previous {
                fail(next, "it does not name the one before");
                return Ok(found);
            }
            for line in block.lines() {
                let sequence = line.entry.sequence;
                if stored.is_some_and(|stored| line.entry.stored <= stored) {
                    fail(sequence, "it was not stored after the one before");
                    return Ok(found);
                }
                match &line.body {
                    None => found.erased += 1,
                    Some(body) if !authorities.contains(&body.authority) => {
                        let known = snapshot.get(&AUTHORITIES, &body.authority)?;
                        if known.is_none_or(|json| authority_number(&json) != body.authority) {
                            fail(sequence, "its authority is not the one that vouched for it");
                            return Ok(found);
                        }
                        authorities.insert(body.authority);
                    }
                    Some(_) => {}
                }
                found.entries = sequence;
                stored = Some(line.entry.stored);
                previous = line.link;
            }
            if previous != block.last {
                found.broken = Some((
                    first,
                    format!("it, or one up to {}, is not what was stored", found.entries),
                ));
                return Ok(found);
            }
        }
        Ok(found)
    }
}
