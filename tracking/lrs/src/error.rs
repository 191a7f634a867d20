//! Every way in which the LRS says no. Free of HTTP; the edge maps each to its status.

use lectern_xapi::Invalid;

/// Why it was not done. Only [`Error::Store`] may be worth another try as it is.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A rule of the standard is broken, by the caller.
    #[error(transparent)]
    Invalid(#[from] Invalid),
    /// Another statement is stored under this id, or a document stands in the way of a blind PUT.
    #[error("{0}")]
    Conflict(String),
    /// The credential may not do this.
    #[error("{0}")]
    Forbidden(String),
    /// More than we take at once.
    #[error("{0}")]
    TooLarge(String),
    /// `If-Match` or `If-None-Match` does not hold.
    #[error("{0}")]
    PreconditionFailed(String),
    /// There is no such thing.
    #[error("{0}")]
    NotFound(String),
    /// A secret cannot be sealed or opened.
    #[error("{0}")]
    Sealing(String),
    /// The record itself failed.
    #[error(transparent)]
    Store(#[from] lectern_store::Error),
}

impl Error {
    /// Somebody who was erased does not come back. It will never be taken, whoever sends it: so it is the request that is
    /// at fault (400), and another record store that forwards sets this one statement aside and goes on.
    pub(crate) fn erased() -> Self {
        Self::Invalid(Invalid {
            path: "$".to_owned(),
            clause: "erasure",
            message: "is about an account that was erased from this box: nothing about it is taken any more".to_owned(),
        })
    }

    /// A broken rule in something that is no body.
    pub(crate) fn parameter(name: &str, clause: &'static str, message: impl Into<String>) -> Self {
        Self::Invalid(Invalid {
            path: name.to_owned(),
            clause,
            message: message.into(),
        })
    }
}
