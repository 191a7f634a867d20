//! Bytes into an upload: one writer at a time, synced before they count, hashed as they pass. The
//! hash is kept in memory; after a restart it is taken anew from the file.

use std::fs::{File, OpenOptions};
use std::io::{Seek, SeekFrom, Write};

use jiff::Timestamp;
use lectern_store::Tx;
use sha2::{Digest, Sha256};
use tokio::sync::watch;

use crate::blobs::{finish, hash_front};
use crate::library::lock;
use crate::rows::{UPLOADS, UploadRow};
use crate::uploads::{expiry, info, set_aside};
use crate::{BlobHash, Error, Library, UploadId, UploadInfo};

/// What memory holds of an upload.
#[derive(Debug)]
pub(crate) struct Active {
    /// Set while a request writes; true asks it to stop.
    writer: Option<watch::Sender<bool>>,
    /// Hash of the first so many bytes, when they were all seen by this process.
    hash: Option<(u64, Sha256)>,
}

/// After so many bytes an upload's place is made durable, so that a crash costs no more.
const CHECKPOINT_BYTES: u64 = 16 << 20;

/// Writes to one upload. Dropping it keeps what the last checkpoint kept.
#[derive(Debug)]
pub struct Appender {
    library: Library,
    id: UploadId,
    row: UploadRow,
    file: File,
    /// Bytes in the file, synced or not.
    at: u64,
    hash: Sha256,
    /// The state to go back to when the bytes prove wrong.
    begun: (u64, Sha256),
    /// No checkpoints: the bytes count only when their checksum is right.
    is_all_or_nothing: bool,
    claim: Claim,
}

/// The right to write to one upload, given back when dropped.
#[derive(Debug)]
pub(crate) struct Claim {
    library: Library,
    id: UploadId,
    interrupted: watch::Receiver<bool>,
}

impl Library {
    /// Begins to write at `offset`.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::WrongOffset`], [`Error::Busy`] while another request writes
    /// ([`Self::interrupt_upload`] asks it to stop), [`Error::Io`], [`Error::Store`].
    pub fn append(&self, id: UploadId, offset: u64, now: Timestamp) -> Result<Appender, Error> {
        let claim = self.claim(id)?;
        let row = self.upload_row(id, now)?;
        if row.offset != offset || row.blob.is_some() && offset != row.length {
            return Err(Error::WrongOffset {
                at: row.offset,
                offered: offset,
            });
        }
        let mut file = match row.blob {
            // Whole already: nothing will be written, any file will do.
            Some(hash) => File::open(self.inner.folders.blob(hash))?,
            None => OpenOptions::new()
                .read(true)
                .write(true)
                .open(self.upload_file(id))?,
        };
        if row.blob.is_none() {
            let length = file.metadata()?.len();
            if length < offset {
                return Err(Error::Io(std::sync::Arc::new(std::io::Error::other(
                    "bytes of an upload are gone from the disk",
                ))));
            }
            // What lies behind was never acknowledged. Only then: setting a length, even the same
            // one, also gives back the blocks that were set aside behind it.
            if length > offset {
                file.set_len(offset)?;
                set_aside(&file, row.length)?;
            }
        }
        let remembered = lock(&self.inner.active)
            .get_mut(&id)
            .and_then(|active| active.hash.take())
            .filter(|(seen, _)| *seen == offset);
        let hash = match remembered {
            Some((_, hash)) => hash,
            None => {
                let mut hash = Sha256::new();
                file.rewind()?;
                hash_front(&mut file, offset, &mut hash)?;
                hash
            }
        };
        file.seek(SeekFrom::Start(offset))?;
        Ok(Appender {
            library: self.clone(),
            id,
            row,
            file,
            at: offset,
            begun: (offset, hash.clone()),
            hash,
            is_all_or_nothing: false,
            claim,
        })
    }

    /// Asks the request that writes to this upload to stop: its client has come back on another
    /// connection.
    pub fn interrupt_upload(&self, id: UploadId) {
        let active = lock(&self.inner.active);
        if let Some(writer) = active.get(&id).and_then(|active| active.writer.as_ref()) {
            writer.send_replace(true);
        }
    }

    pub(crate) fn claim(&self, id: UploadId) -> Result<Claim, Error> {
        let mut active = lock(&self.inner.active);
        let entry = active.entry(id).or_insert(Active {
            writer: None,
            hash: None,
        });
        if entry.writer.is_some() {
            return Err(Error::Busy);
        }
        let (writer, interrupted) = watch::channel(false);
        entry.writer = Some(writer);
        Ok(Claim {
            library: self.clone(),
            id,
            interrupted,
        })
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        let mut active = lock(&self.library.inner.active);
        if let Some(entry) = active.get_mut(&self.id) {
            entry.writer = None;
            if entry.hash.is_none() {
                active.remove(&self.id);
            }
        }
    }
}

impl Appender {
    /// Makes [`Self::discard`] possible to the very beginning: no checkpoint is taken before
    /// [`Self::finish`]. For chunks that come with a checksum.
    pub fn all_or_nothing(mut self) -> Self {
        self.is_all_or_nothing = true;
        self
    }

    /// Turns true when another request wants to go on with this upload.
    pub fn interrupted(&self) -> watch::Receiver<bool> {
        self.claim.interrupted.clone()
    }

    /// Bytes that may still come.
    pub fn remaining(&self) -> u64 {
        self.row.length.saturating_sub(self.at)
    }

    /// Adds bytes.
    ///
    /// # Errors
    /// [`Error::TooManyBytes`], [`Error::Io`], [`Error::Store`].
    pub fn write(&mut self, bytes: &[u8], now: Timestamp) -> Result<(), Error> {
        if bytes.len() as u64 > self.remaining() {
            return Err(Error::TooManyBytes {
                length: self.row.length,
            });
        }
        self.file.write_all(bytes)?;
        self.hash.update(bytes);
        self.at += bytes.len() as u64;
        if !self.is_all_or_nothing && self.at - self.row.offset >= CHECKPOINT_BYTES {
            self.checkpoint(now)?;
        }
        Ok(())
    }

    /// Makes what was written count; when it is all, makes it a blob.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Store`].
    pub fn finish(mut self, now: Timestamp) -> Result<UploadInfo, Error> {
        if self.row.blob.is_some() {
            return Ok(info(self.id, self.row));
        }
        if self.at < self.row.length {
            self.checkpoint(now)?;
            self.remember(self.at, self.hash.clone());
            return Ok(info(self.id, self.row));
        }
        self.file.sync_all()?;
        let hash = finish(self.hash.clone());
        let library = self.library.clone();
        let placing = library.placing();
        let folders = &library.inner.folders;
        folders.place_blob(&library.upload_file(self.id), hash)?;
        self.save(now, Some(hash))?;
        drop(placing);
        // The blob has the bytes; what this cannot remove is swept later.
        let _ = std::fs::remove_file(library.upload_file(self.id));
        Ok(info(self.id, self.row))
    }

    /// Takes back what was written since the beginning (or the last checkpoint): its checksum
    /// was wrong.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn discard(self) -> Result<(), Error> {
        if self.is_all_or_nothing && self.row.blob.is_none() {
            let (offset, hash) = self.begun.clone();
            self.file.set_len(offset)?;
            set_aside(&self.file, self.row.length)?;
            self.remember(offset, hash);
        }
        Ok(())
    }

    fn checkpoint(&mut self, now: Timestamp) -> Result<(), Error> {
        self.file.sync_data()?;
        self.save(now, None)
    }

    fn save(&mut self, now: Timestamp, blob: Option<BlobHash>) -> Result<(), Error> {
        let row = UploadRow {
            offset: self.at,
            expires: expiry(now),
            blob,
            ..self.row.clone()
        };
        let (id, new) = (self.id, row.clone());
        self.library.inner.store.write(move |tx: &Tx<'_>| {
            // Terminated meanwhile: then it must not come back.
            if !tx.contains(&UPLOADS, &id)? {
                return Err(Error::NotFound("upload"));
            }
            tx.insert(&UPLOADS, &id, &new)?;
            Ok(())
        })?;
        self.row = row;
        Ok(())
    }

    fn remember(&self, seen: u64, hash: Sha256) {
        let mut active = lock(&self.library.inner.active);
        if let Some(entry) = active.get_mut(&self.id) {
            entry.hash = Some((seen, hash));
        }
    }
}
