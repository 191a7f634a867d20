//! Overwriting what lies in the file's free pages: redb writes copies and forgets the originals, which stay readable to
//! whoever reads the file itself until chance writes something else there.
//!
//! Zeros are stored in a table of their own, a page each, until the file had to grow: then no free page was left. Then the
//! table is dropped, and the file shrinks again by itself. What a reader holds meanwhile (a backup) is no free page yet.

use crate::{Error, Store, Table};

/// Zeros. Empty but for the time that this takes.
const FILLER: Table<u64, Vec<u8>> = Table::new("store.filler");
/// What of a page redb leaves to a value with a key of eight bytes.
const ROW_BYTES: usize = 4_040;
/// Rows in one transaction: a megabyte, so that nobody waits long for the writer.
const ROWS: u64 = 256;
/// Rows removed in one transaction.
const REMOVED: usize = 4_096;

impl Store {
    /// Overwrites every free page, while `goes_on` says so between two transactions; whether that was all of them. It takes
    /// as much room on the disk as the file has free pages that were never written, and the time to write all. When somebody
    /// else's large value makes the file grow meanwhile, it ends there, and what is free then is as it was. Blocks.
    ///
    /// # Errors
    /// [`Error::Full`]: some free pages are as they were. [`Error::Io`], [`Error::Closed`].
    pub fn overwrite_free_pages(&self, goes_on: &mut dyn FnMut() -> bool) -> Result<bool, Error> {
        // What an earlier process left of it.
        self.remove_filler()?;
        let filled = self.fill(goes_on);
        let removed = self.remove_filler();
        let is_all = filled?;
        removed.map(|()| is_all)
    }

    fn fill(&self, goes_on: &mut dyn FnMut() -> bool) -> Result<bool, Error> {
        // Pages that the last commits freed can be written from the commits behind on.
        for _ in 0..3 {
            self.write(|tx| tx.insert(&FILLER, &0, &vec![0; ROW_BYTES]).map(drop))?;
        }
        let before = self.shared().disk().file_bytes()?;
        let mut from = 1;
        while self.shared().disk().file_bytes()? <= before {
            if !goes_on() {
                return Ok(false);
            }
            self.write(move |tx| {
                let zeros = vec![0; ROW_BYTES];
                for row in from..from + ROWS {
                    tx.insert(&FILLER, &row, &zeros)?;
                }
                Ok::<_, Error>(())
            })?;
            from += ROWS;
        }
        Ok(true)
    }

    fn remove_filler(&self) -> Result<(), Error> {
        loop {
            let is_empty = self.write_making_room(|tx| {
                let rows = tx.range(&FILLER, ..)?.take(REMOVED);
                let rows: Vec<u64> = rows
                    .map(|row| row.map(|(row, _)| row))
                    .collect::<Result<_, _>>()?;
                for row in &rows {
                    tx.remove(&FILLER, row)?;
                }
                Ok::<_, Error>(rows.is_empty())
            })?;
            if is_empty {
                return Ok(());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Options;

    const SECRETS: Table<u64, String> = Table::new("secrets");

    fn count(path: &std::path::Path, text: &str) -> usize {
        let bytes = std::fs::read(path).unwrap();
        bytes
            .windows(text.len())
            .filter(|window| *window == text.as_bytes())
            .count()
    }

    #[test]
    fn what_was_removed_is_in_no_free_page_afterwards() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.redb");
        let store = Store::open(&path, Options::default()).unwrap();
        let secret = "ada.lovelace@example.edu";
        for n in 0..400_u64 {
            store
                .write(move |tx| {
                    let text = if n % 3 == 0 { secret } else { "somebody else" };
                    let text = format!("{n} {text} {}", "x".repeat(n as usize * 7));
                    tx.insert(&SECRETS, &n, &text).map(drop)
                })
                .unwrap();
        }
        for n in (0..400).step_by(3) {
            store
                .write(move |tx| tx.remove(&SECRETS, &n).map(drop))
                .unwrap();
        }
        assert!(count(&path, secret) > 10);
        let before = std::fs::metadata(&path).unwrap().len();
        assert!(store.overwrite_free_pages(&mut || true).unwrap());
        assert_eq!(count(&path, secret), 0);
        // The rest is as it was.
        let rows = store
            .snapshot()
            .unwrap()
            .range(&SECRETS, ..)
            .unwrap()
            .count();
        assert_eq!(rows, 266);
        assert!(store.check().unwrap().problems.is_empty());
        for _ in 0..8 {
            store
                .write(|tx| tx.insert(&SECRETS, &1, &"again".to_owned()).map(drop))
                .unwrap();
        }
        let after = std::fs::metadata(&path).unwrap().len();
        assert!(after <= 2 * before, "{before} {after}");
    }

    #[test]
    fn one_that_was_ended_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("x.redb"), Options::default()).unwrap();
        assert!(!store.overwrite_free_pages(&mut || false).unwrap());
        let rows = store
            .snapshot()
            .unwrap()
            .range(&FILLER, ..)
            .unwrap()
            .count();
        assert_eq!(rows, 0);
    }
}
