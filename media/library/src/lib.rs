//! The content store: what the box holds. Blobs by SHA-256, videos with immutable versions,
//! captions and chapters with revisions, the job queue that turns sources into packages, uploads that survive
//! a restart, disk space, garbage collection.
//!
//! Not the media machine: a package is opaque JSON here, and the files in its folder are the
//! worker's. Not the access rule either: a video carries its visibility, the web decides.
//!
//! Invariants:
//! * A file is fsynced before a row refers to it, and removed only when no row does.
//! * A version's source never changes; what its package has listed keeps its bytes under its key.
//! * Every call blocks on the disk: async callers wrap them.
#![forbid(unsafe_code)]

mod append;
mod blobs;
mod chapters;
mod delivered;
mod disk;
mod endings;
mod error;
mod garbage;
mod hold;
mod ids;
mod jobs;
mod library;
mod model;
mod packages;
mod rows;
mod speech;
mod texts;
mod uploads;
mod versions;
mod videos;

pub use append::Appender;
pub use chapters::ChaptersInfo;
pub use delivered::Delivered;
pub use disk::{DiskReport, room_for};
pub use error::Error;
pub use garbage::Swept;
pub use hold::Hold;
pub use ids::{BlobHash, JobId, MediaKey, UploadId, VideoId};
pub use jobs::{Job, JobInfo, Lease, PackageUpdate};
pub use library::{Change, ChangeKind, Library, MAX_UPLOAD_BYTES, Options};
pub use model::{NewVideo, Source, VersionInfo, VersionState, Video, VideoPatch, Visibility};
pub use rows::MIGRATIONS;
pub use speech::{ModelFile, SpeechInfo, SpeechJob, SpeechModel};
pub use texts::{Draft, Revision, Text, TextInfo, TextKind, Texts};
pub use uploads::{NewUpload, UploadInfo};
pub use videos::{Page, Query};
