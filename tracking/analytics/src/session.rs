//! What a registration's sessions say about time: is a new segment longer than the time there was to watch it?
//!
//! `docs/contract.md`, *Retention*: a segment longer than the wall time since the event before it, times the rate, plus
//! 2 s, is implausible. The event before is the later of the session's last `played`, `seeked` or `initialized` and its
//! last statement that added segments; an `interacted` in between does not shorten the time. When one statement adds
//! several segments, only the last can have been played since the last event: those before it have the time since the
//! list last grew. The rate is the fastest that the session named since. With no event before there is no bound.
//!
//! Times are the statements' own timestamps: what a device claims. A device that lies about its clock is caught by the
//! marks `late` and `early` of the record store, not here.

use crate::span::Span;
use crate::track::Tail;

/// Allowed on top of what wall time and rate give.
const SLACK_MS: f64 = 2_000.0;
/// No browser plays faster.
const MAX_RATE: f32 = 16.0;
/// So many sessions of one registration are remembered at once; the one unheard of for longest is forgotten.
const MAX_SESSIONS: usize = 16;

/// One session of a registration, as far as later statements need it.
#[derive(Clone, Debug, PartialEq)]
pub struct Session {
    /// `session-id`; nil when a player sends none.
    pub id: [u8; 16],
    /// Last event that a segment can have begun at, Unix milliseconds.
    pub event_ms: Option<i64>,
    /// When the list last grew, or the session's first event.
    pub grew_ms: Option<i64>,
    /// Timestamp of the newest statement.
    pub newest_ms: i64,
    /// Rate as last named.
    pub rate: f32,
    /// Fastest rate since the list last grew.
    pub top_rate: f32,
    /// Ends of the played, hidden and muted lists as last sent.
    pub tails: [Option<Tail>; 3],
}

impl Session {
    fn new(id: [u8; 16]) -> Self {
        Self {
            id,
            event_ms: None,
            grew_ms: None,
            newest_ms: i64::MIN,
            rate: 1.0,
            top_rate: 1.0,
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

    /// A statement's `speed` extension.
    pub fn set_rate(&mut self, rate: f32) {
        if rate.is_finite() && rate > 0.0 {
            self.rate = rate.min(MAX_RATE);
            self.top_rate = self.top_rate.max(self.rate);
        }
    }

    /// Whether a new segment, said at `at_ms`, can have been played in the time there was.
    #[must_use]
    pub fn is_plausible(&self, span: Span, at_ms: i64, is_last: bool) -> bool {
        let latest = self.event_ms.max(self.grew_ms);
        let since = if is_last {
            latest
        } else {
            self.grew_ms.or(latest)
        };
        let Some(since) = since else { return true };
        let wall = f64::from(u32::try_from(at_ms.saturating_sub(since).max(0)).unwrap_or(u32::MAX));
        f64::from(span.length_ms()) <= wall * f64::from(self.top_rate) + SLACK_MS
    }

    /// A statement was taken in: `is_start` for `played`, `seeked` and `initialized`, `grew` when it added segments.
    pub fn note(&mut self, at_ms: i64, is_start: bool, grew: bool) {
        if is_start || grew {
            self.event_ms = self.event_ms.max(Some(at_ms));
            self.grew_ms = self.grew_ms.or(Some(at_ms));
        }
        if grew {
            self.grew_ms = self.grew_ms.max(Some(at_ms));
            self.top_rate = self.rate;
        }
        self.newest_ms = self.newest_ms.max(at_ms);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(from: u32, to: u32) -> Span {
        Span::new(from, to).unwrap()
    }

    #[test]
    fn no_event_before_is_no_bound() {
        assert!(Session::new([0; 16]).is_plausible(span(0, 60_000), 1_000, true));
    }

    #[test]
    fn wall_time_times_rate_plus_two_seconds_is_the_bound() {
        let mut session = Session::new([0; 16]);
        session.note(0, true, false);
        assert!(session.is_plausible(span(0, 12_000), 10_000, true));
        assert!(!session.is_plausible(span(0, 12_001), 10_000, true));
        session.set_rate(2.0);
        assert!(session.is_plausible(span(0, 22_000), 10_000, true));
    }

    #[test]
    fn the_faster_of_two_rates_holds_until_the_list_grew() {
        let mut session = Session::new([0; 16]);
        session.set_rate(2.0);
        session.note(0, true, false);
        session.set_rate(1.0);
        assert!(session.is_plausible(span(0, 20_000), 10_000, true));
        session.note(10_000, false, true);
        assert!(!session.is_plausible(span(20_000, 40_000), 20_000, true));
    }

    #[test]
    fn segments_before_the_last_have_the_time_since_the_list_grew() {
        let mut session = Session::new([0; 16]);
        session.note(0, true, false); // played
        session.note(10_000, true, false); // seeked, whose player sent no list with it
        assert!(session.is_plausible(span(0, 10_000), 15_000, false));
        assert!(session.is_plausible(span(20_000, 25_000), 15_000, true));
        assert!(!session.is_plausible(span(20_000, 30_000), 15_000, true));
    }

    #[test]
    fn a_rate_from_nowhere_is_bounded() {
        let mut session = Session::new([0; 16]);
        for rate in [f32::NAN, f32::INFINITY, -3.0, 0.0] {
            session.set_rate(rate);
            assert!((session.top_rate - 1.0).abs() < f32::EPSILON);
        }
        session.set_rate(1e30);
        assert!((session.top_rate - MAX_RATE).abs() < f32::EPSILON);
    }

    #[test]
    fn the_session_unheard_of_for_longest_is_forgotten() {
        let mut sessions = Vec::new();
        for id in 0..40u8 {
            Session::find(&mut sessions, [id; 16]).note(i64::from(id), true, false);
        }
        assert_eq!(sessions.len(), MAX_SESSIONS);
        assert_eq!(sessions[0].id, [24; 16]);
    }
}
