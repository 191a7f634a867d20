//! Chapters: one document for each video, beside its packages, with a revision of its own. What is in it
//! is the caller's affair: JSON, opaque here.

use jiff::Timestamp;
use lectern_store::Tx;

use crate::rows::{CHAPTERS, ChaptersRow, VIDEOS};
use crate::{ChangeKind, Error, Library, VideoId};

/// A video's chapters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChaptersInfo {
    /// Counts up with each change.
    pub revision: u32,
    /// When they came.
    pub updated: Timestamp,
    /// Whether nobody has changed what the source says.
    pub is_from_source: bool,
    /// The document.
    pub json: String,
}

/// The largest document: 500 chapters with names of 200 characters.
const MAX_BYTES: usize = 512 << 10;

impl Library {
    /// Stores a person's chapters (checked by the caller). Their revision.
    ///
    /// # Errors
    /// [`Error::Invalid`], [`Error::NotFound`], [`Error::Store`].
    pub fn put_chapters(&self, video: VideoId, json: String, now: Timestamp) -> Result<u32, Error> {
        let revision = self.write_chapters(video, Some(json), false, now)?;
        // A person's chapters are always taken.
        revision.ok_or(Error::NotFound("chapters"))
    }

    /// Stores what a source says of its chapters, unless the video has, or had, some: a person's word
    /// stands above a file's. Whether they were taken.
    ///
    /// # Errors
    /// As [`Library::put_chapters`].
    pub fn offer_chapters(
        &self,
        video: VideoId,
        json: String,
        now: Timestamp,
    ) -> Result<bool, Error> {
        let revision = self.write_chapters(video, Some(json), true, now)?;
        Ok(revision.is_some())
    }

    /// Takes a video's chapters away; revisions go on counting.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Store`].
    pub fn remove_chapters(&self, video: VideoId, now: Timestamp) -> Result<(), Error> {
        self.write_chapters(video, None, false, now).map(drop)
    }

    /// A video's chapters, if it has some.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub fn chapters(&self, video: VideoId) -> Result<Option<ChaptersInfo>, Error> {
        let row = self.inner.store.snapshot()?.get(&CHAPTERS, &video)?;
        Ok(row.and_then(|row| {
            Some(ChaptersInfo {
                revision: row.revision,
                updated: row.updated,
                is_from_source: row.is_from_source,
                json: row.json?,
            })
        }))
    }

    /// The revision; none where a source's are not wanted any more.
    fn write_chapters(
        &self,
        video: VideoId,
        json: Option<String>,
        is_from_source: bool,
        now: Timestamp,
    ) -> Result<Option<u32>, Error> {
        if json.as_ref().is_some_and(|json| json.len() > MAX_BYTES) {
            return Err(Error::Invalid("chapters have at most 512 KiB"));
        }
        let revision = self.inner.store.write(move |tx: &Tx<'_>| {
            if !tx.contains(&VIDEOS, &video)? {
                return Err(Error::NotFound("video"));
            }
            let old = tx.get(&CHAPTERS, &video)?;
            if is_from_source && old.is_some() {
                return Ok(None);
            }
            let has_some = old.as_ref().is_some_and(|old| old.json.is_some());
            if json.is_none() && !has_some {
                return Err(Error::NotFound("chapters"));
            }
            let revision = old.map_or(0, |old| old.revision) + 1;
            let row = ChaptersRow {
                revision,
                updated: now,
                is_from_source,
                json: json.clone(),
            };
            tx.insert(&CHAPTERS, &video, &row)?;
            Ok(Some(revision))
        })?;
        if revision.is_some() {
            self.changed(video, ChangeKind::Captions);
        }
        Ok(revision)
    }
}
