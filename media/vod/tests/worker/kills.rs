//! Workers killed at random moments, again and again: each package ends as the one of a worker that
//! nobody killed, and no segment that was finished is made a second time.
//! Short by default; `make test-crash` asks for 100 kills (`LECTERN_CRASH_ROUNDS`).

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::hash::{BuildHasher, RandomState};
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::{Duration, Instant, SystemTime};

use lectern_vod::package::Package;
use lectern_vod::protocol::{Job, Message, read_frame};
use lectern_vod::spawn::{Worker, WorkerArgs};
use tempfile::TempDir;

use super::resume::{assert_decodes, listed_files};
use super::run::{Made, job, make, packets, program};
use super::source;

/// So often one job is killed before it is let go on to its end.
const KILLS_A_JOB: usize = 5;

/// Times may differ by the rounding of a time scale.
const SAME: f64 = 0.000_1;

/// Sources whose jobs differ in what a resumed worker has to find again.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let made = [
        (
            "kept.mp4",
            "-f lavfi -i testsrc2=s=640x360:r=25:d=24 -f lavfi -i sine=d=24 -c:v libx264 -preset veryfast -bf 3 -g 50 -c:a aac",
        ),
        (
            "slides.mkv",
            "-f lavfi -i testsrc=s=1280x720:r=1:d=40,fps=30 -f lavfi -i sine=d=40:r=44100 -c:v libx264 -preset veryfast -c:a libopus",
        ),
        (
            "languages.mkv",
            "-f lavfi -i testsrc2=s=640x480:r=30000/1001:d=20 -f lavfi -i sine=d=21 -f lavfi -i sine=f=880:r=32000:d=19 -map 0 -map 1 -map 2 -c:v mpeg4 -c:a aac -metadata:s:a:0 language=ger -metadata:s:a:1 language=eng",
        ),
        ("sound.mp3", "-f lavfi -i sine=d=300"),
    ];
    std::iter::once(source::sample())
        .chain(made.map(|(name, arguments)| source::make(folder, name, arguments)))
        .collect()
}

fn rounds() -> usize {
    std::env::var("LECTERN_CRASH_ROUNDS")
        .ok()
        .and_then(|rounds| rounds.parse().ok())
        .unwrap_or(10)
}

/// Any moment up to this one.
fn some_moment(longest: Duration) -> Duration {
    // Each hasher is seeded by chance.
    let chance = RandomState::new().hash_one(0) >> 32;
    longest.mul_f64(chance as f64 / 2_f64.powi(32))
}

/// Runs to its end, or to this moment; whether it was still at work then.
fn run(job: &Job, source: &Path, folder: &Path, moment: Duration) -> (Package, Vec<Message>, bool) {
    let args = WorkerArgs {
        source,
        package_dir: folder,
        cache_dir: folder,
    };
    let (mut worker, output) = Worker::start_program(&program(), &["worker"], &args, job).unwrap();
    let (ended, end) = mpsc::channel::<()>();
    let killer = std::thread::spawn(move || {
        let was_at_work = end.recv_timeout(moment).is_err();
        worker.kill();
        was_at_work
    });
    let mut output = BufReader::new(output);
    let mut package = job.resume.clone().unwrap_or_default();
    let mut messages = Vec::new();
    // The end of the output may be in the middle of a message.
    while let Ok(Some(message)) = read_frame::<Message>(&mut output) {
        package.apply(&message).unwrap();
        messages.push(message);
    }
    let _ = ended.send(());
    let was_at_work = killer.join().unwrap() && !package.complete;
    (package, messages, was_at_work)
}

/// What the listed files are: contents, and when they were written. But for the poster: until the end a better one may
/// be found.
fn written(package: &Package, folder: &Path) -> BTreeMap<String, (Vec<u8>, SystemTime)> {
    listed_files(package)
        .into_iter()
        .filter(|name| name != Package::POSTER_FILE)
        .map(|name| {
            let path = folder.join(&name);
            let at = fs::metadata(&path).unwrap().modified().unwrap();
            (name, (fs::read(path).unwrap(), at))
        })
        .collect()
}

/// One job, killed up to so many times; how often it was, and what came of it.
fn killed(source: &Path, longest: Duration, kills: usize) -> (usize, Made) {
    let folder = TempDir::new().unwrap();
    let mut order = job(source);
    let mut kept = BTreeMap::new();
    let mut count = 0;
    loop {
        let moment = match count < kills {
            true => some_moment(longest),
            false => Duration::from_secs(3600),
        };
        let (package, messages, was_killed) = run(&order, source, folder.path(), moment);
        let now = written(&package, folder.path());
        for (name, was) in &kept {
            assert!(
                now.get(name) == Some(was),
                "{name} of {} was made again, kill {count} at {moment:?}",
                source.display()
            );
        }
        kept = now;
        if !was_killed {
            let Some(Message::Done { report, .. }) = messages.last() else {
                panic!("{} ended with {:?}", source.display(), messages.last());
            };
            let made = Made {
                report: report.clone(),
                folder,
                package,
                messages,
            };
            return (count, made);
        }
        count += 1;
        // As the daemon does: a package without tracks is none.
        order.resume = Some(package).filter(|package| !package.tracks.is_empty());
    }
}

/// The same pictures and sounds at the same times, and nothing that a decoder stumbles over.
fn assert_same(found: &Made, expected: &Made, times: &HashMap<String, Vec<f64>>) {
    let shape = |made: &Made| {
        // They stand in the order of their first segments.
        let tracks: BTreeMap<_, _> = made
            .package
            .tracks
            .iter()
            .map(|track| (track.id.to_string(), (track.segments.len(), track.made)))
            .collect();
        let sheets = made.package.storyboard.as_ref().map(|board| board.sheets);
        (tracks, sheets, made.package.duration_ms)
    };
    assert_eq!(shape(found), shape(expected));
    for (track, expected) in times {
        let file = found.track_file(track);
        let found = times_of(&file);
        assert_eq!(found.len(), expected.len(), "{track}");
        for (found, expected) in found.iter().zip(expected) {
            assert!(
                (found - expected).abs() < SAME,
                "{track}: {found} instead of {expected}"
            );
        }
        assert_decodes(&file);
    }
}

fn times_of(file: &Path) -> Vec<f64> {
    packets(file).iter().map(|packet| packet.at).collect()
}

#[test]
fn workers_that_are_killed_at_random_moments_leave_whole_packages() {
    let folder = TempDir::new().unwrap();
    let mut left = rounds();
    let jobs: Vec<_> = sources(folder.path())
        .into_iter()
        .take(left.div_ceil(KILLS_A_JOB))
        .map(|source| {
            let began = Instant::now();
            let made = make(&source);
            let took = began.elapsed();
            let tracks = made.package.tracks.iter().map(|track| track.id.to_string());
            let times: HashMap<_, _> = tracks
                .map(|track| (track.clone(), times_of(&made.track_file(&track))))
                .collect();
            (source, took, made, times)
        })
        .collect();
    for (source, took, made, times) in jobs.iter().cycle() {
        let (count, found) = killed(source, *took, left.min(KILLS_A_JOB));
        assert_same(&found, made, times);
        left -= count;
        if left == 0 {
            break;
        }
    }
}
