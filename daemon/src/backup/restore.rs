//! The archive's way back: into an empty state folder, whole and checked, or not at all.

use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Component, Path, PathBuf};

use anyhow::{Context, bail, ensure};
use jiff::Timestamp;
use lectern_lms::{AuditEvent, Lms};
use lectern_store::Store;

use super::{FOLDERS, FORMAT, HEADER, Header, Summary, TRAILER};
use crate::commands::BOX;
use crate::services::{LIBRARY, RECORDS, make_private, store_options};

const NOT_OURS: &str = "This file is neither a backup of Lectern nor its records.";
const CUT_OFF: &str = "The backup ends in the middle.";
const MAX_HEADER_BYTES: u64 = 64 * 1024;
/// The stores lie here until their pages are verified.
const UNVERIFIED: &str = ".restoring";
const EVIDENCE_KEY: &str = "keys/evidence.key";
const STORES: [&str; 2] = [RECORDS, LIBRARY];

/// What was put back.
#[derive(Debug, Clone, Copy)]
pub struct Restored {
    /// As of when it is
    pub made: Timestamp,
    /// What it holds
    pub summary: Summary,
}

/// Unpacks an archive into an empty state folder, verifies every page of both stores, and writes into the audit log
/// that this happened. Blocking.
///
/// # Errors
/// The folder is not empty, the archive is no backup of ours or of a newer format, a name in it leads outside, a store
/// is missing in it or damaged. The folder is left as it was found, empty.
pub fn restore<R: Read>(from: R, state: &Path, now: Timestamp) -> anyhow::Result<Restored> {
    make_private(state)?;
    let is_empty = fs::read_dir(state)?.next().is_none();
    ensure!(
        is_empty,
        "{} is not empty. A backup is restored into an empty folder only, so that nothing is lost.",
        state.display()
    );
    let result = unpack(from, state).and_then(|(header, summary)| {
        place_stores(state)?;
        note(state, &header, now)?;
        Ok(Restored {
            made: header.made,
            summary,
        })
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

/// Takes out of an archive what `verify` looks at: the records, and the evidence key where it holds one. Blocking.
///
/// # Errors
/// This is no backup, or it holds no records.
pub fn extract_evidence<R: Read>(from: R, records: &Path) -> anyhow::Result<Option<Vec<u8>>> {
    let mut archive = tar::Archive::new(from);
    let mut key = None;
    let mut has_records = false;
    for entry in archive.entries().context(NOT_OURS)? {
        let mut entry = match entry {
            Ok(entry) => entry,
            // What is behind the records may be cut off: they are judged all the same.
            Err(_) if has_records => break,
            Err(error) => return Err(error).context(NOT_OURS),
        };
        let name = entry.path()?.into_owned();
        if name == Path::new(RECORDS) {
            io::copy(&mut entry, &mut private_file(records)?).context(CUT_OFF)?;
            has_records = true;
        } else if name == Path::new(EVIDENCE_KEY) {
            let mut bytes = Vec::new();
            entry.take(MAX_HEADER_BYTES).read_to_end(&mut bytes)?;
            key = Some(bytes);
        } else if has_records && name.starts_with(FOLDERS[1]) {
            // The content, which may be large, comes behind the keys.
            break;
        }
    }
    ensure!(has_records, NOT_OURS);
    Ok(key)
}

fn unpack<R: Read>(from: R, state: &Path) -> anyhow::Result<(Header, Summary)> {
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
        let name = place_of(&entry.path()?)?;
        ensure!(
            entry.header().entry_type().is_file(),
            "the backup holds something that is not a file: {}",
            name.display()
        );
        let target = state.join(&name);
        if let Some(folder) = target.parent() {
            make_private(folder)?;
        }
        let mut file = private_file(&target)?;
        summary.bytes += io::copy(&mut entry, &mut file).context(CUT_OFF)?;
        summary.files += 1;
        file.sync_all()?;
    }
    ensure!(
        promised == Some(summary),
        "the backup ends in the middle, or files are missing in it"
    );
    File::open(state)?.sync_all()?;
    Ok((header, summary))
}

fn small_json<T: serde::de::DeserializeOwned>(entry: &mut impl Read) -> anyhow::Result<T> {
    let mut bytes = Vec::new();
    entry.take(MAX_HEADER_BYTES).read_to_end(&mut bytes)?;
    serde_json::from_slice(&bytes).context("the backup's header is damaged")
}

/// Where in the state folder a name of the archive goes, when it is one of those a backup has.
fn place_of(name: &Path) -> anyhow::Result<PathBuf> {
    let is_plain = name
        .components()
        .all(|part| matches!(part, Component::Normal(_)));
    if is_plain && STORES.iter().any(|store| name == Path::new(store)) {
        return Ok(Path::new(UNVERIFIED).join(name));
    }
    if is_plain && FOLDERS.iter().any(|folder| name.starts_with(folder)) {
        return Ok(name.to_owned());
    }
    bail!(
        "the backup holds a name that no backup of Lectern has: {}",
        name.display()
    )
}

/// Verifies the stores from end to end and puts them where they belong. A store that is missing is never made: an empty
/// box must not be taken for the one that was saved.
fn place_stores(state: &Path) -> anyhow::Result<()> {
    for name in STORES {
        let unverified = state.join(UNVERIFIED).join(name);
        ensure!(
            unverified.exists(),
            "the backup holds no {name}: it is not whole"
        );
        Store::restore(&unverified, &state.join(name))
            .with_context(|| format!("{name} of the backup is damaged. Take another backup"))?;
        // One copy at a time: the stores may be large.
        fs::remove_file(&unverified)?;
    }
    Ok(fs::remove_dir(state.join(UNVERIFIED))?)
}

/// The evidence says that it went through a backup; and the backup is one that there is.
fn note(state: &Path, header: &Header, now: Timestamp) -> anyhow::Result<()> {
    for name in STORES {
        let store = Store::open(&state.join(name), store_options(name))
            .with_context(|| format!("{name} of the backup cannot be opened"))?;
        if name == RECORDS {
            let lms = Lms::open(store.clone())?;
            let event = AuditEvent {
                who: BOX.to_owned(),
                what: "backup.restore".to_owned(),
                on: None,
                detail: Some(format!("made {}", header.made)),
            };
            lms.audit(event, now)?;
            lms.note_backup(header.made)?;
        }
        store.close();
    }
    Ok(())
}

/// A new file for the daemon's eyes only.
fn private_file(path: &Path) -> io::Result<File> {
    File::options()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
}
