//! What hostile media could make the worker do: nothing but its work.

use std::fs;
use std::io::Read;
use std::net::TcpListener;
use std::path::Path;

use lectern_vod::spawn::{Death, Worker, WorkerArgs};
use tempfile::TempDir;

use super::run::{job, program};
use super::source;

/// What becomes of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    /// It works: it is part of the work.
    Done,
    /// An error: libraries try such things and do without.
    Refused,
    /// The kernel ends the process.
    Ended,
}

#[test]
fn behind_closed_doors_only_the_work_is_possible() {
    use Answer::{Done, Ended, Refused};
    let state = TempDir::new().unwrap();
    let folder = state.path().join("package");
    fs::create_dir(&folder).unwrap();
    let other_job = state.path().join("other");
    fs::create_dir(&other_job).unwrap();
    let other_source = other_job.join("source.mp4");
    fs::copy(source::sample(), &other_source).unwrap();
    let args = WorkerArgs {
        source: &other_source,
        package_dir: &other_job,
        cache_dir: &other_job,
    };
    let program_of_worker = program();
    let (other, _other_output) =
        Worker::start_program(&program_of_worker, &["worker"], &args, &job(&other_source)).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let local = state.path().join("socket");
    let _local = std::os::unix::net::UnixListener::bind(&local).unwrap();
    let text = |path: &Path| path.display().to_string();
    let outside = text(&state.path().join("outside.txt"));
    let by_other = format!("/proc/{}", other.id());

    for (what, with, answer) in [
        ("read the source", "", Done),
        ("write into the folder", "", Done),
        ("make a folder in the folder", "", Done),
        ("compute in a thread", "", Done),
        ("read a file", "/etc/passwd", Refused),
        ("read a file", "/proc/1/environ", Refused),
        ("read a file", &text(&other_source), Refused),
        ("read a file", &format!("{by_other}/fd/3"), Refused),
        ("read a file", &format!("{by_other}/mem"), Refused),
        ("read a folder", "..", Refused),
        ("read a folder", "/", Refused),
        ("write a file", &outside, Refused),
        ("write a file", "/tmp/lectern-attack.txt", Refused),
        ("write into the source", "", Refused),
        ("remove a file", &text(&other_source), Refused),
        ("link a file", "/etc/passwd", Refused),
        ("connect a local socket", &text(&local), Refused),
        ("signal another process", &other.id().to_string(), Refused),
        ("connect a socket", &address, Ended),
        ("listen at a socket", "127.0.0.1:0", Ended),
        ("open a datagram socket", "127.0.0.1:0", Ended),
        ("become another program", "/bin/sh", Ended),
        ("start another program", "/bin/sh", Ended),
        ("enter a namespace of its own", "", Ended),
        ("make memory executable", "", Ended),
        ("trace another process", "", Ended),
    ] {
        let found = attempt(&["attack", what, with], &folder);
        assert_eq!(found, answer, "{what} {with}");
    }
    assert!(!Path::new(&outside).exists());
    assert!(!Path::new("/tmp/lectern-attack.txt").exists());
    assert!(other_source.exists());
    let untouched = fs::read(source::sample()).unwrap();
    assert_eq!(fs::read(&other_source).unwrap(), untouched);
}

fn attempt(arguments: &[&str], folder: &Path) -> Answer {
    let source = source::sample();
    let args = WorkerArgs {
        source: &source,
        package_dir: folder,
        cache_dir: folder,
    };
    let (worker, mut output) =
        Worker::start_program(&program(), arguments, &args, &job(&source)).unwrap();
    let mut said = String::new();
    output.read_to_string(&mut said).unwrap();
    match (said.as_str(), worker.end()) {
        ("done", Death::Other) => Answer::Done,
        ("", Death::Breach) => Answer::Ended,
        (said, Death::Other) if said.starts_with("refused: ") => Answer::Refused,
        other => panic!("{arguments:?}: {other:?}"),
    }
}

#[test]
fn a_worker_ends_when_nobody_listens_any_more() {
    let folder = TempDir::new().unwrap();
    let source = source::sample();
    let args = WorkerArgs {
        source: &source,
        package_dir: folder.path(),
        cache_dir: folder.path(),
    };
    let (worker, output) =
        Worker::start_program(&program(), &["worker"], &args, &job(&source)).unwrap();
    let process = std::path::PathBuf::from(format!("/proc/{}", worker.id()));
    assert!(process.exists());
    drop(output);
    drop(worker);
    assert!(!process.exists());
}
