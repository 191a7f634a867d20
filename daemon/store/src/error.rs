//! What can go wrong in a store, and whose fault it is.

use std::path::PathBuf;
use std::sync::Arc;

/// Bytes that cannot be what their table says they are.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{0}")]
pub struct Corrupt(pub String);

/// Every failure of a store. `Full` and `Io` are the machine's, `TooLarge` the caller's,
/// `Corrupt` the file's; `is_retriable` says whether the same call may succeed later.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The disk has no more than its reserve left; nothing was written.
    #[error(
        "the disk is full: {free_bytes} bytes free, {reserve_bytes} of them are kept in reserve"
    )]
    Full {
        /// Free bytes when the write was refused.
        free_bytes: u64,
        /// What the store keeps free.
        reserve_bytes: u64,
    },
    /// What was read is not what was written.
    #[error("the store is damaged (table {table}): {detail}")]
    Corrupt {
        /// The table, or `-` for the file itself.
        table: String,
        /// What was found.
        detail: String,
    },
    /// The file holds something that this program does not read: another version of it does.
    #[error("the store was made by another version of Lectern: {0}")]
    Unreadable(&'static str),
    /// The disk failed. Whether a write that got this answer is durable is unknown.
    #[error("the store's disk failed: {0}")]
    Io(#[source] Arc<std::io::Error>),
    /// The file was opened anew after an I/O error; take a new snapshot.
    #[error("the store was reopened after an I/O error; read again")]
    Reopened,
    /// The store is closing or closed.
    #[error("the store is closed")]
    Closed,
    /// Another process has the file open.
    #[error("{} is in use by another process", .0.display())]
    InUse(PathBuf),
    /// A key or a value is larger than the store takes.
    #[error("{what} of {bytes} bytes in table {table}, at most {limit} are allowed")]
    TooLarge {
        /// `key` or `value`.
        what: &'static str,
        /// The table.
        table: &'static str,
        /// Its size.
        bytes: usize,
        /// The bound.
        limit: usize,
    },
    /// A closure given to `write` panicked; nothing of it was kept.
    #[error("a write panicked; nothing of it was kept")]
    Panicked,
    /// A backup took longer than its reader may pin the file.
    #[error("the backup took longer than {0} seconds and was given up")]
    TooSlow(u64),
    /// A restore would overwrite something.
    #[error("{} exists already", .0.display())]
    Exists(PathBuf),
}

impl Error {
    /// Whether the same call may succeed later without anyone changing the request.
    pub fn is_retriable(&self) -> bool {
        matches!(self, Self::Full { .. } | Self::Io(_) | Self::Reopened)
    }

    /// Whether redb refuses every further call until the file is opened anew.
    pub(crate) fn needs_reopen(&self) -> bool {
        matches!(self, Self::Io(_) | Self::Reopened | Self::Full { .. })
    }

    pub(crate) fn corrupt(table: &str, detail: impl ToString) -> Self {
        Self::Corrupt {
            table: table.to_owned(),
            detail: detail.to_string(),
        }
    }
}

impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Self {
        if is_full(&error) {
            return Self::Full {
                free_bytes: 0,
                reserve_bytes: 0,
            };
        }
        Self::Io(Arc::new(error))
    }
}

fn is_full(error: &std::io::Error) -> bool {
    matches!(
        error.kind(),
        std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded
    )
}

impl From<redb::Error> for Error {
    fn from(error: redb::Error) -> Self {
        match error {
            redb::Error::Io(error) => error.into(),
            redb::Error::Corrupted(detail) => Self::corrupt("-", detail),
            redb::Error::DatabaseClosed => Self::Reopened,
            redb::Error::PreviousIo => Self::Io(Arc::new(std::io::Error::other(
                "an earlier I/O error; the file is being reopened",
            ))),
            other => Self::corrupt("-", other),
        }
    }
}

macro_rules! from_redb {
    ($($kind:ident),*) => {$(
        impl From<redb::$kind> for Error {
            fn from(error: redb::$kind) -> Self {
                redb::Error::from(error).into()
            }
        }
    )*};
}
from_redb!(
    StorageError,
    TableError,
    TransactionError,
    CommitError,
    DatabaseError
);
