//! One archive of everything, made while the daemon goes on, and its way back into an empty state folder.
//!
//! A tar file: `lectern-backup.json` (format version), `records.redb`, `library.redb`, `keys/`, `content/`.
//! Records are copied first, then the library: whatever a record names, the library of the archive knows.

use std::fs;
use std::io::{self, Read, Write};
use std::path::{Component, Path, PathBuf};

use anyhow::{Context, bail, ensure};
use serde::{Deserialize, Serialize};

use crate::services::{LIBRARY, RECORDS, Services, store_options};

/// Bumped when an older Lectern could not read the archive.
const FORMAT: u32 = 1;
const HEADER: &str = "lectern-backup.json";
/// The last entry, so that an archive cut off between two files is not taken for whole.
const TRAILER: &str = "lectern-backup-end.json";
const FOLDERS: [&str; 2] = ["keys", "content"];
const NOT_OURS: &str = "This file is neither a backup of Lectern nor its records.";
const CUT_OFF: &str = "The backup ends in the middle.";
const MAX_HEADER_BYTES: u64 = 64 * 1024;

#[derive(Debug, Serialize, Deserialize)]
struct Header {
    format: u32,
    lectern: String,
    made: jiff::Timestamp,
}

/// What an archive holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// Files written or read
    pub files: u64,
    /// Their bytes
    pub bytes: u64,
}

/// Writes the archive; the daemon's writers go on meanwhile. Blocking.
///
/// # Errors
/// A store cannot be copied (for want of room in the state folder), a file cannot be read, `to` cannot be written.
pub fn write<W: Write>(services: &Services, to: W) -> anyhow::Result<Summary> {
    let scratch = tempfile::Builder::new()
        .prefix("backup-")
        .tempdir_in(&services.state)?;
    let held = services.library.hold_garbage();
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
    archive.mode(tar::HeaderMode::Deterministic);
    // Stores have holes; as plain files any tar reads them, and `restore` need not know sparse entries.
    archive.sparse(false);
    let header = Header {
        format: FORMAT,
        lectern: env!("CARGO_PKG_VERSION").to_owned(),
        made: jiff::Timestamp::now(),
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
    Ok(summary)
}

fn append_bytes<W: Write>(
    archive: &mut tar::Builder<W>,
    name: &str,
    bytes: &[u8],
) -> io::Result<()> {
    let mut header = tar::Header::new_gnu();
    header.set_size(bytes.len() as u64);
    header.set_mode(0o600);
    archive.append_data(&mut header, name, bytes)
}

fn append_file<W: Write>(
    archive: &mut tar::Builder<W>,
    source: &Path,
    name: &Path,
    summary: &mut Summary,
) -> anyhow::Result<()> {
    let mut file = match fs::File::open(source) {
        Ok(file) => file,
        // Unfinished work that went away meanwhile; whatever a version refers to stays (see `hold_garbage`).
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error).with_context(|| format!("reading {}", name.display())),
    };
    archive
        .append_file(name, &mut file)
        .with_context(|| format!("adding {}", name.display()))?;
    summary.files += 1;
    summary.bytes += file.metadata()?.len();
    Ok(())
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
        } else if kind.is_file() {
            append_file(archive, &full, &relative, summary)?;
        }
    }
    Ok(())
}

/// Unpacks an archive into an empty state folder and checks both stores. Blocking.
///
/// # Errors
/// The folder is not empty, the archive is no backup of ours or of a newer format, a name in it leads outside,
/// a store in it is damaged. The folder is left as it was found, empty.
pub fn restore<R: Read>(from: R, state: &Path) -> anyhow::Result<Summary> {
    fs::create_dir_all(state).with_context(|| format!("making {}", state.display()))?;
    let is_empty = fs::read_dir(state)?.next().is_none();
    ensure!(
        is_empty,
        "{} is not empty. A backup is restored into an empty folder only, so that nothing is lost.",
        state.display()
    );
    let result = unpack(from, state).and_then(|summary| {
        check(state)?;
        Ok(summary)
    });
    if result.is_err() {
        for entry in fs::read_dir(state)?.flatten() {
            let path = entry.path();
            let _ = if path.is_dir() {
                fs::remove_dir_all(&path)
            } else {
                fs::remove_file(&path)
            };
        }
    }
    result
}

/// Takes the records out of an archive, for `verify`. Blocking.
///
/// # Errors
/// This is no backup, or it holds no records.
pub fn extract_records<R: Read>(from: R, to: &Path) -> anyhow::Result<()> {
    let mut archive = tar::Archive::new(from);
    for entry in archive.entries().context(NOT_OURS)? {
        let mut entry = entry.context(NOT_OURS)?;
        if entry.path()?.as_ref() == Path::new(RECORDS) {
            io::copy(&mut entry, &mut fs::File::create_new(to)?).context(CUT_OFF)?;
            return Ok(());
        }
    }
    bail!(NOT_OURS)
}

fn unpack<R: Read>(from: R, state: &Path) -> anyhow::Result<Summary> {
    let mut archive = tar::Archive::new(from);
    let mut entries = archive.entries().context(NOT_OURS)?;
    let first = entries.next().context(NOT_OURS)?;
    let mut first = first.context(NOT_OURS)?;
    ensure!(first.path()?.as_ref() == Path::new(HEADER), "{NOT_OURS}");
    let header: Header = small_json(&mut first)?;
    ensure!(
        header.format <= FORMAT,
        "this backup has format {}, made by Lectern {}; this Lectern reads up to {FORMAT}. Update Lectern first.",
        header.format,
        header.lectern
    );
    let mut summary = Summary::default();
    let mut promised = None;
    for entry in entries {
        let mut entry = entry.context(CUT_OFF)?;
        if entry.path()?.as_ref() == Path::new(TRAILER) {
            promised = Some(small_json::<Summary>(&mut entry)?);
            continue;
        }
        let name = inside(&entry.path()?)?;
        ensure!(
            entry.header().entry_type().is_file(),
            "the backup holds something that is not a file: {}",
            name.display()
        );
        let target = state.join(&name);
        if let Some(folder) = target.parent() {
            fs::create_dir_all(folder)?;
        }
        let mut file = fs::File::create_new(&target)?;
        summary.bytes += io::copy(&mut entry, &mut file).context(CUT_OFF)?;
        summary.files += 1;
        if name.starts_with("keys")
            || name
                .extension()
                .is_some_and(|extension| extension == "redb")
        {
            use std::os::unix::fs::PermissionsExt;
            file.set_permissions(fs::Permissions::from_mode(0o600))?;
        }
        file.sync_all()?;
    }
    ensure!(
        promised == Some(summary),
        "the backup ends in the middle, or files are missing in it"
    );
    fs::File::open(state)?.sync_all()?;
    Ok(summary)
}

fn small_json<T: serde::de::DeserializeOwned>(entry: &mut impl Read) -> anyhow::Result<T> {
    let mut bytes = Vec::new();
    entry.take(MAX_HEADER_BYTES).read_to_end(&mut bytes)?;
    serde_json::from_slice(&bytes).context("the backup's header is damaged")
}

/// A name in the archive, when it is one of those a backup has.
fn inside(name: &Path) -> anyhow::Result<PathBuf> {
    let is_plain = name
        .components()
        .all(|part| matches!(part, Component::Normal(_)));
    let is_known = name == Path::new(RECORDS)
        || name == Path::new(LIBRARY)
        || FOLDERS.iter().any(|folder| name.starts_with(folder));
    if !is_plain || !is_known {
        bail!(
            "the backup holds a name that no backup of Lectern has: {}",
            name.display()
        );
    }
    Ok(name.to_owned())
}

fn check(state: &Path) -> anyhow::Result<()> {
    for name in [RECORDS, LIBRARY] {
        let store = lectern_store::Store::open(&state.join(name), store_options(name))
            .with_context(|| format!("{name} of the backup cannot be opened"))?;
        store
            .check()
            .with_context(|| format!("{name} of the backup is damaged"))?;
    }
    Ok(())
}
