//! How often somebody may get a password wrong: a pure state machine over (name, address), kept in memory only.
//!
//! Five wrong ones in a row are free; then each costs a wait that doubles from a second to a quarter of an hour. An
//! address as a whole (a campus may sit behind one) has a hundred free ones and waits a minute at most, which stops one
//! password being tried on every name. A name as a whole has no limit of its own: with one, anybody could lock anybody
//! out. Nothing is persisted: a restart forgives.

use jiff::Timestamp;
use std::collections::HashMap;
use std::net::IpAddr;

const FREE_FOR_NAME: u32 = 5;
const FREE_FOR_ADDRESS: u32 = 100;
const LONGEST_FOR_NAME_S: u64 = 15 * 60;
const LONGEST_FOR_ADDRESS_S: u64 = 60;
/// After so long without a wrong password all is forgiven.
const FORGIVEN_AFTER_S: i64 = 60 * 60;
/// So many names and addresses are remembered; beyond it the oldest are forgotten.
const MAX_KEPT: usize = 20_000;

/// Remembers wrong passwords.
#[derive(Debug, Default)]
pub struct Throttle {
    kept: HashMap<(Option<String>, Option<IpAddr>), Wrong>,
}

#[derive(Clone, Copy, Debug)]
struct Wrong {
    times: u32,
    last_s: i64,
}

impl Throttle {
    /// Seconds to wait before this name may be tried from this address; `None` when now is fine. `address` is `None`
    /// for callers that cannot be far away (the control socket).
    #[must_use]
    pub fn wait_s(&self, name: &str, address: Option<IpAddr>, now: Timestamp) -> Option<u64> {
        let for_name = self.wait_of(
            &(Some(name.to_owned()), address),
            FREE_FOR_NAME,
            LONGEST_FOR_NAME_S,
            now,
        );
        let for_address = address.and_then(|address| {
            self.wait_of(
                &(None, Some(address)),
                FREE_FOR_ADDRESS,
                LONGEST_FOR_ADDRESS_S,
                now,
            )
        });
        for_name.max(for_address)
    }

    /// The password was wrong.
    pub fn was_wrong(&mut self, name: &str, address: Option<IpAddr>, now: Timestamp) {
        if self.kept.len() + 2 > MAX_KEPT {
            self.forget(now);
        }
        let mut keys = vec![(Some(name.to_owned()), address)];
        keys.extend(address.map(|address| (None, Some(address))));
        for key in keys {
            let wrong = self.kept.entry(key).or_insert(Wrong {
                times: 0,
                last_s: 0,
            });
            if now.as_second() - wrong.last_s > FORGIVEN_AFTER_S {
                wrong.times = 0;
            }
            wrong.times = wrong.times.saturating_add(1);
            wrong.last_s = now.as_second();
        }
    }

    /// The password was right: this name is welcome from here.
    pub fn was_right(&mut self, name: &str, address: Option<IpAddr>) {
        self.kept.remove(&(Some(name.to_owned()), address));
    }

    fn wait_of(
        &self,
        key: &(Option<String>, Option<IpAddr>),
        free: u32,
        longest_s: u64,
        now: Timestamp,
    ) -> Option<u64> {
        let wrong = self.kept.get(key)?;
        let beyond = wrong.times.checked_sub(free)?;
        let wait = 1u64.checked_shl(beyond).unwrap_or(u64::MAX).min(longest_s);
        let passed = u64::try_from(now.as_second() - wrong.last_s).unwrap_or(0);
        wait.checked_sub(passed).filter(|left| *left > 0)
    }

    /// Makes room: drops the forgiven, and when that is not enough the older half.
    fn forget(&mut self, now: Timestamp) {
        self.kept
            .retain(|_, wrong| now.as_second() - wrong.last_s <= FORGIVEN_AFTER_S);
        if self.kept.len() + 2 > MAX_KEPT {
            let mut times: Vec<i64> = self.kept.values().map(|wrong| wrong.last_s).collect();
            times.sort_unstable();
            let middle = times[times.len() / 2];
            self.kept.retain(|_, wrong| wrong.last_s > middle);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: Option<IpAddr> = Some(IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1)));
    const THERE: Option<IpAddr> = Some(IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 2)));

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn the_wait_doubles_after_five_wrong_passwords() {
        let mut throttle = Throttle::default();
        for _ in 0..4 {
            throttle.was_wrong("ada", HERE, at(1000));
            assert_eq!(throttle.wait_s("ada", HERE, at(1000)), None);
        }
        for wait in [1, 2, 4, 8] {
            throttle.was_wrong("ada", HERE, at(1000));
            assert_eq!(throttle.wait_s("ada", HERE, at(1000)), Some(wait));
        }
        assert_eq!(throttle.wait_s("ada", HERE, at(1008)), None);
        for _ in 0..100 {
            throttle.was_wrong("ada", HERE, at(1000));
        }
        assert_eq!(throttle.wait_s("ada", HERE, at(1000)), Some(900));
    }

    #[test]
    fn nobody_is_locked_out_from_elsewhere() {
        let mut throttle = Throttle::default();
        for _ in 0..50 {
            throttle.was_wrong("ada", HERE, at(1000));
        }
        assert_eq!(throttle.wait_s("ada", THERE, at(1000)), None);
    }

    #[test]
    fn one_password_on_every_name_is_slowed_by_address() {
        let mut throttle = Throttle::default();
        for name in 0..110 {
            throttle.was_wrong(&format!("name{name}"), HERE, at(1000));
        }
        assert_eq!(throttle.wait_s("another", HERE, at(1000)), Some(60));
        assert_eq!(throttle.wait_s("another", THERE, at(1000)), None);
    }

    #[test]
    fn the_right_password_and_an_hour_forgive() {
        let mut throttle = Throttle::default();
        for _ in 0..8 {
            throttle.was_wrong("ada", HERE, at(1000));
            throttle.was_wrong("bob", HERE, at(1000));
        }
        throttle.was_right("ada", HERE);
        assert_eq!(throttle.wait_s("ada", HERE, at(1000)), None);
        throttle.was_wrong("bob", HERE, at(1000 + FORGIVEN_AFTER_S + 1));
        assert_eq!(
            throttle.wait_s("bob", HERE, at(1000 + FORGIVEN_AFTER_S + 1)),
            None
        );
    }

    #[test]
    fn memory_is_bounded() {
        let mut throttle = Throttle::default();
        for number in 0..50_000u32 {
            throttle.was_wrong(&number.to_string(), HERE, at(i64::from(number)));
        }
        assert!(throttle.kept.len() <= MAX_KEPT);
    }

    #[test]
    fn a_clock_that_jumps_back_never_waits_longer() {
        let mut throttle = Throttle::default();
        for _ in 0..6 {
            throttle.was_wrong("ada", HERE, at(10_000));
        }
        assert_eq!(throttle.wait_s("ada", HERE, at(0)), Some(2));
    }
}
