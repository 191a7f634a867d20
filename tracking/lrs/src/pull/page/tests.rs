use lectern_xapi::{Version, multipart};
use proptest::prelude::*;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{Attachments, Page, Unreadable, read_one};

const JSON: &str = "application/json";
const ID: &str = "fd41c918-b88b-4b20-a0a5-a4c32391aaa0";

fn statement(n: u32, stored: &str) -> Value {
    json!({
        "id": format!("fd41c918-b88b-4b20-a0a5-{n:012x}"),
        "actor": { "mbox": "mailto:ada@example.org" },
        "verb": { "id": "http://example.org/v" },
        "object": { "id": "http://example.org/a" },
        "stored": stored,
        "authority": { "mbox": "mailto:lrs@example.org" },
        "version": "1.0.0",
    })
}

fn list(statements: &[Value], more: Value) -> Vec<u8> {
    json!({ "statements": statements, "more": more })
        .to_string()
        .into_bytes()
}

fn read(body: &[u8]) -> Result<Page, Unreadable> {
    Page::read(JSON, body, Version::V1_0_3)
}

fn words(read: Result<Page, Unreadable>) -> String {
    match read {
        Err(Unreadable::Other(reason)) => reason,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_page_gives_its_statements_letter_by_letter_and_what_there_is_to_know_of_it() {
    let body = br#"{"statements":[ {"id":"fd41c918-b88b-4b20-a0a5-a4c32391aaa0","actor":{"mbox":"mailto:a@a.org"},
        "verb":{"id":"http://a.org/v"},"object":{"id":"http://a.org/o"},"result":{"score":{"raw":1.50}},
        "stored":"2026-01-02T03:04:05.678Z"} ],"more":"/xapi/more/1"}"#;
    let page = read(body).unwrap();
    assert!(page.items[0].raw().contains("1.50"));
    assert_eq!(page.items[0].key.to_string(), ID);
    let stored = "2026-01-02T03:04:05.678Z".parse().ok();
    assert_eq!((page.facts.first, page.facts.last), (stored, stored));
    assert_eq!(page.facts.more.as_deref(), Some("/xapi/more/1"));
    assert_eq!((page.facts.count, page.facts.ascends), (1, true));
}

#[test]
fn the_end_of_a_list_is_no_more_an_empty_one_or_null() {
    for more in [json!(""), Value::Null] {
        assert_eq!(read(&list(&[], more)).unwrap().facts.more, None);
    }
    assert_eq!(read(br#"{"statements":[]}"#).unwrap().facts.more, None);
}

#[test]
fn what_is_no_list_of_statements_says_so() {
    let bodies: [&[u8]; 8] = [
        b"",
        b"<html>sign in</html>",
        b"[]",
        b"{}",
        b"{\"statements\":1}",
        b"{\"statements\":[{]}",
        b"{\"statements\":[{}],\"more\":7}",
        b"\xff\xfe",
    ];
    for body in bodies {
        let reason = words(read(body));
        assert!(reason.contains("check the address"), "{reason}");
    }
}

#[test]
fn a_statement_that_is_not_valid_says_nothing_about_the_others() {
    let good = statement(1, "2026-01-01T00:00:00Z");
    let mut wrong = statement(2, "2026-01-01T00:00:01Z");
    wrong["actor"] = json!({ "mbox": "ada" });
    let nothing = json!({ "hello": "world" });
    let body = list(&[good.clone(), wrong, nothing, json!(7), good], json!(""));
    let page = read(&body).unwrap();
    let are_good: Vec<bool> = page.items.iter().map(|item| item.read.is_ok()).collect();
    assert_eq!(are_good, [true, false, false, false, true]);
    // Its id and time are known all the same, and one that has none is told from others by its text.
    assert_eq!(
        page.items[1].key.to_string(),
        "fd41c918-b88b-4b20-a0a5-000000000002"
    );
    assert_eq!(page.items[2].stored, page.items[1].stored);
    assert_ne!(page.items[2].key, page.items[3].key);
    // The last one is older than the one before.
    assert!(!page.facts.ascends);
}

#[test]
fn a_key_that_is_there_twice_makes_one_statement_invalid_and_not_the_page() {
    let twice = br#"{"statements":[{"id":"fd41c918-b88b-4b20-a0a5-a4c32391aaa0","id":"x","stored":"2026-01-01T00:00:00Z"},
        {"actor":{"mbox":"mailto:a@a.org"},"verb":{"id":"http://a.org/v"},"object":{"id":"http://a.org/o"},
        "stored":"2026-01-01T00:00:00Z","id":"fd41c918-b88b-4b20-a0a5-a4c32391aaa1"}]}"#;
    let page = read(twice).unwrap();
    assert!(page.items[0].read.is_err() && page.items[1].read.is_ok());
}

#[test]
fn a_statement_is_judged_by_the_version_that_it_names_or_else_by_the_one_asked_for() {
    let mut newer = statement(1, "2026-01-01T00:00:00Z");
    newer["version"] = json!("2.0.0");
    newer["context"] = json!({ "contextAgents": [{
        "objectType": "contextAgent",
        "agent": { "mbox": "mailto:b@example.org" },
    }] });
    let mut unnamed = newer.clone();
    unnamed.as_object_mut().unwrap().remove("version");
    let body = list(&[newer, unnamed], json!(""));
    let page = read(&body).unwrap();
    assert_eq!(page.items[0].version, Version::V2_0_0);
    assert!(page.items[0].read.is_ok());
    assert!(page.items[1].read.is_err(), "1.0.3 has no contextAgents");
    let page = Page::read(JSON, &body, Version::V2_0_0).unwrap();
    assert!(page.items.iter().all(|item| item.read.is_ok()));
}

fn sha2(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

fn with_attachments(hashes: &[String]) -> Value {
    let mut statement = statement(1, "2026-01-01T00:00:00Z");
    let attachments = hashes.iter().map(|sha2| {
        json!({ "usageType": "http://example.org/u", "display": {}, "contentType": "text/plain", "length": 1, "sha2": sha2 })
    });
    statement["attachments"] = attachments.collect();
    statement
}

/// Its headers and its bytes.
type Part<'p> = (&'p [(&'p str, &'p str)], &'p [u8]);

fn parts(json: &[u8], parts: &[Part<'_>]) -> Vec<u8> {
    let mut body = Vec::new();
    multipart::write(&mut body, "b", &[("Content-Type", JSON)], json);
    for (headers, bytes) in parts {
        multipart::write(&mut body, "b", headers, bytes);
    }
    multipart::end(&mut body, "b");
    body
}

#[test]
fn attachments_come_by_their_hash_and_one_that_is_wrong_spoils_no_other() {
    let (good, wrong, encoded) = (sha2(b"good"), sha2(b"wrong"), sha2(b"encoded"));
    let hash = "X-Experience-API-Hash";
    let statement = with_attachments(&[good.to_uppercase(), wrong.clone(), encoded.clone()]);
    let body = parts(
        &list(&[statement], json!("")),
        &[
            (&[(hash, &good), ("Content-Type", "text/plain")], b"good"),
            (&[(hash, &wrong)], b"not that"),
            (
                &[(hash, &encoded), ("Content-Transfer-Encoding", "base64")],
                b"encoded",
            ),
            (&[], b"nobody's"),
        ],
    );
    let page = Page::read("multipart/mixed; boundary=b", &body, Version::V1_0_3).unwrap();
    let parsed = page.items[0].read.as_ref().unwrap();
    let named = page.attachments.named_by(parsed);
    assert_eq!(named.whole.keys().collect::<Vec<_>>(), [&good]);
    assert_eq!(named.whole[&good].content_type, "text/plain");
    assert_eq!(
        named
            .broken
            .keys()
            .collect::<std::collections::BTreeSet<_>>(),
        [&wrong, &encoded].into()
    );
    assert!(named.lack(parsed, true));
}

#[test]
fn what_may_lie_elsewhere_is_lacking_only_when_the_list_came_without_attachments() {
    let mut statement = with_attachments(&[sha2(b"x")]);
    statement["attachments"][0]["fileUrl"] = json!("http://example.org/x");
    let page = read(&list(&[statement], json!(""))).unwrap();
    let parsed = page.items[0].read.as_ref().unwrap();
    assert!(!Attachments::default().lack(parsed, true));
    assert!(Attachments::default().lack(parsed, false));
}

#[test]
fn bodies_of_parts_that_are_not_whole_or_too_many_say_so() {
    let whole = parts(&list(&[], json!("")), &[]);
    let kind = "multipart/mixed; boundary=b";
    for body in [&whole[..whole.len() - 6], b"garbage", b"--b--"] {
        let reason = words(Page::read(kind, body, Version::V1_0_3));
        assert!(!reason.is_empty());
    }
    let no_boundary = Page::read("multipart/mixed", &whole, Version::V1_0_3);
    assert!(words(no_boundary).contains("boundary"));
    let many: Vec<Part<'_>> = vec![(&[], b""); 1_001];
    let many = parts(&list(&[], json!("")), &many);
    let many = Page::read(kind, &many, Version::V1_0_3).unwrap_err();
    assert_eq!(many, Unreadable::TooLarge);
}

#[test]
fn an_answer_about_one_statement_is_that_statement() {
    let body = statement(1, "2026-01-01T00:00:00Z").to_string();
    let (item, _) = read_one(JSON, body.as_bytes(), Version::V1_0_3).unwrap();
    assert!(item.read.is_ok());
    assert!(read_one(JSON, b"<html>", Version::V1_0_3).is_err());
}

proptest! {
    #[test]
    fn no_bytes_make_the_reader_panic(
        body in prop::collection::vec(any::<u8>(), 0..300),
        kind in "(application/json|multipart/mixed; boundary=b|multipart/mixed|text/html|)",
    ) {
        let _ = Page::read(&kind, &body, Version::V2_0_0);
        let _ = read_one(&kind, &body, Version::V2_0_0);
    }

    #[test]
    fn nor_do_pieces_of_pages(
        pieces in prop::collection::vec(prop::sample::select(vec![
            "{\"statements\":[", "]", "}", "{", ",", "\"more\":", "\"\"", "null", "--b\r\n", "--b--", "\r\n\r\n",
            "Content-Type: application/json", "X-Experience-API-Hash: ", "\"id\":\"", "\"stored\":\"2026-01-01T00:00:00Z\"",
            "\"actor\":{\"mbox\":\"mailto:a@a.org\"}", "[[[[[[", "\"version\":\"2.0.0\"", "\u{0}", "é",
        ]), 0..40),
        kind in "(application/json|multipart/mixed; boundary=b)",
    ) {
        let body = pieces.concat();
        if let Ok(page) = Page::read(&kind, body.as_bytes(), Version::V1_0_3) {
            prop_assert_eq!(page.items.len(), page.facts.count);
        }
    }
}
