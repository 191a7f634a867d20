//! One archive of everything, made while the daemon goes on, and its way back into an empty state folder.
//!
//! A tar file: `lectern-backup.json` (format version), `records.redb`, `library.redb`, `keys/`, `content/`, and last
//! `lectern-backup-end.json`. Records are copied first, then the library: whatever a record names, the library of the
//! archive knows. `tls/` is not in it: a box made from a backup is another machine, with an authority of its own.

mod restore;
mod write;

pub use restore::{extract_evidence, restore};
pub use write::{remove_leftovers, write};

use serde::{Deserialize, Serialize};

/// Bumped when an older Lectern could not read the archive.
const FORMAT: u32 = 1;
const HEADER: &str = "lectern-backup.json";
/// The last entry, so that an archive cut off between two files is not taken for whole.
const TRAILER: &str = "lectern-backup-end.json";
const FOLDERS: [&str; 2] = ["keys", "content"];

#[derive(Debug, Serialize, Deserialize)]
struct Header {
    format: u32,
    lectern: String,
    made: jiff::Timestamp,
}

/// What an archive holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// Files written or read
    pub files: u64,
    /// Their bytes
    pub bytes: u64,
}
