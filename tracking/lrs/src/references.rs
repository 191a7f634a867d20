//! Statements that refer to statements, and what follows from it: filters reach through StatementRefs (Comm 2.1.3), and
//! a statement that was taken back is not served (Data 2.3.2). A fold.
//!
//! A statement gets the postings of what it refers to, in whichever order the two arrive: it takes over those of an
//! earlier one when it comes itself, and is handed those of a later one then.

use std::collections::BTreeSet;
use std::sync::{Arc, Weak};

use lectern_store::{Error, Snapshot, Table, Tx};
use lectern_xapi::Statement;
use uuid::Uuid;

use crate::core::Core;
use crate::entry::Entry;
use crate::erasure::Erased;
use crate::fold::Fold;
use crate::index::{Term, reference, terms};
use crate::view::View;

/// (Hash of a [`Term`], sequence number): postings that were handed on.
const LATE: Table<(u64, u64), ()> = Table::new("lrs.references.postings");
/// (Id referred to by an object, sequence number of the referrer).
const REFERRERS: Table<(Uuid, u64), ()> = Table::new("lrs.references.referrers");
/// Id of a statement that is to be taken back, arrived or not, to the sequence number of the first voiding one.
const VOIDED: Table<Uuid, u64> = Table::new("lrs.references.voided");
/// Ids of statements that were taken back by one that was erased since. No part of the fold: nothing in the log says so.
const HIDDEN: Table<Uuid, ()> = Table::new("lrs.references.hidden");

/// How far a chain of StatementRefs is followed.
pub(crate) const MAX_REFERENCES: usize = 32;

/// The fold.
pub(crate) struct References(pub Weak<Core>);

impl Fold for References {
    fn name(&self) -> &'static str {
        "lrs.references.1"
    }

    fn apply(&self, tx: &Tx<'_>, entry: &Entry, statement: &Statement) -> Result<(), Error> {
        let target = reference(statement);
        if target.is_none() && (tx.is_empty(&REFERRERS)? || !is_awaited(tx, entry.id)?) {
            return Ok(());
        }
        let Some(core) = self.0.upgrade() else {
            return Err(Error::Closed);
        };
        let view = View::new(&core)?;
        let mut found_by = hashes(&terms(statement));
        if let Some(target) = target {
            tx.insert(&REFERRERS, &(target, entry.sequence), &())?;
            if statement.voids().is_some() && !tx.contains(&VOIDED, &target)? {
                tx.insert(&VOIDED, &target, &entry.sequence)?;
            }
            let taken_over = inherited(&view, target, entry.sequence)?;
            let own = found_by.clone();
            for hash in taken_over.difference(&own) {
                tx.insert(&LATE, &(*hash, entry.sequence), &())?;
            }
            found_by.extend(taken_over);
        }
        hand_on(tx, &view, entry, &found_by)
    }

    fn forget(&self, tx: &Tx<'_>, erased: &Erased<'_>) -> Result<(), Error> {
        if tx.is_empty(&REFERRERS)? {
            return Ok(());
        }
        let view = erased.view();
        // First what was handed on along chains that have one of them, while who refers to whom is still known.
        for referrer in chained_to(tx, view, erased)? {
            let before = handed_on(view, referrer, &|_| false)?;
            let after = handed_on(view, referrer, &|sequence| erased.is_gone(sequence))?;
            for hash in before.difference(&after) {
                tx.remove(&LATE, &(*hash, referrer))?;
            }
        }
        for (entry, statement) in erased.statements() {
            // It needs no hiding any more.
            tx.remove(&HIDDEN, &entry.id)?;
            let Some(target) = reference(statement) else {
                continue;
            };
            tx.remove(&REFERRERS, &(target, entry.sequence))?;
            if statement.voids().is_some() {
                self.forget_voiding(tx, erased, target, entry.sequence)?;
            }
        }
        Ok(())
    }

    fn clear(&self, tx: &Tx<'_>) -> Result<(), Error> {
        tx.clear(&LATE)?;
        tx.clear(&REFERRERS)?;
        tx.clear(&VOIDED)
    }
}

impl References {
    /// What was taken back stays so when who took it back is erased.
    fn forget_voiding(
        &self,
        tx: &Tx<'_>,
        erased: &Erased<'_>,
        target: Uuid,
        sequence: u64,
    ) -> Result<(), Error> {
        let view = erased.view();
        let is_there = match view.sequence_of(target)? {
            Some(of) => !erased.is_gone(of) && view.body(of)?.is_some(),
            None => true,
        };
        if is_there {
            tx.insert(&HIDDEN, &target, &())?;
        }
        if tx.get(&VOIDED, &target)? != Some(sequence) {
            return Ok(());
        }
        let mut next = None;
        for row in tx.prefix(&REFERRERS, &target)? {
            let ((_, other), ()) = row?;
            let is_voiding = !erased.is_gone(other)
                && view
                    .statement(other)?
                    .is_some_and(|statement| statement.voids().is_some());
            if is_voiding {
                next = Some(other);
                break;
            }
        }
        match next {
            Some(next) => tx.insert(&VOIDED, &target, &next)?,
            None => tx.remove(&VOIDED, &target)?,
        };
        Ok(())
    }
}

/// Whether some statement may be voided by an earlier or later one: its id is on the list.
pub(crate) fn is_to_be_voided(snapshot: &Snapshot, id: Uuid) -> Result<bool, Error> {
    Ok(snapshot.contains(&VOIDED, &id)? || snapshot.contains(&HIDDEN, &id)?)
}

/// Statements that refer to erased ones, over others perhaps, and those of the erased ones that refer to something.
fn chained_to(tx: &Tx<'_>, view: &View, erased: &Erased<'_>) -> Result<BTreeSet<u64>, Error> {
    let mut found = BTreeSet::new();
    let mut ids = Vec::new();
    for (entry, statement) in erased.statements() {
        if reference(statement).is_some() {
            found.insert(entry.sequence);
        }
        ids.push(entry.id);
    }
    // What reaches a statement may have come over as many further ones.
    for _ in 0..2 * MAX_REFERENCES {
        let mut above = Vec::new();
        for id in ids {
            for row in tx.prefix(&REFERRERS, &id)? {
                let ((_, referrer), ()) = row?;
                if found.insert(referrer) {
                    above.extend(view.entry(referrer)?.map(|entry| entry.id));
                }
            }
        }
        if above.is_empty() {
            break;
        }
        ids = above;
    }
    Ok(found)
}

/// What [`LATE`] has of a statement when those that are `gone` never were: what it took over from earlier ones, and what
/// was handed on to it by each that came after all between.
fn handed_on(
    view: &View,
    sequence: u64,
    gone: &dyn Fn(u64) -> bool,
) -> Result<BTreeSet<u64>, Error> {
    let mut chain: Vec<(u64, BTreeSet<u64>)> = Vec::new();
    let mut next = Some(sequence);
    while let Some(at) = next.take().filter(|at| !gone(*at)) {
        let Some(statement) = view.statement(at)? else {
            break;
        };
        chain.push((at, hashes(&terms(&statement))));
        if chain.len() <= 2 * MAX_REFERENCES
            && let Some(target) = reference(&statement)
        {
            next = view.sequence_of(target)?;
        }
    }
    let taken_over = |from: usize| -> BTreeSet<u64> {
        let own = chain.get(from).map_or(0, |(at, _)| *at);
        let behind = chain.iter().skip(from + 1).take(MAX_REFERENCES);
        let earlier = behind.take_while(|(at, _)| *at < own);
        earlier
            .flat_map(|(_, hashes)| hashes.iter().copied())
            .collect()
    };
    let Some((_, own)) = chain.first() else {
        return Ok(BTreeSet::new());
    };
    let mut found: BTreeSet<u64> = taken_over(0).difference(own).copied().collect();
    let mut latest = sequence;
    for (place, (at, hashes)) in chain.iter().enumerate().skip(1).take(MAX_REFERENCES) {
        if *at > latest {
            latest = *at;
            found.extend(hashes);
            found.extend(taken_over(place));
        }
    }
    Ok(found)
}

/// Whether anything was handed on under `hash`.
pub(crate) fn has_late(snapshot: &Snapshot, hash: u64) -> Result<bool, Error> {
    Ok(snapshot.prefix(&LATE, &hash)?.next().transpose()?.is_some())
}

/// The nearest of what was handed on under `hash`, from `at` on, `at` included.
pub(crate) fn late(
    snapshot: &Snapshot,
    hash: u64,
    at: u64,
    ascending: bool,
) -> Result<Option<u64>, Error> {
    let row = if ascending {
        snapshot.range(&LATE, (hash, at)..=(hash, u64::MAX))?.next()
    } else {
        snapshot.range(&LATE, (hash, 0)..=(hash, at))?.next_back()
    };
    Ok(row.transpose()?.map(|((_, sequence), ())| sequence))
}

fn hashes(terms: &[Term<'_>]) -> BTreeSet<u64> {
    terms.iter().map(Term::hash).collect()
}

fn is_awaited(tx: &Tx<'_>, id: Uuid) -> Result<bool, Error> {
    Ok(tx.prefix(&REFERRERS, &id)?.next().transpose()?.is_some())
}

/// What a chain of references, beginning with `target`, can be found by. Only what lies before `sequence` in the log:
/// what comes later hands its terms on itself, so a fold built anew is the same to the byte.
fn inherited(view: &View, target: Uuid, sequence: u64) -> Result<BTreeSet<u64>, Error> {
    let mut found_by = BTreeSet::new();
    let mut next = Some(target);
    for _ in 0..MAX_REFERENCES {
        let Some(id) = next.take() else { break };
        let earlier = view.sequence_of(id)?.filter(|earlier| *earlier < sequence);
        let Some(earlier) = earlier else { break };
        let Some(statement) = view.statement(earlier)? else {
            break;
        };
        found_by.extend(hashes(&terms(&statement)));
        next = reference(&statement);
    }
    Ok(found_by)
}

/// Hands what a new statement is found by to those that referred to it before it came, and to those that refer to them.
fn hand_on(tx: &Tx<'_>, view: &View, entry: &Entry, hashes: &BTreeSet<u64>) -> Result<(), Error> {
    let mut ids = vec![entry.id];
    let mut seen = BTreeSet::from([entry.sequence]);
    for _ in 0..MAX_REFERENCES {
        let mut above = Vec::new();
        for id in ids {
            for row in tx.prefix(&REFERRERS, &id)? {
                let ((_, referrer), ()) = row?;
                if referrer < entry.sequence && seen.insert(referrer) {
                    above.push(referrer);
                }
            }
        }
        if above.is_empty() {
            break;
        }
        ids = Vec::with_capacity(above.len());
        for referrer in above {
            for hash in hashes {
                tx.insert(&LATE, &(*hash, referrer), &())?;
            }
            ids.extend(view.entry(referrer)?.map(|entry| entry.id));
        }
    }
    Ok(())
}

/// For the fold list.
pub(crate) fn fold(core: &Arc<Core>) -> Arc<dyn Fold> {
    Arc::new(References(Arc::downgrade(core)))
}
