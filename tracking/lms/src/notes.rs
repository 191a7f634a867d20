//! Readings on their way into the audit log. Whoever reads waits for one sync of a journal, never for the tables, which
//! many statements may be on their way into; a thread brings what was noted into the tables, many at once.
//!
//! A note is answered when it is durable: in the journal, or where that has no room, in the tables.

use crate::Error;
use crate::audit::{AuditEvent, Reading, append, ending, is_another};
use crate::secret::Hash;
use crate::tables::{ENDINGS, NOTED, READINGS};
use crate::viewing::sweep;
use jiff::Timestamp;
use lectern_store::{Error as StoreError, Journal, JournalOf, Store, Tx};
use serde::{Deserialize, Serialize};
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Notes in one transaction at most.
const MAX_AT_ONCE: usize = 500;
/// Notes that may wait for the tables; whoever reads beyond waits with them.
const MAX_WAITING: usize = 4_096;
/// The tables are written this often, so that many notes share a commit.
const PACE: Duration = Duration::from_millis(500);
/// After a failure the next try waits this long.
const RETRY: Duration = Duration::from_millis(500);
/// Longest wait for the tables.
const PATIENCE: Duration = Duration::from_secs(10);

/// That somebody's record was read.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Note {
    /// Counts on for ever.
    number: u64,
    at: Timestamp,
    reader: String,
    reading: Reading,
}

/// The notes, and the thread that brings them into the tables.
pub(crate) struct Notes {
    core: Arc<Core>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

struct Core {
    store: Store,
    journal: Mutex<Journal>,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// Not in the tables yet, oldest first.
    waiting: VecDeque<Arc<Note>>,
    /// The newest of `waiting` about the same, and when it was.
    recent: HashMap<Hash, (u64, u64)>,
    /// The number of the newest note.
    last: u64,
    /// The newest note that is in the journal.
    journaled: u64,
    /// The newest note that is in the tables.
    in_tables: u64,
    /// How many wait for the tables right now.
    hurried: usize,
    /// Tries to write the tables that were begun, in all.
    begun: u64,
    /// The newest of them that failed; one that never comes when no more are made.
    failed: u64,
    /// Why the last try failed; `None` after one that did not.
    failure: Option<StoreError>,
    is_closing: bool,
}

impl Notes {
    /// Takes in what a process that was killed left in the journal, and starts the thread.
    pub fn open(store: Store) -> Result<Self, Error> {
        let (journal, frames) = store.journal(JournalOf::Notes)?;
        let in_tables = store.snapshot()?.get(&NOTED, &0)?.unwrap_or(0);
        let mut state = State {
            last: in_tables,
            journaled: in_tables,
            in_tables,
            ..State::default()
        };
        for bytes in frames {
            let note: Note = serde_json::from_slice(&bytes).map_err(damaged)?;
            if note.number > state.last {
                state.last = note.number;
                state.journaled = note.number;
                state.push(note);
            }
        }
        let core = Arc::new(Core {
            store,
            journal: Mutex::new(journal),
            state: Mutex::new(state),
            changed: Condvar::new(),
        });
        let of_thread = Arc::clone(&core);
        let thread = std::thread::Builder::new()
            .name("audit-notes".to_owned())
            .spawn(move || of_thread.run())
            .map_err(StoreError::from)?;
        Ok(Self {
            core,
            thread: Mutex::new(Some(thread)),
        })
    }

    /// Notes readings, unless the same was noted within the last ten minutes. Durable when it returns.
    ///
    /// # Errors
    /// When neither journal nor tables can be written.
    pub fn add(&self, reader: &str, readings: Vec<Reading>, now: Timestamp) -> Result<(), Error> {
        let snapshot = self.core.store.snapshot()?;
        let mut unread = Vec::new();
        for reading in readings {
            let hash = reading.hash(reader);
            if is_another(snapshot.get(&READINGS, &hash)?, now) {
                unread.push((hash, reading));
            }
        }
        drop(snapshot);
        let mut wanted = 0;
        let mut is_crowded = false;
        if !unread.is_empty() {
            let mut state = self.core.state();
            for (hash, reading) in unread {
                let noted = state.recent.get(&hash).copied();
                let number = match noted {
                    // Somebody else's note may be on its way to the disk still.
                    Some((number, second)) if !is_another(Some(second), now) => number,
                    _ => {
                        state.last += 1;
                        let number = state.last;
                        state.push(Note {
                            number,
                            at: now,
                            reader: reader.to_owned(),
                            reading,
                        });
                        number
                    }
                };
                wanted = wanted.max(number);
            }
            is_crowded = state.waiting.len() > MAX_WAITING;
        }
        if wanted == 0 {
            return Ok(());
        }
        match self.core.write_journal(wanted) {
            Ok(()) if !is_crowded => Ok(()),
            _ => Ok(self.core.settle(wanted)?),
        }
    }

    /// Waits until everything that was noted is in the tables, or that was tried and failed.
    pub fn settle(&self) -> Result<(), Error> {
        let last = self.core.state().last;
        Ok(self.core.settle(last)?)
    }

    /// Writes over what was journaled, once all of it is in the tables. Whoever reads waits. Blocks.
    pub fn scrub(&self) -> Result<(), Error> {
        let mut journal = self
            .core
            .journal
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        // Nothing comes into the journal meanwhile.
        let journaled = self.core.state().journaled;
        self.core.settle(journaled)?;
        Ok(journal.scrub()?)
    }

    /// Brings everything into the tables, when they can be written; nobody notes any more.
    pub fn close(&self) {
        self.core.state().is_closing = true;
        self.core.changed.notify_all();
        let mut thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(thread) = thread.take() {
            // It does not panic; if it did, what is in the journal is found at the next start.
            let _ = thread.join();
        }
    }
}

impl Drop for Notes {
    fn drop(&mut self) {
        self.close();
    }
}

impl Core {
    /// Brings what waits into the journal, up to `wanted` at least; whoever comes meanwhile finds it done.
    fn write_journal(&self, wanted: u64) -> Result<(), StoreError> {
        let mut journal = self.journal.lock().unwrap_or_else(PoisonError::into_inner);
        let (frames, last, in_tables) = {
            let state = self.state();
            let durable = state.journaled.max(state.in_tables);
            if durable >= wanted {
                return Ok(());
            }
            let new = state.waiting.iter().filter(|note| note.number > durable);
            let frames: Vec<Vec<u8>> = new.map(|note| encode(note)).collect();
            (frames, state.last, state.in_tables)
        };
        journal.append(frames.iter().map(Vec::as_slice), last, in_tables)?;
        self.state().journaled = last;
        Ok(())
    }

    /// Waits until the tables have the note `wanted`.
    fn settle(&self, wanted: u64) -> Result<(), StoreError> {
        let until = Instant::now() + PATIENCE;
        let mut state = self.state();
        // What was begun before may have met what is mended since: only a later attempt counts.
        let begun = state.begun;
        state.hurried += 1;
        self.changed.notify_all();
        while state.in_tables < wanted && state.failed <= begun {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            state = self.wait(state, left);
        }
        state.hurried -= 1;
        if state.in_tables >= wanted {
            return Ok(());
        }
        Err(state.failure.clone().unwrap_or(StoreError::Closed))
    }

    /// Until nobody notes any more and all is in the tables, or cannot be brought there.
    fn run(&self) {
        let mut since = Instant::now();
        while let Some(notes) = self.next(since) {
            since = Instant::now();
            let last = notes.last().map_or(0, |note| note.number);
            let written = self.store.write_making_room(move |tx| write(tx, &notes));
            let mut state = self.state();
            let mut is_over = false;
            match written {
                Ok(()) => state.are_in_tables(last),
                Err(error) => {
                    tracing::error!(event = "lms.audit_waits", %error);
                    is_over = state.is_closing;
                    state.failed = if is_over { u64::MAX } else { state.begun };
                    state.failure = Some(error);
                }
            }
            drop(state);
            self.changed.notify_all();
            if is_over {
                return;
            }
        }
    }

    /// What the tables lack; waits for it. `None` at the end.
    fn next(&self, since: Instant) -> Option<Vec<Arc<Note>>> {
        let mut state = self.state();
        loop {
            let is_urgent = state.hurried > 0 || state.is_closing;
            let pace = match (&state.failure, is_urgent) {
                (Some(_), false) => RETRY,
                (None, false) if state.waiting.len() < MAX_AT_ONCE => PACE,
                _ => Duration::ZERO,
            };
            let left = (since + pace).saturating_duration_since(Instant::now());
            match state.waiting.is_empty() {
                false if left.is_zero() => break,
                false => state = self.wait(state, left),
                true if state.is_closing => return None,
                true => state = self.wait(state, PATIENCE),
            }
        }
        state.begun += 1;
        Some(state.waiting.iter().take(MAX_AT_ONCE).cloned().collect())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'s>(&self, state: MutexGuard<'s, State>, patience: Duration) -> MutexGuard<'s, State> {
        let woken = self.changed.wait_timeout(state, patience);
        woken.unwrap_or_else(PoisonError::into_inner).0
    }
}

impl State {
    fn push(&mut self, note: Note) {
        let hash = note.reading.hash(&note.reader);
        self.recent.insert(hash, (note.number, second(note.at)));
        self.waiting.push_back(Arc::new(note));
    }

    fn are_in_tables(&mut self, last: u64) {
        self.in_tables = last;
        self.failure = None;
        while self.waiting.front().is_some_and(|note| note.number <= last)
            && let Some(note) = self.waiting.pop_front()
        {
            let hash = note.reading.hash(&note.reader);
            if self
                .recent
                .get(&hash)
                .is_some_and(|(number, _)| *number <= last)
            {
                self.recent.remove(&hash);
            }
        }
    }
}

fn second(at: Timestamp) -> u64 {
    u64::try_from(at.as_second()).unwrap_or(0)
}

fn damaged(error: serde_json::Error) -> StoreError {
    StoreError::Corrupt {
        table: "the journal of notes".to_owned(),
        detail: error.to_string(),
    }
}

fn encode(note: &Note) -> Vec<u8> {
    // Texts and numbers only: there is nothing that JSON could not say.
    serde_json::to_vec(note).unwrap_or_default()
}

fn write(tx: &Tx<'_>, notes: &[Arc<Note>]) -> Result<(), StoreError> {
    for note in notes {
        sweep(tx, note.at)?;
        let hash = note.reading.hash(&note.reader);
        let last = tx.get(&READINGS, &hash)?;
        if !is_another(last, note.at) {
            continue;
        }
        if let Some(last) = last {
            tx.remove(&ENDINGS, &ending(last, hash))?;
        }
        let event = AuditEvent {
            who: note.reader.clone(),
            what: "record.read".to_owned(),
            on: Some(note.reading.on.clone()),
            detail: Some(
                format!("{} {}", note.reading.resource, note.reading.filters)
                    .trim()
                    .to_owned(),
            ),
        };
        append(tx, &event, note.at)?;
        let second = second(note.at);
        tx.insert(&READINGS, &hash, &second)?;
        tx.insert(&ENDINGS, &ending(second, hash), &())?;
    }
    if let Some(last) = notes.last() {
        tx.insert(&NOTED, &0, &last.number)?;
    }
    Ok(())
}
