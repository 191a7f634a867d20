//! What one version of a video is made of: tracks, their segments, the plan of where segments end.
//!
//! This is the description only; the bytes lie in the package's folder under the names that
//! [`Package::init_file`] and its siblings give, and no other. It grows while the ladder is made and
//! never changes what it has listed (`docs/contract.md`, *Versions and packages*). Manifests are
//! printed from it ([`crate::hls`], [`crate::dash`]), never stored.

mod fields;
mod pictures;
mod track;

use serde::{Deserialize, Serialize};

use fields::Fields;
pub use pictures::{Poster, Storyboard};
pub use track::{Made, Ratio, Segment, Track, TrackKind};

use crate::names::{BadName, Codecs, Language, Sentence, TrackId};

/// Most tracks of one package.
pub const MAX_TRACKS: usize = 16;
/// Most segments of one track: 24 hours of 4 s segments are 21 600.
pub const MAX_SEGMENTS: usize = 50_000;
/// Longest video.
pub const MAX_DURATION_MS: u64 = 48 * 3600 * 1000;
/// Segments of a track that are listed without waiting for the other tracks.
pub const HEAD_START: usize = 3;

/// A version's package. Grows by [`Package::add_track`] and [`Package::add_segment`].
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(try_from = "Fields", into = "Fields")]
pub struct Package {
    /// Length of the whole video, known from the probe before the first segment exists.
    pub duration_ms: u64,
    /// Upper bound of every segment's length, rounded to whole seconds as HLS wants it
    /// (`EXT-X-TARGETDURATION`); fixed before the first segment is listed.
    pub target_duration_s: u32,
    /// Where video segments begin, in nanoseconds from the video's start, the first is 0. Shared by
    /// all rungs and kept, so that a resumed job cuts where the first one would have cut.
    pub boundaries_ns: Vec<u64>,
    /// Every track that the finished package will have, in the order of the ladder, best first. Names
    /// of picture tracks begin with `v`, names of sound tracks with `a`.
    pub planned: Vec<TrackId>,
    /// The tracks whose init file exists, in the order in which they appeared.
    pub tracks: Vec<Track>,
    /// Pictures for the seek bar.
    pub storyboard: Option<Storyboard>,
    /// The picture shown before the video plays ([`Package::POSTER_FILE`]).
    pub poster: Option<Poster>,
    /// True when every planned track is whole; nothing is added from then on.
    pub complete: bool,
}

/// One line of the report that the API shows of a version.
#[derive(Debug, Clone, PartialEq)]
pub struct Rendition {
    /// The track.
    pub track: TrackId,
    /// Pixels; 0 for sound.
    pub width: u32,
    /// Pixels; 0 for sound.
    pub height: u32,
    /// Of a sound, where it is known.
    pub language: Option<Language>,
    /// What the source calls a sound.
    pub label: Option<Sentence>,
    /// Measured mean of what exists, in bits a second.
    pub bitrate_bps: u64,
    /// RFC 6381.
    pub codecs: Codecs,
    /// Encoded or remuxed.
    pub made: Made,
    /// Why.
    pub reason: Sentence,
    /// Whether its last segment exists.
    pub complete: bool,
}

/// Why a package, or a step in its growth, is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PackageError {
    /// A name is not allowed.
    #[error(transparent)]
    Name(#[from] BadName),
    /// A number is out of its bounds.
    #[error("{what} is {value}, which is out of bounds ({bounds})")]
    OutOfBounds {
        /// The field.
        what: &'static str,
        /// Its value.
        value: u64,
        /// What is allowed.
        bounds: &'static str,
    },
    /// The track is not known, or known twice.
    #[error("track {track}: {problem}")]
    Track {
        /// The track's name.
        track: TrackId,
        /// What is wrong.
        problem: &'static str,
    },
    /// The worker's package differs from what was listed before.
    #[error("the worker's package is not what was announced before")]
    Mismatch,
    /// Something was added after the end.
    #[error("the package is complete, nothing can be added")]
    Complete,
}

impl Package {
    /// The poster's file within the package folder.
    pub const POSTER_FILE: &'static str = "poster.jpg";

    /// A package of which only the plan is known.
    pub fn planned(
        duration_ms: u64,
        target_duration_s: u32,
        boundaries_ns: Vec<u64>,
        planned: Vec<TrackId>,
    ) -> Result<Self, PackageError> {
        Self::try_from(Fields {
            duration_ms,
            target_duration_s,
            boundaries_ns,
            planned,
            ..Fields::default()
        })
    }

    /// Adds a track; its segments are checked like those of [`Package::add_segment`].
    pub fn add_track(&mut self, mut track: Track) -> Result<(), PackageError> {
        if self.complete {
            return Err(PackageError::Complete);
        }
        if !self.planned.contains(&track.id) {
            return Err(PackageError::Track {
                track: track.id,
                problem: "was not planned",
            });
        }
        if self.track(&track.id).is_some() {
            return Err(PackageError::Track {
                track: track.id,
                problem: "is there twice",
            });
        }
        track.check_numbers()?;
        let segments = std::mem::take(&mut track.segments);
        for segment in segments {
            track.push(segment)?;
        }
        self.tracks.push(track);
        Ok(())
    }

    /// Adds the next segment of a track.
    pub fn add_segment(&mut self, track: &TrackId, segment: Segment) -> Result<(), PackageError> {
        if self.complete {
            return Err(PackageError::Complete);
        }
        match self.tracks.iter_mut().find(|t| t.id == *track) {
            Some(known) => known.push(segment),
            None => Err(PackageError::Track {
                track: track.clone(),
                problem: "has not been announced",
            }),
        }
    }

    /// Sets or replaces the storyboard.
    pub fn set_storyboard(&mut self, storyboard: Storyboard) -> Result<(), PackageError> {
        storyboard.check_numbers()?;
        self.storyboard = Some(storyboard);
        Ok(())
    }

    /// Marks a track as whole.
    pub fn finish_track(&mut self, track: &TrackId) -> Result<(), PackageError> {
        match self.tracks.iter_mut().find(|t| t.id == *track) {
            Some(known) => {
                known.complete = true;
                Ok(())
            }
            None => Err(PackageError::Track {
                track: track.clone(),
                problem: "has not been announced",
            }),
        }
    }

    /// Marks the package as whole; refused while a planned track is missing, empty or unfinished.
    pub fn finish(&mut self) -> Result<(), PackageError> {
        for id in &self.planned {
            if !self
                .track(id)
                .is_some_and(|t| t.complete && !t.segments.is_empty())
            {
                return Err(PackageError::Track {
                    track: id.clone(),
                    problem: "is not whole yet",
                });
            }
        }
        self.complete = true;
        Ok(())
    }

    /// Whether every init file and segment that `earlier` lists is listed here, unchanged.
    pub fn keeps(&self, earlier: &Package) -> bool {
        earlier.tracks.iter().all(|before| {
            self.track(&before.id).is_some_and(|now| {
                now.kind == before.kind
                    && now.codecs == before.codecs
                    && now.timescale == before.timescale
                    && now.presentation_offset == before.presentation_offset
                    && now.segments.starts_with(&before.segments)
            })
        })
    }

    /// The track of that name.
    pub fn track(&self, id: &TrackId) -> Option<&Track> {
        self.tracks.iter().find(|track| track.id == *id)
    }

    /// The rungs that have a segment, in the order of the plan (best first).
    pub fn video(&self) -> impl Iterator<Item = &Track> {
        self.begun()
            .filter(|track| matches!(track.kind, TrackKind::Video { .. }))
    }

    /// The sound tracks that have a segment.
    pub fn audio(&self) -> impl Iterator<Item = &Track> {
        self.begun()
            .filter(|track| matches!(track.kind, TrackKind::Audio { .. }))
    }

    /// Whether a viewer can begin: a rung has its first segment, and so has the sound if there will
    /// be any. (A package of sound alone needs its sound.)
    pub fn is_playable(&self) -> bool {
        let sound_is_planned = self.planned.iter().any(|id| id.as_str().starts_with('a'));
        let picture_is_planned = self.planned.iter().any(|id| id.as_str().starts_with('v'));
        (sound_is_planned || picture_is_planned)
            && (!sound_is_planned || self.audio().next().is_some())
            && (!picture_is_planned || self.video().next().is_some())
    }

    /// The segments of a track that manifests may list.
    ///
    /// While the ladder is made the tracks are listed in step, as far as all of them have come, because
    /// players and ffmpeg take the end of one for the end of all, and a remuxed rung is whole long
    /// before the others. Only the first [`HEAD_START`] segments do not wait, so that a video is
    /// playable before every rung has begun. The list never shrinks: each term only grows.
    pub fn listed<'a>(&self, track: &'a Track) -> &'a [Segment] {
        let count = |id: &TrackId| match self.track(id) {
            Some(track) if track.complete => usize::MAX,
            Some(track) => track.segments.len(),
            None => 0,
        };
        let in_step = self.planned.iter().map(count).min().unwrap_or(0);
        let listed = if self.complete {
            usize::MAX
        } else {
            in_step.max(HEAD_START)
        };
        &track.segments[..listed.min(track.segments.len())]
    }

    /// One line for each rendition that exists, in the order of the plan.
    pub fn renditions(&self) -> Vec<Rendition> {
        self.begun()
            .map(|track| {
                let (width, height, language, label) = match &track.kind {
                    TrackKind::Video { width, height, .. } => (*width, *height, None, None),
                    TrackKind::Audio {
                        language, label, ..
                    } => (0, 0, language.clone(), label.clone()),
                };
                Rendition {
                    track: track.id.clone(),
                    width,
                    height,
                    language,
                    label,
                    bitrate_bps: track.average_bps(),
                    codecs: track.codecs.clone(),
                    made: track.made,
                    reason: track.reason.clone(),
                    complete: track.complete,
                }
            })
            .collect()
    }

    /// A track's init file, relative to the package folder.
    pub fn init_file(track: &TrackId) -> String {
        format!("{track}/init.mp4")
    }

    /// A track's media segment, counted from 1, relative to the package folder.
    pub fn segment_file(track: &TrackId, number: usize) -> String {
        format!("{track}/{number}.m4s")
    }

    /// A sheet of the storyboard, counted from 1, relative to the package folder.
    pub fn storyboard_file(number: u32) -> String {
        format!("storyboard/{number}.jpg")
    }

    fn begun(&self) -> impl Iterator<Item = &Track> {
        self.planned
            .iter()
            .filter_map(|id| self.track(id))
            .filter(|t| !t.segments.is_empty())
    }
}

fn within(
    what: &'static str,
    value: u64,
    least: u64,
    most: u64,
    bounds: &'static str,
) -> Result<(), PackageError> {
    if (least..=most).contains(&value) {
        Ok(())
    } else {
        Err(PackageError::OutOfBounds {
            what,
            value,
            bounds,
        })
    }
}

#[cfg(test)]
mod tests;
