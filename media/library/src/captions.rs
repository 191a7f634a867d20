//! Captions: documents beside a video's packages, with revisions of their own, so that a text's
//! address may be cached for ever and a correction has another.

use jiff::Timestamp;
use lectern_store::Tx;

use crate::rows::{CAPTION_TEXTS, CAPTIONS, CaptionsRow, VIDEOS};
use crate::videos::language;
use crate::{ChangeKind, Error, Library, VideoId};

/// Captions in one language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaptionInfo {
    /// BCP 47.
    pub language: String,
    /// Counts up with each text.
    pub revision: u32,
    /// When this text came.
    pub updated: Timestamp,
}

/// Captions with their text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Captions {
    /// Which.
    pub info: CaptionInfo,
    /// WebVTT.
    pub vtt: String,
}

/// Texts kept of one language: players may still ask for the ones before.
const KEPT_REVISIONS: u32 = 5;
/// The largest text.
const MAX_BYTES: usize = 8 << 20;
/// Languages of one video.
const MAX_LANGUAGES: usize = 100;

impl Library {
    /// Stores a text (WebVTT, checked by the caller). Its revision; 1 is the first ever.
    ///
    /// # Errors
    /// [`Error::Invalid`], [`Error::NotFound`], [`Error::Store`].
    pub fn put_captions(
        &self,
        video: VideoId,
        tag: &str,
        vtt: String,
        now: Timestamp,
    ) -> Result<u32, Error> {
        let revision = self.write_captions(video, tag, vtt, now, false)?;
        // A person's text is always taken.
        revision.ok_or(Error::NotFound("captions"))
    }

    /// Stores a text that lay in a source (checked by the caller), unless the video has, or had, captions in
    /// that language: a person's word stands above a file's. Whether it was taken.
    ///
    /// # Errors
    /// As [`Library::put_captions`].
    pub fn offer_captions(
        &self,
        video: VideoId,
        tag: &str,
        vtt: String,
        now: Timestamp,
    ) -> Result<bool, Error> {
        let revision = self.write_captions(video, tag, vtt, now, true)?;
        Ok(revision.is_some())
    }

    /// The revision; none where only a first text is wanted and there is, or was, one.
    fn write_captions(
        &self,
        video: VideoId,
        tag: &str,
        vtt: String,
        now: Timestamp,
        only_first: bool,
    ) -> Result<Option<u32>, Error> {
        let tag = language(tag)?;
        if tag.is_empty() {
            return Err(Error::Invalid("captions need a language"));
        }
        if vtt.len() > MAX_BYTES {
            return Err(Error::Invalid("captions have at most 8 MiB"));
        }
        let revision = self.inner.store.write(move |tx: &Tx<'_>| {
            if !tx.contains(&VIDEOS, &video)? {
                return Err(Error::NotFound("video"));
            }
            let key = (video, tag.clone());
            let old = tx.get(&CAPTIONS, &key)?;
            if only_first && old.is_some() {
                return Ok(None);
            }
            if old.is_none() && tx.prefix(&CAPTIONS, &video)?.count() >= MAX_LANGUAGES {
                return Err(Error::Invalid(
                    "a video has captions in at most 100 languages",
                ));
            }
            let revision = old.map_or(0, |old| old.revision) + 1;
            let row = CaptionsRow {
                revision,
                updated: now,
                removed: false,
            };
            tx.insert(&CAPTIONS, &key, &row)?;
            tx.insert(&CAPTION_TEXTS, &(video, tag.clone(), revision), &vtt)?;
            if let Some(outdated) = revision.checked_sub(KEPT_REVISIONS) {
                tx.remove(&CAPTION_TEXTS, &(video, tag.clone(), outdated))?;
            }
            Ok(Some(revision))
        })?;
        if revision.is_some() {
            self.changed(video, ChangeKind::Captions);
        }
        Ok(revision)
    }

    /// The languages a video has captions in, by tag.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub fn captions(&self, video: VideoId) -> Result<Vec<CaptionInfo>, Error> {
        let mut infos = Vec::new();
        for entry in self.inner.store.snapshot()?.prefix(&CAPTIONS, &video)? {
            let ((_, language), row) = entry?;
            if !row.removed {
                infos.push(CaptionInfo {
                    language,
                    revision: row.revision,
                    updated: row.updated,
                });
            }
        }
        Ok(infos)
    }

    /// The text in one language: the newest, or a revision that is still kept.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Store`].
    pub fn caption_text(
        &self,
        video: VideoId,
        tag: &str,
        revision: Option<u32>,
    ) -> Result<Captions, Error> {
        let missing = || Error::NotFound("captions");
        let tag = language(tag).map_err(|_| missing())?;
        let snapshot = self.inner.store.snapshot()?;
        let key = (video, tag.clone());
        let row = snapshot.get(&CAPTIONS, &key)?;
        let row = row.filter(|row| !row.removed).ok_or_else(missing)?;
        let revision = revision.unwrap_or(row.revision);
        let text = snapshot.get(&CAPTION_TEXTS, &(video, tag.clone(), revision))?;
        Ok(Captions {
            info: CaptionInfo {
                language: tag,
                revision,
                updated: row.updated,
            },
            vtt: text.ok_or_else(missing)?,
        })
    }

    /// Removes the captions of one language; revisions go on counting.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Store`].
    pub fn remove_captions(&self, video: VideoId, tag: &str) -> Result<(), Error> {
        let tag = language(tag).map_err(|_| Error::NotFound("captions"))?;
        self.inner.store.write_making_room(move |tx: &Tx<'_>| {
            let key = (video, tag.clone());
            let row = tx.get(&CAPTIONS, &key)?.filter(|row| !row.removed);
            let row = row.ok_or(Error::NotFound("captions"))?;
            for revision in row.revision.saturating_sub(KEPT_REVISIONS)..=row.revision {
                tx.remove(&CAPTION_TEXTS, &(video, tag.clone(), revision))?;
            }
            let row = CaptionsRow {
                removed: true,
                ..row
            };
            tx.insert(&CAPTIONS, &key, &row)?;
            Ok::<(), Error>(())
        })?;
        self.changed(video, ChangeKind::Captions);
        Ok(())
    }
}

/// All captions of a video that is removed.
pub(crate) fn remove_captions(tx: &Tx<'_>, video: VideoId) -> Result<(), Error> {
    let heads: Vec<_> = tx.prefix(&CAPTIONS, &video)?.collect::<Result<_, _>>()?;
    for (key, _) in heads {
        tx.remove(&CAPTIONS, &key)?;
    }
    let texts: Vec<_> = tx
        .prefix(&CAPTION_TEXTS, &video)?
        .collect::<Result<_, _>>()?;
    for (key, _) in texts {
        tx.remove(&CAPTION_TEXTS, &key)?;
    }
    Ok(())
}
