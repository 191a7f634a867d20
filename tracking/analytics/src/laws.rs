//! Laws of counting, over generated segments: what must hold whatever was watched and in whatever order it arrives.

use crate::observation::{Observation, Verb};
use crate::passes::passes;
use crate::record::Record;
use crate::rule::{Rule, Watched};
use crate::span::{MAX_MS, Span};
use proptest::collection::vec;
use proptest::prelude::{
    Just, Strategy, any, prop_assert, prop_assert_eq, prop_assume, prop_oneof, proptest,
};
use proptest::sample::subsequence;

fn span() -> impl Strategy<Value = Span> {
    (0u32..60_000, 1u32..15_000).prop_map(|(from, length)| Span {
        from,
        to: from + length,
    })
}

/// Segments and the same in another order.
fn shuffled() -> impl Strategy<Value = (Vec<Span>, Vec<Span>)> {
    vec(span(), 0..12).prop_flat_map(|spans| (Just(spans.clone()), Just(spans).prop_shuffle()))
}

fn said(session: u8, played: &[Span], hidden: &[Span]) -> Observation {
    Observation {
        activity: "https://box.example/videos/1".into(),
        version: 1,
        registration: [7; 16],
        actor: "account https://box.example a".into(),
        session: [session; 16],
        verb: Verb::Paused,
        at_ms: 1_000_000,
        received_ms: 1_000_000,
        sequence: 1,
        length_ms: Some(70_300),
        rate: None,
        position_ms: None,
        played: Some(played.to_vec()),
        hidden: Some(hidden.to_vec()),
        muted: None,
    }
}

/// What a learner does, as far as time goes.
#[derive(Clone, Copy, Debug)]
enum Deed {
    Play,
    Pause,
    /// Wall time goes by; media time with it while playing.
    Run(u32),
    /// Wall time goes by and the medium stands: the network.
    Stall(u32),
    Seek(u32),
    Speed(u8),
    /// Something else is said in the middle, with the list so far.
    Tell,
}

fn deeds() -> impl Strategy<Value = Vec<Deed>> {
    let deed = prop_oneof![
        2 => Just(Deed::Play),
        1 => Just(Deed::Pause),
        4 => (1u32..30_000).prop_map(Deed::Run),
        1 => (1u32..30_000).prop_map(Deed::Stall),
        1 => (0u32..60_000).prop_map(Deed::Seek),
        1 => (0u8..3).prop_map(Deed::Speed),
        1 => Just(Deed::Tell),
    ];
    vec(deed, 0..16)
}

/// The statements of one session, as our player makes them: `played` says no list, all others the list so far with what
/// is playing; every one names the rate.
#[derive(Default)]
struct Player {
    wall_ms: i64,
    media_ms: u32,
    speed: u8,
    list: Vec<Span>,
    /// Where what is playing began.
    open: Option<u32>,
    said: Vec<Observation>,
}

impl Player {
    fn play(deeds: &[Deed]) -> Vec<Observation> {
        let mut player = Self::default();
        player.say(Verb::Initialized);
        for deed in deeds {
            match *deed {
                Deed::Play if player.open.is_none() => {
                    player.open = Some(player.media_ms);
                    player.say(Verb::Played);
                }
                Deed::Pause if player.open.is_some() => {
                    player.close();
                    player.say(Verb::Paused);
                }
                Deed::Play | Deed::Pause => {}
                Deed::Run(ms) => player.run(ms),
                Deed::Stall(ms) => player.wall_ms += i64::from(ms),
                Deed::Seek(to) => {
                    let goes_on = player.open.is_some();
                    player.close();
                    player.media_ms = to;
                    player.say(Verb::Seeked);
                    player.open = goes_on.then_some(to);
                }
                Deed::Speed(speed) => {
                    player.speed = speed;
                    player.say(Verb::Interacted);
                }
                Deed::Tell => player.say(Verb::Completed),
            }
        }
        player.close();
        player.say(Verb::Terminated);
        player.said
    }

    fn run(&mut self, ms: u32) {
        self.wall_ms += i64::from(ms);
        if self.open.is_some() {
            self.media_ms += ms << self.speed;
        }
    }

    fn close(&mut self) {
        let from = self.open.take();
        self.list
            .extend(from.and_then(|from| Span::new(from, self.media_ms)));
    }

    fn say(&mut self, verb: Verb) {
        // No two at the same time.
        self.wall_ms += 1;
        let playing = self.open.and_then(|from| Span::new(from, self.media_ms));
        let list: Vec<Span> = self.list.iter().copied().chain(playing).collect();
        let has_list = !matches!(verb, Verb::Initialized | Verb::Played);
        let list = has_list.then_some(list);
        self.said.push(Observation {
            verb,
            at_ms: 1_000_000 + self.wall_ms,
            received_ms: 100_000_000,
            sequence: self.said.len() as u64,
            rate: Some(f32::from(1u8 << self.speed)),
            position_ms: (verb == Verb::Paused).then_some(self.media_ms),
            played: list.clone(),
            hidden: None,
            muted: list,
            ..said(1, &[], &[])
        });
    }
}

proptest! {
    /// An offline queue, two requests that overtake each other, a request that is sent again.
    #[test]
    fn a_session_counts_the_same_in_any_order_and_nothing_honest_is_refused(
        (said, order) in deeds().prop_flat_map(|deeds| {
            let said = Player::play(&deeds);
            let twice: Vec<usize> = (0..said.len()).chain(0..said.len()).collect();
            (Just(said), Just(twice).prop_shuffle())
        })
    ) {
        let mut in_order = Record::default();
        for statement in &said {
            in_order.take(statement);
        }
        let mut mixed = Record::default();
        let mut marked = std::collections::BTreeSet::new();
        for index in order {
            let taken = mixed.take(&said[index]);
            if taken.is_doubted {
                marked.insert(said[index].sequence);
            }
            marked.retain(|sequence| !taken.cleared.contains(sequence));
        }
        prop_assert_eq!(&in_order.played.refused, &[]);
        prop_assert_eq!(&mixed.played.refused, &[]);
        prop_assert!(marked.is_empty(), "{:?}", marked);
        let seconds = |spans: &[Span]| passes(spans, &[], None, 0..2_000);
        prop_assert_eq!(seconds(&in_order.played.counted), seconds(&mixed.played.counted));
        prop_assert_eq!(seconds(&in_order.muted.counted), seconds(&mixed.muted.counted));
        prop_assert_eq!(in_order.position, mixed.position);
    }

    #[test]
    fn any_order_of_segments_gives_the_same_seconds_and_the_same_union((spans, other) in shuffled(), (hidden, unseen) in shuffled()) {
        prop_assert_eq!(
            passes(&spans, &hidden, Some(70_300), 0..80),
            passes(&other, &unseen, Some(70_300), 0..80)
        );
        let record = |played: &[Span], hidden: &[Span]| {
            let mut record = Record::default();
            record.played.counted = played.to_vec();
            record.hidden.counted = hidden.to_vec();
            Watched::of(&record, Some(70_300))
        };
        prop_assert_eq!(record(&spans, &hidden), record(&other, &unseen));
    }

    /// Two devices begin with the same list and go on each on its own; their statements come in any order, each perhaps
    /// twice. Each list's segments count as often as they are in it, and what both began with counts once.
    #[test]
    fn statements_of_two_devices_count_the_same_in_any_order(
        common in vec(span(), 0..4),
        own in vec(vec(span(), 0..4), 2),
        order in subsequence((0..16usize).collect::<Vec<_>>(), 0..16).prop_shuffle(),
    ) {
        let mut statements = Vec::new();
        for (device, additions) in own.iter().enumerate() {
            for end in 0..=additions.len() {
                let list = [&common[..], &additions[..end]].concat();
                // No session's list is taken for a grown one: each statement is one of its own.
                statements.push(said(u8::try_from(statements.len() * 2 + device).unwrap(), &list, &[]));
            }
        }
        let mut in_order = Record::default();
        for statement in &statements {
            in_order.take(statement);
        }
        let mut mixed = Record::default();
        for index in order.iter().filter(|index| **index < statements.len()) {
            mixed.take(&statements[*index]);
        }
        for statement in statements.iter().rev().chain(&statements) {
            mixed.take(statement);
        }
        let sorted = |record: &Record| {
            let mut spans = record.played.counted.clone();
            spans.sort_unstable();
            spans
        };
        prop_assert_eq!(sorted(&in_order), sorted(&mixed));
    }

    /// A pass told in any number of instalments is one pass. Nothing else may begin or end at the very millisecond of a
    /// cut: which of the two went on there is told by nobody (`passes`).
    #[test]
    fn a_pass_told_in_instalments_counts_once(whole in span(), cuts in vec(any::<u16>(), 0..6), rest in vec(span(), 0..3)) {
        let mut ends: Vec<u32> = cuts
            .iter()
            .map(|cut| whole.from + 1 + u32::from(*cut) % whole.length_ms())
            .collect();
        ends.sort_unstable();
        prop_assume!(!rest.iter().any(|span| ends.contains(&span.from) || ends.contains(&span.to)));
        ends.push(whole.to);
        let mut record = Record::default();
        let mut at_ms = 0;
        let mut take = |session, list: &[Span]| {
            at_ms += 1_000_000;
            record.take(&Observation { at_ms, ..said(session, list, &[]) });
        };
        for to in ends {
            take(1, &[Span { from: whole.from, to }]);
        }
        let all = [&[whole][..], &rest].concat();
        take(1, &all);
        take(2, &all);
        prop_assert_eq!(
            passes(&record.played.counted, &[], None, 0..80),
            passes(&all, &[], None, 0..80)
        );
    }

    /// What is visible and what is hidden never is more than what was played, nor is hiding ever counted as seen.
    #[test]
    fn hiding_moves_passes_and_makes_none(played in vec(span(), 0..8), hidden in vec(span(), 0..8)) {
        let all = passes(&played, &[], None, 0..80);
        let some = passes(&played, &hidden, None, 0..80);
        for (all, some) in all.iter().zip(&some) {
            assert!(some.visible <= all.visible, "{all:?} {some:?}");
        }
        let gone = passes(&played, &played, None, 0..80);
        for (all, gone) in all.iter().zip(&gone) {
            prop_assert_eq!((gone.visible, gone.hidden), (0, all.visible));
        }
    }

    /// The definition counted naively: passes of whole seconds, second by second.
    #[test]
    fn whole_seconds_are_simply_counted(list in vec((0u32..50, 1u32..20), 0..10)) {
        let spans: Vec<Span> = list
            .iter()
            .map(|(from, length)| Span { from: from * 1000, to: (from + length) * 1000 })
            .collect();
        for (second, found) in passes(&spans, &[], None, 0..80).iter().enumerate() {
            let at = u32::try_from(second).unwrap() * 1000;
            let naive = spans.iter().filter(|span| span.from <= at && at < span.to).count();
            prop_assert_eq!(found.visible as usize, naive);
        }
    }

    #[test]
    fn a_record_reads_back_as_it_was_written(played in vec(span(), 0..8), hidden in vec(span(), 0..8), rate in any::<f32>(), at in any::<i32>(), twice in vec(span(), 1..3)) {
        let mut record = Record::default();
        for (session, list) in [(1, &played), (2, &twice), (1, &twice)] {
            record.take(&Observation {
                rate: Some(rate),
                at_ms: i64::from(at),
                position_ms: Some(5),
                verb: Verb::Played,
                ..said(session, list, &hidden)
            });
        }
        prop_assert_eq!(Record::decode(&record.encode()).unwrap(), record);
    }

    #[test]
    fn no_bytes_make_a_record_panic(bytes in vec(any::<u8>(), 0..300)) {
        let _ = Record::decode(&[&[1], &bytes[..]].concat());
    }
}

#[test]
fn years_of_segments_are_bounded() {
    let spans: Vec<Span> = (0..100_000u32)
        .filter_map(|n| Span::new(n % 1000, MAX_MS.saturating_sub(n)))
        .collect();
    let mut record = Record::default();
    let touched = record.take(&said(1, &spans, &spans)).seconds;
    assert!(touched.last().is_some_and(|last| last.end <= MAX_MS / 1000));
    assert_eq!(
        passes(
            &record.played.counted,
            &record.hidden.counted,
            None,
            0..u32::MAX
        )
        .len(),
        172_800
    );
    assert!(record.encode().len() < 1 << 20);
}

#[test]
fn completed_means_what_the_rule_says() {
    let record = |played: &[(u32, u32)], hidden: &[(u32, u32)]| {
        let list = |list: &[(u32, u32)]| {
            list.iter()
                .filter_map(|&(from, to)| Span::new(from, to))
                .collect()
        };
        let mut record = Record::default();
        record.played.counted = list(played);
        record.hidden.counted = list(hidden);
        Watched::of(&record, Some(100_000))
    };
    let ninety = Rule::Watched { percent: 90 };
    let all = Rule::Watched { percent: 100 };
    // (played, hidden, 90 %, 100 %, end)
    type Row = (
        &'static [(u32, u32)],
        &'static [(u32, u32)],
        bool,
        bool,
        bool,
    );
    let table: [Row; 8] = [
        (&[], &[], false, false, false),
        (&[(0, 90_000)], &[], true, false, false),
        (&[(0, 89_999)], &[], false, false, false),
        (&[(0, 45_000), (0, 45_000)], &[], false, false, false),
        (&[(0, 99_200)], &[], true, true, true),
        (&[(99_500, 100_000)], &[], false, false, true),
        (&[(0, 100_000)], &[(50_000, 100_000)], false, false, false),
        (
            &[(0, 100_000), (50_000, 100_000)],
            &[(50_000, 100_000)],
            true,
            true,
            true,
        ),
    ];
    for (played, hidden, most, whole, end) in table {
        let watched = record(played, hidden);
        let found = [ninety, all, Rule::End].map(|rule| watched.is_completed(rule));
        assert_eq!(found, [most, whole, end], "{played:?} {hidden:?}");
    }
}
