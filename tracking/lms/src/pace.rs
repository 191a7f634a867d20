//! How often something may be done: buckets that fill with time, one for each who does it. Pure, in memory only.

use jiff::Timestamp;
use std::collections::HashMap;
use std::hash::Hash;

/// So many are remembered; beyond it those whose bucket is full again are forgotten, then all.
const MAX_KEPT: usize = 20_000;

/// Buckets of `burst` that fill at `per_second`.
#[derive(Debug)]
pub struct Pace<K> {
    burst: f64,
    per_second: f64,
    kept: HashMap<K, (f64, Timestamp)>,
}

impl<K: Hash + Eq> Pace<K> {
    /// Nothing was done yet.
    #[must_use]
    pub fn new(burst: u32, per_second: f64) -> Self {
        Self {
            burst: f64::from(burst),
            per_second,
            kept: HashMap::new(),
        }
    }

    /// Takes one from the bucket of `who`.
    ///
    /// # Errors
    /// The seconds until there is one again.
    pub fn take(&mut self, who: K, now: Timestamp) -> Result<(), u64> {
        if self.kept.len() >= MAX_KEPT && !self.kept.contains_key(&who) {
            let (burst, per_second) = (self.burst, self.per_second);
            self.kept
                .retain(|_, (left, at)| *left + seconds(*at, now) * per_second < burst);
            if self.kept.len() >= MAX_KEPT {
                self.kept.clear();
            }
        }
        let (left, at) = self.kept.entry(who).or_insert((self.burst, now));
        let filled = (*left + seconds(*at, now) * self.per_second).min(self.burst);
        *at = now;
        *left = filled;
        if filled >= 1.0 {
            *left -= 1.0;
            return Ok(());
        }
        // Positive and small: one over the rate at most.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        Err(((1.0 - filled) / self.per_second).ceil() as u64)
    }
}

fn seconds(from: Timestamp, to: Timestamp) -> f64 {
    to.duration_since(from).as_secs_f64().max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn after_a_burst_it_goes_on_at_its_rate_and_each_has_a_bucket() {
        let mut pace = Pace::new(3, 0.5);
        let taken = (0..5).filter(|_| pace.take("ada", at(0)).is_ok()).count();
        assert_eq!(taken, 3);
        assert_eq!(pace.take("ada", at(0)), Err(2));
        assert_eq!(pace.take("bob", at(0)), Ok(()));
        assert_eq!(pace.take("ada", at(2)), Ok(()));
        assert!(pace.take("ada", at(2)).is_err());
        let rested = (0..9)
            .filter(|_| pace.take("ada", at(9_000)).is_ok())
            .count();
        assert_eq!(rested, 3);
    }

    #[test]
    fn memory_is_bounded_and_a_clock_that_jumps_back_gives_nothing() {
        let mut pace = Pace::new(1, 1.0);
        for number in 0..50_000u32 {
            let _ = pace.take(number, at(100));
        }
        assert!(pace.kept.len() <= MAX_KEPT);
        let mut pace = Pace::new(1, 1.0);
        assert!(pace.take((), at(100)).is_ok());
        assert!(pace.take((), at(0)).is_err());
    }
}
