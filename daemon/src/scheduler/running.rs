//! A worker while it runs: started, ended from another thread, and why.

use std::io;
use std::process::ChildStdout;
use std::sync::{Mutex, MutexGuard, PoisonError};

use lectern_vod::spawn::{Death, Worker};

/// The worker, and why it was killed, if it was. `Why` is what the job ends with then.
pub(super) struct Running<Why>(Mutex<(Option<Worker>, Option<Why>)>);

/// Why there is no worker.
pub(super) enum NotStarted<Why> {
    /// It was killed before it began.
    Killed(Why),
    /// The system's word.
    Failed(io::Error),
}

impl<Why: Clone> Running<Why> {
    pub(super) fn new() -> Self {
        Self(Mutex::new((None, None)))
    }

    pub(super) fn is_killed(&self) -> bool {
        self.lock().1.is_some()
    }

    /// Ends the worker, or keeps it from beginning. The first reason counts.
    pub(super) fn kill(&self, why: Why) {
        let mut running = self.lock();
        running.1.get_or_insert(why);
        if let Some(worker) = &mut running.0 {
            worker.kill();
        }
    }

    /// Starts the worker, unless it is killed already; its messages come by the pipe.
    pub(super) fn start(
        &self,
        start: impl FnOnce() -> io::Result<(Worker, ChildStdout)>,
    ) -> Result<ChildStdout, NotStarted<Why>> {
        let mut running = self.lock();
        if let Some(why) = &running.1 {
            return Err(NotStarted::Killed(why.clone()));
        }
        let (worker, messages) = start().map_err(NotStarted::Failed)?;
        running.0 = Some(worker);
        Ok(messages)
    }

    /// The worker ends and is waited for: nobody writes into its folder from here on. Why it was killed, and how it went.
    pub(super) fn end(&self) -> (Option<Why>, Death) {
        let mut running = self.lock();
        let death = running.0.take().map_or(Death::Other, Worker::end);
        (running.1.take(), death)
    }

    fn lock(&self) -> MutexGuard<'_, (Option<Worker>, Option<Why>)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
