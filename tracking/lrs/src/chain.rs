//! The chain of entries alone, without its heads: what tests of the log and their kind ask.

use crate::error::Error;
use crate::evidence::{Trust, Verifier, walk};
use crate::lrs::Lrs;

/// What a walk over the whole log found.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize)]
pub struct Verification {
    /// Entries walked, with the one that does not fit.
    pub entries: u64,
    /// Entries whose body is erased.
    pub erased: u64,
    /// The first entry that does not fit, and why.
    pub broken: Option<(u64, String)>,
}

impl Lrs {
    /// Walks the whole log. Blocks for as long as that takes. [`crate::evidence`] looks at the signed heads as well.
    ///
    /// # Errors
    /// [`Error::Store`]; what does not fit is in the answer.
    pub fn verify_chain(&self) -> Result<Verification, Error> {
        let mut found = Verification::default();
        let Ok(mut verifier) = Verifier::new(Vec::new(), &Trust::default()) else {
            return Ok(found);
        };
        let walked = walk(self, 1, |entry| {
            if found.broken.is_none() {
                found.entries += 1;
                if let Err(unfinished) = verifier.entry(&entry) {
                    let record = unfinished.broken.record().unwrap_or(entry.sequence);
                    found.broken = Some((record, unfinished.broken.to_string()));
                }
            }
            Ok::<_, Error>(())
        });
        match walked {
            // What cannot be read is not what was stored.
            Err(Error::Store(lectern_store::Error::Corrupt { detail, .. })) => {
                let next = found.entries + 1;
                found.broken.get_or_insert((next, detail));
            }
            other => other?,
        }
        found.erased = verifier.report().erased;
        Ok(found)
    }
}
