//! One job from spawn to end: the worker's messages become the version's package, progress and end.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use lectern_library::{ChangeKind, Error, Job, Library, PackageUpdate, TextKind};
use lectern_lms::Lms;
use lectern_vod::captions;
use lectern_vod::chapters::Chapters;
use lectern_vod::names::Language;
use lectern_vod::package::Package;
use lectern_vod::protocol::{self, Message, OriginalName, Remedy, SourceText};
use lectern_vod::spawn::{Death, Worker, WorkerArgs};
use tokio_util::sync::CancellationToken;

use super::running::{NotStarted, Running};
use crate::services::Services;

/// A worker that says nothing for so long hangs: it is ended and the job tried again.
const SILENCE: Duration = Duration::from_secs(180);
/// What is written down at most so often, but for what people wait for.
const SAVE_EVERY: Duration = Duration::from_secs(1);
/// How often to look whether the job is still wanted, gets on, and need not make way.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// A job that is done so soon need not make way.
const SOON: Duration = Duration::from_secs(120);

const HUNG: &str = "Processing made no progress for three minutes and was stopped.";
const DIED: &str = "Processing stopped unexpectedly. The file may be damaged.";
const INTERRUPTED: &str =
    "Processing was ended from outside, mostly because the box ran out of memory.";
const BREACH: &str = "This file made its decoder try what no video needs, as an attack does. It was stopped at once and reached nothing. Export the video anew with another program and upload that.";
const FELL: &str = "Its decoder fell over this file, twice at the same place: the file is damaged, or made to do harm. Export the video anew and upload that.";
const CONFUSED: &str = "The worker and the daemon did not understand each other. Restart Lectern; if it happens again, report it.";
const NO_WORKER: &str =
    "The worker cannot be started. Whoever runs the box finds the reason in its log.";
const NOT_KEPT: &str = "The box could not write down what was made. Its disk may be failing: whoever runs the box finds the reason in its log.";

/// Runs one job to its end; returns early when told to stop, with the job put back.
pub async fn run(services: &Services, job: Job, stop: &CancellationToken) {
    tracing::info!(event = "job.start", video = %job.video, version = job.version, attempt = job.attempt);
    let lease = job.lease;
    let pump = Arc::new(Pump::new(services, job.clone()));
    let mut changes = services.library.changes();
    let mut pumping = tokio::task::spawn_blocking({
        let (pump, state) = (pump.clone(), services.state.clone());
        move || pump.run(state)
    });
    let mut look = tokio::time::interval(LOOK_EVERY);
    let why = loop {
        tokio::select! {
            ended = &mut pumping => break match ended {
                Ok(end) => end,
                Err(error) => {
                    tracing::error!(event = "job.pump", %error);
                    End::Setback(CONFUSED.to_owned())
                }
            },
            () = stop.cancelled(), if !pump.running.is_killed() => pump.running.kill(End::Stopped),
            change = changes.recv() => {
                let concerns_us = change.is_ok_and(|change| {
                    change.video == job.video && matches!(change.kind, ChangeKind::JobCancelled | ChangeKind::Removed)
                });
                if concerns_us && !services.library.holds(job.lease) {
                    pump.running.kill(End::Gone);
                }
            }
            _ = look.tick() => {
                if !services.library.holds(job.lease) {
                    pump.running.kill(End::Gone);
                } else if pump.silence() > SILENCE {
                    pump.running.kill(End::Setback(HUNG.to_owned()));
                } else if pump.may_make_way()
                    && says(services, |library| library.awaits_first_segment(Timestamp::now())).await
                {
                    pump.running.kill(End::MadeWay);
                } else if says(services, move |library| library.is_held(lease)).await {
                    pump.running.kill(End::Held);
                }
            }
        }
    };
    let library = services.library.clone();
    let written = tokio::task::spawn_blocking(move || why.write_down(&library, &job)).await;
    if let Ok(Err(error)) = written {
        tracing::error!(event = "job.end", %error);
    }
}

/// What the library says to a question; one that cannot say says no.
async fn says<F>(services: &Services, ask: F) -> bool
where
    F: FnOnce(&Library) -> Result<bool, Error> + Send + 'static,
{
    let library = services.library.clone();
    tokio::task::spawn_blocking(move || ask(&library))
        .await
        .is_ok_and(|said| said.unwrap_or(false))
}

/// How a job ended.
#[derive(Debug, Clone)]
enum End {
    /// The package is whole.
    Done {
        package: String,
        report: serde_json::Value,
        duration_ms: u64,
    },
    /// For good: a sentence for a person.
    Failed(String),
    /// Another try, which goes on where this one was, may end better: a sentence for a person.
    Setback(String),
    /// What an earlier try left cannot be gone on with: a sentence for a person.
    Anew(String),
    /// The worker fell silent and is gone; how it went is still to be seen.
    Died,
    /// The worker was ended from outside, which is no fault of the job's.
    Interrupted,
    /// The disk is full.
    NoRoom,
    /// The daemon stops.
    Stopped,
    /// A job comes first of which nothing can be watched yet.
    MadeWay,
    /// The hours that IT has set are over, or the box is too hot.
    Held,
    /// Cancelled, or the video was removed.
    Gone,
}

impl End {
    fn write_down(self, library: &Library, job: &Job) -> Result<(), Error> {
        let now = Timestamp::now();
        match self {
            Self::Done {
                package,
                report,
                duration_ms,
            } => match library.finish_job(job, package, report, duration_ms, now) {
                Ok(_) => {
                    tracing::info!(event = "job.ready", video = %job.video, version = job.version);
                    Ok(())
                }
                Err(Error::JobGone) => Ok(()),
                Err(error) => Self::not_kept(error).write_down(library, job),
            },
            Self::Failed(sentence) => {
                tracing::warn!(event = "job.failed", video = %job.video, version = job.version, %sentence);
                unless_gone(library.fail_job(job, &sentence, false, None, now))
            }
            Self::Setback(sentence) => {
                tracing::warn!(event = "job.setback", video = %job.video, version = job.version, %sentence);
                // Whatever goes wrong again and again behind an earlier try may be that try's fault.
                let may_be_its_fault = job.is_last_try() && package_of(job).is_some();
                unless_gone(match may_be_its_fault {
                    true => library.begin_anew(job, &sentence),
                    false => library.fail_job(job, &sentence, true, None, now),
                })
            }
            Self::Anew(sentence) => {
                tracing::warn!(event = "job.anew", video = %job.video, version = job.version);
                unless_gone(library.begin_anew(job, &sentence))
            }
            Self::Died => Self::Setback(DIED.to_owned()).write_down(library, job),
            Self::Interrupted => {
                tracing::warn!(event = "job.interrupted", video = %job.video, version = job.version);
                unless_gone(library.interrupt(job, INTERRUPTED, now))
            }
            Self::NoRoom => {
                tracing::warn!(event = "job.no_room", video = %job.video, version = job.version);
                unless_gone(library.wait_for_room(job, now))
            }
            Self::MadeWay => {
                tracing::info!(event = "job.made_way", video = %job.video, version = job.version);
                library.put_back(job)
            }
            Self::Held => {
                tracing::info!(event = "job.held", video = %job.video, version = job.version);
                library.put_back(job)
            }
            Self::Stopped => library.put_back(job),
            Self::Gone => Ok(()),
        }
    }

    /// What was made could not be kept.
    fn not_kept(error: Error) -> Self {
        tracing::error!(event = "job.not_kept", %error);
        match error {
            Error::JobGone => Self::Gone,
            error if error.is_full() => Self::NoRoom,
            _ => Self::Setback(NOT_KEPT.to_owned()),
        }
    }
}

/// Nobody wants any more what a job has come to: that is no failure.
pub(super) fn unless_gone(written: Result<(), Error>) -> Result<(), Error> {
    match written {
        Err(Error::JobGone) => Ok(()),
        other => other,
    }
}

/// What an earlier try has listed, if it came to that.
fn package_of(job: &Job) -> Option<Package> {
    let package: Package = serde_json::from_str(job.package.as_deref()?).ok()?;
    (!package.tracks.is_empty()).then_some(package)
}

/// Reads the worker's messages on a thread of its own; ended from outside by [`Pump::kill`].
struct Pump {
    library: Library,
    lms: Lms,
    job: Job,
    began: Instant,
    /// When the worker last said something, in milliseconds since `began`
    heard_ms: AtomicU64,
    /// When this run first made something new, in the same; 0 before
    grew_ms: AtomicU64,
    /// The worker's last guess of how long it takes to the end; 0 while it has none
    eta_ms: AtomicU64,
    /// Whether a player can begin
    is_playable: AtomicBool,
    running: Running<End>,
}

impl Pump {
    fn new(services: &Services, job: Job) -> Self {
        Self {
            library: services.library.clone(),
            lms: services.lms.clone(),
            job,
            began: Instant::now(),
            heard_ms: AtomicU64::new(0),
            grew_ms: AtomicU64::new(0),
            eta_ms: AtomicU64::new(0),
            is_playable: AtomicBool::new(false),
            running: Running::new(),
        }
    }

    fn silence(&self) -> Duration {
        self.began
            .elapsed()
            .saturating_sub(Duration::from_millis(self.heard_ms.load(Ordering::Relaxed)))
    }

    fn may_make_way(&self) -> bool {
        let since = |ms: &AtomicU64| Duration::from_millis(ms.load(Ordering::Relaxed));
        self.is_playable.load(Ordering::Relaxed)
            && is_cheap_to_put_off(
                self.began.elapsed(),
                since(&self.grew_ms),
                since(&self.eta_ms),
            )
    }

    fn run(&self, state: PathBuf) -> End {
        let end = self.pump(state).unwrap_or_else(|end| end);
        let (why, death) = self.running.end();
        match (end, why, death) {
            (end @ End::Done { .. }, _, _) => end,
            (_, Some(why), _) => why,
            (_, None, Death::Breach) => {
                tracing::error!(event = "job.breach", video = %self.job.video, version = self.job.version);
                End::Failed(BREACH.to_owned())
            }
            // Once may be chance. Behind what an earlier run has made, that may be to blame: it is begun anew in time.
            (_, None, Death::Crash) if self.job.failures > 0 && package_of(&self.job).is_none() => {
                End::Failed(FELL.to_owned())
            }
            (End::Died, None, Death::Killed) => End::Interrupted,
            (end, None, _) => end,
        }
    }

    fn pump(&self, state: PathBuf) -> Result<End, End> {
        let earlier = package_of(&self.job);
        let mut package = earlier.clone().unwrap_or_default();
        let mut messages = self.start(state, earlier)?;
        let mut report = None;
        let mut saved = Saved {
            at: None,
            playable: false,
        };
        loop {
            let message: Message = match protocol::read_frame(&mut messages) {
                Ok(Some(message)) => message,
                Ok(None) | Err(protocol::FrameError::Io(_)) => {
                    // What it has got done is not done again, however it ended.
                    saved.at = None;
                    self.save(&package, &mut report, &mut saved)?;
                    return Err(End::Died);
                }
                Err(error) => return Err(confused(error)),
            };
            let now_ms = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
            self.heard_ms.store(now_ms, Ordering::Relaxed);
            package.apply(&message).map_err(confused)?;
            match message {
                Message::Failed { sentence, remedy } => {
                    let sentence = sentence.as_str().to_owned();
                    return Ok(match remedy {
                        Remedy::None => End::Failed(sentence),
                        Remedy::GoOn => End::Setback(sentence),
                        Remedy::BeginAnew => End::Anew(sentence),
                        Remedy::Room => End::NoRoom,
                    });
                }
                Message::Done { package, report } => {
                    return Ok(End::Done {
                        duration_ms: package.duration_ms,
                        package: json(&package)?.to_string(),
                        report: json(&report)?,
                    });
                }
                Message::Progress { ratio, eta_ms } => {
                    self.eta_ms.store(eta_ms.unwrap_or(0), Ordering::Relaxed);
                    self.library
                        .job_progress(&self.job, ratio as f32, eta_ms, Timestamp::now())
                        .map_err(|_| End::Gone)?;
                }
                Message::Segment { .. } => {
                    // Only the first one sets it.
                    let _ = self.grew_ms.compare_exchange(
                        0,
                        now_ms.max(1),
                        Ordering::Relaxed,
                        Ordering::Relaxed,
                    );
                }
                Message::Probed { report: probed, .. } => report = Some(json(&probed)?),
                Message::Text(text) => self.offer_text(text)?,
                Message::Chapters(chapters) => self.offer_chapters(&chapters)?,
                _ => {}
            }
            self.save(&package, &mut report, &mut saved)?;
        }
    }

    /// Subtitles of the source become captions, where nobody has brought better ones. A worker has read a
    /// hostile file: what it says is read as strictly as what a stranger sends.
    fn offer_text(&self, text: SourceText) -> Result<(), End> {
        let tag = match &text.language {
            Some(language) => language.as_str(),
            None if !self.job.language.is_empty() => &self.job.language,
            None => "und",
        };
        let vtt = match captions::parse(text.vtt.as_bytes(), Some(captions::Format::WebVtt)) {
            Ok(captions) => captions.to_vtt(),
            Err(error) => {
                tracing::warn!(event = "job.captions", video = %self.job.video, %error);
                return Ok(());
            }
        };
        match self.library.texts(TextKind::Captions).offer(
            self.job.video,
            tag,
            vtt,
            Timestamp::now(),
        ) {
            Ok(_) | Err(Error::Invalid(_)) => Ok(()),
            Err(error) => Err(End::not_kept(error)),
        }
    }

    fn offer_chapters(&self, chapters: &Chapters) -> Result<(), End> {
        let json = json(chapters)?.to_string();
        match self
            .library
            .offer_chapters(self.job.video, json, Timestamp::now())
        {
            Ok(_) | Err(Error::Invalid(_)) => Ok(()),
            Err(error) => Err(End::not_kept(error)),
        }
    }

    /// What this job was begun with, or what IT wants now.
    fn loudness(&self) -> Result<i8, End> {
        let wanted = self.lms.settings().map_err(|error| {
            tracing::error!(event = "job.settings", %error);
            End::Setback(NOT_KEPT.to_owned())
        })?;
        self.library
            .loudness_of(&self.job, wanted.loudness_lufs)
            .map_err(End::not_kept)
    }

    fn start(
        &self,
        state: PathBuf,
        resume: Option<Package>,
    ) -> Result<std::process::ChildStdout, End> {
        let order = protocol::Job {
            original_name: OriginalName::new(&self.job.original_name),
            language: Language::new(self.job.language.clone()).ok(),
            threads: 0,
            short_sides: Vec::new(),
            loudness_lufs: self.loudness()?,
            resume,
        };
        let args = WorkerArgs {
            source: &self.job.source,
            package_dir: &self.job.package_dir,
            cache_dir: &state.join(super::CACHE),
        };
        let started = self.running.start(|| Worker::start(&args, &order));
        started.map_err(|why| match why {
            NotStarted::Killed(why) => why,
            NotStarted::Failed(error) => {
                tracing::error!(event = "job.no_worker", %error);
                End::Setback(NO_WORKER.to_owned())
            }
        })
    }

    /// Writes down what people wait for at once (the report, the first playable moment), the rest once a second.
    fn save(
        &self,
        package: &Package,
        report: &mut Option<serde_json::Value>,
        saved: &mut Saved,
    ) -> Result<(), End> {
        // Signs of life before the probe's end: there is nothing to keep yet.
        if *package == Package::default() {
            return Ok(());
        }
        let playable = package.is_playable();
        self.is_playable.store(playable, Ordering::Relaxed);
        let is_due = saved.at.is_none_or(|at| at.elapsed() >= SAVE_EVERY);
        if !(is_due || report.is_some() || playable != saved.playable) {
            return Ok(());
        }
        let update = PackageUpdate {
            package: Some(json(package)?.to_string()),
            is_playable: playable,
            duration_ms: Some(package.duration_ms).filter(|duration| *duration > 0),
            report: report.take(),
        };
        *saved = Saved {
            at: Some(Instant::now()),
            playable,
        };
        self.library
            .save_package(&self.job, update, Timestamp::now())
            .map_err(End::not_kept)
    }
}

/// Whether a job that can be watched may be put off: it is far from its end, and has made new segments for
/// as long as it took to come to the first one. (A resumed worker reads all that was made before; so at
/// least half of its time is of use, however often it makes way.) Zero: nothing new yet, no guess yet.
fn is_cheap_to_put_off(running: Duration, to_first_segment: Duration, to_end: Duration) -> bool {
    !to_first_segment.is_zero() && running > to_first_segment * 2 && to_end > SOON
}

struct Saved {
    at: Option<Instant>,
    playable: bool,
}

fn json(value: &impl serde::Serialize) -> Result<serde_json::Value, End> {
    serde_json::to_value(value).map_err(confused)
}

fn confused(error: impl std::fmt::Display) -> End {
    tracing::error!(event = "job.confused", %error);
    End::Setback(CONFUSED.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_makes_way_only_when_half_of_its_time_was_of_use_and_much_is_left() {
        let s = Duration::from_secs;
        for (running, to_first_segment, to_end, may) in [
            (s(100), s(0), s(3600), false),
            (s(100), s(40), s(0), false),
            (s(100), s(40), s(120), false),
            (s(100), s(40), s(121), true),
            (s(100), s(50), s(3600), false),
            (s(2000), s(1500), s(3600), false),
            (s(3001), s(1500), s(3600), true),
        ] {
            let found = is_cheap_to_put_off(running, to_first_segment, to_end);
            assert_eq!(found, may, "{running:?} {to_first_segment:?} {to_end:?}");
        }
    }
}
