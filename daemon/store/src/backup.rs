//! Hot backup: a copy of every table out of one read transaction into a new file, and the way
//! back. redb has none of its own. The copy is also compact.

use std::fs::{self, File};
use std::path::Path;
use std::time::{Duration, Instant};

use redb::{Builder, Database};

use crate::check::{raw, walk};
use crate::disk::{Disk, FileDisk};
use crate::{CheckReport, Error, Snapshot};

/// What a backup holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct BackupReport {
    /// Tables copied.
    pub tables: u64,
    /// Entries copied.
    pub entries: u64,
    /// Their bytes, keys and values.
    pub bytes: u64,
}

/// The reader pins every page that is freed meanwhile, so it may not go on for ever.
const LONGEST: Duration = Duration::from_secs(30 * 60);
/// Bytes copied in one transaction: the memory that a backup takes.
const CHUNK_BYTES: usize = 4 << 20;
/// The copy's own cache.
const CACHE_BYTES: usize = 8 << 20;

pub(crate) fn run(snapshot: &Snapshot, path: &Path) -> Result<BackupReport, Error> {
    if path.exists() {
        return Err(Error::Exists(path.to_owned()));
    }
    let disk = FileDisk::new(path);
    let copied = copy(snapshot, &disk);
    if copied.is_err() {
        // Half a backup must not be taken for one; when even this fails, its error is the news.
        let _ = fs::remove_file(path);
    }
    copied
}

fn copy(snapshot: &Snapshot, disk: &FileDisk) -> Result<BackupReport, Error> {
    let begun = Instant::now();
    let database = disk.open(Builder::new().set_cache_size(CACHE_BYTES))?;
    let mut report = BackupReport::default();
    for name in snapshot.tables()? {
        let Some(table) = snapshot.open(&name)? else {
            continue;
        };
        report.tables += 1;
        let mut entries = table.range::<&[u8]>(..)?.peekable();
        while entries.peek().is_some() {
            if begun.elapsed() > LONGEST {
                return Err(Error::TooSlow(LONGEST.as_secs()));
            }
            let transaction = database.begin_write()?;
            let mut target = transaction.open_table(raw(&name))?;
            let mut bytes = 0;
            while bytes < CHUNK_BYTES {
                let Some(entry) = entries.next() else { break };
                let (key, value) = entry?;
                target.insert(key.value(), value.value())?;
                bytes += key.value().len() + value.value().len();
                report.entries += 1;
            }
            report.bytes += bytes as u64;
            drop(target);
            transaction.commit()?;
        }
    }
    database.close()?;
    Ok(report)
}

pub(crate) fn restore(copy: &Path, path: &Path) -> Result<CheckReport, Error> {
    if path.exists() {
        return Err(Error::Exists(path.to_owned()));
    }
    // Beside its place, so that the last step is one rename.
    let staged = path.with_extension("restoring");
    fs::copy(copy, &staged)?;
    File::open(&staged)?.sync_all()?;
    let report = verify(&staged);
    if report.is_err() {
        // The staged copy is of no use; its error is the news.
        let _ = fs::remove_file(&staged);
    }
    let report = report?;
    fs::rename(&staged, path)?;
    if let Some(folder) = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
    {
        File::open(folder)?.sync_all()?;
    }
    Ok(report)
}

/// Opens the copy with every checksum verified, and reads it from end to end.
fn verify(path: &Path) -> Result<CheckReport, Error> {
    let mut builder = Builder::new();
    builder.set_cache_size(CACHE_BYTES);
    let database: Database = {
        builder.set_check_integrity_on_open(true);
        builder.open(path)?
    };
    let mut report = CheckReport {
        pages_verified: true,
        ..CheckReport::default()
    };
    walk(&Snapshot::of(&database)?, &mut report)?;
    database.close()?;
    match report.problems.first() {
        Some(problem) => Err(Error::corrupt("-", problem)),
        None => Ok(report),
    }
}
