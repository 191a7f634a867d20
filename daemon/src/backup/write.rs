//! Making the archive.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::Path;

use anyhow::{Context, ensure};

use super::{FOLDERS, FORMAT, HEADER, Header, Summary, TRAILER};
use crate::services::{LIBRARY, RECORDS, Services};

/// Copies of the stores lie in a folder of this name, in the state folder, while an archive is made.
const SCRATCH: &str = ".backup-";
/// What the worker has not finished: a file of this ending is renamed once it is whole.
const UNFINISHED: &str = "part";

/// A finished archive.
#[derive(Debug, Clone, Copy)]
pub struct Written {
    /// As of when it is
    pub made: jiff::Timestamp,
    /// What it holds
    pub summary: Summary,
}

/// Writes the archive; the daemon's writers go on meanwhile. Blocking.
///
/// # Errors
/// A store cannot be copied (for want of room in the state folder), a file cannot be read, `to` cannot be written.
pub fn write<W: Write>(services: &Services, to: W) -> anyhow::Result<Written> {
    let made = jiff::Timestamp::now();
    let scratch = tempfile::Builder::new()
        .prefix(SCRATCH)
        .tempdir_in(&services.state)?;
    let held = services.library.hold_garbage();
    // The journals are not copied: what they have alone goes into the tables first.
    services.lrs.settle();
    services.lms.settle()?;
    let copies = [
        (RECORDS, &services.records),
        (LIBRARY, &services.library_store),
    ];
    for (name, store) in copies {
        store
            .backup(&scratch.path().join(name))
            .with_context(|| format!("copying {name}"))?;
    }
    let mut archive = tar::Builder::new(to);
    let header = Header {
        format: FORMAT,
        lectern: env!("CARGO_PKG_VERSION").to_owned(),
        made,
    };
    let mut summary = Summary::default();
    append_bytes(&mut archive, HEADER, &serde_json::to_vec(&header)?)?;
    for (name, _) in copies {
        append_file(
            &mut archive,
            &scratch.path().join(name),
            Path::new(name),
            &mut summary,
        )?;
    }
    for folder in FOLDERS {
        append_folder(
            &mut archive,
            &services.state,
            Path::new(folder),
            &mut summary,
        )?;
    }
    append_bytes(&mut archive, TRAILER, &serde_json::to_vec(&summary)?)?;
    archive.into_inner()?.flush()?;
    drop(held);
    Ok(Written { made, summary })
}

/// Removes what a backup left in the state folder when its process was killed. Only for whoever holds the stores: then
/// no backup is being made.
pub fn remove_leftovers(state: &Path) {
    for entry in fs::read_dir(state).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let is_ours = name.as_encoded_bytes().starts_with(SCRATCH.as_bytes());
        if is_ours && entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            match fs::remove_dir_all(entry.path()) {
                Ok(()) => tracing::info!(event = "backup.leftover_removed", ?name),
                Err(error) => tracing::warn!(event = "backup.leftover", ?name, %error),
            }
        }
    }
}

fn append_bytes<W: Write>(
    archive: &mut tar::Builder<W>,
    name: &str,
    bytes: &[u8],
) -> io::Result<()> {
    archive.append_data(&mut header(bytes.len() as u64), name, bytes)
}

fn append_file<W: Write>(
    archive: &mut tar::Builder<W>,
    source: &Path,
    name: &Path,
    summary: &mut Summary,
) -> anyhow::Result<()> {
    let file = match File::open(source) {
        Ok(file) => file,
        // Unfinished work that went away meanwhile; whatever a version refers to stays (see `hold_garbage`).
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error).with_context(|| format!("reading {}", name.display())),
    };
    // The header's length holds, whatever happens to the file meanwhile: one byte more or less, and no tar reads what
    // follows.
    let length = file.metadata()?.len();
    let mut bytes = file.take(length);
    archive
        .append_data(&mut header(length), name, &mut bytes)
        .with_context(|| format!("adding {}", name.display()))?;
    ensure!(
        bytes.limit() == 0,
        "{} became shorter while it was copied. Make the backup again.",
        name.display()
    );
    summary.files += 1;
    summary.bytes += length;
    Ok(())
}

/// The same for every file: no owner, no time, for nobody else's eyes.
fn header(length: u64) -> tar::Header {
    let mut header = tar::Header::new_gnu();
    header.set_size(length);
    header.set_mode(0o600);
    header
}

fn append_folder<W: Write>(
    archive: &mut tar::Builder<W>,
    state: &Path,
    folder: &Path,
    summary: &mut Summary,
) -> anyhow::Result<()> {
    let entries = match fs::read_dir(state.join(folder)) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    let mut names = entries
        .map(|entry| entry.map(|entry| entry.file_name()))
        .collect::<io::Result<Vec<_>>>()?;
    names.sort();
    for name in names {
        let relative = folder.join(name);
        let full = state.join(&relative);
        let Ok(kind) = fs::symlink_metadata(&full) else {
            continue;
        };
        if kind.is_dir() {
            append_folder(archive, state, &relative, summary)?;
        } else if kind.is_file() && relative.extension().is_none_or(|end| end != UNFINISHED) {
            append_file(archive, &full, &relative, summary)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries_of(archive: &[u8]) -> Vec<(String, Vec<u8>)> {
        let mut archive = tar::Archive::new(archive);
        let entries = archive.entries().unwrap().map(|entry| {
            let mut entry = entry.unwrap();
            let name = entry.path().unwrap().display().to_string();
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes).unwrap();
            (name, bytes)
        });
        entries.collect()
    }

    #[test]
    fn what_the_worker_has_not_finished_is_left_out() {
        let state = tempfile::tempdir().unwrap();
        let package = state.path().join("content/packages/a");
        fs::create_dir_all(&package).unwrap();
        fs::write(package.join("1.m4s"), "whole").unwrap();
        fs::write(package.join("2.part"), "half").unwrap();
        let mut archive = tar::Builder::new(Vec::new());
        let mut summary = Summary::default();
        append_folder(
            &mut archive,
            state.path(),
            Path::new("content"),
            &mut summary,
        )
        .unwrap();
        let entries = entries_of(&archive.into_inner().unwrap());
        let whole = ("content/packages/a/1.m4s".to_owned(), b"whole".to_vec());
        assert_eq!(entries, [whole]);
        assert_eq!(summary, Summary { files: 1, bytes: 5 });
    }

    /// Takes an archive, and lets the file grow with each piece that comes.
    struct Growing {
        archive: Vec<u8>,
        file: File,
    }

    impl Write for Growing {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.file.write_all(b"more")?;
            self.archive.write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_file_that_grows_while_it_is_copied_does_not_break_the_archive() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("film");
        fs::write(&path, vec![7; 100_000]).unwrap();
        let growing = Growing {
            archive: Vec::new(),
            file: File::options().append(true).open(&path).unwrap(),
        };
        let mut archive = tar::Builder::new(growing);
        let mut summary = Summary::default();
        append_file(&mut archive, &path, Path::new("film"), &mut summary).unwrap();
        append_bytes(&mut archive, TRAILER, b"end").unwrap();
        let entries = entries_of(&archive.into_inner().unwrap().archive);
        assert_eq!(summary.bytes, 100_000);
        let expected = [
            ("film".to_owned(), vec![7; 100_000]),
            (TRAILER.to_owned(), b"end".to_vec()),
        ];
        assert!(entries == expected, "what follows can be read");
    }

    #[test]
    fn only_the_scratch_folders_of_backups_are_removed() {
        let state = tempfile::tempdir().unwrap();
        for folder in [".backup-x1", "backup-of-2026", "content"] {
            fs::create_dir(state.path().join(folder)).unwrap();
            fs::write(state.path().join(folder).join("records.redb"), "").unwrap();
        }
        fs::write(state.path().join(".backup-notes"), "").unwrap();
        remove_leftovers(state.path());
        let mut left: Vec<_> = fs::read_dir(state.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        left.sort();
        assert_eq!(left, [".backup-notes", "backup-of-2026", "content"]);
    }
}
