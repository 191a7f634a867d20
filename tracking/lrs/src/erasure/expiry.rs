//! Erasing by age: what was stored before a day, of everybody or of some.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::sync::PoisonError;

use jiff::Timestamp;
use lectern_store::{Table, Tx};
use lectern_xapi::Ifi;

use super::record::{Erasures, remove_attachments};
use super::{each, slice};
use crate::error::Error;
use crate::index::{Term, clean};
use crate::pull;
use crate::view::View;

/// Up to which sequence number everything was erased by age.
const THROUGH: Table<(), u64> = Table::new("lrs.expiry.through");
/// What was erased behind that.
const ERASED: Table<u64, ()> = Table::new("lrs.expiry.erased");

/// Whether the journal may still have the text of something that was erased.
const JOURNALED: Table<(), ()> = Table::new("lrs.expiry.journaled");

/// Statements looked at in one go.
const STEP: u64 = 512;

/// What is too old.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Cutoffs {
    /// Every statement that was stored at this time or before.
    pub all: Option<Timestamp>,
    /// What certain people did that was stored at this time or before; a set of [`lectern_xapi::Ifi::key`] for each. What
    /// others did to them or say of them stays.
    pub of: Option<(Timestamp, Vec<BTreeSet<String>>)>,
}

/// What would be erased.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Expiring {
    /// How many statements.
    pub statements: u64,
    /// When the first of them was stored.
    pub oldest: Option<Timestamp>,
}

impl Erasures {
    /// What is too old. Blocks for as long as reading the statements of the people in question takes.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub fn expiring(&self, cutoffs: &Cutoffs) -> Result<Expiring, Error> {
        let lrs = &self.lrs;
        lrs.settle();
        let view = lrs.view()?;
        let from = view.snapshot().get(&THROUGH, &())?.unwrap_or(0);
        let through = up_to(&view, cutoffs.all)?.max(from);
        let erased = view.snapshot().range(&ERASED, from + 1..=through)?.count() as u64;
        let mut found = Expiring {
            statements: through - from - erased,
            oldest: None,
        };
        for sequence in from + 1..=through {
            if !view.snapshot().contains(&ERASED, &sequence)? {
                found.oldest = view.entry(sequence)?.map(|entry| entry.stored);
                break;
            }
        }
        let mut others = BTreeSet::new();
        if let Some((before, people)) = &cutoffs.of {
            let last = up_to(&view, Some(*before))?;
            for who in people {
                let found = deeds_of(&view, who, last)?;
                others.extend(found.into_iter().filter(|sequence| *sequence > through));
            }
        }
        found.statements += others.len() as u64;
        if let (None, Some(first)) = (found.oldest, others.first()) {
            found.oldest = view.entry(*first)?.map(|entry| entry.stored);
        }
        Ok(found)
    }

    /// Erases what is too old: how many statements, and whether that was all. It was not when `goes_on`, asked between two
    /// slices, said no. Blocks.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub fn expire(
        &self,
        cutoffs: &Cutoffs,
        goes_on: &mut dyn FnMut() -> bool,
    ) -> Result<(u64, bool), Error> {
        let lrs = &self.lrs;
        let core = lrs.core_arc();
        // Nobody's erasure waits for all of it.
        let turn = || core.erasing.lock().unwrap_or_else(PoisonError::into_inner);
        lrs.settle();
        let mut erased = 0;
        let mut from = lrs.store().snapshot()?.get(&THROUGH, &())?.unwrap_or(0);
        let through = up_to(&lrs.view()?, cutoffs.all)?;
        while from < through {
            let to = (from + STEP).min(through);
            {
                let _turn = turn();
                erased += self.erase_step(&(from + 1..=to).collect())?;
                lrs.store().write_making_room(move |tx| advance(tx, to))?;
            }
            from = to;
            if !goes_on() {
                return Ok((erased, false));
            }
        }
        if let Some((before, people)) = &cutoffs.of {
            for who in people {
                let view = lrs.view()?;
                let last = up_to(&view, Some(*before))?;
                let mut found = deeds_of(&view, who, last)?;
                drop(view);
                while let Some(end) = found.iter().nth(STEP as usize - 1).or(found.last()) {
                    let rest = found.split_off(&(end + 1));
                    {
                        let _turn = turn();
                        erased += self.erase_step(&found)?;
                    }
                    found = rest;
                    if !goes_on() {
                        return Ok((erased, false));
                    }
                }
            }
        }
        if let Some(before) = cutoffs.all {
            lrs.store()
                .write_making_room(move |tx| pull::forget_before(tx, before))?;
        }
        let _turn = turn();
        if !clean::clean(&core, goes_on)? {
            return Ok((erased, false));
        }
        remove_attachments(lrs, None)?;
        if lrs.store().snapshot()?.contains(&JOURNALED, &())? {
            lrs.scrub()?;
            lrs.store().write_making_room(|tx| {
                tx.remove(&JOURNALED, &()).map(drop).map_err(Error::from)
            })?;
        }
        Ok((erased, true))
    }

    /// Erases some, after it was written down that the journal may have their texts.
    fn erase_step(&self, sequences: &BTreeSet<u64>) -> Result<u64, Error> {
        let store = self.lrs.store();
        if !store.snapshot()?.contains(&JOURNALED, &())? {
            store.write_making_room(|tx| {
                tx.insert(&JOURNALED, &(), &())
                    .map(drop)
                    .map_err(Error::from)
            })?;
        }
        slice::erase(&self.lrs, sequences, None, &mut || true)
    }
}

/// What these did, alone or as a Group that has one of these identifiers itself, up to `through`.
fn deeds_of(view: &View, who: &BTreeSet<String>, through: u64) -> Result<BTreeSet<u64>, Error> {
    let terms: Vec<Term<'_>> = who.iter().map(|key| Term::Agent(key.into())).collect();
    let mut found = BTreeSet::new();
    each(view, &[&terms], true, &mut |entry, statement| {
        if entry.sequence > through {
            return Ok(ControlFlow::Break(()));
        }
        let actor = statement.actor.ifi().map(Ifi::key);
        if actor.is_some_and(|actor| who.contains(&actor)) {
            found.insert(entry.sequence);
        }
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(found)
}

/// Notes what was erased, for counting.
pub(super) fn note(tx: &Tx<'_>, erased: &BTreeSet<u64>) -> Result<(), Error> {
    for sequence in erased {
        tx.insert(&ERASED, sequence, &())?;
    }
    Ok(())
}

fn advance(tx: &Tx<'_>, to: u64) -> Result<(), Error> {
    let rows = tx.range(&ERASED, ..=to)?;
    let counted: Vec<u64> = rows
        .map(|row| row.map(|(sequence, ())| sequence))
        .collect::<Result<_, _>>()?;
    for sequence in &counted {
        tx.remove(&ERASED, sequence)?;
    }
    tx.insert(&THROUGH, &(), &to)?;
    Ok(())
}

fn up_to(view: &View, time: Option<Timestamp>) -> Result<u64, Error> {
    Ok(match time {
        Some(time) => view.up_to(time)?,
        None => 0,
    })
}
