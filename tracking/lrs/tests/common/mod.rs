//! What the tests share: an LRS on a store in a folder of its own, with a clock one can turn.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    dead_code,
    missing_docs,
    reason = "tests"
)]

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use jiff::Timestamp;
use lectern_lrs::{Caller, Fold, Lrs, Options, Scope, Scopes};
use lectern_store::Store;
use lectern_xapi::Ifi;
use serde_json::{Value, json};
use tempfile::TempDir;

pub const ACTOR: &str = "https://box.lectern.invalid";

pub struct Box {
    pub lrs: Lrs,
    pub clock: Arc<AtomicI64>,
    pub folder: TempDir,
}

/// 2026-11-23T18:00:00Z
pub const START: i64 = 1_795_456_800_000_000;

pub fn open(folder: &Path, clock: &Arc<AtomicI64>, folds: Vec<Arc<dyn Fold>>) -> Lrs {
    let store = Store::open(
        &folder.join("records.redb"),
        lectern_store::Options::default(),
    )
    .unwrap();
    let time = Arc::clone(clock);
    let options = Options {
        clock: Arc::new(move || Timestamp::from_microsecond(time.load(Ordering::SeqCst)).unwrap()),
        sealing_key: Some([7; 32]),
        // So small that a handful of statements fills runs and merges them.
        run_statements: 4,
    };
    Lrs::open_with(store, folds, options).unwrap()
}

pub fn new() -> Box {
    with_folds(vec![])
}

pub fn with_folds(folds: Vec<Arc<dyn Fold>>) -> Box {
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(AtomicI64::new(START));
    let lrs = open(folder.path(), &clock, folds);
    Box { lrs, clock, folder }
}

pub fn admin() -> Caller {
    Caller {
        credential: "credential:test".to_owned(),
        authority: Ifi::account(ACTOR, "credential:test").to_value(),
        scopes: Scopes::from_iter([Scope::All]),
        bound: None,
    }
}

pub fn agent(name: &str) -> Value {
    json!({ "objectType": "Agent", "account": { "homePage": ACTOR, "name": name } })
}

pub fn statement(actor: &str, verb: &str, activity: &str) -> Value {
    json!({
        "id": uuid::Uuid::now_v7().to_string(),
        "actor": agent(actor),
        "verb": { "id": format!("http://verbs/{verb}") },
        "object": { "id": format!("http://activities/{activity}") },
    })
}

pub fn reference(actor: &str, verb: &str, target: &str) -> Value {
    let mut statement = statement(actor, verb, "");
    statement["object"] = json!({ "objectType": "StatementRef", "id": target });
    statement
}

pub fn voiding(target: &str) -> Value {
    let mut statement = reference("admin", "", target);
    statement["verb"]["id"] = json!("http://adlnet.gov/expapi/verbs/voided");
    statement
}

pub fn id(statement: &Value) -> String {
    statement["id"].as_str().unwrap().to_owned()
}

pub fn parameters(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs
        .iter()
        .map(|(a, b)| ((*a).to_owned(), (*b).to_owned()))
        .collect()
}

impl Box {
    pub async fn post(&self, body: &Value) -> Result<Vec<uuid::Uuid>, lectern_lrs::Error> {
        self.post_as(&admin(), body).await
    }

    pub async fn post_as(
        &self,
        caller: &Caller,
        body: &Value,
    ) -> Result<Vec<uuid::Uuid>, lectern_lrs::Error> {
        let version = lectern_xapi::Version::V2_0_0;
        self.lrs
            .post_statements(caller, version, body.to_string())
            .await
    }

    pub fn get(&self, pairs: &[(&str, &str)]) -> Result<Value, lectern_lrs::Error> {
        let version = lectern_xapi::Version::V2_0_0;
        let answer = self
            .lrs
            .get_statements(&admin(), version, &parameters(pairs), None)?;
        Ok(serde_json::from_str(&answer.json).unwrap())
    }

    /// The ids of all pages.
    pub fn ids(&self, pairs: &[(&str, &str)]) -> Vec<String> {
        let mut page = self.get(pairs).unwrap();
        let mut ids = Vec::new();
        loop {
            ids.extend(page["statements"].as_array().unwrap().iter().map(id));
            let more = page["more"].as_str().unwrap().to_owned();
            if more.is_empty() {
                return ids;
            }
            let token = more.strip_prefix(lectern_lrs::MORE_PATH).unwrap();
            page = self.get(&[("more", token)]).unwrap();
        }
    }
}
