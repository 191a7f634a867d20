//! Which rungs a source gets, which of them is the source itself, and why. Pure: facts in, plan out.
//!
//! The rungs are 1080, 720, 480, 360 and 240 by the *short* side, so that an upright phone film is
//! treated like a lying one; nothing is ever made larger. A source that already is what we would make
//! is taken over untouched for its own rung ([`conformity`]); all other rungs then follow its key
//! frames ([`cuts`]).

pub mod conformity;
pub mod cuts;

use crate::names::{BadName, Sentence, TrackId};
use crate::package::{MAX_DURATION_MS, Made, Ratio};
use conformity::Verdict;

/// Short sides of the ladder's rungs, in pixels, best first.
pub const SHORT_SIDES: [u32; 5] = [1080, 720, 480, 360, 240];
/// Most sound tracks that are made of one source: languages, a commentary, a description.
pub const MAX_SOUNDS: usize = 8;
/// Bit rate of the sound.
const AUDIO_BPS: u64 = 128_000;
/// When the best rung of the list would have fewer than five sixths of the source's lines, the source's
/// own size becomes a rung too: 700 lines are not thrown down to 480.
const OWN_SIZE_FROM: (u32, u32) = (6, 5);

/// Longest side of a source, in pixels.
const MAX_SIDE: u32 = 16_384;
/// Most pixels of a source: as many as a frame of H.264's highest level has (level 6.2, ITU-T H.264 (08/2021) table A-1:
/// 139,264 macroblocks).
const MAX_PIXELS: u64 = 139_264 * 256;
/// The most that a pixel may be wider than high, or higher than wide.
const MAX_PIXEL_STRETCH: u64 = 8;

/// What the probe found, as far as the ladder needs it.
#[derive(Debug, Clone, PartialEq)]
pub struct SourceFacts {
    /// Length in nanoseconds.
    pub duration_ns: u64,
    /// The picture.
    pub video: Option<VideoFacts>,
    /// How many sound tracks are used, the main one first.
    pub sounds: usize,
}

/// Facts of the source's picture.
#[derive(Debug, Clone, PartialEq)]
pub struct VideoFacts {
    /// Codec, with what only H.264 needs.
    pub codec: Codec,
    /// Whether it mostly stands still: slides, a recording of a screen.
    pub is_still: bool,
    /// Coded pixels a line, cropping applied.
    pub width: u32,
    /// Coded lines, cropping applied.
    pub height: u32,
    /// Shape of a pixel.
    pub pixel_aspect: Ratio,
    /// How the picture must be turned to be upright.
    pub turn: Turn,
    /// Frames a second; none when the rate varies or is unknown.
    pub frame_rate: Option<Ratio>,
    /// Whether a frame is two fields.
    pub is_interlaced: bool,
    /// Whether the colours are of high dynamic range (PQ, HLG), which needs mapping.
    pub is_hdr: bool,
    /// Whether size or coding parameters change within the file.
    pub changes_format: bool,
    /// Whether its times leap or stand still: an edit list that begins within a group, frames at one instant.
    pub has_broken_times: bool,
    /// Mean bit rate.
    pub bitrate_bps: u64,
    /// Presentation times of the pictures at which decoding can begin anew (IDR), from the first
    /// picture's time, ascending.
    pub key_frames_ns: Vec<u64>,
    /// Whether any picture marked as a starting point is not one (open GOP: recovery point instead of
    /// IDR).
    pub has_open_gops: bool,
}

/// The source's picture codec.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Codec {
    /// H.264, as its sequence parameter set says.
    H264 {
        /// `profile_idc`.
        profile: u8,
        /// `level_idc`: 42 is level 4.2.
        level: u8,
        /// `chroma_format_idc`: 1 is 4:2:0.
        chroma_format: u8,
        /// Bits a sample, the larger of luma and chroma.
        bit_depth: u8,
    },
    /// Any other, by its name in words: `HEVC`.
    Other(String),
}

/// How a picture must be turned or mirrored to be upright.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// It is upright.
    None,
    /// Turned by a half, or mirrored: sides stay as they are.
    SameSides,
    /// Turned by a quarter, with or without mirroring: width and height change places.
    SwappedSides,
}

/// What is to be made of a source.
#[derive(Debug, Clone, PartialEq)]
pub struct Ladder {
    /// The rungs, best first; the first may be remuxed, all others are encoded.
    pub rungs: Vec<Rung>,
    /// The sound tracks, the main one first.
    pub audio: Vec<AudioRung>,
}

/// One rung.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rung {
    /// `v` and the short side.
    pub id: TrackId,
    /// Pixels; even where it is encoded.
    pub width: u32,
    /// Pixels; even where it is encoded.
    pub height: u32,
    /// The bit rate to encode at; of a remuxed rung, the source's.
    pub bitrate_bps: u64,
    /// Encode or remux.
    pub made: Made,
    /// Why, for a person.
    pub reason: Sentence,
}

/// The sound.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AudioRung {
    /// `a1`, `a2`…
    pub id: TrackId,
    /// Always 2: stereo is what every device plays.
    pub channels: u32,
    /// The bit rate to encode at.
    pub bitrate_bps: u64,
    /// Encode or remux.
    pub made: Made,
    /// Why, for a person.
    pub reason: Sentence,
}

/// A source without a ladder.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LadderError {
    /// Nothing to play.
    #[error("the file holds neither picture nor sound")]
    NothingToPlay,
    /// The length is 0 or too much.
    #[error(
        "the file is {hours} hours long; at least some milliseconds and at most 48 hours can be kept"
    )]
    Length {
        /// Whole hours.
        hours: u64,
    },
    /// A picture without an extent, or with too much of it.
    #[error(
        "the picture is {width} × {height} pixels; at least 1 × 1 and at most 8192 × 4352 (or as many in another shape, \
         none of its sides longer than 16384) can be shown"
    )]
    Size {
        /// Pixels.
        width: u32,
        /// Pixels.
        height: u32,
    },
    /// A rung without a name; cannot happen for sizes in bounds.
    #[error(transparent)]
    Name(#[from] BadName),
}

/// Chooses the ladder. `short_sides` empty means [`SHORT_SIDES`].
pub fn choose(facts: &SourceFacts, short_sides: &[u32]) -> Result<Ladder, LadderError> {
    if facts.duration_ns < 1_000_000 || facts.duration_ns / 1_000_000 > MAX_DURATION_MS {
        return Err(LadderError::Length {
            hours: facts.duration_ns / 3_600_000_000_000,
        });
    }
    let rungs = match &facts.video {
        Some(video) => rungs(video, facts.duration_ns, short_sides)?,
        None => Vec::new(),
    };
    let audio = (1..=facts.sounds.min(MAX_SOUNDS))
        .map(sound)
        .collect::<Result<Vec<_>, _>>()?;
    if rungs.is_empty() && audio.is_empty() {
        return Err(LadderError::NothingToPlay);
    }
    Ok(Ladder { rungs, audio })
}

impl Ladder {
    /// The key frames that all rungs must follow, when one of them is the source itself.
    pub fn is_remuxed(&self) -> bool {
        self.rungs.iter().any(|rung| rung.made == Made::Remuxed)
    }

    /// The tracks in the order in which manifests name them.
    pub fn track_ids(&self) -> Vec<TrackId> {
        let audio = self.audio.iter().map(|audio| audio.id.clone());
        self.rungs
            .iter()
            .map(|rung| rung.id.clone())
            .chain(audio)
            .collect()
    }
}

impl Rung {
    /// The highest mean rate over two seconds that an encoder may use, in bits a second. Quality decides
    /// the rate; this only caps it, a quarter above what is aimed at.
    pub fn max_bps(&self) -> u64 {
        (self.bitrate_bps / 4 * 5).max(64_000)
    }
}

impl VideoFacts {
    /// Whether the picture has an extent, and not so much of it that decoding it takes all of a machine's memory.
    ///
    /// # Errors
    /// [`LadderError::Size`].
    pub fn check_size(&self) -> Result<(), LadderError> {
        let (width, height) = self.shown_size();
        let pixels = u64::from(self.width) * u64::from(self.height);
        let is_bounded = self.width.max(self.height) <= MAX_SIDE
            && pixels <= MAX_PIXELS
            && width.max(height) <= MAX_SIDE;
        match width > 0 && height > 0 && is_bounded {
            true => Ok(()),
            false => Err(LadderError::Size { width, height }),
        }
    }

    /// The picture's size as it is meant to be seen: upright, with square pixels. The number of lines
    /// as stored stays; a shape beyond 1 : 8 is taken for an error in the file and not applied.
    pub fn shown_size(&self) -> (u32, u32) {
        let (num, den) = (
            u64::from(self.pixel_aspect.num()),
            u64::from(self.pixel_aspect.den()),
        );
        let (mut width, height) = (u64::from(self.width), u64::from(self.height));
        if num <= den * MAX_PIXEL_STRETCH && den <= num * MAX_PIXEL_STRETCH {
            width = (width * num + den / 2) / den;
        }
        let side = |pixels: u64| u32::try_from(pixels).unwrap_or(u32::MAX);
        match self.turn {
            Turn::SwappedSides => (side(height), side(width)),
            Turn::None | Turn::SameSides => (side(width), side(height)),
        }
    }
}

fn rungs(
    video: &VideoFacts,
    duration_ns: u64,
    short_sides: &[u32],
) -> Result<Vec<Rung>, LadderError> {
    video.check_size()?;
    let (width, height) = video.shown_size();
    let short = width.min(height);
    let mut wanted: Vec<u32> = if short_sides.is_empty() {
        SHORT_SIDES.to_vec()
    } else {
        short_sides
            .iter()
            .copied()
            .filter(|side| (2..=4320).contains(side))
            .collect()
    };
    wanted.sort_unstable_by(|a, b| b.cmp(a));
    wanted.dedup();
    let highest = wanted.first().copied().unwrap_or(SHORT_SIDES[0]);

    let verdict = conformity::judge(video, duration_ns, highest);
    let mut rungs = Vec::new();
    let mut smaller: Vec<u32> = wanted.into_iter().filter(|side| *side <= short).collect();
    let own_size = match smaller.first() {
        None => true,
        Some(best) => {
            short <= highest && short * OWN_SIZE_FROM.1 >= best * OWN_SIZE_FROM.0 && *best < short
        }
    };
    match &verdict {
        Verdict::Conforms(reason) => {
            // The source takes the place of the rung of its own size or just below it.
            if let Some(best) = smaller.first()
                && short * OWN_SIZE_FROM.1 < best * OWN_SIZE_FROM.0
            {
                smaller.remove(0);
            }
            rungs.push(Rung {
                id: TrackId::new(format!("v{short}"))?,
                width,
                height,
                bitrate_bps: video.bitrate_bps,
                made: Made::Remuxed,
                reason: reason.clone(),
            });
        }
        Verdict::Differs(_) if own_size => smaller.insert(0, short.max(2)),
        Verdict::Differs(_) => {}
    }
    for (i, side) in smaller.into_iter().enumerate() {
        let (width, height) = scaled(width, height, side);
        let reason = match &verdict {
            Verdict::Differs(reason) if i == 0 => reason.clone(),
            _ => Sentence::new(format!(
                "Encoded: made smaller from the {short}-line source."
            )),
        };
        rungs.push(Rung {
            id: TrackId::new(format!("v{side}"))?,
            width,
            height,
            bitrate_bps: bitrate(width, height, video),
            made: Made::Encoded,
            reason,
        });
    }
    Ok(rungs)
}

fn sound(number: usize) -> Result<AudioRung, LadderError> {
    Ok(AudioRung {
        id: TrackId::new(format!("a{number}"))?,
        channels: 2,
        bitrate_bps: AUDIO_BPS,
        made: Made::Encoded,
        reason: Sentence::new("Encoded: AAC-LC in stereo is what every device plays."),
    })
}

/// The size with that short side and the same shape; even, and never larger than it was.
fn scaled(width: u32, height: u32, short_side: u32) -> (u32, u32) {
    let short = u64::from(width.min(height));
    let long = u64::from(width.max(height));
    let new_short = u64::from(short_side).min(short) & !1;
    let even_long = (long * new_short + short) / (2 * short) * 2;
    let side = |pixels: u64| u32::try_from(pixels.max(2)).unwrap_or(u32::MAX);
    let (new_short, new_long) = (side(new_short), side(even_long.min(long & !1)));
    if width >= height {
        (new_long, new_short)
    } else {
        (new_short, new_long)
    }
}

/// The bit rate for H.264 of that size: 4.5 Mb/s at 1080 lines and 30 frames, growing less than the
/// number of pixels does; never much more than a share of the source that fits the size.
fn bitrate(width: u32, height: u32, video: &VideoFacts) -> u64 {
    let by_size = bitrate_of(width, height, video.frame_rate);
    let (source_width, source_height) = video.shown_size();
    let share = (pixels(width, height) / pixels(source_width, source_height)).powf(0.75);
    // A modern codec says the same in about half the bits.
    let effort = if matches!(video.codec, Codec::H264 { .. }) {
        1.2
    } else {
        2.0
    };
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // positive and below 2^53
    let by_source = (video.bitrate_bps as f64 * share * effort) as u64;
    // The mean of a recording that stands still says nothing of what a new slide takes.
    if by_source == 0 || video.is_still {
        by_size
    } else {
        by_size.min(by_source).max(64_000)
    }
}

fn bitrate_of(width: u32, height: u32, frame_rate: Option<Ratio>) -> u64 {
    let size = (pixels(width, height) / (1920.0 * 1080.0)).powf(0.75);
    let rate = frame_rate.map_or(30.0, Ratio::as_f64);
    let motion = (rate / 30.0).sqrt().clamp(0.7, 1.5);
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // positive and below 2^53
    let bps = (4_500_000.0 * size * motion) as u64;
    bps.max(64_000)
}

fn pixels(width: u32, height: u32) -> f64 {
    f64::from(width.max(1)) * f64::from(height.max(1))
}

#[cfg(test)]
mod tests;
