//! The library's tables in `library.redb`. Fields are only ever added, with a default.

use std::collections::BTreeSet;

use jiff::Timestamp;
use lectern_store::{Migration, Table, json_record};
use serde::{Deserialize, Serialize};

use crate::{BlobHash, JobId, MediaKey, Source, UploadId, VersionState, VideoId, Visibility};

/// What turns an older `library.redb` into this version's: nothing yet.
pub const MIGRATIONS: &[Migration] = &[];

pub(crate) const VIDEOS: Table<VideoId, VideoRow> = Table::new("videos");
pub(crate) const VERSIONS: Table<(VideoId, u32), VersionRow> = Table::new("versions");
/// The package's JSON as the worker gave it; apart, because it is large and grows.
pub(crate) const PACKAGES: Table<(VideoId, u32), String> = Table::new("packages");
pub(crate) static CAPTIONS: TextTables = TextTables {
    heads: Table::new("captions"),
    texts: Table::new("caption-texts"),
    marks: Table::new("caption-marks"),
    drafts: Table::new("caption-drafts"),
};
pub(crate) static DESCRIPTIONS: TextTables = TextTables {
    heads: Table::new("descriptions"),
    texts: Table::new("description-texts"),
    marks: Table::new("description-marks"),
    drafts: Table::new("description-drafts"),
};
/// Videos whose speech is being written down, or could not be.
pub(crate) const SPEECH: Table<VideoId, SpeechRow> = Table::new("speech");
/// What that is done with, by the hash of the file.
pub(crate) const SPEECH_MODELS: Table<String, SpeechModelRow> = Table::new("speech-models");
/// One row, 0.
pub(crate) const SPEECH_SETTINGS: Table<u8, SpeechSettingsRow> = Table::new("speech-settings");
pub(crate) const CHAPTERS: Table<VideoId, ChaptersRow> = Table::new("chapters");
pub(crate) const UPLOADS: Table<UploadId, UploadRow> = Table::new("uploads");
pub(crate) const JOBS: Table<JobId, JobRow> = Table::new("jobs");
/// Bytes of films that left the box, by day: days since 1970-01-01, UTC.
pub(crate) const DELIVERED: Table<u32, u64> = Table::new("delivered");
/// The next number of each kind.
pub(crate) const SEQUENCES: Table<String, u64> = Table::new("sequences");

/// Where the texts of one kind are, by video and language.
pub(crate) struct TextTables {
    pub(crate) heads: Table<(VideoId, String), TextRow>,
    /// By revision.
    pub(crate) texts: Table<(VideoId, String, u32), String>,
    /// How sure a machine was of what it wrote: JSON, opaque here.
    pub(crate) marks: Table<(VideoId, String), String>,
    /// What somebody is still at; nobody else sees it.
    pub(crate) drafts: Table<(VideoId, String), DraftRow>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct VideoRow {
    pub(crate) title: String,
    pub(crate) language: String,
    pub(crate) visibility: Visibility,
    pub(crate) owner: String,
    pub(crate) people: BTreeSet<String>,
    pub(crate) created: Timestamp,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct VersionRow {
    pub(crate) key: MediaKey,
    pub(crate) state: VersionState,
    pub(crate) duration_ms: Option<u64>,
    pub(crate) error: Option<String>,
    pub(crate) report: serde_json::Value,
    pub(crate) revision: u64,
    pub(crate) attempt: u32,
    pub(crate) package_hash: Option<BlobHash>,
    pub(crate) created: Timestamp,
    pub(crate) source: Source,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct TextRow {
    /// Of the newest text; never counts back, not even over a removal.
    pub(crate) revision: u32,
    pub(crate) updated: Timestamp,
    pub(crate) removed: bool,
    /// What wrote the newest text, where no person has read it over.
    #[serde(default)]
    pub(crate) machine: Option<String>,
    /// Where the texts that are kept came from, oldest first.
    #[serde(default)]
    pub(crate) history: Vec<RevisionRow>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct RevisionRow {
    pub(crate) revision: u32,
    pub(crate) updated: Timestamp,
    /// The person; none for what came with a file or from a machine.
    pub(crate) by: Option<String>,
    pub(crate) machine: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct DraftRow {
    /// Counts up with each save, so that two people do not overwrite each other unseen.
    pub(crate) number: u64,
    pub(crate) updated: Timestamp,
    pub(crate) by: String,
    pub(crate) vtt: String,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct SpeechRow {
    pub(crate) version: u32,
    /// Of this run; another run has another.
    pub(crate) number: u64,
    /// As asked for; what the model guessed once it has; empty before.
    pub(crate) language: String,
    pub(crate) queued: Timestamp,
    /// What is heard so far: JSON texts, opaque here, and until when.
    pub(crate) heard: Vec<String>,
    pub(crate) through_ms: u64,
    /// Times it was given out since more was heard.
    pub(crate) tries: u32,
    /// Not before, after a failure that may pass.
    pub(crate) not_before: Timestamp,
    /// Why it was given up.
    pub(crate) error: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct SpeechModelRow {
    pub(crate) bytes: u64,
    pub(crate) name: String,
    pub(crate) size: String,
    pub(crate) is_multilingual: bool,
    pub(crate) installed: Timestamp,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct SpeechSettingsRow {
    pub(crate) active: Option<String>,
    pub(crate) automatic: bool,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct ChaptersRow {
    /// Never counts back, not even over a removal.
    pub(crate) revision: u32,
    pub(crate) updated: Timestamp,
    /// Whether nobody has changed what the source says.
    pub(crate) is_from_source: bool,
    /// None when they were removed.
    pub(crate) json: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct UploadRow {
    pub(crate) length: u64,
    /// Bytes that are on disk for certain.
    pub(crate) offset: u64,
    pub(crate) name: String,
    pub(crate) owner: String,
    pub(crate) created: Timestamp,
    pub(crate) expires: Timestamp,
    /// The client's own metadata, as it sent it.
    pub(crate) metadata: String,
    /// Where the bytes are, once they are whole.
    pub(crate) blob: Option<BlobHash>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct JobRow {
    pub(crate) video: VideoId,
    pub(crate) version: u32,
    pub(crate) queued: Timestamp,
    /// Not before, after a failure that may pass.
    pub(crate) not_before: Timestamp,
    /// Times it was given out since its package last grew, whoever ended it.
    pub(crate) tries: u32,
    /// Times it failed since then, before the eyes of a daemon that lived on.
    #[serde(default)]
    pub(crate) failures: u32,
    /// Packages that were begun anew for it.
    #[serde(default)]
    pub(crate) anew: u32,
    /// Why it waits, in a sentence for a person, when it was put off.
    #[serde(default)]
    pub(crate) waiting_for: Option<String>,
    /// What its package was begun with, in LUFS.
    #[serde(default)]
    pub(crate) loudness: Option<i8>,
    /// Somebody wants it at once.
    #[serde(default)]
    pub(crate) is_hurried: bool,
}

json_record!(
    VideoRow,
    VersionRow,
    TextRow,
    DraftRow,
    SpeechRow,
    SpeechModelRow,
    SpeechSettingsRow,
    ChaptersRow,
    UploadRow,
    JobRow
);
