//! The LRS as one value: its store, its folds, its clock, its threads.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use jiff::Timestamp;
use lectern_store::{Journal, Store};
use tokio::sync::{Semaphore, mpsc};
use uuid::Uuid;

use crate::appender::{self, Append};
use crate::core::Core;
use crate::entry::Entry;
use crate::erasure::Refused;
use crate::error::Error;
use crate::flush;
use crate::fold::{self, Fold, Folds};
use crate::log;
use crate::marks::Punctuality;
use crate::view::View;
use crate::{attachments, definitions, open, references};

/// Where the time comes from.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// How to open an LRS.
#[derive(Clone)]
pub struct Options {
    /// The time.
    pub clock: Clock,
    /// Seals the secrets of upstreams and sources; without it none can be added.
    pub sealing_key: Option<[u8; 32]>,
    /// Statements in the smallest run of the index. A file that was made with another number gets a new index.
    pub run_statements: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            clock: Arc::new(Timestamp::now),
            sealing_key: None,
            run_statements: 8_192,
        }
    }
}

/// The learning record store. Clones are the same one; the last one brings what is in the journal into the tables.
#[derive(Clone)]
pub struct Lrs {
    inner: Arc<Inner>,
}

struct Inner {
    core: Arc<Core>,
    folds: Folds,
    sealing_key: Option<[u8; 32]>,
    /// Of the one who appends; here, too, so that it can be written over. `None` when closed.
    journal: Arc<Mutex<Option<Journal>>>,
    /// `None` when closed.
    appender: Mutex<Option<mpsc::Sender<Append>>>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    /// One permit a processor: who parses a large request holds one.
    parsing: Arc<Semaphore>,
    /// Ticks when IT changed an upstream.
    upstreams: tokio::sync::watch::Sender<u64>,
    /// Ticks when IT changed a source.
    sources: tokio::sync::watch::Sender<u64>,
    /// Of this opening alone: tells whether an address leads back here.
    instance: Uuid,
}

impl Lrs {
    /// Opens the LRS in `store` and brings every fold up to the end of the log. The LRS's own folds run before
    /// `folds`, which run in their order.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub fn open(store: Store, folds: Vec<Arc<dyn Fold>>) -> Result<Self, Error> {
        Self::open_with(store, folds, Options::default())
    }

    /// [`Lrs::open`], with a clock and a sealing key.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub fn open_with(
        store: Store,
        folds: Vec<Arc<dyn Fold>>,
        options: Options,
    ) -> Result<Self, Error> {
        open::refuse_rows(&store.snapshot()?)?;
        let run = options.run_statements.max(1);
        let core = Arc::new(Core::new(store, options.clock, run));
        core.refuse(Refused::read(&core.store.snapshot()?)?);
        let own: [Arc<dyn Fold>; 4] = [
            references::fold(&core),
            Arc::new(definitions::Definitions::default()),
            Arc::new(Punctuality),
            Arc::new(attachments::Held),
        ];
        let folds: Folds = own.into_iter().chain(folds).collect();
        let last = log::last_block(&core.store.snapshot()?)?;
        open::index(&core, last.as_ref())?;
        fold::catch_up(&core, &folds)?;
        let (journal, end) = open::journal(&core, last.as_ref())?;
        flush::begin(&core, last.as_ref());
        let journal = Arc::new(Mutex::new(Some(journal)));
        let (sender, queue) = mpsc::channel(appender::QUEUE);
        let flushing = std::thread::Builder::new()
            .name("lrs-flush".to_owned())
            .spawn({
                let (core, folds) = (Arc::clone(&core), Arc::clone(&folds));
                move || flush::run(&core, &folds)
            });
        let flushing = flushing.map_err(lectern_store::Error::from)?;
        let appending = std::thread::Builder::new()
            .name("lrs-append".to_owned())
            .spawn({
                let (core, journal) = (Arc::clone(&core), Arc::clone(&journal));
                move || {
                    appender::run(&core, &journal, end, queue);
                    journal
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .take();
                    core.close();
                }
            });
        let appending = appending.map_err(lectern_store::Error::from)?;
        // What a process that was killed left in the journal is there before anyone reads.
        core.settle();
        Ok(Self {
            inner: Arc::new(Inner {
                core,
                folds,
                sealing_key: options.sealing_key,
                journal,
                appender: Mutex::new(Some(sender)),
                threads: Mutex::new(vec![appending, flushing]),
                parsing: Arc::new(Semaphore::new(
                    std::thread::available_parallelism().map_or(1, usize::from),
                )),
                upstreams: tokio::sync::watch::Sender::new(0),
                sources: tokio::sync::watch::Sender::new(0),
                instance: Uuid::new_v4(),
            }),
        })
    }

    /// The store that everything lies in.
    pub fn store(&self) -> &Store {
        &self.inner.core.store
    }

    /// Waits until every statement that was answered is in the tables, with all that follows from it, or until that was
    /// tried and failed. Blocks for milliseconds: for whoever reads folds or copies the store.
    pub fn settle(&self) {
        self.inner.core.settle();
    }

    /// [`Self::settle`], or why that could not be; the end of the log then.
    ///
    /// # Errors
    /// What keeps the tables from being written.
    pub(crate) fn settled(&self) -> Result<u64, Error> {
        let core = &self.inner.core;
        let head = core.tail().head;
        core.settle();
        let in_tables = core.tail().in_tables;
        if in_tables < head {
            return Err(core.failure());
        }
        Ok(head)
    }

    /// [`Self::settle`], and all merging of the index is done: for tests and tools.
    pub fn rest(&self) {
        self.settle();
        while flush::merge(&self.inner.core) {}
    }

    /// Takes no more statements, brings those that it took into the tables, ends the threads. Blocks.
    pub fn close(&self) {
        self.inner.close();
    }

    /// Drops the fold called `name` and builds it anew from the log. Nothing may be posted meanwhile.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Store`].
    pub fn rebuild(&self, name: &str) -> Result<(), Error> {
        self.settle();
        if name == open::INDEX {
            return open::rebuild(&self.inner.core);
        }
        let fold = self.inner.folds.iter().find(|fold| fold.name() == name);
        let fold = fold.ok_or_else(|| Error::NotFound(format!("there is no fold {name:?}")))?;
        fold::rebuild(&self.inner.core, fold)
    }

    /// How many statements the fold that is furthest behind has not taken in, for metrics.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub fn fold_lag(&self) -> Result<u64, Error> {
        let (head, in_tables) = {
            let tail = self.inner.core.tail();
            (tail.head, tail.in_tables)
        };
        let snapshot = self.store().snapshot()?;
        Ok(head - in_tables + fold::lag(&snapshot, &self.inner.folds, in_tables)?)
    }

    /// How many statements were ever stored: the sequence number of the last one.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub fn head(&self) -> Result<u64, Error> {
        Ok(self.inner.core.tail().head)
    }

    /// The statement at `sequence`, as folds see it; `None` when there is none.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub fn statement(
        &self,
        sequence: u64,
    ) -> Result<Option<(Entry, lectern_xapi::Statement)>, Error> {
        let view = self.view()?;
        let Some(entry) = view.entry(sequence)? else {
            return Ok(None);
        };
        Ok(view
            .statement(sequence)?
            .map(|statement| (entry, statement)))
    }

    /// For `X-Experience-API-Consistent-Through` (Comm 2.1.3): every statement stored up to then can be read by
    /// whoever asks after this call, and everything that follows from it.
    pub fn consistent_through(&self) -> Timestamp {
        let now = (self.inner.core.clock)();
        let begun = {
            let tail = self.inner.core.tail();
            tail.oldest().into_iter().chain(tail.appending).min()
        };
        begun
            .map_or(now, |begun| begun.min(now))
            .checked_sub(jiff::SignedDuration::from_micros(1))
            .unwrap_or(now)
    }

    /// A random name, another one with each opening: whoever finds it in the answer of an address has reached this LRS.
    pub fn instance(&self) -> Uuid {
        self.inner.instance
    }

    pub(crate) fn now(&self) -> Timestamp {
        (self.inner.core.clock)()
    }

    pub(crate) fn core_arc(&self) -> Arc<Core> {
        Arc::clone(&self.inner.core)
    }

    pub(crate) fn folds(&self) -> Folds {
        Arc::clone(&self.inner.folds)
    }

    /// Whoever has this appends nothing meanwhile, and knows that whatever was taken in before is in memory.
    pub(crate) fn journal(&self) -> MutexGuard<'_, Option<Journal>> {
        let journal = self.inner.journal.lock();
        journal.unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn view(&self) -> Result<View, Error> {
        Ok(View::new(&self.inner.core)?)
    }

    pub(crate) fn sealing_key(&self) -> Option<[u8; 32]> {
        self.inner.sealing_key
    }

    pub(crate) fn appender(&self) -> Option<mpsc::Sender<Append>> {
        let appender = self.inner.appender.lock();
        appender.unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn parsing(&self) -> Arc<Semaphore> {
        Arc::clone(&self.inner.parsing)
    }

    pub(crate) fn upstreams_changed(&self) {
        self.inner.upstreams.send_modify(|count| *count += 1);
    }

    pub(crate) fn sources_changed(&self) {
        self.inner.sources.send_modify(|count| *count += 1);
    }

    pub(crate) fn source_changes(&self) -> tokio::sync::watch::Receiver<u64> {
        self.inner.sources.subscribe()
    }

    pub(crate) fn upstream_changes(&self) -> tokio::sync::watch::Receiver<u64> {
        self.inner.upstreams.subscribe()
    }
}

impl Inner {
    fn close(&self) {
        let appender = self.appender.lock();
        appender.unwrap_or_else(PoisonError::into_inner).take();
        let threads =
            std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        for thread in threads {
            if thread.join().is_err() {
                tracing::error!(event = "lrs.thread_panicked");
            }
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.close();
    }
}
