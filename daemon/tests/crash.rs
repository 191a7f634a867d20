//! `kill -9` at random moments: every acknowledged statement is there, once; a transcode ends whole and plays.
//! Short by default; `make test-crash` asks for 100 rounds (`LECTERN_CRASH_ROUNDS`).
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "tests"
)]

mod support;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rand::Rng;
use serde_json::{Value, json};
use support::{Daemon, FILM};

fn rounds(short: usize) -> usize {
    std::env::var("LECTERN_CRASH_ROUNDS")
        .ok()
        .and_then(|rounds| rounds.parse().ok())
        .unwrap_or(short)
}

fn statement(id: &str) -> Value {
    json!({
        "id": id,
        "actor": { "objectType": "Agent", "account": { "homePage": "https://crash.example", "name": "one" } },
        "verb": { "id": "http://adlnet.gov/expapi/verbs/experienced" },
        "object": { "id": "https://crash.example/activities/1" },
    })
}

/// Eight clients post, one statement or a batch of five, until the daemon is gone; what was acknowledged is kept.
async fn post_until_gone(client: support::Client, acknowledged: Arc<Mutex<Vec<String>>>) {
    for round in 0.. {
        let count = if round % 2 == 0 { 1 } else { 5 };
        let ids: Vec<String> = (0..count)
            .map(|_| uuid::Uuid::new_v4().to_string())
            .collect();
        let batch: Value = ids.iter().map(|id| statement(id)).collect();
        match client.xapi("POST", "/xapi/statements", Some(&batch)).await {
            Ok(answer) => {
                assert_eq!(answer.status, 200, "{}", answer.text());
                acknowledged.lock().unwrap().extend(ids);
            }
            Err(_) => return,
        }
    }
}

/// How often each statement id stands in the record store.
async fn stored(client: &support::Client) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    let mut path = "/xapi/statements?limit=1000&ascending=true".to_owned();
    loop {
        let page = client
            .xapi("GET", &path, None)
            .await
            .unwrap()
            .expect(200)
            .json();
        for statement in page["statements"].as_array().unwrap() {
            *counts
                .entry(statement["id"].as_str().unwrap().to_owned())
                .or_default() += 1;
        }
        match page["more"].as_str() {
            Some(more) if !more.is_empty() => path = more.to_owned(),
            _ => return counts,
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_acknowledged_statement_survives_kill_9_and_is_there_once() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state");
    std::fs::create_dir(&state).unwrap();
    let acknowledged = Arc::new(Mutex::new(Vec::new()));
    let mut daemon = Daemon::start(&state);
    let mut lrs = daemon.lrs();
    for _ in 0..rounds(5) {
        lrs.base.clone_from(&daemon.base);
        let clients: Vec<_> = (0..8)
            .map(|_| tokio::spawn(post_until_gone(lrs.clone(), acknowledged.clone())))
            .collect();
        let moment = rand::rng().random_range(20..400);
        tokio::time::sleep(Duration::from_millis(moment)).await;
        daemon.kill();
        for client in clients {
            client.await.unwrap();
        }
        daemon = Daemon::start(&state);
    }
    lrs.base.clone_from(&daemon.base);
    let counts = stored(&lrs).await;
    let acknowledged = acknowledged.lock().unwrap();
    assert!(!acknowledged.is_empty());
    for id in acknowledged.iter() {
        assert_eq!(counts.get(id), Some(&1), "{id} was acknowledged");
    }
    assert!(counts.values().all(|count| *count == 1));
    println!(
        "{} acknowledged, {} stored",
        acknowledged.len(),
        counts.len()
    );
}

/// The process id of the daemon's worker, when one runs.
fn worker_of(daemon: &Daemon) -> Option<nix::unistd::Pid> {
    let children = std::fs::read_dir(format!("/proc/{}/task", daemon.pid())).ok()?;
    children
        .flatten()
        .filter_map(|task| std::fs::read_to_string(task.path().join("children")).ok())
        .flat_map(|list| {
            list.split_whitespace()
                .filter_map(|pid| pid.parse().ok())
                .collect::<Vec<i32>>()
        })
        .map(nix::unistd::Pid::from_raw)
        .next()
}

/// The daemon's worker, as soon as one runs.
async fn worker_at_work(daemon: &Daemon) -> nix::unistd::Pid {
    let end = Instant::now() + support::PATIENCE;
    loop {
        if let Some(worker) = worker_of(daemon) {
            return worker;
        }
        assert!(Instant::now() < end, "no worker was started");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Daemons that die one after the other at the same job, each in the worker's first moments.
const DEATHS: usize = 6;

#[tokio::test(flavor = "multi_thread")]
async fn a_transcode_ends_whole_and_plays_when_daemon_and_worker_are_killed_again_and_again() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state");
    std::fs::create_dir(&state).unwrap();
    let mut daemon = Daemon::start(&state);
    let mut instructor = daemon.person("ines", &["instructor"]);
    let film = std::fs::read(FILM).unwrap();
    // Seven deaths a round: 14 in the short form, 35 in the long one.
    for round in 0..rounds(40).div_ceil(20) {
        instructor.base.clone_from(&daemon.base);
        let video = instructor
            .create_video(&film, &format!("Round {round}"))
            .await;
        for death in 0..DEATHS {
            worker_at_work(&daemon).await;
            let moment = rand::rng().random_range(0..800);
            tokio::time::sleep(Duration::from_millis(moment)).await;
            let was_running = worker_of(&daemon).is_some();
            daemon.kill();
            assert!(was_running, "death {death} hit no running job");
            daemon = Daemon::start(&state);
        }
        instructor.base.clone_from(&daemon.base);
        // The daemon sees the worker die, and its successor goes on behind what is listed.
        let worker = worker_at_work(&daemon).await;
        let moment = rand::rng().random_range(0..2000);
        tokio::time::sleep(Duration::from_millis(moment)).await;
        nix::sys::signal::kill(worker, nix::sys::signal::Signal::SIGKILL)
            .expect("the worker's death hit no running job");
        let key = key_of(&instructor, &video).await;

        let answer = instructor.wait_for(&video, &["ready", "failed"]).await;
        assert_eq!(answer["versions"][0]["state"], "ready", "{answer}");
        if key.is_some() {
            assert_eq!(key_of(&instructor, &video).await, key, "begun anew");
        }
        plays(&instructor, &video).await;
    }
}

/// The key in the addresses of a video's files, once there is a poster.
async fn key_of(client: &support::Client, video: &str) -> Option<String> {
    let path = format!("/api/v1/videos/{video}");
    let answer = client.get(&path).await.expect(200).json();
    let poster = answer["versions"][0]["poster"].as_str()?;
    poster.split('/').nth(4).map(ToOwned::to_owned)
}

/// Reads the whole package as ffprobe does: no message, and the film's length.
async fn plays(client: &support::Client, video: &str) {
    let viewing = client
        .json("POST", &format!("/api/v1/videos/{video}/play"), &json!({}))
        .await
        .expect(200)
        .json();
    let hls = viewing["hls"].as_str().unwrap();
    let url = if hls.starts_with("http") {
        hls.to_owned()
    } else {
        format!("{}{hls}", client.base)
    };
    let output = tokio::process::Command::new("ffprobe")
        .args([
            "-v",
            "warning",
            "-count_packets",
            "-show_entries",
            "stream=codec_type,nb_read_packets,height",
            "-of",
            "json",
            &url,
        ])
        .output()
        .await
        .unwrap();
    assert!(
        output.stderr.is_empty(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let probed: Value = serde_json::from_slice(&output.stdout).unwrap();
    let streams = probed["streams"].as_array().unwrap();
    let videos: Vec<_> = streams
        .iter()
        .filter(|stream| stream["codec_type"] == "video")
        .collect();
    assert_eq!(videos.len(), 3, "{probed}");
    for stream in videos {
        // 30 s at 24 frames a second
        let packets: usize = stream["nb_read_packets"].as_str().unwrap().parse().unwrap();
        assert!((718..=722).contains(&packets), "{stream}");
    }
}
