//! The queue of sources that wait to become packages. Rows say what is to be done and survive
//! `kill -9`; who is at it, and until when, is in memory, because the store belongs to one
//! process. A job goes on from the segments that its package lists. How a job ends is told in
//! [`crate::endings`].
//!
//! First come those of which nothing can be watched yet, so that a short clip need not wait until a
//! long lecture has its last rendition; among those, the one that waits longest.

use std::collections::HashMap;
use std::fs;
use std::path::PathBuf;

use jiff::{SignedDuration, Timestamp};
use lectern_store::{Snapshot, Tx};

use crate::endings::fail;
use crate::library::{Progress, lock};
use crate::packages::sync_disk_of;
use crate::rows::{JOBS, JobRow, PACKAGES, VERSIONS, VIDEOS, VersionRow};
use crate::{ChangeKind, Error, JobId, Library, VersionState, VideoId};

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
    /// Failures since its package last grew.
    pub failures: u32,
}

impl Job {
    /// Whether the next failure that may pass is taken for one that does not.
    pub fn is_last_try(&self) -> bool {
        self.failures + 1 >= MAX_FAILURES
    }
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
    /// Why it waits, when it does not only wait for its turn, in a sentence for a person.
    pub waiting_for: Option<String>,
    /// When that ends, where it is known.
    pub waiting_until: Option<Timestamp>,
    /// Whether it waits for hours that it need not wait for, when somebody wants it at once.
    pub can_hurry: bool,
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
/// Failures without its package growing in between, before a job has failed.
pub(crate) const MAX_FAILURES: u32 = 4;
/// Times a job is given out without its package growing, before it has failed. What ended the other
/// runs was not seen: the daemon was killed, the box lost its power. That is nobody's fault, but a
/// job that takes the whole daemon with it each time must end, too.
const MAX_TRIES: u32 = 50;
/// What a job waits for while the disk is at its floor.
pub(crate) const NO_ROOM: &str = "The disk is full. Delete what is no longer needed; processing goes on by itself when there is room.";

/// Why the jobs that wait do so, where that is more than waiting for their turn.
pub(crate) type Waits = HashMap<(VideoId, u32), Wait>;

#[derive(Debug, Clone)]
pub(crate) struct Wait {
    pub(crate) why: String,
    pub(crate) until: Option<Timestamp>,
    pub(crate) can_hurry: bool,
}

impl Library {
    /// Gives out the next job, if any may run now and the disk has room.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Store`].
    pub fn next_job(&self, now: Timestamp) -> Result<Option<Job>, Error> {
        if !self.has_room()? {
            return Ok(None);
        }
        loop {
            let Some(id) = self.waiting_job(now)? else {
                return Ok(None);
            };
            let taken = match self.inner.store.write(move |tx: &Tx<'_>| take(tx, id)) {
                // The store keeps a reserve of its own, which may be larger than the floor.
                Err(error) if error.is_full() => return Ok(None),
                taken => taken?,
            };
            match taken {
                Taken::Gone => {}
                Taken::GivenUp(video) => self.changed(video, ChangeKind::Video),
                Taken::Work(row, version, language, package) => {
                    let job = self.hand_out(id, row, *version, language, package, now);
                    if job.is_err() {
                        self.not_tried(id, |row| row)?;
                    }
                    return job.map(Some);
                }
            }
        }
    }

    /// Whether a job may run now whose version has nothing to watch yet: one that is watchable
    /// already may make way for it.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub fn awaits_first_segment(&self, now: Timestamp) -> Result<bool, Error> {
        Ok(self
            .waiting(now)?
            .iter()
            .any(|(is_playable, _)| !is_playable))
    }

    /// Whether a job runs, or may run now: what is less urgent makes way.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Store`].
    pub fn awaits_job(&self, now: Timestamp) -> Result<bool, Error> {
        let runs = self.jobs()?.iter().any(|job| job.is_running);
        Ok(runs || !self.waiting(now)?.is_empty())
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

    /// The loudness that a job's sounds are brought to, in LUFS: what its package was begun with,
    /// `wanted` where this is the beginning. Two parts of one sound are not of two minds.
    ///
    /// # Errors
    /// [`Error::JobGone`], [`Error::Store`].
    pub fn loudness_of(&self, job: &Job, wanted: i8) -> Result<i8, Error> {
        let id = job.lease.job;
        self.inner.store.write(move |tx: &Tx<'_>| {
            let row = tx.get(&JOBS, &id)?.ok_or(Error::JobGone)?;
            let loudness = row.loudness.unwrap_or(wanted);
            if row.loudness.is_none() {
                let loudness = Some(loudness);
                tx.insert(&JOBS, &id, &JobRow { loudness, ..row })?;
            }
            Ok(loudness)
        })
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
                if waiting.tries > 1 || waiting.failures > 0 {
                    waiting.tries = 1;
                    waiting.failures = 0;
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
        self.check_floor()
    }

    /// Every job, oldest first.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub fn jobs(&self) -> Result<Vec<JobInfo>, Error> {
        let snapshot = self.inner.store.snapshot()?;
        self.jobs_of(&snapshot)
    }

    /// Why the jobs that wait do so.
    pub(crate) fn waits(&self, snapshot: &Snapshot) -> Result<Waits, Error> {
        let jobs = self.jobs_of(snapshot)?.into_iter();
        Ok(jobs
            .filter_map(|job| {
                let wait = Wait {
                    why: job.waiting_for?,
                    until: job.waiting_until,
                    can_hurry: job.can_hurry,
                };
                Some(((job.video, job.version), wait))
            })
            .collect())
    }

    fn jobs_of(&self, snapshot: &Snapshot) -> Result<Vec<JobInfo>, Error> {
        let mut jobs = Vec::new();
        let hold = self.hold();
        for entry in snapshot.range(&JOBS, ..)? {
            let (id, row) = entry?;
            let is_running = lock(&self.inner.leases).contains_key(&id);
            let held = hold
                .as_ref()
                .filter(|hold| !is_running && hold.concerns(&row));
            let until = row.waiting_for.is_some().then_some(row.not_before);
            jobs.push(JobInfo {
                id,
                video: row.video,
                version: row.version,
                queued: row.queued,
                not_before: row.not_before,
                is_running,
                can_hurry: held.is_some_and(|hold| !hold.is_for_all),
                waiting_until: held.map_or(until, |hold| hold.until),
                waiting_for: held.map(|hold| hold.why.clone()).or(row.waiting_for),
            });
        }
        if jobs.is_empty() || self.has_room()? {
            return Ok(jobs);
        }
        for job in jobs.iter_mut().filter(|job| !job.is_running) {
            job.waiting_for = Some(NO_ROOM.to_owned());
            job.waiting_until = None;
            job.can_hurry = false;
        }
        Ok(jobs)
    }

    /// The next job that may run; leases that ran out are taken back.
    fn waiting_job(&self, now: Timestamp) -> Result<Option<JobId>, Error> {
        lock(&self.inner.leases).retain(|_, held| held.until > now);
        Ok(self.waiting(now)?.into_iter().min().map(|(_, id)| id))
    }

    /// Jobs that nobody has and that may run, and whether there is something to watch of each.
    fn waiting(&self, now: Timestamp) -> Result<Vec<(bool, JobId)>, Error> {
        let snapshot = self.inner.store.snapshot()?;
        let mut waiting = Vec::new();
        let hold = self.hold();
        for entry in snapshot.range(&JOBS, ..)? {
            let (id, row) = entry?;
            let is_held = hold.as_ref().is_some_and(|hold| hold.concerns(&row));
            if is_held || row.not_before > now || lock(&self.inner.leases).contains_key(&id) {
                continue;
            }
            let version = snapshot.get(&VERSIONS, &(row.video, row.version))?;
            let is_playable = version.is_some_and(|row| row.state == VersionState::Playable);
            waiting.push((is_playable, id));
        }
        Ok(waiting)
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
            failures: row.failures,
        })
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
        waiting_for: None,
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
