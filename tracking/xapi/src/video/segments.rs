//! `played-segments` (Video Profile §2.5.4.5): `from[.]to` joined by `[,]`, in the order of watching.
//! Neither merged nor sorted; overlaps are legal and mean that something was watched again.
//!
//! Positions are whole milliseconds: the profile allows three decimals of a second, so nothing is lost, and
//! equality is exact.

use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The longest text we read. A registration that has 100 000 stretches has a broken player.
pub const MAX_TEXT_BYTES: usize = 1024 * 1024;
/// The latest position we read: about 11 days of media.
pub const MAX_POSITION_MS: u64 = 1_000_000_000;

const WITHIN: &str = "[.]";
const BETWEEN: &str = "[,]";

/// One stretch of media, `from_ms < to_ms`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Segment {
    /// First position played.
    pub from_ms: u64,
    /// Where playing stopped; not itself played.
    pub to_ms: u64,
}

impl Segment {
    /// How much media it covers.
    pub fn length_ms(self) -> u64 {
        self.to_ms.saturating_sub(self.from_ms)
    }
}

/// The stretches of one registration, in the order of watching.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Segments(Vec<Segment>);

/// A stretch that was played `count` times, from [`Segments::passes`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pass {
    /// First position.
    pub from_ms: u64,
    /// End, exclusive.
    pub to_ms: u64,
    /// How many of the segments cover it; at least 1.
    pub count: u64,
}

/// Why a text is no `played-segments`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SegmentsError {
    /// A part is not `from[.]to` with decimal seconds.
    #[error("segment {index} is not `from[.]to` with decimal seconds")]
    Form {
        /// Which part, from 0.
        index: usize,
    },
    /// A part ends before it begins.
    #[error("segment {index} ends before it begins")]
    Backwards {
        /// Which part, from 0.
        index: usize,
    },
    /// The text is longer than we read.
    #[error("longer than {MAX_TEXT_BYTES} bytes")]
    TooLong,
}

impl Segments {
    /// No stretch at all.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Adds a stretch at the end; one of no length is dropped, as the profile's players do.
    pub fn push(&mut self, from_ms: u64, to_ms: u64) {
        if from_ms < to_ms {
            self.0.push(Segment { from_ms, to_ms });
        }
    }

    /// The stretches in the order of watching.
    pub fn as_slice(&self) -> &[Segment] {
        &self.0
    }

    /// The stretches in the order of watching.
    pub fn iter(&self) -> impl Iterator<Item = Segment> + '_ {
        self.0.iter().copied()
    }

    /// Whether nothing was played.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many stretches.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Played time with every repetition.
    pub fn total_ms(&self) -> u64 {
        self.iter()
            .fold(0, |sum, segment| sum.saturating_add(segment.length_ms()))
    }

    /// What was played at least once: sorted, disjoint, not touching.
    #[must_use]
    pub fn union(&self) -> Self {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        let mut merged: Vec<Segment> = Vec::with_capacity(sorted.len());
        for segment in sorted {
            match merged.last_mut() {
                Some(last) if segment.from_ms <= last.to_ms => {
                    last.to_ms = last.to_ms.max(segment.to_ms);
                }
                _ => merged.push(segment),
            }
        }
        Self(merged)
    }

    /// Share of `length_ms` that was played at least once, 0..=1. Replays never add.
    pub fn ratio(&self, length_ms: u64) -> f64 {
        if length_ms == 0 {
            return 0.0;
        }
        let covered = self.clipped(length_ms).union().total_ms();
        // Both are far below 2^53: exact as f64.
        covered as f64 / length_ms as f64
    }

    /// Without what lies past the end of the media.
    #[must_use]
    pub fn clipped(&self, length_ms: u64) -> Self {
        let mut clipped = Self::new();
        for segment in &self.0 {
            clipped.push(segment.from_ms, segment.to_ms.min(length_ms));
        }
        clipped
    }

    /// Multiset difference, segment by segment: those of `self` that `counted` does not hold, in their order.
    /// What a registration's statement adds to what was counted for it before.
    #[must_use]
    pub fn minus(&self, counted: &Self) -> Self {
        let mut left: HashMap<Segment, usize> = HashMap::new();
        for segment in &counted.0 {
            *left.entry(*segment).or_default() += 1;
        }
        let added = self.iter().filter(|segment| match left.get_mut(segment) {
            Some(count) if *count > 0 => {
                *count -= 1;
                false
            }
            _ => true,
        });
        Self(added.collect())
    }

    /// Difference of what is covered, moment by moment: where `self` passes n times and `other` m times, n − m
    /// passes are left. What was played and visible is `played.minus_coverage(&hidden)`.
    #[must_use]
    pub fn minus_coverage(&self, other: &Self) -> Self {
        let mut steps = self.steps(1);
        steps.extend(other.steps(-1));
        let mut left = Self::new();
        for pass in levels(steps) {
            for _ in 0..pass.count {
                left.push(pass.from_ms, pass.to_ms);
            }
        }
        left
    }

    /// How often each moment was played: sorted, disjoint, only where at least once.
    pub fn passes(&self) -> Vec<Pass> {
        levels(self.steps(1))
    }

    fn steps(&self, up: i64) -> Vec<(u64, i64)> {
        self.iter()
            .flat_map(|segment| [(segment.from_ms, up), (segment.to_ms, -up)])
            .collect()
    }
}

/// Turns ups and downs into stretches of equal height above 0.
fn levels(mut steps: Vec<(u64, i64)>) -> Vec<Pass> {
    steps.sort_unstable();
    let mut passes: Vec<Pass> = Vec::new();
    let mut height = 0_i64;
    let mut since = 0_u64;
    for (at, step) in steps {
        if at > since {
            if let Ok(count @ 1..) = u64::try_from(height) {
                match passes.last_mut() {
                    Some(last) if last.to_ms == since && last.count == count => last.to_ms = at,
                    _ => passes.push(Pass {
                        from_ms: since,
                        to_ms: at,
                        count,
                    }),
                }
            }
            since = at;
        }
        height += step;
    }
    passes
}

impl FromIterator<(u64, u64)> for Segments {
    fn from_iter<I: IntoIterator<Item = (u64, u64)>>(pairs: I) -> Self {
        let mut segments = Self::new();
        for (from_ms, to_ms) in pairs {
            segments.push(from_ms, to_ms);
        }
        segments
    }
}

impl FromStr for Segments {
    type Err = SegmentsError;

    fn from_str(text: &str) -> Result<Self, SegmentsError> {
        if text.len() > MAX_TEXT_BYTES {
            return Err(SegmentsError::TooLong);
        }
        let mut segments = Self::new();
        if text.is_empty() {
            return Ok(segments);
        }
        for (index, part) in text.split(BETWEEN).enumerate() {
            let (from, to) = part
                .split_once(WITHIN)
                .ok_or(SegmentsError::Form { index })?;
            let from_ms = parse_seconds(from).ok_or(SegmentsError::Form { index })?;
            let to_ms = parse_seconds(to).ok_or(SegmentsError::Form { index })?;
            if to_ms < from_ms {
                return Err(SegmentsError::Backwards { index });
            }
            segments.push(from_ms, to_ms);
        }
        Ok(segments)
    }
}

/// Decimal seconds to milliseconds, cut after the third decimal. Foreign players send more, rarely a sign or space.
fn parse_seconds(text: &str) -> Option<u64> {
    let (whole, fraction) = text.trim().split_once('.').unwrap_or((text.trim(), ""));
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(fraction) {
        return None;
    }
    let seconds: u64 = whole.parse().ok()?;
    let mut millis = 0_u64;
    for place in 0..3 {
        let digit = fraction.as_bytes().get(place).map_or(0, |byte| byte - b'0');
        millis = millis * 10 + u64::from(digit);
    }
    let position = seconds.checked_mul(1000)?.checked_add(millis)?;
    (position <= MAX_POSITION_MS).then_some(position)
}

impl fmt::Display for Segments {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, segment) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str(BETWEEN)?;
            }
            write_seconds(f, segment.from_ms)?;
            f.write_str(WITHIN)?;
            write_seconds(f, segment.to_ms)?;
        }
        Ok(())
    }
}

fn write_seconds(f: &mut fmt::Formatter<'_>, millis: u64) -> fmt::Result {
    let (seconds, fraction) = (millis / 1000, millis % 1000);
    if fraction == 0 {
        return write!(f, "{seconds}");
    }
    let digits = format!("{fraction:03}");
    write!(f, "{seconds}.{}", digits.trim_end_matches('0'))
}

impl Serialize for Segments {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Segments {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Pass, Segments, SegmentsError};

    fn segments(text: &str) -> Segments {
        text.parse().expect("well-formed")
    }

    #[test]
    fn the_profiles_grammar_is_read_and_printed() {
        for text in [
            "",
            "0[.]10[,]20[.]25[,]5[.]8",
            "0.25[.]12.004[,]14[.]21[,]18[.]30",
        ] {
            assert_eq!(segments(text).to_string(), text);
        }
        assert_eq!(segments("0.1239[.]2.50").to_string(), "0.123[.]2.5");
    }

    #[test]
    fn a_segment_without_length_is_dropped() {
        assert!(segments("3[.]3").is_empty());
    }

    #[test]
    fn what_is_no_segment_is_refused() {
        for text in [
            "0[.]",
            "0-10",
            "a[.]b",
            "0[.]1[,]",
            "-1[.]2",
            "1e3[.]2000",
            "0[.]99999999999999999999",
        ] {
            assert!(
                matches!(text.parse::<Segments>(), Err(SegmentsError::Form { .. })),
                "{text}"
            );
        }
        assert_eq!(
            "0[.]1[,]5[.]4".parse::<Segments>(),
            Err(SegmentsError::Backwards { index: 1 })
        );
    }

    #[test]
    fn a_replay_never_adds_to_the_ratio() {
        let played = segments("0[.]10[,]20[.]25[,]5[.]8");
        assert_eq!(played.ratio(30_000), 0.5);
        assert_eq!(played.total_ms(), 18_000);
        assert_eq!(segments("0[.]40").ratio(30_000), 1.0);
        assert_eq!(played.ratio(0), 0.0);
    }

    #[test]
    fn only_what_was_added_is_left_by_the_multiset_difference() {
        let before = segments("0[.]10[,]5[.]8");
        let after = segments("0[.]10[,]5[.]8[,]5[.]8[,]20[.]25");
        assert_eq!(after.minus(&before).to_string(), "5[.]8[,]20[.]25");
        assert!(before.minus(&after).is_empty());
    }

    #[test]
    fn hidden_stretches_are_taken_from_the_passes_that_cover_them() {
        let played = segments("0[.]10[,]5[.]8");
        let visible = played.minus_coverage(&segments("6[.]9"));
        assert_eq!(
            visible.passes(),
            [
                Pass {
                    from_ms: 0,
                    to_ms: 5000,
                    count: 1
                },
                Pass {
                    from_ms: 5000,
                    to_ms: 6000,
                    count: 2
                },
                Pass {
                    from_ms: 6000,
                    to_ms: 8000,
                    count: 1
                },
                Pass {
                    from_ms: 9000,
                    to_ms: 10000,
                    count: 1
                },
            ]
        );
    }

    fn any_segments() -> impl Strategy<Value = Segments> {
        prop::collection::vec((0_u64..600_000, 0_u64..600_000), 0..40).prop_map(|pairs| {
            pairs
                .into_iter()
                .map(|(a, b)| (a.min(b), a.max(b)))
                .collect()
        })
    }

    proptest! {
        #[test]
        fn parsing_what_was_printed_gives_it_back(played in any_segments()) {
            prop_assert_eq!(played.to_string().parse::<Segments>(), Ok(played));
        }

        #[test]
        fn any_order_of_segments_has_the_same_union(played in any_segments(), seed in any::<u64>()) {
            let mut pairs: Vec<_> = played.iter().map(|s| (s.from_ms, s.to_ms)).collect();
            pairs.sort_by_key(|(from, to)| (from ^ seed, *to));
            let shuffled: Segments = pairs.into_iter().collect();
            prop_assert_eq!(shuffled.union(), played.union());
        }

        #[test]
        fn passes_hold_as_much_time_as_the_segments(played in any_segments()) {
            let sum: u64 = played.passes().iter().map(|p| (p.to_ms - p.from_ms) * p.count).sum();
            prop_assert_eq!(sum, played.total_ms());
        }

        #[test]
        fn the_difference_and_what_was_counted_make_the_whole(before in any_segments(), new in any_segments()) {
            let mut whole = before.clone();
            for s in new.iter() { whole.push(s.from_ms, s.to_ms); }
            prop_assert_eq!(whole.minus(&before).total_ms(), new.total_ms());
        }

        #[test]
        fn no_text_makes_the_parser_panic(text in ".{0,200}") {
            let _ = text.parse::<Segments>();
        }
    }
}
