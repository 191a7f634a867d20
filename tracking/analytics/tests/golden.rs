//! The golden player sequences (`tracking/golden/`), the box's half: the statements that the page's sensor makes of each
//! sequence, through the record store, give the retention that was worked out by hand, with nothing refused; and the box
//! takes for completed what the player said `completed` of, by the rule that the sequence names.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

mod common;

use common::{ACTIVITY, ADA, By, Lectern, ifi, statement, uuid};
use lectern_analytics::Rule;
use serde_json::Value;
use std::path::Path;

#[tokio::test]
async fn every_golden_sequence_gives_its_retention_and_its_completion() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../golden");
    let mut run = 0;
    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let golden: Value = serde_json::from_str(&text).unwrap();
        for case in golden["cases"].as_array().unwrap() {
            check(&path, case).await;
            run += 1;
        }
    }
    assert!(run > 20, "only {run} cases were found");
}

async fn check(path: &Path, case: &Value) {
    let lectern = Lectern::new();
    let earlier = By {
        session: 0x99,
        ..ADA
    };
    let prior = case.pointer("/registration_prior/statements");
    for (from, list) in [(earlier, prior), (ADA, case.get("statements"))] {
        let Some(list) = list.and_then(Value::as_array) else {
            continue;
        };
        let statements: Vec<Value> = list
            .iter()
            .map(|said| {
                let verb = said["verb"].as_str().unwrap();
                let wall_ms = said["wall_ms"].as_i64().unwrap();
                statement(from, verb, wall_ms, &said["result"], &said["context"])
            })
            .collect();
        lectern.post(&statements).await;
    }
    // Lengths in the goldens have at most three decimals.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let duration_ms = (case["length_s"].as_f64().unwrap() * 1000.0).round() as u64;
    let found = lectern
        .analytics
        .retention(ACTIVITY, 1, duration_ms)
        .unwrap();
    let found = serde_json::to_value(found).unwrap();
    assert_eq!(
        found,
        case["retention"],
        "{} in {}",
        case["name"],
        path.display()
    );

    let lists = [prior, case.get("statements")];
    let said = lists.into_iter().flatten().filter_map(Value::as_array);
    let has_completed = said.flatten().any(|said| said["verb"] == "completed");
    let rule = rule(&case["completion"]);
    let registration = uuid(ADA.registration);
    let progress = lectern
        .analytics
        .progress(
            ACTIVITY,
            Some(1),
            registration,
            &ifi(ADA.actor),
            Some(duration_ms),
            rule,
        )
        .unwrap()
        .unwrap();
    assert_eq!(
        progress.completed,
        has_completed,
        "{} in {}",
        case["name"],
        path.display()
    );
    let found = lectern
        .analytics
        .has_said_completed(ACTIVITY, registration, &ifi(ADA.actor));
    assert_eq!(found.unwrap(), has_completed, "{}", case["name"]);
    let viewers = lectern
        .analytics
        .viewers(ACTIVITY, 1, Some(duration_ms), rule, None, 10)
        .unwrap();
    assert_eq!(viewers.items[0].implausible, 0, "{}", case["name"]);
}

// Thresholds in the goldens are whole percents.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn rule(named: &Value) -> Rule {
    match named["rule"].as_str().unwrap() {
        "end" => Rule::End,
        "watched" => Rule::Watched {
            percent: (named["threshold"].as_f64().unwrap() * 100.0).round() as u8,
        },
        other => panic!("no rule is called {other}"),
    }
}
