//! What a job says about its source and its choices: shown to instructors, kept with the version.
//! Words and figures only; nothing is decided from it.

use serde::{Deserialize, Serialize};

use crate::names::{Language, Sentence, TrackId};
use crate::package::{Made, Ratio};

/// What the probe found and what was decided.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// The container, in words: `MP4`.
    pub container: Sentence,
    /// Length of the source.
    pub duration_ms: u64,
    /// Size of the source.
    pub size_bytes: u64,
    /// The picture that was used, if there is one.
    pub video: Option<VideoReport>,
    /// The sound tracks.
    pub audio: Vec<AudioReport>,
    /// One line for each planned rendition, best first.
    pub ladder: Vec<RungReport>,
    /// What a person should know: a second picture was left out, the sound ends early.
    pub notes: Vec<Sentence>,
    /// Wall time of the whole job so far, over all attempts.
    pub took_ms: Option<u64>,
}

/// The source's picture.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VideoReport {
    /// Codec and profile in words: `H.264 High 4.0`.
    pub codec: Sentence,
    /// Pixels as shown (turned upright, square pixels).
    pub width: u32,
    /// Pixels as shown.
    pub height: u32,
    /// Frames a second, where the source has a steady rate.
    pub frame_rate: Option<Ratio>,
    /// Mean bit rate.
    pub bitrate_bps: u64,
    /// The longest stretch between two key frames.
    pub longest_gop_ms: Option<u64>,
}

/// One of the source's sound tracks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AudioReport {
    /// Codec in words: `AAC-LC`.
    pub codec: Sentence,
    /// Channels.
    pub channels: u32,
    /// Samples a second.
    pub sample_rate: u32,
    /// Mean bit rate, where known.
    pub bitrate_bps: Option<u64>,
    /// Language, where the source says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<Language>,
}

/// A planned rendition and why it is made the way it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RungReport {
    /// The track.
    pub track: TrackId,
    /// Pixels; 0 for sound.
    pub width: u32,
    /// Pixels; 0 for sound.
    pub height: u32,
    /// The cap on the rate of an encoded picture: the highest mean over two seconds.
    pub max_bps: Option<u64>,
    /// Encoded or remuxed.
    pub made: Made,
    /// Why, for a person.
    pub reason: Sentence,
}
