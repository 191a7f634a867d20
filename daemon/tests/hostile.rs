//! Files that somebody made to do harm, given to a real daemon: each gets its sentence or plays as far as it is good;
//! the worker goes, the daemon stays, and keeps nothing of them in memory.
//!
//! `LECTERN_HOSTILE=WORDS` takes only those whose name has the words, `LECTERN_SHOW=1` prints what became of each.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "tests"
)]

#[path = "hostile/inputs.rs"]
mod inputs;
mod support;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use inputs::{Input, Outcome, write_all};
use support::{Client, Daemon, FILM, PATIENCE};

/// What the daemon may hold more of afterwards.
const MORE_KIB: u64 = 5 * 1024;
/// Jobs after which every cache that the daemon has is filled, and every thread's own part of the allocator.
const WARM_UP: u64 = 30;
/// The worker's longest.
const LONGEST: Duration = Duration::from_secs(100);

/// First jobs like any other, `LECTERN_JOBS=200` for many: what the daemon holds after them is what it may hold after
/// the files made to do harm.
#[tokio::test(flavor = "multi_thread")]
async fn a_job_leaves_nothing_in_the_daemon_and_a_hostile_one_a_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state");
    std::fs::create_dir(&state).unwrap();
    let daemon = Daemon::start(&state);
    let instructor = daemon.person("ines", &["instructor"]);

    let jobs: u64 = match std::env::var("LECTERN_JOBS") {
        Ok(jobs) => jobs.parse().unwrap(),
        Err(_) => 20,
    };
    let film = short_film(folder.path());
    let mut done = 0;
    let mut work = async |more: u64| {
        for _ in 0..more {
            done += 1;
            let video = daemon.import(film.to_str().unwrap(), &format!("{done}"));
            instructor.wait_for(&video, &["ready"]).await;
        }
        let held = resident_kib(daemon.pid());
        println!("{done:4} jobs: {held} KiB");
        held
    };
    let mut before = work(WARM_UP).await;
    // A leak grows in every round. A thread's part of the allocator fills once, at a moment of its own.
    let mut rounds = Vec::new();
    while rounds.len() < 3 && rounds.last() != Some(&true) {
        let after = work(jobs).await;
        rounds.push(after <= before + MORE_KIB);
        before = after;
    }
    assert_eq!(
        rounds.last(),
        Some(&true),
        "it grew in each of {} rounds",
        rounds.len()
    );

    let files = folder.path().join("files");
    std::fs::create_dir(&files).unwrap();
    let mut all = write_all(&files, Path::new(FILM));
    assert!(all.len() >= 20);
    if let Ok(words) = std::env::var("LECTERN_HOSTILE") {
        all.retain(|input| input.name.contains(&words));
    }
    for input in &all {
        judge(&daemon, &instructor, input).await;
    }
    let after = resident_kib(daemon.pid());
    println!(
        "resident: {before} KiB before, {after} KiB after {} files",
        all.len()
    );
    assert!(
        after <= before + MORE_KIB,
        "{before} KiB before, {after} KiB after"
    );
    let video = daemon.import(FILM, "After all that");
    instructor.wait_for(&video, &["ready"]).await;
}

/// Hands it in; it becomes what it is to become, and its worker goes.
async fn judge(daemon: &Daemon, instructor: &Client, input: &Input) {
    let name = input.name;
    let began = Instant::now();
    let path = input.path.to_str().unwrap();
    let answer = daemon.run(&["import", path, "--title", name], "");
    let video = answer["id"].as_str().unwrap();
    let answer = instructor.wait_for(video, &["ready", "failed"]).await;
    let took = began.elapsed();
    let version = &answer["versions"][0];
    let sentence = version["error"].as_str().unwrap_or_default();
    if std::env::var_os("LECTERN_SHOW").is_some() {
        println!(
            "{:5.1} s  {name}: {} {sentence}",
            took.as_secs_f64(),
            version["state"]
        );
    }
    match (version["state"].as_str(), input.outcome) {
        (Some("ready"), Outcome::Either) => {}
        (Some("failed"), _) => {
            let is_clear =
                sentence.len() > 20 && sentence.ends_with('.') && !sentence.contains('/');
            assert!(is_clear, "{name}: {sentence}");
        }
        _ => panic!("{name}: {version}"),
    }
    assert!(took < LONGEST, "{name} took {took:?}");
    assert!(
        children(daemon.pid()).await.is_empty(),
        "{name}: the worker is still there"
    );
}

/// A second of a test picture.
fn short_film(folder: &Path) -> PathBuf {
    let film = folder.join("film.mp4");
    let made = std::process::Command::new("ffmpeg")
        .args(
            "-nostdin -loglevel error -f lavfi -i testsrc2=s=426x240:r=10:d=1 -f lavfi -i sine=d=1"
                .split(' '),
        )
        .args("-c:v libx264 -preset ultrafast -pix_fmt yuv420p -c:a aac".split(' '))
        .arg(&film)
        .status();
    assert!(made.unwrap().success());
    film
}

fn resident_kib(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// Processes that it started and that still run.
async fn children(process: u32) -> Vec<String> {
    let end = Instant::now() + PATIENCE;
    loop {
        let tasks = std::fs::read_dir(format!("/proc/{process}/task")).unwrap();
        let lists = tasks
            .filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("children")).ok());
        let found: Vec<String> = lists
            .flat_map(|list| list.split(' ').map(str::to_owned).collect::<Vec<_>>())
            .filter(|id| !id.trim().is_empty())
            .collect();
        // It ends a moment after it has told the outcome.
        if found.is_empty() || Instant::now() > end {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
