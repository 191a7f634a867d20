//! Verbs (Data 2.4.3).

use serde_json::json;

use crate::row::{Row, both};
use crate::statements::gone;

pub fn rows() -> Vec<Row> {
    vec![
        both(
            "Data 2.4.3",
            "4.2.2.2",
            "a verb has an id, which is its meaning",
        )
        .refuses("/verb/id", gone(), "$.verb")
        .refuses("/verb", json!({}), "$.verb"),
        both(
            "Data 2.4.3",
            "4.2.2.2",
            "a verb's id is an IRI with a scheme, of any scheme",
        )
        .takes(
            "/verb/id",
            json!("http://adlnet.gov/expapi/verbs/experienced"),
        )
        .takes("/verb/id", json!("urn:example:read"))
        .takes("/verb/id", json!("http://verbs.example.com/読む"))
        .refuses("/verb/id", json!("read"), "$.verb.id")
        .refuses("/verb/id", json!("//verbs/read"), "$.verb.id")
        .refuses("/verb/id", json!("http://verbs/to read"), "$.verb.id")
        .refuses("/verb/id", json!(1), "$.verb.id")
        .refuses("/verb/id", json!({ "en": "read" }), "$.verb.id"),
        both(
            "Data 2.4.3",
            "4.2.2.2",
            "a verb's display is a language map and may be left out",
        )
        .takes("/verb/display", gone())
        .takes("/verb/display", json!({}))
        .takes(
            "/verb/display",
            json!({ "en-US": "read", "de": "las", "ja": "読んだ" }),
        )
        .refuses("/verb/display", json!("read"), "$.verb.display")
        .refuses("/verb/display", json!(5), "$.verb.display")
        .refuses("/verb/display", json!(["read"]), "$.verb.display"),
        both(
            "Data 2.4.3",
            "4.2.2.2",
            "a verb has an id and a display, nothing else",
        )
        .refuses("/verb/objectType", json!("Verb"), "$.verb.objectType")
        .refuses("/verb/definition", json!({}), "$.verb.definition"),
        both(
            "Data 2.4.3",
            "4.2.2.2",
            "a display that contradicts an earlier one of the same verb is no reason to refuse",
        )
        .takes("/verb/display", json!({ "en-GB": "read" }))
        .takes("/verb/display", json!({ "en-GB": "devoured" })),
    ]
}
