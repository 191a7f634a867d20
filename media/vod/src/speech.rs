//! Words from sound: what daemon and speech worker say to each other, what a model's file is, and how words become
//! captions. What recognises them is `worker::speech`, in a sandbox of its own; here is no GStreamer and no model.
//!
//! A worker gets the sound of a finished package and a model that IT has installed, each as an open descriptor, and
//! answers in frames as the media worker does ([`crate::protocol`]). It is a draft in any case: a person reads it over.

pub mod lines;
pub mod model;

use serde::{Deserialize, Serialize};

use crate::captions::{Captions, cue_of_plain};
use crate::names::{Language, Sentence};
use crate::package::{Package, Segment, Track, TrackKind};

/// Longest text of a caption, in bytes.
pub const MAX_TEXT_BYTES: usize = 600;
/// Most captions that come at once.
pub const MAX_LINES: usize = 2_000;

/// What a speech worker is to do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SpeechJob {
    /// The language that is spoken; none where nobody knows: then the model guesses it from the beginning, once.
    pub language: Option<Language>,
    /// Threads to use; 0 means as many as there are cores.
    pub threads: u32,
    /// The sound's own time at which the film begins.
    pub offset_ms: u64,
    /// What was heard before and is not heard again; the sound may begin earlier.
    pub from_ms: u64,
}

/// What a speech worker says: `Began`, then `Heard` as it happens, and last `Done` or `Failed`; `Progress` at any time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum SpeechMessage {
    /// The language is known.
    Began {
        /// The language, given or guessed.
        language: Language,
    },
    /// So much is heard, for good.
    Heard {
        /// All before it.
        through_ms: u64,
        /// What was said since the message before, in order.
        lines: Vec<Line>,
    },
    /// A sign of life.
    Progress,
    /// All is heard.
    Done,
    /// It cannot be done.
    Failed {
        /// What happened and what to do, for a person.
        sentence: Sentence,
        /// Whether another attempt may end better.
        may_pass: bool,
    },
}

/// One caption as it was heard.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// When it is said, on the film's time.
    pub start_ms: u64,
    /// When it has been said; later.
    pub end_ms: u64,
    /// One or two lines of plain text.
    pub text: String,
    /// How sure the model is of its words, in percent.
    pub confidence: u8,
}

impl Line {
    /// What it may be: whoever takes it from a worker keeps no other.
    pub fn is_sound(&self) -> bool {
        self.start_ms < self.end_ms
            && self.confidence <= 100
            && !self.text.trim().is_empty()
            && self.text.len() <= MAX_TEXT_BYTES
    }
}

/// The sound that is heard, as files of the package's folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SoundFiles {
    /// The init file, then segments in their order.
    pub files: Vec<String>,
    /// See [`SpeechJob::offset_ms`].
    pub offset_ms: u64,
}

/// The first sound in that language, or else the one that plays unless somebody chooses another; from the segment on
/// in which `from_ms` lies. None where there is no sound.
pub fn sound_of(package: &Package, language: Option<&str>, from_ms: u64) -> Option<SoundFiles> {
    let speaks = |track: &&Track| match (&track.kind, language) {
        (
            TrackKind::Audio {
                language: Some(spoken),
                ..
            },
            Some(wanted),
        ) => spoken.as_str() == wanted,
        _ => false,
    };
    let track = package.audio().find(speaks).or(package.audio().next())?;
    let ms = |ticks: u64| ticks.saturating_mul(1000) / u64::from(track.timescale.max(1));
    let offset_ms = ms(track.presentation_offset);
    let is_over = |segment: &&Segment| ms(segment.start + segment.duration) <= from_ms + offset_ms;
    let skipped = track.segments.iter().take_while(is_over).count();
    let numbers = skipped + 1..=track.segments.len();
    let segments = numbers.map(|number| Package::segment_file(&track.id, number));
    Some(SoundFiles {
        files: std::iter::once(Package::init_file(&track.id))
            .chain(segments)
            .collect(),
        offset_ms,
    })
}

/// Captions of what was heard, as a WebVTT document, and how sure the model was of each: `[[start_ms, percent], …]`.
/// None when nothing was said.
pub fn captions_of(lines: &[Line]) -> Option<(String, String)> {
    let sound = lines.iter().filter(|line| line.is_sound());
    let cues = sound
        .clone()
        .map(|line| (line.start_ms, line.end_ms, cue_of_plain(&line.text)));
    let captions = Captions::of_cues(cues.collect())?;
    let marks: Vec<(u64, u8)> = sound.map(|line| (line.start_ms, line.confidence)).collect();
    Some((captions.to_vtt(), serde_json::to_string(&marks).ok()?))
}
