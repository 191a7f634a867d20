//! Statements out to a file and in from one.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod common;

use std::collections::BTreeSet;

use common::{Box as TestLrs, statement};
use lectern_lrs::{Caller, Imported, Scope, Scopes, StatementsBody, Stored};
use lectern_xapi::{Ifi, Version};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

fn importer() -> Caller {
    Caller {
        credential: "import:test".to_owned(),
        authority: Ifi::account("https://box.example", "import:test").to_value(),
        scopes: Scopes::from_iter([Scope::StatementsWrite, Scope::Define]),
        bound: None,
    }
}

async fn export(lrs: &TestLrs, which: Stored, attachments: bool) -> String {
    let lrs = lrs.lrs.clone();
    tokio::task::spawn_blocking(move || {
        let mut out = Vec::new();
        lrs.export(which, attachments, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    })
    .await
    .unwrap()
}

async fn import(lrs: &TestLrs, file: impl Into<Vec<u8>>) -> Imported {
    let (lrs, file) = (lrs.lrs.clone(), file.into());
    tokio::task::spawn_blocking(move || {
        lrs.import(&importer(), Version::V2_0_0, &mut file.as_slice())
            .unwrap()
    })
    .await
    .unwrap()
}

/// The lines as JSON, without what each store sets itself.
fn plain(file: &str) -> Vec<Value> {
    let lines = file.lines().map(|line| {
        let mut value: Value = serde_json::from_str(line).unwrap();
        for own in ["stored", "authority"] {
            value.as_object_mut().unwrap().remove(own);
        }
        value
    });
    lines.collect()
}

/// A statement with an attachment, and its bytes.
fn attached(bytes: &[u8], name: &str) -> (Value, StatementsBody) {
    let sha2 = hex::encode(Sha256::digest(bytes));
    let mut said = statement("ada", "wrote", name);
    said["attachments"] = json!([{
        "usageType": "http://example.com/text", "display": {"en": "A text"},
        "contentType": "text/plain", "length": bytes.len(), "sha2": sha2,
    }]);
    let part = lectern_lrs::AttachmentBytes {
        sha2,
        content_type: "text/plain".to_owned(),
        bytes: bytes.to_vec(),
    };
    let (kind, bytes) = lectern_lrs::join_multipart(said.to_string().as_bytes(), &[part]);
    let boundary = kind.split_once("boundary=").unwrap().1.to_owned();
    (said, StatementsBody::Multipart { bytes, boundary })
}

async fn filled() -> TestLrs {
    let lrs = common::new();
    for n in 0..7 {
        let some: Vec<Value> = (0..150)
            .map(|m| statement("bob", "read", &format!("page-{n}-{m}")))
            .collect();
        lrs.post(&json!(some)).await.unwrap();
    }
    // The same bytes twice, and others.
    for (bytes, name) in [
        (&b"text"[..], "one"),
        (b"text", "two"),
        (b"\0\xff", "three"),
    ] {
        let (_, body) = attached(bytes, name);
        lrs.lrs
            .post_statements(&common::admin(), Version::V2_0_0, body)
            .await
            .unwrap();
    }
    let said = statement("bob", "said", "wrong");
    lrs.post(&said).await.unwrap();
    let mut void = statement("ines", "voided", "x");
    void["verb"] = json!({"id": "http://adlnet.gov/expapi/verbs/voided"});
    void["object"] = json!({"objectType": "StatementRef", "id": said["id"]});
    lrs.post(&void).await.unwrap();
    lrs
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_was_written_can_be_read_by_another_box_and_says_the_same_there() {
    let first = filled().await;
    let file = export(&first, Stored::default(), true).await;
    assert_eq!(file.lines().count(), 7 * 150 + 3 + 2 + 2);
    assert_eq!(file.matches("{\"attachment\":").count(), 2);
    let second = common::new();
    let report = import(&second, file.clone()).await;
    assert_eq!(
        (report.lines, report.stored, report.known, report.refused),
        (7 * 150 + 7, 7 * 150 + 5, 0, 0),
        "{:?}",
        report.problems
    );
    assert_eq!(
        plain(&export(&second, Stored::default(), true).await),
        plain(&file)
    );
    // Again: nothing is new.
    let again = import(&second, file.clone()).await;
    assert_eq!((again.stored, again.known), (0, 7 * 150 + 5));
    assert_eq!(second.lrs.head().unwrap(), 7 * 150 + 5);
    // What was taken back is taken back there, too.
    assert_eq!(second.ids(&[("verb", "http://example.com/said")]).len(), 0);
    assert!(second.lrs.verify_chain().unwrap().broken.is_none());
    // Without the bytes, statements that need them are refused and named.
    let third = common::new();
    let report = import(&third, export(&first, Stored::default(), false).await).await;
    assert_eq!((report.stored, report.refused), (7 * 150 + 2, 3));
    assert_eq!(report.problems[0].line, 7 * 150 + 1);
    assert!(report.problems[0].reason.contains("fileUrl"), "{report:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_that_cannot_be_taken_is_named_and_holds_up_no_other() {
    let lrs = common::new();
    let good = statement("ada", "read", "book");
    let mut other = good.clone();
    other["verb"]["id"] = json!("http://example.com/burnt");
    let mut nameless = statement("ada", "read", "book");
    nameless.as_object_mut().unwrap().remove("id");
    let lines: Vec<Vec<u8>> = vec![
        b"\xef\xbb\xbf"
            .iter()
            .copied()
            .chain(good.to_string().into_bytes())
            .collect(),
        Vec::new(),
        b"{\"actor\":".to_vec(),
        other.to_string().into_bytes(),
        nameless.to_string().into_bytes(),
        b"\xff\xfe".to_vec(),
        good.to_string().into_bytes(),
        b"[".repeat(100_000),
        b"{\"attachment\":{\"sha2\":\"00\",\"contentType\":\"a/b\",\"data\":\"AA==\"}}".to_vec(),
        b"{\"attachment\":{}}".to_vec(),
        statement("bob", "read", "last").to_string().into_bytes(),
    ];
    let report = import(&lrs, lines.join(&b"\r\n"[..])).await;
    assert_eq!((report.lines, report.stored, report.known), (10, 2, 1));
    let named: BTreeSet<u64> = report.problems.iter().map(|problem| problem.line).collect();
    assert_eq!(named, BTreeSet::from([3, 4, 5, 6, 8, 9, 10]));
    assert_eq!(report.refused, 7);
    assert_eq!(lrs.ids(&[]).len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_without_end_is_read_past_and_not_kept() {
    let lrs = common::new();
    let good = statement("ada", "read", "book").to_string();
    let mut file = vec![b' '; 50 << 20];
    file.extend_from_slice(b"\n");
    file.extend_from_slice(good.as_bytes());
    let report = import(&lrs, file).await;
    assert_eq!((report.stored, report.refused), (1, 1));
    assert_eq!(report.problems[0].line, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_was_stored_in_between_is_written_and_each_day_is_named_once() {
    let lrs = common::new();
    const DAY: i64 = 24 * 3600 * 1_000_000;
    for day in 0..4 {
        for n in 0..3 {
            lrs.post(&statement("ada", "read", &format!("{day}-{n}")))
                .await
                .unwrap();
        }
        // Nothing happens on every second day.
        lrs.clock
            .fetch_add(2 * DAY, std::sync::atomic::Ordering::SeqCst);
    }
    let days = lrs.lrs.days(Stored::default()).unwrap();
    assert_eq!(days.len(), 4);
    assert!(
        days.windows(2)
            .all(|two| two[0].tomorrow().unwrap().tomorrow().unwrap() == two[1])
    );
    let all = export(&lrs, Stored::default(), false).await;
    let stored: Vec<jiff::Timestamp> = all
        .lines()
        .map(|line| {
            serde_json::from_str::<Value>(line).unwrap()["stored"]
                .as_str()
                .unwrap()
                .parse()
                .unwrap()
        })
        .collect();
    let which = Stored {
        since: Some(stored[2]),
        until: Some(stored[5]),
    };
    let some = export(&lrs, which, false).await;
    assert_eq!(
        some.lines().collect::<Vec<_>>(),
        all.lines().skip(3).take(3).collect::<Vec<_>>()
    );
    assert_eq!(lrs.lrs.days(which).unwrap(), days[1..2]);
    let erasing = lrs.lrs.clone();
    tokio::task::spawn_blocking(move || erasing.erase(&BTreeSet::from([1, 2, 3])))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(lrs.lrs.days(Stored::default()).unwrap(), days[1..]);
}
