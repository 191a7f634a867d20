//! The thread that appends: gives statements their places in the log, writes all that wait into the journal with one
//! sync, and answers.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use lectern_store::Journal;
use lectern_xapi::equivalent;
use tokio::sync::{OwnedRwLockReadGuard, mpsc, oneshot};
use uuid::Uuid;

use crate::append::{Batch, Pending};
use crate::body::{Body, complete};
use crate::core::Core;
use crate::entry::{Entry, Hash};
use crate::erasure::Refused;
use crate::error::Error;
use crate::frame;
use crate::log::Line;
use crate::tail::{Group, Held};
use crate::view::View;

/// Requests that may wait; a caller beyond waits for a place.
pub(crate) const QUEUE: usize = 1024;
/// Requests, and bytes of text, in one group at most.
const MAX_GROUP: usize = 256;
const MAX_GROUP_BYTES: usize = 4 << 20;
/// How long a group waits for company, when the one before had some.
const GATHER: Duration = Duration::from_micros(200);
/// The smallest step between two `stored`.
const TICK: SignedDuration = SignedDuration::from_micros(1);

/// A batch and who waits for it.
pub(crate) struct Append {
    pub batch: Batch,
    pub answer: oneshot::Sender<Result<(), Error>>,
    /// Of one that holds attachments, whose bytes are kept already.
    pub attaching: Option<OwnedRwLockReadGuard<()>>,
}

/// The end of the log.
#[derive(Debug, Clone, Copy)]
pub(crate) struct End {
    pub sequence: u64,
    pub stored: Timestamp,
    pub link: Hash,
}

impl End {
    /// The log goes on with this entry.
    pub fn follow(&mut self, entry: Entry, body: Body, body_hash: Hash) -> Line {
        let link = entry.link(&body_hash, &self.link);
        *self = Self {
            sequence: entry.sequence,
            stored: entry.stored,
            link,
        };
        Line {
            entry,
            body: Some(body),
            body_hash,
            link,
        }
    }
}

/// Runs until nobody can send any more.
pub(crate) fn run(
    core: &Core,
    journal: &Mutex<Option<Journal>>,
    mut end: End,
    mut queue: mpsc::Receiver<Append>,
) {
    let mut company = 0;
    while let Some(first) = queue.blocking_recv() {
        if company > 2 && queue.len() < company / 2 {
            // Those who were answered a moment ago are about to send again: one sync for all of them.
            std::thread::park_timeout(GATHER);
        }
        let mut bytes = first.batch.bytes();
        let mut group = vec![first];
        while group.len() < MAX_GROUP && bytes < MAX_GROUP_BYTES {
            let Ok(next) = queue.try_recv() else { break };
            bytes += next.batch.bytes();
            group.push(next);
        }
        company = group.len();
        if let Err(error) = core.wait_for_room() {
            for append in group {
                // A caller that has gone away needs no answer.
                let _ = append.answer.send(Err(error.clone()));
            }
            continue;
        }
        append(core, journal, &mut end, group);
    }
}

/// What a group has become so far.
struct Staged {
    end: End,
    held: Vec<Held>,
    hashes: Vec<(u64, Vec<u64>)>,
    /// Where in `held` an id is.
    ids: HashMap<Uuid, usize>,
    frames: Vec<Vec<u8>>,
}

fn append(core: &Core, journal: &Mutex<Option<Journal>>, end: &mut End, group: Vec<Append>) {
    // Until the group is in memory: whoever writes over the journal must find it in the tables.
    let mut journal = journal.lock().unwrap_or_else(PoisonError::into_inner);
    let refused = core.refused();
    let now = (core.clock)();
    core.tail_mut().appending = Some(now);
    let mut staged = Staged {
        end: *end,
        held: Vec::new(),
        hashes: Vec::new(),
        ids: HashMap::new(),
        frames: Vec::new(),
    };
    let mut waiting = Vec::with_capacity(group.len());
    let view = View::new(core).map_err(Error::from);
    let mut attached = Vec::new();
    for Append {
        batch,
        answer,
        attaching,
    } in group
    {
        attached.extend(attaching);
        let refers = batch.refers;
        let outcome = match &view {
            Ok(view) => staged.take(view, &refused, batch, now),
            Err(error) => Err(error.clone()),
        };
        match outcome {
            Ok(()) => waiting.push((refers, answer)),
            Err(error) => {
                let _ = answer.send(Err(error));
            }
        }
    }
    drop(view);
    let written = if staged.frames.is_empty() {
        Ok(())
    } else if let Some(journal) = journal.as_mut() {
        let in_tables = core.tail().in_tables;
        let frames = staged.frames.iter().map(Vec::as_slice);
        journal.append(frames, staged.end.sequence, in_tables)
    } else {
        Err(lectern_store::Error::Closed)
    };
    let mut answers = Vec::with_capacity(waiting.len());
    {
        let mut tail = core.tail_mut();
        tail.appending = None;
        if written.is_ok() && !staged.held.is_empty() {
            let group = Group::new(staged.held);
            for (refers, answer) in waiting.drain(..) {
                if refers {
                    let waiting = group.waiting.lock();
                    waiting.unwrap_or_else(PoisonError::into_inner).push(answer);
                } else {
                    answers.push(answer);
                }
            }
            tail.push(Arc::new(group), &staged.hashes, core.run);
            *end = staged.end;
        }
    }
    drop(journal);
    answers.extend(waiting.into_iter().map(|(_, answer)| answer));
    for answer in answers {
        let _ = answer.send(written.clone().map_err(Error::from));
    }
    core.wake();
}

impl Batch {
    fn bytes(&self) -> usize {
        self.statements
            .iter()
            .map(|pending| pending.body.raw.len())
            .sum()
    }
}

impl Staged {
    /// Gives a batch its places; all of it or nothing.
    fn take(
        &mut self,
        view: &View,
        refused: &Refused,
        batch: Batch,
        now: Timestamp,
    ) -> Result<(), Error> {
        let is_refused = |one: &Pending| refused.concerns(&one.hashes, &one.statement);
        if batch.statements.iter().any(is_refused) {
            return Err(Error::erased());
        }
        let (before, from) = (self.end, self.held.len());
        for pending in batch.statements {
            if let Err(error) =
                self.take_one(view, pending, &batch.credential, &batch.authority, now)
            {
                self.end = before;
                for held in self.held.drain(from..) {
                    self.ids.remove(&held.line.entry.id);
                }
                self.hashes.truncate(from);
                return Err(error);
            }
        }
        let new = self.held.get(from..).unwrap_or_default();
        if !new.is_empty() {
            let lines = new.iter().map(|held| held.line.as_ref());
            self.frames.push(frame::write(&batch.authority, lines));
        }
        Ok(())
    }

    fn take_one(
        &mut self,
        view: &View,
        pending: Pending,
        credential: &str,
        authority: &Arc<str>,
        now: Timestamp,
    ) -> Result<(), Error> {
        if pending.is_named {
            if let Some(held) = self.ids.get(&pending.id).and_then(|at| self.held.get(*at)) {
                let known = held.line.body.as_ref().map(|body| body.raw.as_str());
                return same_or_conflict(known, &pending);
            }
            if !view.is_new(pending.id)
                && let Some(sequence) = view.sequence_of(pending.id)?
            {
                let known = view.body(sequence)?;
                return same_or_conflict(known.as_ref().map(|body| body.raw.as_str()), &pending);
            }
        }
        let micros = Timestamp::from_microsecond(now.as_microsecond()).unwrap_or(now);
        // The clock, or a tick after the last one when the clock stands or jumped back.
        let earliest = self.end.stored.checked_add(TICK).unwrap_or(Timestamp::MAX);
        let entry = Entry {
            sequence: self.end.sequence + 1,
            id: pending.id,
            stored: if self.end.sequence == 0 {
                micros
            } else {
                micros.max(earliest)
            },
            credential: credential.to_owned(),
            defines: pending.body.defines,
        };
        let mut statement = pending.statement;
        complete(&mut statement, &entry);
        self.ids.insert(entry.id, self.held.len());
        self.hashes.push((pending.id_hash, pending.hashes));
        self.held.push(Held {
            line: Arc::new(self.end.follow(entry, pending.body, pending.body_hash)),
            statement,
            authority: Arc::clone(authority),
        });
        Ok(())
    }
}

fn same_or_conflict(known: Option<&str>, pending: &Pending) -> Result<(), Error> {
    if known.is_some_and(|known| equivalent(known, &pending.body.raw)) {
        return Ok(());
    }
    Err(Error::Conflict(format!(
        "another statement is stored under the id {}",
        pending.id
    )))
}
