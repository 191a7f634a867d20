//! How a job ends, or goes back into the queue: ready, failed, put off, begun anew, cancelled, tried
//! again. What counts as a failure is decided here; how long one waits for the next run, too.

use jiff::{SignedDuration, Timestamp};
use lectern_store::Tx;

use crate::jobs::{Job, MAX_FAILURES, NO_ROOM};
use crate::library::lock;
use crate::packages::{hash_package, sync_disk_of};
use crate::rows::{JOBS, JobRow, PACKAGES, VERSIONS, VersionRow};
use crate::speech::offer;
use crate::versions::{enqueue, job_of};
use crate::{BlobHash, ChangeKind, Error, JobId, Library, MediaKey, VersionState, VideoId};

/// The first wait after a failure that may pass; each further one is four times as long.
const FIRST_WAIT_SECONDS: i64 = 5;
/// How long a job that met a full disk waits at least: room that is there for a moment is none.
const ROOM_WAIT: SignedDuration = SignedDuration::from_secs(30);
/// Packages that are begun anew for one job. Each takes all the work of the ones before, so a source
/// that kills the worker at some place must not have it begin for ever.
const MAX_ANEW: u32 = 2;

impl Library {
    /// The package is whole: hashes it, and the version is ready, for good.
    ///
    /// # Errors
    /// [`Error::JobGone`], [`Error::Io`], [`Error::Store`].
    pub fn finish_job(
        &self,
        job: &Job,
        package: String,
        report: serde_json::Value,
        duration_ms: u64,
        now: Timestamp,
    ) -> Result<BlobHash, Error> {
        self.renew(job.lease, now)?;
        sync_disk_of(&job.package_dir)?;
        let hash = hash_package(&job.package_dir)?;
        let (id, key) = (job.lease.job, (job.video, job.version));
        self.inner.store.write(move |tx: &Tx<'_>| {
            let row = tx.get(&VERSIONS, &key)?.ok_or(Error::JobGone)?;
            if !tx.remove(&JOBS, &id)? {
                return Err(Error::JobGone);
            }
            tx.insert(&PACKAGES, &key, &package)?;
            let row = VersionRow {
                state: VersionState::Ready,
                package_hash: Some(hash),
                report: report.clone(),
                duration_ms: Some(duration_ms),
                error: None,
                revision: row.revision + 1,
                ..row
            };
            tx.insert(&VERSIONS, &key, &row)?;
            offer(tx, key.0, key.1, now)
        })?;
        self.release(job);
        Ok(hash)
    }

    /// The job did not succeed. What may pass (a killed worker, a disk that failed) is tried again
    /// later, a few times, and goes on where it was; anything else fails the version with this
    /// sentence. For a full disk there is [`Self::wait_for_room`].
    ///
    /// # Errors
    /// [`Error::JobGone`], [`Error::Store`].
    pub fn fail_job(
        &self,
        job: &Job,
        sentence: &str,
        may_pass: bool,
        report: Option<serde_json::Value>,
        now: Timestamp,
    ) -> Result<(), Error> {
        if !self.holds(job.lease) {
            return Err(Error::JobGone);
        }
        let (id, key) = (job.lease.job, (job.video, job.version));
        let sentence = sentence.to_owned();
        let is_over = self.inner.store.write_making_room(move |tx: &Tx<'_>| {
            let waiting = tx.get(&JOBS, &id)?.ok_or(Error::JobGone)?;
            if let (Some(report), Some(mut row)) = (&report, tx.get(&VERSIONS, &key)?) {
                row.report = report.clone();
                tx.insert(&VERSIONS, &key, &row)?;
            }
            let failures = waiting.failures + 1;
            if may_pass && failures < MAX_FAILURES {
                let wait = FIRST_WAIT_SECONDS * 4_i64.pow(waiting.failures);
                let waiting = JobRow {
                    not_before: now + SignedDuration::from_secs(wait),
                    failures,
                    waiting_for: Some(goes_on(&sentence)),
                    ..waiting
                };
                tx.insert(&JOBS, &id, &waiting)?;
                return Ok(false);
            }
            fail(tx, id, key, &sentence)?;
            Ok::<_, Error>(true)
        })?;
        match is_over {
            true => self.release(job),
            false => self.rest(job),
        }
        Ok(())
    }

    /// The disk is full: the job waits until there is room and goes on where it was. However often
    /// that happens, it is no failure of the job.
    ///
    /// # Errors
    /// [`Error::JobGone`], [`Error::Store`].
    pub fn wait_for_room(&self, job: &Job, now: Timestamp) -> Result<(), Error> {
        if !self.holds(job.lease) {
            return Err(Error::JobGone);
        }
        self.not_tried(job.lease.job, move |row| JobRow {
            not_before: now + ROOM_WAIT,
            waiting_for: Some(NO_ROOM.to_owned()),
            ..row
        })?;
        self.rest(job);
        Ok(())
    }

    /// What did the work was ended from outside: the job waits a moment and goes on where it was. That
    /// is no failure of the job; but one whose package does not grow, time after time, is given up in
    /// the end.
    ///
    /// # Errors
    /// [`Error::JobGone`], [`Error::Store`].
    pub fn interrupt(&self, job: &Job, sentence: &str, now: Timestamp) -> Result<(), Error> {
        if !self.holds(job.lease) {
            return Err(Error::JobGone);
        }
        let waiting_for = Some(goes_on(sentence));
        self.change_row(job.lease.job, move |row| JobRow {
            not_before: now + SignedDuration::from_secs(FIRST_WAIT_SECONDS),
            waiting_for: waiting_for.clone(),
            ..row
        })?;
        self.rest(job);
        Ok(())
    }

    /// Gives a job back untouched: the daemon stops, or another job comes first. It goes on where it
    /// was.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub fn put_back(&self, job: &Job) -> Result<(), Error> {
        if !self.holds(job.lease) {
            return Ok(());
        }
        self.not_tried(job.lease.job, |row| row)?;
        self.rest(job);
        Ok(())
    }

    /// Going on behind an earlier attempt did not work: the job is done again from the start, under
    /// a new key, since what the old addresses gave never changes. Gives the job back. Where that was
    /// done before and did not help, the version fails with this sentence.
    ///
    /// # Errors
    /// [`Error::JobGone`], [`Error::Store`].
    pub fn begin_anew(&self, job: &Job, sentence: &str) -> Result<(), Error> {
        if !self.holds(job.lease) {
            return Err(Error::JobGone);
        }
        let (id, key) = (job.lease.job, (job.video, job.version));
        let sentence = sentence.to_owned();
        self.inner.store.write_making_room(move |tx: &Tx<'_>| {
            let waiting = tx.get(&JOBS, &id)?.ok_or(Error::JobGone)?;
            let row = tx.get(&VERSIONS, &key)?.ok_or(Error::JobGone)?;
            if waiting.anew >= MAX_ANEW {
                return fail(tx, id, key, &sentence);
            }
            let waiting = JobRow {
                tries: 0,
                failures: 0,
                anew: waiting.anew + 1,
                loudness: None,
                ..waiting
            };
            tx.insert(&JOBS, &id, &waiting)?;
            let row = VersionRow {
                key: MediaKey::random(),
                state: VersionState::Queued,
                attempt: row.attempt + 1,
                revision: row.revision + 1,
                ..row
            };
            tx.insert(&VERSIONS, &key, &row)?;
            tx.remove(&PACKAGES, &key)?;
            Ok::<(), Error>(())
        })?;
        self.release(job);
        self.changed(job.video, ChangeKind::JobQueued);
        Ok(())
    }

    /// Stops a version's job, running or not: the version has failed, with a sentence that says
    /// by whom.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::WrongState`] when there is no job, [`Error::Store`].
    pub fn cancel(&self, video: VideoId, version: u32) -> Result<(), Error> {
        let key = (video, version);
        let id = self.inner.store.write_making_room(move |tx: &Tx<'_>| {
            let row = tx.get(&VERSIONS, &key)?.ok_or(Error::NotFound("version"))?;
            let Some((id, _)) = job_of(tx, video, version)? else {
                return Err(Error::WrongState(row.state));
            };
            fail(tx, id, key, "Processing was cancelled.")?;
            Ok(id)
        })?;
        lock(&self.inner.leases).remove(&id);
        lock(&self.inner.progress).remove(&key);
        self.changed(video, ChangeKind::JobCancelled);
        self.changed(video, ChangeKind::Video);
        Ok(())
    }

    /// Queues a failed version again. Its package is made anew, under a new key: what the old
    /// addresses gave never changes.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::WrongState`] unless it has failed, [`Error::Store`].
    pub fn retry(&self, video: VideoId, version: u32, now: Timestamp) -> Result<(), Error> {
        let key = (video, version);
        self.inner.store.write(move |tx: &Tx<'_>| {
            let row = tx.get(&VERSIONS, &key)?.ok_or(Error::NotFound("version"))?;
            if row.state != VersionState::Failed {
                return Err(Error::WrongState(row.state));
            }
            let row = VersionRow {
                key: MediaKey::random(),
                state: VersionState::Queued,
                error: None,
                package_hash: None,
                attempt: row.attempt + 1,
                revision: row.revision + 1,
                ..row
            };
            tx.insert(&VERSIONS, &key, &row)?;
            tx.remove(&PACKAGES, &key)?;
            enqueue(tx, video, version, now)
        })?;
        self.changed(video, ChangeKind::Video);
        self.changed(video, ChangeKind::JobQueued);
        Ok(())
    }

    /// The run that a job was given out for does not count, and its row changes as told.
    pub(crate) fn not_tried(
        &self,
        id: JobId,
        change: impl Fn(JobRow) -> JobRow + Send + 'static,
    ) -> Result<(), Error> {
        self.change_row(id, move |row| {
            let tries = row.tries.saturating_sub(1);
            change(JobRow { tries, ..row })
        })
    }

    /// Changes a job's row as told, while there is one.
    fn change_row(
        &self,
        id: JobId,
        change: impl Fn(JobRow) -> JobRow + Send + 'static,
    ) -> Result<(), Error> {
        self.inner.store.write_making_room(move |tx: &Tx<'_>| {
            if let Some(row) = tx.get(&JOBS, &id)? {
                tx.insert(&JOBS, &id, &change(row))?;
            }
            Ok(())
        })
    }

    /// Nobody is at the job any more; how far it is stays known.
    fn rest(&self, job: &Job) {
        lock(&self.inner.leases).remove(&job.lease.job);
        if let Some(progress) = lock(&self.inner.progress).get_mut(&(job.video, job.version)) {
            progress.eta_ms = None;
        }
        self.changed(job.video, ChangeKind::Video);
    }

    /// Nobody is at the job any more, and how far it was means nothing now.
    fn release(&self, job: &Job) {
        lock(&self.inner.leases).remove(&job.lease.job);
        lock(&self.inner.progress).remove(&(job.video, job.version));
        self.changed(job.video, ChangeKind::Video);
    }
}

/// Why a job waits that is tried again later.
fn goes_on(sentence: &str) -> String {
    format!("{sentence} It is tried again by itself.")
}

/// The version has failed, with this sentence, and its job is gone.
pub(crate) fn fail(
    tx: &Tx<'_>,
    id: JobId,
    key: (VideoId, u32),
    sentence: &str,
) -> Result<(), Error> {
    tx.remove(&JOBS, &id)?;
    if let Some(row) = tx.get(&VERSIONS, &key)? {
        let row = VersionRow {
            state: VersionState::Failed,
            error: Some(sentence.to_owned()),
            revision: row.revision + 1,
            ..row
        };
        tx.insert(&VERSIONS, &key, &row)?;
    }
    Ok(())
}
