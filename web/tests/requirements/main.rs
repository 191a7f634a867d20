//! Both versions of xAPI, clause by clause: a table with a row for each requirement, in our words, and a runner that
//! sends every row to a whole box through its router. `rows` is the table, one file an area; `row` says what a row is.
//!
//! Clauses of 1.0.3 are those of `adlnet/xAPI-Spec` (Parts Two and Three: "Data", "Comm"). IEEE 9274.1.1 is not public:
//! its clauses are cited by the numbers in the file names of the 2.0 half of `adlnet/lrs-conformance-test-suite`, and
//! where such a file still bears its old number, as "suite" with that.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    missing_docs,
    reason = "tests"
)]

#[path = "../support/mod.rs"]
mod support;

mod ask;
mod clauses;
mod row;
mod rows;
mod run;
mod state;
mod statements;
mod world;

use std::collections::BTreeSet;

use lectern_xapi::Version;
use serde_json::json;

use row::{Row, both};

#[tokio::test]
async fn every_requirement_holds_under_each_of_its_versions() {
    let mut broken = Vec::new();
    for version in [Version::V1_0_3, Version::V2_0_0] {
        let (mut rows, mut tries) = (0, 0);
        for (area, table) in rows::all() {
            let ran = run::area(&table, version).await;
            println!(
                "{version} {area}: {} rows, {} tries, {} broken",
                ran.rows,
                ran.tries,
                ran.broken.len()
            );
            rows += ran.rows;
            tries += ran.tries;
            broken.extend(ran.broken);
        }
        println!("{version}: {rows} rows, {tries} tries");
    }
    assert!(
        broken.is_empty(),
        "{} broken:\n\n{}",
        broken.len(),
        broken.join("\n\n")
    );
}

#[test]
fn every_row_has_words_of_its_own_clauses_that_exist_and_something_to_try() {
    let mut words = BTreeSet::new();
    for (area, table) in rows::all() {
        for row in table {
            assert!(words.insert(row.rule), "twice: {}", row.rule);
            assert!(row.rule.len() > 10, "{area}: {}", row.rule);
            assert!(!row.tries.is_empty(), "nothing is tried: {}", row.rule);
            for version in row.versions {
                let clause = row.clause(*version);
                assert!(
                    clauses::known(*version).contains(&clause),
                    "{clause:?} is no clause of {version}: {}",
                    row.rule
                );
            }
        }
    }
    assert!(words.len() >= 250, "{} rows", words.len());
}

/// The table is worth what its runner notices.
#[tokio::test]
async fn a_row_that_says_what_is_not_so_is_reported() {
    let words = "a row that is wrong on purpose";
    let wrong: Vec<Row> = vec![
        both("Data 2.4", "4.2.2.1", words).refuses("/actor/name", json!("Ada"), "$.actor"),
        both("Data 2.4", "4.2.2.1", words).takes("/actor/name", json!(1)),
        both("Data 2.4", "4.2.2.1", words).refuses("/actor/name", json!(1), "$.actor"),
        both("Data 2.4", "4.2.2.1", words).answers(ask::get("about"), 400),
        both("Data 2.4", "4.2.2.1", words).proven(|_| Box::pin(async { assert_eq!(1, 2) })),
    ];
    let ran = run::area(&wrong, Version::V2_0_0).await;
    let rows_noticed = wrong
        .iter()
        .enumerate()
        .filter(|(index, _)| {
            ran.broken
                .iter()
                .any(|text| text.starts_with(&format!("2.0.0 #{index} ")))
        })
        .count();
    assert_eq!(rows_noticed, wrong.len(), "{:#?}", ran.broken);
}
