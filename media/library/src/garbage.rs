//! Garbage collection: files that no row refers to. It looks at the rows first and runs alone
//! with those who place files, so that nothing a row is about to refer to is taken.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{PoisonError, RwLockReadGuard, TryLockError};

use crate::library::lock;
use crate::rows::{UPLOADS, VERSIONS};
use crate::{Error, Library};

/// What was removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Swept {
    /// Sources.
    pub blobs: u64,
    /// Folders of packages.
    pub packages: u64,
    /// Bytes of uploads.
    pub uploads: u64,
    /// Bytes freed.
    pub bytes: u64,
}

impl Library {
    /// Keeps every file where it is as long as the guard lives: a backup copies them one by one.
    pub fn hold_garbage(&self) -> RwLockReadGuard<'_, ()> {
        self.inner
            .placing
            .read()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Removes the files that no version and no upload refers to.
    ///
    /// # Errors
    /// [`Error::Busy`] when a file is just being placed, or a backup holds all of them: waiting
    /// for those would keep uploads waiting, too. [`Error::Io`], [`Error::Store`].
    pub fn collect_garbage(&self) -> Result<Swept, Error> {
        let _alone = match self.inner.placing.try_write() {
            Ok(alone) => alone,
            Err(TryLockError::Poisoned(alone)) => alone.into_inner(),
            Err(TryLockError::WouldBlock) => return Err(Error::Busy),
        };
        let snapshot = self.inner.store.snapshot()?;
        let mut kept: HashSet<PathBuf> = HashSet::new();
        let folders = &self.inner.folders;
        for entry in snapshot.range(&VERSIONS, ..)? {
            let ((video, version), row) = entry?;
            kept.insert(folders.blob(row.source.blob));
            let package = self.package_dir(video, version, row.attempt);
            kept.insert(folders.packages.join(video.to_string()));
            kept.insert(package);
        }
        for entry in snapshot.range(&UPLOADS, ..)? {
            let (id, row) = entry?;
            match row.blob {
                Some(hash) => kept.insert(folders.blob(hash)),
                None => kept.insert(self.upload_file(id)),
            };
        }
        // An upload that is just being announced has a file before it has a row.
        for id in lock(&self.inner.active).keys() {
            kept.insert(self.upload_file(*id));
        }
        let mut swept = Swept::default();
        for folder in entries(&folders.blobs)? {
            for blob in entries(&folder)? {
                if !kept.contains(&blob) {
                    swept.bytes += remove(&blob)?;
                    swept.blobs += 1;
                }
            }
        }
        for video in entries(&folders.packages)? {
            if !kept.contains(&video) {
                swept.bytes += remove(&video)?;
                swept.packages += 1;
                continue;
            }
            for package in entries(&video)? {
                if !kept.contains(&package) {
                    swept.bytes += remove(&package)?;
                    swept.packages += 1;
                }
            }
        }
        for upload in entries(&folders.uploads)? {
            if !kept.contains(&upload) {
                swept.bytes += remove(&upload)?;
                swept.uploads += 1;
            }
        }
        Ok(swept)
    }
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder)? {
        paths.push(entry?.path());
    }
    Ok(paths)
}

/// Removes a file or a folder; the bytes it had.
fn remove(path: &Path) -> Result<u64, Error> {
    let metadata = fs::symlink_metadata(path)?;
    if !metadata.is_dir() {
        fs::remove_file(path)?;
        return Ok(metadata.len());
    }
    let mut bytes = 0;
    for entry in entries(path)? {
        bytes += remove(&entry)?;
    }
    fs::remove_dir(path)?;
    Ok(bytes)
}
