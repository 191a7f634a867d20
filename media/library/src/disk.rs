//! Disk space: what is free, what is kept, what is promised to uploads under way.

use std::os::unix::fs::MetadataExt;
use std::sync::atomic::Ordering;

use nix::sys::statvfs::Statvfs;

use crate::library::lock;
use crate::rows::{JOBS, UPLOADS, VERSIONS};
use crate::{Error, Library};

/// Space on the disk that holds the content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DiskReport {
    /// Bytes free for the box.
    pub free_bytes: u64,
    /// Bytes in all.
    pub total_bytes: u64,
    /// Bytes that stay free: uploads and jobs stop there.
    pub floor_bytes: u64,
    /// Bytes that uploads and jobs under way may still need.
    pub reserved_bytes: u64,
}

impl DiskReport {
    /// What a new upload may take, with all that is made of it ([`room_for`]).
    pub fn available_bytes(&self) -> u64 {
        self.free_bytes
            .saturating_sub(self.floor_bytes)
            .saturating_sub(self.reserved_bytes)
    }

    /// Whether jobs may run.
    pub fn is_above_floor(&self) -> bool {
        self.free_bytes > self.floor_bytes
    }
}

/// The room that a source of so many bytes takes in all: its own, and as much again for what is made
/// of it. A ladder is seldom larger than its source: a high bit rate is not kept, and a low one is not
/// raised. What is promised to an upload and what a page may say of one both come from here.
pub fn room_for(source_bytes: u64) -> u64 {
    source_bytes.saturating_mul(2)
}

impl Library {
    /// Space on the content's disk.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Store`].
    pub fn disk(&self) -> Result<DiskReport, Error> {
        let stat = self.stat()?;
        Ok(DiskReport {
            free_bytes: free(&stat),
            total_bytes: stat.blocks().saturating_mul(stat.fragment_size()),
            floor_bytes: self.floor_bytes(),
            reserved_bytes: self.reserved_bytes()?,
        })
    }

    /// Whether jobs may run.
    pub(crate) fn has_room(&self) -> Result<bool, Error> {
        Ok(free(&self.stat()?) > self.floor_bytes())
    }

    /// An error when the disk is at its floor.
    pub(crate) fn check_floor(&self) -> Result<(), Error> {
        let (free_bytes, floor_bytes) = (free(&self.stat()?), self.floor_bytes());
        match free_bytes > floor_bytes {
            true => Ok(()),
            false => Err(Error::AtFloor {
                free_bytes,
                floor_bytes,
            }),
        }
    }

    /// What uploads and jobs under way may still take.
    fn reserved_bytes(&self) -> Result<u64, Error> {
        let snapshot = self.inner.store.snapshot()?;
        let mut reserved = 0_u64;
        for entry in snapshot.range(&UPLOADS, ..)? {
            let (id, row) = entry?;
            // Blocks that were set aside when it was announced are no longer free.
            let held = match row.blob {
                Some(_) => row.length,
                None => {
                    std::fs::metadata(self.upload_file(id)).map_or(0, |file| file.blocks() * 512)
                }
            };
            reserved = reserved.saturating_add(room_for(row.length).saturating_sub(held));
        }
        for entry in snapshot.range(&JOBS, ..)? {
            let (_, job) = entry?;
            let key = (job.video, job.version);
            let Some(version) = snapshot.get(&VERSIONS, &key)? else {
                continue;
            };
            let source = version.source.bytes;
            let done = lock(&self.inner.progress)
                .get(&key)
                .map_or(0.0, |progress| f64::from(progress.ratio));
            let all = room_for(source).saturating_sub(source);
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // a share of `all`
            let made = (all as f64 * done) as u64;
            reserved = reserved.saturating_add(all.saturating_sub(made));
        }
        Ok(reserved)
    }

    fn floor_bytes(&self) -> u64 {
        self.inner.floor_bytes.load(Ordering::Relaxed)
    }

    fn stat(&self) -> Result<Statvfs, Error> {
        Ok(nix::sys::statvfs::statvfs(&self.inner.folders.content)?)
    }
}

fn free(stat: &Statvfs) -> u64 {
    stat.blocks_available().saturating_mul(stat.fragment_size())
}
