//! Forwarding measured: `cargo run --release -p lectern-lrs --example forward URL KEY SECRET [statements]`. Fills a store
//! of its own, then sends all of it to the record store at URL (`http://127.0.0.1:8080/xapi`, best a second Lectern) and
//! prints statements a second until nothing waits, for each way of naming people.
#![allow(clippy::print_stdout, clippy::unwrap_used)]

use std::time::{Duration, Instant};

use lectern_egress::Egress;
use lectern_lrs::forward::{Filter, Identities, NewUpstream};
use lectern_lrs::{Caller, Lrs, Options, Scope, Scopes};
use lectern_store::Store;
use lectern_xapi::{Ifi, Version};
use tokio_util::sync::CancellationToken;

/// As in the daemon.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const HOME: &str = "https://box.lectern.invalid";
const BATCH: usize = 500;

#[tokio::main]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let (url, key, secret) = (
        arguments.next().unwrap(),
        arguments.next().unwrap(),
        arguments.next().unwrap(),
    );
    let count = arguments
        .next()
        .map_or(100_000, |text| text.parse().unwrap());
    let pseudonyms = Identities::Pseudonymise {
        home_page: HOME.to_owned(),
    };
    for identities in [Identities::Keep, pseudonyms] {
        let folder = tempfile::tempdir().unwrap();
        let options = lectern_store::Options::default();
        let store = Store::open(&folder.path().join("records.redb"), options).unwrap();
        let options = Options {
            sealing_key: Some([7; 32]),
            ..Options::default()
        };
        let lrs = Lrs::open_with(store, vec![], options).unwrap();
        fill(&lrs, count).await;
        let said = format!("{identities:?}");
        let upstreams = lrs.upstreams();
        let upstream = upstreams
            .add(NewUpstream {
                name: "there".to_owned(),
                url: url.clone(),
                key: key.clone(),
                secret: secret.clone(),
                version: Version::V1_0_3,
                filter: Filter::default(),
                identities,
                since: None,
                allow_private: true,
            })
            .unwrap();
        let egress = Egress::new(&lectern_egress::Options::default()).unwrap();
        let (began, stop) = (Instant::now(), CancellationToken::new());
        let task = tokio::spawn(lectern_lrs::forward::run(lrs.clone(), egress, stop.clone()));
        while upstreams.get(upstream).unwrap().lag > 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let seconds = began.elapsed().as_secs_f64();
        let shown = upstreams.get(upstream).unwrap();
        println!(
            "{said}: {} delivered, {} dead in {seconds:.2} s: {:.0}/s",
            shown.delivered,
            shown.dead,
            shown.delivered as f64 / seconds
        );
        stop.cancel();
        task.await.unwrap();
    }
}

async fn fill(lrs: &Lrs, count: usize) {
    let caller = Caller {
        credential: "credential:example".to_owned(),
        authority: Ifi::account(HOME, "credential:example").to_value(),
        scopes: Scopes::from_iter([Scope::All]),
        bound: None,
    };
    for first in (0..count).step_by(BATCH) {
        let batch: Vec<_> = (first..count.min(first + BATCH)).map(statement).collect();
        let body = serde_json::Value::from(batch).to_string();
        let posted = lrs.post_statements(&caller, Version::V1_0_3, body).await;
        posted.unwrap();
    }
}

fn statement(n: usize) -> serde_json::Value {
    serde_json::json!({
        "actor": Ifi::account(HOME, format!("learner-{}", n % 500)).to_value(),
        "verb": { "id": "https://w3id.org/xapi/video/verbs/played", "display": { "en": "played" } },
        "object": { "id": format!("{HOME}/videos/{}", n % 50), "definition": { "name": { "en": "A film" } } },
        "result": { "extensions": {
            "https://w3id.org/xapi/video/extensions/time": n % 3600,
            "https://w3id.org/xapi/video/extensions/played-segments": "0[.]10[,]20[.]25",
        } },
        "context": {
            "registration": uuid::Uuid::new_v4().to_string(),
            "contextActivities": { "category": [{ "id": "https://w3id.org/xapi/video" }] },
        },
        "timestamp": "2026-11-26T07:00:00.000Z",
    })
}
