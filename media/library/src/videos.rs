//! Videos: adding, finding, changing, removing them.

use jiff::Timestamp;
use lectern_store::{Snapshot, Tx};

use crate::jobs::Waits;
use crate::library::lock;
use crate::rows::{CHAPTERS, JOBS, PACKAGES, VERSIONS, VIDEOS, VideoRow};
use crate::texts::remove_texts;
use crate::versions::attach;
use crate::{
    ChangeKind, Error, Library, MediaKey, NewVideo, Video, VideoId, VideoPatch, Visibility,
};

/// What a list asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query {
    /// Words that the title must have, in any order and case; empty finds all.
    pub text: String,
    /// Go on behind this video.
    pub after: Option<VideoId>,
    /// At most so many; 1 to 200.
    pub limit: usize,
}

/// One page of a list.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    /// Newest first.
    pub videos: Vec<Video>,
    /// Where the next page goes on, when there is more.
    pub next: Option<VideoId>,
}

const MAX_LIMIT: usize = 200;
const MAX_TITLE_CHARS: usize = 500;
const MAX_LANGUAGE_BYTES: usize = 35;
const MAX_PEOPLE: usize = 10_000;

impl Library {
    /// Adds a video from a finished upload: version 1 and its job.
    ///
    /// # Errors
    /// [`Error::Invalid`], [`Error::NotFound`] (an upload of this owner), [`Error::Incomplete`],
    /// [`Error::Store`].
    pub fn create_video(&self, new: NewVideo, now: Timestamp) -> Result<VideoId, Error> {
        let video = VideoId::new();
        let upload = new.upload;
        let row = VideoRow {
            title: title(&new.title)?,
            language: language(&new.language)?,
            visibility: new.visibility,
            owner: new.owner,
            people: std::collections::BTreeSet::new(),
            created: now,
        };
        self.inner.store.write(move |tx: &Tx<'_>| {
            tx.insert(&VIDEOS, &video, &row)?;
            attach(tx, video, upload, &row.owner, now).map(|_| ())
        })?;
        self.changed(video, ChangeKind::Video);
        self.changed(video, ChangeKind::JobQueued);
        Ok(video)
    }

    /// One video.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Store`].
    pub fn video(&self, id: VideoId) -> Result<Video, Error> {
        let snapshot = self.inner.store.snapshot()?;
        let row = snapshot.get(&VIDEOS, &id)?;
        let row = row.ok_or(Error::NotFound("video"))?;
        self.video_of(&snapshot, id, row, &self.waits(&snapshot)?)
    }

    /// The videos that `may_see` lets through, newest first.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub fn videos(
        &self,
        query: &Query,
        mut may_see: impl FnMut(&Video) -> bool,
    ) -> Result<Page, Error> {
        let words: Vec<String> = query
            .text
            .split_whitespace()
            .map(str::to_lowercase)
            .collect();
        let limit = query.limit.clamp(1, MAX_LIMIT);
        let snapshot = self.inner.store.snapshot()?;
        let end = match query.after {
            Some(after) => std::ops::Bound::Excluded(after),
            None => std::ops::Bound::Unbounded,
        };
        let waits = self.waits(&snapshot)?;
        let mut videos: Vec<Video> = Vec::new();
        for entry in snapshot
            .range(&VIDEOS, (std::ops::Bound::Unbounded, end))?
            .rev()
        {
            let (id, row) = entry?;
            let title = row.title.to_lowercase();
            if !words.iter().all(|word| title.contains(word)) {
                continue;
            }
            let video = self.video_of(&snapshot, id, row, &waits)?;
            if !may_see(&video) {
                continue;
            }
            if videos.len() == limit {
                let next = videos.last().map(|last| last.id);
                return Ok(Page { videos, next });
            }
            videos.push(video);
        }
        Ok(Page { videos, next: None })
    }

    /// Changes what a video is called and who may watch it. Whoever loses access by it loses the
    /// addresses of its segments, too.
    ///
    /// # Errors
    /// [`Error::Invalid`], [`Error::NotFound`], [`Error::Store`].
    pub fn patch_video(&self, id: VideoId, patch: VideoPatch) -> Result<(), Error> {
        let patch = VideoPatch {
            title: patch.title.as_deref().map(title).transpose()?,
            language: patch.language.as_deref().map(language).transpose()?,
            ..patch
        };
        if patch
            .people
            .as_ref()
            .is_some_and(|people| people.len() > MAX_PEOPLE)
        {
            return Err(Error::Invalid("too many people are named"));
        }
        self.inner.store.write(move |tx: &Tx<'_>| {
            let old = tx.get(&VIDEOS, &id)?.ok_or(Error::NotFound("video"))?;
            let patch = patch.clone();
            let new = VideoRow {
                title: patch.title.unwrap_or_else(|| old.title.clone()),
                language: patch.language.unwrap_or_else(|| old.language.clone()),
                visibility: patch.visibility.unwrap_or(old.visibility),
                people: patch.people.unwrap_or_else(|| old.people.clone()),
                ..old.clone()
            };
            if loses_someone(&old, &new) {
                change_keys(tx, id)?;
            }
            tx.insert(&VIDEOS, &id, &new)?;
            Ok::<(), Error>(())
        })?;
        self.changed(id, ChangeKind::Video);
        Ok(())
    }

    /// Gives every version of a video a new key: all addresses handed out so far end.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Store`].
    pub fn withdraw(&self, id: VideoId) -> Result<(), Error> {
        self.inner.store.write(move |tx: &Tx<'_>| {
            if !tx.contains(&VIDEOS, &id)? {
                return Err(Error::NotFound("video"));
            }
            change_keys(tx, id)
        })?;
        self.changed(id, ChangeKind::Video);
        Ok(())
    }

    /// Removes a video with everything that is only its own. What learners did with it is the
    /// records' and stays.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Store`].
    pub fn remove_video(&self, id: VideoId) -> Result<(), Error> {
        let jobs = self.inner.store.write_making_room(move |tx: &Tx<'_>| {
            if !tx.remove(&VIDEOS, &id)? {
                return Err(Error::NotFound("video"));
            }
            let versions: Vec<_> = tx.prefix(&VERSIONS, &id)?.collect::<Result<_, _>>()?;
            for (key, _) in versions {
                tx.remove(&VERSIONS, &key)?;
                tx.remove(&PACKAGES, &key)?;
            }
            remove_texts(tx, id)?;
            tx.remove(&CHAPTERS, &id)?;
            let mut jobs = Vec::new();
            for entry in tx.range(&JOBS, ..)? {
                let (job, row) = entry?;
                if row.video == id {
                    jobs.push(job);
                }
            }
            for job in &jobs {
                tx.remove(&JOBS, job)?;
            }
            Ok(jobs)
        })?;
        let mut leases = lock(&self.inner.leases);
        leases.retain(|job, _| !jobs.contains(job));
        drop(leases);
        lock(&self.inner.progress).retain(|(video, _), _| *video != id);
        self.changed(id, ChangeKind::JobCancelled);
        self.changed(id, ChangeKind::Removed);
        Ok(())
    }

    fn video_of(
        &self,
        snapshot: &Snapshot,
        id: VideoId,
        row: VideoRow,
        waits: &Waits,
    ) -> Result<Video, Error> {
        Ok(Video {
            id,
            title: row.title,
            language: row.language,
            visibility: row.visibility,
            owner: row.owner,
            people: row.people,
            created: row.created,
            versions: self.version_infos(snapshot, id, waits)?,
        })
    }
}

/// Whether someone who might watch before may not after.
fn loses_someone(old: &VideoRow, new: &VideoRow) -> bool {
    new.visibility < old.visibility
        || old.visibility == Visibility::Named
            && new.visibility == Visibility::Named
            && !old.people.is_subset(&new.people)
}

fn change_keys(tx: &Tx<'_>, video: VideoId) -> Result<(), Error> {
    let versions: Vec<_> = tx.prefix(&VERSIONS, &video)?.collect::<Result<_, _>>()?;
    for (key, mut row) in versions {
        row.key = MediaKey::random();
        row.revision += 1;
        tx.insert(&VERSIONS, &key, &row)?;
    }
    Ok(())
}

fn title(text: &str) -> Result<String, Error> {
    let title = text.trim();
    if title.is_empty() {
        return Err(Error::Invalid("a video needs a title"));
    }
    if title.chars().count() > MAX_TITLE_CHARS {
        return Err(Error::Invalid("a title has at most 500 characters"));
    }
    if title.chars().any(char::is_control) {
        return Err(Error::Invalid("a title is one line of text"));
    }
    Ok(title.to_owned())
}

/// BCP 47 by its shape: subtags of letters and digits with hyphens between, in the spelling that
/// RFC 5646, 2.1.1 recommends, so that one language has one name.
pub(crate) fn language(tag: &str) -> Result<String, Error> {
    let is_tag = tag.is_empty()
        || tag.len() <= MAX_LANGUAGE_BYTES
            && tag.split('-').enumerate().all(|(n, part)| {
                (1..=8).contains(&part.len())
                    && part.bytes().all(|byte| byte.is_ascii_alphanumeric())
                    && (n > 0 || part.len() >= 2 && part.bytes().all(|b| b.is_ascii_alphabetic()))
            });
    if !is_tag {
        return Err(Error::Invalid(
            "a language is a BCP 47 tag, like de or en-GB",
        ));
    }
    let mut is_extension = false;
    let spelt = tag.split('-').enumerate().map(|(n, part)| {
        let lower = part.to_ascii_lowercase();
        let is_plain = n == 0 || is_extension;
        is_extension |= part.len() == 1;
        match part.len() {
            2 if !is_plain => lower.to_ascii_uppercase(),
            4 if !is_plain => lower[..1].to_ascii_uppercase() + &lower[1..],
            _ => lower,
        }
    });
    Ok(spelt.collect::<Vec<_>>().join("-"))
}
