//! Statements out to a file and in from one.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod common;

use std::collections::BTreeSet;

use common::{Box as TestLrs, statement};
use lectern_lrs::{Caller, Imported, StatementsBody, Stored};
use lectern_xapi::Version;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

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
        lrs.import(
            &Caller::importing("https://box.example"),
            Version::V2_0_0,
            &mut file.as_slice(),
        )
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

#[tokio::test(flavor = "multi_thread")]
async fn each_kind_of_wrong_line_says_what_is_wrong_with_it() {
    let lrs = common::new();
    let good = statement("ada", "read", "book").to_string();
    let body = good.strip_suffix('}').unwrap();
    let deep = format!(
        "{body},\"result\":{{\"extensions\":{{\"http://a/\":{}1{}}}}}}}",
        "[".repeat(500),
        "]".repeat(500)
    );
    for (line, says) in [
        (
            format!("{body},\"id\":\"00000000-0000-4000-8000-000000000001\"}}"),
            "id",
        ),
        (deep, "deep"),
        (format!("{body},\"verb\":null}}"), "verb"),
        (format!("{body},\"colour\":1}}"), "$.colour"),
        (format!("{good}{good}"), ""),
        (format!("[{good}]"), ""),
        ("null".to_owned(), ""),
        ("{}".to_owned(), "Data"),
        (
            good.replace("http://activities/book", "no iri"),
            "$.object.id",
        ),
        (format!("{body},\"version\":\"7.0\"}}"), "$.version"),
        (
            "{\"attachment\":{\"sha2\":\"\",\"contentType\":\"\",\"data\":\"\",\"more\":1}}"
                .to_owned(),
            "more",
        ),
        (
            "{\"attachment\":{\"sha2\":\"00\",\"contentType\":\"a/b\",\"data\":\"!\"}}".to_owned(),
            "Base64",
        ),
    ] {
        let report = import(&lrs, line.clone()).await;
        assert_eq!((report.stored, report.refused), (0, 1), "{line}");
        let reason = &report.problems[0].reason;
        assert!(reason.contains(says), "{line}: {reason}");
    }
    assert_eq!(lrs.lrs.head().unwrap(), 0);
    assert_eq!(import(&lrs, good).await.stored, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn more_wrong_lines_than_are_named_are_counted() {
    let lrs = common::new();
    let report = import(&lrs, "{\n".repeat(1_234)).await;
    assert_eq!((report.lines, report.refused), (1_234, 1_234));
    assert_eq!(report.problems.len(), 100);
    let named: Vec<u64> = report.problems.iter().map(|problem| problem.line).collect();
    assert_eq!(named, (1..=100).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn attachments_without_end_are_dropped_and_named_not_kept() {
    let lrs = common::new();
    // 9 × 30 MiB is more than may wait.
    let bytes = vec![7_u8; 30 << 20];
    let line = json!({"attachment": {
        "sha2": hex::encode(Sha256::digest(&bytes)),
        "contentType": "application/octet-stream",
        "data": base64::Engine::encode(&base64::engine::general_purpose::STANDARD, &bytes),
    }});
    let mut file = format!("{line}\n").repeat(9);
    file.push_str(&statement("ada", "read", "book").to_string());
    let report = import(&lrs, file).await;
    assert_eq!((report.lines, report.stored, report.refused), (10, 1, 1));
    assert_eq!(report.problems[0].line, 9);
}

/// Gives what it has and fails then.
struct Breaks<'b>(&'b [u8]);

impl std::io::Read for Breaks<'_> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        match self.0.is_empty() {
            true => Err(std::io::Error::other("the disk is gone")),
            false => self.0.read(into),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_cannot_be_read_on_says_where_and_keeps_what_came() {
    let lrs = common::new();
    let mut file = String::new();
    for n in 0..1_100 {
        file.push_str(&format!("{}\n", statement("ada", "read", &n.to_string())));
    }
    file.push_str("{\"actor\":");
    let importing = lrs.lrs.clone();
    let error = tokio::task::spawn_blocking(move || {
        let mut from = std::io::BufReader::new(Breaks(file.as_bytes()));
        let caller = Caller::importing("https://box.example");
        importing.import(&caller, Version::V2_0_0, &mut from)
    })
    .await
    .unwrap()
    .unwrap_err();
    let said = error.to_string();
    assert!(
        said.starts_with("line 1101 ") && said.contains("the disk is gone"),
        "{said}"
    );
    assert_eq!(lrs.lrs.head().unwrap(), 1_100);
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]

    /// Whatever a file holds, each line of it is counted once, what is named is wrong, and what is right is stored.
    #[test]
    fn every_line_of_a_file_is_accounted_for(
        kinds in proptest::collection::vec(0_u8..7, 0..40),
        noise in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200),
        cut in 0_usize..400,
    ) {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let lrs = common::new();
        let mut file = Vec::new();
        let (mut right, mut wrong) = (BTreeSet::new(), BTreeSet::new());
        let (mut known, mut last) = (0, None::<Value>);
        for (at, kind) in kinds.iter().enumerate() {
            let number = at as u64 + 1;
            let mut line = match kind {
                0..=2 => {
                    let one = statement("ada", "read", &at.to_string());
                    right.insert(common::id(&one));
                    last = Some(one.clone());
                    one.to_string().into_bytes()
                }
                3 => match &last {
                    Some(one) => {
                        known += 1;
                        one.to_string().into_bytes()
                    }
                    None => Vec::new(),
                },
                4 => Vec::new(),
                5 => {
                    wrong.insert(number);
                    let whole = statement("ada", "read", "cut").to_string().into_bytes();
                    whole[..cut.clamp(1, whole.len() - 1)].to_vec()
                }
                _ => {
                    let mut line = noise.clone();
                    line.retain(|byte| !byte.is_ascii_whitespace());
                    line.insert(0, b'?');
                    wrong.insert(number);
                    line
                }
            };
            file.append(&mut line);
            file.push(b'\n');
        }
        let report = runtime.block_on(import(&lrs, file));
        let stored: BTreeSet<String> = lrs.ids(&[]).into_iter().collect();
        proptest::prop_assert_eq!(&stored, &right);
        proptest::prop_assert_eq!(report.stored, right.len() as u64);
        proptest::prop_assert_eq!(report.known, known);
        let named: BTreeSet<u64> = report.problems.iter().map(|problem| problem.line).collect();
        proptest::prop_assert_eq!(&named, &wrong);
        proptest::prop_assert_eq!(report.lines, report.stored + report.known + report.refused);
    }
}
