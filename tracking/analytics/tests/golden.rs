//! The golden player sequences (`tracking/golden/`), the box's half: the statements that the page's sensor makes of each
//! sequence, through the record store, give the retention that was worked out by hand.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

mod common;

use common::{ADA, By, Lectern, statement};
use serde_json::Value;
use std::path::Path;

#[tokio::test]
async fn every_golden_sequence_gives_its_retention() {
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
        .retention(common::ACTIVITY, 1, duration_ms)
        .unwrap();
    let found = serde_json::to_value(found).unwrap();
    assert_eq!(
        found,
        case["retention"],
        "{} in {}",
        case["name"],
        path.display()
    );
}
