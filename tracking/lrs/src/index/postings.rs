//! Walks the postings under some hashes as one list, from a sequence number on, up or down.

use super::Kind;
use super::runs;
use crate::error::Error;
use crate::references;
use crate::view::View;

/// What is found under one of some hashes.
pub(crate) struct Postings {
    lists: Vec<List>,
    ascending: bool,
}

/// Under one hash.
struct List {
    hash: u64,
    /// Of the newest statements.
    newest: Vec<u64>,
    /// Whether there are postings that were handed on ([`crate::references`]).
    has_late: bool,
    /// The part of a run looked at last, and which run.
    part: Vec<u64>,
    part_of: usize,
    /// The last place sought from, and what was found in runs from there on: true until one seeks past it.
    last: Option<(u64, Option<u64>)>,
}

impl Postings {
    pub fn new(view: &View, hashes: &[u64], ascending: bool) -> Result<Self, Error> {
        let mut lists = Vec::with_capacity(hashes.len());
        for hash in hashes {
            let mut newest = Vec::new();
            view.newest(Kind::Postings, *hash, &mut newest);
            lists.push(List {
                hash: *hash,
                newest,
                has_late: references::has_late(view.snapshot(), *hash)?,
                part: Vec::new(),
                part_of: usize::MAX,
                last: None,
            });
        }
        Ok(Self { lists, ascending })
    }

    /// The nearest sequence number from `at` on, `at` included, that lies under one of the hashes. Each `at` lies where the
    /// one before did, or further on.
    pub fn seek(&mut self, view: &View, at: u64) -> Result<Option<u64>, Error> {
        let mut best = None;
        for list in &mut self.lists {
            let found = list.seek(view, at, self.ascending)?;
            best = nearer(best, found, self.ascending);
        }
        Ok(best)
    }
}

impl List {
    fn seek(&mut self, view: &View, at: u64, ascending: bool) -> Result<Option<u64>, Error> {
        let late = match self.has_late {
            true => references::late(view.snapshot(), self.hash, at, ascending)?,
            false => None,
        };
        let newest = nearest(&self.newest, at, ascending);
        let has_passed = if ascending {
            at > view.runs_end()?
        } else {
            newest.is_some()
        };
        let old = if has_passed {
            None
        } else {
            self.in_runs_or_known(view, at, ascending)?
        };
        Ok(nearer(nearer(late, newest, ascending), old, ascending))
    }

    fn in_runs_or_known(
        &mut self,
        view: &View,
        at: u64,
        ascending: bool,
    ) -> Result<Option<u64>, Error> {
        if let Some((from, found)) = self.last {
            let is_ahead = |a: u64, b: u64| if ascending { a <= b } else { a >= b };
            if is_ahead(from, at) && found.is_none_or(|found| is_ahead(at, found)) {
                return Ok(found);
            }
        }
        let found = self.in_runs(view, at, ascending)?;
        self.last = Some((at, found));
        Ok(found)
    }

    fn in_runs(&mut self, view: &View, at: u64, ascending: bool) -> Result<Option<u64>, Error> {
        let runs = view.runs()?;
        // The first run that ends at `at` or behind it; the one to begin with.
        let place = runs.partition_point(|one| one.end(view.run()) < at);
        let order: Box<dyn Iterator<Item = usize>> = if ascending {
            Box::new(place..runs.len())
        } else {
            Box::new((0..runs.len().min(place + 1)).rev())
        };
        for index in order {
            // What was read last most often has the next one, too; it must reach past `at` to say so.
            if self.part_of == index {
                let reaches = match (self.part.first(), self.part.last()) {
                    (Some(first), Some(last)) if ascending => {
                        (*first <= at && at <= *last).then_some(())
                    }
                    (Some(first), Some(_)) => (*first <= at).then_some(()),
                    _ => None,
                };
                if reaches.is_some() {
                    return Ok(nearest(&self.part, at, ascending));
                }
            }
            let one = runs[index];
            self.part = runs::list(
                view.snapshot(),
                Kind::Postings,
                one,
                view.run(),
                (self.hash, at),
                ascending,
            )?;
            self.part_of = index;
            if let Some(found) = nearest(&self.part, at, ascending) {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }
}

fn nearest(list: &[u64], at: u64, ascending: bool) -> Option<u64> {
    if ascending {
        list.get(list.partition_point(|one| *one < at)).copied()
    } else {
        let end = list.partition_point(|one| *one <= at);
        end.checked_sub(1).and_then(|last| list.get(last)).copied()
    }
}

fn nearer(a: Option<u64>, b: Option<u64>, ascending: bool) -> Option<u64> {
    match (a, b) {
        (Some(a), Some(b)) => Some(if ascending { a.min(b) } else { a.max(b) }),
        (a, b) => a.or(b),
    }
}
