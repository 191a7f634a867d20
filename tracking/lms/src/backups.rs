//! When the last backup was finished, so that the system page can say that there is none, or an old one. Not the
//! backup itself: making and reading archives is the daemon's.

use crate::Error;
use crate::lms::Lms;
use crate::tables::BOX;
use jiff::Timestamp;

const LAST_BACKUP: &str = "last_backup";

impl Lms {
    /// As of when the newest finished backup is, if one was ever finished.
    ///
    /// # Errors
    /// When the store fails.
    pub fn last_backup(&self) -> Result<Option<Timestamp>, Error> {
        let noted = self.store.snapshot()?.get(&BOX, &LAST_BACKUP.to_owned())?;
        Ok(noted.and_then(|text| text.parse().ok()))
    }

    /// Notes that a backup of what was there at `made` is finished. A later call replaces it, also by an earlier time:
    /// a clock that was once wrong must not hide for years that nobody makes backups.
    ///
    /// # Errors
    /// When the store fails.
    pub fn note_backup(&self, made: Timestamp) -> Result<(), Error> {
        self.store.write(move |tx| {
            tx.insert(&BOX, &LAST_BACKUP.to_owned(), &made.to_string())?;
            Ok(())
        })
    }
}
