//! A worker killed in the middle: what it has listed stays as it is, byte for byte, and the next one goes
//! on behind it.

use std::collections::BTreeMap;
use std::fs;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::process::Command;

use lectern_vod::package::{Made as How, Package};
use lectern_vod::protocol::{Job, Message, Remedy, read_frame};
use lectern_vod::spawn::{Worker, WorkerArgs};
use tempfile::TempDir;

use super::run::{Made, job, packets, program};
use super::source;

/// Runs until `segments` more are listed, or to the end.
fn attempt(job: &Job, source: &Path, folder: &Path, segments: usize) -> (Package, Vec<Message>) {
    let args = WorkerArgs {
        source,
        package_dir: folder,
        cache_dir: folder,
    };
    let (worker, output) = Worker::start_program(&program(), &["worker"], &args, job).unwrap();
    let mut output = BufReader::new(output);
    let mut package = Package::default();
    let mut messages = Vec::new();
    let mut seen = 0;
    while let Some(message) = read_frame::<Message>(&mut output).unwrap() {
        package.apply(&message).unwrap();
        seen += usize::from(matches!(message, Message::Segment { .. }));
        messages.push(message);
        if seen >= segments {
            break;
        }
    }
    drop(worker);
    (package, messages)
}

/// Names of the files that a package lists.
pub fn listed_files(package: &Package) -> Vec<String> {
    let mut names = Vec::new();
    for track in &package.tracks {
        names.push(Package::init_file(&track.id));
        names.extend((1..=track.segments.len()).map(|n| Package::segment_file(&track.id, n)));
    }
    names.extend(package.poster.map(|_| Package::POSTER_FILE.to_owned()));
    names
}

/// Every file that a package lists.
fn listed(package: &Package, folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    listed_files(package)
        .into_iter()
        .map(|name| (PathBuf::from(&name), fs::read(folder.join(name)).unwrap()))
        .collect()
}

pub fn assert_decodes(file: &Path) {
    let output = Command::new("ffmpeg")
        .args(["-v", "warning", "-xerror", "-i"])
        .arg(file)
        .args(["-f", "null", "-"])
        .output()
        .unwrap();
    let complaints = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success() && complaints.is_empty(),
        "{}: {complaints}",
        file.display()
    );
}

/// Before anything new is made, and before the probe has read the source.
fn assert_tells_what_is_there(messages: &[Message]) {
    let ratio = |message: &Message| match message {
        Message::Progress { ratio, .. } => *ratio,
        other => panic!("not how far it is: {other:?}"),
    };
    assert!(ratio(&messages[0]) > 0.0);
    let probed = messages
        .iter()
        .position(|message| matches!(message, Message::Probed { .. }))
        .unwrap();
    assert!(ratio(&messages[probed + 1]) > 0.0);
}

fn killed_after(source: &Path, kills: &[usize]) -> Made {
    let folder = TempDir::new().unwrap();
    let mut order = job(source);
    let mut kept = BTreeMap::new();
    for segments in kills {
        let (package, _) = attempt(&order, source, folder.path(), *segments);
        for (name, bytes) in &kept {
            assert_eq!(
                fs::read(folder.path().join(name)).unwrap(),
                *bytes,
                "{name:?} has changed"
            );
        }
        kept = listed(&package, folder.path());
        order.resume = Some(package);
    }
    let begun = ["poster.part", "a1/99.part"].map(|name| folder.path().join(name));
    for path in &begun {
        // The sound's folder may not have been begun.
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, b"what a killed worker had begun").unwrap();
    }
    let (package, messages) = attempt(&order, source, folder.path(), usize::MAX);
    assert!(begun.iter().all(|path| !path.exists()));
    assert_tells_what_is_there(&messages);
    for (name, bytes) in &kept {
        let path: &PathBuf = name;
        assert_eq!(
            fs::read(folder.path().join(path)).unwrap(),
            *bytes,
            "{name:?} has changed"
        );
    }
    let Some(Message::Done { report, .. }) = messages.last() else {
        panic!("ended with {:?}", messages.last());
    };
    assert!(package.complete);
    Made {
        report: report.clone(),
        folder,
        package,
        messages,
    }
}

#[test]
fn an_interrupted_ladder_goes_on_behind_its_last_segments() {
    let made = killed_after(&source::sample(), &[1, 4, 9]);
    for track in ["v480", "v360", "v240"] {
        let times: Vec<f64> = packets(&made.track_file(track))
            .iter()
            .map(|p| p.at)
            .collect();
        assert_eq!(times.len(), 720, "{track}");
        assert!(
            times
                .windows(2)
                .all(|pair| (pair[1] - pair[0] - 1.0 / 24.0).abs() < 0.000_1),
            "{track}"
        );
        assert_decodes(&made.track_file(track));
    }
    assert_eq!(made.key_frames("v480"), made.key_frames("v240"));
    assert_eq!(packets(&made.track_file("a1")).len(), 1407);
    assert_decodes(&made.track_file("a1"));
    assert_eq!(
        made.package.storyboard.as_ref().map(|board| board.sheets),
        Some(1)
    );
}

#[test]
fn an_interrupted_remux_goes_on_behind_its_last_segments() {
    let folder = TempDir::new().unwrap();
    let source = source::make(
        folder.path(),
        "closed.mp4",
        "-f lavfi -i testsrc2=s=640x360:r=25:d=24 -f lavfi -i sine=d=24 -c:v libx264 -preset veryfast -bf 3 -g 50 -c:a aac",
    );
    let made = killed_after(&source, &[3, 5]);
    assert_eq!(made.report.ladder[0].made, How::Remuxed);
    assert_eq!(packets(&made.track_file("v360")).len(), 600);
    assert_eq!(made.key_frames("v360"), made.key_frames("v240"));
    assert_decodes(&made.track_file("v360"));
    assert_decodes(&made.track_file("v240"));
}

#[test]
fn what_was_planned_differently_is_not_continued() {
    let folder = TempDir::new().unwrap();
    let source = source::sample();
    let (package, _) = attempt(&job(&source), &source, folder.path(), 2);
    let order = Job {
        short_sides: vec![360],
        resume: Some(package),
        ..job(&source)
    };
    let (_, messages) = attempt(&order, &source, folder.path(), usize::MAX);
    match messages.last() {
        Some(Message::Failed {
            sentence,
            remedy: Remedy::BeginAnew,
        }) => {
            assert!(
                sentence.as_str().contains("It has to begin anew"),
                "{sentence}"
            );
        }
        other => panic!("ended with {other:?}"),
    }
}
