//! What this room's tests share: a record store with the fold, and statements about one video.
#![allow(dead_code, reason = "each test file uses its part")]

use jiff::{SignedDuration, Timestamp};
use lectern_analytics::{Analytics, Retention};
use lectern_lrs::{Caller, Lrs, Scope, Scopes};
use lectern_store::{Options, Store};
use lectern_xapi::Version;
use serde_json::{Map, Value, json};
use tempfile::TempDir;
use uuid::Uuid;

pub const ACTIVITY: &str = "https://box.lectern.invalid/videos/one";
const HOME: &str = "https://box.lectern.invalid";
pub const FOLD: &str = "analytics.watching.3";

/// A record store with the fold on it.
pub struct Lectern {
    pub lrs: Lrs,
    pub analytics: Analytics,
    pub dir: TempDir,
}

/// Who says it, in which registration, session and version.
#[derive(Clone, Copy)]
pub struct By {
    pub actor: &'static str,
    pub registration: u128,
    pub session: u128,
    pub version: u32,
}

pub const ADA: By = By {
    actor: "ada",
    registration: 0xa,
    session: 0x1,
    version: 1,
};

impl Lectern {
    pub fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&dir.path().join("records.redb"), Options::default()).unwrap();
        let lrs = Lrs::open(store, vec![Analytics::fold()]).unwrap();
        Self {
            analytics: Analytics::new(lrs.clone()),
            lrs,
            dir,
        }
    }

    pub async fn post(&self, statements: &[Value]) {
        let caller = Caller {
            credential: "credential:test".into(),
            authority: json!({"objectType": "Agent", "account": {"homePage": HOME, "name": "credential:test"}}),
            scopes: Scopes::from_iter([Scope::All]),
            bound: None,
        };
        let body = serde_json::to_vec(statements).unwrap();
        self.lrs
            .post_statements(&caller, Version::V2_0_0, body)
            .await
            .unwrap();
    }

    pub fn retention(&self, version: u32, seconds: u64) -> Retention {
        self.analytics
            .retention(ACTIVITY, version, seconds * 1000)
            .unwrap()
    }

    pub fn views(&self, seconds: u64) -> Vec<u32> {
        self.retention(1, seconds).views
    }
}

/// A version 4 UUID of that number.
pub fn uuid(number: u128) -> Uuid {
    uuid::Builder::from_random_bytes(number.to_be_bytes()).into_uuid()
}

pub fn ifi(actor: &str) -> lectern_xapi::Ifi {
    lectern_xapi::Ifi::account(HOME, actor)
}

/// A statement of our shape; `result` and `context` name extensions in short.
pub fn statement(from: By, verb: &str, wall_ms: i64, result: &Value, context: &Value) -> Value {
    let host = match verb {
        "played" | "paused" | "seeked" => "https://w3id.org/xapi/video/verbs/",
        _ => "http://adlnet.gov/expapi/verbs/",
    };
    let start: Timestamp = "2026-11-23T18:00:00Z".parse().unwrap();
    let at = start + SignedDuration::from_millis(wall_ms);
    let mut outcome = Map::new();
    let mut facts = extensions(result);
    for plain in ["completion", "duration"] {
        if let Some(value) = facts.remove(&extension(plain)) {
            outcome.insert(plain.into(), value);
        }
    }
    outcome.insert("extensions".into(), Value::Object(facts));
    let mut around = extensions(context);
    around.insert(extension("session-id"), json!(uuid(from.session)));
    json!({
        "id": Uuid::new_v4(),
        "actor": {"objectType": "Agent", "account": {"homePage": HOME, "name": from.actor}},
        "verb": {"id": format!("{host}{verb}")},
        "object": {
            "id": ACTIVITY,
            "definition": {"type": "https://w3id.org/xapi/video/activity-type/video"},
        },
        "result": outcome,
        "context": {
            "registration": uuid(from.registration),
            "revision": from.version.to_string(),
            "contextActivities": {"category": [{"id": "https://w3id.org/xapi/video"}]},
            "extensions": around,
        },
        "timestamp": at.to_string(),
    })
}

/// `paused` with these segments.
pub fn paused(from: By, wall_ms: i64, played: &str) -> Value {
    statement(
        from,
        "paused",
        wall_ms,
        &json!({"played-segments": played}),
        &json!({"length": 30}),
    )
}

fn extensions(short: &Value) -> Map<String, Value> {
    let empty = Map::new();
    let entries = short.as_object().unwrap_or(&empty).iter();
    entries
        .map(|(name, value)| (extension(name), value.clone()))
        .collect()
}

fn extension(name: &str) -> String {
    match name {
        "hidden-segments" | "muted-segments" | "device-clock" => {
            format!("https://lectern.invalid/xapi/extensions/{name}")
        }
        _ => format!("https://w3id.org/xapi/video/extensions/{name}"),
    }
}
