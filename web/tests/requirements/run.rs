//! Tries rows, each for itself: one that breaks does not keep the others from being tried.

use std::panic::AssertUnwindSafe;

use futures_util::FutureExt;
use lectern_xapi::Version;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::ask::{get, post};
use crate::row::{Change, Row, Try};
use crate::statements::{apply, base, comparable, nested};
use crate::world::World;

pub struct Ran {
    pub rows: usize,
    pub tries: usize,
    /// What broke, in words.
    pub broken: Vec<String>,
}

/// Tries the rows of an area under one version, in a box of their own.
pub async fn area(rows: &[Row], version: Version) -> Ran {
    let world = World::new(version);
    let mut ran = Ran {
        rows: 0,
        tries: 0,
        broken: Vec::new(),
    };
    for (index, row) in rows.iter().enumerate() {
        if !row.versions.contains(&version) {
            continue;
        }
        ran.rows += 1;
        world.row.set(index);
        for one in &row.tries {
            let what = describe(one);
            for is_nested in [false, true] {
                if is_nested && !(row.is_nested && matches!(one, Try::Taken(_) | Try::Refused(..)))
                {
                    continue;
                }
                ran.tries += 1;
                let tried = AssertUnwindSafe(attempt(&world, row, one, is_nested));
                if let Err(panic) = tried.catch_unwind().await {
                    let why = panic
                        .downcast_ref::<String>()
                        .map(String::as_str)
                        .or_else(|| panic.downcast_ref::<&str>().copied())
                        .unwrap_or("it panicked");
                    let place = if is_nested { " in a SubStatement" } else { "" };
                    ran.broken.push(format!(
                        "{version} #{index} {}: {}\n    {what}{place}\n    {why}",
                        row.clause(version),
                        row.rule
                    ));
                }
            }
        }
    }
    ran
}

fn describe(one: &Try) -> String {
    let changes = |changes: &[Change]| {
        let parts = changes
            .iter()
            .map(|(pointer, value)| format!("{pointer} = {value}"));
        parts.collect::<Vec<_>>().join(", ")
    };
    match one {
        Try::Taken(what) => format!("takes {}", changes(what)),
        Try::Refused(what, path) => format!("refuses {} at {path}", changes(what)),
        Try::Answered(ask, status, _) => format!("{} {} -> {status}", ask.method, ask.address()),
        Try::Proven(_) => "proof".to_owned(),
    }
}

async fn attempt(world: &World, row: &Row, one: &Try, is_nested: bool) {
    match one {
        Try::Taken(changes) => {
            let sent = changed(row, changes, is_nested);
            let id = world.keep(&sent).await;
            let mut served = world.one(&id).await;
            let stamp = sent
                .get("timestamp")
                .is_some()
                .then(|| served["timestamp"].take());
            assert_eq!(comparable(&served), comparable(&sent), "what is served");
            if let Some(stamp) = stamp {
                assert_eq!(instant(&stamp), instant(&sent["timestamp"]), "timestamp");
            }
        }
        Try::Refused(changes, path) => {
            let mut sent = changed(row, changes, is_nested);
            let id = Uuid::now_v7().to_string();
            if sent.get("id").is_none() {
                sent["id"] = json!(id);
            }
            let answer = world.send(post("statements").json(&sent)).await.expect(400);
            answer.problem();
            let detail = answer.json()["detail"].as_str().unwrap().to_owned();
            let path = if is_nested {
                path.replacen('$', "$.object", 1)
            } else {
                (*path).to_owned()
            };
            assert!(
                detail.starts_with(&format!("{path}: ")),
                "not at {path}: {detail}"
            );
            let kept = world.send(get("statements").with("statementId", id)).await;
            kept.expect(404);
        }
        Try::Answered(ask, status, named) => {
            let answer = world.send(ask.clone()).await.expect(*status);
            assert!(
                answer.text().contains(named),
                "no {named:?}: {}",
                answer.text()
            );
            assert_eq!(answer.header(crate::world::VERSION), world.version.header());
        }
        Try::Proven(proof) => proof(world).await,
    }
}

fn changed(row: &Row, changes: &[Change], is_nested: bool) -> Value {
    let mut statement = base(row.base);
    for change in changes {
        apply(&mut statement, change);
    }
    if is_nested {
        nested(statement)
    } else {
        statement
    }
}

fn instant(stamp: &Value) -> jiff::Timestamp {
    lectern_xapi::parse_timestamp(stamp.as_str().unwrap(), Version::V1_0_3)
        .or_else(|| lectern_xapi::parse_timestamp(stamp.as_str().unwrap(), Version::V2_0_0))
        .unwrap()
}
