//! What lies under a store: how its file is opened, and how much room is left. The product has
//! one, [`FileDisk`]; tests have another that stops at the n-th sync.

use std::fs::{File, OpenOptions};
use std::io::ErrorKind;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{AT_FDCWD, RenameFlags, renameat2};
use redb::backends::FileBackend;
use redb::{Builder, Database, DatabaseError};

use crate::{Error, JournalFile};

/// A place for one store.
pub trait Disk: Send + Sync + 'static {
    /// Opens the database, making it when there is none.
    ///
    /// # Errors
    /// Whatever redb or the disk says.
    fn open(&self, builder: &Builder) -> Result<Database, Error>;
    /// Opens the database that was there a moment ago, and never makes one: a disk that cannot say
    /// what it holds must not be given an empty store in its place.
    ///
    /// # Errors
    /// Whatever redb or the disk says; also when there is none.
    fn reopen(&self, builder: &Builder) -> Result<Database, Error>;
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
    /// Opens a file of a journal, making it when there is none: 0 and 1 are the log's, 2 and 3 those of the notes.
    ///
    /// # Errors
    /// The disk's.
    fn journal(&self, slot: usize) -> Result<Box<dyn JournalFile>, Error>;
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

    fn open_file(&self, builder: &Builder) -> Result<Database, Error> {
        let file = OpenOptions::new().read(true).write(true).open(&self.path)?;
        // redb would make a store of it. Ours is whole before it has its name.
        if file.metadata()?.len() == 0 {
            return Err(Error::corrupt("-", "the file is empty"));
        }
        match builder.create_with_backend(FileBackend::new(file)?) {
            Err(DatabaseError::DatabaseAlreadyOpen) => Err(Error::InUse(self.path.clone())),
            other => Ok(other?),
        }
    }

    /// Makes an empty store. redb cannot open what a power cut leaves of its first steps ("magic
    /// number mismatch"), so a new file gets its name when it is whole.
    fn make(&self, builder: &Builder) -> Result<(), Error> {
        let staged = self.path.with_extension("new");
        if staged.try_exists()? {
            std::fs::remove_file(&staged)?;
        }
        let mut options = OpenOptions::new();
        options.read(true).write(true).create_new(true);
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let backend = FileBackend::new(options.open(&staged)?)?;
        builder.create_with_backend(backend)?.close()?;
        File::open(&staged)?.sync_all()?;
        match rename_without_replacing(&staged, &self.path) {
            // Somebody else was quicker; theirs is opened.
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                std::fs::remove_file(&staged)?;
            }
            other => other?,
        }
        Ok(File::open(self.folder())?.sync_all()?)
    }
}

/// Gives a file its name, unless that is taken: [`ErrorKind::AlreadyExists`].
pub(crate) fn rename_without_replacing(from: &Path, to: &Path) -> std::io::Result<()> {
    match renameat2(AT_FDCWD, from, AT_FDCWD, to, RenameFlags::RENAME_NOREPLACE) {
        // A file system that knows no such rename (NFS).
        Err(Errno::EINVAL | Errno::ENOSYS) => match to.try_exists()? {
            true => Err(ErrorKind::AlreadyExists.into()),
            false => std::fs::rename(from, to),
        },
        other => Ok(other?),
    }
}

impl Disk for FileDisk {
    fn open(&self, builder: &Builder) -> Result<Database, Error> {
        // Not `exists`: a disk that fails says no to that, too.
        if !self.path.try_exists()? {
            self.make(builder)?;
        }
        self.open_file(builder)
    }

    fn reopen(&self, builder: &Builder) -> Result<Database, Error> {
        self.open_file(builder)
    }

    fn free_bytes(&self) -> Result<u64, Error> {
        let stat = nix::sys::statvfs::statvfs(self.folder()).map_err(std::io::Error::from)?;
        Ok(stat.blocks_available().saturating_mul(stat.fragment_size()))
    }

    fn file_bytes(&self) -> Result<u64, Error> {
        Ok(std::fs::metadata(&self.path)?.len())
    }

    fn journal(&self, slot: usize) -> Result<Box<dyn JournalFile>, Error> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(self.path.with_extension(format!("journal-{slot}")))?;
        File::open(self.folder())?.sync_all()?;
        Ok(Box::new(PlainFile(file)))
    }
}

/// A journal's file. Not locked: whoever has the store has its journal.
struct PlainFile(File);

impl JournalFile for PlainFile {
    fn read(&self) -> std::io::Result<Vec<u8>> {
        let length = usize::try_from(self.0.metadata()?.len()).map_err(std::io::Error::other)?;
        let mut bytes = vec![0; length];
        self.0.read_exact_at(&mut bytes, 0)?;
        Ok(bytes)
    }

    fn write(&self, at: u64, bytes: &[u8]) -> std::io::Result<()> {
        self.0.write_all_at(bytes, at)
    }

    fn sync(&self) -> std::io::Result<()> {
        self.0.sync_data()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn builder() -> Builder {
        Builder::new()
    }

    #[test]
    fn reopening_never_makes_a_store() {
        let folder = tempfile::tempdir().unwrap();
        let disk = FileDisk::new(&folder.path().join("x.redb"));
        assert!(disk.reopen(&builder()).is_err());
        assert!(!disk.path.exists());
        disk.open(&builder()).unwrap().close().unwrap();
        disk.reopen(&builder()).unwrap().close().unwrap();
    }

    #[test]
    fn an_empty_file_is_damage_and_no_new_store() {
        let folder = tempfile::tempdir().unwrap();
        let disk = FileDisk::new(&folder.path().join("x.redb"));
        File::create(&disk.path).unwrap();
        for opened in [disk.open(&builder()), disk.reopen(&builder())] {
            assert!(matches!(opened, Err(Error::Corrupt { .. })));
        }
        assert_eq!(disk.file_bytes().unwrap(), 0);
    }

    #[test]
    fn what_cannot_be_looked_at_is_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let disk = FileDisk::new(&folder.path().join("x.redb"));
        // It leads to itself: `exists` says no.
        std::os::unix::fs::symlink(&disk.path, &disk.path).unwrap();
        assert!(disk.open(&builder()).is_err());
        assert!(disk.path.is_symlink());
    }

    #[test]
    fn a_name_that_is_taken_keeps_its_file() {
        let folder = tempfile::tempdir().unwrap();
        let [from, to] = ["from", "to"].map(|name| folder.path().join(name));
        std::fs::write(&from, "new").unwrap();
        std::fs::write(&to, "old").unwrap();
        let refused = rename_without_replacing(&from, &to).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::AlreadyExists);
        assert_eq!(std::fs::read(&to).unwrap(), b"old");
    }
}
