//! Integrity check: redb's own over every page, for which nobody else may have the file, and a walk
//! over every entry out of a snapshot, which keeps nobody waiting.

use crate::Error;
use crate::store::Shared;
use crate::table::Raw;
use crate::{Snapshot, record};

/// What a check found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CheckReport {
    /// Whether every page's checksum was verified: only when nobody else used the store.
    pub pages_verified: bool,
    /// Tables seen.
    pub tables: u64,
    /// Entries read.
    pub entries: u64,
    /// Their bytes, keys and values.
    pub bytes: u64,
    /// One sentence for each damage; empty when all is well.
    pub problems: Vec<String>,
}

/// Verifies every page, unless a reader is in the way. Keeps everyone out meanwhile.
pub(crate) fn pages(shared: &Shared) -> CheckReport {
    let mut report = CheckReport::default();
    match shared.exclusively(|database| database.check_integrity()) {
        Some(Ok(true)) => report.pages_verified = true,
        Some(Ok(false)) => {
            report.pages_verified = true;
            let what = "the file was damaged and has been repaired to its last whole state";
            report.problems.push(what.to_owned());
        }
        Some(Err(redb::DatabaseError::TransactionInProgress)) | None => {}
        Some(Err(error)) => {
            let error = Error::from(error);
            report.problems.push(error.to_string());
            shared.reopen(&error);
        }
    }
    report
}

/// Reads every entry; a value without a known format byte is reported, once a table.
pub(crate) fn walk(snapshot: &Snapshot, report: &mut CheckReport) -> Result<(), Error> {
    for name in snapshot.tables()? {
        report.tables += 1;
        let Some(table) = snapshot.open(&name)? else {
            continue;
        };
        let mut unreadable = 0_u64;
        for entry in table.range::<&[u8]>(..)? {
            let (key, value) = match entry {
                Ok(entry) => entry,
                Err(error) => {
                    report.problems.push(format!("table {name}: {error}"));
                    break;
                }
            };
            report.entries += 1;
            report.bytes += (key.value().len() + value.value().len()) as u64;
            unreadable += u64::from(!record::has_format(value.value()));
        }
        if unreadable > 0 {
            let what = format!("table {name}: {unreadable} values without a format byte");
            report.problems.push(what);
        }
    }
    Ok(())
}

/// The table as redb names it; here so that `walk` and the backup agree.
pub(crate) fn raw(name: &str) -> Raw<'_> {
    Raw::new(name)
}
