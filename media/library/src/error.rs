//! What can go wrong in the library; free of HTTP.

use std::sync::Arc;

use crate::VersionState;

/// Every failure of a library. The message is a sentence for a person.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There is no such thing (any more).
    #[error("there is no such {0}")]
    NotFound(&'static str),
    /// The bytes offered do not begin where the upload ends.
    #[error("the upload stands at byte {at}, not at {offered}")]
    WrongOffset {
        /// Where it stands.
        at: u64,
        /// Where the bytes offered begin.
        offered: u64,
    },
    /// More bytes than were announced.
    #[error("the upload was announced with {length} bytes and got more")]
    TooManyBytes {
        /// What was announced.
        length: u64,
    },
    /// A larger upload than this box takes.
    #[error("the upload has {length} bytes, at most {limit} are allowed")]
    TooLarge {
        /// What was announced.
        length: u64,
        /// The bound.
        limit: u64,
    },
    /// The upload is not whole yet.
    #[error("the upload is not complete: {at} of {length} bytes are there")]
    Incomplete {
        /// What is there.
        at: u64,
        /// What was announced.
        length: u64,
    },
    /// Someone else is at it, for a moment: another request writes to this upload, or files are
    /// being placed while garbage should be collected.
    #[error("another request is at it; try again in a moment")]
    Busy,
    /// There is no room for it.
    #[error("the disk has no room: {needed} bytes are needed and {available} are available")]
    NoRoom {
        /// What it would take.
        needed: u64,
        /// What may be used: free, less what is kept and promised.
        available: u64,
    },
    /// A job met the floor: what it has made so far is kept, and it goes on when there is room.
    #[error(
        "The disk is full: {free_bytes} bytes are free and {floor_bytes} must stay free. Delete what is no longer needed; processing goes on by itself."
    )]
    AtFloor {
        /// What is free.
        free_bytes: u64,
        /// What must stay free.
        floor_bytes: u64,
    },
    /// The version is in a state that does not allow it.
    #[error("the version is {0}, which does not allow this")]
    WrongState(VersionState),
    /// The job was cancelled, finished, or given to someone else.
    #[error("this job is no longer yours")]
    JobGone,
    /// A field breaks a rule.
    #[error("{0}")]
    Invalid(&'static str),
    /// The store below.
    #[error(transparent)]
    Store(#[from] lectern_store::Error),
    /// The disk.
    #[error("the content's disk failed: {0}")]
    Io(#[source] Arc<std::io::Error>),
}

impl Error {
    /// Whether the disk is full, wherever that was found.
    pub fn is_full(&self) -> bool {
        match self {
            Self::NoRoom { .. }
            | Self::AtFloor { .. }
            | Self::Store(lectern_store::Error::Full { .. }) => true,
            Self::Io(error) => matches!(
                error.kind(),
                std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded
            ),
            _ => false,
        }
    }
}

impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Self {
        Self::Io(Arc::new(error))
    }
}

impl From<nix::Error> for Error {
    fn from(error: nix::Error) -> Self {
        std::io::Error::from(error).into()
    }
}
