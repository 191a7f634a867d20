use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use super::{Ask, FULL_LIMIT, Facts, IDLE_PAGES, Machine, Step, Trouble};
use crate::remote::Unavailable;

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millisecond(1_800_000_000_000 + millis).unwrap()
}

fn page(first: i64, last: i64, more: Option<&str>) -> Facts {
    Facts {
        count: 2,
        first: Some(at(first)),
        last: Some(at(last)),
        ascends: true,
        through: None,
        more: more.map(str::to_owned),
    }
}

fn end(more: Option<&str>) -> Facts {
    Facts {
        ascends: true,
        more: more.map(str::to_owned),
        ..Facts::default()
    }
}

fn why(text: &str) -> Unavailable {
    Unavailable {
        reason: text.to_owned(),
        retry_after: None,
    }
}

fn begins(machine: &Machine) -> (Option<Timestamp>, usize, bool) {
    match machine.ask() {
        Ask::Begin {
            since,
            limit,
            attachments,
        } => (since, limit, attachments),
        Ask::More(more) => panic!("asks for {more}"),
    }
}

#[test]
fn a_list_is_read_to_its_end_and_the_cursor_stays_a_little_behind() {
    let mut machine = Machine::new(true, None, None);
    assert_eq!(begins(&machine), (None, FULL_LIMIT, true));
    let step = machine.took(page(0, 9_000, Some("/more/2")), 2, NOW, 1.0);
    assert_eq!(step, Step::GoOn);
    assert_eq!(machine.ask(), Ask::More("/more/2".to_owned()));
    assert_eq!(machine.cursor(), Some(at(7_000)));
    let step = machine.took(page(9_000, 9_500, None), 2, NOW, 1.0);
    assert_eq!(step, Step::Done);
    assert_eq!(machine.newest(), Some(at(9_500)));
    // Whoever goes on later begins before the newest: others may share its `stored`, or become visible later.
    assert_eq!(begins(&machine).0, Some(at(7_500)));
}

#[test]
fn the_cursor_believes_what_the_source_is_consistent_through_within_an_hour_and_never_falls_back() {
    let cursor = |through: i64| {
        let mut machine = Machine::new(false, Some(at(-10_000)), None);
        let facts = Facts {
            through: Some(at(through)),
            ..page(0, 9_000, None)
        };
        machine.took(facts, 2, NOW, 1.0);
        machine.cursor()
    };
    assert_eq!(cursor(20_000), Some(at(7_000)));
    assert_eq!(cursor(5_000), Some(at(3_000)));
    assert_eq!(cursor(-500_000), Some(at(-10_000)));
    let mut machine = Machine::new(false, None, None);
    let facts = Facts {
        through: Some(Timestamp::UNIX_EPOCH),
        ..page(0, 9_000, None)
    };
    machine.took(facts, 2, NOW, 1.0);
    assert_eq!(machine.cursor(), Some(at(9_000 - 3_600_000)));
}

#[test]
fn one_who_follows_pauses_longer_while_nothing_comes_and_shorter_once_something_does() {
    let mut machine = Machine::new(false, None, None);
    let mut pause = |fresh| match machine.took(page(0, 1, None), fresh, NOW, 1.0) {
        Step::Rest { until } => until.duration_since(NOW).as_secs(),
        other => panic!("{other:?}"),
    };
    let pauses = [2, 0, 0, 0, 0, 0, 1, 0].map(&mut pause);
    assert_eq!(pauses, [5, 10, 20, 40, 60, 60, 5, 10]);
}

#[test]
fn pages_that_would_lead_past_something_are_not_admitted() {
    let mut machine = Machine::new(false, None, None);
    assert!(machine.admits(&page(0, 9, None)).is_ok());
    assert!(machine.admits(&end(Some("/more"))).is_ok());
    let unordered = Facts {
        ascends: false,
        ..page(0, 9, None)
    };
    assert!(machine.admits(&unordered).unwrap_err().contains("order"));
    let without_stored = Facts {
        count: 3,
        ..end(None)
    };
    assert!(machine.admits(&without_stored).is_err());
    machine.took(page(0, 9, Some("/more/2")), 2, NOW, 1.0);
    assert!(machine.admits(&page(8, 20, None)).is_err(), "falls back");
    assert!(machine.admits(&page(9, 20, Some("/more/2"))).is_err());
    assert!(machine.admits(&page(9, 20, Some("/more/3"))).is_ok());
    let endless = "x".repeat(17_000);
    assert!(machine.admits(&page(9, 20, Some(&endless))).is_err());
    // A list that is begun anew begins before where the last one was.
    machine.turned_down("why", NOW, 1.0);
    assert!(machine.admits(&page(-5, 20, None)).is_ok());
    assert_eq!(machine.cursor(), Some(at(9 - 2_000)));
}

#[test]
fn a_list_without_end_that_brings_nothing_is_left_after_a_while() {
    let mut machine = Machine::new(false, None, None);
    machine.took(page(0, 9, Some("/a")), 2, NOW, 1.0);
    for n in 1..IDLE_PAGES {
        let more = if n % 2 == 0 { "/a" } else { "/b" };
        assert_eq!(machine.took(end(Some(more)), 0, NOW, 1.0), Step::GoOn);
    }
    let step = machine.took(end(Some("/c")), 0, NOW, 1.0);
    assert!(matches!(step, Step::Wait { .. }), "{step:?}");
    assert_eq!(begins(&machine).0, Some(at(9 - 2_000)));
    // What was seen before but leads on is no idle page: a list that is begun anew goes over much of that.
    let mut machine = Machine::new(false, None, None);
    for n in 0..3 * i64::from(IDLE_PAGES) {
        let facts = page(n, n + 1, Some(if n % 2 == 0 { "/a" } else { "/b" }));
        assert_eq!(machine.took(facts, 0, NOW, 1.0), Step::GoOn);
    }
}

#[test]
fn what_is_too_large_is_asked_for_without_attachments_and_then_in_smaller_pieces() {
    let mut machine = Machine::new(false, Some(at(0)), None);
    let mut asked = Vec::new();
    let mut steps = Vec::new();
    for _ in 0..11 {
        steps.push(machine.failed(Trouble::TooLarge, NOW, 1.0));
        let (_, limit, attachments) = begins(&machine);
        asked.push((limit, attachments));
    }
    let limits = [500, 250, 125, 62, 31, 15, 7, 3, 1, 1, 1];
    assert_eq!(asked, limits.map(|limit| (limit, false)));
    assert!(steps[..9].iter().all(|step| *step == Step::GoOn));
    assert!(matches!(&steps[9], Step::Wait { reason, .. } if reason.contains("larger")));
    machine.took(page(0, 1, None), 1, NOW, 1.0);
    assert_eq!(begins(&machine).1, 2);
    assert!(
        begins(&machine).2,
        "attachments come again with the next list"
    );
}

#[test]
fn a_next_page_that_expired_begins_the_list_anew_once() {
    let mut machine = Machine::new(false, None, None);
    machine.took(page(0, 9_000, Some("/more/2")), 2, NOW, 1.0);
    let step = machine.failed(Trouble::Unknown(why("404")), NOW, 1.0);
    assert_eq!(step, Step::GoOn);
    assert_eq!(begins(&machine).0, Some(at(7_000)));
    // Asked anew it says the same: then it is not the page.
    let step = machine.failed(Trouble::Unknown(why("404")), NOW, 1.0);
    assert!(matches!(step, Step::Wait { .. }));
    machine.took(page(8_000, 9_000, Some("/more/3")), 0, NOW, 1.0);
    let step = machine.failed(Trouble::Unknown(why("404")), NOW, 1.0);
    assert_eq!(step, Step::GoOn, "it may expire again");
}

#[test]
fn one_that_is_away_is_waited_for_and_one_that_fails_is_asked_for_less() {
    let mut machine = Machine::new(false, None, None);
    machine.took(page(0, 9_000, Some("/more/2")), 2, NOW, 1.0);
    let busy = Unavailable {
        reason: "429".to_owned(),
        retry_after: Some(SignedDuration::from_secs(90)),
    };
    let step = machine.failed(Trouble::Unavailable(busy), NOW, 1.0);
    let Step::Wait { until, reason } = step else {
        panic!("{step:?}");
    };
    assert_eq!((until.as_second(), reason.as_str()), (90, "429"));
    assert_eq!(machine.ask(), Ask::More("/more/2".to_owned()));
    machine.took(page(9_000, 9_500, Some("/more/3")), 2, NOW, 1.0);
    machine.failed(Trouble::Failed(why("500")), NOW, 1.0);
    assert_eq!(machine.ask(), Ask::More("/more/3".to_owned()));
    machine.failed(Trouble::Failed(why("500")), NOW, 1.0);
    assert_eq!(begins(&machine).1, FULL_LIMIT / 2);
}

/// A source of statements with `stored` as given, ids as their places, that pages as asked and misbehaves in turns.
#[derive(Debug, Clone)]
struct Peer {
    stored: Vec<i64>,
    most: usize,
}

impl Peer {
    /// The statements of a page, and where the next begins.
    fn answer(&self, ask: &Ask) -> (Vec<usize>, Option<usize>) {
        let (from, limit) = match ask {
            Ask::Begin { since, limit, .. } => {
                let is_after = |stored: &i64| since.is_none_or(|since| at(*stored) > since);
                let from = self.stored.iter().position(is_after);
                (from.unwrap_or(self.stored.len()), (*limit).min(self.most))
            }
            Ask::More(more) => (more.parse().unwrap(), self.most),
        };
        let to = (from + limit).min(self.stored.len());
        ((from..to).collect(), (to < self.stored.len()).then_some(to))
    }

    fn facts(&self, ids: &[usize], more: Option<usize>) -> Facts {
        let stored = |id: &usize| at(self.stored[*id]);
        Facts {
            count: ids.len(),
            first: ids.first().map(stored),
            last: ids.last().map(stored),
            ascends: true,
            through: None,
            more: more.map(|more| more.to_string()),
        }
    }
}

proptest! {
    #[test]
    fn nothing_is_left_out_whatever_the_source_and_we_do(
        mut stored in prop::collection::vec(0_i64..20_000, 0..200),
        most in 1_usize..40,
        moods in prop::collection::vec(0_u8..8, 0..120),
    ) {
        stored.sort_unstable();
        let peer = Peer { stored, most };
        let mut machine = Machine::new(true, None, None);
        let mut has: BTreeSet<usize> = BTreeSet::new();
        let mut moods = moods.into_iter();
        for _ in 0..2_000 {
            let ask = machine.ask();
            let step = match moods.next() {
                Some(0) => machine.failed(Trouble::TooLarge, NOW, 1.0),
                Some(1) => machine.failed(Trouble::Unknown(why("404")), NOW, 1.0),
                Some(2) => machine.failed(Trouble::Failed(why("500")), NOW, 1.0),
                Some(3) => machine.failed(Trouble::Unavailable(why("away")), NOW, 1.0),
                Some(4) => machine.turned_down("garbage", NOW, 1.0),
                // We were killed: what is kept is the cursor and what was taken.
                Some(5) => {
                    machine = Machine::new(true, machine.cursor(), machine.newest());
                    continue;
                }
                _ => {
                    let (ids, more) = peer.answer(&ask);
                    let facts = peer.facts(&ids, more);
                    prop_assert_eq!(machine.admits(&facts), Ok(()));
                    let fresh = ids.iter().filter(|id| has.insert(**id)).count();
                    machine.took(facts, fresh, NOW, 1.0)
                }
            };
            if step == Step::Done {
                prop_assert_eq!(has.len(), peer.stored.len());
                return Ok(());
            }
        }
        prop_assert!(false, "never done");
    }
}
