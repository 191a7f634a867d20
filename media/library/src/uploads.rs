//! Uploads that survive a restart: what was announced, how far they are, when they expire. The
//! bytes come in through [`crate::Appender`]. The wire (tus 1.0.0) is the web's.

use std::fs::{self, File, OpenOptions};
use std::io::Read;
use std::path::PathBuf;
use std::sync::PoisonError;

use jiff::{SignedDuration, Timestamp};
use lectern_store::Tx;
use nix::fcntl::{FallocateFlags, fallocate};

use crate::blobs::sync_folder;
use crate::disk::room_for;
use crate::library::lock;
use crate::rows::{UPLOADS, UploadRow};
use crate::{BlobHash, Error, Library, UploadId};

/// An upload as announced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewUpload {
    /// How many bytes will come.
    pub length: u64,
    /// What the uploader calls the file; a name, never a path.
    pub name: String,
    /// Whose it is.
    pub owner: String,
    /// The client's own metadata, given back as it came (tus `Upload-Metadata`).
    pub metadata: String,
}

/// An upload as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UploadInfo {
    /// Its id.
    pub id: UploadId,
    /// How many bytes were announced.
    pub length: u64,
    /// How many are there, for certain.
    pub offset: u64,
    /// What the uploader calls the file.
    pub name: String,
    /// Whose it is.
    pub owner: String,
    /// The client's own metadata.
    pub metadata: String,
    /// When it is forgotten; each chunk puts it off.
    pub expires: Timestamp,
    /// The whole file's hash, once it is whole.
    pub blob: Option<BlobHash>,
}

/// How long an upload that nobody goes on with is kept.
const KEPT: SignedDuration = SignedDuration::from_hours(7 * 24);
/// Uploads of one person that may be under way.
const MAX_OPEN: usize = 200;
/// The longest name kept.
const MAX_NAME_CHARS: usize = 255;
/// The longest metadata kept.
const MAX_METADATA_BYTES: usize = 4096;

impl Library {
    /// Announces an upload and sets its space aside, when there is room for it and for what is made
    /// of it.
    ///
    /// # Errors
    /// [`Error::TooLarge`], [`Error::NoRoom`], [`Error::Invalid`], [`Error::Io`],
    /// [`Error::Store`].
    pub fn create_upload(&self, new: NewUpload, now: Timestamp) -> Result<UploadInfo, Error> {
        let limit = self.inner.options.max_upload_bytes;
        let length = new.length;
        if length > limit {
            return Err(Error::TooLarge { length, limit });
        }
        if new.metadata.len() > MAX_METADATA_BYTES {
            return Err(Error::Invalid("the upload's metadata is too long"));
        }
        if self.open_uploads(&new.owner)? >= MAX_OPEN {
            return Err(Error::Invalid(
                "too many uploads are under way; finish or end some first",
            ));
        }
        let (needed, available) = (room_for(length), self.disk()?.available_bytes());
        if needed > available {
            return Err(Error::NoRoom { needed, available });
        }
        let id = UploadId::new();
        let row = UploadRow {
            length,
            offset: 0,
            name: file_name(&new.name),
            owner: new.owner,
            created: now,
            expires: now + KEPT,
            metadata: new.metadata,
            blob: None,
        };
        let path = self.upload_file(id);
        let placing = self.placing();
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&path)?;
        let made = self.prepare(&file, id, &row);
        if made.is_err() {
            // Its row was not written; what stays behind is swept later.
            let _ = fs::remove_file(&path);
        }
        drop(placing);
        made?;
        if length == 0 {
            self.append(id, 0, now)?.finish(now)?;
            return self.upload(id, now);
        }
        Ok(info(id, row))
    }

    /// The largest upload that is taken.
    pub fn max_upload_bytes(&self) -> u64 {
        self.inner.options.max_upload_bytes
    }

    /// An upload as it stands.
    ///
    /// # Errors
    /// [`Error::NotFound`] (also when it has expired), [`Error::Store`].
    pub fn upload(&self, id: UploadId, now: Timestamp) -> Result<UploadInfo, Error> {
        let row = self.inner.store.snapshot()?.get(&UPLOADS, &id)?;
        let row = row.filter(|row| row.expires > now);
        Ok(info(id, row.ok_or(Error::NotFound("upload"))?))
    }

    /// Forgets an upload and removes its bytes (tus *termination*).
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Busy`] while a request writes to it, [`Error::Store`].
    pub fn terminate_upload(&self, id: UploadId) -> Result<(), Error> {
        let _claim = self.claim(id)?;
        let removed = self
            .inner
            .store
            .write_making_room(move |tx: &Tx<'_>| tx.remove(&UPLOADS, &id).map_err(Error::from))?;
        if !removed {
            return Err(Error::NotFound("upload"));
        }
        self.forget_upload(id);
        Ok(())
    }

    /// Forgets the uploads whose time is over; how many there were.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub fn expire_uploads(&self, now: Timestamp) -> Result<usize, Error> {
        let mut expired = Vec::new();
        for entry in self.inner.store.snapshot()?.range(&UPLOADS, ..)? {
            let (id, row) = entry?;
            if row.expires <= now {
                expired.push(id);
            }
        }
        let mut count = 0;
        for id in expired {
            match self.terminate_upload(id) {
                Ok(()) => count += 1,
                // Someone goes on with it at this moment, or it is gone already.
                Err(Error::Busy | Error::NotFound(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(count)
    }

    /// Takes in a whole file as a finished upload: `lecternd import`, the sample, a recording.
    ///
    /// # Errors
    /// As [`Self::create_upload`]; [`Error::Incomplete`] when the reader ends early.
    pub fn import(
        &self,
        new: NewUpload,
        reader: &mut dyn Read,
        now: Timestamp,
    ) -> Result<UploadInfo, Error> {
        let upload = self.create_upload(new, now)?;
        if upload.blob.is_some() {
            return Ok(upload);
        }
        let imported = self.append_all(upload.id, reader, now);
        if imported.is_err() {
            // The import's error is the news; expiry removes what this cannot.
            let _ = self.terminate_upload(upload.id);
        }
        imported?;
        self.upload(upload.id, now)
    }

    fn append_all(&self, id: UploadId, reader: &mut dyn Read, now: Timestamp) -> Result<(), Error> {
        let mut appender = self.append(id, 0, now)?;
        let mut buffer = vec![0; 1 << 20];
        loop {
            match reader.read(&mut buffer) {
                Ok(0) => break,
                Ok(read) => appender.write(buffer.get(..read).unwrap_or_default(), now)?,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
        let info = appender.finish(now)?;
        match info.blob {
            Some(_) => Ok(()),
            None => Err(Error::Incomplete {
                at: info.offset,
                length: info.length,
            }),
        }
    }

    fn open_uploads(&self, owner: &str) -> Result<usize, Error> {
        let mut count = 0;
        for entry in self.inner.store.snapshot()?.range(&UPLOADS, ..)? {
            count += usize::from(entry?.1.owner == owner);
        }
        Ok(count)
    }

    /// Sets the space aside, makes the file's name durable, then writes the row.
    fn prepare(&self, file: &File, id: UploadId, row: &UploadRow) -> Result<(), Error> {
        set_aside(file, row.length)?;
        file.sync_all()?;
        sync_folder(&self.inner.folders.uploads)?;
        self.save_upload(id, row)
    }

    pub(crate) fn save_upload(&self, id: UploadId, row: &UploadRow) -> Result<(), Error> {
        let row = row.clone();
        self.inner.store.write(move |tx: &Tx<'_>| {
            tx.insert(&UPLOADS, &id, &row)?;
            Ok(())
        })
    }

    pub(crate) fn upload_row(&self, id: UploadId, now: Timestamp) -> Result<UploadRow, Error> {
        let row = self.inner.store.snapshot()?.get(&UPLOADS, &id)?;
        row.filter(|row| row.expires > now)
            .ok_or(Error::NotFound("upload"))
    }

    pub(crate) fn upload_file(&self, id: UploadId) -> PathBuf {
        self.inner.folders.uploads.join(id.to_string())
    }

    /// Removes an upload's bytes and what is remembered of it. Its row is gone already.
    pub(crate) fn forget_upload(&self, id: UploadId) {
        lock(&self.inner.active).remove(&id);
        if let Err(error) = fs::remove_file(self.upload_file(id))
            && error.kind() != std::io::ErrorKind::NotFound
        {
            tracing::warn!(event = "library.upload_file_stays", upload = %id, %error);
        }
    }

    /// Held from before a file is placed until the row that refers to it is durable.
    pub(crate) fn placing(&self) -> std::sync::RwLockReadGuard<'_, ()> {
        self.inner
            .placing
            .read()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes the blocks for so many bytes from the disk; the file's length stays.
pub(crate) fn set_aside(file: &File, length: u64) -> Result<(), Error> {
    let length = i64::try_from(length).map_err(|_| Error::Invalid("too long"))?;
    if length == 0 {
        return Ok(());
    }
    match fallocate(file, FallocateFlags::FALLOC_FL_KEEP_SIZE, 0, length) {
        // Some file systems cannot; the announced length then counts as reserved.
        Ok(()) | Err(nix::Error::EOPNOTSUPP | nix::Error::ENOSYS) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// When an upload that was just written to expires.
pub(crate) fn expiry(now: Timestamp) -> Timestamp {
    now + KEPT
}

pub(crate) fn info(id: UploadId, row: UploadRow) -> UploadInfo {
    UploadInfo {
        id,
        length: row.length,
        offset: row.offset,
        name: row.name,
        owner: row.owner,
        metadata: row.metadata,
        expires: row.expires,
        blob: row.blob,
    }
}

/// The last part of whatever path was sent, without control characters.
fn file_name(sent: &str) -> String {
    let last = sent.rsplit(['/', '\\']).next().unwrap_or_default();
    last.chars()
        .filter(|c| !c.is_control())
        .take(MAX_NAME_CHARS)
        .collect()
}
