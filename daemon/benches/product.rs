//! The product measured from outside, in one run: resident memory when idle, durable statements a second over HTTP
//! (16 clients, singly and in batches of 50), beside the same load on a peer where `PEER_XAPI` names one
//! (`PEER_XAPI=http://127.0.0.1:PORT/xapi PEER_AUTH='Basic …'`, see `.ci/interop`); then, filled up to
//! `BENCH_STATEMENTS`, pages by each filter while four clients write: at the pace of a large campus, and as fast as they can.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a bench"
)]

#[path = "../../tracking/lrs/examples/load/mod.rs"]
mod load;
#[path = "../tests/support/mod.rs"]
mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use support::{Client, Daemon};

const CLIENTS: usize = 16;
const SECONDS: u64 = 8;
const BATCH: usize = 50;
const PAGES: usize = 1_000;
const WRITERS: u32 = 4;
/// What 20,000 learners write who watch at once, with a statement each every twenty seconds.
const CAMPUS_PER_SECOND: u32 = 1_000;
/// What every request of statements has. The peer speaks this version alone.
const HEADERS: [(&str, &str); 2] = [
    ("x-experience-api-version", "2.0.0"),
    ("content-type", "application/json"),
];

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
                while Instant::now() < end {
                    let body = load::batch(batch).into_bytes();
                    match client.send("POST", &path, &HEADERS, body).await {
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

/// Fills the store up to `wanted` statements in tenths, and says how fast each was.
async fn fill(client: &Client, pid: u32, from: u64, wanted: u64) {
    let mut head = from;
    for tenth in 1..=10 {
        let until = from + (wanted.saturating_sub(from)) * tenth / 10;
        let left = Arc::new(AtomicU64::new((until - head) / BATCH as u64));
        head = until;
        let count = left.load(Ordering::Relaxed) * BATCH as u64;
        let began = Instant::now();
        let tasks: Vec<_> = (0..CLIENTS)
            .map(|_| {
                let (client, left) = (client.clone(), left.clone());
                tokio::spawn(async move {
                    let take = |n: u64| n.checked_sub(1);
                    while left
                        .fetch_update(Ordering::Relaxed, Ordering::Relaxed, take)
                        .is_ok()
                    {
                        post(&client, BATCH).await;
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        println!(
            "  up to {head:9} statements: {:.0}/s, resident memory {:.0} MB",
            count as f64 / began.elapsed().as_secs_f64(),
            resident_mb(pid)
        );
    }
}

async fn post(client: &Client, batch: usize) {
    let body = load::batch(batch).into_bytes();
    let answer = client
        .send("POST", "/xapi/statements", &HEADERS, body)
        .await;
    answer.unwrap().expect(200);
}

/// Pages by each filter, median and 99th percentile, while clients write single statements, each one every `pace`.
async fn pages(client: &Client, pace: Duration) {
    let is_over = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let written = Arc::new(AtomicU64::new(0));
    let writers: Vec<_> = (0..WRITERS)
        .map(|_| {
            let (client, is_over, written) = (client.clone(), is_over.clone(), written.clone());
            tokio::spawn(async move {
                let mut next = Instant::now();
                while !is_over.load(Ordering::Relaxed) {
                    post(&client, 1).await;
                    written.fetch_add(1, Ordering::Relaxed);
                    // Who is late catches up.
                    next += pace;
                    tokio::time::sleep_until(next.into()).await;
                }
            })
        })
        .collect();
    let began = Instant::now();
    // The reader is a client of its own: it waits for the box, not for the writers' tasks.
    let reader = Client {
        http: reqwest::Client::new(),
        ..client.clone()
    };
    let read = tokio::task::spawn_blocking(move || {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_all().build().unwrap();
        runtime.block_on(read(&reader));
    });
    read.await.unwrap();
    is_over.store(true, Ordering::Relaxed);
    for writer in writers {
        writer.await.unwrap();
    }
    println!(
        "meanwhile {:.0} single statements a second were written",
        written.load(Ordering::Relaxed) as f64 / began.elapsed().as_secs_f64()
    );
}

async fn read(client: &Client) {
    for (name, filter) in load::filters() {
        let mut times = Vec::with_capacity(PAGES);
        for _ in 0..PAGES {
            let mut url = reqwest::Url::parse("http://box/xapi/statements").unwrap();
            url.query_pairs_mut().extend_pairs(filter());
            let path = format!("{}?{}", url.path(), url.query().unwrap_or_default());
            let began = Instant::now();
            let answer = client.send("GET", &path, &HEADERS, Vec::new()).await;
            answer.unwrap().expect(200);
            times.push(began.elapsed().as_secs_f64() * 1000.0);
        }
        times.sort_unstable_by(f64::total_cmp);
        println!(
            "  page by {name:18}: median {:.2} ms, p99 {:.2} ms",
            times[PAGES / 2],
            times[PAGES * 99 / 100]
        );
    }
}

fn resident_mb(pid: u32) -> f64 {
    memory_mb(pid, "VmRSS:")
}

fn memory_mb(pid: u32, what: &str) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with(what)).unwrap();
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
    let mut stored = 0.0;
    for batch in [1, BATCH] {
        let (ours, refused) = ingest(&lrs, "/xapi/statements", batch).await;
        stored += ours * SECONDS as f64;
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
    let wanted = std::env::var("BENCH_STATEMENTS").ok();
    if let Some(wanted) = wanted.and_then(|count| count.parse().ok()) {
        fill(&lrs, daemon.pid(), stored as u64, wanted).await;
    }
    for pace in [
        Duration::from_secs(1) * WRITERS / CAMPUS_PER_SECOND,
        Duration::ZERO,
    ] {
        pages(&lrs, pace).await;
    }
    println!(
        "resident memory: {:.0} MB now, {:.0} MB at most",
        memory_mb(daemon.pid(), "VmRSS:"),
        memory_mb(daemon.pid(), "VmHWM:")
    );
    assert!(daemon.stop());
}
