//! The store's door: open, snapshot, write, close; and the file below, which is opened anew under
//! its readers when the disk has failed (redb refuses every call after an I/O error).

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::thread::JoinHandle;
use std::time::Instant;

use redb::{Builder, Database, ReadableDatabase, WriteTransaction};
use tokio::sync::{oneshot, watch};

use crate::backup::Room;
use crate::disk::{Disk, FileDisk};
use crate::stats::Counters;
use crate::writer::{self, Closure, Message, QUEUE};
use crate::{BackupReport, CheckReport, Error, Migration, Snapshot, Stats, Tx, migrate};

/// How a store is opened.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Memory for pages (redb's own default is 1 GiB for each file).
    pub cache_bytes: usize,
    /// Writes are refused when the disk has no more than this left.
    pub reserve_bytes: u64,
    /// Every commit also keeps what opening after a crash needs, so that it need not read the
    /// whole file. `docs/decisions/0002-redb-quick-repair.md` has the figures.
    pub quick_repair: bool,
    /// Numbered steps, run once each when the file is opened.
    pub migrations: &'static [Migration],
}

impl Default for Options {
    fn default() -> Self {
        Self {
            cache_bytes: 16 << 20,
            reserve_bytes: 64 << 20,
            quick_repair: true,
            migrations: &[],
        }
    }
}

/// One file with its writer thread. Clones are the same store; the last one closes it.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    shared: Arc<Shared>,
    queue: SyncSender<Message>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// What readers and the writer thread share.
pub(crate) struct Shared {
    disk: Box<dyn Disk>,
    cache_bytes: usize,
    pub(crate) reserve_bytes: u64,
    quick_repair: bool,
    /// `None` after the disk failed and the file could not be opened again, and when closed.
    database: RwLock<Option<Database>>,
    /// Counts readers of the file as it is open now.
    readers: Mutex<Arc<ReaderCount>>,
    closed: AtomicBool,
    commits: watch::Sender<u64>,
    counters: Counters,
}

/// Lives in every snapshot and scan: how many there are is its strong count.
pub(crate) struct ReaderCount;

impl Store {
    /// Opens the file at `path`, making it when there is none, and runs its migrations.
    ///
    /// # Errors
    /// [`Error::InUse`], [`Error::Corrupt`], [`Error::Io`], [`Error::Full`].
    pub fn open(path: &Path, options: Options) -> Result<Self, Error> {
        Self::open_on(Box::new(FileDisk::new(path)), options)
    }

    /// Opens a store on any disk: for tests that break it.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn open_on(disk: Box<dyn Disk>, options: Options) -> Result<Self, Error> {
        let database = disk.open(Builder::new().set_cache_size(options.cache_bytes))?;
        let shared = Arc::new(Shared {
            disk,
            cache_bytes: options.cache_bytes,
            reserve_bytes: options.reserve_bytes,
            quick_repair: options.quick_repair,
            database: RwLock::new(Some(database)),
            readers: Mutex::new(Arc::new(ReaderCount)),
            closed: AtomicBool::new(false),
            commits: watch::Sender::new(0),
            counters: Counters::default(),
        });
        let (queue, receiver) = sync_channel(QUEUE);
        let thread = std::thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn({
                let shared = shared.clone();
                move || writer::run(&shared, &receiver)
            })?;
        let store = Self {
            inner: Arc::new(Inner {
                shared,
                queue,
                thread: Mutex::new(Some(thread)),
            }),
        };
        migrate::run(&store, options.migrations)?;
        Ok(store)
    }

    /// Everything as it is now, durable, for as long as the reader keeps it.
    ///
    /// # Errors
    /// [`Error::Io`] while the disk fails, [`Error::Closed`].
    pub fn snapshot(&self) -> Result<Snapshot, Error> {
        self.inner.shared.snapshot()
    }

    /// Runs `work` in a transaction and waits until it is on disk. `work` may run again when a
    /// neighbour in the same transaction failed, so it must not keep anything outside. Blocks:
    /// async callers use [`Self::write_async`].
    ///
    /// # Errors
    /// What `work` answers, or an [`Error`]: then nothing of it was kept (after [`Error::Io`]
    /// that is unknown).
    pub fn write<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: FnMut(&Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        self.write_blocking(work, false)
    }

    /// As [`Self::write`], for what makes room on a full disk: it may use half of the reserve.
    ///
    /// # Errors
    /// As [`Self::write`].
    pub fn write_making_room<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: FnMut(&Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        self.write_blocking(work, true)
    }

    /// As [`Self::write`], for async callers. Dropping the future does not undo the write.
    ///
    /// # Errors
    /// As [`Self::write`].
    pub async fn write_async<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: FnMut(&Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        let (sender, answer) = oneshot::channel();
        let message = Message::Write(Box::new(Closure {
            work,
            outcome: None,
            answer: move |result: Result<T, E>| {
                // A caller that has gone away needs no answer.
                let _ = sender.send(result);
            },
            may_use_reserve: false,
        }));
        match self.inner.queue.try_send(message) {
            Ok(()) => {}
            Err(TrySendError::Disconnected(_)) => return Err(Error::Closed.into()),
            Err(TrySendError::Full(message)) => {
                // Rare: wait for a place where waiting is allowed.
                let queue = self.inner.queue.clone();
                let sent = tokio::task::spawn_blocking(move || queue.send(message).is_ok()).await;
                if !sent.unwrap_or(false) {
                    return Err(Error::Closed.into());
                }
            }
        }
        answer.await.unwrap_or_else(|_| Err(Error::Closed.into()))
    }

    /// Ticks after each durable commit.
    pub fn commits(&self) -> watch::Receiver<u64> {
        self.inner.shared.commits.subscribe()
    }

    /// A number that is another one after each write that a caller has been told of, and after each
    /// that may have been kept: what was read from a snapshot taken at this number is still so while
    /// it stays. Costs nothing, for readers too frequent for a snapshot each.
    pub fn generation(&self) -> u64 {
        self.inner.shared.counters.generation()
    }

    /// Figures for metrics. A figure that cannot be had is 0.
    pub fn stats(&self) -> Stats {
        let shared = &self.inner.shared;
        Stats {
            file_bytes: shared.disk.file_bytes().unwrap_or(0),
            free_bytes: shared.disk.free_bytes().unwrap_or(0),
            ..shared.counters.read()
        }
    }

    /// Copies everything into a new file at `path`, table by table out of one snapshot, while
    /// readers and the writer go on. The disk that it goes to keeps the reserve free, too.
    ///
    /// # Errors
    /// [`Error::Exists`], [`Error::TooSlow`], [`Error::Full`], [`Error::Io`], [`Error::Corrupt`].
    pub fn backup(&self, path: &Path) -> Result<BackupReport, Error> {
        let shared = &self.inner.shared;
        let room = Room {
            wanted_bytes: shared.disk.file_bytes()?,
            reserve_bytes: shared.reserve_bytes,
        };
        crate::backup::run(&self.snapshot()?, path, room)
    }

    /// Puts a file that [`Self::backup`] made at `path`, after checking it. No store may be
    /// there, and none is opened.
    ///
    /// # Errors
    /// [`Error::Exists`], [`Error::Corrupt`], [`Error::Io`], [`Error::Full`].
    pub fn restore(copy: &Path, path: &Path) -> Result<CheckReport, Error> {
        crate::backup::restore(copy, path)
    }

    /// Reads every entry of every table out of a snapshot, on the caller's thread, while readers
    /// and the writer go on. Verifies every page's checksum besides when that keeps nobody waiting:
    /// when this is the only handle of the store. The report says whether it did.
    ///
    /// # Errors
    /// [`Error::Closed`], [`Error::Io`]; damage is in the report.
    pub fn check(&self) -> Result<CheckReport, Error> {
        let is_alone = Arc::strong_count(&self.inner) == 1;
        self.check_as(is_alone)
    }

    /// As [`Self::check`], and every page's checksum unless a reader is in the way. Whoever else
    /// wants the store waits for as long as the file is read: for one who works with it alone.
    ///
    /// # Errors
    /// As [`Self::check`].
    pub fn check_every_page(&self) -> Result<CheckReport, Error> {
        self.check_as(true)
    }

    /// Finishes what waits and closes the file; everything after is [`Error::Closed`].
    pub fn close(&self) {
        self.inner.close();
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.inner.shared
    }

    fn check_as(&self, with_pages: bool) -> Result<CheckReport, Error> {
        let mut report = CheckReport::default();
        if with_pages {
            let (sender, answer) = sync_channel(1);
            // The writer thread does it: no write is under way then.
            let sent = self.inner.queue.send(Message::CheckPages(sender));
            sent.map_err(|_| Error::Closed)?;
            report = answer.recv().map_err(|_| Error::Closed)?;
        }
        crate::check::walk(&self.snapshot()?, &mut report)?;
        Ok(report)
    }

    fn write_blocking<T, E, F>(&self, work: F, may_use_reserve: bool) -> Result<T, E>
    where
        F: FnMut(&Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        let (sender, answer) = sync_channel(1);
        let message = Message::Write(Box::new(Closure {
            work,
            outcome: None,
            answer: move |result: Result<T, E>| {
                // The caller waits for exactly this one message.
                let _ = sender.send(result);
            },
            may_use_reserve,
        }));
        let sent = self.inner.queue.send(message);
        sent.map_err(|_| Error::Closed)?;
        answer.recv().unwrap_or_else(|_| Err(Error::Closed.into()))
    }
}

impl Inner {
    fn close(&self) {
        self.shared.closed.store(true, Ordering::Release);
        let thread = lock(&self.thread).take();
        let Some(thread) = thread else { return };
        // The thread may have ended already.
        let _ = self.queue.send(Message::Close);
        // The last clone may live in a closure that the writer thread itself drops.
        if thread.thread().id() != std::thread::current().id() && thread.join().is_err() {
            tracing::error!(event = "store.writer_panicked");
        }
        self.shared.close();
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.close();
    }
}

impl Shared {
    pub(crate) fn snapshot(&self) -> Result<Snapshot, Error> {
        let database = self.database.read().unwrap_or_else(PoisonError::into_inner);
        let database = database.as_ref().ok_or_else(|| self.not_open())?;
        let transaction = database.begin_read()?;
        Ok(Snapshot::new(transaction, lock(&self.readers).clone()))
    }

    pub(crate) fn begin_write(&self) -> Result<WriteTransaction, Error> {
        let database = self.database.read().unwrap_or_else(PoisonError::into_inner);
        let database = database.as_ref().ok_or_else(|| self.not_open())?;
        let mut transaction = database.begin_write()?;
        transaction.set_quick_repair(self.quick_repair);
        Ok(transaction)
    }

    pub(crate) fn commit(&self, transaction: WriteTransaction, writes: usize) -> Result<(), Error> {
        let begun = Instant::now();
        transaction.commit()?;
        Counters::add(&self.counters.commits, 1);
        Counters::add(&self.counters.writes, writes as u64);
        let micros = u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX);
        Counters::add(&self.counters.commit_micros, micros);
        self.commits.send_modify(|n| *n += 1);
        Ok(())
    }

    /// How much a transaction may write, or that the disk is full. Half of the reserve is for
    /// what makes room.
    pub(crate) fn budget(&self, may_use_reserve: bool) -> Result<u64, Error> {
        let free_bytes = self.disk.free_bytes()?;
        let kept = match may_use_reserve {
            true => self.reserve_bytes / 2,
            false => self.reserve_bytes,
        };
        if free_bytes > kept {
            return Ok(free_bytes - kept);
        }
        Counters::add(&self.counters.refused_full, 1);
        Err(Error::Full {
            free_bytes,
            reserve_bytes: self.reserve_bytes,
        })
    }

    /// The refusal of a full disk.
    pub(crate) fn full(&self) -> Error {
        Counters::add(&self.counters.refused_full, 1);
        Error::Full {
            free_bytes: self.disk.free_bytes().unwrap_or(0),
            reserve_bytes: self.reserve_bytes,
        }
    }

    pub(crate) fn disk(&self) -> &dyn Disk {
        self.disk.as_ref()
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    /// After an I/O error: closes the file (its readers get [`Error::Reopened`]) and opens it
    /// again. When that fails, too, the next write tries anew.
    pub(crate) fn reopen(&self, why: &Error) {
        let mut database = self
            .database
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        if self.closed.load(Ordering::Acquire) && database.is_none() {
            return;
        }
        tracing::error!(event = "store.reopen", error = %why);
        if let Some(old) = database.take() {
            // It failed before; what it says at its end is no news.
            let _ = old.close();
        }
        *lock(&self.readers) = Arc::new(ReaderCount);
        match self.open_again() {
            Ok(new) => {
                Counters::add(&self.counters.reopened, 1);
                *database = Some(new);
            }
            Err(error) => tracing::error!(event = "store.reopen_failed", %error),
        }
    }

    fn open_again(&self) -> Result<Database, Error> {
        self.disk
            .reopen(Builder::new().set_cache_size(self.cache_bytes))
    }

    /// The database alone, when no reader has it: for the integrity check.
    pub(crate) fn exclusively<T>(&self, work: impl FnOnce(&mut Database) -> T) -> Option<T> {
        let mut database = self
            .database
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        if Arc::strong_count(&lock(&self.readers)) > 1 {
            return None;
        }
        database.as_mut().map(work)
    }

    fn not_open(&self) -> Error {
        match self.closed.load(Ordering::Acquire) {
            true => Error::Closed,
            false => Error::Io(Arc::new(std::io::Error::other(
                "the store's file could not be opened again",
            ))),
        }
    }

    fn close(&self) {
        let database = self
            .database
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(Err(error)) = database.map(Database::close) {
            tracing::warn!(event = "store.close", %error);
        }
    }
}

/// A lock whose holder panicked still guards a whole value: each is replaced in one step.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
