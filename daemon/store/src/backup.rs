//! Hot backup: a copy of every table out of one read transaction into a new file, and the way
//! back. redb has none of its own. The copy is also compact.

use std::fs::{self, File};
use std::path::Path;
use std::time::{Duration, Instant};

use redb::{Builder, Database};

use crate::check::{raw, walk};
use crate::disk::{Disk, FileDisk, rename_without_replacing};
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

/// What a copy asks of the disk that it goes to: never the room that the box needs to go on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Room {
    /// As much as the copy can take: the length of the file that is copied.
    pub wanted_bytes: u64,
    /// What stays free.
    pub reserve_bytes: u64,
}

impl Room {
    /// Refuses unless so many bytes fit in above the reserve.
    fn must_have(self, bytes: u64, disk: &FileDisk) -> Result<(), Error> {
        let free_bytes = disk.free_bytes()?;
        if bytes > free_bytes.saturating_sub(self.reserve_bytes) {
            return Err(Error::Full {
                free_bytes,
                reserve_bytes: self.reserve_bytes,
            });
        }
        Ok(())
    }
}

pub(crate) fn run(snapshot: &Snapshot, path: &Path, room: Room) -> Result<BackupReport, Error> {
    if path.try_exists()? {
        return Err(Error::Exists(path.to_owned()));
    }
    let disk = FileDisk::new(path);
    room.must_have(room.wanted_bytes, &disk)?;
    let copied = copy(snapshot, &disk, room);
    if copied.is_err() {
        // Half a backup must not be taken for one; when even this fails, its error is the news.
        let _ = fs::remove_file(path);
    }
    copied
}

fn copy(snapshot: &Snapshot, disk: &FileDisk, room: Room) -> Result<BackupReport, Error> {
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
            // Others fill the disk meanwhile, too.
            room.must_have(CHUNK_BYTES as u64, disk)?;
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
    if path.try_exists()? {
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
    rename_without_replacing(&staged, path)?;
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
