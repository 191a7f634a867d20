//! Statements and what travels with them: anyone with a token may send them.

use lectern_lrs::evidence::verify_export;
use lectern_xapi::form::Languages;
use lectern_xapi::video::Segments;
use lectern_xapi::{
    Duration, Limits, Version, equivalent, multipart, parse_agent, parse_batch, parse_stored,
    parse_timestamp,
};

use crate::driver::fuzz;

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
