//! What *watched* and *completed* mean: `docs/definitions.md`, in code. Decided when somebody reads, so that another rule
//! holds for all that was recorded before it too. None of them means that anybody learned anything.

use crate::record::Record;
use crate::span::{Span, at_least, before, total_ms, visible_ms};

/// Media rarely ends at the millisecond its length says.
const END_SLACK_MS: u32 = 1_000;

/// When a learner has completed a video.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// Watched at least so many percent of the distinct runtime while the page was visible.
    Watched {
        /// 1 to 100.
        percent: u8,
    },
    /// Reached the end: its last second was played while the page was visible.
    End,
}

impl Rule {
    /// The word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Watched { .. } => "watched",
            Self::End => "end",
        }
    }
}

/// What one record says, with the length of the video known.
#[derive(Clone, Debug, PartialEq)]
pub struct Watched {
    /// Seen at least once: in order, apart from one another.
    pub segments: Vec<Span>,
    /// Seen at least twice.
    pub replayed: Vec<Span>,
    /// Share of the runtime seen at least once, 0 to 1.
    pub ratio: f64,
    /// Time on the video: media time seen, replays counted each time.
    pub time_ms: u64,
    /// Whether anything was played at all, seen or not.
    pub is_started: bool,
    seen_ms: u64,
    length_ms: u32,
}

impl Watched {
    /// `duration_ms` is the video's length as the box knows it; without it, what the player said.
    #[must_use]
    pub fn of(record: &Record, duration_ms: Option<u32>) -> Self {
        let played = &record.played.counted;
        let hidden = &record.hidden.counted;
        let length_ms = duration_ms.or(record.length_ms).unwrap_or(u32::MAX);
        let segments = before(length_ms, &at_least(1, played, hidden));
        let seen_ms = total_ms(&segments);
        let is_known = length_ms > 0 && length_ms < u32::MAX;
        Self {
            replayed: before(length_ms, &at_least(2, played, hidden)),
            // Both are far below 2^53.
            #[allow(clippy::cast_precision_loss)]
            ratio: if is_known {
                (seen_ms as f64 / f64::from(length_ms)).min(1.0)
            } else {
                0.0
            },
            time_ms: visible_ms(played, hidden),
            is_started: !played.is_empty(),
            segments,
            seen_ms,
            length_ms,
        }
    }

    /// Whether at least so many percent of the distinct runtime were seen. All of it means: but for a second.
    #[must_use]
    pub fn has_watched(&self, percent: u8) -> bool {
        let wanted = u64::from(self.length_ms) * u64::from(percent.min(100)) / 100;
        let slack = if percent >= 100 {
            self.end_slack_ms()
        } else {
            0
        };
        self.length_ms < u32::MAX
            && self.is_started
            && self.seen_ms >= wanted.saturating_sub(u64::from(slack))
    }

    /// Whether the video is completed by that rule.
    #[must_use]
    pub fn is_completed(&self, rule: Rule) -> bool {
        match rule {
            Rule::Watched { percent } => self.has_watched(percent),
            Rule::End => self.has_reached_end(),
        }
    }

    fn has_reached_end(&self) -> bool {
        self.segments
            .last()
            .is_some_and(|last| last.to > self.length_ms - self.end_slack_ms())
    }

    /// A second; of a very short video half.
    fn end_slack_ms(&self) -> u32 {
        END_SLACK_MS.min(self.length_ms / 2)
    }
}

/// Where to go on: where the learner was last; the beginning after the end.
#[must_use]
pub fn resume_ms(record: &Record, duration_ms: Option<u32>) -> u32 {
    let position = record.position.map_or(0, |(position, _)| position);
    match duration_ms.or(record.length_ms) {
        Some(length) if position.saturating_add(END_SLACK_MS) >= length => 0,
        _ => position,
    }
}
