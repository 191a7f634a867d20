//! What to send next to one upstream and what to make of its answer. Pure: time and chance are arguments.
//!
//! A batch that is refused is halved until the one statement that is at fault stands alone; after each quick success the
//! batch doubles again. What was too large at once is remembered, and tried again only now and then. What an upstream
//! cannot take now waits, longer each time; what it will never take is set aside.

use jiff::{SignedDuration, Timestamp};

use crate::remote::{Backoff, Unavailable};

/// Statements sent at once to an upstream of which nothing is known yet.
const FIRST_WINDOW: usize = 100;
/// Statements sent at once when all is well.
const FULL_WINDOW: usize = 1_000;
/// A batch that took no longer is followed by a larger one.
const QUICK: SignedDuration = SignedDuration::from_secs(1);
/// A batch that took longer is followed by a smaller one.
const SLOW: SignedDuration = SignedDuration::from_secs(5);
/// After so many successes it is tried whether an upstream takes more than what was too large once.
const FORGET: u32 = 64;
/// After so many internal errors over one and the same statement, it is the statement that is set aside.
const FIRST_PATIENCE: u32 = 6;
/// It takes twice as many for the next when nothing got through in between, or a broken upstream would empty the log
/// into the dead letters; up to this, most of a day.
const LONGEST_PATIENCE: u32 = 192;

/// What an upstream said to a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Answer {
    /// All of it is stored there, after so long.
    Accepted { took: SignedDuration },
    /// An id is stored there already.
    Conflict,
    /// Too much at once.
    TooLarge(String),
    /// Something in it is refused for good.
    Rejected(String),
    /// It failed over it: the batch or the server may be at fault.
    Failed(String),
    /// It did not answer in time.
    TimedOut(String),
    /// It is not there, asks to come later, or takes nothing until a person changes something.
    Unavailable(Unavailable),
}

/// What an upstream has under an id that it said is stored there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Found {
    /// The statement.
    Same,
    /// Another one.
    Other,
    /// It may not be read with this key.
    Unreadable,
    /// Nothing after all, or it failed over it.
    Failed(String),
    /// It did not say.
    Unavailable(Unavailable),
}

/// A batch that was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sent {
    /// Statements in it; at least one.
    pub count: usize,
    /// Sequence number of the first.
    pub first: u64,
    /// Where the cursor stands when all of it is done with.
    pub next: u64,
}

/// What to do now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// It is there; go on.
    Advance,
    /// Send less, at once.
    Narrow,
    /// Set this one aside and go on.
    SetAside { sequence: u64, reason: String },
    /// Ask whether what is stored there under its id is the same statement.
    Compare { sequence: u64 },
    /// Try again then.
    Wait { until: Timestamp, reason: String },
}

/// The state of one upstream's forwarding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Machine {
    /// The next sequence number to be sent.
    cursor: u64,
    /// Statements to send at once.
    window: usize,
    /// The largest window: smaller once something was too large at once.
    ceiling: usize,
    /// Successes since the ceiling came down or was raised.
    accepted: u32,
    /// Answers without success in a row.
    backoff: Backoff,
    /// Internal errors over the statement at the cursor, alone in its batch.
    poisoned: u32,
    /// How many of those it takes.
    patience: u32,
}

impl Machine {
    pub fn new(cursor: u64) -> Self {
        Self {
            cursor,
            window: FIRST_WINDOW,
            ceiling: FULL_WINDOW,
            accepted: 0,
            backoff: Backoff::default(),
            poisoned: 0,
            patience: FIRST_PATIENCE,
        }
    }

    pub fn cursor(&self) -> u64 {
        self.cursor
    }

    pub fn window(&self) -> usize {
        self.window
    }

    /// Goes past statements that are not for this upstream.
    pub fn skip_to(&mut self, next: u64) {
        self.cursor = self.cursor.max(next);
    }

    /// Takes in an answer. `chance` in 0..=1 spreads the waits of many boxes.
    pub fn take(&mut self, answer: Answer, sent: Sent, now: Timestamp, chance: f64) -> Step {
        let alone = sent.count <= 1;
        match answer {
            Answer::Accepted { took } => self.accepted(sent, took),
            Answer::Conflict if alone => Step::Compare {
                sequence: sent.first,
            },
            Answer::TooLarge(reason) | Answer::Rejected(reason) if alone => {
                self.set_aside(sent, reason)
            }
            Answer::TooLarge(_) => {
                self.ceiling = (sent.count / 2).max(1);
                self.accepted = 0;
                self.narrow(sent)
            }
            Answer::Conflict | Answer::Rejected(_) => self.narrow(sent),
            Answer::TimedOut(reason) => {
                self.narrow(sent);
                self.wait(reason, None, now, chance)
            }
            Answer::Failed(reason) => self.failed(sent, reason, now, chance),
            Answer::Unavailable(why) => self.wait(why.reason, why.retry_after, now, chance),
        }
    }

    /// Takes in what [`Step::Compare`] found. Ids are random, so what may not be read is taken for ours: a lost answer is
    /// likely, a second statement under the id is not. Nothing else that keeps it from being read says anything about it.
    pub fn compared(&mut self, found: Found, sent: Sent, now: Timestamp, chance: f64) -> Step {
        match found {
            Found::Same | Found::Unreadable => self.advance(sent),
            Found::Other => self.set_aside(
                sent,
                "another statement is stored there under this id".to_owned(),
            ),
            Found::Failed(reason) => self.failed(sent, reason, now, chance),
            Found::Unavailable(why) => self.wait(why.reason, why.retry_after, now, chance),
        }
    }

    fn accepted(&mut self, sent: Sent, took: SignedDuration) -> Step {
        self.accepted += 1;
        if self.accepted >= FORGET {
            self.accepted = 0;
            self.ceiling = (self.ceiling * 2).min(FULL_WINDOW);
        }
        if took > SLOW {
            self.narrow(sent);
        } else if took <= QUICK {
            self.window = (self.window * 2).min(self.ceiling);
        }
        self.advance(sent)
    }

    fn advance(&mut self, sent: Sent) -> Step {
        self.cursor = sent.next;
        self.backoff.succeed();
        self.poisoned = 0;
        self.patience = FIRST_PATIENCE;
        Step::Advance
    }

    fn set_aside(&mut self, sent: Sent, reason: String) -> Step {
        self.cursor = sent.next;
        self.backoff.succeed();
        self.poisoned = 0;
        Step::SetAside {
            sequence: sent.first,
            reason,
        }
    }

    fn narrow(&mut self, sent: Sent) -> Step {
        self.window = (sent.count / 2).max(1);
        Step::Narrow
    }

    fn failed(&mut self, sent: Sent, reason: String, now: Timestamp, chance: f64) -> Step {
        if sent.count > 1 {
            // The second failure in a row is worth finding out whether one statement is to blame.
            if self.backoff.has_failed() {
                self.window = (sent.count / 2).max(1);
            }
        } else {
            self.poisoned += 1;
            if self.poisoned >= self.patience {
                self.patience = (self.patience * 2).min(LONGEST_PATIENCE);
                return self.set_aside(sent, reason);
            }
        }
        self.wait(reason, None, now, chance)
    }

    fn wait(
        &mut self,
        reason: String,
        asked: Option<SignedDuration>,
        now: Timestamp,
        chance: f64,
    ) -> Step {
        Step::Wait {
            until: self.backoff.fail(asked, now, chance),
            reason,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use jiff::{SignedDuration, Timestamp};
    use proptest::prelude::*;

    use super::{
        Answer, FIRST_WINDOW, FORGET, FULL_WINDOW, Found, Machine, Sent, Step, Unavailable,
    };

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn accepted(seconds: i64) -> Answer {
        Answer::Accepted {
            took: SignedDuration::from_secs(seconds),
        }
    }

    fn sent(count: usize) -> Sent {
        Sent {
            count,
            first: 1,
            next: 1 + count as u64,
        }
    }

    fn waited(step: Step) -> SignedDuration {
        match step {
            Step::Wait { until, .. } => until.duration_since(NOW),
            other => panic!("{other:?}"),
        }
    }

    fn unavailable(retry_after: Option<SignedDuration>) -> Unavailable {
        Unavailable {
            reason: "gone".to_owned(),
            retry_after,
        }
    }

    fn gone() -> Answer {
        Answer::Unavailable(unavailable(None))
    }

    #[test]
    fn waits_double_up_to_five_minutes_and_begin_anew_after_a_success() {
        let mut machine = Machine::new(1);
        let waits: Vec<i64> = (0..11)
            .map(|_| waited(machine.take(gone(), sent(3), NOW, 1.0)).as_secs())
            .collect();
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]);
        machine.take(accepted(0), sent(3), NOW, 1.0);
        assert_eq!(
            waited(machine.take(gone(), sent(3), NOW, 0.0)),
            SignedDuration::from_millis(500)
        );
    }

    #[test]
    fn an_upstream_that_names_a_time_is_believed_within_an_hour() {
        let mut machine = Machine::new(1);
        let busy =
            |seconds| Answer::Unavailable(unavailable(Some(SignedDuration::from_secs(seconds))));
        assert_eq!(
            waited(machine.take(busy(90), sent(3), NOW, 1.0)).as_secs(),
            90
        );
        assert_eq!(
            waited(machine.take(busy(90_000), sent(3), NOW, 1.0)).as_secs(),
            3600
        );
        assert_eq!(machine.window(), FIRST_WINDOW);
    }

    #[test]
    fn batches_grow_while_answers_are_quick_and_shrink_when_they_are_slow() {
        let mut machine = Machine::new(1);
        let mut window_after = |answer| {
            let batch = sent(machine.window());
            machine.take(answer, batch, NOW, 1.0);
            machine.window()
        };
        let windows: Vec<usize> = [0, 0, 1, 0, 2, 6, 6, 2, 0]
            .map(|seconds| window_after(accepted(seconds)))
            .to_vec();
        assert_eq!(
            windows,
            [200, 400, 800, FULL_WINDOW, FULL_WINDOW, 500, 250, 250, 500]
        );
        // An answer that did not come in time says that it was too much, too.
        assert_eq!(window_after(Answer::TimedOut("slow".to_owned())), 250);
    }

    #[test]
    fn what_was_too_large_at_once_is_tried_again_only_now_and_then() {
        let mut machine = Machine::new(1);
        let (mut refused, rounds) = (0, 10 * FORGET);
        for _ in 0..rounds {
            let batch = sent(machine.window());
            let answer = if batch.count > 60 {
                refused += 1;
                Answer::TooLarge("413".to_owned())
            } else {
                accepted(0)
            };
            machine.take(answer, batch, NOW, 1.0);
        }
        assert!(refused <= 11, "{refused}");
    }

    #[test]
    fn a_conflict_alone_is_compared_and_what_may_not_be_read_is_taken_for_ours() {
        let mut machine = Machine::new(1);
        assert_eq!(
            machine.take(Answer::Conflict, sent(1), NOW, 1.0),
            Step::Compare { sequence: 1 }
        );
        for found in [Found::Same, Found::Unreadable] {
            let step = machine.clone().compared(found, sent(1), NOW, 1.0);
            assert_eq!(step, Step::Advance);
        }
        assert!(matches!(
            machine.compared(Found::Other, sent(1), NOW, 1.0),
            Step::SetAside { sequence: 1, .. }
        ));
        assert_eq!(machine.cursor(), 2);
    }

    #[test]
    fn a_comparison_that_fails_delivers_nothing() {
        let mut machine = Machine::new(1);
        for seconds in [1, 2, 4] {
            let found = Found::Unavailable(unavailable(None));
            let waited = waited(machine.compared(found, sent(1), NOW, 1.0));
            assert_eq!(waited.as_secs(), seconds);
        }
        // It said 409 and denies having it: tried again, and set aside for a person at last.
        let mut machine = Machine::new(1);
        let denied = || Found::Failed("404".to_owned());
        for seconds in [1, 2, 4, 8, 16] {
            let waited = waited(machine.compared(denied(), sent(1), NOW, 1.0));
            assert_eq!((waited.as_secs(), machine.cursor()), (seconds, 1));
        }
        assert!(matches!(
            machine.compared(denied(), sent(1), NOW, 1.0),
            Step::SetAside { sequence: 1, .. }
        ));
    }

    #[test]
    fn a_broken_upstream_costs_less_and_less() {
        let mut machine = Machine::new(1);
        let mut aside = 0;
        for _ in 0..400 {
            let batch = Sent {
                count: machine.window(),
                first: machine.cursor(),
                next: machine.cursor() + machine.window() as u64,
            };
            if let Step::SetAside { .. } =
                machine.take(Answer::Failed("500".to_owned()), batch, NOW, 1.0)
            {
                aside += 1;
            }
        }
        // 6 + 12 + 24 + 48 + 96 + 192 tries, after those that narrowed the batch.
        assert_eq!(aside, 6);
    }

    /// An upstream as bad as they come: refuses some statements, fails over some, is away at times, loses answers.
    struct Upstream {
        refuses: BTreeSet<u64>,
        fails_over: BTreeSet<u64>,
        has: BTreeSet<u64>,
        strict: bool,
    }

    impl Upstream {
        fn post(&mut self, batch: std::ops::Range<u64>) -> Answer {
            if batch.clone().any(|n| self.fails_over.contains(&n)) {
                return Answer::Failed("500".to_owned());
            }
            if batch.clone().any(|n| self.refuses.contains(&n)) {
                return Answer::Rejected("400".to_owned());
            }
            if self.strict && batch.clone().any(|n| self.has.contains(&n)) {
                return Answer::Conflict;
            }
            self.has.extend(batch);
            accepted(0)
        }
    }

    proptest! {
        #[test]
        fn everything_arrives_or_is_set_aside_whatever_the_upstream_does(
            refuses in prop::collection::btree_set(1_u64..300, 0..10),
            fails_over in prop::collection::btree_set(1_u64..300, 0..4),
            strict in any::<bool>(),
            weather in prop::collection::vec(0_u8..6, 1..200),
        ) {
            let end = 300_u64;
            let mut upstream = Upstream { refuses: refuses.clone(), fails_over: fails_over.clone(), has: BTreeSet::new(), strict };
            let mut machine = Machine::new(1);
            let mut aside = BTreeSet::new();
            let mut rounds = 0;
            while machine.cursor() < end {
                rounds += 1;
                prop_assert!(rounds < 5_000, "stuck at {}", machine.cursor());
                let first = machine.cursor();
                let next = end.min(first + machine.window() as u64);
                let batch = Sent { count: (next - first) as usize, first, next };
                let answer = match weather.get(rounds) {
                    Some(0) => gone(),
                    // It took them and the answer was lost.
                    Some(1) => { upstream.post(first..next); gone() }
                    _ => upstream.post(first..next),
                };
                let mut step = machine.take(answer, batch, NOW, 0.5);
                if let Step::Compare { sequence } = step {
                    let found = match weather.get(rounds) {
                        Some(2) => Found::Unavailable(unavailable(None)),
                        _ if upstream.has.contains(&sequence) => Found::Same,
                        _ => Found::Other,
                    };
                    step = machine.compared(found, batch, NOW, 0.5);
                }
                if let Step::SetAside { sequence, .. } = step {
                    aside.insert(sequence);
                }
                prop_assert!(machine.cursor() >= first && machine.cursor() <= next);
            }
            for n in 1..end {
                prop_assert!(upstream.has.contains(&n) != aside.contains(&n), "{n}");
            }
            prop_assert!(aside.is_subset(&refuses.union(&fails_over).copied().collect()));
        }
    }
}
