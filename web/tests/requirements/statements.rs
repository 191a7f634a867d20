//! The statements that rows change, and what may differ between a statement as sent and as served.

use serde_json::{Value, json};

use crate::row::{Base, Change};

/// Put where something is to be taken away.
pub const GONE: &str = "(gone)";

pub const UUID: &str = "6e2a2b5e-5a1f-4c1e-9e3e-0a2a2b5e5a1f";

pub fn gone() -> Value {
    json!(GONE)
}

pub fn base(base: Base) -> Value {
    match base {
        Base::Full => full(),
        Base::Plain => json!({
            "actor": full()["actor"],
            "verb": { "id": "http://verbs/read" },
            "object": { "id": "http://activities/book" },
        }),
    }
}

fn full() -> Value {
    json!({
        "actor": { "objectType": "Agent", "name": "Ada", "mbox": "mailto:ada@example.com" },
        "verb": { "id": "http://verbs/read", "display": { "en-GB": "read" } },
        "object": {
            "objectType": "Activity",
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
            "registration": UUID,
            "instructor": { "account": { "homePage": "http://home", "name": "grace" } },
            "team": { "objectType": "Group", "member": [{ "openid": "http://openid/a" }] },
            "revision": "1", "platform": "web", "language": "en-GB",
            "statement": { "objectType": "StatementRef", "id": UUID },
            "contextActivities": { "parent": [{ "id": "http://activities/shelf" }], "category": [{ "id": "http://profiles/p" }] },
            "extensions": { "http://extensions/z": 1 },
        },
        "timestamp": "2026-11-23T18:00:00.123Z",
        "attachments": [{
            "usageType": "http://usage", "display": { "en": "File" }, "description": { "en": "It" },
            "contentType": "text/plain; charset=utf-8", "length": 5,
            "sha2": "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824", "fileUrl": "http://files/a",
        }],
    })
}

/// A statement whose object is this one, as a SubStatement.
pub fn nested(mut inner: Value) -> Value {
    inner["objectType"] = json!("SubStatement");
    json!({ "actor": full()["actor"], "verb": { "id": "http://verbs/planned" }, "object": inner })
}

/// Puts a value where a pointer points, or takes away what is there.
pub fn apply(statement: &mut Value, (pointer, value): &Change) {
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    let key = key.replace("~1", "/");
    let parent = statement
        .pointer_mut(parent)
        .unwrap_or_else(|| panic!("no {pointer}"));
    match (value.as_str(), parent) {
        (Some(GONE), Value::Object(object)) => {
            object
                .remove(&key)
                .unwrap_or_else(|| panic!("no {pointer}"));
        }
        (_, Value::Object(object)) => drop(object.insert(key, value.clone())),
        (_, Value::Array(array)) => array[key.parse::<usize>().unwrap()] = value.clone(),
        _ => panic!("no {pointer}"),
    }
}

/// A statement without what an LRS sets, and with context Activities in arrays (Data 2.3.1, 2.4.6.2).
pub fn comparable(statement: &Value) -> Value {
    let mut statement = statement.clone();
    if let Some(properties) = statement.as_object_mut() {
        for property in ["id", "stored", "authority", "timestamp", "version"] {
            properties.remove(property);
        }
    }
    for pointer in [
        "/context/contextActivities",
        "/object/context/contextActivities",
    ] {
        let lists = statement
            .pointer_mut(pointer)
            .and_then(Value::as_object_mut);
        for list in lists.into_iter().flat_map(serde_json::Map::values_mut) {
            if !list.is_array() {
                *list = json!([list]);
            }
        }
    }
    statement
}
