//! Reading another record store: one Lectern moves away from another over a slow network and is killed on the way; boxes
//! that read each other come to an end; a box does not read itself.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "tests"
)]

mod support;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use lectern_lrs::{AttachmentBytes, join_multipart};
use lectern_xapi::multipart;
use serde_json::{Value, json};
use support::{Client, Daemon, PATIENCE, lecternd};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const SIGNATURE: &str = "http://adlnet.gov/expapi/attachments/signature";
const BATCHES: usize = 48;
const BATCH: usize = 50;

fn statement(n: usize) -> Value {
    json!({
        "id": uuid::Uuid::now_v7(),
        "actor": { "account": { "homePage": "https://pull.example", "name": format!("p{}", n % 7) } },
        "verb": { "id": "http://adlnet.gov/expapi/verbs/experienced" },
        "object": { "id": format!("https://pull.example/activities/{n}"), "definition": { "name": { "en": format!("No. {n}") } } },
        "result": { "score": { "raw": 1.50 } },
        "timestamp": "2026-05-01T10:00:00.000Z",
    })
}

fn sha2(bytes: &[u8]) -> String {
    hex::encode(ring::digest::digest(&ring::digest::SHA256, bytes))
}

fn attach(statement: &mut Value, usage: &str, kind: &str, bytes: Vec<u8>) -> AttachmentBytes {
    let sha2 = sha2(&bytes);
    statement["attachments"] = json!([{
        "usageType": usage,
        "display": { "en": "attached" },
        "contentType": kind,
        "length": bytes.len(),
        "sha2": sha2,
    }]);
    AttachmentBytes {
        sha2,
        content_type: kind.to_owned(),
        bytes,
    }
}

fn sign(statement: &mut Value) -> AttachmentBytes {
    let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let header = encode(&json!({ "alg": "RS256" }));
    let jws = format!(
        "{header}.{}.{}",
        encode(statement),
        URL_SAFE_NO_PAD.encode("signature")
    );
    attach(
        statement,
        SIGNATURE,
        "application/octet-stream",
        jws.into_bytes(),
    )
}

/// Fills a box with statements of every kind: plain, with a file, signed, voided. Ids of the voided ones.
async fn fill(far: &Client) -> Vec<String> {
    let mut voided = Vec::new();
    for batch in 0..BATCHES {
        let mut statements: Vec<Value> = (0..BATCH).map(|n| statement(batch * BATCH + n)).collect();
        let file = format!("file of batch {batch} ").repeat(400).into_bytes();
        let parts = [
            attach(&mut statements[3], "http://usage/file", "text/plain", file),
            sign(&mut statements[11]),
        ];
        if batch % 2 == 1 {
            let target = voided_target(batch);
            statements[0]["id"] = json!(target);
            let mut voiding = statement(0);
            voiding["verb"]["id"] = json!("http://adlnet.gov/expapi/verbs/voided");
            voiding["object"] = json!({ "objectType": "StatementRef", "id": target });
            statements.push(voiding);
            voided.push(target);
        }
        let (kind, body) = join_multipart(json!(statements).to_string().as_bytes(), &parts);
        let headers = [
            ("x-experience-api-version", "2.0.0"),
            ("content-type", kind.as_str()),
        ];
        far.send("POST", "/xapi/statements", &headers, body)
            .await
            .unwrap()
            .expect(200);
    }
    voided
}

fn voided_target(batch: usize) -> String {
    format!("00000000-0000-4000-8000-{batch:012x}")
}

/// Every statement of a box in the order in which it stored them, without what each record store sets itself; and the
/// bytes of the attachments.
async fn everything(client: &Client) -> (Vec<Value>, BTreeMap<String, Vec<u8>>) {
    let (mut statements, mut files) = (Vec::new(), BTreeMap::new());
    let mut path = "/xapi/statements?limit=200&ascending=true&attachments=true".to_owned();
    loop {
        let answer = client.xapi("GET", &path, None).await.unwrap().expect(200);
        let boundary = multipart::boundary(answer.header("content-type"));
        let parts = multipart::read(&answer.body, &boundary.unwrap().unwrap()).unwrap();
        let page: Value = serde_json::from_slice(parts[0].bytes).unwrap();
        for part in &parts[1..] {
            let hash = part.header("x-experience-api-hash").unwrap().to_owned();
            assert_eq!(hash, sha2(part.bytes));
            files.insert(hash, part.bytes.to_vec());
        }
        for one in page["statements"].as_array().unwrap() {
            let mut one = one.clone();
            for property in ["stored", "authority"] {
                one.as_object_mut().unwrap().remove(property);
            }
            statements.push(one);
        }
        match page["more"].as_str() {
            Some(more) if !more.is_empty() => path = more.to_owned(),
            _ => return (statements, files),
        }
    }
}

async fn voided_at(client: &Client, id: &str) -> Value {
    let path = format!("/xapi/statements?voidedStatementId={id}");
    let answer = client.xapi("GET", &path, None).await.unwrap();
    let mut statement = answer.expect(200).json();
    for property in ["stored", "authority"] {
        statement.as_object_mut().unwrap().remove(property);
    }
    statement
}

/// A network that hands answers on piece by piece.
async fn slow_way_to(address: String) -> String {
    const PIECE_BYTES: usize = 16 * 1024;
    const PAUSE: Duration = Duration::from_millis(15);
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let here = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((near, _)) = listener.accept().await {
            let address = address.clone();
            tokio::spawn(async move {
                let Ok(far) = TcpStream::connect(address).await else {
                    return;
                };
                let (mut from_near, mut to_near) = near.into_split();
                let (mut from_far, mut to_far) = far.into_split();
                let asking = async move {
                    let _ = tokio::io::copy(&mut from_near, &mut to_far).await;
                };
                let answering = async move {
                    let mut piece = vec![0; PIECE_BYTES];
                    while let Ok(count) = from_far.read(&mut piece).await {
                        if count == 0 || to_near.write_all(&piece[..count]).await.is_err() {
                            break;
                        }
                        tokio::time::sleep(PAUSE).await;
                    }
                };
                tokio::join!(asking, answering);
            });
        }
    });
    here.to_string()
}

/// A credential that may read all, as a source wants it.
fn reader(daemon: &Daemon) -> (String, String) {
    let args = [
        "credential",
        "add",
        "--name",
        "reader",
        "--scope",
        "all/read",
    ];
    let credential = daemon.run(&args, "");
    let text = |key: &str| credential[key].as_str().unwrap().to_owned();
    (text("key"), text("secret"))
}

fn add_source(daemon: &Daemon, name: &str, address: &str, reader: &(String, String)) {
    let url = format!("http://{address}/xapi");
    let args = [
        "source", "add", "--name", name, "--url", &url, "--key", &reader.0,
    ];
    let more = [
        "--secret-stdin",
        "--version",
        "2.0.0",
        "--once",
        "--allow-private",
    ];
    let added = daemon.run(&[&args[..], &more].concat(), &reader.1);
    assert!(added["id"].is_string());
}

fn source(daemon: &Daemon, name: &str) -> Value {
    let list = daemon.run(&["source", "list"], "");
    let items = list["items"].as_array().unwrap();
    items
        .iter()
        .find(|one| one["name"] == name)
        .unwrap()
        .clone()
}

fn read(one: &Value) -> u64 {
    let counts = ["stored", "known", "refused"];
    counts
        .map(|count| one[count].as_u64().unwrap())
        .iter()
        .sum()
}

async fn wait_for(daemon: &Daemon, name: &str, holds: impl Fn(&Value) -> bool) -> Value {
    let end = Instant::now() + PATIENCE;
    loop {
        let one = source(daemon, name);
        if holds(&one) {
            return one;
        }
        assert!(Instant::now() < end, "{one}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn address(daemon: &Daemon) -> String {
    daemon.base.trim_start_matches("http://").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_box_moves_away_from_another_though_it_is_killed_on_the_way() {
    let folder = tempfile::tempdir().unwrap();
    let (near, far) = (folder.path().join("near"), folder.path().join("far"));
    std::fs::create_dir(&near).unwrap();
    std::fs::create_dir(&far).unwrap();
    let old = Daemon::start(&far);
    let far_lrs = old.lrs();
    let voided = fill(&far_lrs).await;
    let total = (BATCHES * BATCH + voided.len()) as u64;

    let mut new = Daemon::start(&near);
    let way = slow_way_to(address(&old)).await;
    add_source(&new, "old", &way, &reader(&old));
    let mut kills = 0;
    loop {
        let before = read(&source(&new, "old"));
        let one = wait_for(&new, "old", |one| {
            read(one) > before || one["state"] == "done"
        })
        .await;
        if one["state"] == "done" {
            break;
        }
        new.kill();
        kills += 1;
        // Without a daemon it is listed, too.
        assert!(read(&source(&new, "old")) > before);
        new = Daemon::start(&near);
    }
    assert!(kills >= 2, "{kills}");
    println!("{total} statements, killed {kills} times");
    let done = source(&new, "old");
    assert_eq!(
        (&done["stored"], &done["known"], &done["refused"]),
        (&json!(total), &json!(0), &json!(0)),
        "{done}"
    );
    assert_eq!(done["last_error"], Value::Null);

    let near_lrs = new.lrs();
    let (there, files_there) = everything(&far_lrs).await;
    let (here, files_here) = everything(&near_lrs).await;
    assert_eq!(there.len() as u64, total - voided.len() as u64);
    assert_eq!(here.len(), there.len());
    assert!(here == there, "the same statements, in the same order");
    assert_eq!(files_there.len(), 2 * BATCHES);
    assert!(files_here == files_there, "the same attachments");
    for id in &voided {
        assert_eq!(
            voided_at(&near_lrs, id).await,
            voided_at(&far_lrs, id).await
        );
    }

    let file = folder.path().join("evidence.ndjson");
    let file = file.to_str().unwrap();
    let exported = new.run(&["evidence", file, "--bodies"], "");
    assert_eq!(exported["entries"], total);
    let (is_good, verified) = lecternd(&near, &["verify", file], "");
    assert!(is_good && verified["entries"] == total, "{verified}");

    // Nobody reads in circles: what goes round is known by its id, and ends.
    add_source(&old, "new", &address(&new), &reader(&new));
    let back = wait_for(&old, "new", |one| one["state"] == "done").await;
    assert_eq!((&back["stored"], &back["refused"]), (&json!(0), &json!(0)));
    assert_eq!(back["known"], total - voided.len() as u64);
    assert_eq!(everything(&far_lrs).await.0.len(), there.len());

    new.run(&["source", "remove", "--name", "old"], "");
    assert_eq!(new.run(&["source", "list"], "")["items"], json!([]));
    assert_eq!(everything(&near_lrs).await.0.len(), there.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_box_does_not_read_itself_and_lists_what_it_could_not_take() {
    let folder = tempfile::tempdir().unwrap();
    let (near, far) = (folder.path().join("near"), folder.path().join("far"));
    std::fs::create_dir(&near).unwrap();
    std::fs::create_dir(&far).unwrap();
    let daemon = Daemon::start(&near);
    let credential = reader(&daemon);
    add_source(&daemon, "mirror", &address(&daemon), &credential);
    let one = wait_for(&daemon, "mirror", |one| one["state"] == "waiting").await;
    assert!(
        one["last_error"]
            .as_str()
            .unwrap()
            .contains("this box itself"),
        "{one}"
    );
    let admin = daemon.person("root", &["admin"]);
    let url = format!("{}/xapi", daemon.base);
    let trial =
        json!({ "url": url, "key": credential.0, "secret": credential.1, "allow_private": true });
    let refused = admin.json("POST", "/api/v1/sources/test", &trial).await;
    assert!(refused.expect(502).text().contains("this box itself"));

    let other = Daemon::start(&far);
    let mut one = statement(1);
    let theirs = other.lrs();
    let post = |client: Client, one: Value| async move {
        let sent = client.xapi("POST", "/xapi/statements", Some(&one)).await;
        sent.unwrap().expect(200);
    };
    post(theirs.clone(), one.clone()).await;
    post(theirs, statement(2)).await;
    one["verb"]["id"] = json!("http://adlnet.gov/expapi/verbs/attempted");
    post(daemon.lrs(), one.clone()).await;
    add_source(&daemon, "other", &address(&other), &reader(&other));
    let done = wait_for(&daemon, "other", |one| one["state"] == "done").await;
    assert_eq!((&done["stored"], &done["refused"]), (&json!(1), &json!(1)));
    let refused = daemon.run(&["source", "refused", "--name", "other"], "");
    assert_eq!(refused["items"][0]["statement_id"], one["id"]);
    let reason = refused["items"][0]["reason"].as_str().unwrap();
    assert!(reason.contains("another statement"), "{reason}");
    let audit = daemon.person("aud", &["auditor"]);
    let audit = audit
        .get("/api/v1/audit?limit=200")
        .await
        .expect(200)
        .text();
    for act in ["source.add", "refused.read"] {
        assert!(audit.contains(act), "{act}: {audit}");
    }
}
