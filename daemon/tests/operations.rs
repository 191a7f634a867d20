//! What the box writes down has words: `docs/operations.md` names every event that is logged as a warning or an error, the
//! audit page every deed.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// From a macro to the name of its event there are at most so many bytes.
const NEAR: usize = 120;

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    const NOT_SOURCES: [&str; 5] = ["target", "tests", "node_modules", "benches", "examples"];
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() && !NOT_SOURCES.contains(&&*name) && !name.starts_with('.') {
            sources(&path, found);
        } else if path.extension().is_some_and(|end| end == "rs") {
            found.push(path);
        }
    }
}

/// The events of all warnings and errors in a text.
fn events(source: &str) -> BTreeSet<String> {
    let logged = ["tracing::warn!(", "tracing::error!("]
        .into_iter()
        .flat_map(|call| source.split(call).skip(1));
    logged
        .map(|rest| {
            let (before, rest) = rest.split_once("event = \"").unwrap();
            assert!(before.len() < NEAR, "an event without a name: {before}");
            rest.split('"').next().unwrap().to_owned()
        })
        .collect()
}

/// The deeds that are written to the audit log in a text, by the box's names: `person.add`.
fn deeds(source: &str) -> BTreeSet<String> {
    let noted = ["audit(", "session::event(", "note(", "what: "]
        .into_iter()
        .flat_map(|call| source.split(call).skip(1));
    noted
        .filter_map(|rest| {
            let call = rest.split(';').next().unwrap();
            let name = call.split('"').nth(1)?;
            let (on, what) = name.split_once('.')?;
            let is_word = |word: &str| {
                !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')
            };
            (is_word(on) && is_word(what)).then(|| name.to_owned())
        })
        .collect()
}

#[test]
fn each_deed_in_the_audit_log_has_words() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut files = Vec::new();
    for room in ["daemon/src", "tracking/lms/src", "web/src"] {
        sources(&root.join(room), &mut files);
    }
    let noted: BTreeSet<String> = files
        .iter()
        .flat_map(|file| deeds(&std::fs::read_to_string(file).unwrap()))
        .collect();
    assert!(noted.len() > 35, "{noted:?}");
    let words = std::fs::read_to_string(root.join("web/ui/src/messages/en/system.ts")).unwrap();
    let missing: Vec<_> = noted
        .iter()
        .filter(|deed| !words.contains(&format!("'{deed}': '")))
        .collect();
    assert_eq!(
        missing,
        Vec::<&String>::new(),
        "say each in web/ui/src/messages/en/system.ts"
    );
}

#[test]
fn each_event_that_is_a_warning_or_an_error_is_explained_to_whoever_runs_the_box() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut files = Vec::new();
    for room in ["daemon", "media", "tracking", "web"] {
        sources(&root.join(room), &mut files);
    }
    let logged: BTreeSet<String> = files
        .iter()
        .flat_map(|file| events(&std::fs::read_to_string(file).unwrap()))
        .collect();
    assert!(logged.len() > 20, "{logged:?}");
    let page = std::fs::read_to_string(root.join("docs/operations.md")).unwrap();
    let missing: Vec<_> = logged
        .iter()
        .filter(|event| !page.contains(&format!("`{event}`")))
        .collect();
    assert_eq!(
        missing,
        Vec::<&String>::new(),
        "add a row for each to docs/operations.md"
    );
}
