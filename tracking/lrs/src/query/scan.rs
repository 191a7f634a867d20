//! Finds the statements that may match, newest or oldest first: the postings of all filters are walked together, each
//! jumping over what another rules out, so that the rarest filter decides the work.

use jiff::Timestamp;
use lectern_store::Snapshot;
use lectern_xapi::Statement;

use super::parameters::{Query, Wanted};
use crate::body::Read;
use crate::entry::{Entry, LOG};
use crate::error::Error;
use crate::index::{MAX_REFERENCES, POSTINGS, Term, reference, terms};

/// A walk over candidates.
pub(super) struct Scan<'s> {
    snapshot: &'s Snapshot,
    /// All must hold; each holds when one of its terms does.
    groups: Vec<Vec<Term>>,
    /// The hashes of the groups' terms, and of the caller's own credential.
    postings: Vec<Vec<u64>>,
    mine: Option<&'s str>,
    ascending: bool,
    /// What is left, inclusive; empty when the first is the larger.
    low: u64,
    high: u64,
}

impl<'s> Scan<'s> {
    pub fn new(
        snapshot: &'s Snapshot,
        query: &Query,
        mine: Option<&'s str>,
    ) -> Result<Self, Error> {
        let mut scan = Self {
            snapshot,
            groups: Vec::new(),
            postings: Vec::new(),
            mine,
            ascending: query.ascending,
            low: 1,
            high: newest(snapshot)?,
        };
        if let Wanted::Many(filter) = &query.wanted {
            if let Some(agent) = &filter.agent {
                let mut group = vec![Term::Agent(agent.clone())];
                if filter.related_agents {
                    group.push(Term::RelatedAgent(agent.clone()));
                }
                scan.groups.push(group);
            }
            if let Some(activity) = &filter.activity {
                let mut group = vec![Term::Activity(activity.clone())];
                if filter.related_activities {
                    group.push(Term::RelatedActivity(activity.clone()));
                }
                scan.groups.push(group);
            }
            scan.groups.extend(
                filter
                    .verb
                    .iter()
                    .map(|verb| vec![Term::Verb(verb.clone())]),
            );
            scan.groups.extend(
                filter
                    .registration
                    .iter()
                    .map(|id| vec![Term::Registration(*id)]),
            );
            if let Some(since) = filter.since {
                scan.low = scan.low.max(up_to(snapshot, since, scan.high)? + 1);
            }
            if let Some(until) = filter.until {
                scan.high = up_to(snapshot, until, scan.high)?;
            }
        }
        scan.postings = scan
            .groups
            .iter()
            .map(|group| group.iter().map(Term::hash).collect())
            .collect();
        scan.postings
            .extend(mine.map(|credential| vec![Term::Credential(credential.to_owned()).hash()]));
        match query.cursor {
            Some(cursor) if query.ascending => scan.low = scan.low.max(cursor),
            Some(cursor) => scan.high = scan.high.min(cursor),
            None => {}
        }
        Ok(scan)
    }

    /// The next sequence number that may match; the same one until [`Self::step`] goes past it.
    pub fn candidate(&mut self) -> Result<Option<u64>, Error> {
        loop {
            if self.low > self.high {
                return Ok(None);
            }
            let at = if self.ascending { self.low } else { self.high };
            let mut nearest = at;
            for hashes in &self.postings {
                let Some(found) = self.seek(hashes, nearest)? else {
                    self.low = self.high.saturating_add(1);
                    return Ok(None);
                };
                nearest = found;
            }
            if nearest == at {
                return Ok(Some(at));
            }
            if self.ascending {
                self.low = nearest;
            } else {
                self.high = nearest;
            }
            // One list alone has been asked already.
            if self.postings.len() == 1 {
                return Ok(Some(nearest));
            }
        }
    }

    /// Goes past a candidate.
    pub fn step(&mut self, sequence: u64) {
        if self.ascending {
            self.low = sequence + 1;
        } else if sequence == 0 {
            self.low = 1;
        } else {
            self.high = sequence - 1;
        }
    }

    /// Whether the candidate, or a statement that it refers to, does match: hashes only proposed it.
    pub fn matches(&self, entry: &Entry) -> Result<bool, Error> {
        if self
            .mine
            .is_some_and(|credential| credential != entry.credential)
        {
            return Ok(false);
        }
        if self.groups.is_empty() {
            return Ok(true);
        }
        let mut sequence = entry.sequence;
        for _ in 0..MAX_REFERENCES {
            let Some(statement) = self.snapshot.statement(sequence)? else {
                return Ok(false);
            };
            if self.is_met(&statement) {
                return Ok(true);
            }
            let Some(target) = reference(&statement) else {
                return Ok(false);
            };
            let Some(next) = self.snapshot.sequence_of(target)? else {
                return Ok(false);
            };
            sequence = next;
        }
        Ok(false)
    }

    fn is_met(&self, statement: &Statement) -> bool {
        let has = terms(statement);
        self.groups
            .iter()
            .all(|group| group.iter().any(|term| has.contains(term)))
    }

    /// The nearest sequence number from `at` on, `at` included, that has one of the postings.
    fn seek(&self, hashes: &[u64], at: u64) -> Result<Option<u64>, Error> {
        let mut best: Option<u64> = None;
        for hash in hashes {
            let row = if self.ascending {
                self.snapshot
                    .range(&POSTINGS, (*hash, at)..=(*hash, self.high))?
                    .next()
            } else {
                self.snapshot
                    .range(&POSTINGS, (*hash, self.low)..=(*hash, at))?
                    .next_back()
            };
            let Some(((_, found), ())) = row.transpose()? else {
                continue;
            };
            best = Some(match best {
                None => found,
                Some(best) if self.ascending => best.min(found),
                Some(best) => best.max(found),
            });
        }
        Ok(best)
    }
}

fn newest(snapshot: &Snapshot) -> Result<u64, Error> {
    let row = snapshot.range(&LOG, ..)?.next_back().transpose()?;
    Ok(row.map_or(0, |(sequence, _)| sequence))
}

/// The last sequence number up to `newest` that was stored at `time` or before; 0 when none was. `stored` rises with
/// the sequence, so halving finds it.
pub(crate) fn up_to(snapshot: &Snapshot, time: Timestamp, newest: u64) -> Result<u64, Error> {
    let (mut low, mut high) = (0, newest);
    while low < high {
        let middle = high - (high - low) / 2;
        let is_before = snapshot
            .entry(middle)?
            .is_some_and(|entry| entry.stored <= time);
        if is_before {
            low = middle;
        } else {
            high = middle - 1;
        }
    }
    Ok(low)
}
