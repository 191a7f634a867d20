//! What the threads of the record store share: the store, the newest statements, and who waits for whom.
//!
//! A statement goes handler → [`crate::appender`] (journal; answered here) → tail → [`crate::flush`] (tables).

use std::sync::atomic::AtomicU64;
use std::sync::{
    Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard,
};
use std::time::{Duration, Instant};

use lectern_store::Store;

use crate::erasure::Refused;
use crate::error::Error;
use crate::flush::Open;
use crate::index::merge::Merger;
use crate::lrs::Clock;
use crate::tail::{Group, Tail};

/// Statements, and bytes of text, in memory and not in the tables at most; whoever appends beyond waits.
const MAX_STATEMENTS: u64 = 4_096;
const MAX_BYTES: usize = 6 << 20;
/// Longest wait for the tables by one who reads what follows from statements.
const PATIENCE: Duration = Duration::from_secs(10);
/// Under load the tables are written this often, so that many statements share a commit.
const PACE: Duration = Duration::from_millis(40);
/// After a failure the next try waits this long.
const RETRY: Duration = Duration::from_millis(500);

/// See the module.
pub(crate) struct Core {
    pub store: Store,
    pub clock: Clock,
    /// Statements in the smallest run of the index.
    pub run: u64,
    pub merger: Mutex<Option<Merger>>,
    /// The end of what is in the tables. Whoever writes blocks holds it.
    pub open: Mutex<Open>,
    /// One erasure at a time.
    pub erasing: Mutex<()>,
    /// Slices of statements erased since the start: whoever holds texts aside sees whether they may be some of those.
    pub erased: AtomicU64,
    /// Held shared by whoever keeps the bytes of attachments until the statement that holds them is stored.
    pub attaching: Arc<tokio::sync::RwLock<()>>,
    refused: RwLock<Arc<Refused>>,
    tail: RwLock<Tail>,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// How many wait for the tables right now.
    hurried: usize,
    /// Tries to write the tables that failed, in all.
    failures: u64,
    /// Why the last try failed; `None` after one that did not.
    failure: Option<Error>,
    /// Nobody appends any more: what is left goes into the tables, then the thread ends.
    is_closing: bool,
}

impl Core {
    pub fn new(store: Store, clock: Clock, run: u64) -> Self {
        Self {
            store,
            clock,
            run,
            merger: Mutex::default(),
            open: Mutex::default(),
            erasing: Mutex::default(),
            erased: AtomicU64::new(0),
            attaching: Arc::default(),
            refused: RwLock::default(),
            tail: RwLock::default(),
            state: Mutex::default(),
            changed: Condvar::new(),
        }
    }

    pub fn tail(&self) -> RwLockReadGuard<'_, Tail> {
        self.tail.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn tail_mut(&self) -> RwLockWriteGuard<'_, Tail> {
        self.tail.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whose statements are not taken.
    pub fn refused(&self) -> Arc<Refused> {
        let refused = self.refused.read();
        Arc::clone(&refused.unwrap_or_else(PoisonError::into_inner))
    }

    pub fn refuse(&self, refused: Refused) {
        let mut now = self.refused.write().unwrap_or_else(PoisonError::into_inner);
        *now = Arc::new(refused);
    }

    /// Why the tables are not where they should be.
    pub fn failure(&self) -> Error {
        let failure = self.state().failure.clone();
        failure.unwrap_or(Error::Store(lectern_store::Error::Closed))
    }

    /// Waits until there is room in memory for more.
    ///
    /// # Errors
    /// Why the tables cannot be written, when that is what keeps it full.
    pub fn wait_for_room(&self) -> Result<(), Error> {
        let mut state = self.state();
        loop {
            {
                let tail = self.tail();
                if tail.head - tail.in_tables < MAX_STATEMENTS && tail.bytes < MAX_BYTES {
                    return Ok(());
                }
            }
            if let Some(failure) = &state.failure {
                return Err(failure.clone());
            }
            state = self.wait(state, PATIENCE);
        }
    }

    /// Waits until everything that was durable when this was called is in the tables, or that was tried and failed.
    pub fn settle(&self) {
        let wanted = {
            let tail = self.tail();
            if tail.in_tables == tail.head {
                return;
            }
            tail.head
        };
        let until = Instant::now() + PATIENCE;
        let mut state = self.state();
        let failures = state.failures;
        state.hurried += 1;
        self.changed.notify_all();
        while self.tail().in_tables < wanted && state.failures == failures {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            state = self.wait(state, left);
        }
        state.hurried -= 1;
    }

    /// Says that there is something new for the tables.
    pub fn wake(&self) {
        // Under the lock: one who has looked and is about to wait hears it.
        let _state = self.state();
        self.changed.notify_all();
    }

    /// No more will be appended.
    pub fn close(&self) {
        self.state().is_closing = true;
        self.changed.notify_all();
    }

    /// What the tables lack, at most `count` statements unless one group has more; waits for it. `since` is when the
    /// last ones were taken. Empty when there is nothing and `idle` says that there is other work; `None` at the end.
    pub fn next_groups(&self, count: u64, since: Instant, idle: bool) -> Option<Vec<Arc<Group>>> {
        let mut state = self.state();
        loop {
            let (lacking, has_waiters) = {
                let tail = self.tail();
                let has_waiters = |group: &Arc<Group>| {
                    let waiting = group.waiting.lock();
                    !waiting.unwrap_or_else(PoisonError::into_inner).is_empty()
                };
                (
                    tail.head - tail.in_tables,
                    tail.groups.iter().any(has_waiters),
                )
            };
            let is_urgent = state.hurried > 0 || state.is_closing || has_waiters;
            let pace = match (&state.failure, is_urgent) {
                (Some(_), false) => RETRY,
                (None, false) if lacking < MAX_STATEMENTS / 4 => PACE,
                _ => Duration::ZERO,
            };
            let left = (since + pace).saturating_duration_since(Instant::now());
            if lacking > 0 && left.is_zero() {
                break;
            }
            if lacking == 0 && state.is_closing {
                return None;
            }
            if lacking == 0 && idle {
                return Some(Vec::new());
            }
            let patience = if lacking > 0 { left } else { PATIENCE };
            state = self.wait(state, patience);
        }
        drop(state);
        let tail = self.tail();
        let from = tail.in_tables;
        let fits = |group: &&Arc<Group>| group.end() - from <= count || group.first() == from + 1;
        Some(tail.groups.iter().take_while(fits).cloned().collect())
    }

    /// The groups up to `end` are in the tables.
    pub fn settled(&self, change: impl FnOnce(&mut Tail)) {
        {
            let mut tail = self.tail_mut();
            change(&mut tail);
        }
        self.state().failure = None;
        self.changed.notify_all();
    }

    /// They could not be written.
    pub fn failed(&self, failure: Error) {
        let mut state = self.state();
        state.failures += 1;
        state.failure = Some(failure);
        self.changed.notify_all();
    }

    /// Whether a process that ends must not wait any longer for a disk that fails.
    pub fn gives_up(&self) -> bool {
        let state = self.state();
        state.is_closing && state.failure.is_some()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'s>(&self, state: MutexGuard<'s, State>, patience: Duration) -> MutexGuard<'s, State> {
        let woken = self.changed.wait_timeout(state, patience);
        woken.unwrap_or_else(PoisonError::into_inner).0
    }
}
