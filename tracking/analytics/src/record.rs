//! Everything kept of one learner's watching of one version: one record for each registration and actor.
//!
//! Pure: a statement goes in ([`Record::take`]), what changed comes out. What counts is decided in `track`, `session`
//! and `passes`; what *completed* means is decided when somebody reads (`rule`).

use crate::observation::{Observation, Verb};
use crate::passes::seconds_of;
use crate::session::Session;
use crate::span::Span;
use crate::track::{Tail, Track, tail_of};
use crate::wire::{Reader, Writer};
use lectern_store::Corrupt;
use std::ops::Range;

/// One registration's watching of one version of a video.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Record {
    /// Length of the video as the player last named it.
    pub length_ms: Option<u32>,
    /// What was played, hidden or not.
    pub played: Track,
    /// What of it went by while the page was hidden.
    pub hidden: Track,
    /// What of it went by without sound.
    pub muted: Track,
    /// Sessions that may still send.
    pub sessions: Vec<Session>,
    /// Where the learner was by the newest statement that says so, and its time.
    pub position: Option<(u32, i64)>,
    /// Time of the first statement, Unix milliseconds.
    pub first_seen_ms: i64,
    /// Time of the newest statement, never later than the box received it.
    pub last_seen_ms: i64,
    /// Whether a player said `completed` itself.
    pub said_completed: bool,
}

impl Record {
    /// Takes a statement in. Returns the seconds whose passes may have changed.
    pub fn take(&mut self, observation: &Observation) -> Range<u32> {
        let mut changed = Changed::default();
        if let Some(length) = observation
            .length_ms
            .filter(|new| Some(*new) != self.length_ms)
        {
            changed.add_second_at(length);
            changed.add_second_at(self.length_ms.unwrap_or(length));
            self.length_ms = Some(length);
        }
        let session = Session::find(&mut self.sessions, observation.session);
        let at = observation.at_ms;
        let is_late = at < session.newest_ms;
        if let Some(rate) = observation.rate {
            session.set_rate(rate);
        }
        let mut grew = false;
        if let Some(said) = &observation.played {
            let new = self.played.take_new(said, session.tails[0], is_late);
            let last = new.len().saturating_sub(1);
            grew = !new.is_empty();
            for (index, span) in new.into_iter().enumerate() {
                if session.is_plausible(span, at, index == last) {
                    self.played.counted.push(span);
                    changed.add(span);
                } else {
                    self.played.refused.push(span);
                }
            }
            keep_tail(&mut session.tails[0], said, is_late);
        }
        let others = [
            (&mut self.hidden, &observation.hidden, 1),
            (&mut self.muted, &observation.muted, 2),
        ];
        for (track, said, place) in others {
            let Some(said) = said else { continue };
            for span in track.take_new(said, session.tails[place], is_late) {
                track.counted.push(span);
                changed.add(span);
            }
            keep_tail(&mut session.tails[place], said, is_late);
        }
        let is_start = matches!(
            observation.verb,
            Verb::Initialized | Verb::Played | Verb::Seeked
        );
        session.note(at, is_start, grew);

        let seen = at.min(observation.received_ms);
        if self.first_seen_ms == 0 {
            self.first_seen_ms = seen;
        }
        self.first_seen_ms = self.first_seen_ms.min(seen);
        self.last_seen_ms = self.last_seen_ms.max(seen);
        if let Some(position) = observation.position_ms
            && self.position.is_none_or(|(_, before)| before <= seen)
        {
            self.position = Some((position, seen));
        }
        self.said_completed |= observation.verb == Verb::Completed;
        changed.range()
    }

    /// As stored.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Writer::new();
        out.optional(self.length_ms);
        for track in [&self.played, &self.hidden, &self.muted] {
            out.spans(&track.counted);
            out.spans(&track.refused);
            let cuts: Vec<Span> = track.cuts.iter().map(|(whole, _)| *whole).collect();
            out.spans(&cuts);
            for (_, at) in &track.cuts {
                out.number(u64::from(*at));
            }
        }
        out.number(self.sessions.len() as u64);
        for session in &self.sessions {
            out.bytes(&session.id);
            for time in [session.event_ms, session.grew_ms] {
                out.number(u64::from(time.is_some()));
                out.signed(time.unwrap_or(0));
            }
            out.signed(session.newest_ms);
            out.bytes(&session.rate.to_le_bytes());
            out.bytes(&session.top_rate.to_le_bytes());
            for tail in session.tails {
                let spans: Vec<Span> = tail.iter().map(|tail| tail.span).collect();
                out.spans(&spans);
                out.optional(tail.map(|tail| tail.index));
            }
        }
        out.optional(self.position.map(|(position, _)| position));
        out.signed(self.position.map_or(0, |(_, at)| at));
        out.signed(self.first_seen_ms);
        out.signed(self.last_seen_ms);
        out.number(u64::from(self.said_completed));
        out.finish()
    }

    /// Back from bytes.
    ///
    /// # Errors
    /// [`Corrupt`] when they are no such record.
    pub fn decode(bytes: &[u8]) -> Result<Self, Corrupt> {
        let mut from = Reader::new(bytes)?;
        let mut record = Self {
            length_ms: from.optional()?,
            ..Self::default()
        };
        for track in [&mut record.played, &mut record.hidden, &mut record.muted] {
            track.counted = from.spans()?;
            track.refused = from.spans()?;
            for whole in from.spans()? {
                track.cuts.push((whole, 0));
            }
            for (_, at) in &mut track.cuts {
                *at = from.small()?;
            }
        }
        for _ in 0..from.number()? {
            record.sessions.push(read_session(&mut from)?);
        }
        let position = from.optional()?;
        let position_at = from.signed()?;
        record.position = position.map(|position| (position, position_at));
        record.first_seen_ms = from.signed()?;
        record.last_seen_ms = from.signed()?;
        record.said_completed = from.number()? != 0;
        Ok(record)
    }
}

impl lectern_store::Record for Record {
    fn encode(&self) -> Vec<u8> {
        self.encode()
    }

    fn decode(bytes: &[u8]) -> Result<Self, Corrupt> {
        Self::decode(bytes)
    }
}

fn read_session(from: &mut Reader<'_>) -> Result<Session, Corrupt> {
    let id = from.array()?;
    let mut times = [None; 2];
    for time in &mut times {
        let is_known = from.number()? != 0;
        let value = from.signed()?;
        *time = is_known.then_some(value);
    }
    let newest_ms = from.signed()?;
    let rate = f32::from_le_bytes(from.array()?);
    let top_rate = f32::from_le_bytes(from.array()?);
    let mut tails = [None; 3];
    for tail in &mut tails {
        let spans = from.spans()?;
        let index = from.optional()?;
        *tail = spans
            .first()
            .zip(index)
            .map(|(span, index)| Tail { index, span: *span });
    }
    Ok(Session {
        id,
        event_ms: times[0],
        grew_ms: times[1],
        newest_ms,
        rate,
        top_rate,
        tails,
    })
}

/// A list that comes late does not say where the session's list ends now.
fn keep_tail(tail: &mut Option<Tail>, said: &[Span], is_late: bool) {
    if !is_late || tail.is_none() {
        *tail = tail_of(said).or(*tail);
    }
}

/// The seconds touched so far, from the first to the last.
#[derive(Default)]
struct Changed(Option<Range<u32>>);

impl Changed {
    fn add(&mut self, span: Span) {
        let new = seconds_of(span);
        self.0 = Some(match self.0.take() {
            Some(old) => old.start.min(new.start)..old.end.max(new.end),
            None => new,
        });
    }

    fn add_second_at(&mut self, ms: u32) {
        if let Some(span) = Span::new(ms, ms.saturating_add(1)) {
            self.add(span);
        }
    }

    fn range(self) -> Range<u32> {
        self.0.unwrap_or(0..0)
    }
}
