//! The queue of sources that wait to become packages. Rows say what is to be done and survive
//! `kill -9`; who is at it, and until when, is in memory, because the store belongs to one
//! process. A job goes on from the segments that its package lists.

use std::fs;
use std::path::PathBuf;

use jiff::{SignedDuration, Timestamp};
use lectern_store::Tx;

use crate::library::{Progress, lock};
use crate::packages::{hash_package, sync_disk_of};
use crate::rows::{JOBS, JobRow, PACKAGES, VERSIONS, VIDEOS, VersionRow};
use crate::versions::{enqueue, job_of};
use crate::{BlobHash, ChangeKind, Error, JobId, Library, MediaKey, VersionState, VideoId};

/// The right to work at a job, until it is cancelled or not renewed for [`LEASE`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lease {
    /// The job.
    pub job: JobId,
    number: u64,
}

/// What a worker needs.
#[derive(Debug, Clone, PartialEq)]
pub struct Job {
    /// The right to work at it.
    pub lease: Lease,
    /// Of this video
    pub video: VideoId,
    /// and version.
    pub version: u32,
    /// Counts the packages made anew for this version, from 1.
    pub attempt: u32,
    /// The source.
    pub source: PathBuf,
    /// Where the package goes; the folder is there.
    pub package_dir: PathBuf,
    /// What the uploader called the source.
    pub original_name: String,
    /// The video's language, or empty.
    pub language: String,
    /// What an earlier run finished: JSON as it was saved.
    pub package: Option<String>,
}

/// A job as the system page shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobInfo {
    /// The job.
    pub id: JobId,
    /// Of this video
    pub video: VideoId,
    /// and version.
    pub version: u32,
    /// When it was queued.
    pub queued: Timestamp,
    /// When it may run (again).
    pub not_before: Timestamp,
    /// Whether a worker is at it.
    pub is_running: bool,
}

/// What a worker has got done so far.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PackageUpdate {
    /// The package with every finished segment, as JSON.
    pub package: Option<String>,
    /// Whether a player can begin.
    pub is_playable: bool,
    /// Of the source, once known.
    pub duration_ms: Option<u64>,
    /// What the worker found and decided, when that is new.
    pub report: Option<serde_json::Value>,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Held {
    number: u64,
    until: Timestamp,
}

/// A worker that says nothing for so long has lost its job.
const LEASE: SignedDuration = SignedDuration::from_secs(60);
/// Times a job is given out without its package growing, before it has failed.
const MAX_TRIES: u32 = 4;
/// The first wait after a failure that may pass; each further one is four times as long.
const FIRST_WAIT_SECONDS: i64 = 5;

impl Library {
    /// Gives out the job that waits longest, if any may run now and the disk has room.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Store`].
    pub fn next_job(&self, now: Timestamp) -> Result<Option<Job>, Error> {
        if !self.disk()?.is_above_floor() {
            return Ok(None);
        }
        loop {
            let Some(id) = self.waiting_job(now)? else {
                return Ok(None);
            };
            let taken = self.inner.store.write(move |tx: &Tx<'_>| take(tx, id))?;
            match taken {
                Taken::Gone => {}
                Taken::GivenUp(video) => self.changed(video, ChangeKind::Video),
                Taken::Work(row, version, language, package) => {
                    return self
                        .hand_out(id, row, *version, language, package, now)
                        .map(Some);
                }
            }
        }
    }

    /// When the next job that waits after a failure may run.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub fn next_job_at(&self) -> Result<Option<Timestamp>, Error> {
        let jobs = self.jobs()?;
        let waiting = jobs.iter().filter(|job| !job.is_running);
        Ok(waiting.map(|job| job.not_before).min())
    }

    /// Keeps a lease; `Err(JobGone)` tells the scheduler to stop the worker.
    ///
    /// # Errors
    /// [`Error::JobGone`].
    pub fn renew(&self, lease: Lease, now: Timestamp) -> Result<(), Error> {
        let mut leases = lock(&self.inner.leases);
        let held = leases.get_mut(&lease.job);
        let held = held.filter(|held| held.number == lease.number);
        held.ok_or(Error::JobGone)?.until = now + LEASE;
        Ok(())
    }

    /// Whether the lease is still good.
    pub fn holds(&self, lease: Lease) -> bool {
        let leases = lock(&self.inner.leases);
        leases
            .get(&lease.job)
            .is_some_and(|held| held.number == lease.number)
    }

    /// How far a job is: kept in memory, shown to people. Renews the lease.
    ///
    /// # Errors
    /// [`Error::JobGone`].
    pub fn job_progress(
        &self,
        job: &Job,
        ratio: f32,
        eta_ms: Option<u64>,
        now: Timestamp,
    ) -> Result<(), Error> {
        self.renew(job.lease, now)?;
        let ratio = if ratio.is_finite() {
            ratio.clamp(0.0, 1.0)
        } else {
            0.0
        };
        let progress = Progress { ratio, eta_ms };
        lock(&self.inner.progress).insert((job.video, job.version), progress);
        self.changed(job.video, ChangeKind::Progress);
        Ok(())
    }

    /// Keeps what a worker has got done, after making its files durable: from now on the
    /// segments it lists do not change. Once a second is often enough. Renews the lease.
    ///
    /// # Errors
    /// [`Error::JobGone`], [`Error::Io`], [`Error::Store`]; [`Error::AtFloor`] when the disk is
    /// so full that the job must stop, after keeping what it has got done.
    pub fn save_package(
        &self,
        job: &Job,
        update: PackageUpdate,
        now: Timestamp,
    ) -> Result<(), Error> {
        self.renew(job.lease, now)?;
        if update.package.is_some() {
            sync_disk_of(&job.package_dir)?;
        }
        let (id, key) = (job.lease.job, (job.video, job.version));
        self.inner.store.write(move |tx: &Tx<'_>| {
            let mut waiting = tx.get(&JOBS, &id)?.ok_or(Error::JobGone)?;
            let mut row = tx.get(&VERSIONS, &key)?.ok_or(Error::JobGone)?;
            if let Some(package) = &update.package
                && tx.get(&PACKAGES, &key)?.as_ref() != Some(package)
            {
                tx.insert(&PACKAGES, &key, package)?;
                row.revision += 1;
                if waiting.tries > 1 {
                    waiting.tries = 1;
                    tx.insert(&JOBS, &id, &waiting)?;
                }
            }
            if update.is_playable {
                row.state = VersionState::Playable;
            }
            row.duration_ms = update.duration_ms.or(row.duration_ms);
            if let Some(report) = &update.report {
                row.report = report.clone();
            }
            tx.insert(&VERSIONS, &key, &row)?;
            Ok::<(), Error>(())
        })?;
        self.changed(job.video, ChangeKind::Video);
        let disk = self.disk()?;
        match disk.is_above_floor() {
            true => Ok(()),
            false => Err(Error::AtFloor {
                free_bytes: disk.free_bytes,
                floor_bytes: disk.floor_bytes,
            }),
        }
    }

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
            Ok(())
        })?;
        self.release(job);
        self.changed(job.video, ChangeKind::Video);
        Ok(hash)
    }

    /// The job did not succeed. What may pass (a full disk, a killed worker) is tried again
    /// later, a few times; anything else fails the version with this sentence.
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
        self.inner.store.write_making_room(move |tx: &Tx<'_>| {
            let waiting = tx.get(&JOBS, &id)?.ok_or(Error::JobGone)?;
            if let (Some(report), Some(mut row)) = (&report, tx.get(&VERSIONS, &key)?) {
                row.report = report.clone();
                tx.insert(&VERSIONS, &key, &row)?;
            }
            if may_pass && waiting.tries < MAX_TRIES {
                let wait = FIRST_WAIT_SECONDS * 4_i64.pow(waiting.tries.min(MAX_TRIES) - 1);
                let waiting = JobRow {
                    not_before: now + SignedDuration::from_secs(wait),
                    ..waiting
                };
                tx.insert(&JOBS, &id, &waiting)?;
                return Ok(());
            }
            fail(tx, id, key, &sentence)
        })?;
        self.release(job);
        self.changed(job.video, ChangeKind::Video);
        Ok(())
    }

    /// Gives a job back untouched: the daemon stops. It goes on where it was.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub fn put_back(&self, job: &Job) -> Result<(), Error> {
        if !self.holds(job.lease) {
            return Ok(());
        }
        let id = job.lease.job;
        self.inner.store.write_making_room(move |tx: &Tx<'_>| {
            if let Some(row) = tx.get(&JOBS, &id)? {
                let tries = row.tries.saturating_sub(1);
                tx.insert(&JOBS, &id, &JobRow { tries, ..row })?;
            }
            Ok::<(), Error>(())
        })?;
        lock(&self.inner.leases).remove(&id);
        Ok(())
    }

    /// Going on behind an earlier attempt did not work: the job is done again from the start, under
    /// a new key, since what the old addresses gave never changes. Gives the job back.
    ///
    /// # Errors
    /// [`Error::JobGone`], [`Error::Store`].
    pub fn begin_anew(&self, job: &Job) -> Result<(), Error> {
        if !self.holds(job.lease) {
            return Err(Error::JobGone);
        }
        let key = (job.video, job.version);
        self.inner.store.write_making_room(move |tx: &Tx<'_>| {
            let row = tx.get(&VERSIONS, &key)?.ok_or(Error::JobGone)?;
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
        self.changed(job.video, ChangeKind::Video);
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

    /// Every job, oldest first.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub fn jobs(&self) -> Result<Vec<JobInfo>, Error> {
        let snapshot = self.inner.store.snapshot()?;
        let leases = lock(&self.inner.leases);
        let mut jobs = Vec::new();
        for entry in snapshot.range(&JOBS, ..)? {
            let (id, row) = entry?;
            jobs.push(JobInfo {
                id,
                video: row.video,
                version: row.version,
                queued: row.queued,
                not_before: row.not_before,
                is_running: leases.contains_key(&id),
            });
        }
        Ok(jobs)
    }

    /// The oldest job that nobody has and that may run; leases that ran out are taken back.
    fn waiting_job(&self, now: Timestamp) -> Result<Option<JobId>, Error> {
        lock(&self.inner.leases).retain(|_, held| held.until > now);
        let jobs = self.jobs()?;
        let mut waiting = jobs
            .into_iter()
            .filter(|job| !job.is_running && job.not_before <= now);
        Ok(waiting.next().map(|job| job.id))
    }

    fn hand_out(
        &self,
        id: JobId,
        row: JobRow,
        version: VersionRow,
        language: String,
        package: Option<String>,
        now: Timestamp,
    ) -> Result<Job, Error> {
        let package_dir = self.package_dir(row.video, row.version, version.attempt);
        fs::create_dir_all(&package_dir)?;
        let lease = Lease {
            job: id,
            number: rand::random(),
        };
        let held = Held {
            number: lease.number,
            until: now + LEASE,
        };
        lock(&self.inner.leases).insert(id, held);
        self.changed(row.video, ChangeKind::Video);
        Ok(Job {
            lease,
            video: row.video,
            version: row.version,
            attempt: version.attempt,
            source: self.inner.folders.blob(version.source.blob),
            package_dir,
            original_name: version.source.original_name,
            language,
            package,
        })
    }

    fn release(&self, job: &Job) {
        lock(&self.inner.leases).remove(&job.lease.job);
        lock(&self.inner.progress).remove(&(job.video, job.version));
    }
}

enum Taken {
    /// Cancelled meanwhile.
    Gone,
    /// It took the daemon or the worker down too often.
    GivenUp(VideoId),
    Work(JobRow, Box<VersionRow>, String, Option<String>),
}

fn take(tx: &Tx<'_>, id: JobId) -> Result<Taken, Error> {
    let Some(row) = tx.get(&JOBS, &id)? else {
        return Ok(Taken::Gone);
    };
    let key = (row.video, row.version);
    let (Some(video), Some(version)) = (tx.get(&VIDEOS, &row.video)?, tx.get(&VERSIONS, &key)?)
    else {
        tx.remove(&JOBS, &id)?;
        return Ok(Taken::Gone);
    };
    if row.tries >= MAX_TRIES {
        let sentence = "Processing stopped unexpectedly several times at the same place. The file may be damaged.";
        fail(tx, id, key, sentence)?;
        return Ok(Taken::GivenUp(row.video));
    }
    let row = JobRow {
        tries: row.tries + 1,
        ..row
    };
    tx.insert(&JOBS, &id, &row)?;
    let mut version = version;
    if version.state == VersionState::Queued {
        version.state = VersionState::Processing;
        tx.insert(&VERSIONS, &key, &version)?;
    }
    let package = tx.get(&PACKAGES, &key)?;
    Ok(Taken::Work(row, Box::new(version), video.language, package))
}

fn fail(tx: &Tx<'_>, id: JobId, key: (VideoId, u32), sentence: &str) -> Result<(), Error> {
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
