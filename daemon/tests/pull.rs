//! Statements from one box to another: pulled over HTTP while the one that pulls is killed in the middle, and by files.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

#[path = "support/mod.rs"]
mod support;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use support::{Client, Daemon};

const STATEMENTS: usize = 3_000;
const HEADERS: [(&str, &str); 2] = [
    ("x-experience-api-version", "2.0.0"),
    ("content-type", "application/json"),
];

fn statement(n: usize) -> Value {
    json!({
        "id": format!("00000000-0000-4000-8000-{n:012}"),
        "actor": {"mbox": format!("mailto:{}@example.org", n % 50)},
        "verb": {"id": format!("http://example.org/verbs/{}", n % 7)},
        "object": {"id": format!("http://example.org/things/{}", n % 90)},
        "result": {"response": format!("{n} ü")},
    })
}

async fn post(client: &Client, body: &Value) -> Value {
    let answer = client
        .send(
            "POST",
            "/xapi/statements",
            &HEADERS,
            body.to_string().into_bytes(),
        )
        .await;
    answer.unwrap().expect(200).json()
}

async fn fill(client: &Client) {
    for from in (0..STATEMENTS).step_by(250) {
        let some: Vec<Value> = (from..from + 250).map(statement).collect();
        post(client, &json!(some)).await;
    }
    let void = json!({
        "actor": {"mbox": "mailto:ines@example.org"},
        "verb": {"id": "http://adlnet.gov/expapi/verbs/voided"},
        "object": {"objectType": "StatementRef", "id": statement(77)["id"]},
    });
    post(client, &void).await;
}

/// Every statement by its id, without what each box sets itself.
async fn all(client: &Client) -> BTreeMap<String, Value> {
    let mut found = BTreeMap::new();
    let mut path = "/xapi/statements?limit=500&ascending=true".to_owned();
    loop {
        let page = client.send("GET", &path, &HEADERS, Vec::new()).await;
        let page = page.unwrap().expect(200).json();
        for mut one in page["statements"].as_array().unwrap().clone() {
            for own in ["stored", "authority", "timestamp"] {
                one.as_object_mut().unwrap().remove(own);
            }
            let id = one["id"].as_str().unwrap().to_owned();
            assert!(found.insert(id.clone(), one).is_none(), "{id} twice");
        }
        match page["more"].as_str() {
            None | Some("") => return found,
            Some(more) => path = more.to_owned(),
        }
    }
}

fn source(daemon: &Daemon) -> Value {
    let list = daemon.run(&["source", "list"], "");
    list["items"][0].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_pulled_is_whole_though_whoever_pulls_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    let (there, here) = (folder.path().join("there"), folder.path().join("here"));
    std::fs::create_dir(&there).unwrap();
    std::fs::create_dir(&here).unwrap();
    let first = Daemon::start(&there);
    let theirs = first.lrs();
    fill(&theirs).await;
    let key = first.run(
        &[
            "credential",
            "add",
            "--name",
            "for the other",
            "--scope",
            "all/read",
        ],
        "",
    );
    let mut second = Daemon::start(&here);
    let url = format!("{}/xapi/", first.base);
    let add = |name: &str, key: &str, secret: &str| {
        let arguments = [
            "source",
            "add",
            "--name",
            name,
            "--url",
            &url,
            "--key",
            key,
            "--secret-stdin",
            "--version",
            "2.0.0",
            "--allow-private",
        ];
        second.run(&arguments, secret)
    };
    add(
        "campus",
        key["key"].as_str().unwrap(),
        key["secret"].as_str().unwrap(),
    );
    let mut kills = 0;
    let end = Instant::now() + Duration::from_secs(120);
    loop {
        assert!(Instant::now() < end, "{}", source(&second));
        let now = source(&second);
        let read = now["stored"].as_u64().unwrap() + now["known"].as_u64().unwrap();
        if now["state"] == "following" {
            break;
        }
        if kills < 3 && read > kills * 800 {
            kills += 1;
            second.kill();
            second = Daemon::start(&here);
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let now = source(&second);
    assert_eq!(now["refused"], 0, "{now}");
    let ours = second.lrs();
    assert_eq!(all(&ours).await, all(&theirs).await);
    // What was taken back there came, too, and is taken back here.
    let id = statement(77)["id"].as_str().unwrap().to_owned();
    let path = format!("/xapi/statements?voidedStatementId={id}");
    ours.send("GET", &path, &HEADERS, Vec::new())
        .await
        .unwrap()
        .expect(200);
    // What comes there later comes here.
    post(&theirs, &statement(STATEMENTS + 1)).await;
    let id = statement(STATEMENTS + 1)["id"].as_str().unwrap().to_owned();
    let path = format!("/xapi/statements?statementId={id}");
    let end = Instant::now() + Duration::from_secs(90);
    loop {
        let answer = ours.send("GET", &path, &HEADERS, Vec::new()).await.unwrap();
        if answer.status == 200 {
            break;
        }
        assert!(Instant::now() < end, "{}", source(&second));
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    assert!(first.stop() && second.stop());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_cannot_be_read_says_why_and_waits() {
    let (folder, there) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (daemon, other) = (Daemon::start(folder.path()), Daemon::start(there.path()));
    let url = format!("{}/xapi", other.base);
    let arguments = [
        "source",
        "add",
        "--name",
        "wrong",
        "--url",
        &url,
        "--key",
        "no",
        "--secret-stdin",
        "--allow-private",
    ];
    daemon.run(&arguments, "no");
    let end = Instant::now() + Duration::from_secs(30);
    let found = loop {
        let found = source(&daemon);
        if found["state"] == "waiting" {
            break found;
        }
        assert!(Instant::now() < end, "{found}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    assert_eq!(found["last_error"], "the key or the secret is wrong");
    daemon.run(&["source", "remove", "--name", "wrong"], "");
    assert_eq!(daemon.run(&["source", "list"], "")["items"], json!([]));
    assert!(daemon.stop() && other.stop());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_goes_from_one_box_to_another_with_and_without_a_daemon() {
    let folder = tempfile::tempdir().unwrap();
    let (there, here) = (folder.path().join("there"), folder.path().join("here"));
    std::fs::create_dir(&there).unwrap();
    std::fs::create_dir(&here).unwrap();
    let first = Daemon::start(&there);
    let theirs = first.lrs();
    fill(&theirs).await;
    let file = folder.path().join("statements.ndjson");
    let path = file.to_str().unwrap();
    let exported = first.run(&["statements", "export", path], "");
    assert_eq!(exported["statements"], STATEMENTS as u64 + 1);
    // Without a daemon.
    let imported = support::lecternd(&here, &["statements", "import", path], "").1;
    assert_eq!(imported["stored"], STATEMENTS as u64 + 1);
    let second = Daemon::start(&here);
    let again = second.run(&["statements", "import", path], "");
    assert_eq!(
        (&again["stored"], &again["known"]),
        (&json!(0), &json!(STATEMENTS as u64 + 1))
    );
    assert_eq!(all(&second.lrs()).await, all(&theirs).await);
    assert!(first.stop() && second.stop());
}
