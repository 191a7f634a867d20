//! A package as JSON. Reading one takes every step of its growth again, so that no file and no worker
//! can bring a package that could not have grown.

use serde::{Deserialize, Serialize};

use super::track::MAX_SEGMENT_SECONDS;
use super::{
    MAX_DURATION_MS, MAX_SEGMENTS, MAX_TRACKS, Package, PackageError, Poster, Storyboard, Track,
    within,
};
use crate::names::TrackId;

/// The package as it is written; becomes a [`Package`] by taking every step of its growth again.
#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Fields {
    pub(super) duration_ms: u64,
    pub(super) target_duration_s: u32,
    pub(super) boundaries_ns: Vec<u64>,
    pub(super) planned: Vec<TrackId>,
    pub(super) tracks: Vec<Track>,
    pub(super) storyboard: Option<Storyboard>,
    pub(super) poster: Option<Poster>,
    pub(super) complete: bool,
}

impl TryFrom<Fields> for Package {
    type Error = PackageError;

    fn try_from(fields: Fields) -> Result<Self, PackageError> {
        within(
            "the duration",
            fields.duration_ms,
            0,
            MAX_DURATION_MS,
            "at most 48 h",
        )?;
        within(
            "the target duration",
            u64::from(fields.target_duration_s),
            0,
            MAX_SEGMENT_SECONDS,
            "at most 60 s",
        )?;
        within(
            "the number of planned tracks",
            fields.planned.len() as u64,
            0,
            MAX_TRACKS as u64,
            "at most 16",
        )?;
        within(
            "the number of boundaries",
            fields.boundaries_ns.len() as u64,
            0,
            MAX_SEGMENTS as u64,
            "at most 50000",
        )?;
        if let Some(pair) = fields
            .boundaries_ns
            .windows(2)
            .find(|pair| pair[0] >= pair[1])
        {
            return Err(PackageError::OutOfBounds {
                what: "a boundary",
                value: pair[1],
                bounds: "later than the one before it",
            });
        }
        for (i, id) in fields.planned.iter().enumerate() {
            if fields.planned[..i].contains(id) {
                return Err(PackageError::Track {
                    track: id.clone(),
                    problem: "is planned twice",
                });
            }
        }
        if let Some(storyboard) = &fields.storyboard {
            storyboard.check_numbers()?;
        }
        let mut package = Self {
            duration_ms: fields.duration_ms,
            target_duration_s: fields.target_duration_s,
            boundaries_ns: fields.boundaries_ns,
            planned: fields.planned,
            tracks: Vec::new(),
            storyboard: fields.storyboard,
            poster: fields.poster,
            complete: false,
        };
        for track in fields.tracks {
            package.add_track(track)?;
        }
        if fields.complete {
            package.finish()?;
        }
        Ok(package)
    }
}

impl From<Package> for Fields {
    fn from(package: Package) -> Self {
        Self {
            duration_ms: package.duration_ms,
            target_duration_s: package.target_duration_s,
            boundaries_ns: package.boundaries_ns,
            planned: package.planned,
            tracks: package.tracks,
            storyboard: package.storyboard,
            poster: package.poster,
            complete: package.complete,
        }
    }
}
