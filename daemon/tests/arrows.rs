//! The arrows of `docs/architecture.md`: which room may import which. Fails when one points the wrong way.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "tests"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

/// Room → rooms it may import, as the table in `docs/architecture.md` says.
const MAY_IMPORT: &[(&str, &[&str])] = &[
    ("lectern-egress", &[]),
    ("lectern-store", &[]),
    ("lectern-xapi", &[]),
    ("lectern-vod", &[]),
    ("lectern-hwtest", &["lectern-vod"]),
    ("lectern-library", &["lectern-store"]),
    (
        "lectern-lrs",
        &["lectern-store", "lectern-egress", "lectern-xapi"],
    ),
    (
        "lectern-lms",
        &["lectern-store", "lectern-lrs", "lectern-xapi"],
    ),
    (
        "lectern-analytics",
        &["lectern-store", "lectern-lrs", "lectern-xapi"],
    ),
    (
        "lectern-web",
        &[
            "lectern-analytics",
            "lectern-egress",
            "lectern-library",
            "lectern-lms",
            "lectern-lrs",
            "lectern-store",
            "lectern-vod",
            "lectern-xapi",
        ],
    ),
    (
        "lecternd",
        &[
            "lectern-analytics",
            "lectern-egress",
            "lectern-library",
            "lectern-lms",
            "lectern-lrs",
            "lectern-store",
            "lectern-vod",
            "lectern-web",
            "lectern-xapi",
        ],
    ),
];

/// Packages that may stand in one room only: they bring a machine's whole attack surface or memory with them.
const ONE_ROOM: &[(&str, &str)] = &[
    ("gstreamer", "lectern-vod"),
    ("redb", "lectern-store"),
    ("reqwest", "lectern-egress"),
];

fn workspace() -> BTreeMap<String, BTreeSet<String>> {
    let output = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--no-deps",
            "--offline",
            "--format-version",
            "1",
        ])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let name_of = |value: &serde_json::Value| value["name"].as_str().unwrap().to_owned();
    let packages = metadata["packages"].as_array().unwrap();
    packages
        .iter()
        .map(|package| {
            let dependencies = package["dependencies"].as_array().unwrap();
            let normal = dependencies
                .iter()
                .filter(|dependency| dependency["kind"].is_null());
            (name_of(package), normal.map(name_of).collect())
        })
        .collect()
}

#[test]
fn every_import_follows_an_arrow_of_the_architecture() {
    let workspace = workspace();
    let allowed: BTreeMap<_, _> = MAY_IMPORT.iter().copied().collect();
    for (room, imports) in &workspace {
        let may = allowed
            .get(room.as_str())
            .unwrap_or_else(|| panic!("{room} is not in docs/architecture.md and this table"));
        for import in imports
            .iter()
            .filter(|import| workspace.contains_key(*import))
        {
            assert!(
                may.contains(&import.as_str()),
                "{room} may not import {import}"
            );
        }
    }
}

#[test]
fn a_dependency_that_belongs_to_one_room_stands_in_that_room_only() {
    for (room, imports) in workspace() {
        for (package, owner) in ONE_ROOM {
            assert!(
                !imports.contains(*package) || room == *owner,
                "{room} may not use {package}: it belongs to {owner}"
            );
        }
    }
}
