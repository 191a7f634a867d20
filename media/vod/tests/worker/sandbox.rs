//! What hostile media could make the worker do: nothing but its work.

use std::io::Read;
use std::net::TcpListener;

use lectern_vod::spawn::{Worker, WorkerArgs};
use tempfile::TempDir;

use super::run::{job, program};
use super::source;

#[test]
fn behind_closed_doors_only_the_work_is_possible() {
    let state = TempDir::new().unwrap();
    let folder = state.path().join("package");
    std::fs::create_dir(&folder).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    let source = source::sample();
    let args = WorkerArgs {
        source: &source,
        package_dir: &folder,
        cache_dir: state.path(),
    };
    let (worker, mut output) =
        Worker::start_program(&program(), &["attack", &port], &args, &job(&source)).unwrap();
    let mut said = String::new();
    output.read_to_string(&mut said).unwrap();
    drop(worker);

    let allowed: Vec<&str> = said
        .lines()
        .filter_map(|line| line.strip_suffix(": done"))
        .collect();
    assert_eq!(
        allowed,
        [
            "read the source",
            "write into the folder",
            "make a folder in the folder",
            "compute in a thread"
        ],
        "{said}"
    );
    assert_eq!(said.lines().count(), 14, "{said}");
    assert!(!state.path().join("outside.txt").exists());
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
