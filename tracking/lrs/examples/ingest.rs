//! Statements stored per second, durable: `cargo run --release -p lectern-lrs --example ingest [seconds]`.
//! One client posting single statements, 64 clients doing so, and 8 clients posting batches of 50.
#![allow(clippy::print_stdout, clippy::unwrap_used)]

use std::time::{Duration, Instant};

use lectern_lrs::{Caller, Lrs, Scope, Scopes};
use lectern_store::{Options, Store};
use lectern_xapi::{Ifi, Version};
use serde_json::{Value, json};

const HOME: &str = "https://box.lectern.invalid";

#[tokio::main]
async fn main() {
    let seconds: u64 = std::env::args()
        .nth(1)
        .and_then(|text| text.parse().ok())
        .unwrap_or(5);
    for (clients, batch) in [(1, 1), (64, 1), (8, 50)] {
        let folder = tempfile::tempdir().unwrap();
        let options = Options {
            cache_bytes: 128 << 20,
            ..Options::default()
        };
        let store = Store::open(&folder.path().join("records.redb"), options).unwrap();
        let lrs = Lrs::open(store.clone(), vec![]).unwrap();
        let began = Instant::now();
        let until = began + Duration::from_secs(seconds);
        let tasks: Vec<_> = (0..clients)
            .map(|client| tokio::spawn(post(lrs.clone(), client, batch, until)))
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        let (stored, took) = (lrs.head().unwrap(), began.elapsed().as_secs_f64());
        let stats = store.stats();
        println!(
            "{clients:3} clients, batches of {batch:3}: {:8.0} statements/s, {:6.0} commits/s, {:5} bytes each",
            stored as f64 / took,
            stats.commits as f64 / took,
            stats.file_bytes / stored.max(1),
        );
    }
}

async fn post(lrs: Lrs, client: usize, batch: usize, until: Instant) {
    let caller = Caller {
        credential: "credential:bench".to_owned(),
        authority: Ifi::account(HOME, "credential:bench").to_value(),
        scopes: Scopes::from_iter([Scope::All]),
        bound: None,
    };
    let mut round = 0;
    while Instant::now() < until {
        let statements: Vec<Value> = (0..batch)
            .map(|n| statement(client, round * batch + n))
            .collect();
        lrs.post_statements(&caller, Version::V2_0_0, json!(statements).to_string())
            .await
            .unwrap();
        round += 1;
    }
}

/// What the player sends at a pause.
fn statement(client: usize, n: usize) -> Value {
    let extension = |name: &str| format!("https://w3id.org/xapi/video/extensions/{name}");
    json!({
        "id": uuid::Uuid::new_v4(),
        "actor": { "account": { "homePage": HOME, "name": format!("learner-{client}-{}", n / 100) } },
        "verb": { "id": "https://w3id.org/xapi/video/verbs/paused", "display": { "en": "paused" } },
        "object": {
            "id": format!("{HOME}/videos/{}", n % 20),
            "definition": { "type": "https://w3id.org/xapi/video/activity-type/video", "name": { "en": "A lecture" } },
        },
        "result": { "extensions": {
            extension("time"): 12.5, extension("progress"): 0.25, extension("played-segments"): "0[.]10[,]20[.]25[,]5[.]8",
        } },
        "context": {
            "registration": uuid::Uuid::from_u128((client * 1000 + n / 100) as u128),
            "revision": "1",
            "contextActivities": { "category": [{ "id": "https://w3id.org/xapi/video" }] },
            "extensions": { extension("length"): 50.0, extension("session-id"): uuid::Uuid::new_v4() },
        },
        "timestamp": "2026-11-23T18:30:00.123Z",
    })
}
