//! Figures of a store for metrics and the system page.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// What a store has done since it was opened, and how large it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stats {
    /// Length of the file.
    pub file_bytes: u64,
    /// Free bytes on its disk.
    pub free_bytes: u64,
    /// Durable commits.
    pub commits: u64,
    /// Writes that were answered after those commits.
    pub writes: u64,
    /// Time spent in commits, fsync included.
    pub commit_time: Duration,
    /// How often the file was opened anew after an I/O error.
    pub reopened: u64,
    /// Writes refused because the disk was full.
    pub refused_full: u64,
}

#[derive(Default)]
pub(crate) struct Counters {
    pub(crate) commits: AtomicU64,
    pub(crate) writes: AtomicU64,
    pub(crate) commit_micros: AtomicU64,
    pub(crate) reopened: AtomicU64,
    pub(crate) refused_full: AtomicU64,
}

impl Counters {
    pub(crate) fn add(counter: &AtomicU64, n: u64) {
        counter.fetch_add(n, Ordering::Release);
    }

    /// See [`crate::Store::generation`]. A failed commit may have been kept: the file is opened anew.
    pub(crate) fn generation(&self) -> u64 {
        self.commits.load(Ordering::Acquire) + self.reopened.load(Ordering::Acquire)
    }

    pub(crate) fn read(&self) -> Stats {
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Stats {
            file_bytes: 0,
            free_bytes: 0,
            commits: get(&self.commits),
            writes: get(&self.writes),
            commit_time: Duration::from_micros(get(&self.commit_micros)),
            reopened: get(&self.reopened),
            refused_full: get(&self.refused_full),
        }
    }
}
