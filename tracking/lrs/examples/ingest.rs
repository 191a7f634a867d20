//! The record store measured without HTTP: `cargo run --release -p lectern-lrs --example ingest [statements] [folder]`.
//! One client posting single statements, 64 clients doing so, 16 clients posting batches of 50, each for five seconds;
//! then, with a number of statements, one store filled with so many: the rate of each tenth, what a page costs by each
//! filter while writing goes on, how large the file is, how much memory, how long opening takes. `ingest pages FOLDER`
//! asks a store that was filled so for pages alone.
#![allow(clippy::print_stdout, clippy::unwrap_used)]

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use lectern_lrs::{Caller, Lrs, Scope, Scopes};
use lectern_store::{Options, Store};
use lectern_xapi::{Ifi, Version};
use rand::Rng;

/// As in the daemon.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const HOME: &str = "https://box.lectern.invalid";
const LEARNERS: usize = 20_000;
const VIDEOS: usize = 2_000;

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
    let agent = || {
        Ifi::account(HOME, learner(random(LEARNERS)))
            .to_value()
            .to_string()
    };
    let activity = || format!("{HOME}/videos/{}", random(VIDEOS));
    let verb = || {
        format!(
            "https://w3id.org/xapi/video/verbs/{}",
            VERBS[random(VERBS.len())]
        )
    };
    type Filters = Vec<(&'static str, String)>;
    type Kind<'k> = (&'static str, Box<dyn Fn() -> Filters + 'k>);
    let some = || uuid::Uuid::from_u128(random(LEARNERS * 20) as u128).to_string();
    let kinds: Vec<Kind<'_>> = vec![
        ("none", Box::new(Vec::new)),
        ("agent", Box::new(|| vec![("agent", agent())])),
        ("verb", Box::new(|| vec![("verb", verb())])),
        ("activity", Box::new(|| vec![("activity", activity())])),
        ("registration", Box::new(|| vec![("registration", some())])),
        (
            "agent verb",
            Box::new(|| vec![("agent", agent()), ("verb", verb())]),
        ),
        (
            "activity verb",
            Box::new(|| vec![("activity", activity()), ("verb", verb())]),
        ),
        (
            "agent activity",
            Box::new(|| vec![("agent", agent()), ("activity", activity())]),
        ),
        (
            "related_agents",
            Box::new(|| vec![("agent", agent()), ("related_agents", "true".to_owned())]),
        ),
        (
            "related_activities",
            Box::new(|| {
                vec![
                    ("activity", "https://w3id.org/xapi/video".to_owned()),
                    ("related_activities", "true".to_owned()),
                ]
            }),
        ),
        (
            "since ascending",
            Box::new(|| {
                let since =
                    jiff::Timestamp::now() - jiff::SignedDuration::from_secs(random(60) as i64);
                vec![
                    ("since", since.to_string()),
                    ("ascending", "true".to_owned()),
                ]
            }),
        ),
        (
            "until verb",
            Box::new(|| {
                let until =
                    jiff::Timestamp::now() - jiff::SignedDuration::from_secs(random(60) as i64);
                vec![("until", until.to_string()), ("verb", verb())]
            }),
        ),
    ];
    for (name, kind) in kinds {
        let mut times: Vec<Duration> = (0..300)
            .map(|_| {
                let parameters: Vec<(String, String)> = kind()
                    .into_iter()
                    .map(|(name, value)| (name.to_owned(), value))
                    .collect();
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
    let mut body = String::from("[");
    for n in 0..batch {
        if n > 0 {
            body.push(',');
        }
        statement(&mut body);
    }
    body.push(']');
    lrs.post_statements(&caller(), Version::V2_0_0, body)
        .await
        .unwrap();
}

fn caller() -> Caller {
    Caller {
        credential: "credential:bench".to_owned(),
        authority: Ifi::account(HOME, "credential:bench").to_value(),
        scopes: Scopes::from_iter([Scope::All]),
        bound: None,
    }
}

const VERBS: [&str; 4] = ["played", "paused", "seeked", "terminated"];

fn random(below: usize) -> usize {
    rand::rng().random_range(0..below)
}

fn learner(n: usize) -> String {
    format!("learner-{n:08x}")
}

/// What the player sends at a pause, about 1 kB.
fn statement(out: &mut String) {
    use std::fmt::Write;
    let (who, what) = (random(LEARNERS), random(VIDEOS));
    let registration = uuid::Uuid::from_u128((who * 20 + what % 20) as u128);
    let extensions = "https://w3id.org/xapi/video/extensions";
    let (from, length) = (random(2000), random(300));
    write!(
        out,
        r#"{{"id":"{}","actor":{{"objectType":"Agent","account":{{"homePage":"{HOME}","name":"{}"}}}},"verb":{{"id":"https://w3id.org/xapi/video/verbs/{}","display":{{"en":"paused"}}}},"object":{{"id":"{HOME}/videos/{what}","definition":{{"type":"https://w3id.org/xapi/video/activity-type/video","name":{{"en":"Lecture {what}"}}}}}},"result":{{"extensions":{{"{extensions}/time":{}.5,"{extensions}/progress":0.{},"{extensions}/played-segments":"{from}[.]{}"}}}},"context":{{"registration":"{registration}","revision":"1","contextActivities":{{"category":[{{"id":"https://w3id.org/xapi/video"}}]}},"extensions":{{"{extensions}/length":2700.0,"{extensions}/session-id":"{}"}}}},"timestamp":"{}"}}"#,
        uuid::Uuid::new_v4(),
        learner(who),
        VERBS[random(VERBS.len())],
        from + length,
        random(1000),
        from + length,
        uuid::Uuid::new_v4(),
        jiff::Timestamp::now(),
    )
    .unwrap();
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
