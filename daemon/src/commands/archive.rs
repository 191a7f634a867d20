//! The file that a backup is written to: for the caller's eyes only, and under its name only once it is whole and on
//! disk. Until then a file of that name from an earlier night stays as it is.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

/// A backup's file while it is being written.
pub enum Archive {
    /// Beside its place, to be renamed; removed when dropped before.
    Staged {
        /// What is written
        file: NamedTempFile,
        /// Its name then
        target: PathBuf,
    },
    /// What is no plain file (a tape, a pipe) is written as it stands: a rename would put a file in its place.
    Device(File),
}

impl Archive {
    /// Opens the file to write to.
    ///
    /// # Errors
    /// The folder is not there or cannot be written, or the name is a folder's.
    pub fn create(target: &Path) -> io::Result<Self> {
        let target = match fs::metadata(target) {
            Ok(found) if found.is_dir() => return Err(io::ErrorKind::IsADirectory.into()),
            // Behind a link: the link stays one.
            Ok(found) if found.is_file() => fs::canonicalize(target)?,
            Ok(_) => return File::options().write(true).open(target).map(Self::Device),
            Err(error) if error.kind() == io::ErrorKind::NotFound => target.to_owned(),
            Err(error) => return Err(error),
        };
        Ok(Self::Staged {
            // 0600 from the start, as tempfile makes them.
            file: tempfile::Builder::new()
                .prefix(".lectern-backup-")
                .tempfile_in(folder_of(&target))?,
            target,
        })
    }

    /// Where the archive is written to.
    ///
    /// # Errors
    /// The process has too many open files.
    pub fn writer(&self) -> io::Result<tokio::fs::File> {
        let file = match self {
            Self::Staged { file, .. } => file.as_file(),
            Self::Device(file) => file,
        };
        Ok(tokio::fs::File::from_std(file.try_clone()?))
    }

    /// What was written is all of it: it gets its name, in place of an earlier file's, and is durable. Blocking.
    ///
    /// # Errors
    /// The disk fails; the earlier file is still there then.
    pub fn keep(self) -> io::Result<()> {
        let Self::Staged { file, target } = self else {
            return Ok(());
        };
        file.as_file().sync_all()?;
        file.persist(&target)?;
        File::open(folder_of(&target))?.sync_all()
    }
}

fn folder_of(target: &Path) -> &Path {
    target
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use tokio::io::AsyncWriteExt;

    use super::*;

    async fn write(archive: &Archive, bytes: &[u8]) {
        let mut writer = archive.writer().unwrap();
        writer.write_all(bytes).await.unwrap();
        writer.flush().await.unwrap();
    }

    fn names_in(folder: &Path) -> usize {
        fs::read_dir(folder).unwrap().count()
    }

    #[tokio::test]
    async fn the_backup_of_the_night_before_stays_until_the_new_one_is_whole() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("box.tar");
        fs::write(&target, "yesterday's").unwrap();
        let archive = Archive::create(&target).unwrap();
        write(&archive, b"half").await;
        drop(archive);
        assert_eq!(fs::read_to_string(&target).unwrap(), "yesterday's");
        assert_eq!(names_in(folder.path()), 1, "half an archive is not kept");
        let archive = Archive::create(&target).unwrap();
        write(&archive, b"today's").await;
        archive.keep().unwrap();
        assert_eq!(fs::read_to_string(&target).unwrap(), "today's");
        let mode = fs::metadata(&target).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "it holds the box's keys");
        assert_eq!(names_in(folder.path()), 1);
    }

    #[tokio::test]
    async fn links_and_what_is_no_plain_file_stay_what_they_are() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("file"), folder.path().join("link"));
        fs::write(&file, "old").unwrap();
        symlink(&file, &link).unwrap();
        let archive = Archive::create(&link).unwrap();
        write(&archive, b"new").await;
        archive.keep().unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read_to_string(&file).unwrap(), "new");
        let device = Archive::create(Path::new("/dev/null")).unwrap();
        assert!(matches!(device, Archive::Device(_)));
        assert!(Archive::create(folder.path()).is_err(), "a folder");
    }
}
