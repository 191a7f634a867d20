//! How long statements are kept: for ever, until somebody sets an age. One age for all statements, one for those about
//! people whose account is closed; both count from when the box stored a statement.
//!
//! A run a day, the first one on the day after a rule was set, so that a wrong one can be taken back.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use lectern_lrs::erasure::{Cutoffs, Expiring};
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::audit::{AuditEvent, append};
use crate::erasure::{Erasing, whom_of};
use crate::lms::Lms;
use crate::tables::{KEEPING, PEOPLE};

/// A century: who wants to keep longer keeps for ever.
const MAX_DAYS: u32 = 36_500;
/// Who runs it, in the audit log.
const BOX: &str = "box";

/// The rules, and how they were carried out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Keeping {
    /// Days for which every statement is kept; 0: for ever.
    pub keep_days: u32,
    /// Days for which statements about people are kept whose account is closed; 0: as all others.
    pub keep_closed_days: u32,
    /// When they are carried out next.
    pub next: Option<Timestamp>,
    /// When they were carried out last.
    pub last: Option<Timestamp>,
    /// How many statements that erased.
    pub last_statements: u64,
    /// Statements that a run has erased which is not finished.
    pub so_far: u64,
}

impl Keeping {
    /// Whether these are the same rules, set at the same time.
    fn says_as(&self, other: &Self) -> bool {
        (self.keep_days, self.keep_closed_days, self.next)
            == (other.keep_days, other.keep_closed_days, other.next)
    }

    fn is_on(&self) -> bool {
        self.keep_days > 0 || self.keep_closed_days > 0
    }
}

impl Lms {
    /// How long statements are kept.
    ///
    /// # Errors
    /// When the store fails.
    pub fn keeping(&self) -> Result<Keeping, Error> {
        Ok(self
            .store
            .snapshot()?
            .get(&KEEPING, &0)?
            .unwrap_or_default())
    }

    /// Sets the rules; `by` did it. The first run is on the next day.
    ///
    /// # Errors
    /// [`Error::Invalid`]; when the store fails.
    pub fn set_keeping(
        &self,
        keep_days: u32,
        keep_closed_days: u32,
        by: &str,
        now: Timestamp,
    ) -> Result<Keeping, Error> {
        for (field, days) in [
            ("keep_days", keep_days),
            ("keep_closed_days", keep_closed_days),
        ] {
            if days > MAX_DAYS {
                return Err(Error::Invalid {
                    field,
                    message: format!("at most {MAX_DAYS} days; 0 is for ever"),
                });
            }
        }
        let event = AuditEvent {
            who: by.to_owned(),
            what: "keeping.change".to_owned(),
            on: None,
            detail: Some(format!(
                "all {keep_days} days, closed {keep_closed_days} days"
            )),
        };
        self.store.write_making_room(move |tx| {
            let mut keeping = tx.get(&KEEPING, &0)?.unwrap_or_default();
            keeping.keep_days = keep_days;
            keeping.keep_closed_days = keep_closed_days;
            keeping.next = keeping.is_on().then(|| next_day(now));
            tx.insert(&KEEPING, &0, &keeping)?;
            append(tx, &event, now)?;
            Ok(keeping)
        })
    }
}

impl Erasing {
    /// What such rules would erase now. Blocks.
    ///
    /// # Errors
    /// When the store fails.
    pub fn expiring(
        &self,
        keep_days: u32,
        keep_closed_days: u32,
        now: Timestamp,
    ) -> Result<Expiring, Error> {
        let cutoffs = self.cutoffs(keep_days, keep_closed_days, now)?;
        Ok(self.lrs.erasures().expiring(&cutoffs)?)
    }

    /// Carries the rules out when that is due, while `goes_on` says so and until somebody sets other rules; how many
    /// statements were erased when it is done. Blocks.
    ///
    /// # Errors
    /// When the store fails; then it is due again.
    pub fn expire_when_due(
        &self,
        clock: &dyn Fn() -> Timestamp,
        goes_on: &mut dyn FnMut() -> bool,
    ) -> Result<Option<u64>, Error> {
        let now = clock();
        let rule = self.lms.keeping()?;
        if !rule.is_on() || rule.next.is_none_or(|next| next > now) {
            return Ok(None);
        }
        let cutoffs = self.cutoffs(rule.keep_days, rule.keep_closed_days, now)?;
        let is_rule = || self.lms.keeping().is_ok_and(|now| now.says_as(&rule));
        let (erased, is_done) = self
            .lrs
            .erasures()
            .expire(&cutoffs, &mut || goes_on() && is_rule())?;
        let now = clock();
        self.lms.store.write_making_room(move |tx| {
            let mut keeping = tx.get(&KEEPING, &0)?.unwrap_or_default();
            keeping.so_far += erased;
            // Other rules that came meanwhile are carried out when they say.
            let is_over = is_done || !keeping.says_as(&rule);
            if is_over {
                keeping.last = Some(now);
                keeping.last_statements = std::mem::take(&mut keeping.so_far);
                if keeping.says_as(&rule) {
                    keeping.next = keeping.is_on().then(|| next_day(now));
                }
                if keeping.last_statements > 0 {
                    let event = AuditEvent {
                        who: BOX.to_owned(),
                        what: "keeping.run".to_owned(),
                        on: None,
                        detail: Some(format!("{} statements", keeping.last_statements)),
                    };
                    append(tx, &event, now)?;
                }
            }
            tx.insert(&KEEPING, &0, &keeping)?;
            Ok(is_over.then_some(keeping.last_statements))
        })
    }

    fn cutoffs(
        &self,
        keep_days: u32,
        keep_closed_days: u32,
        now: Timestamp,
    ) -> Result<Cutoffs, Error> {
        let before = |days: u32| {
            let age = SignedDuration::from_hours(24 * i64::from(days));
            (days > 0).then(|| now.checked_sub(age).unwrap_or(Timestamp::MIN))
        };
        let mut cutoffs = Cutoffs {
            all: before(keep_days),
            of: None,
        };
        if let Some(before) = before(keep_closed_days) {
            let mut closed = Vec::new();
            let (identity, shared) = (self.lms.identity()?, self.shared_addresses()?);
            for row in self.lms.store.snapshot()?.range(&PEOPLE, ..)? {
                let (_, person) = row?;
                if person.disabled {
                    closed.push(whom_of(&identity, &shared, person).who);
                }
            }
            cutoffs.of = Some((before, closed));
        }
        Ok(cutoffs)
    }
}

/// Midnight, UTC.
fn next_day(now: Timestamp) -> Timestamp {
    let today = now.to_zoned(TimeZone::UTC).date();
    let tomorrow = today.tomorrow().and_then(|day| day.to_zoned(TimeZone::UTC));
    tomorrow.map_or(Timestamp::MAX, |midnight| midnight.timestamp())
}
