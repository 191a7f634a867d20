//! One redb file, well used: typed tables, one writer thread with group commit, snapshots for
//! readers, a journal, numbered migrations, hot backup, integrity check, a reserve of disk space.
//!
//! Not a database of its own: no queries, no indices that keep themselves. A room keeps its
//! indices in tables of its own, written in the same transaction.
//!
//! * [`Store::write`] answers only after the fsync. Closures of several callers share one
//!   transaction; each sees what the ones before it wrote, and one that fails leaves nothing.
//! * [`Store::snapshot`] never waits for the writer. Keep one only as long as a request: an old
//!   snapshot pins the pages that were freed since.
//! * A [`Journal`] makes durable at once what goes into the tables later, many at a time.
//! * Values carry a format byte of their own ([`Record`]) and migrations only add, so that the
//!   version before can still open the file.
#![forbid(unsafe_code)]

mod backup;
mod check;
mod disk;
mod error;
mod journal;
mod key;
mod migrate;
mod overwrite;
mod record;
mod scan;
mod snapshot;
mod stats;
mod store;
mod table;
mod tx;
pub mod wire;
mod writer;

#[cfg(feature = "testing")]
pub mod testing;

pub use backup::BackupReport;
pub use check::CheckReport;
pub use disk::{Disk, FileDisk};
pub use error::{Corrupt, Error};
pub use journal::{Journal, JournalFile, JournalOf};
pub use key::Key;
pub use migrate::Migration;
pub use record::{Json, Record, decode_json, encode_json};
pub use snapshot::Snapshot;
pub use stats::Stats;
pub use store::{Options, Store};
pub use table::Table;
pub use tx::Tx;
