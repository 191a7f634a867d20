//! The library itself: one store, its folders, and what is kept in memory alone because a restart
//! may forget it (progress, leases, who is writing to an upload).

use std::collections::HashMap;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use lectern_store::{Store, Tx};
use tokio::sync::broadcast;

use crate::append::Active;
use crate::blobs::Folders;
use crate::hold::Hold;
use crate::jobs::Held;
use crate::rows::SEQUENCES;
use crate::{Error, JobId, UploadId, VideoId};

/// The largest upload, unless [`Options`] say otherwise.
pub const MAX_UPLOAD_BYTES: u64 = 256 << 30;

/// How a library is opened.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Uploads and jobs stop when the disk has no more than this left.
    pub floor_bytes: u64,
    /// The largest upload.
    pub max_upload_bytes: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            floor_bytes: 512 << 20,
            max_upload_bytes: MAX_UPLOAD_BYTES,
        }
    }
}

/// Everything the box holds. Clones are the same library.
#[derive(Clone)]
pub struct Library {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) store: Store,
    pub(crate) folders: Folders,
    pub(crate) options: Options,
    /// May change while the box runs.
    pub(crate) floor_bytes: AtomicU64,
    pub(crate) changes: broadcast::Sender<Change>,
    /// How far each running job is: not worth a commit.
    pub(crate) progress: Mutex<HashMap<(VideoId, u32), Progress>>,
    /// Who works at which job. The store is this process's alone, so a lease that dies with the
    /// process needs no row.
    pub(crate) leases: Mutex<HashMap<JobId, Held>>,
    /// The video whose speech is being written down, and the number of that run.
    pub(crate) hearing: Mutex<Option<(VideoId, u64)>>,
    /// Why nothing is given out.
    pub(crate) hold: Mutex<Option<Hold>>,
    /// Uploads that a request is writing to, and hashes of their bytes so far.
    pub(crate) active: Mutex<HashMap<UploadId, Active>>,
    /// Shared by those who place a file and then write the row that refers to it; taken alone by
    /// garbage collection.
    pub(crate) placing: RwLock<()>,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Progress {
    pub(crate) ratio: f32,
    pub(crate) eta_ms: Option<u64>,
}

/// Something about a video changed: for server-sent events and for the scheduler.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Change {
    /// Which one.
    pub video: VideoId,
    /// What.
    pub kind: ChangeKind,
}

/// What changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeKind {
    /// It was added, or its title, people or versions' states changed.
    Video,
    /// A version's progress alone.
    Progress,
    /// Its captions.
    Captions,
    /// A job of it waits for a worker.
    JobQueued,
    /// A job of it must stop.
    JobCancelled,
    /// It is gone.
    Removed,
}

/// Changes that a slow listener may be behind before it misses some (and is told so).
const CHANGES: usize = 1024;

impl Library {
    /// Opens the library on its store, with its folders in `state_dir`.
    ///
    /// # Errors
    /// [`Error::Io`] when the folders cannot be made, [`Error::Store`].
    pub fn open(store: Store, state_dir: &Path, options: Options) -> Result<Self, Error> {
        let folders = Folders::make(state_dir)?;
        Ok(Self {
            inner: Arc::new(Inner {
                store,
                folders,
                options,
                floor_bytes: AtomicU64::new(options.floor_bytes),
                changes: broadcast::Sender::new(CHANGES),
                progress: Mutex::default(),
                leases: Mutex::default(),
                hearing: Mutex::default(),
                hold: Mutex::default(),
                active: Mutex::default(),
                placing: RwLock::new(()),
            }),
        })
    }

    /// What changes from now on. A listener that is told it lagged reads everything anew.
    pub fn changes(&self) -> broadcast::Receiver<Change> {
        self.inner.changes.subscribe()
    }

    /// From now on so many bytes stay free.
    pub fn set_floor(&self, bytes: u64) {
        self.inner.floor_bytes.store(bytes, Ordering::Relaxed);
    }

    /// The store below: for backups, checks and metrics.
    pub fn store(&self) -> &Store {
        &self.inner.store
    }

    pub(crate) fn changed(&self, video: VideoId, kind: ChangeKind) {
        // Nobody listening is fine.
        let _ = self.inner.changes.send(Change { video, kind });
    }
}

impl std::fmt::Debug for Library {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Library").finish_non_exhaustive()
    }
}

/// The next number of a sequence, from 1.
pub(crate) fn next_number(tx: &Tx<'_>, sequence: &str) -> Result<u64, Error> {
    let name = sequence.to_owned();
    let number = tx.get(&SEQUENCES, &name)?.unwrap_or(0) + 1;
    tx.insert(&SEQUENCES, &name, &number)?;
    Ok(number)
}

/// A lock whose holder panicked still guards whole values: each is replaced in one step.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
