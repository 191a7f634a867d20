//! One video's speech from spawn to end: what the speech worker hears becomes captions, which a person is to read
//! over. It makes way for every video that waits to be prepared, and goes on behind what it has heard.

use std::fs::File;
use std::io::{self, Seek};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use lectern_library::{Error, Library, SpeechJob};
use lectern_vod::names::Language;
use lectern_vod::package::Package;
use lectern_vod::protocol::{FrameError, read_frame};
use lectern_vod::spawn::{Death, SpeechArgs, Worker};
use lectern_vod::speech::{self, Line, SpeechMessage, captions_of, sound_of};
use tokio_util::sync::CancellationToken;

use super::job::unless_gone;
use super::running::{NotStarted, Running};
use crate::services::Services;

/// How often to look whether it is still wanted, gets on, and need not make way.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// A worker that says nothing for so long hangs. On a busy machine a piece takes minutes.
const SILENCE: Duration = Duration::from_secs(900);

const NO_SOUND: &str = "This video has no sound, so there is nothing to write down.";
const DIED: &str = "Recognising speech stopped unexpectedly.";
const CONFUSED: &str = "The speech worker and the daemon did not understand each other. Restart Lectern; if it happens again, report it.";
const NO_WORKER: &str =
    "Recognising speech cannot be started. Whoever runs the box finds the reason in its log.";
const NOT_KEPT: &str =
    "The box could not write down what was heard. Its disk may be full or failing.";

/// How it ended.
#[derive(Debug, Clone)]
enum End {
    Done,
    /// For good: a sentence for a person.
    Failed(String),
    /// Another try may end better: a sentence for a person.
    Setback(String),
    /// It makes way, or the daemon stops.
    PutBack,
    /// Nobody wants it any more.
    Gone,
}

/// Hears one video to its end; returns early when told to stop or to make way, with what was heard kept.
pub async fn run(services: &Services, job: SpeechJob, stop: &CancellationToken) {
    tracing::info!(event = "speech.start", video = %job.video, version = job.version, from_ms = job.from_ms);
    let began = Instant::now();
    let pump = Arc::new(Pump::new(services, job.clone()));
    let mut pumping = tokio::task::spawn_blocking({
        let pump = Arc::clone(&pump);
        move || pump.run()
    });
    let mut look = tokio::time::interval(LOOK_EVERY);
    let end = loop {
        tokio::select! {
            ended = &mut pumping => break ended.unwrap_or_else(|error| {
                tracing::error!(event = "speech.pump", %error);
                End::Setback(CONFUSED.to_owned())
            }),
            () = stop.cancelled(), if !pump.running.is_killed() => pump.running.kill(End::PutBack),
            _ = look.tick() => {
                let library = services.library.clone();
                let asked = job.clone();
                let wanted = tokio::task::spawn_blocking(move || {
                    let must_wait = library.hold().is_some() || library.awaits_job(Timestamp::now())?;
                    Ok::<_, Error>((library.wants_speech(&asked)?, must_wait))
                });
                match wanted.await {
                    Ok(Ok((false, _))) => pump.running.kill(End::Gone),
                    Ok(Ok((true, true))) => pump.running.kill(End::PutBack),
                    _ if pump.silence() > SILENCE => pump.running.kill(End::Setback(DIED.to_owned())),
                    _ => {}
                }
            }
        }
    };
    let took_s = began.elapsed().as_secs();
    tracing::info!(event = "speech.end", video = %job.video, took_s, end = ?end);
    let library = services.library.clone();
    let written = tokio::task::spawn_blocking(move || end.write_down(&library, &job)).await;
    if let Ok(Err(error)) = written {
        tracing::error!(event = "speech.not_kept", %error);
    }
}

impl End {
    fn write_down(self, library: &Library, job: &SpeechJob) -> Result<(), Error> {
        let now = Timestamp::now();
        unless_gone(match self {
            Self::Done => finish(library, job, now),
            Self::Failed(sentence) => library.fail_speech(job, &sentence, false, now),
            Self::Setback(sentence) => library.fail_speech(job, &sentence, true, now),
            Self::PutBack | Self::Gone => library.put_back_speech(job),
        })
    }
}

fn finish(library: &Library, job: &SpeechJob, now: Timestamp) -> Result<(), Error> {
    let heard = library.heard(job)?;
    let lines: Vec<Line> = heard
        .iter()
        .filter_map(|part| serde_json::from_str::<Vec<Line>>(part).ok())
        .flatten()
        .collect();
    match library.finish_speech(job, captions_of(&lines), now) {
        Err(Error::Invalid(why)) => library.fail_speech(job, why, false, now),
        Err(error) if error.is_full() => library.fail_speech(job, NOT_KEPT, true, now),
        other => other,
    }
}

struct Pump {
    library: Library,
    job: SpeechJob,
    /// Where the worker's folder and the sound are, until it ends.
    scratch: std::path::PathBuf,
    heard: Mutex<Instant>,
    running: Running<End>,
}

impl Pump {
    fn new(services: &Services, job: SpeechJob) -> Self {
        Self {
            library: services.library.clone(),
            job,
            scratch: services.state.join(super::CACHE),
            heard: Mutex::new(Instant::now()),
            running: Running::new(),
        }
    }

    fn silence(&self) -> Duration {
        let heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        heard.elapsed()
    }

    fn run(&self) -> End {
        let end = self.pump().unwrap_or_else(|end| end);
        let (why, death) = self.running.end();
        match (end, why) {
            (End::Done, _) => End::Done,
            (_, Some(why)) => why,
            (end, None) => {
                if death == Death::Breach {
                    tracing::error!(event = "job.breach", video = %self.job.video, version = self.job.version);
                }
                end
            }
        }
    }

    fn pump(&self) -> Result<End, End> {
        let package: Package = serde_json::from_str(&self.job.package).map_err(confused)?;
        let language = Language::new(self.job.language.clone()).ok();
        let spoken = language.as_ref().map(Language::as_str);
        let sound = sound_of(&package, spoken, self.job.from_ms)
            .ok_or_else(|| End::Failed(NO_SOUND.to_owned()))?;
        let order = speech::SpeechJob {
            language,
            threads: 0,
            offset_ms: sound.offset_ms,
            from_ms: self.job.from_ms,
        };
        let folder = self.folder().map_err(no_worker)?;
        let joined = self.join(&sound.files).map_err(no_worker)?;
        let args = SpeechArgs {
            sound: joined,
            model: &self.job.model,
            folder: folder.path(),
        };
        let started = self.running.start(|| Worker::start_speech(args, &order));
        let mut messages = started.map_err(|why| match why {
            NotStarted::Killed(why) => why,
            NotStarted::Failed(error) => no_worker(error),
        })?;
        let mut language = self.job.language.clone();
        loop {
            let message: SpeechMessage = match read_frame(&mut messages) {
                Ok(Some(message)) => message,
                Ok(None) | Err(FrameError::Io(_)) => return Err(End::Setback(DIED.to_owned())),
                Err(error) => return Err(confused(error)),
            };
            *self.heard.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
            match message {
                SpeechMessage::Began { language: spoken } => {
                    // Of a language that a person has named, its region as well.
                    if language.is_empty() {
                        language = spoken.as_str().to_owned();
                    }
                    self.keep(&language, None, 0)?;
                }
                SpeechMessage::Heard { through_ms, lines } => {
                    let sound: Vec<&Line> = lines.iter().filter(|line| line.is_sound()).collect();
                    let heard = serde_json::to_string(&sound).map_err(confused)?;
                    self.keep(&language, Some(heard), through_ms)?;
                }
                SpeechMessage::Progress => {}
                SpeechMessage::Done => return Ok(End::Done),
                SpeechMessage::Failed { sentence, may_pass } => {
                    let sentence = sentence.as_str().to_owned();
                    return Err(match may_pass {
                        true => End::Setback(sentence),
                        false => End::Failed(sentence),
                    });
                }
            }
        }
    }

    fn keep(&self, language: &str, heard: Option<String>, through_ms: u64) -> Result<(), End> {
        let kept = self
            .library
            .keep_speech(&self.job, language, heard, through_ms);
        kept.map_err(|error| match error {
            Error::JobGone => End::Gone,
            error => {
                tracing::error!(event = "speech.not_kept", %error);
                End::Setback(NOT_KEPT.to_owned())
            }
        })
    }

    /// Nothing is in it, and nothing is wanted from it: the worker's working directory.
    fn folder(&self) -> io::Result<tempfile::TempDir> {
        std::fs::create_dir_all(&self.scratch)?;
        tempfile::Builder::new()
            .prefix("speech-")
            .tempdir_in(&self.scratch)
    }

    /// The sound as one file without a name.
    fn join(&self, files: &[String]) -> io::Result<File> {
        let mut joined = tempfile::tempfile_in(&self.scratch)?;
        for file in files {
            io::copy(
                &mut File::open(self.job.package_dir.join(file))?,
                &mut joined,
            )?;
        }
        joined.rewind()?;
        Ok(joined)
    }
}

fn no_worker(error: io::Error) -> End {
    tracing::error!(event = "speech.no_worker", %error);
    End::Setback(NO_WORKER.to_owned())
}

fn confused(error: impl std::fmt::Display) -> End {
    tracing::error!(event = "speech.confused", %error);
    End::Setback(CONFUSED.to_owned())
}
