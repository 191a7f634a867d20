//! Statements at random: every kind of object, groups, context, result, extensions, attachments.
#![allow(
    dead_code,
    clippy::unwrap_used,
    reason = "each test file uses its part"
)]

use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

fn iri() -> impl Strategy<Value = String> {
    "https://[a-z]{1,6}\\.example/[a-zA-Z0-9_é]{0,6}"
}

fn uuid() -> impl Strategy<Value = String> {
    any::<u128>().prop_map(|number| {
        uuid::Builder::from_random_bytes(number.to_be_bytes())
            .into_uuid()
            .to_string()
    })
}

fn words() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-zA-Zäöü \"\\\\/\u{1F600}]{0,8}",
        Just("number 1.0".to_owned())
    ]
}

fn map_of_languages() -> impl Strategy<Value = Value> {
    let tag = prop_oneof!["de", "en", "en-US", "en-GB", "fr", "zh-Hant-TW", "und"];
    btree_map(tag, words(), 1..4).prop_map(|map| json!(map))
}

fn number() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<i32>().prop_map(|number| json!(number)),
        (-1000i32..1000).prop_map(|number| json!(f64::from(number) / 8.0)),
    ]
}

/// Whatever an extension may hold.
fn anything() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(|is| json!(is)),
        number(),
        words().prop_map(|text| json!(text)),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..3).prop_map(Value::Array),
            btree_map("[a-z]{1,3}", inner, 0..3).prop_map(|map| json!(map)),
        ]
    })
}

fn extensions() -> impl Strategy<Value = Value> {
    btree_map(iri(), anything(), 1..3).prop_map(|map| json!(map))
}

fn identified() -> impl Strategy<Value = Value> {
    prop_oneof![
        "[a-z]{1,5}".prop_map(|name| json!({"mbox": format!("mailto:{name}@example.org")})),
        "[0-9a-f]{40}".prop_map(|sum| json!({"mbox_sha1sum": sum})),
        iri().prop_map(|id| json!({"openid": id})),
        (iri(), "[a-z0-9]{1,6}")
            .prop_map(|(home, name)| json!({"account": {"homePage": home, "name": name}})),
    ]
}

pub fn agent() -> impl Strategy<Value = Value> {
    (identified(), option::of(words()), any::<bool>()).prop_map(|(mut agent, name, is_named)| {
        put(&mut agent, "name", name.map(Value::from));
        put(&mut agent, "objectType", is_named.then(|| json!("Agent")));
        agent
    })
}

pub fn group() -> impl Strategy<Value = Value> {
    (option::of(identified()), vec(agent(), 1..4)).prop_map(|(identified, members)| {
        let mut group = identified.unwrap_or_else(|| json!({}));
        group["objectType"] = json!("Group");
        group["member"] = json!(members);
        group
    })
}

fn activity() -> impl Strategy<Value = Value> {
    let definition = (
        map_of_languages(),
        option::of(iri()),
        option::of(extensions()),
    )
        .prop_map(|(name, kind, extensions)| {
            let mut definition = json!({"name": name});
            put(&mut definition, "type", kind.map(Value::from));
            put(&mut definition, "extensions", extensions);
            definition
        });
    (iri(), option::of(definition), any::<bool>()).prop_map(|(id, definition, is_named)| {
        let mut activity = json!({"id": id});
        put(&mut activity, "definition", definition);
        put(
            &mut activity,
            "objectType",
            is_named.then(|| json!("Activity")),
        );
        activity
    })
}

fn verb() -> impl Strategy<Value = Value> {
    (iri(), option::of(map_of_languages())).prop_map(|(id, display)| {
        let mut verb = json!({"id": id});
        put(&mut verb, "display", display);
        verb
    })
}

fn result() -> impl Strategy<Value = Value> {
    let duration = prop_oneof!["PT[1-9][0-9]?S", "PT[0-9]\\.[0-9]{2}S", "P[1-9]W", "P1DT2H"];
    (
        option::of((-8i32..=8).prop_map(|score| json!({"scaled": f64::from(score) / 8.0}))),
        option::of(any::<bool>()),
        option::of(words()),
        option::of(duration),
        option::of(extensions()),
    )
        .prop_map(|(score, success, response, duration, extensions)| {
            let mut result = json!({"completion": true});
            put(&mut result, "score", score);
            put(&mut result, "success", success.map(Value::from));
            put(&mut result, "response", response.map(Value::from));
            put(&mut result, "duration", duration.map(Value::from));
            put(&mut result, "extensions", extensions);
            result
        })
}

fn context(about_activity: bool) -> impl Strategy<Value = Value> {
    let lists = btree_map(
        prop_oneof!["parent", "grouping", "category", "other"],
        vec(activity(), 1..3).prop_map(Value::Array),
        1..3,
    );
    (
        option::of(uuid()),
        option::of(agent()),
        option::of(lists),
        option::of(words()),
        option::of(extensions()),
        option::of(vec(agent(), 1..3)),
    )
        .prop_map(
            move |(registration, instructor, lists, revision, extensions, agents)| {
                let mut context = json!({"language": "de-AT"});
                put(&mut context, "registration", registration.map(Value::from));
                put(&mut context, "instructor", instructor);
                put(
                    &mut context,
                    "contextActivities",
                    lists.map(|lists| json!(lists)),
                );
                put(&mut context, "extensions", extensions);
                if about_activity {
                    put(&mut context, "revision", revision.map(Value::from));
                }
                let agents = agents.map(|agents| {
                    let agents = agents.into_iter().map(|mut agent| {
                        agent["objectType"] = json!("Agent");
                        json!({"objectType": "contextAgent", "agent": agent})
                    });
                    Value::Array(agents.collect())
                });
                put(&mut context, "contextAgents", agents);
                context
            },
        )
}

fn core(is_within: bool) -> BoxedStrategy<Value> {
    let mut objects = vec![
        activity().boxed(),
        agent()
            .prop_map(|mut agent| {
                agent["objectType"] = json!("Agent");
                agent
            })
            .boxed(),
        group().boxed(),
        uuid()
            .prop_map(|id| json!({"objectType": "StatementRef", "id": id}))
            .boxed(),
    ];
    if !is_within {
        objects.push(
            core(true)
                .prop_map(|mut inner| {
                    inner["objectType"] = json!("SubStatement");
                    inner
                })
                .boxed(),
        );
    }
    let actor = prop_oneof![3 => agent().boxed(), 1 => group().boxed()];
    (actor, verb(), proptest::strategy::Union::new(objects))
        .prop_flat_map(|(actor, verb, object)| {
            let is_activity = matches!(object["objectType"].as_str(), None | Some("Activity"));
            let parts = (option::of(result()), option::of(context(is_activity)));
            (Just((actor, verb, object)), parts)
        })
        .prop_map(|((actor, verb, object), (result, context))| {
            let mut statement = json!({"actor": actor, "verb": verb, "object": object});
            put(&mut statement, "result", result);
            put(&mut statement, "context", context);
            statement
        })
        .boxed()
}

/// A valid 2.0.0 statement.
pub fn statement() -> impl Strategy<Value = Value> {
    let attachment = (iri(), map_of_languages(), "[0-9a-f]{64}", iri()).prop_map(
        |(usage, display, sha2, url)| {
            json!({"usageType": usage, "display": display, "contentType": "text/plain",
                   "length": 3, "sha2": sha2, "fileUrl": url})
        },
    );
    (
        core(false),
        option::of(uuid()),
        option::of(vec(attachment, 1..3)),
        any::<bool>(),
    )
        .prop_map(|(mut statement, id, attachments, is_timed)| {
            put(&mut statement, "id", id.map(Value::from));
            put(&mut statement, "attachments", attachments.map(Value::Array));
            put(
                &mut statement,
                "timestamp",
                is_timed.then(|| json!("2026-11-26T12:30:00.5Z")),
            );
            statement
        })
}

pub fn put(into: &mut Value, key: &str, value: Option<Value>) {
    if let (Some(value), Value::Object(into)) = (value, into) {
        into.insert(key.to_owned(), value);
    }
}

/// JSON with the entries of every object turned by `turn`, blanks, and letters written as escapes.
pub fn print_otherwise(value: &Value, turn: usize) -> String {
    match value {
        Value::Object(map) => {
            let mut entries: Vec<String> = map
                .iter()
                .map(|(key, value)| match key.as_str() {
                    // A number of bytes is written as one.
                    "length" => format!("\"length\":{value}"),
                    _ => format!("\t{} :\n{}", escaped(key), print_otherwise(value, turn)),
                })
                .collect();
            let length = entries.len().max(1);
            entries.rotate_left(turn % length);
            format!("{{{} }}", entries.join(" ,"))
        }
        Value::Array(items) => {
            let items: Vec<String> = items
                .iter()
                .map(|item| print_otherwise(item, turn))
                .collect();
            format!("[ {}]", items.join(",\r\n"))
        }
        Value::String(text) => escaped(text),
        Value::Number(number) => match number.as_i64() {
            // Another spelling of the same number.
            Some(whole) => format!("{whole}.0e0"),
            None => number.to_string(),
        },
        other => other.to_string(),
    }
}

fn escaped(text: &str) -> String {
    let units = text.encode_utf16().map(|unit| format!("\\u{unit:04X}"));
    format!("\"{}\"", units.collect::<String>())
}

/// Calls `f` with every object in it.
pub fn objects(value: &mut Value, f: &mut dyn FnMut(&mut Map<String, Value>)) {
    match value {
        Value::Object(map) => {
            f(map);
            map.values_mut().for_each(|value| objects(value, f));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| objects(item, f)),
        _ => {}
    }
}
