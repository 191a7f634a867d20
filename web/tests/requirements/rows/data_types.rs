//! Data types: extensions, language maps, IRIs, UUIDs, timestamps, durations (Data 4.1–4.6; 2.0 4.2.7).

use serde_json::json;

use crate::ask::get;
use crate::row::{Row, both, new, old};

pub fn rows() -> Vec<Row> {
    vec![
        both("Data 4.1", "suite Data4.0", "whatever value an extension of an Activity has, it is no reason to refuse")
            .takes("/object/definition/extensions", json!({}))
            .takes("/object/definition/extensions", json!({ "http://e/1": null, "http://e/2": "", "http://e/3": {}, "http://e/4": [] })),
        both("Data 4.1", "suite Data4.0", "whatever value an extension of a result has, it is no reason to refuse")
            .takes("/result/extensions", json!({}))
            .takes("/result/extensions", json!({ "http://e/1": null, "http://e/2": "", "http://e/3": { "a": { "b": [null, 1.5] } } })),
        both("Data 4.1", "suite Data4.0", "whatever value an extension of a context has, it is no reason to refuse")
            .takes("/context/extensions", json!({}))
            .takes("/context/extensions", json!({ "http://e/1": null, "http://e/2": "", "http://e/3": { "objectType": "agent" } })),
        both("Data 4.1", "suite Data4.0", "an extension's key is an IRI with a scheme")
            .takes("/context/extensions", json!({ "urn:example:x": 1 }))
            .refuses("/context/extensions", json!({ "": 1 }), "$.context.extensions[\"\"]")
            .refuses("/context/extensions", json!({ "example.com": 1 }), "$.context.extensions[\"example.com\"]")
            .refuses("/context/extensions", json!({ "http://e/1": 1, "http://e/a b": 1 }), "$.context.extensions[\"http://e/a b\"]"),
        both("Data 4.2", "4.2.7", "a language map's keys are language tags by their form")
            .takes("/verb/display", json!({ "de": "las", "de-CH-1901": "las", "zh-Hans": "读", "x-klingon": "laD", "i-default": "read", "sl-rozaj-biske": "bral" }))
            .refuses("/verb/display", json!({ "english language": "read" }), "$.verb.display[\"english language\"]")
            .refuses("/verb/display", json!({ "en_GB": "read" }), "$.verb.display.en_GB")
            .refuses("/verb/display", json!({ "abcdefghi": "read" }), "$.verb.display.abcdefghi")
            .refuses("/verb/display", json!({ "e": "read" }), "$.verb.display.e")
            .refuses("/verb/display", json!({ "en-": "read" }), "$.verb.display[\"en-\"]")
            .refuses("/verb/display", json!({ "": "read" }), "$.verb.display[\"\"]"),
        both("Data 4.2", "4.2.7", "a language map's values are strings, and may be empty")
            .takes("/verb/display", json!({ "en": "" }))
            .refuses("/verb/display", json!({ "en": 1 }), "$.verb.display.en")
            .refuses("/verb/display", json!({ "en": ["read"] }), "$.verb.display.en"),
        both("Data 4.2", "4.2.7", "every language map is held to these rules, not only a verb's")
            .refuses("/object/definition/name", json!({ "en_GB": "Book" }), "$.object.definition.name.en_GB")
            .refuses("/object/definition/description", json!({ "en": 1 }), "$.object.definition.description.en")
            .refuses("/object/definition/choices/0/description", json!({ "a b": "A" }), "$.object.definition.choices[0].description[\"a b\"]")
            .refuses("/attachments/0/display", json!({ "en_GB": "File" }), "$.attachments[0].display.en_GB")
            .refuses("/attachments/0/description", json!({ "en": {} }), "$.attachments[0].description.en"),
        both("Data 4.3", "4.2.7", "an IRI without a scheme is refused wherever an IRI is due")
            .refuses("/verb/id", json!("verbs.example.com/read"), "$.verb.id")
            .refuses("/object/id", json!("/book"), "$.object.id")
            .refuses("/object/definition/type", json!("types/book"), "$.object.definition.type")
            .refuses("/object/definition/moreInfo", json!("more.example.com"), "$.object.definition.moreInfo")
            .refuses("/context/instructor/account/homePage", json!("home.example.com"), "$.context.instructor.account.homePage")
            .refuses("/context/team/member/0/openid", json!("openid.example.com"), "$.context.team.member[0].openid")
            .refuses("/context/contextActivities/parent/0/id", json!("shelf"), "$.context.contextActivities.parent[0].id")
            .refuses("/attachments/0/usageType", json!("usage"), "$.attachments[0].usageType")
            .refuses("/attachments/0/fileUrl", json!("files.example.com/a"), "$.attachments[0].fileUrl"),
        both("Data 3.1", "4.2.7", "IRIs are compared letter by letter and given back as they came").proven(|w| {
            Box::pin(async move {
                let (upper, lower) = (w.iri("Thing/../%7Ex"), w.iri("thing/../%7ex"));
                let id = w.keep(&w.statement_with("object", json!({ "id": upper }))).await;
                assert_eq!(w.one(&id).await["object"]["id"], json!(upper));
                assert_eq!(w.found(&[("activity", &upper)]).await, [id]);
                assert!(w.found(&[("activity", &lower)]).await.is_empty());
            })
        }),
        both("Data 4.4", "4.2.7", "a UUID means the same in letters of either case").proven(|w| {
            Box::pin(async move {
                let id = w.keep(&w.statement()).await;
                let ask = get("statements").with("statementId", id.to_uppercase());
                assert_eq!(w.send(ask).await.expect(200).json()["id"], json!(id));
            })
        }),
        both("Data 4.5", "4.2.7", "a timestamp is a date and a time of day with a zone")
            .takes("/timestamp", json!("2008-09-15T15:53:00Z"))
            .takes("/timestamp", json!("2008-09-15T15:53:00.601+00:00"))
            .takes("/timestamp", json!("2008-09-15T10:23:00.601-05:30"))
            .refuses("/timestamp", json!("2008-09-15"), "$.timestamp")
            .refuses("/timestamp", json!("15:53:00Z"), "$.timestamp")
            .refuses("/timestamp", json!("Mon, 15 Sep 2008 15:53:00 GMT"), "$.timestamp")
            .refuses("/timestamp", json!("2008-09-15T15:53:00Zulu"), "$.timestamp"),
        both("Data 4.5", "4.2.7", "a timestamp names a day and a time that exist")
            .takes("/timestamp", json!("2008-02-29T23:59:59Z"))
            .refuses("/timestamp", json!("2009-02-29T12:00:00Z"), "$.timestamp")
            .refuses("/timestamp", json!("2008-13-01T12:00:00Z"), "$.timestamp")
            .refuses("/timestamp", json!("2008-09-15T25:00:00Z"), "$.timestamp")
            .refuses("/timestamp", json!("2008-09-15T12:60:00Z"), "$.timestamp")
            .refuses("/timestamp", json!("2008-09-15T12:00:00+25:00"), "$.timestamp"),
        both("Data 4.5", "4.2.7", "an offset of minus zero, which says that the zone is unknown, is refused")
            .refuses("/timestamp", json!("2008-09-15T15:53:00.601-00:00"), "$.timestamp")
            .refuses("/timestamp", json!("2008-09-15T15:53:00.601-0000"), "$.timestamp")
            .refuses("/timestamp", json!("2008-09-15T15:53:00.601-00"), "$.timestamp"),
        both("Data 4.5", "4.2.7", "a timestamp keeps its milliseconds")
            .takes("/timestamp", json!("2008-09-15T15:53:00.001Z"))
            .takes("/timestamp", json!("2008-09-15T15:53:00.601482Z"))
            .proven(|w| {
                Box::pin(async move {
                    let sent = w.statement_with("timestamp", json!("2008-09-15T15:53:00.987Z"));
                    let served = w.one(&w.keep(&sent).await).await;
                    assert!(served["timestamp"].as_str().unwrap().contains("00.987"), "{served}");
                    let stored = served["stored"].as_str().unwrap();
                    assert!(stored.split_once('.').unwrap().1.len() >= 3, "{stored}");
                })
            }),
        old("Data 4.5", "a timestamp may have any combined form of ISO 8601: the basic one, short offsets, no offset")
            .takes("/timestamp", json!("20080915T155300.601Z"))
            .takes("/timestamp", json!("2008-09-15T17:53:00+0200"))
            .takes("/timestamp", json!("2008-09-15T17:53:00+02"))
            .takes("/timestamp", json!("2008-09-15T15:53:00,5Z"))
            .takes("/timestamp", json!("2008-09-15T15:53:00")),
        new("4.2.7", "a timestamp has the form of RFC 3339: the long one, with a full offset")
            .takes("/timestamp", json!("2008-09-15t15:53:00z"))
            .refuses("/timestamp", json!("20080915T155300Z"), "$.timestamp")
            .refuses("/timestamp", json!("2008-09-15T15:53Z"), "$.timestamp")
            .refuses("/timestamp", json!("2008-09-15T15:53:00"), "$.timestamp")
            .refuses("/timestamp", json!("2008-09-15T17:53:00+0200"), "$.timestamp")
            .refuses("/timestamp", json!("2008-09-15T17:53:00+02"), "$.timestamp"),
        both("Data 4.6", "4.2.7", "a duration has the form of ISO 8601 with designators, any of which may be left out")
            .takes("/result/duration", json!("PT16559.14S"))
            .takes("/result/duration", json!("P3Y1M29DT4H35M59.14S"))
            .takes("/result/duration", json!("P1Y"))
            .takes("/result/duration", json!("P0D"))
            .takes("/result/duration", json!("PT0S"))
            .refuses("/result/duration", json!("P"), "$.result.duration")
            .refuses("/result/duration", json!("PT"), "$.result.duration")
            .refuses("/result/duration", json!("P1DT"), "$.result.duration")
            .refuses("/result/duration", json!("1D"), "$.result.duration")
            .refuses("/result/duration", json!("P1S"), "$.result.duration")
            .refuses("/result/duration", json!("PT1M1H"), "$.result.duration"),
        both("Data 4.6", "4.2.7", "weeks stand alone in a duration")
            .takes("/result/duration", json!("P4W"))
            .refuses("/result/duration", json!("P4W1D"), "$.result.duration")
            .refuses("/result/duration", json!("P1Y4W"), "$.result.duration")
            .refuses("/result/duration", json!("P4WT1H"), "$.result.duration"),
        both("Data 4.6", "4.2.7", "the other form of ISO 8601, which writes a duration like a date, is refused")
            .refuses("/result/duration", json!("P0003-01-29T04:35:59"), "$.result.duration")
            .refuses("/result/duration", json!("P00030129T043559"), "$.result.duration"),
        both("Data 4.6", "4.2.7", "more than a hundredth of a second in a duration is no reason to refuse")
            .takes("/result/duration", json!("PT0.123456789S")),
        both("Data 4.6", "4.2.7", "a duration is given back as it was written, never in other units")
            .takes("/result/duration", json!("PT90M"))
            .takes("/result/duration", json!("PT1H30M")),
    ]
}
