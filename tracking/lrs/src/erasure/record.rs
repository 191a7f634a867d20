//! Erasures of people: written down before anything is done, done step by step, each step again after an interruption.

use std::collections::BTreeSet;
use std::sync::PoisonError;

use jiff::Timestamp;
use lectern_store::{Json, Table, Tx};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::about::{self, About, Received};
use super::refused::REFUSED;
use super::slice;
use crate::body::{AUTHORITIES, authority_number};
use crate::error::Error;
use crate::index::clean;
use crate::lrs::Lrs;
use crate::{attachments, documents, forward, pull};

/// Every erasure that was ever asked for.
const ERASURES: Table<Uuid, Json<Erasure>> = Table::new("lrs.erasures");

/// Those that are not finished.
const PENDING: Table<Uuid, ()> = Table::new("lrs.erasures.pending");

/// An erasure of a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Erasure {
    /// Its id; they sort by time.
    pub id: Uuid,
    /// When it was asked for.
    pub asked: Timestamp,
    /// Who asked, as the audit log names them.
    pub by: String,
    /// Of whom: an id that says nothing.
    pub of: String,
    /// Their identifiers, [`lectern_xapi::Ifi::key`]; none any more once nothing is left to be looked for.
    pub who: BTreeSet<String>,
    /// JSON of authorities that were theirs alone; none any more once nothing is left to be looked for.
    pub authorities: Vec<String>,
    /// Statements erased so far.
    pub statements: u64,
    /// Documents removed so far.
    pub documents: u64,
    /// Attachments removed so far.
    pub attachments: u64,
    /// Upstreams that may have some of the statements.
    pub upstreams: Vec<Received>,
    /// Whether the free pages of the file were overwritten, too: not when the disk had no room for that.
    #[serde(default)]
    pub overwritten: bool,
    /// When all of it was done.
    pub finished: Option<Timestamp>,
}

/// The erasures of an LRS.
#[derive(Clone)]
pub struct Erasures {
    pub(super) lrs: Lrs,
}

impl Lrs {
    /// The erasures.
    pub fn erasures(&self) -> Erasures {
        Erasures { lrs: self.clone() }
    }
}

impl Erasures {
    /// What there is about these. Blocks for as long as their statements take to read.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub fn about(&self, who: &BTreeSet<String>) -> Result<About, Error> {
        about::about(&self.lrs, who)
    }

    /// Writes down that somebody is to be erased, in the transaction of whoever has to do the same. `refused` are accounts
    /// that are never taken again. Then [`Self::noticed`].
    ///
    /// # Errors
    /// The store's own.
    pub fn intend(
        tx: &Tx<'_>,
        erasure: &Erasure,
        refused: &[String],
    ) -> Result<(), lectern_store::Error> {
        for key in refused {
            tx.insert(&REFUSED, key, &())?;
        }
        tx.insert(&PENDING, &erasure.id, &())?;
        tx.insert(&ERASURES, &erasure.id, &Json(erasure.clone()))
            .map(drop)
    }

    /// From now on nothing is taken any more of those who were refused last. Blocks.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub fn noticed(&self) -> Result<(), Error> {
        let core = self.lrs.core_arc();
        core.refuse(super::Refused::read(&self.lrs.store().snapshot()?)?);
        // Whoever was let in before has a place in the log when this is ours.
        drop(self.lrs.journal());
        Ok(())
    }

    /// Those that were asked for, newest first.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub fn list(&self, before: Option<Uuid>, limit: usize) -> Result<Vec<Erasure>, Error> {
        let snapshot = self.lrs.store().snapshot()?;
        let end = before.unwrap_or(Uuid::max());
        let rows = snapshot.range(&ERASURES, ..end)?.rev().take(limit);
        Ok(rows
            .map(|row| row.map(|(_, Json(erasure))| erasure))
            .collect::<Result<_, _>>()?)
    }

    /// One of them.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Store`].
    pub fn get(&self, id: Uuid) -> Result<Erasure, Error> {
        let found = self.lrs.store().snapshot()?.get(&ERASURES, &id)?;
        found
            .map(|Json(erasure)| erasure)
            .ok_or_else(|| Error::NotFound(format!("there is no erasure {id}")))
    }

    /// Those that are not finished, oldest first.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub fn pending(&self) -> Result<Vec<Erasure>, Error> {
        let snapshot = self.lrs.store().snapshot()?;
        let mut pending = Vec::new();
        for row in snapshot.range(&PENDING, ..)? {
            let found = snapshot.get(&ERASURES, &row?.0)?;
            pending.extend(found.map(|Json(erasure)| erasure));
        }
        Ok(pending)
    }

    /// Does what was written down, or what is left of it; `false` when `goes_on` ended it. Then, or after an error, it is
    /// to be called again. Then come [`Self::conceal`] and [`Self::overwrite`]. Blocks.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub fn carry_out(&self, id: Uuid, goes_on: &mut dyn FnMut() -> bool) -> Result<bool, Error> {
        let lrs = &self.lrs;
        let core = lrs.core_arc();
        let _turn = core.erasing.lock().unwrap_or_else(PoisonError::into_inner);
        let erasure = self.get(id)?;
        if erasure.finished.is_some() {
            return Ok(true);
        }
        self.noticed()?;
        let who = erasure.who.clone();
        lrs.store().write_making_room(move |tx| {
            let mut removed = 0;
            for key in &who {
                removed += documents::remove_of(tx, key)?;
            }
            change(tx, id, |erasure| erasure.documents += removed)
        })?;
        loop {
            // What is not in the tables cannot be taken out of them.
            lrs.settled()?;
            let found = about::sequences_of(&lrs.view()?, &erasure.who)?;
            if found.is_empty() {
                break;
            }
            slice::erase(lrs, &found, Some(id), goes_on)?;
            if !goes_on() {
                return Ok(false);
            }
        }
        if !clean::clean(&core, goes_on)? {
            return Ok(false);
        }
        remove_attachments(lrs, Some(id))?;
        let (who, authorities) = (erasure.who.clone(), erasure.authorities.clone());
        let has_changed = lrs.store().write_making_room(move |tx| {
            for json in &authorities {
                tx.remove(&AUTHORITIES, &authority_number(json))?;
            }
            pull::forget_people(tx, &who)?;
            forward::forget_people(tx, &who)
        })?;
        if has_changed {
            lrs.upstreams_changed();
        }
        Ok(true)
    }

    /// Nothing is left to be looked for: the erasure itself knows no identifier any more. In the transaction of whoever
    /// takes them out elsewhere.
    ///
    /// # Errors
    /// [`Error::NotFound`], the store's own.
    pub fn conceal(tx: &Tx<'_>, id: Uuid) -> Result<(), Error> {
        change(tx, id, |erasure| {
            erasure.who.clear();
            erasure.authorities.clear();
        })
    }

    /// Writes over what the files hold of it that nobody refers to any more, while `goes_on` says so; `false` when that
    /// ended it. Blocks.
    ///
    /// # Errors
    /// [`Error::Store`]; then it is to be called again.
    pub fn overwrite(&self, id: Uuid, goes_on: &mut dyn FnMut() -> bool) -> Result<bool, Error> {
        let lrs = &self.lrs;
        lrs.scrub()?;
        match lrs.store().overwrite_free_pages(goes_on) {
            Ok(true) => {}
            Ok(false) => return Ok(false),
            // It is erased all the same; what lay there is overwritten as the file is used.
            Err(error @ lectern_store::Error::Full { .. }) => {
                tracing::warn!(event = "lrs.free_pages_left", erasure = %id, %error);
                return Ok(true);
            }
            Err(error) => return Err(error.into()),
        }
        lrs.store()
            .write_making_room(move |tx| change(tx, id, |erasure| erasure.overwritten = true))?;
        Ok(true)
    }

    /// It is finished: nothing is kept of it but that it was; `false` when it was finished before. In the transaction of
    /// whoever notes the same.
    ///
    /// # Errors
    /// [`Error::NotFound`], the store's own.
    pub fn finish(tx: &Tx<'_>, id: Uuid, now: Timestamp) -> Result<bool, Error> {
        if !tx.remove(&PENDING, &id)? {
            return Ok(false);
        }
        change(tx, id, |erasure| erasure.finished = Some(now))?;
        Ok(true)
    }
}

impl Lrs {
    /// Writes over what was journaled, once all of it is in the tables. Whoever appends waits. Blocks.
    pub(super) fn scrub(&self) -> Result<(), Error> {
        let mut journal = self.journal();
        // Nobody appends meanwhile.
        self.settled()?;
        match journal.as_mut() {
            Some(journal) => Ok(journal.scrub()?),
            None => Err(Error::Store(lectern_store::Error::Closed)),
        }
    }
}

/// Removes the attachments that erased statements held and no other does.
pub(super) fn remove_attachments(lrs: &Lrs, note: Option<Uuid>) -> Result<u64, Error> {
    let core = lrs.core_arc();
    // Whoever keeps bytes for a statement that is not stored yet is waited for.
    let _attaching = core.attaching.blocking_write();
    lrs.settle();
    lrs.store().write_making_room(move |tx| {
        let removed = attachments::remove_loose(tx)?;
        if let Some(id) = note {
            change(tx, id, |erasure| erasure.attachments += removed)?;
        }
        Ok(removed)
    })
}

/// Adds what a slice erased.
pub(super) fn count(tx: &Tx<'_>, id: Option<Uuid>, statements: u64) -> Result<(), Error> {
    match id {
        Some(id) => change(tx, id, |erasure| erasure.statements += statements),
        None => Ok(()),
    }
}

fn change(tx: &Tx<'_>, id: Uuid, change: impl FnOnce(&mut Erasure)) -> Result<(), Error> {
    let found = tx.get(&ERASURES, &id)?;
    let Json(mut erasure) =
        found.ok_or_else(|| Error::NotFound(format!("there is no erasure {id}")))?;
    change(&mut erasure);
    tx.insert(&ERASURES, &id, &Json(erasure))?;
    Ok(())
}
