//! Why no work is given out for now: the hours that IT has set, a box that is too hot. It is in memory alone: whoever
//! looks after it says so again after a start.

use jiff::Timestamp;
use lectern_store::Tx;

use crate::library::lock;
use crate::rows::{JOBS, JobRow};
use crate::versions::job_of;
use crate::{ChangeKind, Error, Lease, Library, VideoId};

/// Work waits, though there is some.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    /// In a sentence for a person.
    pub why: String,
    /// When it ends, where that is known.
    pub until: Option<Timestamp>,
    /// What somebody wants at once ([`Library::hurry`]) waits, too.
    pub is_for_all: bool,
}

impl Library {
    /// From now on work waits for that, or for nothing.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub fn set_hold(&self, hold: Option<Hold>) -> Result<(), Error> {
        let before = std::mem::replace(&mut *lock(&self.inner.hold), hold.clone());
        if before == hold {
            return Ok(());
        }
        for job in self.jobs()? {
            self.changed(job.video, ChangeKind::Video);
            if hold.is_none() {
                self.changed(job.video, ChangeKind::JobQueued);
            }
        }
        Ok(())
    }

    /// What work waits for now.
    pub fn hold(&self) -> Option<Hold> {
        lock(&self.inner.hold).clone()
    }

    /// Whether a job that runs should wait.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub fn is_held(&self, lease: Lease) -> Result<bool, Error> {
        let Some(hold) = self.hold() else {
            return Ok(false);
        };
        let row = self.inner.store.snapshot()?.get(&JOBS, &lease.job)?;
        Ok(row.is_some_and(|row| hold.concerns(&row)))
    }

    /// Somebody wants a version at once: it does not wait for the hours that IT has set.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is nothing to be prepared, [`Error::Store`].
    pub fn hurry(&self, video: VideoId, version: u32) -> Result<(), Error> {
        self.inner.store.write(move |tx: &Tx<'_>| {
            let (id, row) = job_of(tx, video, version)?.ok_or(Error::NotFound("job"))?;
            let is_hurried = true;
            tx.insert(&JOBS, &id, &JobRow { is_hurried, ..row })?;
            Ok::<(), Error>(())
        })?;
        self.changed(video, ChangeKind::Video);
        self.changed(video, ChangeKind::JobQueued);
        Ok(())
    }
}

impl Hold {
    pub(crate) fn concerns(&self, job: &JobRow) -> bool {
        self.is_for_all || !job.is_hurried
    }
}
