//! Other record stores, as both directions of federation know them: where they are, what is sent with every request, what
//! their answers mean, how long to wait for one that fails.
//!
//! [`crate::forward`] sends to them, [`crate::pull`] reads from them.

mod address;
mod backoff;
mod reply;
pub(crate) mod seal;
mod supervise;
mod trial;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub(crate) use address::{endpoint, field, headers, reach};
pub(crate) use backoff::Backoff;
pub(crate) use reply::{Unavailable, not_a_record_store, reason, retry_after, unanswered};
pub(crate) use supervise::{STORE_WAIT, supervise};
pub use trial::Trial;
pub(crate) use trial::{Door, Forbidden, about};

/// What went wrong last with another record store; gone after the next success.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// When.
    pub at: Timestamp,
    /// In words.
    pub message: String,
    /// When it is tried again, if it waits.
    pub retry_at: Option<Timestamp>,
}

/// Spreads the waits of many boxes.
pub(crate) fn chance() -> f64 {
    rand::Rng::random(&mut rand::rng())
}
