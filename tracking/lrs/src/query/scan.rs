//! Finds the statements that may match, newest or oldest first: the postings of all filters are walked together, each
//! jumping over what another rules out, so that the rarest filter decides the work.

use lectern_xapi::Statement;

use super::parameters::{Query, Wanted};
use crate::entry::Entry;
use crate::error::Error;
use crate::index::postings::Postings;
use crate::index::{Term, reference, terms};
use crate::references::MAX_REFERENCES;
use crate::view::View;

/// A walk over candidates.
pub(super) struct Scan<'s> {
    view: &'s View,
    /// All must hold; each holds when one of its terms does.
    groups: Vec<Vec<Term<'s>>>,
    /// Of the groups' terms, and of the caller's own credential.
    postings: Vec<Postings>,
    mine: Option<&'s str>,
    ascending: bool,
    /// What is left, inclusive; empty when the first is the larger.
    low: u64,
    high: u64,
}

impl<'s> Scan<'s> {
    pub fn new(view: &'s View, query: &'s Query, mine: Option<&'s str>) -> Result<Self, Error> {
        let mut scan = Self {
            view,
            groups: Vec::new(),
            postings: Vec::new(),
            mine,
            ascending: query.ascending,
            low: 1,
            high: view.head(),
        };
        if let Wanted::Many(filter) = &query.wanted {
            if let Some(agent) = &filter.agent {
                let mut group = vec![Term::Agent(agent.into())];
                if filter.related_agents {
                    group.push(Term::RelatedAgent(agent.into()));
                }
                scan.groups.push(group);
            }
            if let Some(activity) = &filter.activity {
                let mut group = vec![Term::Activity(activity)];
                if filter.related_activities {
                    group.push(Term::RelatedActivity(activity));
                }
                scan.groups.push(group);
            }
            scan.groups
                .extend(filter.verb.iter().map(|verb| vec![Term::Verb(verb)]));
            scan.groups.extend(
                filter
                    .registration
                    .iter()
                    .map(|id| vec![Term::Registration(*id)]),
            );
            if let Some(since) = filter.since {
                scan.low = scan.low.max(view.up_to(since)? + 1);
            }
            if let Some(until) = filter.until {
                scan.high = view.up_to(until)?;
            }
        }
        let groups = scan.groups.iter();
        let mut hashes: Vec<Vec<u64>> = groups
            .map(|group| group.iter().map(Term::hash).collect())
            .collect();
        hashes.extend(mine.map(|credential| vec![Term::Credential(credential).hash()]));
        for hashes in &hashes {
            let postings = Postings::new(view, hashes, query.ascending)?;
            scan.postings.push(postings);
        }
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
            for postings in &mut self.postings {
                let found = postings.seek(self.view, nearest)?;
                let within = found.filter(|found| (self.low..=self.high).contains(found));
                let Some(found) = within else {
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

    /// Whether a candidate, or a statement that it refers to, does match: hashes only proposed it.
    pub fn matches(&self, statement: &Statement) -> Result<bool, Error> {
        let mut found = self.is_met(statement);
        let mut next = reference(statement);
        for _ in 1..MAX_REFERENCES {
            let Some(target) = next.filter(|_| !found) else {
                break;
            };
            let Some(sequence) = self.view.sequence_of(target)? else {
                break;
            };
            let Some(statement) = self.view.statement(sequence)? else {
                break;
            };
            found = self.is_met(&statement);
            next = reference(&statement);
        }
        Ok(found)
    }

    /// Whether every statement of this log that the caller may see matches.
    pub fn is_open(&self) -> bool {
        self.groups.is_empty()
    }

    /// Whether the caller may see it.
    pub fn may_see(&self, entry: &Entry) -> bool {
        self.mine
            .is_none_or(|credential| credential == entry.credential)
    }

    fn is_met(&self, statement: &Statement) -> bool {
        let has = terms(statement);
        self.groups
            .iter()
            .all(|group| group.iter().any(|term| has.contains(term)))
    }
}
