//! `lecternd worker`: takes one [`Job`] from standard input and the source from descriptor 3, makes the
//! package in the folder in which it was started, and says on standard output what it has done.
//!
//! The only place where hostile media is decoded, behind a closed sandbox ([`sandbox`]). It knows no
//! learner, no store and no name of a video. It may be killed at any moment: what it has announced is
//! on disk, whole. It ends when its standard input closes: then nobody wants the video any more.

mod boxes;
mod chapters;
mod coders;
mod cover;
mod decode;
mod elements;
mod encode;
mod engine;
mod failure;
mod glance;
mod h264;
mod kept;
mod lanczos;
mod level;
mod loudness;
mod mux;
mod pictures;
mod plan;
mod probe;
mod riff;
mod sandbox;
mod scale;
mod seam;
mod shelf;
mod source;
pub mod speech;
mod stillness;
mod texts;
mod thinner;
mod timeline;
mod tone;
pub mod trial;
mod tuning;

use std::io::{self, Read};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use crate::names::Sentence;
use crate::package::{Package, Track};
use crate::protocol::{Job, Message, read_frame, write_frame};
use engine::News;
use failure::Failure;
use level::Level;
use mux::Draft;
use plan::Planned;
use sandbox::Terms;
use shelf::Shelf;

/// A third of the weight of others: at 10 a busy box made viewers wait five seconds for the first picture.
const TERMS: Terms<'static> = Terms {
    inputs: &[source::INPUT],
    niceness: 5,
};

/// The worker's whole life.
pub fn run() -> ExitCode {
    let mut input = io::stdin().lock();
    let job: Job = match read_frame(&mut input) {
        Ok(Some(job)) => job,
        Ok(None) => return ExitCode::FAILURE,
        Err(e) => {
            eprintln!("worker: the job is not understood: {e}");
            return ExitCode::FAILURE;
        }
    };
    drop(input);
    let outcome = prepare(TERMS).and_then(|()| {
        end_with_input()?;
        work(&job)
    });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            let message = Message::Failed {
                sentence: Sentence::new(failure.to_string()),
                remedy: failure.remedy(),
            };
            match say(&message) {
                Ok(()) => ExitCode::SUCCESS,
                Err(_) => ExitCode::FAILURE,
            }
        }
    }
}

/// Loads what is needed and closes the doors, while this is the only thread.
fn prepare(terms: Terms<'_>) -> Result<(), Failure> {
    elements::load()?;
    let closed = sandbox::close(terms)
        .map_err(|e| Failure::Machine(format!("the sandbox does not close: {e}")))?;
    if !closed.paths {
        eprintln!("worker: this kernel has no Landlock; only seccomp and the limits hold");
    }
    Ok(())
}

/// Closes the doors as for a job and then runs `attempt`: what it cannot do, hostile media cannot.
pub fn behind_closed_doors<T>(attempt: impl FnOnce() -> T) -> Result<T, String> {
    prepare(TERMS).map_err(|e| e.to_string())?;
    Ok(attempt())
}

/// Watches standard input: its end means that the daemon is gone or has cancelled.
fn end_with_input() -> Result<(), Failure> {
    std::thread::Builder::new()
        .name("input".into())
        .spawn(|| {
            let mut byte = [0];
            loop {
                match io::stdin().lock().read(&mut byte) {
                    Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                    // What is announced is whole; there is nothing to tidy up.
                    _ => std::process::exit(1),
                }
            }
        })
        .map(|_| ())
        .map_err(|e| Failure::Machine(format!("no thread: {e}")))
}

fn work(job: &Job) -> Result<(), Failure> {
    let began = Instant::now();
    // A page that shows how far the job is does not fall back to nothing while the probe reads.
    let mut progress = Progress::new(job.resume.as_ref().map_or(0.0, ratio), began);
    say_if(progress.at_start())?;
    let mut facts = probe::probe(&mut || say_if(progress.beat(Instant::now())))?;
    // Before a single frame is decoded.
    if let Some(video) = &facts.ladder.video {
        video.check_size().map_err(plan::too_much)?;
    }
    facts.still_percent = glance::still_percent(&facts, plan::threads(job));
    if let Some(video) = &mut facts.ladder.video {
        video.is_still = glance::is_mostly_still(facts.still_percent);
    }
    let Planned {
        mut report,
        mut package,
        mut plan,
    } = plan::plan(&facts, job)?;
    say(&Message::Probed {
        report: report.clone(),
        package: package.clone(),
    })?;

    if let Some(chapters) = facts.chapters.clone() {
        say(&Message::Chapters(chapters))?;
    }

    let (sender, events) = mpsc::channel();
    let shelf = Shelf::new(PathBuf::from("."), sender);
    shelf.sweep()?;
    for track in plan.drafts().filter(|draft| draft.listed.is_some()) {
        look_at_files(track, &shelf)?;
        // Told anew where the word was lost.
        let is_known = package.track(&track.id).is_some_and(|track| track.complete);
        if track.is_complete() && !is_known {
            shelf.tell(Message::TrackDone {
                track: track.id.clone(),
            });
        }
    }
    if plan.sounds.iter().any(|draft| !draft.is_complete()) {
        let measured =
            loudness::measure(&facts, &plan, &mut || say_if(progress.beat(Instant::now())))?;
        for ((draft, level), measured) in plan.sounds.iter().zip(&mut plan.levels).zip(&measured) {
            *level = Level::to(job.loudness_lufs.into(), measured, draft.timescale);
            report.notes.extend(level.note(draft.id.as_str(), measured));
        }
    }
    let mut progress = Progress::new(ratio(&package), Instant::now());
    say_if(progress.at_start())?;
    let worked = engine::work(&facts, &plan, &shelf, &events, &mut |news| match news {
        News::Moved => say_if(progress.beat(Instant::now())),
        News::Made(message) => {
            package.apply(&message).map_err(|e| {
                Failure::Machine(format!("the package does not grow as planned: {e}"))
            })?;
            say(&message)?;
            say_if(progress.grew(ratio(&package), Instant::now()))
        }
    })?;
    if let Some(failure) = cut_short(&package) {
        return Err(failure);
    }
    package
        .finish()
        .map_err(|e| Failure::Machine(format!("the package is not whole: {e}")))?;
    report.notes.extend(worked.note());
    report.took_ms = u64::try_from(began.elapsed().as_millis()).ok();
    say(&Message::Done { package, report })
}

/// What was listed must be there, whole.
fn look_at_files(draft: &Draft, shelf: &Shelf) -> Result<(), Failure> {
    const GONE: Failure = Failure::CannotResume("a file is missing");
    let listed = draft.listed.iter().flat_map(|track| &track.segments);
    for (i, segment) in listed.enumerate() {
        let size = shelf.size(&Package::segment_file(&draft.id, i + 1));
        if size.ok() != Some(segment.bytes) {
            return Err(GONE);
        }
    }
    shelf
        .size(&Package::init_file(&draft.id))
        .map(drop)
        .map_err(|_| GONE)
}

/// What was read to its end was not always whole: a large source is planned by what its header says of
/// its length. Players were told of a video that is not there, so the job fails.
fn cut_short(package: &Package) -> Option<Failure> {
    let ns = |track: &Track| timeline::ticks_to_ns(track.duration(), track.timescale);
    let made = package.tracks.iter().map(ns).max().unwrap_or(0);
    Failure::cut_short(package.duration_ms.saturating_mul(1_000_000), made)
}

/// How far the job is: told where it grows, at most five times a second, and as a sign of life where
/// it does not.
struct Progress {
    began: Instant,
    /// What an earlier attempt has done.
    at_start: f64,
    ratio: f64,
    told: Instant,
}

impl Progress {
    const OFTEN: Duration = Duration::from_millis(200);
    const SELDOM: Duration = Duration::from_secs(5);

    fn new(at_start: f64, now: Instant) -> Self {
        Self {
            began: now,
            at_start,
            ratio: at_start,
            told: now,
        }
    }

    /// What was done before, if anything was.
    fn at_start(&self) -> Option<Message> {
        (self.at_start > 0.0).then_some(Message::Progress {
            ratio: self.at_start,
            eta_ms: None,
        })
    }

    /// So much is done now.
    fn grew(&mut self, ratio: f64, now: Instant) -> Option<Message> {
        if ratio <= self.ratio || now - self.told < Self::OFTEN {
            return None;
        }
        self.ratio = ratio;
        Some(self.tell(now))
    }

    /// Something moves.
    fn beat(&mut self, now: Instant) -> Option<Message> {
        (now - self.told >= Self::SELDOM).then(|| self.tell(now))
    }

    fn tell(&mut self, now: Instant) -> Message {
        self.told = now;
        let spent = (now - self.began).as_secs_f64();
        // The first seconds are start-up and say nothing about the rest.
        let done = self.ratio - self.at_start;
        let eta_ms = (done > 0.02).then(|| (spent * (1.0 - self.ratio) / done * 1000.0) as u64);
        Message::Progress {
            ratio: self.ratio,
            eta_ms,
        }
    }
}

/// The share of the planned tracks' time that is on disk.
fn ratio(package: &Package) -> f64 {
    let whole = package.duration_ms as f64 / 1000.0 * package.planned.len().max(1) as f64;
    let made: f64 = package
        .tracks
        .iter()
        .map(|track| track.duration() as f64 / f64::from(track.timescale.max(1)))
        .sum();
    if whole <= 0.0 {
        0.0
    } else {
        (made / whole).min(0.999)
    }
}

fn say_if(message: Option<Message>) -> Result<(), Failure> {
    message.as_ref().map_or(Ok(()), say)
}

fn say(message: &impl serde::Serialize) -> Result<(), Failure> {
    write_frame(&mut io::stdout().lock(), message)
        .map_err(|e| Failure::Machine(format!("nobody listens: {e}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(ratio: f64, eta_ms: Option<u64>) -> Option<Message> {
        Some(Message::Progress { ratio, eta_ms })
    }

    #[test]
    fn a_worker_that_makes_nothing_new_gives_a_sign_of_life_each_five_seconds() {
        let began = Instant::now();
        let at = |seconds: f64| began + Duration::from_secs_f64(seconds);
        let mut progress = Progress::new(0.5, began);
        assert_eq!(progress.at_start(), told(0.5, None));
        assert_eq!(progress.beat(at(4.9)), None);
        assert_eq!(progress.beat(at(5.0)), told(0.5, None));
        assert_eq!(progress.beat(at(9.9)), None);
        assert_eq!(progress.beat(at(10.0)), told(0.5, None));
        assert_eq!(progress.grew(0.75, at(10.1)), None, "too often");
        assert_eq!(progress.grew(0.75, at(20.0)), told(0.75, Some(20_000)));
        assert_eq!(progress.grew(0.75, at(21.0)), None);
        assert_eq!(progress.beat(at(24.0)), None);
        assert_eq!(progress.beat(at(25.0)), told(0.75, Some(25_000)));
        assert_eq!(Progress::new(0.0, began).at_start(), None);
    }
}
