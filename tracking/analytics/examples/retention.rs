//! Bench: one video's retention read from the fold against the same curve worked out by scanning the log, side by side
//! in one store; and what the fold costs an append. `cargo run --release -p lectern-analytics --example retention
//! [STATEMENTS]` (default 1 000 000). Prints one JSON object; fails when the two curves differ.
#![allow(clippy::print_stdout, reason = "a bench prints its figures")]

use jiff::{SignedDuration, Timestamp};
use lectern_analytics::{Analytics, Retention, Rule};
use lectern_lrs::{Caller, Lrs, Scope, Scopes};
use lectern_store::{Options, Store};
use lectern_xapi::Version;
use lectern_xapi::video::{Segments, iri};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::error::Error;
use std::time::Instant;
use uuid::Uuid;

const HOME: &str = "https://bench.lectern.invalid";
const VIDEOS: u64 = 20;
const LEARNERS: u64 = 1_000;
/// An hour and a bit.
const LENGTH_S: u64 = 3_661;
const BATCH: u64 = 500;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let count: u64 = match std::env::args().nth(1) {
        Some(text) => text.parse()?,
        None => 1_000_000,
    };
    let dir = tempfile::tempdir()?;
    let options = Options {
        cache_bytes: 128 << 20,
        ..Options::default()
    };
    let store = Store::open(&dir.path().join("records.redb"), options)?;
    let lrs = Lrs::open(store, vec![Analytics::fold()])?;
    let analytics = Analytics::new(lrs.clone());

    let began = Instant::now();
    fill(&lrs, count).await?;
    let fill_s = began.elapsed().as_secs_f64();

    let activity = activity(0);
    let length_ms = LENGTH_S * 1000;
    let mut reads_ms: Vec<f64> = Vec::new();
    for _ in 0..21 {
        let began = Instant::now();
        let _ = analytics.retention(&activity, 1, length_ms)?;
        reads_ms.push(began.elapsed().as_secs_f64() * 1000.0);
    }
    reads_ms.sort_by(f64::total_cmp);
    let folded = analytics.retention(&activity, 1, length_ms)?;

    let began = Instant::now();
    let scanned = scan(&lrs, &activity)?;
    let scan_ms = began.elapsed().as_secs_f64() * 1000.0;
    if folded != scanned {
        return Err("the fold and the log say different things".into());
    }

    let began = Instant::now();
    let rule = Rule::Watched { percent: 90 };
    let summary = analytics.summary(&activity, 1, Some(length_ms), rule, 90)?;
    let summary_ms = began.elapsed().as_secs_f64() * 1000.0;

    let figures = json!({
        "bench": "retention",
        "statements": lrs.head()?,
        "seconds_of_video": LENGTH_S,
        "viewers": summary.started,
        "read_ms_median": round(reads_ms[10]),
        "read_ms_worst": round(reads_ms[20]),
        "scan_ms": round(scan_ms),
        "ratio": round(scan_ms / reads_ms[10]),
        "summary_ms": round(summary_ms),
        "appended_per_second": round(count as f64 / fill_s),
        "file_bytes_per_statement": std::fs::metadata(dir.path().join("records.redb"))?.len() / count.max(1),
    });
    println!("{figures}");
    Ok(())
}

/// Each learner watches each video in 50 stretches of whole seconds, in sittings of a few minutes, some of it twice.
async fn fill(lrs: &Lrs, count: u64) -> Result<(), Box<dyn Error>> {
    let caller = Caller {
        credential: "credential:bench".into(),
        authority: json!({"objectType": "Agent", "account": {"homePage": HOME, "name": "credential:bench"}}),
        scopes: Scopes::from_iter([Scope::All]),
        bound: None,
    };
    let mut lists: HashMap<(u64, u64), Segments> = HashMap::new();
    let mut batch = Vec::new();
    for number in 0..count {
        let learner = number % LEARNERS;
        let video = number / LEARNERS % VIDEOS;
        let round = number / LEARNERS / VIDEOS;
        let from = (round * 73 + learner * 7) % (LENGTH_S - 100);
        let list = lists.entry((learner, video)).or_default();
        list.push(from * 1000, (from + 30 + learner % 60) * 1000);
        batch.push(statement(learner, video, round, &list.to_string()));
        if batch.len() as u64 == BATCH || number + 1 == count {
            let body = serde_json::to_vec(&batch)?;
            lrs.post_statements(&caller, Version::V2_0_0, body).await?;
            batch.clear();
        }
    }
    Ok(())
}

fn statement(learner: u64, video: u64, round: u64, played: &str) -> Value {
    let id = |kind: u64| {
        uuid::Builder::from_random_bytes(
            u128::from(kind << 48 | video << 32 | learner).to_be_bytes(),
        )
        .into_uuid()
    };
    let at =
        Timestamp::UNIX_EPOCH + SignedDuration::from_mins(i64::try_from(round * 10).unwrap_or(0));
    json!({
        "id": Uuid::new_v4(),
        "actor": {"account": {"homePage": HOME, "name": format!("learner-{learner:08}")}},
        "verb": {"id": iri::verb::PAUSED},
        "object": {"id": activity(video), "definition": {"type": iri::ACTIVITY_TYPE}},
        "result": {"extensions": {(iri::result::PLAYED_SEGMENTS): played, (iri::result::TIME): round}},
        "context": {
            "registration": id(1),
            "revision": "1",
            "contextActivities": {"category": [{"id": iri::CATEGORY}]},
            "extensions": {(iri::context::LENGTH): LENGTH_S, (iri::context::SESSION_ID): id(2)},
        },
        "timestamp": at.to_string(),
    })
}

/// The same curve without a fold: every statement of the log read, each learner's last list counted. (All segments here
/// are of whole seconds and none is hidden, so this simple counting is the definition.)
fn scan(lrs: &Lrs, activity: &str) -> Result<Retention, Box<dyn Error>> {
    let mut newest: HashMap<String, Segments> = HashMap::new();
    for sequence in 1..=lrs.head()? {
        let Some((_, statement)) = lrs.statement(sequence)? else {
            continue;
        };
        if statement.activity_id() != Some(activity) {
            continue;
        }
        let played = statement.result_extension(iri::result::PLAYED_SEGMENTS);
        let actor = statement.actor_ifi().map(lectern_xapi::Ifi::key);
        if let (Some(played), Some(actor)) = (played.and_then(Value::as_str), actor) {
            newest.insert(actor, played.parse()?);
        }
    }
    let length = usize::try_from(LENGTH_S)?;
    let mut found = Retention {
        views: vec![0; length],
        viewers: vec![0; length],
        hidden_views: vec![0; length],
    };
    for list in newest.values() {
        for pass in list.passes() {
            let seconds = usize::try_from(pass.from_ms / 1000)?
                ..usize::try_from(pass.to_ms / 1000)?.min(length);
            for second in seconds {
                found.views[second] += u32::try_from(pass.count)?;
                found.viewers[second] += 1;
            }
        }
    }
    Ok(found)
}

fn activity(video: u64) -> String {
    format!("{HOME}/videos/{video}")
}

fn round(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}
