//! What a registration's sessions say about time: is a new segment longer than the time there was to watch it?
//!
//! `docs/contract.md`, *Retention*: a segment longer than the wall time since the event before it, times the rate, plus
//! 2 s, is implausible. The event before is the later of the session's last `played`, `seeked` or `initialized` and its
//! last statement that added segments; an `interacted` in between does not shorten the time. When one statement adds
//! several segments, only the last can have been played since the last event: those before it have the time since the
//! list last grew. The rate is the fastest that the session named since. With no event before there is no bound.
//!
//! *Before* and *last* go by the statements' own timestamps, never by the order in which they came: a queue that is sent
//! late, or out of order, says the same as one that was sent at once. So a session keeps when what happened. What was
//! refused for want of something that comes only later is judged again when it has come ([`Session::settle`]): an honest
//! session ends with nothing refused, whatever the order (`laws`).
//!
//! Times are what a device claims. A device that lies about its clock is caught by the marks `late` and `early` of the
//! record store, not here. Statements without a `session-id` are one session together: it is the learner's own
//! registration that they share.

use crate::span::Span;
use crate::track::Tail;

/// Allowed on top of what wall time and rate give.
const SLACK_MS: u64 = 2_000;
/// No browser plays faster.
const MAX_RATE: f32 = 16.0;
/// So many sessions of one registration are remembered at once; the one unheard of for longest is forgotten.
const MAX_SESSIONS: usize = 16;
/// So many moments of a session are remembered, the newest: a few minutes of somebody who seeks without rest.
const MAX_MOMENTS: usize = 64;
/// So many refused segments of a session may be judged again.
const MAX_DOUBTS: usize = 64;

/// A playback rate in thousandths.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rate(pub u16);

impl Rate {
    /// As fast as the clock.
    pub const NORMAL: Self = Self(1_000);

    /// A rate as a statement names it, bounded; `None` for what is none.
    #[must_use]
    pub fn new(rate: f32) -> Option<Self> {
        // In 0.0..=16_000.0, so it fits.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        (rate.is_finite() && rate > 0.0)
            .then(|| Self(((rate.min(MAX_RATE) * 1000.0).round() as u16).max(1)))
    }
}

/// What a statement said of its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// The statement's timestamp, Unix milliseconds.
    pub at_ms: i64,
    /// The rate it named.
    pub rate: Option<Rate>,
    /// Whether a segment can have begun there: `played`, `seeked`, `initialized`.
    pub is_start: bool,
    /// Whether it added segments.
    pub grew: bool,
}

/// How a segment was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Telling {
    /// The statement's timestamp, Unix milliseconds.
    pub at_ms: i64,
    /// Whether it was the last of those that the statement added.
    pub is_last: bool,
    /// The rate that the statement named.
    pub rate: Option<Rate>,
}

/// A refused segment, and what there is to judge it again by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Doubt {
    /// The segment.
    pub span: Span,
    /// The earliest statement known that told it.
    pub telling: Telling,
    /// The log's number of the statement for which it was refused.
    pub sequence: u64,
}

/// One session of a registration, as far as later statements need it.
#[derive(Clone, Debug, PartialEq)]
pub struct Session {
    /// `session-id`; nil when a player sends none.
    pub id: [u8; 16],
    /// What happened when, in the order of time.
    pub moments: Vec<Moment>,
    /// The first time at which a segment can have begun, also when its moment is forgotten.
    pub first_ms: Option<i64>,
    /// The rate before the first moment that is remembered: the fastest of those forgotten.
    pub earlier_rate: Rate,
    /// Timestamp of the newest statement.
    pub newest_ms: i64,
    /// Refused segments that may yet prove plausible.
    pub doubts: Vec<Doubt>,
    /// Ends of the played, hidden and muted lists as last sent.
    pub tails: [Option<Tail>; 3],
}

impl Session {
    fn new(id: [u8; 16]) -> Self {
        Self {
            id,
            moments: Vec::new(),
            first_ms: None,
            earlier_rate: Rate::NORMAL,
            newest_ms: i64::MIN,
            doubts: Vec::new(),
            tails: [None; 3],
        }
    }

    /// The session of that id, made when it is new.
    pub fn find(sessions: &mut Vec<Self>, id: [u8; 16]) -> &mut Self {
        let place = if let Some(place) = sessions.iter().position(|session| session.id == id) {
            place
        } else {
            if sessions.len() >= MAX_SESSIONS {
                let oldest = sessions
                    .iter()
                    .enumerate()
                    .min_by_key(|(_, session)| session.newest_ms)
                    .map_or(0, |(place, _)| place);
                sessions.remove(oldest);
            }
            sessions.push(Self::new(id));
            sessions.len() - 1
        };
        &mut sessions[place]
    }

    /// Whether a new segment can have been played in the time there was. What was noted at the very same time counts as
    /// before it: those statements came before.
    #[must_use]
    pub fn is_plausible(&self, span: Span, telling: Telling) -> bool {
        self.fits(span, telling, telling.at_ms.saturating_add(1))
    }

    /// Keeps a refused segment for as long as it may prove plausible.
    pub fn doubt(&mut self, doubt: Doubt) {
        if self.doubts.len() >= MAX_DOUBTS {
            self.doubts.remove(0);
        }
        self.doubts.push(doubt);
    }

    /// A statement told these segments at `at_ms`, with this rate: what was refused when it was told later, was told
    /// then.
    pub fn tell(&mut self, said: &[Span], at_ms: i64, rate: Option<Rate>) {
        for doubt in &mut self.doubts {
            if at_ms >= doubt.telling.at_ms {
                continue;
            }
            if let Some(place) = said.iter().rposition(|span| *span == doubt.span) {
                doubt.telling = Telling {
                    at_ms,
                    is_last: place + 1 == said.len(),
                    rate,
                };
            }
        }
    }

    /// A statement was taken in.
    pub fn note(&mut self, moment: Moment) {
        let at_ms = moment.at_ms;
        self.newest_ms = self.newest_ms.max(at_ms);
        let is_event = moment.is_start || moment.grew;
        if is_event {
            self.first_ms = Some(self.first_ms.map_or(at_ms, |first| first.min(at_ms)));
        }
        let place = self.moments.partition_point(|known| known.at_ms <= at_ms);
        let before = &self.moments[..place];
        let in_effect = before.iter().rev().find_map(|known| known.rate);
        let is_news = is_event || (moment.rate.is_some() && moment.rate != in_effect);
        if !is_news || before.iter().rev().any(|known| *known == moment) {
            return;
        }
        self.moments.insert(place, moment);
        if self.moments.len() > MAX_MOMENTS {
            let forgotten = self.moments.remove(0);
            self.earlier_rate = self.earlier_rate.max(forgotten.rate.unwrap_or(Rate(0)));
        }
    }

    /// Judges again, after a statement of `at_ms` was noted, what was told after it: takes out what has proved plausible.
    pub fn settle(&mut self, at_ms: i64) -> Vec<Doubt> {
        let (mut settled, mut kept) = (Vec::new(), Vec::new());
        for doubt in std::mem::take(&mut self.doubts) {
            let telling = doubt.telling;
            // What the doubted statement itself noted is not before it.
            if at_ms <= telling.at_ms && self.fits(doubt.span, telling, telling.at_ms) {
                settled.push(doubt);
            } else {
                kept.push(doubt);
            }
        }
        self.doubts = kept;
        settled
    }

    /// Judges by what was noted before `before_ms`.
    fn fits(&self, span: Span, telling: Telling, before_ms: i64) -> bool {
        let known = self
            .moments
            .partition_point(|moment| moment.at_ms < before_ms);
        let known = &self.moments[..known];
        let bounds = |moment: &&Moment| moment.grew || (telling.is_last && moment.is_start);
        let event = known.iter().rev().find(bounds);
        let first = self.first_ms.filter(|first| *first < before_ms);
        let Some(since) = event.map(|event| event.at_ms).or(first) else {
            return true;
        };
        let wall_ms = u64::try_from(telling.at_ms.saturating_sub(since)).unwrap_or(0);
        let rate = u64::from(
            self.fastest(known, since)
                .max(telling.rate)
                .map_or(0, |rate| rate.0),
        );
        u64::from(span.length_ms()).saturating_mul(1000)
            <= wall_ms.saturating_mul(rate).saturating_add(SLACK_MS * 1000)
    }

    /// The fastest rate in effect in `known` since then.
    fn fastest(&self, known: &[Moment], since: i64) -> Option<Rate> {
        let named = |moment: &Moment| moment.rate.map(|rate| (moment.at_ms, rate));
        let after = known.iter().filter(|moment| moment.at_ms >= since);
        let after = after.filter_map(named).map(|(_, rate)| rate).max();
        let is_named_then = known.iter().filter_map(named).any(|(at, _)| at == since);
        if is_named_then {
            return after;
        }
        let mut before = known.iter().rev().filter(|moment| moment.at_ms < since);
        let in_effect = before.find_map(|moment| moment.rate);
        after.max(Some(in_effect.unwrap_or(self.earlier_rate)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(from: u32, to: u32) -> Span {
        Span::new(from, to).unwrap()
    }

    fn told(at_ms: i64, is_last: bool) -> Telling {
        Telling {
            at_ms,
            is_last,
            rate: None,
        }
    }

    fn start(at_ms: i64) -> Moment {
        Moment {
            at_ms,
            rate: None,
            is_start: true,
            grew: false,
        }
    }

    fn grown(at_ms: i64) -> Moment {
        Moment {
            is_start: false,
            grew: true,
            ..start(at_ms)
        }
    }

    fn rated(at_ms: i64, rate: f32) -> Moment {
        Moment {
            rate: Rate::new(rate),
            is_start: false,
            ..start(at_ms)
        }
    }

    fn session(moments: &[Moment]) -> Session {
        let mut session = Session::new([0; 16]);
        for moment in moments {
            session.note(*moment);
        }
        session
    }

    #[test]
    fn no_event_before_is_no_bound() {
        let session = session(&[start(2_000)]);
        assert!(session.is_plausible(span(0, 60_000), told(1_000, true)));
    }

    #[test]
    fn wall_time_times_rate_plus_two_seconds_is_the_bound() {
        let mut session = session(&[start(0)]);
        assert!(session.is_plausible(span(0, 12_000), told(10_000, true)));
        assert!(!session.is_plausible(span(0, 12_001), told(10_000, true)));
        session.note(rated(1, 2.0));
        assert!(session.is_plausible(span(0, 22_000), told(10_000, true)));
        assert!(!session.is_plausible(span(0, 22_001), told(10_000, true)));
    }

    #[test]
    fn the_event_before_is_the_last_one_by_its_time_whatever_came_last() {
        let session = session(&[start(100_000), start(0)]);
        assert!(session.is_plausible(span(0, 50_000), told(50_000, true)));
        assert!(!session.is_plausible(span(0, 50_000), told(101_000, true)));
    }

    #[test]
    fn the_fastest_rate_since_the_event_holds() {
        let faster = session(&[rated(-5, 2.0), start(0), rated(3_000, 1.0)]);
        assert!(faster.is_plausible(span(0, 20_000), told(10_000, true)));
        let slower = session(&[rated(-5, 2.0), start(0), rated(3_000, 1.0), grown(10_000)]);
        assert!(!slower.is_plausible(span(20_000, 40_000), told(20_000, true)));
    }

    #[test]
    fn segments_before_the_last_have_the_time_since_the_list_grew() {
        // `played`, and `seeked`, whose player sent no list with it.
        let session = session(&[start(0), start(10_000)]);
        assert!(session.is_plausible(span(0, 10_000), told(15_000, false)));
        assert!(session.is_plausible(span(20_000, 25_000), told(15_000, true)));
        assert!(!session.is_plausible(span(20_000, 30_000), told(15_000, true)));
    }

    #[test]
    fn what_was_refused_is_judged_again_when_an_earlier_telling_comes() {
        let mut session = session(&[start(0), start(50_000)]);
        let doubt = Doubt {
            span: span(0, 30_000),
            telling: told(50_100, true),
            sequence: 7,
        };
        assert!(!session.is_plausible(doubt.span, doubt.telling));
        session.doubt(doubt);
        session.note(rated(40_000, 1.0));
        assert_eq!(session.settle(40_000), []);
        session.tell(&[doubt.span], 30_000, None);
        assert_eq!(session.settle(30_000).len(), 1);
        assert_eq!(session.doubts, []);
    }

    #[test]
    fn a_rate_from_nowhere_is_bounded() {
        for rate in [f32::NAN, f32::INFINITY, -3.0, 0.0] {
            assert_eq!(Rate::new(rate), None);
        }
        assert_eq!(Rate::new(1e30), Some(Rate(16_000)));
        assert_eq!(Rate::new(1e-30), Some(Rate(1)));
    }

    #[test]
    fn somebody_who_seeks_without_rest_is_remembered_in_part_and_refused_nothing() {
        let mut session = session(&[rated(0, 4.0)]);
        for n in 0..1_000 {
            session.note(start(n * 1_000));
        }
        assert_eq!(session.moments.len(), MAX_MOMENTS);
        assert!(session.is_plausible(span(0, 3_000_000), told(1_000_000, false)));
        assert!(session.is_plausible(span(0, 2_000), told(100, true)));
    }

    #[test]
    fn the_session_unheard_of_for_longest_is_forgotten() {
        let mut sessions = Vec::new();
        for id in 0..40u8 {
            Session::find(&mut sessions, [id; 16]).note(start(i64::from(id)));
        }
        assert_eq!(sessions.len(), MAX_SESSIONS);
        assert_eq!(sessions[0].id, [24; 16]);
    }
}
