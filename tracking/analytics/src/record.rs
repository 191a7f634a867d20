//! Everything kept of one learner's watching of one version: one record for each registration and actor.
//!
//! Pure: a statement goes in ([`Record::take`]), what changed comes out. What counts is decided in `track`, `session`
//! and `passes`; what *completed* means is decided when somebody reads (`rule`).

use crate::observation::{Observation, Verb};
use crate::passes::seconds_of;
use crate::session::{Doubt, Moment, Rate, Session, Telling};
use crate::span::Span;
use crate::track::{Tail, Track, tail_of};
use crate::wire::{Reader, Writer, read_spans, write_spans};
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
    /// Where the learner was by the newest statement that moves the place, and its time.
    pub position: Option<(u32, i64)>,
    /// Time of the first statement, Unix milliseconds.
    pub first_seen_ms: i64,
    /// Time of the newest statement, never later than the box received it.
    pub last_seen_ms: i64,
}

/// What a statement changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// The seconds whose passes may have changed, in order, apart from each other.
    pub seconds: Vec<Range<u32>>,
    /// Whether something it added is implausible.
    pub is_doubted: bool,
    /// Numbers of earlier statements of which nothing is implausible any more.
    pub cleared: Vec<u64>,
}

impl Record {
    /// Takes a statement in.
    pub fn take(&mut self, observation: &Observation) -> Taken {
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
        let at_ms = observation.at_ms;
        let rate = observation.rate.and_then(Rate::new);
        let mut grew = false;
        if let Some(said) = &observation.played {
            let pieces = self.played.pieces_of(said, session.tails[0], at_ms);
            session.tell(&pieces, at_ms, rate);
            let new = self.played.new_in(&pieces);
            let last = new.len().saturating_sub(1);
            grew = !new.is_empty();
            for (index, span) in new.into_iter().enumerate() {
                let telling = Telling {
                    at_ms,
                    is_last: index == last,
                    rate,
                };
                if session.is_plausible(span, telling) {
                    self.played.counted.push(span);
                    changed.add(span);
                } else {
                    self.played.refused.push(span);
                    session.doubt(Doubt {
                        span,
                        telling,
                        sequence: observation.sequence,
                    });
                }
            }
            keep_tail(&mut session.tails[0], said, at_ms);
        }
        let others = [
            (&mut self.hidden, &observation.hidden, 1),
            (&mut self.muted, &observation.muted, 2),
        ];
        for (track, said, place) in others {
            let Some(said) = said else { continue };
            let pieces = track.pieces_of(said, session.tails[place], at_ms);
            for span in track.new_in(&pieces) {
                track.counted.push(span);
                changed.add(span);
            }
            keep_tail(&mut session.tails[place], said, at_ms);
        }
        let is_late = at_ms < session.newest_ms;
        session.note(Moment {
            at_ms,
            rate,
            is_start: matches!(
                observation.verb,
                Verb::Initialized | Verb::Played | Verb::Seeked
            ),
            grew,
        });
        let mut cleared = Vec::new();
        if is_late {
            for doubt in session.settle(at_ms) {
                self.played.acquit(doubt.span);
                changed.add(doubt.span);
                cleared.push(doubt.sequence);
            }
        }
        let is_doubted = |sequence| session.doubts.iter().any(|left| left.sequence == sequence);
        cleared.retain(|sequence| !is_doubted(*sequence));
        let is_doubted = is_doubted(observation.sequence);

        let seen = at_ms.min(observation.received_ms);
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
        Taken {
            seconds: changed.ranges(),
            is_doubted,
            cleared,
        }
    }

    /// As stored.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Writer::new();
        out.optional(self.length_ms);
        for track in [&self.played, &self.hidden, &self.muted] {
            write_spans(&track.counted, &mut out);
            write_spans(&track.refused, &mut out);
            let cuts: Vec<Span> = track.cuts.iter().map(|(whole, _)| *whole).collect();
            write_spans(&cuts, &mut out);
            for (_, at) in &track.cuts {
                out.number(u64::from(*at));
            }
        }
        out.number(self.sessions.len() as u64);
        for session in &self.sessions {
            write_session(session, &mut out);
        }
        out.optional(self.position.map(|(position, _)| position));
        out.signed(self.position.map_or(0, |(_, at)| at));
        out.signed(self.first_seen_ms);
        out.signed(self.last_seen_ms);
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
            track.counted = read_spans(&mut from)?;
            track.refused = read_spans(&mut from)?;
            for whole in read_spans(&mut from)? {
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

fn write_session(session: &Session, out: &mut Writer) {
    out.bytes(&session.id);
    out.number(session.moments.len() as u64);
    let mut last = 0;
    for moment in &session.moments {
        out.signed(moment.at_ms.wrapping_sub(last));
        last = moment.at_ms;
        write_rate(moment.rate, out);
        out.number(u64::from(moment.is_start) | u64::from(moment.grew) << 1);
    }
    out.number(u64::from(session.first_ms.is_some()));
    out.signed(session.first_ms.unwrap_or(0));
    write_rate(Some(session.earlier_rate), out);
    out.signed(session.newest_ms);
    let doubted: Vec<Span> = session.doubts.iter().map(|doubt| doubt.span).collect();
    write_spans(&doubted, out);
    for doubt in &session.doubts {
        out.signed(doubt.telling.at_ms);
        out.number(u64::from(doubt.telling.is_last));
        write_rate(doubt.telling.rate, out);
        out.number(doubt.sequence);
    }
    for tail in session.tails {
        let spans: Vec<Span> = tail.iter().map(|tail| tail.span).collect();
        write_spans(&spans, out);
        out.optional(tail.map(|tail| tail.index));
        out.signed(tail.map_or(0, |tail| tail.at_ms));
    }
}

fn read_session(from: &mut Reader<'_>) -> Result<Session, Corrupt> {
    let id = from.array()?;
    let mut moments = Vec::new();
    let mut last = 0_i64;
    for _ in 0..from.number()? {
        last = last.wrapping_add(from.signed()?);
        let rate = read_rate(from)?;
        let flags = from.number()?;
        moments.push(Moment {
            at_ms: last,
            rate,
            is_start: flags & 1 != 0,
            grew: flags & 2 != 0,
        });
    }
    let has_first = from.number()? != 0;
    let first_ms = from.signed()?;
    let earlier_rate = read_rate(from)?.unwrap_or(Rate::NORMAL);
    let newest_ms = from.signed()?;
    let mut doubts = Vec::new();
    for span in read_spans(from)? {
        let telling = Telling {
            at_ms: from.signed()?,
            is_last: from.number()? != 0,
            rate: read_rate(from)?,
        };
        let sequence = from.number()?;
        doubts.push(Doubt {
            span,
            telling,
            sequence,
        });
    }
    let mut tails = [None; 3];
    for tail in &mut tails {
        let spans = read_spans(from)?;
        let index = from.optional()?;
        let at_ms = from.signed()?;
        *tail = spans.first().zip(index).map(|(span, index)| Tail {
            index,
            span: *span,
            at_ms,
        });
    }
    Ok(Session {
        id,
        moments,
        first_ms: has_first.then_some(first_ms),
        earlier_rate,
        newest_ms,
        doubts,
        tails,
    })
}

/// 0 for none: no rate is that slow.
fn write_rate(rate: Option<Rate>, out: &mut Writer) {
    out.number(rate.map_or(0, |rate| u64::from(rate.0)));
}

fn read_rate(from: &mut Reader<'_>) -> Result<Option<Rate>, Corrupt> {
    let rate =
        u16::try_from(from.number()?).map_err(|_| Corrupt("a rate that is none".to_owned()))?;
    Ok((rate > 0).then_some(Rate(rate)))
}

/// A list that comes late does not say where the session's list ends now.
fn keep_tail(tail: &mut Option<Tail>, said: &[Span], at_ms: i64) {
    if tail.is_none_or(|tail| tail.at_ms <= at_ms) {
        *tail = tail_of(said, at_ms).or(*tail);
    }
}

/// The seconds touched so far. What a first statement touches lies far apart: a segment, and the end of the video.
#[derive(Default)]
struct Changed(Vec<Range<u32>>);

/// Stretches that are looked at one by one; of more, everything from the first to the last is.
const MAX_STRETCHES: usize = 8;

impl Changed {
    fn add(&mut self, span: Span) {
        self.0.push(seconds_of(span));
    }

    fn add_second_at(&mut self, ms: u32) {
        if let Some(span) = Span::new(ms, ms.saturating_add(1)) {
            self.add(span);
        }
    }

    fn ranges(mut self) -> Vec<Range<u32>> {
        self.0.sort_unstable_by_key(|range| range.start);
        let mut apart: Vec<Range<u32>> = Vec::new();
        for range in self.0 {
            match apart.last_mut() {
                Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
                _ => apart.push(range),
            }
        }
        match (apart.first(), apart.last()) {
            (Some(first), Some(last)) if apart.len() > MAX_STRETCHES => {
                let whole = first.start..last.end;
                vec![whole]
            }
            _ => apart,
        }
    }
}
