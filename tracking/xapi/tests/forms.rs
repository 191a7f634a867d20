//! The forms in which statements are served (Comm 2.1.3, `format`), over statements at random.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod common;

use common::{objects, statement};
use lectern_xapi::form::{self, Languages};
use lectern_xapi::json::Json;
use lectern_xapi::{Limits, Version, equivalent, parse_statement};
use proptest::prelude::*;
use serde_json::{Value, json};

fn served(statement: &Value, make: impl FnOnce(&mut Json<'_>)) -> Value {
    let text = statement.to_string();
    let mut json = Json::read(&text, 64).unwrap();
    form::with_arrays(&mut json);
    make(&mut json);
    serde_json::from_str(&json.print()).unwrap()
}

fn canonical(statement: &Value, asked: &str) -> Value {
    let languages = Languages::parse(asked);
    served(statement, |json| {
        form::canonical(json, &languages, &|_| None)
    })
}

fn is_statement(value: &Value) -> Result<(), String> {
    parse_statement(
        value.to_string().as_bytes(),
        Version::V2_0_0,
        Limits::DEFAULT,
    )
    .map(drop)
    .map_err(|invalid| format!("{invalid}: {value}"))
}

/// Every language map of verbs, definitions and attachments, with where it stands.
fn language_maps(value: &Value) -> Vec<Value> {
    let mut found = Vec::new();
    let mut copy = value.clone();
    objects(&mut copy, &mut |object| {
        let is_verb = object.contains_key("display") && object.contains_key("id");
        let is_attachment = object.contains_key("usageType");
        if is_verb || is_attachment {
            found.extend(object.get("display").cloned());
        }
        if let Some(definition) = object.get("definition") {
            found.extend(definition.get("name").cloned());
        }
    });
    found
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn canonical_has_one_language_in_each_map_and_else_says_the_same(
        statement in statement(),
        asked in prop_oneof!["de, en;q=0.5", "en-US,en;q=0.9,*;q=0.1", "ja", "", "fr-CA", "zh-Hant;q=0.2"],
    ) {
        let found = canonical(&statement, &asked);
        prop_assert_eq!(is_statement(&found), Ok(()));
        // What attachments are called counts; in which language is what was asked for.
        let without = |value: &Value| {
            let mut value = value.clone();
            value.as_object_mut().unwrap().remove("attachments");
            value.to_string()
        };
        prop_assert!(equivalent(&without(&statement), &without(&found)));
        let (before, after) = (language_maps(&statement), language_maps(&found));
        prop_assert_eq!(before.len(), after.len());
        for (before, after) in before.iter().zip(&after) {
            let (offered, chosen) = (before.as_object().unwrap(), after.as_object().unwrap());
            prop_assert_eq!(chosen.len(), 1);
            let (tag, text) = chosen.iter().next().unwrap();
            prop_assert_eq!(offered.get(tag), Some(text));
            let best = asked.split([',', ';']).next().unwrap();
            if offered.contains_key(best) {
                prop_assert_eq!(tag, best);
            }
        }
        // Once more changes nothing, whatever is asked for then.
        prop_assert_eq!(canonical(&found, "und"), found);
    }

    #[test]
    fn ids_keeps_what_identifies_and_nothing_else(statement in statement()) {
        let found = served(&statement, form::ids);
        prop_assert_eq!(is_statement(&found), Ok(()));
        prop_assert_eq!(&found["verb"], &json!({"id": statement["verb"]["id"]}));
        prop_assert_eq!(found.get("result"), statement.get("result"));
        let mut copy = found.clone();
        let mut wrong = Vec::new();
        // Extensions are the sender's own.
        for part in ["result", "context"] {
            if let Some(part) = copy.get_mut(part).and_then(Value::as_object_mut) {
                part.remove("extensions");
            }
        }
        if let Some(Value::Object(inner)) = copy.get_mut("object") {
            for part in ["result", "context"] {
                if let Some(part) = inner.get_mut(part).and_then(Value::as_object_mut) {
                    part.remove("extensions");
                }
            }
        }
        objects(&mut copy, &mut |object| {
            let is_actor = ["mbox", "mbox_sha1sum", "openid"].iter().any(|key| object.contains_key(*key))
                || object.get("account").is_some_and(Value::is_object);
            if object.contains_key("definition") || (is_actor && object.contains_key("name")) {
                wrong.push(object.clone());
            }
        });
        prop_assert!(wrong.is_empty(), "{:?}", wrong);
        // The same people and things, by the same identifiers.
        let mut again = served(&found, form::ids);
        prop_assert_eq!(&again, &found);
        again["verb"]["id"] = json!("https://other.example/v");
        prop_assert_ne!(again, found);
    }
}
