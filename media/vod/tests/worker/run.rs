//! Runs a job as the daemon does and reads the result as a stranger does.

use std::fs;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::process::Command;

use lectern_vod::names::TrackId;
use lectern_vod::package::Package;
use lectern_vod::protocol::{Job, LOUDNESS_LUFS, Message, OriginalName, Remedy, read_frame};
use lectern_vod::report::Report;
use lectern_vod::spawn::{Worker, WorkerArgs};
use serde_json::Value;
use tempfile::TempDir;

/// A job's end.
pub struct Made {
    pub folder: TempDir,
    pub package: Package,
    pub report: Report,
    pub messages: Vec<Message>,
}

/// The program that stands in for `lecternd`.
pub fn program() -> PathBuf {
    let mut path = std::env::current_exe().expect("a test has a path");
    path.pop();
    path.pop();
    let program = path.join("examples/worker");
    assert!(
        program.exists(),
        "{} is missing: `cargo build --examples`",
        program.display()
    );
    program
}

pub fn job(source: &Path) -> Job {
    Job {
        original_name: OriginalName::new(source.to_string_lossy()),
        language: None,
        threads: 0,
        short_sides: Vec::new(),
        loudness_lufs: LOUDNESS_LUFS,
        resume: None,
    }
}

/// Everything that the worker says about a source.
pub fn messages(source: &Path, folder: &Path) -> Vec<Message> {
    messages_of(&job(source), source, folder)
}

fn messages_of(job: &Job, source: &Path, folder: &Path) -> Vec<Message> {
    let args = WorkerArgs {
        source,
        package_dir: folder,
        cache_dir: folder,
    };
    let (_worker, output) =
        Worker::start_program(&program(), &["worker"], &args, job).expect("it starts");
    let mut output = BufReader::new(output);
    std::iter::from_fn(|| read_frame(&mut output).expect("frames that can be read")).collect()
}

/// A source whose job must succeed.
pub fn make(source: &Path) -> Made {
    make_as(&job(source), source)
}

/// A job that must succeed.
pub fn make_as(job: &Job, source: &Path) -> Made {
    let folder = TempDir::new().expect("a folder");
    let messages = messages_of(job, source, folder.path());
    let mut built = Package::default();
    for message in &messages {
        built.apply(message).expect("messages in order");
    }
    match messages.last() {
        Some(Message::Done { package, report }) => {
            assert_eq!(*package, built);
            Made {
                folder,
                package: package.clone(),
                report: report.clone(),
                messages,
            }
        }
        other => panic!("{} ended with {other:?}", source.display()),
    }
}

/// The sentence of a job that must fail, and what would help.
pub fn fail(source: &Path) -> (String, Remedy) {
    let folder = TempDir::new().expect("a folder");
    match messages(source, folder.path()).pop() {
        Some(Message::Failed { sentence, remedy }) => (sentence.as_str().to_owned(), remedy),
        other => panic!("{} ended with {other:?}", source.display()),
    }
}

impl Made {
    /// A track as one file.
    pub fn track_file(&self, track: &str) -> PathBuf {
        let id = TrackId::new(track).expect("a name");
        let segments = self.package.track(&id).expect("a track").segments.len();
        let names = std::iter::once(Package::init_file(&id))
            .chain((1..=segments).map(|n| Package::segment_file(&id, n)));
        self.joined(&format!("{track}.mp4"), names)
    }

    fn joined(&self, name: &str, parts: impl Iterator<Item = String>) -> PathBuf {
        let bytes: Vec<u8> = parts
            .flat_map(|part| fs::read(self.folder.path().join(part)).expect("a listed file"))
            .collect();
        let path = self.folder.path().join(name);
        fs::write(&path, bytes).expect("written");
        path
    }

    /// Presentation times, as ffprobe sees them, of the first picture of each segment.
    pub fn segment_starts(&self, track: &str) -> Vec<f64> {
        let id = TrackId::new(track).expect("a name");
        let segments = self.package.track(&id).expect("a track").segments.len();
        (1..=segments)
            .map(|n| {
                let parts = [Package::init_file(&id), Package::segment_file(&id, n)];
                let file = self.joined("one.mp4", parts.into_iter());
                packets(&file)
                    .iter()
                    .map(|packet| packet.at)
                    .fold(f64::MAX, f64::min)
            })
            .collect()
    }

    /// Presentation times of a track's key frames.
    pub fn key_frames(&self, track: &str) -> Vec<f64> {
        packets(&self.track_file(track))
            .iter()
            .filter(|packet| packet.key)
            .map(|packet| packet.at)
            .collect()
    }

    pub fn video_tracks(&self) -> Vec<String> {
        let tracks = self.package.planned.iter().map(ToString::to_string);
        tracks.filter(|id| id.starts_with('v')).collect()
    }
}

pub struct Packet {
    pub at: f64,
    pub key: bool,
}

/// A file's packets in the order of presentation.
pub fn packets(file: &Path) -> Vec<Packet> {
    let found = ffprobe(file, &["-show_packets"]);
    let mut packets: Vec<Packet> = found["packets"]
        .as_array()
        .expect("packets")
        .iter()
        .map(|packet| Packet {
            at: number(&packet["pts_time"]),
            key: packet["flags"]
                .as_str()
                .is_some_and(|flags| flags.contains('K')),
        })
        .collect();
    packets.sort_by(|a, b| a.at.total_cmp(&b.at));
    packets
}

/// A file's first stream.
pub fn stream(file: &Path) -> Value {
    ffprobe(file, &["-show_streams"])["streams"][0].clone()
}

/// What ffprobe says; it must have nothing to complain about.
fn ffprobe(file: &Path, show: &[&str]) -> Value {
    let output = Command::new("ffprobe")
        .args(["-v", "warning", "-of", "json"])
        .args(show)
        .arg(file)
        .output()
        .expect("ffprobe is installed");
    let complaints = String::from_utf8_lossy(&output.stderr);
    assert_eq!(complaints, "", "{}", file.display());
    serde_json::from_slice(&output.stdout).expect("JSON")
}

fn number(value: &Value) -> f64 {
    value
        .as_str()
        .expect("a number as text")
        .parse()
        .expect("a number")
}

/// What ffmpeg says of these files when it does that with them, and keeps nothing of it.
pub fn said_by_ffmpeg(files: &[&Path], arguments: &[&str]) -> String {
    let mut command = Command::new("ffmpeg");
    command.args(["-hide_banner", "-nostats"]);
    for file in files {
        command.arg("-i").arg(file);
    }
    let output = command
        .args(arguments)
        .args(["-f", "null", "-"])
        .output()
        .unwrap();
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Times that an ffmpeg filter finds in a track.
pub fn events(made: &Made, track: &str, filter: &str, label: &str) -> Vec<f64> {
    let arguments: Vec<&str> = filter.split(' ').collect();
    let text = said_by_ffmpeg(&[&made.track_file(track)], &arguments);
    text.split(label)
        .skip(1)
        .filter_map(|rest| rest.split([' ', '\n', '|']).next()?.parse().ok())
        .collect()
}
