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

/// What all sources of some rooms name.
fn named(rooms: &[&str], names: fn(&str) -> BTreeSet<String>) -> BTreeSet<String> {
    let mut files = Vec::new();
    for room in rooms {
        sources(&root().join(room), &mut files);
    }
    let texts = files
        .iter()
        .map(|file| std::fs::read_to_string(file).unwrap());
    texts.flat_map(|text| names(&text)).collect()
}

/// Those of which a page has no `form`.
fn missing<'n>(
    names: &'n BTreeSet<String>,
    page: &str,
    form: fn(&str) -> String,
) -> Vec<&'n String> {
    let page = std::fs::read_to_string(root().join(page)).unwrap();
    let is_missing = |name: &&String| !page.contains(&form(name));
    names.iter().filter(is_missing).collect()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

#[test]
fn each_deed_in_the_audit_log_has_words() {
    let noted = named(&["daemon/src", "tracking/lms/src", "web/src"], deeds);
    assert!(noted.len() > 35, "{noted:?}");
    let page = "web/ui/src/messages/en/system.ts";
    assert_eq!(
        missing(&noted, page, |deed| format!("'{deed}': '")),
        Vec::<&String>::new(),
        "say each in web/ui/src/messages/en/system.ts"
    );
}

#[test]
fn each_event_that_is_a_warning_or_an_error_is_explained_to_whoever_runs_the_box() {
    let logged = named(&["daemon", "media", "tracking", "web"], events);
    assert!(logged.len() > 20, "{logged:?}");
    assert_eq!(
        missing(&logged, "docs/operations.md", |event| format!("`{event}`")),
        Vec::<&String>::new(),
        "add a row for each to docs/operations.md"
    );
}
