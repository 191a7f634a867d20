//! A track of a package and its segments: times in ticks, sizes, and the bit rates measured from them.

use serde::{Deserialize, Serialize};

use super::{MAX_SEGMENTS, PackageError, within};
use crate::names::{Codecs, Language, Sentence, TrackId};

/// Longest segment, in seconds: a source without key frames is encoded, so nothing comes near.
pub(super) const MAX_SEGMENT_SECONDS: u64 = 60;
/// Widest and highest picture, in pixels.
const MAX_SIDE: u32 = 16_384;

/// One rendition: a rung of the ladder or a sound track.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Track {
    /// Name of the track and of its folder.
    pub id: TrackId,
    /// Picture or sound, with what manifests must say about it.
    pub kind: TrackKind,
    /// RFC 6381 codec string, read from what was really made.
    pub codecs: Codecs,
    /// Ticks a second of `presentation_offset` and of the segments' times.
    pub timescale: u32,
    /// The media time that is the video's time 0: the fragments' times are shifted by it (the muxer
    /// moves everything up so that no decode time is negative).
    pub presentation_offset: u64,
    /// Encoded by us or taken over from the source.
    pub made: Made,
    /// Why it was encoded or remuxed, for a person.
    pub reason: Sentence,
    /// The segments that exist, in order; the n-th lies in file n + 1.
    pub segments: Vec<Segment>,
    /// True when the last segment of the track exists.
    pub complete: bool,
}

/// Picture or sound.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum TrackKind {
    /// A rung of the ladder.
    Video {
        /// Pixels, even.
        width: u32,
        /// Pixels, even.
        height: u32,
        /// Frames a second as a fraction.
        frame_rate: Ratio,
    },
    /// A sound track.
    Audio {
        /// Channels, 2 for stereo.
        channels: u32,
        /// Samples a second.
        sample_rate: u32,
        /// The spoken language, where the source or the uploader named one.
        language: Option<Language>,
        /// What the source calls it: `Commentary`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        label: Option<Sentence>,
    },
}

/// A fraction; the denominator is never 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "(u32, u32)", into = "(u32, u32)")]
pub struct Ratio {
    num: u32,
    den: u32,
}

/// Encoded by us, or the source's own bits in our container.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Made {
    /// Decoded and encoded again.
    Encoded,
    /// The source's coded pictures or samples, cut into segments, not touched.
    Remuxed,
}

/// One media segment, written as `[start, duration, bytes]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "(u64, u64, u64)", into = "(u64, u64, u64)")]
pub struct Segment {
    /// Presentation time of its first sample on the fragments' own clock, in ticks.
    pub start: u64,
    /// Length in ticks.
    pub duration: u64,
    /// Size of the file.
    pub bytes: u64,
}

impl Track {
    /// Length of what exists, in ticks.
    pub fn duration(&self) -> u64 {
        self.segments.iter().map(|segment| segment.duration).sum()
    }

    /// Mean bit rate of what exists; 0 while nothing does.
    pub fn average_bps(&self) -> u64 {
        let bytes: u64 = self.segments.iter().map(|segment| segment.bytes).sum();
        bits_per_second(bytes, self.duration(), self.timescale)
    }

    /// The highest bit rate of any one segment, as HLS defines the peak; segments shorter than half
    /// the target are measured together with the one before them.
    pub fn peak_bps(&self, target_duration_s: u32) -> u64 {
        let short = u64::from(self.timescale) * u64::from(target_duration_s) / 2;
        let mut peak = 0;
        let mut before: Option<Segment> = None;
        for segment in &self.segments {
            let (bytes, duration) = match before {
                Some(before) if segment.duration < short => (
                    before.bytes + segment.bytes,
                    before.duration + segment.duration,
                ),
                _ => (segment.bytes, segment.duration),
            };
            peak = peak.max(bits_per_second(bytes, duration, self.timescale));
            before = Some(*segment);
        }
        peak
    }

    pub(super) fn push(&mut self, segment: Segment) -> Result<(), PackageError> {
        if self.segments.len() >= MAX_SEGMENTS {
            return Err(PackageError::OutOfBounds {
                what: "the number of segments",
                value: self.segments.len() as u64 + 1,
                bounds: "at most 50000",
            });
        }
        let longest = u64::from(self.timescale) * MAX_SEGMENT_SECONDS;
        if segment.duration == 0 || segment.duration > longest {
            return Err(PackageError::OutOfBounds {
                what: "a segment's duration",
                value: segment.duration,
                bounds: "more than 0, at most 60 s",
            });
        }
        if segment.start > longest * MAX_SEGMENTS as u64
            || segment.bytes == 0
            || segment.bytes > 1 << 32
        {
            return Err(PackageError::OutOfBounds {
                what: "a segment's start or size",
                value: segment.start.max(segment.bytes),
                bounds: "1 byte to 4 GiB",
            });
        }
        if self
            .segments
            .last()
            .is_some_and(|last| segment.start <= last.start)
        {
            return Err(PackageError::Track {
                track: self.id.clone(),
                problem: "has a segment that does not begin after the one before it",
            });
        }
        self.segments.push(segment);
        Ok(())
    }

    pub(super) fn check_numbers(&self) -> Result<(), PackageError> {
        within(
            "a timescale",
            u64::from(self.timescale),
            1,
            1_000_000_000,
            "1 to 1000000000",
        )?;
        match self.kind {
            TrackKind::Video { width, height, .. } => {
                let side = u64::from(MAX_SIDE);
                within("a width", u64::from(width), 1, side, "1 to 16384")?;
                within("a height", u64::from(height), 1, side, "1 to 16384")
            }
            TrackKind::Audio {
                channels,
                sample_rate,
                ..
            } => {
                within("a channel count", u64::from(channels), 1, 64, "1 to 64")?;
                within(
                    "a sample rate",
                    u64::from(sample_rate),
                    1,
                    768_000,
                    "1 to 768000",
                )
            }
        }
    }
}

impl Ratio {
    /// `num` / `den`; refused when either is 0.
    pub fn new(num: u32, den: u32) -> Option<Self> {
        (num > 0 && den > 0).then_some(Self { num, den })
    }

    /// The numerator.
    pub fn num(self) -> u32 {
        self.num
    }

    /// The denominator, never 0.
    pub fn den(self) -> u32 {
        self.den
    }

    /// As a floating point number.
    pub fn as_f64(self) -> f64 {
        f64::from(self.num) / f64::from(self.den)
    }
}

impl TryFrom<(u32, u32)> for Ratio {
    type Error = &'static str;
    fn try_from((num, den): (u32, u32)) -> Result<Self, Self::Error> {
        Self::new(num, den).ok_or("a fraction needs two numbers above 0")
    }
}

impl From<Ratio> for (u32, u32) {
    fn from(ratio: Ratio) -> Self {
        (ratio.num, ratio.den)
    }
}

impl From<(u64, u64, u64)> for Segment {
    fn from((start, duration, bytes): (u64, u64, u64)) -> Self {
        Self {
            start,
            duration,
            bytes,
        }
    }
}

impl From<Segment> for (u64, u64, u64) {
    fn from(segment: Segment) -> Self {
        (segment.start, segment.duration, segment.bytes)
    }
}

fn bits_per_second(bytes: u64, ticks: u64, timescale: u32) -> u64 {
    if ticks == 0 {
        return 0;
    }
    let bits = u128::from(bytes) * 8 * u128::from(timescale);
    u64::try_from(bits / u128::from(ticks)).unwrap_or(u64::MAX)
}
