//! The index of the newest statements, in memory: one run's worth before it is written.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::{PoisonError, RwLock};

use super::Kind;
use super::chunk::Posting;

/// Hash to sequence numbers, less the segment's base, in order.
type Lists = HashMap<u64, Vec<u32>>;

/// What will be one run.
pub(crate) struct Segment {
    /// The number of the run.
    pub number: u64,
    /// The sequence number before its first.
    base: u64,
    lists: RwLock<[Lists; 2]>,
}

impl Segment {
    pub fn new(number: u64, run: u64) -> Self {
        Self {
            number,
            base: number * run,
            lists: RwLock::default(),
        }
    }

    /// Adds one statement; they come in order.
    pub fn add(&self, sequence: u64, id: u64, terms: &[u64]) {
        let offset = u32::try_from(sequence - self.base).unwrap_or(u32::MAX);
        let mut lists = self.lists.write().unwrap_or_else(PoisonError::into_inner);
        let [ids, postings] = &mut *lists;
        ids.entry(id).or_default().push(offset);
        for term in terms {
            postings.entry(*term).or_default().push(offset);
        }
    }

    /// The sequence numbers under a hash up to `head`, appended in order.
    pub fn list(&self, kind: Kind, hash: u64, head: u64, into: &mut Vec<u64>) {
        let lists = self.lists.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(list) = lists[kind as usize].get(&hash) {
            let sequences = list.iter().map(|offset| self.base + u64::from(*offset));
            into.extend(sequences.take_while(|sequence| *sequence <= head));
        }
    }

    /// Whether anything lies under the hash of an id.
    pub fn may_have_id(&self, hash: u64) -> bool {
        let lists = self.lists.read().unwrap_or_else(PoisonError::into_inner);
        lists[Kind::Ids as usize].contains_key(&hash)
    }

    /// Drops the postings of erased statements; their ids stay.
    pub fn forget(&self, erased: &BTreeSet<u64>) {
        let offsets: HashSet<u32> = erased
            .iter()
            .filter_map(|sequence| u32::try_from(sequence.checked_sub(self.base)?).ok())
            .collect();
        let mut lists = self.lists.write().unwrap_or_else(PoisonError::into_inner);
        lists[Kind::Postings as usize].retain(|_, list| {
            list.retain(|offset| !offsets.contains(offset));
            !list.is_empty()
        });
    }

    /// All its pairs in order.
    pub fn sorted(&self, kind: Kind) -> Vec<Posting> {
        let lists = self.lists.read().unwrap_or_else(PoisonError::into_inner);
        let lists = &lists[kind as usize];
        let mut pairs: Vec<Posting> = Vec::with_capacity(lists.len() * 2);
        for (hash, list) in lists {
            pairs.extend(
                list.iter()
                    .map(|offset| (*hash, self.base + u64::from(*offset))),
            );
        }
        pairs.sort_unstable();
        pairs
    }
}
