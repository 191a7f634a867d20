//! How long to wait for a record store that fails. Pure: time and chance are arguments.

use jiff::{SignedDuration, Timestamp};

/// The first wait; each further one is twice as long.
const FIRST_WAIT: SignedDuration = SignedDuration::from_secs(1);
/// The longest wait of our own choosing.
const LONGEST_WAIT: SignedDuration = SignedDuration::from_mins(5);
/// The longest wait that the other side may ask for.
const LONGEST_ASKED: SignedDuration = SignedDuration::from_hours(1);

/// Failures in a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Backoff {
    failures: u32,
}

impl Backoff {
    /// Whether the last try failed.
    pub fn has_failed(self) -> bool {
        self.failures > 0
    }

    /// It answered: waits begin anew.
    pub fn succeed(&mut self) {
        self.failures = 0;
    }

    /// It failed, and may have `asked` for a wait: when to try again. `chance` in 0..=1 spreads the waits of many boxes.
    pub fn fail(
        &mut self,
        asked: Option<SignedDuration>,
        now: Timestamp,
        chance: f64,
    ) -> Timestamp {
        let doublings = self.failures.min(16);
        self.failures = self.failures.saturating_add(1);
        let own = (FIRST_WAIT * 2_i32.pow(doublings)).min(LONGEST_WAIT);
        // Between half and all of it.
        let spread = own.mul_f64(0.5 + chance.clamp(0.0, 1.0) / 2.0);
        let wait = match asked {
            Some(asked) => asked.clamp(spread.min(LONGEST_WAIT), LONGEST_ASKED),
            None => spread,
        };
        now.checked_add(wait).unwrap_or(Timestamp::MAX)
    }
}
