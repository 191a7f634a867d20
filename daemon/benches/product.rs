//! The product measured from outside, in one run: resident memory when idle, durable statements a second over HTTP
//! (16 clients, singly and in batches of 50), beside the same load on a peer where `PEER_XAPI` names one
//! (`PEER_XAPI=http://127.0.0.1:PORT/xapi PEER_AUTH='Basic …'`, see `.ci/interop`).
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a bench"
)]

#[path = "../tests/support/mod.rs"]
mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use support::{Client, Daemon};

const CLIENTS: usize = 16;
const SECONDS: u64 = 8;

fn statement() -> Value {
    json!({
        "id": uuid::Uuid::new_v4().to_string(),
        "actor": { "objectType": "Agent", "account": { "homePage": "https://bench.example", "name": format!("p{}", rand::random_range(0..2000)) } },
        "verb": { "id": "https://w3id.org/xapi/video/verbs/paused", "display": { "en": "paused" } },
        "object": {
            "id": format!("https://bench.example/videos/{}", rand::random_range(0..200)),
            "definition": { "type": "https://w3id.org/xapi/video/activity-type/video", "name": { "en": "A lecture" } },
        },
        "result": { "extensions": {
            "https://w3id.org/xapi/video/extensions/time": 12.5,
            "https://w3id.org/xapi/video/extensions/progress": 0.4,
            "https://w3id.org/xapi/video/extensions/played-segments": "0[.]10[,]20[.]22.5",
        } },
        "context": {
            "registration": uuid::Uuid::new_v4().to_string(),
            "contextActivities": { "category": [{ "id": "https://w3id.org/xapi/video" }] },
            "extensions": { "https://w3id.org/xapi/video/extensions/length": 30.0 },
        },
        "timestamp": jiff::Timestamp::now().to_string(),
    })
}

/// Statements a second that were answered 200, by 16 clients in `SECONDS`.
async fn ingest(client: &Client, path: &str, batch: usize) -> (f64, u64) {
    let stored = Arc::new(AtomicU64::new(0));
    let refused = Arc::new(AtomicU64::new(0));
    let start = Instant::now();
    let end = start + Duration::from_secs(SECONDS);
    let tasks: Vec<_> = (0..CLIENTS)
        .map(|_| {
            let (client, path, stored, refused) = (
                client.clone(),
                path.to_owned(),
                stored.clone(),
                refused.clone(),
            );
            tokio::spawn(async move {
                let headers = [
                    // The peer speaks this one alone.
                    ("x-experience-api-version", "2.0.0"),
                    ("content-type", "application/json"),
                ];
                while Instant::now() < end {
                    let body: Value = (0..batch).map(|_| statement()).collect();
                    match client
                        .send("POST", &path, &headers, body.to_string().into_bytes())
                        .await
                    {
                        Ok(answer) if answer.status == 200 => {
                            stored.fetch_add(batch as u64, Ordering::Relaxed)
                        }
                        _ => refused.fetch_add(1, Ordering::Relaxed),
                    };
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    (
        stored.load(Ordering::Relaxed) as f64 / start.elapsed().as_secs_f64(),
        refused.load(Ordering::Relaxed),
    )
}

fn resident_mb(pid: u32) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmRSS:"))
        .unwrap();
    line.split_whitespace()
        .nth(1)
        .unwrap()
        .parse::<f64>()
        .unwrap()
        / 1024.0
}

#[tokio::main]
async fn main() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state");
    std::fs::create_dir(&state).unwrap();
    let daemon = Daemon::start(&state);
    let lrs = daemon.lrs();
    println!(
        "idle resident memory: {:.0} MB (goal ≤ 60)",
        resident_mb(daemon.pid())
    );
    let peer = std::env::var("PEER_XAPI").ok().map(|url| {
        let client = Client {
            base: String::new(),
            auth: std::env::var("PEER_AUTH").ok(),
            http: lrs.http.clone(),
        };
        (client, url)
    });
    for batch in [1, 50] {
        let (ours, refused) = ingest(&lrs, "/xapi/statements", batch).await;
        println!(
            "durable statements a second, {CLIENTS} clients, batches of {batch}: {ours:.0} ({refused} refused)"
        );
        if let Some((client, url)) = &peer {
            let (theirs, refused) = ingest(client, &format!("{url}/statements"), batch).await;
            assert!(theirs > 0.0, "the peer takes none of these statements");
            println!(
                "  the peer: {theirs:.0} ({refused} refused); ratio {:.1}",
                ours / theirs
            );
        }
    }
    println!(
        "resident memory after it: {:.0} MB",
        resident_mb(daemon.pid())
    );
    assert!(daemon.stop());
}
