//! The record store measured without HTTP: `cargo run --release -p lectern-lrs --example ingest [statements] [folder]`.
//! One client posting single statements, 64 clients doing so, 16 clients posting batches of 50, each for five seconds;
//! then, with a number of statements, one store filled with so many: the rate of each tenth, what a page costs by each
//! filter while writing goes on, how large the file is, how much memory, how long opening takes. `ingest pages FOLDER`
//! asks a store that was filled so for pages alone.
#![allow(clippy::print_stdout, clippy::unwrap_used)]

mod load;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use lectern_lrs::{Caller, Lrs, Scope, Scopes};
use lectern_store::{Options, Store};
use lectern_xapi::{Ifi, Version};

/// As in the daemon.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn open(folder: &Path) -> (Store, Lrs) {
    let options = Options {
        cache_bytes: 32 << 20,
        ..Options::default()
    };
    let store = Store::open(&folder.join("records.redb"), options).unwrap();
    let lrs = Lrs::open(store.clone(), vec![]).unwrap();
    (store, lrs)
}

#[tokio::main]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let wanted = arguments.next();
    if wanted.as_deref() == Some("pages") {
        let folder = arguments.next().unwrap();
        let (_, lrs) = open(Path::new(&folder));
        tokio::task::spawn_blocking(move || pages(&lrs))
            .await
            .unwrap();
        return;
    }
    let wanted: u64 = wanted.and_then(|text| text.parse().ok()).unwrap_or(0);
    if wanted > 0 {
        let scratch = tempfile::tempdir().unwrap();
        let folder = arguments
            .next()
            .map_or(scratch.path().to_owned(), Into::into);
        fill(&folder, wanted).await;
        return;
    }
    for (clients, batch) in [(1, 1), (16, 1), (64, 1), (16, 50)] {
        let folder = tempfile::tempdir().unwrap();
        let (store, lrs) = open(folder.path());
        let began = Instant::now();
        let until = began + Duration::from_secs(5);
        let tasks: Vec<_> = (0..clients)
            .map(|_| tokio::spawn(post_until(lrs.clone(), batch, until)))
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        let (stored, took) = (lrs.head().unwrap(), began.elapsed().as_secs_f64());
        lrs.rest();
        let rested = began.elapsed().as_secs_f64();
        println!(
            "{clients:3} clients, batches of {batch:3}: {:8.0} statements/s, {:8.0} with all that follows, {:5} bytes each",
            stored as f64 / took,
            stored as f64 / rested,
            store.stats().file_bytes / stored.max(1),
        );
    }
}

async fn fill(folder: &Path, wanted: u64) {
    let (store, lrs) = open(folder);
    let began = Instant::now();
    for tenth in 1..=10 {
        let from = lrs.head().unwrap();
        let left = Arc::new(AtomicU64::new((wanted * tenth / 10).saturating_sub(from)));
        let part = Instant::now();
        let tasks: Vec<_> = (0..16)
            .map(|_| {
                let (lrs, left) = (lrs.clone(), Arc::clone(&left));
                tokio::spawn(async move {
                    while left
                        .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| n.checked_sub(50))
                        .is_ok()
                    {
                        post(&lrs, 50).await;
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        let head = lrs.head().unwrap();
        println!(
            "{head:9} statements: {:7.0}/s, file {} MiB, memory {} MiB, {:.0} s",
            (head - from) as f64 / part.elapsed().as_secs_f64(),
            store.stats().file_bytes >> 20,
            resident() >> 10,
            began.elapsed().as_secs_f64(),
        );
    }
    let writing = Arc::new(AtomicBool::new(true));
    let writers: Vec<_> = (0..4)
        .map(|_| {
            let (lrs, writing) = (lrs.clone(), Arc::clone(&writing));
            tokio::spawn(async move {
                while writing.load(Ordering::Relaxed) {
                    post(&lrs, 1).await;
                }
            })
        })
        .collect();
    let before = (lrs.head().unwrap(), Instant::now());
    let reader = lrs.clone();
    tokio::task::spawn_blocking(move || pages(&reader))
        .await
        .unwrap();
    writing.store(false, Ordering::Relaxed);
    for writer in writers {
        writer.await.unwrap();
    }
    let written = (lrs.head().unwrap() - before.0) as f64 / before.1.elapsed().as_secs_f64();
    println!("meanwhile {written:.0} single statements/s were written");
    lrs.rest();
    let head = lrs.head().unwrap();
    println!(
        "{:.0} bytes of file a statement, memory {} MiB",
        store.stats().file_bytes as f64 / head as f64,
        resident() >> 10
    );
    lrs.close();
    store.close();
    drop((lrs, store));
    let began = Instant::now();
    let (_, lrs) = open(folder);
    println!(
        "opened in {:.2} s, {} statements",
        began.elapsed().as_secs_f64(),
        lrs.head().unwrap()
    );
    for fold in ["lrs.index.3", "lrs.references.1"] {
        let began = Instant::now();
        lrs.rebuild(fold).unwrap();
        lrs.rest();
        println!(
            "{fold} rebuilt: {:.0} statements/s",
            head as f64 / began.elapsed().as_secs_f64()
        );
    }
    let began = Instant::now();
    let found = lrs.verify_chain().unwrap();
    println!(
        "verified: {:.0} statements/s, {:?}",
        head as f64 / began.elapsed().as_secs_f64(),
        found.broken
    );
}

/// What pages cost by each filter: median and 99th percentile.
fn pages(lrs: &Lrs) {
    for (name, filter) in load::filters() {
        let mut times: Vec<Duration> = (0..300)
            .map(|_| {
                let owned = |(name, value): (&str, String)| (name.to_owned(), value);
                let parameters: Vec<_> = filter().into_iter().map(owned).collect();
                let began = Instant::now();
                lrs.get_statements(&caller(), Version::V2_0_0, &parameters, None)
                    .unwrap();
                began.elapsed()
            })
            .collect();
        times.sort_unstable();
        println!(
            "  page by {name:18}: median {:6.2} ms, p99 {:6.2} ms",
            ms(times[150]),
            ms(times[296])
        );
    }
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

async fn post_until(lrs: Lrs, batch: usize, until: Instant) {
    while Instant::now() < until {
        post(&lrs, batch).await;
    }
}

async fn post(lrs: &Lrs, batch: usize) {
    lrs.post_statements(&caller(), Version::V2_0_0, load::batch(batch))
        .await
        .unwrap();
}

fn caller() -> Caller {
    Caller {
        credential: "credential:bench".to_owned(),
        authority: Ifi::account(load::HOME, "credential:bench").to_value(),
        scopes: Scopes::from_iter([Scope::All]),
        bound: None,
    }
}

/// KiB
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmRSS"))
        .unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}
