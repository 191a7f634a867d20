//! The API's description: the golden that the pages' types are made from, and what it promises.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use serde_json::Value;

const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi.json");

fn document() -> Value {
    serde_json::to_value(lectern_web::openapi()).unwrap()
}

#[test]
fn the_description_is_the_one_that_the_pages_were_made_from() {
    let printed = lectern_web::api::openapi::print(&lectern_web::openapi());
    if std::env::var_os("LECTERN_UPDATE_GOLDEN").is_some() {
        std::fs::write(GOLDEN, &printed).unwrap();
    }
    let golden = std::fs::read_to_string(GOLDEN).unwrap_or_default();
    assert!(
        golden == printed,
        "the API changed: run `LECTERN_UPDATE_GOLDEN=1 cargo test -p lectern-web --test openapi`, then `npm run types` \
         in web/ui, and read the difference"
    );
}

/// Follows `$ref` to a schema.
fn resolve<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    match schema["$ref"].as_str() {
        Some(name) => document
            .pointer(name.trim_start_matches('#'))
            .unwrap_or_else(|| panic!("{name} is missing")),
        None => schema,
    }
}

#[test]
fn every_json_request_refuses_unknown_members() {
    let document = document();
    let mut looked_at = 0;
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
            if schema.is_null() {
                continue;
            }
            looked_at += 1;
            let schema = resolve(&document, schema);
            assert_eq!(
                schema["additionalProperties"], false,
                "{method} {path} takes unknown members"
            );
        }
    }
    assert!(looked_at >= 10, "{looked_at}");
}

#[test]
fn every_reference_leads_somewhere_and_every_operation_has_an_answer_and_words() {
    let document = document();
    let text = document.to_string();
    for part in text.split("\"$ref\":\"").skip(1) {
        let name = part.split('"').next().unwrap();
        assert!(
            document.pointer(name.trim_start_matches('#')).is_some(),
            "{name} is missing"
        );
    }
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            assert!(
                operation["summary"].is_string(),
                "{method} {path} has no words"
            );
            assert!(
                operation["tags"]
                    .as_array()
                    .is_some_and(|tags| tags.len() == 1),
                "{method} {path} has no tag"
            );
            let answers = operation["responses"].as_object().unwrap();
            assert!(
                answers.keys().any(|status| status.starts_with('2')),
                "{method} {path} never works"
            );
        }
    }
}

#[test]
fn operations_have_names_of_their_own() {
    let document = document();
    let mut seen = std::collections::BTreeSet::new();
    for item in document["paths"].as_object().unwrap().values() {
        for operation in item.as_object().unwrap().values() {
            let name = operation["operationId"]
                .as_str()
                .unwrap_or_default()
                .to_owned();
            assert!(
                !name.is_empty() && seen.insert(name.clone()),
                "{name} stands twice"
            );
        }
    }
}
