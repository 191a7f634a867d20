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

use std::path::Path;
use std::time::{Duration, Instant};

use inputs::{Outcome, write_all};
use support::{Daemon, FILM, PATIENCE};

/// What the daemon may hold more of afterwards.
const MORE_KIB: u64 = 5 * 1024;
/// Jobs after which every cache that the daemon has is filled.
const WARM_UP: u64 = 30;
/// The worker's longest.
const LONGEST: Duration = Duration::from_secs(100);

#[tokio::test(flavor = "multi_thread")]
async fn a_hostile_file_gets_a_sentence_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state");
    std::fs::create_dir(&state).unwrap();
    let files = folder.path().join("files");
    std::fs::create_dir(&files).unwrap();
    let mut all = write_all(&files, Path::new(FILM));
    assert!(all.len() >= 20);
    if let Ok(words) = std::env::var("LECTERN_HOSTILE") {
        all.retain(|input| input.name.contains(&words));
    }

    let daemon = Daemon::start(&state);
    let instructor = daemon.person("ines", &["instructor"]);
    let hand_in = |path: &Path, title: &str| {
        let answer = daemon.run(&["import", path.to_str().unwrap(), "--title", title], "");
        answer["id"].as_str().unwrap().to_owned()
    };
    // Films, and some that fail, so that what the first of each costs is no one's fault.
    for warm_up in [FILM, file!(), FILM, file!(), FILM, file!()] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("..")
            .join(warm_up);
        let video = hand_in(&path, "Warm-up");
        instructor.wait_for(&video, &["ready", "failed"]).await;
    }
    let before = resident_kib(daemon.pid());
    for input in &all {
        let began = Instant::now();
        let video = hand_in(&input.path, input.name);
        let answer = instructor.wait_for(&video, &["ready", "failed"]).await;
        let took = began.elapsed();
        let version = &answer["versions"][0];
        let sentence = version["error"].as_str().unwrap_or_default();
        if std::env::var_os("LECTERN_SHOW").is_some() {
            println!(
                "{:5.1} s  {}: {} {sentence}",
                took.as_secs_f64(),
                input.name,
                version["state"]
            );
        }
        let name = input.name;
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

/// `LECTERN_JOBS=200` for the long form.
#[tokio::test(flavor = "multi_thread")]
async fn jobs_leave_nothing_of_them_in_the_daemons_memory() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state");
    std::fs::create_dir(&state).unwrap();
    let film = folder.path().join("film.mp4");
    let made = std::process::Command::new("ffmpeg")
        .args(
            "-nostdin -loglevel error -f lavfi -i testsrc2=s=426x240:r=10:d=1 -f lavfi -i sine=d=1"
                .split(' '),
        )
        .args("-c:v libx264 -preset ultrafast -pix_fmt yuv420p -c:a aac".split(' '))
        .arg(&film)
        .status();
    assert!(made.unwrap().success());
    let jobs: u64 = match std::env::var("LECTERN_JOBS") {
        Ok(jobs) => jobs.parse().unwrap(),
        Err(_) => 20,
    };
    let daemon = Daemon::start(&state);
    let instructor = daemon.person("ines", &["instructor"]);
    let mut first = 0;
    for n in 0..WARM_UP + jobs {
        let video = daemon.import(film.to_str().unwrap(), &format!("{n}"));
        instructor.wait_for(&video, &["ready"]).await;
        if n + 1 == WARM_UP {
            first = resident_kib(daemon.pid());
        }
        if n % 20 == 9 {
            println!("{:4} jobs: {} KiB", n + 1, resident_kib(daemon.pid()));
        }
    }
    let last = resident_kib(daemon.pid());
    println!("resident: {first} KiB after {WARM_UP} jobs, {last} KiB after {jobs} more");
    assert!(last <= first + MORE_KIB, "{first} KiB, then {last} KiB");
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
