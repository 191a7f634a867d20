//! Files by the SHA-256 of their bytes: `content/blobs/ab/abcdef…`. A blob is whole and synced
//! before it has its name.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::{BlobHash, Error};

/// Where the library's files lie.
#[derive(Debug, Clone)]
pub(crate) struct Folders {
    pub(crate) content: PathBuf,
    pub(crate) blobs: PathBuf,
    pub(crate) packages: PathBuf,
    pub(crate) uploads: PathBuf,
    /// What nothing refers to any more, until it is removed.
    pub(crate) trash: PathBuf,
}

impl Folders {
    pub(crate) fn make(state_dir: &Path) -> Result<Self, Error> {
        let content = state_dir.join("content");
        let folders = Self {
            blobs: content.join("blobs"),
            packages: content.join("packages"),
            uploads: state_dir.join("uploads"),
            trash: content.join("trash"),
            content,
        };
        for folder in [&folders.blobs, &folders.packages, &folders.uploads] {
            fs::create_dir_all(folder)?;
            sync_folder(folder)?;
        }
        sync_folder(&folders.content)?;
        sync_folder(state_dir)?;
        Ok(folders)
    }

    pub(crate) fn blob(&self, hash: BlobHash) -> PathBuf {
        let name = hash.to_string();
        self.blobs
            .join(name.get(..2).unwrap_or_default())
            .join(name)
    }

    /// Gives a synced file a second name among the blobs. The first one stays until the row that
    /// refers to the blob is durable.
    pub(crate) fn place_blob(&self, file: &Path, hash: BlobHash) -> Result<(), Error> {
        let place = self.blob(hash);
        let folder = place.parent().unwrap_or(&self.blobs);
        if !folder.exists() {
            fs::create_dir_all(folder)?;
            sync_folder(&self.blobs)?;
        }
        match fs::hard_link(file, &place) {
            // The same bytes came before.
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            other => other?,
        }
        sync_folder(folder)
    }
}

/// Makes names in a folder survive a power cut.
pub(crate) fn sync_folder(folder: &Path) -> Result<(), Error> {
    Ok(File::open(folder)?.sync_all()?)
}

/// Bytes read at a time.
const CHUNK: usize = 1 << 20;

/// Feeds the first `length` bytes to the hasher.
pub(crate) fn hash_front(
    file: &mut impl Read,
    length: u64,
    hasher: &mut Sha256,
) -> Result<u64, Error> {
    let mut front = file.take(length);
    let mut buffer = vec![0; CHUNK];
    let mut seen = 0;
    loop {
        let read = match front.read(&mut buffer) {
            Ok(read) => read,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error.into()),
        };
        if read == 0 {
            return Ok(seen);
        }
        hasher.update(buffer.get(..read).unwrap_or_default());
        seen += read as u64;
    }
}

pub(crate) fn finish(hasher: Sha256) -> BlobHash {
    BlobHash(hasher.finalize().into())
}
