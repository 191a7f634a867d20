//! The LRS as one value: its store, its folds, its clock.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use lectern_store::{Snapshot, Store};

use crate::body::Read;
use crate::entry::{Entry, LOG};
use crate::error::Error;
use crate::fold::{self, Fold, Folds};
use crate::index::Index;
use crate::marks::Punctuality;

/// Where the time comes from.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// How to open an LRS.
#[derive(Clone)]
pub struct Options {
    /// The time.
    pub clock: Clock,
    /// Seals the secrets of upstreams; without it none can be added.
    pub sealing_key: Option<[u8; 32]>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            clock: Arc::new(Timestamp::now),
            sealing_key: None,
        }
    }
}

/// The learning record store. Clones are the same one.
#[derive(Clone)]
pub struct Lrs {
    inner: Arc<Inner>,
}

struct Inner {
    store: Store,
    folds: Folds,
    options: Options,
    /// The newest entry that this process knows to be durable.
    last: AtomicU64,
    /// Posts on their way to disk, by ticket, with the time at which they began.
    in_flight: Mutex<BTreeMap<u64, Timestamp>>,
    ticket: AtomicU64,
    /// Ticks when IT changed an upstream.
    upstreams: tokio::sync::watch::Sender<u64>,
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
        let own: [Arc<dyn Fold>; 2] = [Arc::new(Index), Arc::new(Punctuality)];
        let folds: Folds = own.into_iter().chain(folds).collect();
        fold::catch_up(&store, &folds)?;
        let last = last_of(&store.snapshot()?)?.map_or(0, |entry| entry.sequence);
        Ok(Self {
            inner: Arc::new(Inner {
                store,
                folds,
                options,
                last: AtomicU64::new(last),
                in_flight: Mutex::default(),
                ticket: AtomicU64::new(0),
                upstreams: tokio::sync::watch::Sender::new(0),
            }),
        })
    }

    /// The store that everything lies in.
    pub fn store(&self) -> &Store {
        &self.inner.store
    }

    /// Drops the fold called `name` and builds it anew from the log. Nothing may be posted meanwhile.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Store`].
    pub fn rebuild(&self, name: &str) -> Result<(), Error> {
        let fold = self.inner.folds.iter().find(|fold| fold.name() == name);
        let fold = fold.ok_or_else(|| Error::NotFound(format!("there is no fold {name:?}")))?;
        fold::rebuild(&self.inner.store, fold)
    }

    /// How many entries the fold that is furthest behind has not taken in, for metrics. Folds are written with the log,
    /// so this is 0 but while one is built anew.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub fn fold_lag(&self) -> Result<u64, Error> {
        let snapshot = self.inner.store.snapshot()?;
        let head = last_of(&snapshot)?.map_or(0, |entry| entry.sequence);
        fold::lag(&snapshot, &self.inner.folds, head)
    }

    /// How many statements were ever stored: the sequence number of the last one.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub fn head(&self) -> Result<u64, Error> {
        Ok(last_of(&self.inner.store.snapshot()?)?.map_or(0, |entry| entry.sequence))
    }

    /// The statement at `sequence`, as folds see it; `None` when there is none.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub fn statement(
        &self,
        sequence: u64,
    ) -> Result<Option<(Entry, lectern_xapi::Statement)>, Error> {
        let snapshot = self.inner.store.snapshot()?;
        let Some(entry) = snapshot.entry(sequence)? else {
            return Ok(None);
        };
        Ok(snapshot
            .statement(sequence)?
            .map(|statement| (entry, statement)))
    }

    /// For `X-Experience-API-Consistent-Through` (Comm 2.1.3): every statement stored up to then can be read by
    /// whoever asks after this call.
    pub fn consistent_through(&self) -> Timestamp {
        let in_flight = self
            .inner
            .in_flight
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let begun = in_flight.values().min().copied();
        let now = (self.inner.options.clock)();
        begun
            .map_or(now, |begun| begun.min(now))
            .checked_sub(jiff::SignedDuration::from_micros(1))
            .unwrap_or(now)
    }

    pub(crate) fn now(&self) -> Timestamp {
        (self.inner.options.clock)()
    }

    pub(crate) fn options(&self) -> &Options {
        &self.inner.options
    }

    pub(crate) fn folds(&self) -> Folds {
        Arc::clone(&self.inner.folds)
    }

    pub(crate) fn hint(&self) -> u64 {
        self.inner.last.load(Ordering::Acquire)
    }

    pub(crate) fn committed(&self, sequence: u64) {
        self.inner.last.fetch_max(sequence, Ordering::AcqRel);
    }

    pub(crate) fn upstreams_changed(&self) {
        self.inner.upstreams.send_modify(|count| *count += 1);
    }

    pub(crate) fn upstream_changes(&self) -> tokio::sync::watch::Receiver<u64> {
        self.inner.upstreams.subscribe()
    }

    /// Notes that a post has begun, until the guard is dropped.
    pub(crate) fn in_flight(&self, now: Timestamp) -> InFlight {
        let ticket = self.inner.ticket.fetch_add(1, Ordering::Relaxed);
        let mut posts = self
            .inner
            .in_flight
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        posts.insert(ticket, now);
        InFlight {
            inner: Arc::clone(&self.inner),
            ticket,
        }
    }
}

pub(crate) struct InFlight {
    inner: Arc<Inner>,
    ticket: u64,
}

impl InFlight {
    /// It is over, whoever else still holds this.
    pub(crate) fn end(&self) {
        let mut posts = self
            .inner
            .in_flight
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        posts.remove(&self.ticket);
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.end();
    }
}

fn last_of(snapshot: &Snapshot) -> Result<Option<Entry>, Error> {
    let newest = snapshot.range(&LOG, ..)?.next_back().transpose()?;
    Ok(newest.map(|(_, entry)| entry))
}
