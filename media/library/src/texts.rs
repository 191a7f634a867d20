//! Captions and descriptions: documents beside a video's packages, with revisions of their own, so that a text's
//! address may be cached for ever and a correction has another.

use jiff::Timestamp;
use lectern_store::{Store, Tx};
use serde::Deserialize;

use crate::rows::{
    CAPTIONS, DESCRIPTIONS, DraftRow, RevisionRow, SPEECH, TextRow, TextTables, VIDEOS,
};
use crate::videos::language;
use crate::{ChangeKind, Error, Library, VideoId};

/// What texts in time with a video are for (HTML, text track kinds).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TextKind {
    /// What is said and heard, for those who do not hear it (WCAG 2.1, 1.2.2).
    Captions,
    /// What is seen, to be spoken for those who do not see it (WCAG 2.1, 1.2.5 and 1.2.7).
    Descriptions,
}

impl TextKind {
    /// Every kind.
    pub const ALL: [Self; 2] = [Self::Captions, Self::Descriptions];

    /// The kind of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// As addresses and messages name it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Captions => "captions",
            Self::Descriptions => "descriptions",
        }
    }

    fn tables(self) -> &'static TextTables {
        match self {
            Self::Captions => &CAPTIONS,
            Self::Descriptions => &DESCRIPTIONS,
        }
    }
}

/// A video's text in one language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextInfo {
    /// BCP 47.
    pub language: String,
    /// Counts up with each text.
    pub revision: u32,
    /// When this text came.
    pub updated: Timestamp,
    /// What wrote it, where no person has read it over.
    pub machine: Option<String>,
}

/// A text that is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revision {
    /// Which.
    pub revision: u32,
    /// When it came.
    pub updated: Timestamp,
    /// The person who brought or approved it; none for what came with a file or from a machine.
    pub by: Option<String>,
    /// The machine that wrote it.
    pub machine: Option<String>,
}

/// What somebody is still at: only those who may change the video see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// Counts up with each save.
    pub number: u64,
    /// When it was saved last.
    pub updated: Timestamp,
    /// By whom.
    pub by: String,
    /// WebVTT.
    pub vtt: String,
}

/// A text as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    /// Which.
    pub info: TextInfo,
    /// WebVTT.
    pub vtt: String,
}

/// Texts kept of one language: players may still ask for the ones before.
const KEPT_REVISIONS: u32 = 20;
/// The largest text.
const MAX_BYTES: usize = 8 << 20;
/// Languages of one video.
const MAX_LANGUAGES: usize = 100;

/// Whose word a text is.
#[derive(Debug, Clone)]
pub(crate) enum Origin {
    /// A person's.
    Person(String),
    /// A source's.
    File,
    /// A machine's, and how sure it was of each caption.
    Machine { name: String, marks: String },
}

/// The texts of one kind.
#[derive(Clone, Copy)]
pub struct Texts<'a> {
    library: &'a Library,
    kind: TextKind,
    tables: &'static TextTables,
}

impl Library {
    /// The texts of one kind.
    #[must_use]
    pub fn texts(&self, kind: TextKind) -> Texts<'_> {
        Texts {
            library: self,
            kind,
            tables: kind.tables(),
        }
    }
}

impl Texts<'_> {
    fn store(&self) -> &Store {
        &self.library.inner.store
    }

    /// Stores a text (WebVTT, checked by the caller) that a person brought or approved; what somebody was still at
    /// is done with it. Its revision; 1 is the first ever.
    ///
    /// # Errors
    /// [`Error::Invalid`], [`Error::NotFound`], [`Error::Store`].
    pub fn put(
        &self,
        video: VideoId,
        tag: &str,
        vtt: String,
        by: &str,
        now: Timestamp,
    ) -> Result<u32, Error> {
        let revision = self.write(video, tag, vtt, Origin::Person(by.to_owned()), now)?;
        // A person's text is always taken.
        revision.ok_or(Error::NotFound(self.kind.name()))
    }

    /// Stores a text that lay in a source (checked by the caller), unless the video has, or had, a text in
    /// that language: a person's word stands above a file's. Whether it was taken.
    ///
    /// # Errors
    /// As [`Self::put`].
    pub fn offer(
        &self,
        video: VideoId,
        tag: &str,
        vtt: String,
        now: Timestamp,
    ) -> Result<bool, Error> {
        let revision = self.write(video, tag, vtt, Origin::File, now)?;
        Ok(revision.is_some())
    }

    /// The revision; none where a better word than this is there.
    fn write(
        &self,
        video: VideoId,
        tag: &str,
        vtt: String,
        origin: Origin,
        now: Timestamp,
    ) -> Result<Option<u32>, Error> {
        let tables = self.tables;
        let tag = needed(tag)?;
        within_bounds(&vtt)?;
        let revision = self.store().write(move |tx: &Tx<'_>| {
            if !tx.contains(&VIDEOS, &video)? {
                return Err(Error::NotFound("video"));
            }
            write(tx, tables, (video, tag.clone()), &vtt, &origin, now)
        })?;
        if revision.is_some() {
            self.library.changed(video, ChangeKind::Captions);
        }
        Ok(revision)
    }

    /// The texts of one language that are kept, newest first.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub fn revisions(&self, video: VideoId, tag: &str) -> Result<Vec<Revision>, Error> {
        let Ok(tag) = language(tag) else {
            return Ok(Vec::new());
        };
        let row = self
            .store()
            .snapshot()?
            .get(&self.tables.heads, &(video, tag))?;
        let history = row.filter(|row| !row.removed).map(|row| row.history);
        let newest_first = history.unwrap_or_default().into_iter().rev();
        Ok(newest_first
            .map(|row| Revision {
                revision: row.revision,
                updated: row.updated,
                by: row.by,
                machine: row.machine,
            })
            .collect())
    }

    /// How sure the machine was that wrote the newest text (or what a person has made of it since): as it was given.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub fn marks(&self, video: VideoId, tag: &str) -> Result<Option<String>, Error> {
        let Ok(tag) = language(tag) else {
            return Ok(None);
        };
        let snapshot = self.store().snapshot()?;
        Ok(snapshot.get(&self.tables.marks, &(video, tag))?)
    }

    /// What somebody is still at, if anybody is.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub fn draft(&self, video: VideoId, tag: &str) -> Result<Option<Draft>, Error> {
        let Ok(tag) = language(tag) else {
            return Ok(None);
        };
        let snapshot = self.store().snapshot()?;
        let row = snapshot.get(&self.tables.drafts, &(video, tag))?;
        Ok(row.map(|row| Draft {
            number: row.number,
            updated: row.updated,
            by: row.by,
            vtt: row.vtt,
        }))
    }

    /// Saves what somebody is at, over the draft of that number (0: there is none). Its own number; none, and nothing
    /// is saved, where another one was saved meanwhile.
    ///
    /// # Errors
    /// [`Error::Invalid`], [`Error::NotFound`], [`Error::Store`].
    pub fn save_draft(
        &self,
        video: VideoId,
        tag: &str,
        vtt: String,
        by: &str,
        over: u64,
        now: Timestamp,
    ) -> Result<Option<u64>, Error> {
        let tables = self.tables;
        let tag = needed(tag)?;
        within_bounds(&vtt)?;
        let by = by.to_owned();
        self.store().write(move |tx: &Tx<'_>| {
            if !tx.contains(&VIDEOS, &video)? {
                return Err(Error::NotFound("video"));
            }
            let key = (video, tag.clone());
            let old = tx.get(&tables.drafts, &key)?.map_or(0, |old| old.number);
            if old != over {
                return Ok(None);
            }
            if old == 0 && tx.prefix(&tables.drafts, &video)?.count() >= MAX_LANGUAGES {
                return Err(Error::Invalid(TOO_MANY));
            }
            let row = DraftRow {
                // Not the number of a draft that was thrown away a moment ago.
                number: old.max(now.as_millisecond().unsigned_abs()) + 1,
                updated: now,
                by: by.clone(),
                vtt: vtt.clone(),
            };
            tx.insert(&tables.drafts, &key, &row)?;
            Ok(Some(row.number))
        })
    }

    /// Throws away what somebody was at. Whether there was anything.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub fn drop_draft(&self, video: VideoId, tag: &str) -> Result<bool, Error> {
        let tables = self.tables;
        let Ok(tag) = language(tag) else {
            return Ok(false);
        };
        self.store().write_making_room(move |tx: &Tx<'_>| {
            Ok::<_, Error>(tx.remove(&tables.drafts, &(video, tag.clone()))?)
        })
    }

    /// The languages a video has such texts in, by tag.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub fn list(&self, video: VideoId) -> Result<Vec<TextInfo>, Error> {
        let mut infos = Vec::new();
        for entry in self
            .store()
            .snapshot()?
            .prefix(&self.tables.heads, &video)?
        {
            let ((_, language), row) = entry?;
            if !row.removed {
                infos.push(TextInfo {
                    language,
                    revision: row.revision,
                    updated: row.updated,
                    machine: row.machine,
                });
            }
        }
        Ok(infos)
    }

    /// The text in one language: the newest, or a revision that is still kept.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Store`].
    pub fn get(&self, video: VideoId, tag: &str, revision: Option<u32>) -> Result<Text, Error> {
        let missing = || Error::NotFound(self.kind.name());
        let tag = language(tag).map_err(|_| missing())?;
        let snapshot = self.store().snapshot()?;
        let key = (video, tag.clone());
        let row = snapshot.get(&self.tables.heads, &key)?;
        let row = row.filter(|row| !row.removed).ok_or_else(missing)?;
        let revision = revision.unwrap_or(row.revision);
        let text = snapshot.get(&self.tables.texts, &(video, tag.clone(), revision))?;
        Ok(Text {
            info: TextInfo {
                language: tag,
                revision,
                updated: row.updated,
                machine: row.machine,
            },
            vtt: text.ok_or_else(missing)?,
        })
    }

    /// Removes the text in one language; revisions go on counting.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Store`].
    pub fn remove(&self, video: VideoId, tag: &str) -> Result<(), Error> {
        let Self { kind, tables, .. } = *self;
        let tag = language(tag).map_err(|_| Error::NotFound(kind.name()))?;
        self.store().write_making_room(move |tx: &Tx<'_>| {
            let key = (video, tag.clone());
            let row = tx.get(&tables.heads, &key)?.filter(|row| !row.removed);
            let row = row.ok_or(Error::NotFound(kind.name()))?;
            for revision in row.revision.saturating_sub(KEPT_REVISIONS)..=row.revision {
                tx.remove(&tables.texts, &(video, tag.clone(), revision))?;
            }
            let row = TextRow {
                removed: true,
                machine: None,
                history: Vec::new(),
                ..row
            };
            tx.insert(&tables.heads, &key, &row)?;
            tx.remove(&tables.marks, &key)?;
            tx.remove(&tables.drafts, &key)?;
            Ok::<(), Error>(())
        })?;
        self.library.changed(video, ChangeKind::Captions);
        Ok(())
    }
}

const TOO_MANY: &str = "a video has captions or descriptions in at most 100 languages each";

fn needed(tag: &str) -> Result<String, Error> {
    match language(tag)? {
        tag if tag.is_empty() => Err(Error::Invalid("captions and descriptions need a language")),
        tag => Ok(tag),
    }
}

fn within_bounds(vtt: &str) -> Result<(), Error> {
    match vtt.len() > MAX_BYTES {
        true => Err(Error::Invalid(
            "captions and descriptions have at most 8 MiB",
        )),
        false => Ok(()),
    }
}

/// Writes the next text of a language, if nobody's word stands above this one. A person's stands above a file's, and
/// a file's above a machine's.
pub(crate) fn write(
    tx: &Tx<'_>,
    tables: &TextTables,
    key: (VideoId, String),
    vtt: &String,
    origin: &Origin,
    now: Timestamp,
) -> Result<Option<u32>, Error> {
    let video = key.0;
    let old = tx.get(&tables.heads, &key)?;
    let is_taken = match (&old, origin) {
        (None, _) | (_, Origin::Person(_)) => true,
        (Some(old), Origin::Machine { .. }) => old.removed || old.machine.is_some(),
        (Some(_), Origin::File) => false,
    };
    if !is_taken {
        return Ok(None);
    }
    if old.is_none() && tx.prefix(&tables.heads, &video)?.count() >= MAX_LANGUAGES {
        return Err(Error::Invalid(TOO_MANY));
    }
    let (by, machine) = match origin {
        Origin::Person(person) => (Some(person.clone()), None),
        Origin::File => (None, None),
        Origin::Machine { name, .. } => (None, Some(name.clone())),
    };
    let revision = old.as_ref().map_or(0, |old| old.revision) + 1;
    let mut history = old.map(|old| old.history).unwrap_or_default();
    history.push(RevisionRow {
        revision,
        updated: now,
        by,
        machine: machine.clone(),
    });
    history.retain(|row| row.revision + KEPT_REVISIONS > revision);
    let row = TextRow {
        revision,
        updated: now,
        removed: false,
        machine,
        history,
    };
    let (_, tag) = &key;
    tx.insert(&tables.heads, &key, &row)?;
    tx.insert(&tables.texts, &(video, tag.clone(), revision), vtt)?;
    if let Some(outdated) = revision.checked_sub(KEPT_REVISIONS) {
        tx.remove(&tables.texts, &(video, tag.clone(), outdated))?;
    }
    match origin {
        Origin::Machine { marks, .. } => {
            tx.insert(&tables.marks, &key, marks)?;
        }
        // It may have been made of what the machine wrote: what is told of a caption that is still there stays true.
        Origin::Person(_) => {
            tx.remove(&tables.drafts, &key)?;
        }
        Origin::File => {}
    }
    Ok(Some(revision))
}

/// All texts of a video that is removed.
pub(crate) fn remove_texts(tx: &Tx<'_>, video: VideoId) -> Result<(), Error> {
    for tables in TextKind::ALL.map(TextKind::tables) {
        let heads: Vec<_> = tx
            .prefix(&tables.heads, &video)?
            .collect::<Result<_, _>>()?;
        for (key, _) in heads {
            tx.remove(&tables.heads, &key)?;
            tx.remove(&tables.marks, &key)?;
        }
        let drafts: Vec<_> = tx
            .prefix(&tables.drafts, &video)?
            .collect::<Result<_, _>>()?;
        for (key, _) in drafts {
            tx.remove(&tables.drafts, &key)?;
        }
        let texts: Vec<_> = tx
            .prefix(&tables.texts, &video)?
            .collect::<Result<_, _>>()?;
        for (key, _) in texts {
            tx.remove(&tables.texts, &key)?;
        }
    }
    tx.remove(&SPEECH, &video)?;
    Ok(())
}
