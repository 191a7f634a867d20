//! Disk space: what is free, what is kept, what is promised to uploads under way.

use std::os::unix::fs::MetadataExt;
use std::sync::atomic::Ordering;

use crate::rows::UPLOADS;
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
    /// Bytes that uploads under way may still need.
    pub reserved_bytes: u64,
}

impl DiskReport {
    /// What a new upload may take.
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

impl Library {
    /// Space on the content's disk.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Store`].
    pub fn disk(&self) -> Result<DiskReport, Error> {
        let stat = nix::sys::statvfs::statvfs(&self.inner.folders.content)?;
        let fragment = stat.fragment_size();
        let mut reserved_bytes = 0_u64;
        for entry in self.inner.store.snapshot()?.range(&UPLOADS, ..)? {
            let (id, row) = entry?;
            if row.blob.is_some() {
                continue;
            }
            // Blocks that were set aside when it was announced are no longer free.
            let held =
                std::fs::metadata(self.upload_file(id)).map_or(0, |file| file.blocks() * 512);
            reserved_bytes = reserved_bytes.saturating_add(row.length.saturating_sub(held));
        }
        Ok(DiskReport {
            free_bytes: stat.blocks_available().saturating_mul(fragment),
            total_bytes: stat.blocks().saturating_mul(fragment),
            floor_bytes: self.inner.floor_bytes.load(Ordering::Relaxed),
            reserved_bytes,
        })
    }
}
