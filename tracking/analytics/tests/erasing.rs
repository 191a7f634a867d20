//! Whoever is erased is counted no more, and the rest is as if they had never been there: the same bytes as built anew.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod common;

use common::{ACTIVITY, ADA, By, FOLD, Lectern, paused, statement};
use lectern_analytics::Rule;
use lectern_store::{Key, Table};
use serde_json::json;
use std::collections::BTreeSet;
use uuid::Uuid;

const BOB: By = By {
    actor: "bob",
    registration: 0xb,
    session: 0x2,
    version: 1,
};

/// A value as it lies in the file.
#[derive(Debug)]
struct Bytes(Vec<u8>);

impl lectern_store::Record for Bytes {
    fn encode(&self) -> Vec<u8> {
        self.0.clone()
    }
    fn decode(bytes: &[u8]) -> Result<Self, lectern_store::Corrupt> {
        Ok(Self(bytes.to_vec()))
    }
}

fn rows<K: Key + std::fmt::Debug>(lectern: &Lectern, name: &'static str) -> Vec<String> {
    let table = Table::<K, Bytes>::new(name);
    let store = lectern.lrs.store();
    let rows = store.snapshot().unwrap().range(&table, ..).unwrap();
    rows.map(|row| format!("{name} {:?}", row.unwrap()))
        .collect()
}

fn derived(lectern: &Lectern) -> Vec<String> {
    lectern.lrs.settle();
    [
        rows::<(String, String, u32, bool, Uuid)>(lectern, "analytics.records"),
        rows::<(String, u32, u32)>(lectern, "analytics.counters"),
        rows::<(String, Uuid, String)>(lectern, "analytics.latest"),
        rows::<(String, Uuid, String)>(lectern, "analytics.completed"),
        rows::<(u64, u8)>(lectern, "lrs.marks"),
    ]
    .concat()
}

async fn erase(lectern: &Lectern, sequences: BTreeSet<u64>) {
    let lrs = lectern.lrs.clone();
    let erased = tokio::task::spawn_blocking(move || lrs.erase(&sequences));
    erased.await.unwrap().unwrap();
    let left = derived(lectern);
    lectern.lrs.rebuild(FOLD).unwrap();
    assert_eq!(derived(lectern), left);
}

/// Two people, several registrations, versions, sessions; something implausible, something hidden, something completed.
async fn filled() -> Lectern {
    let lectern = Lectern::new();
    for round in 0..8_u32 {
        for (index, from) in [ADA, BOB].into_iter().enumerate() {
            let by = By {
                registration: from.registration + u128::from(round % 3) * 16,
                session: from.session + u128::from(round / 2) * 16,
                version: 1 + round % 2,
                ..from
            };
            let at = i64::from(round) * 60_000;
            let start = round * 5 % 20;
            let played = format!("{start}[.]{}[,]200[.]{}", start + 5, 260 + index);
            let result =
                json!({"played-segments": played, "hidden-segments": "3[.]4", "time": round});
            let said = statement(by, "paused", at, &result, &json!({"length": 300}));
            let started = statement(by, "played", at - 20_000, &json!({"time": 0}), &json!({}));
            lectern.post(&[started, said]).await;
            if round == 5 {
                let done = json!({"time": 300, "completion": true});
                lectern
                    .post(&[statement(by, "completed", at + 9, &done, &json!({}))])
                    .await;
            }
        }
    }
    lectern
}

#[tokio::test]
async fn nothing_is_counted_of_whoever_is_erased() {
    let lectern = filled().await;
    let head = lectern.lrs.head().unwrap();
    let mut of_ada = BTreeSet::new();
    for n in 1..=head {
        let (_, said) = lectern.lrs.statement(n).unwrap().unwrap();
        if said.actor.ifi().unwrap().key().ends_with("ada") {
            of_ada.insert(n);
        }
    }
    assert!(of_ada.len() > 10);
    erase(&lectern, of_ada).await;
    let rule = Rule::Watched { percent: 90 };
    let viewers = lectern
        .analytics
        .viewers(ACTIVITY, 1, Some(300_000), rule, None, 100);
    assert!(
        viewers
            .unwrap()
            .items
            .iter()
            .all(|viewer| viewer.actor.ends_with("bob"))
    );
    let found = lectern.retention(1, 300);
    assert!(found.viewers.iter().all(|viewers| *viewers <= 1) && found.viewers.contains(&1));
}

#[tokio::test]
async fn any_statements_can_go_and_a_fold_built_anew_has_the_same_bytes() {
    for seed in 1..10_u64 {
        let lectern = filled().await;
        let head = lectern.lrs.head().unwrap();
        let mut random = seed;
        for _ in 0..4 {
            let some = (1..=head).filter(|_| {
                random ^= random << 13;
                random ^= random >> 7;
                random ^= random << 17;
                random % 3 == 0
            });
            erase(&lectern, some.collect()).await;
        }
        lectern.post(&[paused(ADA, 900_000, "0[.]9")]).await;
        let left = derived(&lectern);
        lectern.lrs.rebuild(FOLD).unwrap();
        assert_eq!(derived(&lectern), left);
        erase(&lectern, (1..=head + 1).collect()).await;
        assert_eq!(derived(&lectern), Vec::<String>::new());
    }
}
