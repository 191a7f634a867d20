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
use std::io::Write;
use std::path::Path;
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

/// What was acknowledged.
#[derive(Default)]
struct Acknowledged {
    statements: Vec<String>,
    /// State ids; each document is its own id.
    documents: Vec<String>,
    /// Statements with an attachment, which is the statement's id.
    attached: Vec<String>,
}

/// A client posts until the daemon is gone: one statement, a batch of five, a State document, a statement with an
/// attachment, in turns; what was acknowledged is kept.
async fn post_until_gone(client: support::Client, acknowledged: Arc<Mutex<Acknowledged>>) {
    let first = rand::rng().random_range(0..4_usize);
    for round in first.. {
        let fresh = || uuid::Uuid::new_v4().to_string();
        let answer = match round % 4 {
            0 | 1 => {
                let count = if round % 4 == 0 { 1 } else { 5 };
                let ids: Vec<String> = (0..count).map(|_| fresh()).collect();
                let batch: Value = ids.iter().map(|id| statement(id)).collect();
                let answer = client.xapi("POST", "/xapi/statements", Some(&batch)).await;
                if answer.as_ref().is_ok_and(|answer| answer.status == 200) {
                    acknowledged.lock().unwrap().statements.extend(ids);
                }
                answer
            }
            2 => {
                let id = fresh();
                let body = json!({ "id": id });
                let answer = client.xapi("PUT", &document(&id), Some(&body)).await;
                if answer.as_ref().is_ok_and(|answer| answer.status == 204) {
                    acknowledged.lock().unwrap().documents.push(id);
                }
                answer
            }
            _ => {
                let id = fresh();
                let (kind, body) = with_attachment(&id);
                let headers = [
                    ("x-experience-api-version", "2.0.0"),
                    ("content-type", kind.as_str()),
                ];
                let answer = client
                    .send("POST", "/xapi/statements", &headers, body)
                    .await;
                if answer.as_ref().is_ok_and(|answer| answer.status == 200) {
                    acknowledged.lock().unwrap().attached.push(id);
                }
                answer
            }
        };
        match answer {
            Ok(answer) => assert!(matches!(answer.status, 200 | 204), "{}", answer.text()),
            Err(_) => return,
        }
    }
}

/// The path of a State document.
fn document(id: &str) -> String {
    let agent = "%7B%22mbox%22%3A%22mailto%3Aone%40crash.example%22%7D";
    format!(
        "/xapi/activities/state?activityId=https%3A%2F%2Fcrash.example%2F1&agent={agent}&stateId={id}"
    )
}

/// A multipart body: a statement and an attachment that holds its id.
fn with_attachment(id: &str) -> (String, Vec<u8>) {
    let sha2 = hex::encode(ring::digest::digest(&ring::digest::SHA256, id.as_bytes()));
    let mut statement = statement(id);
    statement["attachments"] = json!([{
        "usageType": "https://crash.example/usage",
        "display": { "en": "its id" },
        "contentType": "text/plain",
        "length": id.len(),
        "sha2": sha2,
    }]);
    let body = format!(
        "--b\r\nContent-Type: application/json\r\n\r\n{statement}\r\n--b\r\nContent-Type: text/plain\r\n\
         Content-Transfer-Encoding: binary\r\nX-Experience-API-Hash: {sha2}\r\n\r\n{id}\r\n--b--\r\n"
    );
    ("multipart/mixed; boundary=b".to_owned(), body.into_bytes())
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

/// Statements that are there before the first kill (`LECTERN_CRASH_STATEMENTS`).
async fn fill(lrs: &support::Client) {
    let wanted: usize = std::env::var("LECTERN_CRASH_STATEMENTS")
        .ok()
        .and_then(|count| count.parse().ok())
        .unwrap_or(0);
    let left = Arc::new(std::sync::atomic::AtomicUsize::new(wanted / 500));
    let clients: Vec<_> = (0..4)
        .map(|_| {
            let (lrs, left) = (lrs.clone(), left.clone());
            tokio::spawn(async move {
                use std::sync::atomic::Ordering::Relaxed;
                while left
                    .fetch_update(Relaxed, Relaxed, |n| n.checked_sub(1))
                    .is_ok()
                {
                    let id = || uuid::Uuid::new_v4().to_string();
                    let batch: Value = (0..500).map(|_| statement(&id())).collect();
                    let answer = lrs.xapi("POST", "/xapi/statements", Some(&batch)).await;
                    answer.unwrap().expect(200);
                }
            })
        })
        .collect();
    for client in clients {
        client.await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_acknowledged_write_survives_kill_9_and_is_there_once() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state");
    std::fs::create_dir(&state).unwrap();
    let acknowledged = Arc::new(Mutex::new(Acknowledged::default()));
    let mut daemon = Daemon::start(&state);
    let mut lrs = daemon.lrs();
    fill(&lrs).await;
    let mut starts = Vec::new();
    for _ in 0..rounds(5) {
        lrs.base.clone_from(&daemon.base);
        let clients: Vec<_> = (0..16)
            .map(|_| tokio::spawn(post_until_gone(lrs.clone(), acknowledged.clone())))
            .collect();
        let moment = rand::rng().random_range(20..400);
        tokio::time::sleep(Duration::from_millis(moment)).await;
        daemon.kill();
        for client in clients {
            client.await.unwrap();
        }
        let began = Instant::now();
        daemon = Daemon::start(&state);
        starts.push(began.elapsed());
    }
    lrs.base.clone_from(&daemon.base);
    let counts = stored(&lrs).await;
    let acknowledged = std::mem::take(&mut *acknowledged.lock().unwrap());
    assert!(!acknowledged.statements.is_empty());
    for id in acknowledged.statements.iter().chain(&acknowledged.attached) {
        assert_eq!(counts.get(id), Some(&1), "{id} was acknowledged");
    }
    assert!(counts.values().all(|count| *count == 1));
    for id in &acknowledged.documents {
        let found = lrs.xapi("GET", &document(id), None).await.unwrap();
        assert_eq!(found.expect(200).json()["id"], json!(id));
    }
    for id in &acknowledged.attached {
        let path = format!("/xapi/statements?statementId={id}&attachments=true");
        let found = lrs.xapi("GET", &path, None).await.unwrap().expect(200);
        assert!(found.text().contains(&format!("\r\n\r\n{id}\r\n")), "{id}");
    }
    starts.sort_unstable();
    println!(
        "{} statements, {} documents, {} attachments acknowledged, {} statements stored; started in {:?} (median), {:?} (longest); the disk syncs {:.0} times a second",
        acknowledged.statements.len(),
        acknowledged.documents.len(),
        acknowledged.attached.len(),
        counts.len(),
        starts[starts.len() / 2],
        starts[starts.len() - 1],
        syncs_a_second(state.parent().unwrap()),
    );
    assert!(daemon.stop());
    let records = state.join("records.redb");
    let (ok, verified) = support::lecternd(&state, &["verify", records.to_str().unwrap()], "");
    assert!(ok, "{verified}");
    assert_eq!(verified["entries"], json!(counts.len()));
}

/// How often a second the disk below a folder has a page of 4 KiB for certain: what starts and writes are to be seen beside.
fn syncs_a_second(folder: &Path) -> f64 {
    const TIMES: u32 = 500;
    let mut file = std::fs::File::create(folder.join("syncs")).unwrap();
    let began = Instant::now();
    for _ in 0..TIMES {
        file.write_all(&[7; 4096]).unwrap();
        file.sync_data().unwrap();
    }
    f64::from(TIMES) / began.elapsed().as_secs_f64()
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
