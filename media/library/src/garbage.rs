//! Garbage collection: files that no row refers to. It looks at the rows first and, alone with those
//! who place files, gives what is to go another name, so that nothing a row is about to refer to is
//! taken. The bytes are freed afterwards, beside everything else: that can take minutes.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{PoisonError, RwLockReadGuard, TryLockError};

use crate::library::lock;
use crate::rows::{SPEECH_MODELS, UPLOADS, VERSIONS};
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

    /// Removes the files that no version, no upload and no model refers to. What cannot be removed now (a
    /// worker that was just ended may still write into its folder) is tried again the next time.
    ///
    /// # Errors
    /// [`Error::Busy`] when a file is just being placed, or a backup holds all of them: waiting
    /// for those would keep uploads waiting, too. [`Error::Io`], [`Error::Store`].
    pub fn collect_garbage(&self) -> Result<Swept, Error> {
        // Not at the start: a full disk may have no room for a folder, and must not keep the box from it.
        let trash = &self.inner.folders.trash;
        if let Err(error) = fs::create_dir_all(trash) {
            tracing::info!(event = "library.no_trash", %error);
        }
        let mut swept = self.set_garbage_aside()?;
        for path in entries(trash).unwrap_or_default() {
            if let Err(error) = remove(&path, &mut swept.bytes) {
                stays(&path, &error);
            }
        }
        Ok(swept)
    }

    /// Renames alone, under the lock; but what has no place in the trash goes at once.
    fn set_garbage_aside(&self) -> Result<Swept, Error> {
        let _alone = match self.inner.placing.try_write() {
            Ok(alone) => alone,
            Err(TryLockError::Poisoned(alone)) => alone.into_inner(),
            Err(TryLockError::WouldBlock) => return Err(Error::Busy),
        };
        let folders = &self.inner.folders;
        let kept = self.kept()?;
        let mut swept = Swept::default();
        let mut set_aside = |path: &Path| -> u64 {
            if kept.contains(path) {
                return 0;
            }
            let name = format!("{:032x}", rand::random::<u128>());
            let gone = fs::rename(path, folders.trash.join(name))
                .or_else(|_| remove(path, &mut swept.bytes));
            match gone {
                Ok(()) => 1,
                Err(error) => {
                    stays(path, &error);
                    0
                }
            }
        };
        let (mut blobs, mut packages, mut uploads) = (0, 0, 0);
        for folder in entries(&folders.blobs)? {
            for blob in entries(&folder)? {
                blobs += set_aside(&blob);
            }
        }
        for video in entries(&folders.packages)? {
            packages += set_aside(&video);
            if kept.contains(&video) {
                for package in entries(&video)? {
                    packages += set_aside(&package);
                }
            }
        }
        for upload in entries(&folders.uploads)? {
            uploads += set_aside(&upload);
        }
        Ok(Swept {
            blobs,
            packages,
            uploads,
            ..swept
        })
    }

    /// What rows refer to.
    fn kept(&self) -> Result<HashSet<PathBuf>, Error> {
        let snapshot = self.inner.store.snapshot()?;
        let mut kept = HashSet::new();
        let folders = &self.inner.folders;
        for entry in snapshot.range(&VERSIONS, ..)? {
            let ((video, version), row) = entry?;
            kept.insert(folders.blob(row.source.blob));
            kept.insert(folders.packages.join(video.to_string()));
            kept.insert(self.package_dir(video, version, row.attempt));
        }
        for entry in snapshot.range(&UPLOADS, ..)? {
            let (id, row) = entry?;
            match row.blob {
                Some(hash) => kept.insert(folders.blob(hash)),
                None => kept.insert(self.upload_file(id)),
            };
        }
        for entry in snapshot.range(&SPEECH_MODELS, ..)? {
            if let Ok(hash) = entry?.0.parse() {
                kept.insert(folders.blob(hash));
            }
        }
        // An upload that is just being announced has a file before it has a row.
        for id in lock(&self.inner.active).keys() {
            kept.insert(self.upload_file(*id));
        }
        Ok(kept)
    }
}

fn stays(path: &Path, error: &io::Error) {
    tracing::info!(event = "library.garbage_stays", path = %path.display(), %error);
}

fn entries(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder)? {
        paths.push(entry?.path());
    }
    Ok(paths)
}

/// Removes a file or a folder and counts the bytes it had. What somebody else removes meanwhile is
/// gone as well.
fn remove(path: &Path, bytes: &mut u64) -> io::Result<()> {
    let gone = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => Ok(()),
        _ => Err(error),
    };
    let metadata = match fs::symlink_metadata(path) {
        Ok(metadata) => metadata,
        Err(error) => return gone(error),
    };
    if !metadata.is_dir() {
        fs::remove_file(path).or_else(gone)?;
        *bytes += metadata.len();
        return Ok(());
    }
    for entry in entries(path).or_else(|error| gone(error).map(|()| Vec::new()))? {
        remove(&entry, bytes)?;
    }
    fs::remove_dir(path).or_else(gone)
}
