//! One job from spawn to end: the worker's messages become the version's package, progress and end.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use lectern_library::{ChangeKind, Job, Library, PackageUpdate};
use lectern_vod::names::Language;
use lectern_vod::package::Package;
use lectern_vod::protocol::{self, Message, OriginalName};
use lectern_vod::spawn::{Worker, WorkerArgs};
use tokio_util::sync::CancellationToken;

use crate::services::Services;

/// A worker that says nothing for so long hangs: it is ended and the job tried again.
const SILENCE: Duration = Duration::from_secs(180);
/// What is written down at most so often, but for what people wait for.
const SAVE_EVERY: Duration = Duration::from_secs(1);

const HUNG: &str = "Processing made no progress for three minutes and was stopped.";
const DIED: &str = "Processing stopped unexpectedly. The file may be damaged.";
const CONFUSED: &str = "The worker and the daemon did not understand each other. Restart Lectern; if it happens again, report it.";

/// Runs one job to its end; returns early when told to stop, with the job put back.
pub async fn run(services: &Services, job: Job, stop: &CancellationToken) {
    tracing::info!(event = "job.start", video = %job.video, version = job.version, attempt = job.attempt);
    let pump = Arc::new(Pump::new(services.library.clone(), job.clone()));
    let mut changes = services.library.changes();
    let mut pumping = tokio::task::spawn_blocking({
        let (pump, state) = (pump.clone(), services.state.clone());
        move || pump.run(state)
    });
    let mut look = tokio::time::interval(Duration::from_secs(5));
    let why = loop {
        tokio::select! {
            ended = &mut pumping => break match ended {
                Ok(end) => end,
                Err(error) => End::Failed(format!("{CONFUSED} ({error})"), true),
            },
            () = stop.cancelled(), if !pump.is_killed() => pump.kill(End::Stopped),
            change = changes.recv() => {
                let concerns_us = change.is_ok_and(|change| {
                    change.video == job.video && matches!(change.kind, ChangeKind::JobCancelled | ChangeKind::Removed)
                });
                if concerns_us && !services.library.holds(job.lease) {
                    pump.kill(End::Gone);
                }
            }
            _ = look.tick() => {
                if !services.library.holds(job.lease) {
                    pump.kill(End::Gone);
                } else if pump.silence() > SILENCE {
                    pump.kill(End::Failed(HUNG.to_owned(), true));
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

/// How a job ended.
#[derive(Debug, Clone)]
enum End {
    /// The package is whole.
    Done {
        package: String,
        report: serde_json::Value,
        duration_ms: u64,
    },
    /// A sentence for a person, and whether another try may end better.
    Failed(String, bool),
    /// What an earlier attempt left cannot be gone on with.
    Anew,
    /// The daemon stops.
    Stopped,
    /// Cancelled, or the video was removed.
    Gone,
}

impl End {
    fn write_down(self, library: &Library, job: &Job) -> Result<(), lectern_library::Error> {
        let now = Timestamp::now();
        match self {
            Self::Done {
                package,
                report,
                duration_ms,
            } => {
                tracing::info!(event = "job.ready", video = %job.video, version = job.version);
                library
                    .finish_job(job, package, report, duration_ms, now)
                    .map(drop)
            }
            Self::Failed(sentence, may_pass) => {
                tracing::warn!(event = "job.failed", video = %job.video, version = job.version, may_pass, %sentence);
                match library.fail_job(job, &sentence, may_pass, None, now) {
                    Err(lectern_library::Error::JobGone) => Ok(()),
                    other => other,
                }
            }
            Self::Anew => {
                tracing::warn!(event = "job.anew", video = %job.video, version = job.version);
                library.begin_anew(job)
            }
            Self::Stopped => library.put_back(job),
            Self::Gone => Ok(()),
        }
    }
}

/// Reads the worker's messages on a thread of its own; ended from outside by [`Pump::kill`].
struct Pump {
    library: Library,
    job: Job,
    began: Instant,
    /// When the worker last said something, in milliseconds since `began`
    heard_ms: AtomicU64,
    /// The worker while it runs, and why it was killed, if it was
    running: Mutex<(Option<Worker>, Option<End>)>,
}

impl Pump {
    fn new(library: Library, job: Job) -> Self {
        Self {
            library,
            job,
            began: Instant::now(),
            heard_ms: AtomicU64::new(0),
            running: Mutex::new((None, None)),
        }
    }

    fn silence(&self) -> Duration {
        self.began
            .elapsed()
            .saturating_sub(Duration::from_millis(self.heard_ms.load(Ordering::Relaxed)))
    }

    fn is_killed(&self) -> bool {
        self.running
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .1
            .is_some()
    }

    fn kill(&self, why: End) {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        running.1.get_or_insert(why);
        if let Some(worker) = &mut running.0 {
            worker.kill();
        }
    }

    fn run(&self, state: PathBuf) -> End {
        let end = self.pump(state).unwrap_or_else(|end| end);
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        // Dropping it ends the process and waits for it: nobody writes into the folder from here on.
        running.0 = None;
        match (end, running.1.take()) {
            (end @ End::Done { .. }, _) => end,
            (_, Some(why)) => why,
            (end, None) => end,
        }
    }

    fn pump(&self, state: PathBuf) -> Result<End, End> {
        let earlier: Option<Package> = self
            .job
            .package
            .as_deref()
            .and_then(|json| serde_json::from_str(json).ok());
        let is_resumed = earlier
            .as_ref()
            .is_some_and(|package| !package.tracks.is_empty());
        let mut package = earlier.clone().unwrap_or_default();
        let mut messages = self.start(state, earlier)?;
        // Whatever goes wrong behind an earlier attempt may be its fault: the next one starts from nothing.
        let fails = |sentence: String, may_pass: bool| match is_resumed && may_pass {
            true => End::Anew,
            false => End::Failed(sentence, may_pass),
        };
        let mut report = None;
        let mut saved = Saved {
            at: None,
            playable: false,
        };
        loop {
            let message: Message = match protocol::read_frame(&mut messages) {
                Ok(Some(message)) => message,
                Ok(None) => return Err(fails(DIED.to_owned(), true)),
                Err(protocol::FrameError::Io(_)) => return Err(fails(DIED.to_owned(), true)),
                Err(error) => return Err(fails(format!("{CONFUSED} ({error})"), true)),
            };
            let now_ms = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
            self.heard_ms.store(now_ms, Ordering::Relaxed);
            package
                .apply(&message)
                .map_err(|error| fails(format!("{CONFUSED} ({error})"), true))?;
            match message {
                Message::Failed {
                    sentence,
                    retriable,
                } => {
                    return Ok(fails(sentence.as_str().to_owned(), retriable));
                }
                Message::Done { package, report } => {
                    return Ok(End::Done {
                        duration_ms: package.duration_ms,
                        package: json(&package)?.to_string(),
                        report: json(&report)?,
                    });
                }
                Message::Progress { ratio, eta_ms } => {
                    self.library
                        .job_progress(&self.job, ratio as f32, eta_ms, Timestamp::now())
                        .map_err(|_| End::Gone)?;
                }
                Message::Probed { report: probed, .. } => report = Some(json(&probed)?),
                _ => {}
            }
            self.save(&package, &mut report, &mut saved)?;
        }
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
            resume,
        };
        let args = WorkerArgs {
            source: &self.job.source,
            package_dir: &self.job.package_dir,
            cache_dir: &state.join("cache"),
        };
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(why) = &running.1 {
            return Err(why.clone());
        }
        let started = Worker::start(&args, &order);
        let (worker, messages) = started
            .map_err(|error| End::Failed(format!("The worker cannot be started: {error}"), true))?;
        running.0 = Some(worker);
        Ok(messages)
    }

    /// Writes down what people wait for at once (the report, the first playable moment), the rest once a second.
    fn save(
        &self,
        package: &Package,
        report: &mut Option<serde_json::Value>,
        saved: &mut Saved,
    ) -> Result<(), End> {
        let playable = package.is_playable();
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
        match self
            .library
            .save_package(&self.job, update, Timestamp::now())
        {
            Ok(()) => Ok(()),
            Err(lectern_library::Error::JobGone) => Err(End::Gone),
            Err(error) => Err(End::Failed(error.to_string(), true)),
        }
    }
}

struct Saved {
    at: Option<Instant>,
    playable: bool,
}

fn json(value: &impl serde::Serialize) -> Result<serde_json::Value, End> {
    serde_json::to_value(value).map_err(|error| End::Failed(format!("{CONFUSED} ({error})"), true))
}
