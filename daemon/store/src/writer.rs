//! The writer thread: closures in, one transaction for all that wait, one fsync, answers out.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender};

use crate::store::Shared;
use crate::{CheckReport, Error, Tx};

/// Writes that may wait; a caller beyond waits for a place.
pub(crate) const QUEUE: usize = 1024;
/// Writes in one transaction at most.
const MAX_GROUP: usize = 256;
/// No further write joins a group that has this much to write (estimated bytes).
const MAX_GROUP_BYTES: u64 = 32 << 20;

/// What the thread is asked for.
pub(crate) enum Message {
    Write(Box<dyn Job>),
    /// Verify the pages, with everyone kept out.
    CheckPages(SyncSender<CheckReport>),
    /// The last one: what came before is done, then the thread ends.
    Close,
}

/// One caller's closure and where its answer goes.
pub(crate) trait Job: Send {
    /// Whether it may use half of the reserve: removals that make room.
    fn may_use_reserve(&self) -> bool;
    /// Runs the closure (again, perhaps) and keeps its outcome; whether it succeeded.
    fn run(&mut self, tx: &Tx<'_>) -> bool;
    /// The outcome goes to the caller; `Err` replaces it.
    fn answer(self: Box<Self>, durable: Result<(), Error>);
}

pub(crate) struct Closure<F, T, E, A> {
    pub(crate) work: F,
    pub(crate) outcome: Option<Result<T, E>>,
    pub(crate) answer: A,
    pub(crate) may_use_reserve: bool,
}

impl<F, T, E, A> Job for Closure<F, T, E, A>
where
    F: FnMut(&Tx<'_>) -> Result<T, E> + Send,
    T: Send,
    E: From<Error> + Send,
    A: FnOnce(Result<T, E>) + Send,
{
    fn may_use_reserve(&self) -> bool {
        self.may_use_reserve
    }

    fn run(&mut self, tx: &Tx<'_>) -> bool {
        // A closure that panics must not take the thread, and with it everyone's writes, along.
        let result = catch_unwind(AssertUnwindSafe(|| (self.work)(tx)));
        let result = result.unwrap_or_else(|_| Err(Error::Panicked.into()));
        let succeeded = result.is_ok();
        self.outcome = Some(result);
        succeeded
    }

    fn answer(self: Box<Self>, durable: Result<(), Error>) {
        let outcome = match (durable, self.outcome) {
            (Err(error), _) => Err(error.into()),
            (Ok(()), Some(outcome)) => outcome,
            (Ok(()), None) => Err(Error::Closed.into()),
        };
        (self.answer)(outcome);
    }
}

/// Runs until `Close`, or until nobody can send any more.
pub(crate) fn run(shared: &Arc<Shared>, queue: &Receiver<Message>) {
    while let Ok(message) = queue.recv() {
        let mut next = Some(message);
        while let Some(message) = next.take() {
            match message {
                Message::Close => return,
                Message::CheckPages(answer) => {
                    // A caller that has gone away needs no answer.
                    let _ = answer.send(crate::check::pages(shared));
                }
                Message::Write(job) => {
                    let mut group = vec![job];
                    while group.len() < MAX_GROUP {
                        match queue.try_recv() {
                            Ok(Message::Write(job)) => group.push(job),
                            Ok(other) => {
                                next = Some(other);
                                break;
                            }
                            Err(_) => break,
                        }
                    }
                    write(shared, group);
                }
            }
        }
    }
}

/// Writes a group, in as many transactions as its failures and its size ask for.
fn write(shared: &Shared, mut group: Vec<Box<dyn Job>>) {
    while !group.is_empty() {
        let budget = match shared.budget(group.iter().all(|job| job.may_use_reserve())) {
            Ok(budget) => budget,
            Err(error) => {
                // Those that make room may go on alone.
                let (urgent, refused) = group
                    .into_iter()
                    .partition::<Vec<_>, _>(|job| job.may_use_reserve());
                let stuck = refused.is_empty();
                refused
                    .into_iter()
                    .for_each(|job| job.answer(Err(error.clone())));
                if stuck {
                    urgent
                        .into_iter()
                        .for_each(|job| job.answer(Err(error.clone())));
                    return;
                }
                group = urgent;
                continue;
            }
        };
        group = write_once(shared, group, budget);
    }
}

/// One transaction. Returns the jobs that must run again: those of a group in which one failed
/// after it had written, and those that did not fit in.
fn write_once(shared: &Shared, group: Vec<Box<dyn Job>>, budget: u64) -> Vec<Box<dyn Job>> {
    let transaction = match shared.begin_write() {
        Ok(transaction) => transaction,
        Err(error) => {
            shared.reopen(&error);
            group
                .into_iter()
                .for_each(|job| job.answer(Err(error.clone())));
            return Vec::new();
        }
    };
    let tx = Tx::new(&transaction, budget, shared.reserve_bytes);
    let mut done: Vec<Box<dyn Job>> = Vec::with_capacity(group.len());
    let mut has_writes = false;
    let mut spoilt = false;
    let mut rest = group.into_iter();
    while tx.spent() < MAX_GROUP_BYTES {
        let Some(mut job) = rest.next() else { break };
        tx.begin_closure();
        if job.run(&tx) {
            has_writes |= tx.closure_wrote();
            done.push(job);
        } else {
            // Its caller learns of a refusal at once: nothing of it will be kept.
            spoilt = tx.closure_wrote();
            job.answer(Ok(()));
            if spoilt {
                break;
            }
        }
    }
    let failure = tx.finish();
    let settled = match failure {
        Err(error) => {
            drop(transaction);
            Err(error)
        }
        Ok(()) if spoilt => {
            let aborted = transaction.abort().map_err(Error::from);
            if aborted.is_ok() {
                done.extend(rest);
                return done;
            }
            aborted
        }
        Ok(()) if !has_writes => transaction.abort().map_err(Error::from),
        Ok(()) => shared.commit(transaction, done.len()),
    };
    if let Err(error) = &settled {
        shared.reopen(error);
    }
    done.into_iter().for_each(|job| job.answer(settled.clone()));
    rest.collect()
}
