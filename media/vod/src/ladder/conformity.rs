//! Whether a source already is what we would make of it, so that its own pictures can be served
//! untouched; and in words why, or why not.
//!
//! The measure is what every browser and phone decodes in hardware and what can be cut into segments:
//! H.264, 8 bits, 4:2:0, up to High profile and level 4.2, closed GOPs of at most 6 s, a bit rate that
//! fits its size.

use super::cuts::{MAX_SEGMENT_NS, TOLERANCE_NS};
use super::{Codec, Turn, VideoFacts, bitrate_of};
use crate::names::Sentence;
use crate::package::Ratio;

/// A source may have this many times the bit rate that we would encode its size at.
const MAX_BITRATE_FACTOR: u64 = 4;
const MAX_LEVEL: u8 = 42;
/// Level 1b of the High profile (ITU-T H.264, A.3.2): Chromium 156 knows no such number and refuses the stream.
const LEVEL_1B: u8 = 9;
/// The most frames a second that level 4.2 gives a 1080-line picture.
const MAX_FRAME_RATE: f64 = 61.0;

/// The outcome.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It conforms: the reason says what was found.
    Conforms(Sentence),
    /// It does not: the reason names the first rule that it breaks.
    Differs(Sentence),
}

/// Judges a source of that length; `highest` is the short side of the ladder's best rung.
pub fn judge(video: &VideoFacts, duration_ns: u64, highest: u32) -> Verdict {
    match differs(video, duration_ns, highest) {
        Some(why) => Verdict::Differs(Sentence::new(format!("Encoded: {why}."))),
        None => Verdict::Conforms(Sentence::new(format!(
            "Remuxed: the source's own pictures are used untouched ({}, key frames at most {} apart, {}).",
            describe(&video.codec),
            seconds(longest_gop(&video.key_frames_ns, duration_ns)),
            megabits(video.bitrate_bps),
        ))),
    }
}

/// The longest stretch without a key frame, the one before the end included.
pub fn longest_gop(key_frames_ns: &[u64], duration_ns: u64) -> u64 {
    let first = key_frames_ns.first().copied().unwrap_or(duration_ns);
    let last = key_frames_ns.last().copied().unwrap_or(0);
    let between = key_frames_ns
        .windows(2)
        .map(|pair| pair[1].saturating_sub(pair[0]))
        .max();
    first
        .max(between.unwrap_or(0))
        .max(duration_ns.saturating_sub(last))
}

/// Codec, profile and level in words: `H.264 High 4.0`.
pub fn describe(codec: &Codec) -> String {
    match codec {
        Codec::Other(name) => name.clone(),
        Codec::H264 { profile, level, .. } => {
            let level = match *level {
                LEVEL_1B => "1b".to_owned(),
                level => format!("{}.{}", level / 10, level % 10),
            };
            match profile_name(*profile) {
                Some(name) => format!("H.264 {name} {level}"),
                None => format!("H.264 profile {profile} {level}"),
            }
        }
    }
}

fn differs(video: &VideoFacts, duration_ns: u64, highest: u32) -> Option<String> {
    let (profile, level, chroma_format, bit_depth) = match &video.codec {
        Codec::H264 {
            profile,
            level,
            chroma_format,
            bit_depth,
        } => (*profile, *level, *chroma_format, *bit_depth),
        Codec::Other(name) => {
            return Some(format!(
                "the source is {name}, and H.264 is what every browser plays"
            ));
        }
    };
    if bit_depth != 8 || chroma_format != 1 {
        let chroma = match chroma_format {
            0 => "no colour",
            1 => "4:2:0",
            2 => "4:2:2",
            _ => "4:4:4",
        };
        return Some(format!(
            "the source has {bit_depth} bits and {chroma}, and browsers play 8 bits and 4:2:0"
        ));
    }
    if !matches!(profile, 66 | 77 | 100) || level > MAX_LEVEL {
        return Some(format!(
            "the source is {}, and up to High 4.2 is what every device plays",
            describe(&video.codec)
        ));
    }
    if level == LEVEL_1B {
        return Some("the source is of H.264 level 1b, which some browsers refuse".to_owned());
    }
    let (width, height) = video.shown_size();
    if video.turn != Turn::None {
        return Some("the source is stored turned and has to be set upright".to_owned());
    }
    if video.pixel_aspect.num() != video.pixel_aspect.den() {
        return Some("the source's pixels are not square".to_owned());
    }
    if !video.width.is_multiple_of(2) || !video.height.is_multiple_of(2) {
        return Some(format!(
            "the source's size, {width} × {height}, is not even"
        ));
    }
    if width.min(height) > highest {
        return Some(format!(
            "the source has {} lines, and the best rung has {highest}",
            width.min(height)
        ));
    }
    if video.is_interlaced {
        return Some("the source is interlaced".to_owned());
    }
    if video.is_hdr {
        return Some("the source's colours are of high dynamic range".to_owned());
    }
    if video
        .frame_rate
        .map(Ratio::as_f64)
        .is_some_and(|rate| rate > MAX_FRAME_RATE)
    {
        return Some("the source has more than 60 frames a second".to_owned());
    }
    if video.changes_format {
        return Some("the source changes its format on the way".to_owned());
    }
    if video.has_broken_times {
        return Some(
            "the source's times leap or stand still, and its frames have to be set anew".to_owned(),
        );
    }
    if video.has_open_gops {
        return Some(
            "the source has open GOPs: some of its key frames cannot begin a segment".to_owned(),
        );
    }
    if video
        .key_frames_ns
        .first()
        .is_none_or(|first| *first > TOLERANCE_NS)
    {
        return Some("the source does not begin with a key frame".to_owned());
    }
    let longest = longest_gop(&video.key_frames_ns, duration_ns);
    if longest > MAX_SEGMENT_NS + TOLERANCE_NS {
        return Some(format!(
            "the source's key frames are up to {} apart, and a segment may last {} at most",
            seconds(longest),
            seconds(MAX_SEGMENT_NS)
        ));
    }
    let most = bitrate_of(width, height, video.frame_rate) * MAX_BITRATE_FACTOR;
    if video.bitrate_bps > most {
        return Some(format!(
            "the source has {}, more than the {} that its size is worth",
            megabits(video.bitrate_bps),
            megabits(most)
        ));
    }
    None
}

fn profile_name(profile: u8) -> Option<&'static str> {
    match profile {
        66 => Some("Baseline"),
        77 => Some("Main"),
        88 => Some("Extended"),
        100 => Some("High"),
        110 => Some("High 10"),
        122 => Some("High 4:2:2"),
        244 => Some("High 4:4:4"),
        _ => None,
    }
}

/// `10.4 s`, to the nearest tenth; but what is more than 6 s never reads as 6 s.
fn seconds(ns: u64) -> String {
    let mut tenths = (ns + 50_000_000) / 100_000_000;
    if ns > MAX_SEGMENT_NS + TOLERANCE_NS && tenths * 100_000_000 <= MAX_SEGMENT_NS {
        tenths += 1;
    }
    match tenths % 10 {
        0 => format!("{} s", tenths / 10),
        tenth => format!("{}.{tenth} s", tenths / 10),
    }
}

fn megabits(bps: u64) -> String {
    let tenths = bps.div_ceil(100_000);
    format!("{}.{} Mb/s", tenths / 10, tenths % 10)
}
