//! Versions: reading them, attaching a source, and the package beside each.

use std::path::PathBuf;

use jiff::Timestamp;
use lectern_store::{Snapshot, Tx};

use crate::jobs::Waits;
use crate::library::{Progress, lock, next_number};
use crate::rows::{JOBS, JobRow, PACKAGES, UPLOADS, VERSIONS, VIDEOS, VersionRow};
use crate::{
    ChangeKind, Error, JobId, Library, MediaKey, Source, UploadId, VersionInfo, VersionState,
    VideoId,
};

impl Library {
    /// Attaches a finished upload as the next version; learners under way keep theirs.
    ///
    /// # Errors
    /// [`Error::NotFound`] (the video, or an upload of this owner), [`Error::Incomplete`],
    /// [`Error::Store`].
    pub fn add_version(
        &self,
        video: VideoId,
        upload: UploadId,
        owner: &str,
        now: Timestamp,
    ) -> Result<u32, Error> {
        let owner = owner.to_owned();
        let version = self.inner.store.write(move |tx: &Tx<'_>| {
            if !tx.contains(&VIDEOS, &video)? {
                return Err(Error::NotFound("video"));
            }
            attach(tx, video, upload, &owner, now)
        })?;
        self.changed(video, ChangeKind::Video);
        self.changed(video, ChangeKind::JobQueued);
        Ok(version)
    }

    /// One version.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Store`].
    pub fn version(&self, video: VideoId, version: u32) -> Result<VersionInfo, Error> {
        let snapshot = self.inner.store.snapshot()?;
        let row = snapshot.get(&VERSIONS, &(video, version))?;
        let row = row.ok_or(Error::NotFound("version"))?;
        let waits = match row.state {
            // Asked for with every segment.
            VersionState::Ready | VersionState::Failed => Waits::default(),
            _ => self.waits(&snapshot)?,
        };
        Ok(self.version_info(video, version, row, &waits))
    }

    /// A version's package as the worker last gave it: JSON, opaque here. `None` before the
    /// first segment.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub fn package_json(&self, video: VideoId, version: u32) -> Result<Option<String>, Error> {
        Ok(self
            .inner
            .store
            .snapshot()?
            .get(&PACKAGES, &(video, version))?)
    }

    /// Where the files of a version's package lie.
    pub fn package_dir(&self, video: VideoId, version: u32, attempt: u32) -> PathBuf {
        self.inner
            .folders
            .packages
            .join(video.to_string())
            .join(format!("{version}-{attempt}"))
    }

    pub(crate) fn version_infos(
        &self,
        snapshot: &Snapshot,
        video: VideoId,
        waits: &Waits,
    ) -> Result<Vec<VersionInfo>, Error> {
        let mut infos = Vec::new();
        for entry in snapshot.prefix(&VERSIONS, &video)?.rev() {
            let ((_, version), row) = entry?;
            infos.push(self.version_info(video, version, row, waits));
        }
        Ok(infos)
    }

    fn version_info(
        &self,
        video: VideoId,
        version: u32,
        row: VersionRow,
        waits: &Waits,
    ) -> VersionInfo {
        let wait = waits.get(&(video, version));
        let progress = lock(&self.inner.progress).get(&(video, version)).copied();
        let progress = match row.state {
            VersionState::Ready => Progress {
                ratio: 1.0,
                eta_ms: None,
            },
            VersionState::Queued | VersionState::Failed => Progress::NONE,
            VersionState::Processing | VersionState::Playable => progress.unwrap_or(Progress::NONE),
        };
        VersionInfo {
            version,
            key: row.key,
            state: row.state,
            progress: progress.ratio,
            eta_ms: progress.eta_ms,
            duration_ms: row.duration_ms,
            error: row.error,
            waiting_for: wait.map(|wait| wait.why.clone()),
            waiting_until: wait.and_then(|wait| wait.until),
            can_hurry: wait.is_some_and(|wait| wait.can_hurry),
            report: row.report,
            revision: row.revision,
            attempt: row.attempt,
            package_dir: self.package_dir(video, version, row.attempt),
            package_hash: row.package_hash,
            created: row.created,
            source: row.source,
        }
    }
}

impl Progress {
    const NONE: Self = Self {
        ratio: 0.0,
        eta_ms: None,
    };
}

/// Writes the next version of a video and its job; the upload is used up.
pub(crate) fn attach(
    tx: &Tx<'_>,
    video: VideoId,
    upload: UploadId,
    owner: &str,
    now: Timestamp,
) -> Result<u32, Error> {
    let row = tx
        .get(&UPLOADS, &upload)?
        .filter(|row| row.owner == owner && row.expires > now)
        .ok_or(Error::NotFound("upload"))?;
    let Some(blob) = row.blob else {
        return Err(Error::Incomplete {
            at: row.offset,
            length: row.length,
        });
    };
    let newest = tx.prefix(&VERSIONS, &video)?.next_back().transpose()?;
    let version = newest.map_or(0, |((_, version), _)| version) + 1;
    let source = Source {
        blob,
        bytes: row.length,
        original_name: row.name,
    };
    let row = VersionRow {
        key: MediaKey::random(),
        state: VersionState::Queued,
        duration_ms: None,
        error: None,
        report: serde_json::Value::Null,
        revision: 1,
        attempt: 1,
        package_hash: None,
        created: now,
        source,
    };
    tx.insert(&VERSIONS, &(video, version), &row)?;
    tx.remove(&UPLOADS, &upload)?;
    enqueue(tx, video, version, now)?;
    Ok(version)
}

pub(crate) fn enqueue(
    tx: &Tx<'_>,
    video: VideoId,
    version: u32,
    now: Timestamp,
) -> Result<(), Error> {
    let id = JobId(next_number(tx, "jobs")?);
    let job = JobRow {
        video,
        version,
        queued: now,
        not_before: now,
        tries: 0,
        failures: 0,
        anew: 0,
        waiting_for: None,
        loudness: None,
        is_hurried: false,
    };
    tx.insert(&JOBS, &id, &job)?;
    Ok(())
}

/// The job of a version, if it has one.
pub(crate) fn job_of(
    tx: &Tx<'_>,
    video: VideoId,
    version: u32,
) -> Result<Option<(JobId, JobRow)>, Error> {
    for entry in tx.range(&JOBS, ..)? {
        let (id, row) = entry?;
        if (row.video, row.version) == (video, version) {
            return Ok(Some((id, row)));
        }
    }
    Ok(None)
}
