//! What this machine's chips can do, as far as it is known. Whoever finds it out ([`Chips::learn`]) is the daemon; a
//! page may ask it to try again.

use std::sync::{Arc, PoisonError, RwLock};

use lectern_vod::hardware::Capabilities;
use tokio::sync::Notify;

/// Shared by the pages and by who finds out.
#[derive(Debug, Default)]
pub struct Chips {
    /// None while they are tried.
    known: RwLock<Option<Arc<Capabilities>>>,
    wanted: Notify,
}

impl Chips {
    /// What is known; none while the chips are tried.
    pub fn known(&self) -> Option<Arc<Capabilities>> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.clone()
    }

    /// Takes what was found out.
    pub fn learn(&self, found: Capabilities) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        *known = Some(Arc::new(found));
    }

    /// Has all tried again.
    pub fn try_again(&self) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        *known = None;
        self.wanted.notify_one();
    }

    /// Waits until somebody wants all tried again.
    pub async fn wanted(&self) {
        self.wanted.notified().await;
    }
}
