//! Statements and what travels with them: anyone with a token may send them.

use lectern_lrs::evidence::verify_export;
use lectern_lrs::{Caller, Error, Lrs, MORE_PATH, Scope, Scopes};
use lectern_store::Store;
use lectern_store::testing::CrashDisk;
use lectern_xapi::form::Languages;
use lectern_xapi::video::Segments;
use lectern_xapi::{
    Duration, Ifi, Limits, Version, equivalent, is_iri, is_language_tag, multipart, parse_agent,
    parse_batch, parse_stored, parse_timestamp,
};
use serde_json::{Value, json};

use crate::driver::fuzz;

/// A record store in memory with a few statements, and somebody who may do everything.
fn records() -> (Lrs, Caller) {
    let store = Store::open_on(
        Box::new(CrashDisk::new()),
        lectern_store::Options::default(),
    );
    let lrs = Lrs::open(store.unwrap(), vec![]).unwrap();
    let caller = Caller {
        credential: "credential:fuzz".to_owned(),
        authority: Ifi::account("https://box.example", "credential:fuzz").to_value(),
        scopes: Scopes::from_iter([Scope::All]),
        bound: None,
    };
    (lrs, caller)
}

#[test]
fn statements_are_accepted_or_refused_and_equal_themselves() {
    let words = [
        "\"actor\"",
        "\"mbox\":\"mailto:a@b.example\"",
        "\"objectType\"",
        "\"Group\"",
        "\"member\"",
        "\"StatementRef\"",
        "\"SubStatement\"",
        "\"result\"",
        "\"duration\":\"PT1.23S\"",
        "null",
        "\"score\":{\"scaled\":2}",
        "\"extensions\":{\"http://a.example/\":null}",
        "[",
        "]",
        "{",
        "}",
        "\"timestamp\":\"2026-11-23T18:30:00-00:00\"",
        "\"contextActivities\"",
        "\\ud800",
        "1e400",
    ];
    fuzz("statements", &words, |bytes| {
        for version in [Version::V1_0_3, Version::V2_0_0] {
            match parse_batch(bytes, version, Limits::DEFAULT) {
                Ok(accepted) => {
                    for one in accepted {
                        assert!(equivalent(&one.raw, &one.raw), "{}", one.raw);
                        assert_eq!(parse_stored(&one.raw, version).as_ref(), Ok(&one.statement));
                    }
                }
                Err(refused) => assert!(!refused.to_string().is_empty()),
            }
        }
        if let Ok(text) = std::str::from_utf8(bytes) {
            let _ = parse_agent(text, "agent");
        }
    });
}

#[test]
fn played_segments_read_back_as_they_are_printed() {
    let words = [
        "[.]",
        "[,]",
        "0",
        "0[.]10[,]20[.]25",
        "1e9",
        "-1",
        ".5",
        "NaN",
        "99999999999999",
    ];
    fuzz("segments", &words, |bytes| {
        let Ok(text) = std::str::from_utf8(bytes) else {
            return;
        };
        let Ok(segments) = text.parse::<Segments>() else {
            return;
        };
        assert_eq!(
            segments.to_string().parse::<Segments>().as_ref(),
            Ok(&segments)
        );
        assert!(segments.minus(&segments).is_empty());
        assert!(segments.union().total_ms() <= segments.total_ms());
        let _ = (
            segments.ratio(0),
            segments.ratio(1),
            segments.clipped(1000),
            segments.passes(),
        );
    });
}

#[test]
fn parts_of_a_body_lie_within_it() {
    let words = [
        "--b",
        "--b--",
        "\r\n",
        "\r\n\r\n",
        "\n",
        ":",
        "Content-Type: ",
        "X-Experience-API-Hash: ",
    ];
    fuzz("multipart", &words, |bytes| {
        for boundary in ["b", "-------314159265358979323846"] {
            if let Ok(parts) = multipart::read(bytes, boundary) {
                assert!(parts.iter().map(|part| part.bytes.len()).sum::<usize>() <= bytes.len());
            }
        }
        if let Ok(text) = std::str::from_utf8(bytes) {
            let _ = multipart::boundary(text);
        }
    });
}

#[test]
fn times_durations_and_headers_are_read_or_refused() {
    let words = [
        "P",
        "T",
        "W",
        "1.239S",
        "Z",
        "+00:00",
        "-00:00",
        "2026-11-23",
        "24:00:00",
        ";q=",
        "*",
        ",",
    ];
    fuzz("words", &words, |bytes| {
        let Ok(text) = std::str::from_utf8(bytes) else {
            return;
        };
        for version in [Version::V1_0_3, Version::V2_0_0] {
            let _ = parse_timestamp(text, version);
        }
        let _ = (
            Version::from_header(text),
            Duration::parse(text),
            Languages::parse(text),
        );
    });
}

/// An export is signed from its first byte to its last: whatever is accepted is one that a box made.
#[test]
fn no_export_is_accepted_but_the_one_that_was_signed() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fuzz/corpus/evidence");
    let whole: Vec<Vec<u8>> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| std::fs::read(entry.unwrap().path()).unwrap())
        .collect();
    let words = [
        "{\"lectern_evidence\":1,",
        "\"erased\":true",
        "\"salt\":\"00\"",
        "\"day\":null",
        "{\"entries\":",
        "\n",
        "\\u0000",
        "18446744073709551615",
    ];
    fuzz("evidence", &words, |bytes| {
        let mut from = bytes;
        match verify_export(&mut from, None, None, &mut |_| {}) {
            Ok(_) => assert!(whole.iter().any(|one| one == bytes)),
            Err(refused) => assert!(!refused.to_string().is_empty()),
        }
    });
}

/// Through the language maps of a statement, too: a tag is taken there exactly when it is one.
#[test]
fn iris_and_language_tags_are_read_as_they_are_in_statements() {
    let words = [
        "http://",
        "urn:uuid:",
        "mailto:",
        "%41",
        "%zz",
        "#",
        "?",
        "é",
        "\u{202e}",
        " ",
        "-",
        "x-",
        "zh-Hant-TW",
        "i-klingon",
        "en",
        "12345678",
        "a.example",
    ];
    fuzz("names", &words, |bytes| {
        let Ok(text) = std::str::from_utf8(bytes) else {
            return;
        };
        let statement = |verb: &str, tag: &str| {
            let mut display = serde_json::Map::new();
            display.insert(tag.to_owned(), json!("word"));
            let said = json!({
                "actor": {"mbox": "mailto:a@b.example"},
                "verb": {"id": verb, "display": display},
                "object": {"id": "http://a.example/o"},
            });
            parse_batch(
                said.to_string().as_bytes(),
                Version::V2_0_0,
                Limits::DEFAULT,
            )
        };
        let is_short = text.len() <= 2_000;
        assert_eq!(
            statement(text, "en").is_ok(),
            is_iri(text) && is_short,
            "{text:?}"
        );
        assert_eq!(
            statement("http://a.example/v", text).is_ok(),
            is_language_tag(text),
            "{text:?}"
        );
    });
}

/// `GET /statements?…`: whatever is asked is answered, or refused with words; never the box's fault.
#[test]
fn every_question_is_answered_or_refused() {
    let words = [
        "agent=",
        "verb=",
        "activity=",
        "registration=",
        "since=",
        "until=",
        "limit=",
        "more=",
        "statementId=",
        "voidedStatementId=",
        "format=",
        "ids",
        "exact",
        "canonical",
        "attachments=true",
        "ascending=true",
        "related_agents=true",
        "related_activities=true",
        "&",
        "%22",
        "%7B%22mbox%22%3A%22mailto%3Aa%40b.example%22%7D",
        "2026-11-26T00%3A00%3A00Z",
        "http%3A%2F%2Fa.example%2Fv",
    ];
    let (lrs, caller) = records();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let some: Vec<Value> = (0..60)
        .map(|n| {
            json!({
                "actor": {"mbox": "mailto:a@b.example"},
                "verb": {"id": "http://a.example/v"},
                "object": {"id": format!("http://a.example/{}", n % 3)},
            })
        })
        .collect();
    let body = serde_json::to_vec(&some).unwrap();
    runtime
        .block_on(lrs.post_statements(&caller, Version::V2_0_0, body))
        .unwrap();
    fuzz("questions", &words, |bytes| {
        let mut asked: Vec<(String, String)> = form_urlencoded::parse(bytes).into_owned().collect();
        for version in [Version::V1_0_3, Version::V2_0_0] {
            match lrs.get_statements(&caller, version, &asked, Some("de, en;q=0.5")) {
                Ok(answer) => {
                    let found: Value = serde_json::from_str(&answer.json).unwrap();
                    // A page leads to one that is answered, too.
                    if let Some(more) = found["more"]
                        .as_str()
                        .and_then(|more| more.strip_prefix(MORE_PATH))
                    {
                        asked = vec![("more".to_owned(), more.to_owned())];
                        lrs.get_statements(&caller, version, &asked, None).unwrap();
                    }
                }
                Err(Error::Store(error)) => panic!("{error}"),
                Err(refused) => assert!(!refused.to_string().is_empty()),
            }
        }
    });
}

/// A file of statements from anywhere: each line is stored, known or named, and whatever is stored is a statement.
#[test]
fn every_line_of_a_file_is_taken_or_named() {
    let words = [
        "\n",
        "\r\n",
        "{\"attachment\":",
        "\"sha2\":",
        "\"contentType\":",
        "\"data\":",
        "AA==",
        "\"id\":\"00000000-0000-4000-8000-000000000001\"",
        "\"version\":\"2.0.0\"",
        "\"actor\":{\"mbox\":\"mailto:a@b.example\"}",
        "\"verb\":{\"id\":\"http://a.example/v\"}",
        "\"object\":{\"id\":\"http://a.example/o\"}",
        ",",
        "{",
        "}",
    ];
    let (lrs, caller) = records();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let _within = runtime.enter();
    fuzz("files", &words, |bytes| {
        let before = lrs.head().unwrap();
        let report = lrs
            .import(&caller, Version::V2_0_0, &mut &bytes[..])
            .unwrap();
        assert_eq!(lrs.head().unwrap() - before, report.stored);
        assert!(report.stored + report.known + report.refused <= report.lines);
        assert_eq!(report.problems.len() as u64, report.refused.min(100));
    });
}
