//! What is on disk of a package: made durable, and hashed when it is ready.

use std::fs::{self, File};
use std::path::Path;

use sha2::{Digest, Sha256};

use crate::blobs::{finish, hash_front, sync_folder};
use crate::{BlobHash, Error};

/// Files of one package at most: a day of video in five rungs.
const MAX_FILES: usize = 500_000;

/// The hash of a package's init and segment files: SHA-256 over one line for each,
/// `<sha256>  <path>`, in order of their paths (what `sha256sum` prints, sorted by name). Posters
/// and storyboards are not part of it. Every file is synced on the way.
pub(crate) fn hash_package(folder: &Path) -> Result<BlobHash, Error> {
    let mut lines = Vec::new();
    for track in fs::read_dir(folder)? {
        let track = track?;
        if !track.file_type()?.is_dir() {
            continue;
        }
        for file in fs::read_dir(track.path())? {
            let file = file?;
            let name = file.file_name();
            let Some(name) = name.to_str() else { continue };
            let is_media = name.ends_with(".mp4") || name.ends_with(".m4s");
            if !is_media || !file.file_type()?.is_file() {
                continue;
            }
            if lines.len() == MAX_FILES {
                return Err(Error::Invalid("a package of too many files"));
            }
            let mut open = File::open(file.path())?;
            open.sync_all()?;
            let mut hash = Sha256::new();
            hash_front(&mut open, u64::MAX, &mut hash)?;
            let track = track.file_name();
            lines.push((format!("{}/{name}", track.to_string_lossy()), finish(hash)));
        }
        sync_folder(&track.path())?;
    }
    sync_folder(folder)?;
    lines.sort_unstable();
    let mut all = Sha256::new();
    for (path, hash) in lines {
        all.update(format!("{hash}  {path}\n"));
    }
    Ok(finish(all))
}

/// Makes everything written so far below `folder` durable, in one call for the whole disk:
/// a growing package has too many files to sync one by one.
pub(crate) fn sync_disk_of(folder: &Path) -> Result<(), Error> {
    nix::unistd::syncfs(File::open(folder)?)?;
    Ok(())
}
