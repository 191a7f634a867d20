//! A disk that fills up while 16 clients post: what does not fit is answered 507 and is not there, what was acknowledged
//! is, and writing goes on when there is room again.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod support;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use support::{Client, Daemon, PATIENCE};

/// The disk, what the store keeps free of it, and what is left for statements before it is full, in MiB.
const DISK: u32 = 224;
const RESERVE: u64 = 64;
const ROOM: u64 = 24;

fn batch() -> (Vec<String>, Value) {
    let ids: Vec<String> = (0..50).map(|_| uuid::Uuid::new_v4().to_string()).collect();
    let statement = |id: &String| {
        json!({
            "id": id,
            "actor": { "account": { "homePage": "https://disk.example", "name": id } },
            "verb": { "id": "http://adlnet.gov/expapi/verbs/experienced" },
            "object": { "id": format!("https://disk.example/activities/{id}") },
        })
    };
    let batch = ids.iter().map(statement).collect();
    (ids, batch)
}

/// What became of the batches of one client.
#[derive(Default)]
struct Told {
    stored: Vec<Vec<String>>,
    refused: Vec<Vec<String>>,
}

/// Posts until it is told to stop.
async fn post(client: Client, is_full: Arc<AtomicBool>, stop: Arc<AtomicBool>) -> Told {
    let mut told = Told::default();
    while !stop.load(Ordering::Relaxed) {
        let (ids, batch) = batch();
        let answer = client.xapi("POST", "/xapi/statements", Some(&batch)).await;
        let answer = answer.unwrap();
        match answer.status {
            200 => told.stored.push(ids),
            507 => {
                told.refused.push(ids);
                is_full.store(true, Ordering::Relaxed);
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            status => panic!("{status}: {}", answer.text()),
        }
    }
    told
}

/// How often each statement id is there.
async fn stored(client: &Client) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    let mut path = "/xapi/statements?limit=500&ascending=true".to_owned();
    loop {
        let page = client.xapi("GET", &path, None).await.unwrap();
        let page = page.expect(200).json();
        for statement in page["statements"].as_array().unwrap() {
            let id = statement["id"].as_str().unwrap().to_owned();
            *counts.entry(id).or_default() += 1;
        }
        match page["more"].as_str() {
            Some(more) if !more.is_empty() => path = more.to_owned(),
            _ => return counts,
        }
    }
}

/// Bytes that are free where this file is.
fn free(at: &std::path::Path) -> u64 {
    let found = nix::sys::statvfs::statvfs(at).unwrap();
    found.blocks_available() * found.fragment_size()
}

async fn until(what: &str, is_so: impl Fn() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < end, "{what} did not come");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_fills_up_under_load_loses_nothing_and_writing_goes_on_when_there_is_room() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state");
    std::fs::create_dir(&state).unwrap();
    let daemon = Daemon::start_on_disk_of(&state, DISK);
    let lrs = daemon.lrs();
    let ballast = daemon.state.join("ballast");
    let weight = free(&daemon.state) - ((RESERVE + ROOM) << 20);
    std::fs::write(&ballast, vec![0; usize::try_from(weight).unwrap()]).unwrap();

    let (is_full, stop) = (Arc::new(AtomicBool::new(false)), Arc::default());
    let clients: Vec<_> = (0..16)
        .map(|_| tokio::spawn(post(lrs.clone(), is_full.clone(), Arc::clone(&stop))))
        .collect();
    until("a full disk", || is_full.load(Ordering::Relaxed)).await;
    // Full is not down: what is there is read, and whoever posts is told.
    tokio::time::sleep(Duration::from_secs(2)).await;
    lrs.xapi("GET", "/xapi/statements?limit=5", None)
        .await
        .unwrap()
        .expect(200);
    std::fs::remove_file(&ballast).unwrap();
    let end = Instant::now() + PATIENCE;
    let mut late = Vec::new();
    while late.len() < 5 {
        assert!(Instant::now() < end, "writing does not go on");
        let (ids, batch) = batch();
        let answer = lrs.xapi("POST", "/xapi/statements", Some(&batch)).await;
        match answer.unwrap().status {
            200 => late.push(ids),
            status => assert_eq!(status, 507),
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    stop.store(true, Ordering::Relaxed);
    let mut told = Told::default();
    for client in clients {
        let of_one = client.await.unwrap();
        told.stored.extend(of_one.stored);
        told.refused.extend(of_one.refused);
    }
    told.stored.extend(late);
    let counts = stored(&lrs).await;
    for id in told.stored.iter().flatten() {
        assert_eq!(counts.get(id), Some(&1), "{id} was acknowledged");
    }
    for id in told.refused.iter().flatten() {
        assert_eq!(counts.get(id), None, "{id} was refused");
    }
    let archive = folder.path().join("archive");
    let archive = archive.to_str().unwrap();
    daemon.run(&["backup", archive], "");
    let verified = daemon.run(&["verify", archive], "");
    assert_eq!(verified["entries"], json!(counts.len()), "{verified}");
    assert!(daemon.stop());
}
