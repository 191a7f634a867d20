//! Videos and versions as the other rooms see them.

use std::collections::BTreeSet;
use std::fmt;
use std::path::PathBuf;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{BlobHash, MediaKey, UploadId, VideoId};

/// Who may watch a video (contract.md, `POST /api/v1/videos`). The owner always may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Visibility {
    /// The owner.
    Private,
    /// The people named.
    Named,
    /// Every signed-in person.
    #[default]
    Members,
    /// Whoever reaches the box.
    Open,
}

/// How far a version has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum VersionState {
    /// Its job waits.
    Queued,
    /// A worker is at it; nothing can be watched yet.
    Processing,
    /// The first segments of a rung are there; more come.
    Playable,
    /// All rungs are there, for good.
    Ready,
    /// It cannot be processed, or was cancelled; `error` says why.
    Failed,
}

impl fmt::Display for VersionState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Queued => "queued",
            Self::Processing => "processing",
            Self::Playable => "playable",
            Self::Ready => "ready",
            Self::Failed => "failed",
        })
    }
}

/// A video to be made from a finished upload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewVideo {
    /// For people; 1 to 500 characters.
    pub title: String,
    /// BCP 47, or empty when unknown.
    pub language: String,
    /// Who may watch it.
    pub visibility: Visibility,
    /// The person it belongs to, by the id that the LMS gives them.
    pub owner: String,
    /// The finished upload, the owner's own; it is used up.
    pub upload: UploadId,
}

/// What may change about a video; `None` leaves it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VideoPatch {
    /// For people.
    pub title: Option<String>,
    /// BCP 47, or empty.
    pub language: Option<String>,
    /// Who may watch it. Narrowing changes the keys of all versions.
    pub visibility: Option<Visibility>,
    /// The people named. Taking one away changes the keys of all versions.
    pub people: Option<BTreeSet<String>>,
}

/// A video with its versions, newest first.
#[derive(Debug, Clone, PartialEq)]
pub struct Video {
    /// For good.
    pub id: VideoId,
    /// For people.
    pub title: String,
    /// BCP 47, or empty when unknown.
    pub language: String,
    /// Who may watch it.
    pub visibility: Visibility,
    /// The person it belongs to.
    pub owner: String,
    /// Who may watch it when it is `Named`.
    pub people: BTreeSet<String>,
    /// When it was added.
    pub created: Timestamp,
    /// Newest first; at least one.
    pub versions: Vec<VersionInfo>,
}

impl Video {
    /// A version by its number.
    pub fn version(&self, number: u32) -> Option<&VersionInfo> {
        self.versions.iter().find(|info| info.version == number)
    }

    /// The newest version that can be watched.
    pub fn newest_watchable(&self) -> Option<&VersionInfo> {
        self.versions.iter().find(|info| info.is_watchable())
    }
}

/// One attached source and what became of it.
#[derive(Debug, Clone, PartialEq)]
pub struct VersionInfo {
    /// 1, 2, 3… within the video.
    pub version: u32,
    /// The secret in its segments' addresses.
    pub key: MediaKey,
    /// How far it has come.
    pub state: VersionState,
    /// 0 to 1; 1 when ready.
    pub progress: f32,
    /// Until it is ready, as the worker guesses.
    pub eta_ms: Option<u64>,
    /// Of the source, once known.
    pub duration_ms: Option<u64>,
    /// Why it failed, in a sentence for a person.
    pub error: Option<String>,
    /// Why its job waits, when it does not only wait for its turn, in a sentence for a person.
    pub waiting_for: Option<String>,
    /// When that ends, where it is known.
    pub waiting_until: Option<Timestamp>,
    /// Whether it goes on now when somebody wants it ([`crate::Library::hurry`]).
    pub can_hurry: bool,
    /// What the worker found and decided; opaque here, `null` before.
    pub report: serde_json::Value,
    /// Grows with every change of the package or its key: for caches and ETags.
    pub revision: u64,
    /// Counts the packages made anew for this version, from 1.
    pub attempt: u32,
    /// Where the package's files lie.
    pub package_dir: PathBuf,
    /// Of init and segment files; fixed at ready.
    pub package_hash: Option<BlobHash>,
    /// When the source was attached.
    pub created: Timestamp,
    /// The source.
    pub source: Source,
}

impl VersionInfo {
    /// Whether a player can begin.
    pub fn is_watchable(&self) -> bool {
        matches!(self.state, VersionState::Playable | VersionState::Ready)
    }
}

/// A version's source file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// Its bytes.
    pub blob: BlobHash,
    /// How many.
    pub bytes: u64,
    /// What the uploader called it.
    pub original_name: String,
}
