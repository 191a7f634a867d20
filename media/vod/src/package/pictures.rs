//! The pictures that go with a package: the sheets for the seek bar and the poster.

use serde::{Deserialize, Serialize};

use super::{MAX_DURATION_MS, PackageError, within};

/// The sheets of small pictures for the seek bar: picture `i` shows `i * interval_ms`, row by row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Storyboard {
    /// Time between two pictures.
    pub interval_ms: u64,
    /// Width of one picture in pixels.
    pub width: u32,
    /// Height of one picture in pixels.
    pub height: u32,
    /// Pictures side by side on a sheet.
    pub columns: u32,
    /// Rows on a sheet.
    pub rows: u32,
    /// Sheets that exist: `storyboard/1.jpg` … `storyboard/<sheets>.jpg`.
    pub sheets: u32,
}

/// The picture shown before the video plays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Poster {
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
}

impl Storyboard {
    pub(super) fn check_numbers(&self) -> Result<(), PackageError> {
        within(
            "a storyboard's interval",
            self.interval_ms,
            1,
            MAX_DURATION_MS,
            "1 ms to 48 h",
        )?;
        for (what, value) in [
            ("a storyboard picture's width", self.width),
            ("a storyboard picture's height", self.height),
            ("a storyboard's columns", self.columns),
            ("a storyboard's rows", self.rows),
        ] {
            within(what, u64::from(value), 1, 4096, "1 to 4096")?;
        }
        within(
            "a storyboard's sheets",
            u64::from(self.sheets),
            0,
            10_000,
            "at most 10000",
        )
    }
}
