//! The commands as a script meets them: exit codes, where they answer, what they leave on disk and in the audit log.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "tests"
)]

mod support;

use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value, json};
use support::{Daemon, lecternd};

const PASSWORD: &str = "correct horse battery staple\n";
/// Stands in the records, and nowhere else.
const NAME: &str = "ines-of-the-flipped-byte";
/// Stands in the library, and nowhere else.
const TITLE: &str = "The title with the flipped byte";

fn new_state() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state");
    (folder, state)
}

fn raw(state: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_lecternd"))
        .arg("--state")
        .arg(state)
        .args(args)
        .output()
        .unwrap()
}

/// A state folder with a person and a video in it.
fn filled(state: &Path) {
    let add = ["user", "add", NAME, "--role", "admin", "--password-stdin"];
    let (ok, answer) = lecternd(state, &add, PASSWORD);
    assert!(ok, "{answer}");
    let (ok, answer) = lecternd(state, &["import", "/dev/null", "--title", TITLE], "");
    assert!(ok, "{answer}");
}

/// Changes a letter wherever the text stands; how often that was.
fn flip(bytes: &mut [u8], text: &str) -> usize {
    let places: Vec<usize> = bytes
        .windows(text.len())
        .enumerate()
        .filter(|(_, window)| *window == text.as_bytes())
        .map(|(at, _)| at)
        .collect();
    for at in &places {
        bytes[*at] ^= 1;
    }
    places.len()
}

/// The archive without the entry of this name.
fn without(archive: &[u8], name: &str) -> Vec<u8> {
    let mut fewer = tar::Builder::new(Vec::new());
    let mut entries = tar::Archive::new(archive);
    for entry in entries.entries().unwrap() {
        let entry = entry.unwrap();
        if entry.path().unwrap() != Path::new(name) {
            fewer.append(&entry.header().clone(), entry).unwrap();
        }
    }
    fewer.into_inner().unwrap()
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn the_exit_code_tells_done_from_failed_from_misused() {
    let (_folder, state) = new_state();
    for (args, code) in [
        (&["--help"][..], 0),
        (&["upstream", "list"], 0),
        (&["token", "add", "--user", "nobody"], 1),
        (&["token", "revoke", "--user", "nobody"], 1),
        (&["person", "erase", "nobody"], 1),
        (&["person", "erase", "nobody", "--yes"], 1),
        (&["person", "erase"], 2),
        (&["backup", "/nowhere/at/all.tar"], 1),
        (&["verify", "/dev/null"], 1),
        (&["verify", "/dev/null", "--key", "short"], 2),
        (&["evidence", "/nowhere/at/all.ndjson"], 1),
        (&[], 2),
        (&["backup"], 2),
        (
            &["credential", "add", "--name", "n", "--scope", "everything"],
            2,
        ),
        (
            &["user", "add", "n", "--role", "king", "--password-stdin"],
            2,
        ),
        (&["upstream", "list", "--all"], 2),
        (
            &[
                "upstream",
                "replay",
                "--name",
                "nobody",
                "--since",
                "2026-01-01T00:00:00Z",
            ],
            1,
        ),
        (
            &["upstream", "replay", "--name", "u", "--since", "yesterday"],
            2,
        ),
        (
            &[
                "upstream",
                "add",
                "--name",
                "u",
                "--url",
                "https://lrs.example",
                "--key",
                "k",
                "--secret-stdin",
                "--identities",
                "map",
            ],
            2,
        ),
    ] {
        let output = raw(&state, args);
        assert_eq!(output.status.code(), Some(code), "{args:?}: {output:?}");
    }
}

#[test]
fn an_archive_on_standard_output_stands_there_alone() {
    let (folder, state) = new_state();
    filled(&state);
    let output = raw(&state, &["--json", "backup", "-"]);
    assert!(output.status.success(), "{output:?}");
    let answer: Value = serde_json::from_slice(&output.stderr).unwrap();
    assert!(answer["files"].as_u64() > Some(2), "{answer}");
    let archive = folder.path().join("box.tar");
    std::fs::write(&archive, &output.stdout).unwrap();
    let restored = folder.path().join("restored");
    let (ok, answer) = lecternd(&restored, &["restore", archive.to_str().unwrap()], "");
    assert!(ok, "{answer}");
}

#[test]
fn what_is_restored_is_for_the_daemon_alone() {
    let (folder, state) = new_state();
    filled(&state);
    let archive = folder.path().join("box.tar");
    let (ok, answer) = lecternd(&state, &["backup", archive.to_str().unwrap()], "");
    assert!(ok, "{answer}");
    assert_eq!(mode(&archive), 0o600);
    let restored = folder.path().join("restored");
    let (ok, answer) = lecternd(&restored, &["restore", archive.to_str().unwrap()], "");
    assert!(ok, "{answer}");
    assert_eq!(mode(&restored), 0o700);
    assert_eq!(mode(&restored.join("keys")), 0o700);
    for file in [
        "records.redb",
        "library.redb",
        "keys/sealing.key",
        "keys/evidence.key",
    ] {
        assert_eq!(mode(&restored.join(file)), 0o600, "{file}");
    }
    let (ok, answer) = lecternd(&restored, &["doctor"], "");
    assert!(ok, "{answer}");
}

#[test]
fn a_damaged_or_incomplete_backup_is_refused_and_leaves_nothing() {
    let (folder, state) = new_state();
    filled(&state);
    let archive = folder.path().join("box.tar");
    let (ok, answer) = lecternd(&state, &["backup", archive.to_str().unwrap()], "");
    assert!(ok, "{answer}");
    let whole = std::fs::read(&archive).unwrap();
    let flipped = |text| {
        let mut bytes = whole.clone();
        assert!(flip(&mut bytes, text) > 0, "{text} is in the archive");
        bytes
    };
    for (bytes, named) in [
        (flipped(NAME), "records.redb of the backup is damaged"),
        (flipped(TITLE), "library.redb of the backup is damaged"),
        (without(&whole, "records.redb"), "missing"),
        (without(&whole, "library.redb"), "missing"),
    ] {
        std::fs::write(&archive, bytes).unwrap();
        let nowhere = folder.path().join("nowhere");
        let (ok, answer) = lecternd(&nowhere, &["restore", archive.to_str().unwrap()], "");
        let sentence = answer["error"].as_str().unwrap();
        assert!(!ok && sentence.contains(named), "{named}: {answer}");
        let left = std::fs::read_dir(&nowhere).unwrap().count();
        assert_eq!(left, 0, "{named}");
    }
    std::fs::write(&archive, flipped(NAME)).unwrap();
    let (ok, answer) = lecternd(&state, &["verify", archive.to_str().unwrap()], "");
    assert!(!ok && answer["error"].is_string(), "{answer}");
}

#[test]
fn the_doctor_finds_a_flipped_byte_in_a_store() {
    let (_folder, state) = new_state();
    filled(&state);
    let (ok, answer) = lecternd(&state, &["doctor"], "");
    assert!(ok, "{answer}");
    let records = state.join("records.redb");
    let mut bytes = std::fs::read(&records).unwrap();
    assert!(flip(&mut bytes, NAME) > 0);
    std::fs::write(&records, bytes).unwrap();
    let (ok, answer) = lecternd(&state, &["doctor"], "");
    assert!(!ok && answer.to_string().contains("records"), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_commands_do_stands_in_the_audit_log() {
    let (folder, state) = new_state();
    let daemon = Daemon::start(&state);
    filled(&state);
    let token = daemon.run(&["token", "add", "--user", NAME], "");
    let admin = daemon.client(token["token"].as_str());
    daemon.run(&["credential", "add", "--name", "n"], "");
    let upstream = [
        "upstream",
        "add",
        "--name",
        "u",
        "--url",
        "https://lrs.example/xapi",
        "--key",
        "k",
        "--secret-stdin",
    ];
    let table = folder.path().join("table.csv");
    std::fs::write(&table, format!("{NAME},mailto:root@uni.example\n")).unwrap();
    let mut upstream = upstream.to_vec();
    let more = [
        "--person",
        NAME,
        "--activity",
        "https://a.example/course",
        "--identities",
        "map",
        "--unlisted",
        "keep",
        "--table",
    ];
    upstream.extend(more);
    upstream.push(table.to_str().unwrap());
    daemon.run(&upstream, "secret\n");
    let listed = admin.get("/api/v1/upstreams").await.expect(200).json();
    let listed = &listed["items"][0];
    assert_eq!(listed["filter"]["people"], json!([NAME]));
    assert_eq!(
        listed["identities"],
        json!({"how": "map", "rows": 1, "unlisted": "keep"})
    );
    let again = [
        "upstream",
        "replay",
        "--name",
        "u",
        "--since",
        "2026-01-01T00:00:00Z",
    ];
    assert_eq!(daemon.run(&again, "")["statements"], 0);
    let archive = folder.path().join("box.tar");
    let system = admin.get("/api/v1/system").await.expect(200).json();
    assert!(system["last_backup"].is_null(), "{system}");
    let made = daemon.run(&["backup", archive.to_str().unwrap()], "");
    let system = admin.get("/api/v1/system").await.expect(200).json();
    let last = |text: &Value| text.as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
    assert_eq!(
        last(&system["last_backup"]).as_second(),
        last(&made["made"]).as_second()
    );
    let audit = admin.get("/api/v1/audit").await.expect(200).json();
    let rows = audit["items"].as_array().unwrap().iter().rev();
    let found: Vec<_> = rows
        .map(|row| (row["who"].clone(), row["what"].clone()))
        .collect();
    let expected = [
        "person.add",
        "video.add",
        "token.add",
        "credential.add",
        "upstream.add",
        "upstream.replay",
        "backup.make",
    ];
    let expected: Vec<_> = expected
        .iter()
        .map(|what| (json!("box"), json!(what)))
        .collect();
    assert_eq!(found, expected, "{audit}");
    let revoked = daemon.run(&["token", "revoke", "--user", NAME], "");
    assert_eq!(revoked, json!({ "revoked": 1 }));
    admin.get("/api/v1/audit").await.expect(401);
}

#[test]
fn a_connection_that_asks_nothing_does_not_hold_up_the_stop() {
    let (_folder, state) = new_state();
    let daemon = Daemon::start(&state);
    // From then on the socket is there.
    daemon.run(&["upstream", "list"], "");
    let socket = state.join("lecternd.sock");
    // As many as are served at a time, and one that waits for a place.
    let held: Vec<_> = (0..17)
        .map(|_| UnixStream::connect(&socket).unwrap())
        .collect();
    let began = std::time::Instant::now();
    assert!(daemon.stop());
    assert!(began.elapsed().as_secs() < 8, "{:?}", began.elapsed());
    drop(held);
}

#[test]
fn a_second_daemon_on_the_folder_says_that_there_is_one() {
    let (_folder, state) = new_state();
    let _daemon = Daemon::start(&state);
    let second = raw(&state, &["serve", "--http", "127.0.0.1:0"]);
    assert_eq!(second.status.code(), Some(1));
    let log = String::from_utf8_lossy(&second.stderr).into_owned();
    assert!(
        log.contains("another lecternd uses this state folder"),
        "{log}"
    );
}

fn statement() -> Value {
    json!({
        "actor": { "mbox": "mailto:ada@example.org" },
        "verb": { "id": "https://w3id.org/xapi/video/verbs/played" },
        "object": { "id": "https://example.org/film" },
    })
}

/// A state folder with two records under a head that the daemon signed by itself, and one behind it.
async fn with_evidence(state: &Path) {
    let daemon = Daemon::start(state);
    let lrs = daemon.lrs();
    let two = json!([statement(), statement()]);
    let stored = lrs.xapi("POST", "/xapi/statements", Some(&two)).await;
    stored.unwrap().expect(200);
    assert!(daemon.stop());
    let daemon = Daemon::start(state);
    let auditor = daemon.person("vera", &["auditor"]);
    let end = std::time::Instant::now() + std::time::Duration::from_secs(30);
    while auditor.get("/api/v1/evidence").await.json()["last_head"].is_null() {
        assert!(std::time::Instant::now() < end, "no head was signed");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    let lrs = daemon.lrs();
    let one = statement();
    let stored = lrs.xapi("POST", "/xapi/statements", Some(&one)).await;
    stored.unwrap().expect(200);
    assert!(daemon.stop());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_evidence_is_checked_on_another_machine_in_all_its_forms() {
    let (folder, state) = new_state();
    with_evidence(&state).await;
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (export, archive) = (path("evidence.ndjson"), path("box.tar"));
    let (ok, answer) = lecternd(&state, &["evidence", &export, "--bodies"], "");
    let expected = json!({ "entries": 3, "heads": 1, "bodies": true });
    assert!(ok && answer == expected, "{answer}");
    assert_eq!(mode(Path::new(&export)), 0o600);
    let (ok, answer) = lecternd(&state, &["backup", &archive], "");
    assert!(ok, "{answer}");
    let nowhere = folder.path().join("no-state");
    let records = state.join("records.redb");
    let mut fingerprint = String::new();
    for file in [&export, &archive, records.to_str().unwrap()] {
        let (ok, answer) = lecternd(&nowhere, &["verify", file], "");
        assert!(ok, "{file}: {answer}");
        for (name, value) in [
            ("entries", 3),
            ("heads", 1),
            ("last_signed", 2),
            ("unsigned", 1),
        ] {
            assert_eq!(answer[name], value, "{file}: {answer}");
        }
        let (key, head) = (&answer["key"], &answer["last_head"]);
        key.as_str().unwrap().clone_into(&mut fingerprint);
        let kept = [
            "verify",
            file,
            "--key",
            &fingerprint,
            "--head",
            head.as_str().unwrap(),
        ];
        let (ok, answer) = lecternd(&nowhere, &kept, "");
        assert!(ok, "{file}: {answer}");
        let other = "ab".repeat(32);
        for option in ["--key", "--head"] {
            let (ok, answer) = lecternd(&nowhere, &["verify", file, option, &other], "");
            assert!(
                !ok && answer["error"].as_str().unwrap().contains(&other),
                "{answer}"
            );
        }
    }
    assert!(!nowhere.exists(), "it needs no state folder");
    let text = std::fs::read_to_string(&export).unwrap();
    std::fs::write(&export, text.replace("mailto:ada@", "mailto:eve@")).unwrap();
    let output = raw(&nowhere, &["--json", "verify", &export]);
    assert_eq!(output.status.code(), Some(1));
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    let sentence = answer["error"].as_str().unwrap();
    assert!(sentence.contains("the body of record 1"), "{sentence}");
    let output = raw(&state, &["--json", "evidence", "-"]);
    assert!(output.status.success(), "{output:?}");
    let lines = String::from_utf8(output.stdout).unwrap().lines().count();
    assert_eq!(lines, 6, "header, a head, three records, the end");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_box_that_lost_its_evidence_key_signs_nothing_under_another() {
    let (folder, state) = new_state();
    with_evidence(&state).await;
    let key = state.join("keys/evidence.key");
    let kept = std::fs::read(&key).unwrap();
    std::fs::remove_file(&key).unwrap();
    let (ok, answer) = lecternd(&state, &["doctor"], "");
    assert!(
        !ok && answer.to_string().contains("keys/evidence.key"),
        "{answer}"
    );
    let export = folder.path().join("e.ndjson");
    let (ok, answer) = lecternd(&state, &["evidence", export.to_str().unwrap()], "");
    assert!(
        !ok && answer["error"].as_str().unwrap().contains("from a backup"),
        "{answer}"
    );
    assert!(!key.exists() && !export.exists());
    std::fs::write(&key, kept).unwrap();
    let (ok, answer) = lecternd(&state, &["doctor"], "");
    assert!(ok, "{answer}");
}

#[test]
fn a_person_is_erased_by_command_with_and_without_a_daemon() {
    let (_folder, state) = new_state();
    for (name, role) in [("root", "admin"), ("ada", "learner"), ("bob", "learner")] {
        let add = ["user", "add", name, "--role", role, "--password-stdin"];
        let (ok, answer) = lecternd(&state, &add, PASSWORD);
        assert!(ok, "{answer}");
    }
    let erase = |who: &str, more: &[&str]| {
        let args = [&["person", "erase", who], more].concat();
        lecternd(&state, &args, "")
    };
    // Without a daemon; without --yes nothing happens.
    let (ok, shown) = erase("ada", &[]);
    assert!(ok && shown["erased"] == json!(false), "{shown}");
    assert_eq!(shown["identifiers"].as_array().unwrap().len(), 1);
    let (ok, done) = erase("ada", &["--yes"]);
    assert!(ok && done["erased"] == json!(true), "{done}");
    assert_eq!(
        (&done["statements"], &done["overwritten"]),
        (&json!(0), &json!(true))
    );
    assert!(!erase("ada", &["--yes"]).0);
    // Somebody has to run the box.
    assert!(!erase("root", &["--yes"]).0);
    // With a daemon, and by an identifier that no account here has.
    let daemon = Daemon::start(&state);
    let (ok, done) = erase("bob", &["--yes"]);
    assert!(ok && done["erased"] == json!(true), "{done}");
    let (ok, done) = erase("mailto:carl@example.edu", &["--yes"]);
    assert!(ok && done["person"] == Value::Null, "{done}");
    drop(daemon);
}
