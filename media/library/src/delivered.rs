//! How much of films has left the box, by day. No one's name: only bytes.

use jiff::civil::Date;
use jiff::{Timestamp, ToSpan, Unit};
use lectern_store::Tx;

use crate::rows::DELIVERED;
use crate::{Error, Library};

/// Bytes that left on a day (UTC).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delivered {
    /// The day
    pub day: Date,
    /// How many
    pub bytes: u64,
}

const FIRST: Date = Date::constant(1970, 1, 1);

impl Library {
    /// Adds to a day's bytes.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub fn add_delivered(&self, now: Timestamp, bytes: u64) -> Result<(), Error> {
        let day = number_of(now.to_zoned(jiff::tz::TimeZone::UTC).date());
        self.inner.store.write(move |tx: &Tx<'_>| {
            let before = tx.get(&DELIVERED, &day)?.unwrap_or(0);
            tx.insert(&DELIVERED, &day, &before.saturating_add(bytes))?;
            Ok(())
        })
    }

    /// Every day on which something left, oldest first.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub fn delivered(&self) -> Result<Vec<Delivered>, Error> {
        let snapshot = self.inner.store.snapshot()?;
        let mut days = Vec::new();
        for entry in snapshot.range(&DELIVERED, ..)? {
            let (number, bytes) = entry?;
            let day = FIRST.saturating_add(i64::from(number).days());
            days.push(Delivered { day, bytes });
        }
        Ok(days)
    }
}

fn number_of(day: Date) -> u32 {
    let span = day
        .since((Unit::Day, FIRST))
        .map_or(0, |span| span.get_days());
    u32::try_from(span).unwrap_or(0)
}
