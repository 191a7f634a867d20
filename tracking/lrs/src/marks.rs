//! The box's own marks beside an entry: what seemed odd about a statement, which is kept all the same.
//! Late and early are judged here, from the statement's `timestamp`; implausible is analytics' to say.

use jiff::SignedDuration;
use lectern_store::{Error, Snapshot, Table, Tx};
use lectern_xapi::Statement;

use crate::entry::Entry;
use crate::erasure::Erased;
use crate::fold::Fold;

/// What seemed odd.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum Mark {
    /// More was played than time had passed.
    Implausible = 1,
    /// It happened more than an hour before it came.
    Late = 2,
    /// It says that it happens more than two minutes after it came.
    Early = 3,
}

const MARKS: Table<(u64, u8), ()> = Table::new("lrs.marks");
/// Longer ago than this when stored is late: an offline queue, or a wrong clock.
const LATE: SignedDuration = SignedDuration::from_hours(1);
/// Further ahead than this when stored is early: a wrong clock.
const EARLY: SignedDuration = SignedDuration::from_mins(2);

impl Mark {
    /// Sets the mark beside the entry at `sequence`.
    ///
    /// # Errors
    /// The store's own.
    pub fn set(self, tx: &Tx<'_>, sequence: u64) -> Result<(), Error> {
        tx.insert(&MARKS, &(sequence, self as u8), &()).map(|_| ())
    }

    /// Takes the mark from the entry at `sequence`.
    ///
    /// # Errors
    /// The store's own.
    pub fn remove(self, tx: &Tx<'_>, sequence: u64) -> Result<(), Error> {
        tx.remove(&MARKS, &(sequence, self as u8)).map(|_| ())
    }

    /// Takes the mark from every entry that has it: for a fold that is built anew.
    ///
    /// # Errors
    /// The store's own.
    pub fn clear(self, tx: &Tx<'_>) -> Result<(), Error> {
        let mut marked = Vec::new();
        for row in tx.range(&MARKS, ..)? {
            let (key, ()) = row?;
            if key.1 == self as u8 {
                marked.push(key);
            }
        }
        for key in marked {
            tx.remove(&MARKS, &key)?;
        }
        Ok(())
    }

    /// The marks beside the entry at `sequence`.
    ///
    /// # Errors
    /// The store's own.
    pub fn of(snapshot: &Snapshot, sequence: u64) -> Result<Vec<Self>, Error> {
        let mut marks = Vec::new();
        for row in snapshot.prefix(&MARKS, &sequence)? {
            let ((_, mark), ()) = row?;
            marks.extend(
                [Self::Implausible, Self::Late, Self::Early]
                    .into_iter()
                    .find(|known| *known as u8 == mark),
            );
        }
        Ok(marks)
    }
}

/// Marks what came late or early.
pub(crate) struct Punctuality;

impl Fold for Punctuality {
    fn name(&self) -> &'static str {
        "lrs.punctuality.1"
    }

    fn apply(&self, tx: &Tx<'_>, entry: &Entry, statement: &Statement) -> Result<(), Error> {
        let Some(timestamp) = statement.timestamp else {
            return Ok(());
        };
        let age = entry.stored.duration_since(timestamp);
        if age > LATE {
            Mark::Late.set(tx, entry.sequence)?;
        } else if -age > EARLY {
            Mark::Early.set(tx, entry.sequence)?;
        }
        Ok(())
    }

    fn forget(&self, tx: &Tx<'_>, erased: &Erased<'_>) -> Result<(), Error> {
        for (entry, _) in erased.statements() {
            Mark::Late.remove(tx, entry.sequence)?;
            Mark::Early.remove(tx, entry.sequence)?;
        }
        Ok(())
    }

    fn clear(&self, tx: &Tx<'_>) -> Result<(), Error> {
        Mark::Late.clear(tx)?;
        Mark::Early.clear(tx)
    }
}
