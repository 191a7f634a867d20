//! Who was erased here and cannot come back: statements and documents of such an account are refused, as from a device's
//! queue that is late, or from a record store that sends back what it once got.
//!
//! Only accounts that this box gave out itself are listed: they are random and never used again, so the list says nothing
//! about anybody. A mail address is no such name; its owner may return.

use std::collections::HashSet;

use lectern_store::{Error, Snapshot, Table};
use lectern_xapi::Statement;

use crate::index::{Term, terms};

/// [`lectern_xapi::Ifi::key`] of accounts.
pub(crate) const REFUSED: Table<String, ()> = Table::new("lrs.erasures.refused");

/// In memory.
#[derive(Default)]
pub(crate) struct Refused {
    keys: HashSet<String>,
    /// Of the terms that they are found by.
    hashes: HashSet<u64>,
}

impl Refused {
    pub fn read(snapshot: &Snapshot) -> Result<Self, Error> {
        let mut refused = Self::default();
        for row in snapshot.range(&REFUSED, ..)? {
            let (key, ()) = row?;
            for term in [
                Term::Agent(key.as_str().into()),
                Term::RelatedAgent(key.as_str().into()),
            ] {
                refused.hashes.insert(term.hash());
            }
            refused.keys.insert(key);
        }
        Ok(refused)
    }

    /// Whether a statement names one of them. `hashes` are those of all its terms.
    pub fn concerns(&self, hashes: &[u64], statement: &Statement) -> bool {
        !self.hashes.is_empty()
            && hashes.iter().any(|hash| self.hashes.contains(hash))
            && terms(statement).iter().any(|term| match term {
                Term::Agent(key) | Term::RelatedAgent(key) => self.keys.contains(key.as_ref()),
                _ => false,
            })
    }
}
