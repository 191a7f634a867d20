//! Erasing bodies: the text and its salt go, the entry with the body's hash stays, so the chain stays valid and the hash
//! says nothing. In the same transaction every fold forgets what those statements said.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};

use lectern_store::Error as StoreError;
use lectern_xapi::Statement;
use uuid::Uuid;

use super::find::Visit;
use super::{each, expiry, record};
use crate::entry::Entry;
use crate::error::Error;
use crate::forward;
use crate::index::Term;
use crate::index::clean::{self, DIRTY};
use crate::log::block::{Block, encode};
use crate::log::{self, BLOCKS, Line, Packed};
use crate::lrs::Lrs;
use crate::view::View;

/// Statements erased in one transaction: few enough that nobody waits long for the writer.
const SLICE: usize = 512;
/// Blocks written anew in one transaction at most.
const SLICE_BLOCKS: usize = 256;

/// What a fold is to forget.
pub struct Erased<'e> {
    statements: &'e [(Entry, Statement)],
    gone: &'e BTreeSet<u64>,
    /// As it was before.
    view: &'e View,
    /// The last statement that the folds have taken in.
    pub(crate) through: u64,
}

impl Erased<'_> {
    /// The statements, in order.
    pub fn statements(&self) -> &[(Entry, Statement)] {
        self.statements
    }

    /// What this actor's statements about this Activity are afterwards, in order: those that the fold had been given and
    /// that stay. `actor` is [`lectern_xapi::Ifi::key`]; it may be the object or a member of a Group, too.
    ///
    /// # Errors
    /// The store's own.
    pub fn left(&self, actor: &str, activity: &str) -> Result<Vec<(Entry, Statement)>, StoreError> {
        let groups: [&[Term<'_>]; 2] = [&[Term::Agent(actor.into())], &[Term::Activity(activity)]];
        let mut left = Vec::new();
        self.others(&groups, true, &mut |entry, statement| {
            left.push((entry.clone(), statement.clone()));
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(left)
    }

    /// Statements that stay and have a term of each group.
    pub(crate) fn others(
        &self,
        groups: &[&[Term<'_>]],
        ascending: bool,
        visit: &mut Visit<'_>,
    ) -> Result<(), StoreError> {
        each(self.view, groups, ascending, &mut |entry, statement| {
            if self.is_gone(entry.sequence) || entry.sequence > self.through {
                return Ok(ControlFlow::Continue(()));
            }
            visit(entry, statement)
        })
    }

    /// Whether any statement that stays has one of these terms and is `meant`.
    pub(crate) fn any_other(
        &self,
        terms: &[Term<'_>],
        meant: impl Fn(&Statement) -> bool,
    ) -> Result<bool, StoreError> {
        let mut found = false;
        // Who speaks of it now did so lately, mostly.
        self.others(&[terms], false, &mut |_, statement| {
            found = meant(statement);
            Ok(if found {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            })
        })?;
        Ok(found)
    }

    pub(crate) fn is_gone(&self, sequence: u64) -> bool {
        self.gone.contains(&sequence)
    }

    pub(crate) fn view(&self) -> &View {
        self.view
    }
}

impl Lrs {
    /// Erases the bodies of these entries, and whatever was derived from them; how many there were. Blocks.
    ///
    /// # Errors
    /// [`Error::Store`]; also when a block is not what was stored: then it is left as it is.
    pub fn erase(&self, sequences: &BTreeSet<u64>) -> Result<u64, Error> {
        let erased = erase(self, sequences, None, &mut || true)?;
        clean::clean(&self.core_arc(), &mut || true)?;
        Ok(erased)
    }
}

/// Erases slice by slice while `goes_on` says so between two of them; the index is not cleaned yet. `note` is the erasure
/// that counts them.
pub(super) fn erase(
    lrs: &Lrs,
    sequences: &BTreeSet<u64>,
    note: Option<Uuid>,
    goes_on: &mut dyn FnMut() -> bool,
) -> Result<u64, Error> {
    lrs.settle();
    let mut erased = 0;
    let mut left = sequences.iter().copied().peekable();
    while left.peek().is_some() {
        let slice: BTreeSet<u64> = left.by_ref().take(SLICE).collect();
        let mut rest = slice;
        // Texts far apart lie in a block each.
        while !rest.is_empty() {
            let (done, taken) = erase_slice(lrs, &rest, note)?;
            erased += done;
            rest = rest.split_off(&(taken + 1));
            if !goes_on() {
                return Ok(erased);
            }
        }
    }
    Ok(erased)
}

/// One transaction; how many bodies there were, and up to which sequence number it went.
fn erase_slice(
    lrs: &Lrs,
    sequences: &BTreeSet<u64>,
    note: Option<Uuid>,
) -> Result<(u64, u64), Error> {
    let core = lrs.core_arc();
    // Whoever writes blocks waits.
    let mut open = core.open.lock().unwrap_or_else(PoisonError::into_inner);
    let through = core.tail().in_tables;
    let view = View::new(&core)?;
    let mut blocks = BTreeMap::<u64, Block>::new();
    let mut taken = sequences.last().copied().unwrap_or(0);
    for sequence in sequences {
        let known = blocks.range(..=sequence).next_back();
        if known.is_some_and(|(_, block)| *sequence <= block.end()) {
            continue;
        }
        if blocks.len() == SLICE_BLOCKS {
            taken = sequence - 1;
            break;
        }
        if let Some(block) = log::block_of(view.snapshot(), *sequence)? {
            blocks.insert(block.first(), block);
        }
    }
    let (mut changed, mut written) = (Vec::<Line>::new(), Vec::new());
    let (mut gone, mut statements) = (BTreeSet::new(), Vec::new());
    for (first, block) in blocks {
        let mut lines = block.lines();
        if lines.last().is_none_or(|last| last.link != block.last) {
            return Err(Error::Store(StoreError::Corrupt {
                table: BLOCKS.name().to_owned(),
                detail: format!("block {first} is not what was stored"),
            }));
        }
        for line in &mut lines {
            if !sequences.contains(&line.entry.sequence) {
                continue;
            }
            let entry = line.entry.clone();
            let Some(body) = line.body.take() else {
                continue;
            };
            line.entry.defines = false;
            gone.insert(entry.sequence);
            changed.push(line.clone());
            if let Some(statement) = view.complete(&entry, &body)? {
                statements.push((entry, statement));
            }
        }
        written.push((first, Packed(encode(&block.previous, lines.iter()))));
    }
    drop(view);
    if gone.is_empty() {
        return Ok((0, taken));
    }
    let (gone, statements) = (Arc::new(gone), Arc::new(statements));
    let (folds, for_tx) = (lrs.folds(), Arc::clone(&gone));
    let in_tx = Arc::clone(&core);
    lrs.store().write_making_room(move |tx| {
        let view = View::new(&in_tx)?;
        let erased = Erased {
            statements: &statements,
            gone: &for_tx,
            view: &view,
            through,
        };
        for fold in folds.iter() {
            fold.forget(tx, &erased)?;
        }
        forward::forget(tx, &for_tx)?;
        for (first, packed) in &written {
            tx.insert(&BLOCKS, first, packed)?;
        }
        for sequence in for_tx.iter() {
            tx.insert(&DIRTY, sequence, &())?;
        }
        expiry::note(tx, &for_tx)?;
        record::count(tx, note, for_tx.len() as u64)?;
        Ok::<_, Error>(())
    })?;
    core.erased.fetch_add(1, Ordering::SeqCst);
    for line in changed {
        let mut kept = open.lines.iter_mut();
        if let Some(kept) = kept.find(|kept| kept.entry.sequence == line.entry.sequence) {
            *kept = Arc::new(line);
        }
    }
    for segment in &core.tail().segments {
        segment.forget(&gone);
    }
    Ok((gone.len() as u64, taken))
}
