//! What lies under a store: how its file is opened, and how much room is left. The product has
//! one, [`FileDisk`]; tests have another that stops at the n-th sync.

use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};

use redb::backends::FileBackend;
use redb::{Builder, Database, DatabaseError};

use crate::Error;

/// A place for one store.
pub trait Disk: Send + Sync + 'static {
    /// Opens the database, making it when there is none.
    ///
    /// # Errors
    /// Whatever redb or the disk says.
    fn open(&self, builder: &Builder) -> Result<Database, Error>;
    /// Free bytes for an ordinary process.
    ///
    /// # Errors
    /// When the file system cannot say.
    fn free_bytes(&self) -> Result<u64, Error>;
    /// The file's length.
    ///
    /// # Errors
    /// When the file system cannot say.
    fn file_bytes(&self) -> Result<u64, Error>;
}

/// A file of the file system, locked to one process by redb.
#[derive(Debug, Clone)]
pub struct FileDisk {
    path: PathBuf,
}

impl FileDisk {
    /// The file at `path`.
    pub fn new(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
        }
    }

    fn folder(&self) -> &Path {
        match self.path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        }
    }

    fn open_file(&self, path: &Path, builder: &Builder) -> Result<Database, Error> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let backend = FileBackend::new(options.open(path)?)?;
        match builder.create_with_backend(backend) {
            Err(DatabaseError::DatabaseAlreadyOpen) => Err(Error::InUse(self.path.clone())),
            other => Ok(other?),
        }
    }
}

impl Disk for FileDisk {
    fn open(&self, builder: &Builder) -> Result<Database, Error> {
        if !self.path.exists() {
            // redb cannot open what a power cut leaves of its first steps ("magic number
            // mismatch"), so a new file gets its name when it is whole.
            let staged = self.path.with_extension("new");
            if staged.exists() {
                std::fs::remove_file(&staged)?;
            }
            self.open_file(&staged, builder)?.close()?;
            File::open(&staged)?.sync_all()?;
            std::fs::rename(&staged, &self.path)?;
            File::open(self.folder())?.sync_all()?;
        }
        self.open_file(&self.path, builder)
    }

    fn free_bytes(&self) -> Result<u64, Error> {
        let stat = nix::sys::statvfs::statvfs(self.folder()).map_err(std::io::Error::from)?;
        Ok(stat.blocks_available().saturating_mul(stat.fragment_size()))
    }

    fn file_bytes(&self) -> Result<u64, Error> {
        Ok(std::fs::metadata(&self.path)?.len())
    }
}
