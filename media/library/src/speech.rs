//! Writing down what is said: the models that IT has installed, and the queue of videos whose speech becomes captions.
//! It comes behind every job of [`crate::jobs`], one video at a time; what is heard stays heard over a restart. What
//! a caption is, is the caller's affair: JSON, opaque here.

use std::path::PathBuf;

use jiff::{SignedDuration, Timestamp};
use lectern_store::Tx;

use crate::library::lock;
use crate::rows::{
    CAPTIONS, DraftRow, PACKAGES, SPEECH, SPEECH_MODELS, SPEECH_SETTINGS, SpeechModelRow,
    SpeechRow, UPLOADS, VERSIONS, VIDEOS,
};
use crate::texts::{Origin, write};
use crate::videos::language;
use crate::{BlobHash, ChangeKind, Error, Library, UploadId, VersionState, VideoId};

/// A model that is installed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpeechModel {
    /// SHA-256 of the file.
    pub hash: BlobHash,
    /// Of the file.
    pub bytes: u64,
    /// What the file was called.
    pub name: String,
    /// What it is, as its maker calls it.
    pub size: String,
    /// Whether it knows more than English.
    pub is_multilingual: bool,
    /// When it came.
    pub installed: Timestamp,
    /// Whether it is the one that is used.
    pub is_active: bool,
}

/// A finished upload that may become a model.
#[derive(Debug, Clone)]
pub struct ModelFile {
    /// What the file is called.
    pub name: String,
    /// Its bytes.
    pub path: PathBuf,
}

/// The right to write down what is said in a video.
#[derive(Debug, Clone, PartialEq)]
pub struct SpeechJob {
    /// The video
    pub video: VideoId,
    /// and version.
    pub version: u32,
    number: u64,
    /// The package as JSON, and where its files lie.
    pub package: String,
    /// See `package`.
    pub package_dir: PathBuf,
    /// BCP 47; empty where nobody knows.
    pub language: String,
    /// Until when it was heard before.
    pub from_ms: u64,
    /// The model's file.
    pub model: PathBuf,
    /// What captions say that wrote them.
    pub model_name: String,
}

/// How far a video's speech is written down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpeechInfo {
    /// Of which version.
    pub version: u32,
    /// BCP 47; empty where it is not known yet.
    pub language: String,
    /// Until when it is heard.
    pub through_ms: u64,
    /// Whether a worker is at it.
    pub is_running: bool,
    /// Why it was given up, in a sentence for a person.
    pub error: Option<String>,
}

/// Times it is given out without hearing more.
const MAX_TRIES: u32 = 4;
const RETRY: SignedDuration = SignedDuration::from_secs(30);
const MAX_MODELS: usize = 20;
const GIVEN_UP: &str = "Recognising speech stopped unexpectedly several times at the same place.";

impl Library {
    /// The models, newest first.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub fn speech_models(&self) -> Result<Vec<SpeechModel>, Error> {
        let snapshot = self.inner.store.snapshot()?;
        let settings = snapshot.get(&SPEECH_SETTINGS, &0)?.unwrap_or_default();
        let mut models = Vec::new();
        for entry in snapshot.range(&SPEECH_MODELS, ..)? {
            let (id, row) = entry?;
            let Ok(hash) = id.parse() else { continue };
            models.push(SpeechModel {
                hash,
                bytes: row.bytes,
                name: row.name,
                size: row.size,
                is_multilingual: row.is_multilingual,
                installed: row.installed,
                is_active: settings.active.as_ref() == Some(&id),
            });
        }
        models.sort_by_key(|model| std::cmp::Reverse(model.installed));
        Ok(models)
    }

    /// A finished upload of that owner, to be looked at before it becomes a model.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Incomplete`], [`Error::Store`].
    pub fn model_file(
        &self,
        upload: UploadId,
        owner: &str,
        now: Timestamp,
    ) -> Result<ModelFile, Error> {
        let row = self.upload_row(upload, now)?;
        if row.owner != owner {
            return Err(Error::NotFound("upload"));
        }
        let blob = row.blob.ok_or(Error::Incomplete {
            at: row.offset,
            length: row.length,
        })?;
        Ok(ModelFile {
            name: row.name,
            path: self.inner.folders.blob(blob),
        })
    }

    /// Installs a finished upload as a model (checked by the caller); it is the one that is used from now on. The
    /// upload is used up. Its hash.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Invalid`], [`Error::Store`].
    pub fn install_speech_model(
        &self,
        upload: UploadId,
        owner: &str,
        size: &str,
        is_multilingual: bool,
        now: Timestamp,
    ) -> Result<BlobHash, Error> {
        let (owner, size) = (owner.to_owned(), size.to_owned());
        self.inner.store.write(move |tx: &Tx<'_>| {
            let missing = Error::NotFound("upload");
            let row = tx.get(&UPLOADS, &upload)?.ok_or_else(|| missing.clone())?;
            let blob = row.blob.filter(|_| row.owner == owner).ok_or(missing)?;
            let id = blob.to_string();
            if !tx.contains(&SPEECH_MODELS, &id)?
                && tx.range(&SPEECH_MODELS, ..)?.count() >= MAX_MODELS
            {
                return Err(Error::Invalid(
                    "at most 20 models are kept; remove one that is not used any more",
                ));
            }
            let model = SpeechModelRow {
                bytes: row.length,
                name: row.name,
                size: size.clone(),
                is_multilingual,
                installed: now,
            };
            tx.insert(&SPEECH_MODELS, &id, &model)?;
            tx.remove(&UPLOADS, &upload)?;
            let mut settings = tx.get(&SPEECH_SETTINGS, &0)?.unwrap_or_default();
            // Whoever installs the first model wants it used.
            settings.automatic |= settings.active.is_none();
            settings.active = Some(id);
            tx.insert(&SPEECH_SETTINGS, &0, &settings)?;
            Ok(blob)
        })
    }

    /// Removes a model; its bytes go with the next tidying up.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Store`].
    pub fn remove_speech_model(&self, hash: BlobHash) -> Result<(), Error> {
        let id = hash.to_string();
        self.inner.store.write_making_room(move |tx: &Tx<'_>| {
            if !tx.remove(&SPEECH_MODELS, &id)? {
                return Err(Error::NotFound("model"));
            }
            let mut settings = tx.get(&SPEECH_SETTINGS, &0)?.unwrap_or_default();
            if settings.active.as_ref() == Some(&id) {
                settings.active = None;
                tx.insert(&SPEECH_SETTINGS, &0, &settings)?;
            }
            Ok(())
        })
    }

    /// Whether new videos without captions get some by themselves.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub fn is_speech_automatic(&self) -> Result<bool, Error> {
        let settings = self.inner.store.snapshot()?.get(&SPEECH_SETTINGS, &0)?;
        Ok(settings.is_some_and(|settings| settings.automatic))
    }

    /// Which model is used (`None` leaves it), and whether new videos get captions by themselves (`None` leaves it).
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Store`].
    pub fn set_speech(
        &self,
        active: Option<BlobHash>,
        automatic: Option<bool>,
    ) -> Result<(), Error> {
        self.inner.store.write(move |tx: &Tx<'_>| {
            let mut settings = tx.get(&SPEECH_SETTINGS, &0)?.unwrap_or_default();
            if let Some(hash) = active {
                let id = hash.to_string();
                if !tx.contains(&SPEECH_MODELS, &id)? {
                    return Err(Error::NotFound("model"));
                }
                settings.active = Some(id);
            }
            settings.automatic = automatic.unwrap_or(settings.automatic);
            tx.insert(&SPEECH_SETTINGS, &0, &settings)?;
            Ok(())
        })
    }

    /// Puts a video's newest ready version into the queue, anew where it was given up or done.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Invalid`], [`Error::Store`].
    pub fn ask_speech(
        &self,
        video: VideoId,
        tag: Option<&str>,
        now: Timestamp,
    ) -> Result<(), Error> {
        let tag = tag.map(language).transpose()?;
        self.inner.store.write(move |tx: &Tx<'_>| {
            let settings = tx.get(&SPEECH_SETTINGS, &0)?.unwrap_or_default();
            if settings.active.is_none() {
                return Err(Error::Invalid(
                    "no speech model is installed; an administrator installs one under System, Speech",
                ));
            }
            let row = tx.get(&VIDEOS, &video)?.ok_or(Error::NotFound("video"))?;
            let mut ready = None;
            for entry in tx.prefix(&VERSIONS, &video)? {
                let ((_, version), row) = entry?;
                ready = ready.max((row.state == VersionState::Ready).then_some(version));
            }
            let version = ready.ok_or(Error::Invalid(
                "the video is still being prepared; ask again when it is ready",
            ))?;
            let language = tag.clone().unwrap_or(row.language);
            enqueue(tx, video, version, language, now)
        })?;
        self.changed(video, ChangeKind::Captions);
        self.changed(video, ChangeKind::JobQueued);
        Ok(())
    }

    /// Takes a video out of the queue; what is heard is forgotten. Whether it was there.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub fn cancel_speech(&self, video: VideoId) -> Result<bool, Error> {
        let was_there = self
            .inner
            .store
            .write_making_room(move |tx: &Tx<'_>| Ok::<_, Error>(tx.remove(&SPEECH, &video)?))?;
        self.changed(video, ChangeKind::Captions);
        self.changed(video, ChangeKind::JobCancelled);
        Ok(was_there)
    }

    /// How far it is; none when it is done or was never asked for.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub fn speech(&self, video: VideoId) -> Result<Option<SpeechInfo>, Error> {
        let row = self.inner.store.snapshot()?.get(&SPEECH, &video)?;
        Ok(row.map(|row| SpeechInfo {
            is_running: row.error.is_none() && self.is_heard(video, row.number),
            version: row.version,
            language: row.language,
            through_ms: row.through_ms,
            error: row.error,
        }))
    }

    /// How many videos wait, or are being heard.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub fn speech_waiting(&self) -> Result<usize, Error> {
        let mut count = 0;
        for entry in self.inner.store.snapshot()?.range(&SPEECH, ..)? {
            count += usize::from(entry?.1.error.is_none());
        }
        Ok(count)
    }

    /// The video that waits longest, when there is a model and the disk has room. Whether a video waits to be prepared,
    /// which comes first ([`Library::awaits_job`]), is not asked here.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Store`].
    pub fn next_speech(&self, now: Timestamp) -> Result<Option<SpeechJob>, Error> {
        if self.hold().is_some() || !self.has_room()? {
            return Ok(None);
        }
        loop {
            let snapshot = self.inner.store.snapshot()?;
            let mut waiting: Vec<(Timestamp, VideoId)> = Vec::new();
            for entry in snapshot.range(&SPEECH, ..)? {
                let (video, row) = entry?;
                if row.error.is_none() && row.not_before <= now {
                    waiting.push((row.queued, video));
                }
            }
            let Some((_, video)) = waiting.into_iter().min() else {
                return Ok(None);
            };
            let settings = snapshot.get(&SPEECH_SETTINGS, &0)?.unwrap_or_default();
            let Some(id) = settings.active else {
                return Ok(None);
            };
            let Some(model) = snapshot.get(&SPEECH_MODELS, &id)? else {
                return Ok(None);
            };
            let hash: BlobHash = id.parse().map_err(|_| Error::NotFound("model"))?;
            let taken = self.inner.store.write(move |tx: &Tx<'_>| take(tx, video))?;
            let Some((row, attempt, package)) = taken else {
                self.changed(video, ChangeKind::Captions);
                continue;
            };
            *lock(&self.inner.hearing) = Some((video, row.number));
            self.changed(video, ChangeKind::Captions);
            return Ok(Some(SpeechJob {
                video,
                version: row.version,
                number: row.number,
                package,
                package_dir: self.package_dir(video, row.version, attempt),
                language: row.language,
                from_ms: row.through_ms,
                model: self.inner.folders.blob(hash),
                model_name: format!("Whisper {} ({})", model.size, model.name),
            }));
        }
    }

    /// Whether the job is still wanted.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub fn wants_speech(&self, job: &SpeechJob) -> Result<bool, Error> {
        let row = self.inner.store.snapshot()?.get(&SPEECH, &job.video)?;
        Ok(row.is_some_and(|row| row.number == job.number))
    }

    /// Keeps what was heard, for good.
    ///
    /// # Errors
    /// [`Error::JobGone`], [`Error::Store`].
    pub fn keep_speech(
        &self,
        job: &SpeechJob,
        language: &str,
        heard: Option<String>,
        through_ms: u64,
    ) -> Result<(), Error> {
        let (video, number, language) = (job.video, job.number, language.to_owned());
        self.inner.store.write(move |tx: &Tx<'_>| {
            let mut row = mine(tx, video, number)?;
            row.language.clone_from(&language);
            row.heard.extend(heard.clone());
            if through_ms > row.through_ms {
                row.through_ms = through_ms;
                row.tries = 1;
            }
            tx.insert(&SPEECH, &video, &row)?;
            Ok::<(), Error>(())
        })?;
        self.changed(job.video, ChangeKind::Progress);
        Ok(())
    }

    /// All that was heard, in order.
    ///
    /// # Errors
    /// [`Error::JobGone`], [`Error::Store`].
    pub fn heard(&self, job: &SpeechJob) -> Result<Vec<String>, Error> {
        let row = self.inner.store.snapshot()?.get(&SPEECH, &job.video)?;
        let row = row.filter(|row| row.number == job.number);
        Ok(row.ok_or(Error::JobGone)?.heard)
    }

    /// All is heard. The text (WebVTT, checked by the caller; none when nothing was said) becomes the captions of its
    /// language, marked as a machine's, and where a person's are there, a draft beside them.
    ///
    /// # Errors
    /// [`Error::JobGone`], [`Error::Invalid`], [`Error::Store`].
    pub fn finish_speech(
        &self,
        job: &SpeechJob,
        text: Option<(String, String)>,
        now: Timestamp,
    ) -> Result<(), Error> {
        self.hears_no_more();
        let (video, number, name) = (job.video, job.number, job.model_name.clone());
        self.inner.store.write(move |tx: &Tx<'_>| {
            let row = mine(tx, video, number)?;
            tx.remove(&SPEECH, &video)?;
            let Some((vtt, marks)) = &text else {
                return Ok(());
            };
            let key = (video, row.language);
            let origin = Origin::Machine {
                name: name.clone(),
                marks: marks.clone(),
            };
            let is_taken = write(tx, &CAPTIONS, key.clone(), vtt, &origin, now)?.is_some();
            if !is_taken && !tx.contains(&CAPTIONS.drafts, &key)? {
                let draft = DraftRow {
                    number: now.as_millisecond().unsigned_abs(),
                    updated: now,
                    by: String::new(),
                    vtt: vtt.clone(),
                };
                tx.insert(&CAPTIONS.drafts, &key, &draft)?;
            }
            Ok::<(), Error>(())
        })?;
        self.changed(job.video, ChangeKind::Captions);
        Ok(())
    }

    /// It did not succeed. What may pass is tried again a few times; anything else gives it up with this sentence.
    ///
    /// # Errors
    /// [`Error::JobGone`], [`Error::Store`].
    pub fn fail_speech(
        &self,
        job: &SpeechJob,
        sentence: &str,
        may_pass: bool,
        now: Timestamp,
    ) -> Result<(), Error> {
        let (video, number, sentence) = (job.video, job.number, sentence.to_owned());
        self.hears_no_more();
        self.inner.store.write_making_room(move |tx: &Tx<'_>| {
            let mut row = mine(tx, video, number)?;
            match may_pass && row.tries < MAX_TRIES {
                true => row.not_before = now + RETRY,
                false => row.error = Some(sentence.clone()),
            }
            tx.insert(&SPEECH, &video, &row)?;
            Ok::<(), Error>(())
        })?;
        self.changed(job.video, ChangeKind::Captions);
        Ok(())
    }

    /// It makes way, or the daemon stops: that was no try.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub fn put_back_speech(&self, job: &SpeechJob) -> Result<(), Error> {
        let (video, number) = (job.video, job.number);
        self.hears_no_more();
        self.inner.store.write_making_room(move |tx: &Tx<'_>| {
            if let Ok(mut row) = mine(tx, video, number) {
                row.tries = row.tries.saturating_sub(1);
                tx.insert(&SPEECH, &video, &row)?;
            }
            Ok::<(), Error>(())
        })?;
        self.changed(job.video, ChangeKind::Captions);
        Ok(())
    }

    fn is_heard(&self, video: VideoId, number: u64) -> bool {
        *lock(&self.inner.hearing) == Some((video, number))
    }

    fn hears_no_more(&self) {
        *lock(&self.inner.hearing) = None;
    }
}

/// A version is ready: where IT wants it and nobody has brought captions, its speech is written down.
pub(crate) fn offer(
    tx: &Tx<'_>,
    video: VideoId,
    version: u32,
    now: Timestamp,
) -> Result<(), Error> {
    let settings = tx.get(&SPEECH_SETTINGS, &0)?.unwrap_or_default();
    let Some(row) = tx.get(&VIDEOS, &video)? else {
        return Ok(());
    };
    if !settings.automatic || settings.active.is_none() {
        return Ok(());
    }
    for entry in tx.prefix(&CAPTIONS.heads, &video)? {
        let ((_, tag), captions) = entry?;
        let is_other = !row.language.is_empty() && tag != row.language;
        // A machine's are made anew for a new version; what somebody took away is not wanted.
        if captions.machine.is_none() && !is_other {
            return Ok(());
        }
    }
    enqueue(tx, video, version, row.language, now)
}

fn enqueue(
    tx: &Tx<'_>,
    video: VideoId,
    version: u32,
    language: String,
    now: Timestamp,
) -> Result<(), Error> {
    let row = SpeechRow {
        version,
        number: rand::random(),
        language,
        queued: now,
        heard: Vec::new(),
        through_ms: 0,
        tries: 0,
        not_before: now,
        error: None,
    };
    tx.insert(&SPEECH, &video, &row)?;
    Ok(())
}

fn mine(tx: &Tx<'_>, video: VideoId, number: u64) -> Result<SpeechRow, Error> {
    let row = tx.get(&SPEECH, &video)?;
    row.filter(|row| row.number == number).ok_or(Error::JobGone)
}

type Taken = (SpeechRow, u32, String);

fn take(tx: &Tx<'_>, video: VideoId) -> Result<Option<Taken>, Error> {
    let Some(mut row) = tx.get(&SPEECH, &video)? else {
        return Ok(None);
    };
    let key = (video, row.version);
    let (Some(version), Some(package)) = (tx.get(&VERSIONS, &key)?, tx.get(&PACKAGES, &key)?)
    else {
        tx.remove(&SPEECH, &video)?;
        return Ok(None);
    };
    if row.tries >= MAX_TRIES {
        row.error = Some(GIVEN_UP.to_owned());
        tx.insert(&SPEECH, &video, &row)?;
        return Ok(None);
    }
    row.tries += 1;
    tx.insert(&SPEECH, &video, &row)?;
    Ok(Some((row, version.attempt, package)))
}
