//! The rules of Data 2.2–2.4 as a table: a valid statement, one change, and whether it still is one.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs, reason = "tests")]

use lectern_xapi::{Invalid, Limits, Version, parse_batch};
use proptest::prelude::*;
use serde_json::{Value, json};

const BOTH: [Version; 2] = [Version::V1_0_3, Version::V2_0_0];

fn base() -> Value {
    json!({
        "id": "6E2A2B5E-5a1f-4c1e-9e3e-0a2a2b5e5a1f",
        "actor": { "objectType": "Agent", "name": "Ada", "mbox": "mailto:ada@example.com" },
        "verb": { "id": "http://verbs/read", "display": { "en-GB": "read" } },
        "object": {
            "id": "http://activities/book",
            "definition": {
                "name": { "en": "Book" }, "description": { "de": "Buch" }, "type": "http://types/book",
                "moreInfo": "http://more", "interactionType": "choice", "correctResponsesPattern": ["a[,]b"],
                "choices": [{ "id": "a", "description": { "en": "A" } }, { "id": "b" }],
                "extensions": { "http://extensions/x": null },
            },
        },
        "result": {
            "score": { "scaled": 0.5, "raw": 5, "min": 0, "max": 10 }, "success": true, "completion": false,
            "response": "", "duration": "PT1.5S", "extensions": { "http://extensions/y": { "": [null] } },
        },
        "context": {
            "registration": "6e2a2b5e-5a1f-4c1e-9e3e-0a2a2b5e5a1f",
            "instructor": { "account": { "homePage": "http://home", "name": "grace" } },
            "team": { "objectType": "Group", "member": [{ "openid": "http://openid/a" }] },
            "revision": "1", "platform": "web", "language": "en-GB",
            "statement": { "objectType": "StatementRef", "id": "6e2a2b5e-5a1f-4c1e-9e3e-0a2a2b5e5a1f" },
            "contextActivities": { "parent": { "id": "http://activities/shelf" }, "category": [{ "id": "http://profiles/p" }] },
            "extensions": { "http://extensions/z": 1 },
        },
        "timestamp": "2026-11-23T18:00:00.123+01:00",
        "stored": "2026-11-23T18:00:00Z",
        "authority": { "objectType": "Group", "member": [
            { "account": { "homePage": "http://home", "name": "app" } }, { "mbox": "mailto:user@example.com" } ] },
        "version": "1.0.3",
        "attachments": [{
            "usageType": "http://usage", "display": { "en": "File" }, "description": { "en": "It" },
            "contentType": "text/plain; charset=utf-8", "length": 5,
            "sha2": "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824", "fileUrl": "http://files/a",
        }],
    })
}

/// A statement whose object is that of [`base`] as a SubStatement.
fn nested() -> Value {
    let mut inner = base();
    for property in ["id", "stored", "authority", "version"] {
        inner.as_object_mut().unwrap().remove(property);
    }
    inner["objectType"] = json!("SubStatement");
    inner["timestamp"] = json!("2099-01-01T00:00:00Z");
    json!({ "actor": base()["actor"], "verb": base()["verb"], "object": inner })
}

fn parse(statement: &Value, version: Version) -> Result<(), Invalid> {
    parse_batch(statement.to_string().as_bytes(), version, Limits::DEFAULT).map(|_| ())
}

/// Sets what a pointer names; `null` with `gone` removes it.
fn change(statement: &mut Value, pointer: &str, value: &Value) {
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    let parent = statement
        .pointer_mut(parent)
        .unwrap_or_else(|| panic!("no {pointer}"));
    match (value.as_str(), parent) {
        (Some("(gone)"), Value::Object(object)) => drop(object.remove(key)),
        (_, Value::Object(object)) => drop(object.insert(key.to_owned(), value.clone())),
        (_, Value::Array(array)) => array[key.parse::<usize>().unwrap()] = value.clone(),
        _ => panic!("no {pointer}"),
    }
}

/// (Where, what is put there). `(gone)` takes it away.
fn refused() -> Vec<(&'static str, Value)> {
    let gone = || json!("(gone)");
    vec![
        // 2.2: no null, the right types, no unknown property, case counts.
        ("/actor", json!(null)),
        ("/verb", json!(null)),
        ("/result", json!(null)),
        ("/result/success", json!("true")),
        ("/result/completion", json!(1)),
        ("/result/response", json!(5)),
        ("/result/score/raw", json!("5")),
        ("/dummy", json!(1)),
        ("/actor/dummy", json!(1)),
        ("/verb/dummy", json!(1)),
        ("/object/dummy", json!(1)),
        ("/object/definition/dummy", json!(1)),
        ("/result/dummy", json!(1)),
        ("/result/score/dummy", json!(1)),
        ("/context/dummy", json!(1)),
        ("/context/contextActivities/dummy", json!([])),
        ("/attachments/0/dummy", json!(1)),
        ("/Actor", json!({})),
        ("/actor/objectType", json!("agent")),
        ("/object/objectType", json!("activity")),
        ("/object/definition/interactionType", json!("Choice")),
        // 2.4: what must be there.
        ("/actor", gone()),
        ("/verb", gone()),
        ("/object", gone()),
        ("/verb/id", gone()),
        ("/object/id", gone()),
        // 2.4.1, 4.4: UUIDs in the one form.
        (
            "/context/registration",
            json!("6e2a2b5e5a1f4c1e9e3e0a2a2b5e5a1f"),
        ),
        (
            "/context/registration",
            json!("{6e2a2b5e-5a1f-4c1e-9e3e-0a2a2b5e5a1f}"),
        ),
        (
            "/context/registration",
            json!("MA97B177-9383-4934-8543-0F91A7A02836"),
        ),
        ("/context/registration", json!(1)),
        // 2.4.2: Agents and Groups.
        ("/actor/mbox", gone()),
        ("/actor/mbox", json!("ada@example.com")),
        ("/actor/mbox", json!("mailto:ada")),
        ("/actor/mbox", json!("mailto:@example.com")),
        ("/actor/mbox", json!("Mailto:ada@example.com")),
        ("/actor/openid", json!("http://openid/a")),
        ("/actor/name", json!({})),
        ("/actor", json!({ "mbox_sha1sum": "xyz" })),
        ("/actor", json!({ "openid": "no iri" })),
        ("/actor", json!({ "account": { "name": "a" } })),
        ("/actor", json!({ "account": { "homePage": "http://h" } })),
        (
            "/actor",
            json!({ "account": { "homePage": "h", "name": "a" } }),
        ),
        (
            "/actor",
            json!({ "account": { "homePage": "http://h", "name": "a", "x": 1 } }),
        ),
        ("/actor", json!({ "objectType": "Group" })),
        ("/actor", json!({ "objectType": "Group", "member": [] })),
        ("/actor", json!({ "member": [{ "mbox": "mailto:a@a" }] })),
        (
            "/actor",
            json!({ "objectType": "Group", "mbox": "mailto:a@a", "openid": "http://o", "member": [] }),
        ),
        (
            "/actor",
            json!({ "objectType": "Group", "member": [{ "objectType": "Group", "mbox": "mailto:a@a" }] }),
        ),
        (
            "/actor",
            json!({ "objectType": "Group", "member": { "mbox": "mailto:a@a" } }),
        ),
        ("/context/team", json!({ "mbox": "mailto:a@a" })),
        // 2.4.3: verbs.
        ("/verb/id", json!("read")),
        ("/verb/display", json!("read")),
        ("/verb/display", json!({ "a12345678": "x" })),
        ("/verb/display", json!({ "en": 1 })),
        ("/verb/display", json!({ "en_GB": "x" })),
        // 2.4.4: objects.
        ("/object/id", json!("book")),
        ("/object/objectType", json!("StatementRef")),
        ("/object/objectType", json!("Thing")),
        ("/object/definition/type", json!("book")),
        ("/object/definition/moreInfo", json!("more")),
        ("/object/definition/interactionType", gone()),
        ("/object/definition/interactionType", json!("quiz")),
        ("/object/definition/correctResponsesPattern", json!("a")),
        ("/object/definition/choices/1/id", json!("a")),
        ("/object/definition/choices/0/id", gone()),
        ("/object/definition/choices", json!({})),
        ("/object/definition/extensions", json!({ "x": 1 })),
        ("/object/definition/name", json!("Book")),
        ("/object", json!({ "mbox": "mailto:a@a" })),
        ("/object", json!({ "objectType": "StatementRef" })),
        (
            "/object",
            json!({ "objectType": "StatementRef", "id": "1" }),
        ),
        // 2.4.5: results.
        ("/result/score/scaled", json!(1.0001)),
        ("/result/score/scaled", json!(-1.1)),
        ("/result/score/raw", json!(11)),
        ("/result/score/raw", json!(-1)),
        ("/result/score/min", json!(10)),
        ("/result/score/min", json!(11)),
        ("/result/duration", json!("1.5 s")),
        ("/result/duration", json!("P4W1D")),
        ("/result/duration", json!("")),
        ("/result/extensions", json!({ "y": 1 })),
        ("/result/extensions", json!([])),
        // 2.4.6: contexts.
        ("/context/language", json!("english language")),
        ("/context/language", json!("")),
        (
            "/context/statement",
            json!({ "id": "6e2a2b5e-5a1f-4c1e-9e3e-0a2a2b5e5a1f" }),
        ),
        ("/context/contextActivities/parent", json!("http://a")),
        ("/context/contextActivities", json!([])),
        (
            "/context/contextActivities/category/0",
            json!({ "objectType": "Agent", "mbox": "mailto:a@a" }),
        ),
        ("/context/extensions", json!({ "z": 1 })),
        ("/context/revision", json!(1)),
        ("/context/platform", json!(1)),
        // 2.4.7, 4.5: timestamps.
        ("/timestamp", json!("yesterday")),
        ("/timestamp", json!("2026-11-23T18:00:00-00:00")),
        ("/timestamp", json!(null)),
        ("/timestamp", json!(1_795_456_800)),
        // 2.4.11: attachments.
        ("/attachments", json!({})),
        ("/attachments/0/usageType", gone()),
        ("/attachments/0/display", gone()),
        ("/attachments/0/contentType", gone()),
        ("/attachments/0/length", gone()),
        ("/attachments/0/sha2", gone()),
        ("/attachments/0/usageType", json!("file")),
        ("/attachments/0/length", json!("5")),
        ("/attachments/0/length", json!(1.5)),
        ("/attachments/0/length", json!(-1)),
        ("/attachments/0/sha2", json!("abc")),
        ("/attachments/0/contentType", json!("text")),
        ("/attachments/0/fileUrl", json!("a")),
        // 2.3.2: voided needs a StatementRef.
        ("/verb/id", json!("http://adlnet.gov/expapi/verbs/voided")),
    ]
}

/// Rules of a statement's own properties, which a SubStatement may not have at all.
fn refused_outside() -> Vec<(&'static str, Value)> {
    let member = || json!({ "mbox": "mailto:a@a" });
    vec![
        ("/id", json!("1")),
        ("/id", json!(null)),
        ("/stored", json!("yesterday")),
        ("/stored", json!("2026-11-23T18:00:00-00:00")),
        ("/version", json!("0.9.9")),
        ("/version", json!("1.1.0")),
        ("/version", json!(1)),
        ("/version", json!("")),
        ("/authority", json!({})),
        (
            "/authority",
            json!({ "objectType": "Group", "member": [member()] }),
        ),
        (
            "/authority",
            json!({ "objectType": "Group", "member": [member(), member(), member()] }),
        ),
        (
            "/authority",
            json!({ "objectType": "Group", "mbox": "mailto:a@a", "member": [member(), member()] }),
        ),
    ]
}

#[test]
fn the_base_is_valid_in_both_versions_and_as_a_substatement() {
    for version in BOTH {
        assert_eq!(parse(&base(), version), Ok(()));
        assert_eq!(parse(&nested(), version), Ok(()));
    }
}

#[test]
fn each_broken_rule_is_refused_where_it_is_broken() {
    for (pointer, value) in refused() {
        for version in BOTH {
            let mut statement = base();
            change(&mut statement, pointer, &value);
            let invalid = parse(&statement, version).expect_err(&format!("{pointer} = {value}"));
            assert!(
                invalid.path.starts_with('$') && !invalid.clause.is_empty(),
                "{invalid}"
            );
            let mut statement = nested();
            change(&mut statement, &format!("/object{pointer}"), &value);
            let invalid =
                parse(&statement, version).expect_err(&format!("/object{pointer} = {value}"));
            assert!(invalid.path.starts_with("$.object"), "{pointer}: {invalid}");
        }
    }
    for (pointer, value) in refused_outside() {
        for version in BOTH {
            let mut statement = base();
            change(&mut statement, pointer, &value);
            parse(&statement, version).expect_err(&format!("{pointer} = {value}"));
        }
    }
}

#[test]
fn a_substatement_has_nothing_of_its_own_and_holds_no_other() {
    for (property, value) in [
        ("id", base()["id"].clone()),
        ("stored", base()["stored"].clone()),
        ("version", json!("1.0.0")),
        ("authority", base()["actor"].clone()),
    ] {
        let mut statement = nested();
        statement["object"][property] = value;
        assert!(parse(&statement, Version::V2_0_0).is_err(), "{property}");
    }
    let mut twice = nested();
    twice["object"]["object"] = nested()["object"].clone();
    assert!(parse(&twice, Version::V2_0_0).is_err());
}

#[test]
fn what_is_unusual_but_right_is_taken() {
    for (pointer, value) in [
        ("/version", json!("1.0")),
        ("/version", json!("1.0.9")),
        ("/id", json!("(gone)")),
        ("/timestamp", json!("2099-01-01T00:00:00Z")),
        ("/verb/display", json!({})),
        ("/result/score", json!({ "min": -1.5, "max": 3.25 })),
        ("/result", json!({})),
        ("/context", json!({})),
        ("/attachments", json!([])),
        ("/context/contextActivities/parent", json!([])),
        ("/object/definition", json!({})),
        (
            "/actor",
            json!({ "objectType": "Group", "mbox": "mailto:a@a" }),
        ),
        ("/authority", json!({ "mbox": "mailto:a@a" })),
        (
            "/actor",
            json!({ "mbox_sha1sum": "DA39A3EE5E6B4B0D3255BFEF95601890AFD80709" }),
        ),
        (
            "/object/definition/extensions",
            json!({ "http://x": null, "http://y": "", "http://z": {} }),
        ),
    ] {
        for version in BOTH {
            let mut statement = base();
            change(&mut statement, pointer, &value);
            assert_eq!(parse(&statement, version), Ok(()), "{pointer} = {value}");
        }
    }
}

#[test]
fn revision_and_platform_belong_to_activities() {
    for object in [
        json!({ "objectType": "Agent", "mbox": "mailto:a@a" }),
        json!({ "objectType": "Group", "mbox": "mailto:a@a" }),
        json!({ "objectType": "StatementRef", "id": "6e2a2b5e-5a1f-4c1e-9e3e-0a2a2b5e5a1f" }),
    ] {
        for property in ["revision", "platform"] {
            let mut statement = base();
            statement["object"] = object.clone();
            statement["context"] = json!({ property: "1" });
            assert!(parse(&statement, Version::V1_0_3).is_err(), "{property}");
            statement["context"] = json!({});
            assert_eq!(parse(&statement, Version::V1_0_3), Ok(()));
        }
    }
}

#[test]
fn context_agents_and_groups_are_2_0s() {
    let agent = json!({ "objectType": "contextAgent", "agent": { "mbox": "mailto:a@a" }, "relevantTypes": ["http://t"] });
    let group = json!({ "objectType": "contextGroup", "group": { "objectType": "Group", "mbox": "mailto:a@a" } });
    let with = |property: &str, part: &Value| {
        let mut statement = base();
        statement["context"][property] = json!([part]);
        statement
    };
    for (property, part) in [("contextAgents", &agent), ("contextGroups", &group)] {
        assert_eq!(parse(&with(property, part), Version::V2_0_0), Ok(()));
        assert!(parse(&with(property, part), Version::V1_0_3).is_err());
        for (key, value) in [
            ("objectType", json!("contextThing")),
            ("objectType", json!(null)),
            ("relevantTypes", json!([])),
            ("relevantTypes", json!(["t"])),
            ("agent", json!({})),
            ("group", json!({})),
            ("dummy", json!(1)),
        ] {
            let mut bad = part.clone();
            bad[key] = value;
            assert!(
                parse(&with(property, &bad), Version::V2_0_0).is_err(),
                "{property} {key}"
            );
        }
    }
}

#[test]
fn a_newer_statement_is_no_1_0_3() {
    let mut statement = base();
    statement["version"] = json!("2.0.0");
    assert!(parse(&statement, Version::V1_0_3).is_err());
    assert_eq!(parse(&statement, Version::V2_0_0), Ok(()));
}

#[test]
fn a_batch_is_bounded_and_holds_each_id_once() {
    assert!(
        parse(&json!([base(), base()]), Version::V2_0_0)
            .is_err_and(|invalid| invalid.path == "$[1].id")
    );
    assert_eq!(parse(&json!([]), Version::V2_0_0), Ok(()));
    let limits = Limits {
        statements: 2,
        statement_bytes: 5_000,
        depth: 12,
    };
    let read = |body: String| parse_batch(body.as_bytes(), Version::V2_0_0, limits);
    let mut plain = base();
    plain.as_object_mut().unwrap().remove("id");
    assert!(read(json!([plain, plain]).to_string()).is_ok());
    assert!(
        read(json!([plain, plain, plain]).to_string()).is_err_and(|invalid| invalid.is_limit())
    );
    let mut long = plain.clone();
    long["result"]["response"] = json!("x".repeat(5_000));
    assert!(read(long.to_string()).is_err_and(|invalid| invalid.is_limit()));
    let mut deep = plain.to_string();
    deep = deep.replace("[null]", &format!("{}{}", "[".repeat(12), "]".repeat(12)));
    assert!(read(deep).is_err_and(|invalid| invalid.is_limit()));
}

#[test]
fn the_text_of_each_statement_is_kept_letter_by_letter() {
    let body = " [ {\"verb\" :{\"id\":\"http://a/v\"}, \"actor\":{\"mbox\":\"mailto:a@a\"},\n\"object\":{\"id\":\"http://a/o\"},\"result\":{\"score\":{\"raw\":1.500}}} ] ";
    let parsed = parse_batch(body.as_bytes(), Version::V1_0_3, Limits::DEFAULT).unwrap();
    assert_eq!(
        parsed[0].raw,
        body.trim_matches(|letter| " []".contains(letter))
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn no_bytes_make_the_parser_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        for version in BOTH {
            let _ = parse_batch(&bytes, version, Limits::DEFAULT);
        }
    }

    #[test]
    fn no_change_of_a_statement_makes_the_parser_panic(at in any::<prop::sample::Index>(), with in "[\"{}\\[\\],:0-9a-z\\\\ü]{0,4}", cut in 0_usize..6) {
        let text = base().to_string();
        let at = at.index(text.len());
        let broken = [&text.as_bytes()[..at], with.as_bytes(), &text.as_bytes()[(at + cut).min(text.len())..]].concat();
        for version in BOTH {
            let _ = parse_batch(&broken, version, Limits::DEFAULT);
        }
    }

    #[test]
    fn whatever_is_taken_is_the_same_as_itself(at in any::<prop::sample::Index>(), with in "[0-9a-z]") {
        let mut text = base().to_string();
        let at = at.index(text.len());
        if text.is_char_boundary(at) && text.is_char_boundary(at + 1) {
            text.replace_range(at..=at, &with);
        }
        if let Ok(parsed) = parse_batch(text.as_bytes(), Version::V2_0_0, Limits::DEFAULT) {
            let spaced = parsed[0].raw.replace("\":", "\" : ");
            prop_assert!(lectern_xapi::equivalent(&parsed[0].raw, &spaced) || text.contains("\\"));
        }
    }
}
