//! Why a request got no answer. An answer of any status is an answer.

use std::net::IpAddr;

/// Why there is no answer. All but `Address` and `Url` may pass with time.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The URL is none that can be asked.
    #[error("{0}")]
    Url(String),
    /// The host is at an address that this entry may not reach.
    #[error(
        "{host} is at {address}, inside this network; allow private addresses for this entry if that is meant"
    )]
    Address {
        /// The host.
        host: String,
        /// The first address that was refused.
        address: IpAddr,
    },
    /// The name has no address.
    #[error("the name {host} cannot be resolved: {reason}")]
    Resolve {
        /// The host.
        host: String,
        /// What the resolver said.
        reason: String,
    },
    /// No connection, or it broke.
    #[error("no connection: {0}")]
    Connection(String),
    /// It took too long.
    #[error("no answer in time")]
    TimedOut,
    /// The answer is larger than the caller takes.
    #[error("the answer is larger than {limit_bytes} bytes")]
    TooLarge {
        /// The bound.
        limit_bytes: usize,
    },
    /// The client could not be made.
    #[error("TLS cannot be set up: {0}")]
    Tls(String),
}

impl Error {
    /// Whether the same request may succeed later without anyone changing it.
    pub fn is_retriable(&self) -> bool {
        matches!(
            self,
            Self::Resolve { .. } | Self::Connection(_) | Self::TimedOut
        )
    }
}
