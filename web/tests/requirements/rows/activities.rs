//! Activities as objects, their definitions, and interactions (Data 2.4.4.1).

use serde_json::{Value, json};

use crate::row::{Row, both};
use crate::statements::gone;

const DEFINITION: &str = "/object/definition";

pub fn rows() -> Vec<Row> {
    let mut rows = vec![
        both("Data 2.4.4", "4.2.2.3", "an object that names no type is an Activity")
            .takes("/object/objectType", gone())
            .takes("/object/objectType", json!("Activity"))
            .refuses("/object/objectType", json!("Thing"), "$.object.objectType")
            .refuses("/object/objectType", json!("Verb"), "$.object.objectType")
            .refuses("/object/objectType", json!(7), "$.object.objectType"),
        both("Data 2.4.4.1", "4.2.2.3", "an Activity has an id, an IRI with a scheme")
            .takes("/object/id", json!("act:book"))
            .takes("/object/id", json!("http://activities.example.com/本?page=1#top"))
            .refuses("/object/id", gone(), "$.object")
            .refuses("/object/id", json!("book"), "$.object.id")
            .refuses("/object/id", json!("http://activities/a book"), "$.object.id")
            .refuses("/object/id", json!(12), "$.object.id")
            .refuses("/object/id", json!({}), "$.object.id"),
        both("Data 2.4.4.1", "4.2.2.3", "a definition is an object and may be left out or empty")
            .takes(DEFINITION, gone())
            .takes(DEFINITION, json!({}))
            .refuses(DEFINITION, json!("a book"), "$.object.definition")
            .refuses(DEFINITION, json!([]), "$.object.definition"),
        both("Data 2.4.4.1", "4.2.2.3", "a definition's name is a language map")
            .takes("/object/definition/name", json!({ "en": "Book", "de": "Buch" }))
            .refuses("/object/definition/name", json!("Book"), "$.object.definition.name")
            .refuses("/object/definition/name", json!(1), "$.object.definition.name"),
        both("Data 2.4.4.1", "4.2.2.3", "a definition's description is a language map")
            .takes("/object/definition/description", json!({ "en": "To be read" }))
            .refuses("/object/definition/description", json!("To be read"), "$.object.definition.description")
            .refuses("/object/definition/description", json!(["To be read"]), "$.object.definition.description"),
        both("Data 2.4.4.1", "4.2.2.3", "a definition's type is an IRI with a scheme")
            .takes("/object/definition/type", json!("http://adlnet.gov/expapi/activities/course"))
            .refuses("/object/definition/type", json!("course"), "$.object.definition.type")
            .refuses("/object/definition/type", json!(1), "$.object.definition.type"),
        both("Data 2.4.4.1", "4.2.2.3", "a definition's moreInfo is an IRL with a scheme")
            .takes("/object/definition/moreInfo", json!("https://example.com/more?about=book"))
            .refuses("/object/definition/moreInfo", json!("more.html"), "$.object.definition.moreInfo")
            .refuses("/object/definition/moreInfo", json!(["http://more"]), "$.object.definition.moreInfo"),
        both("Data 2.4.4.1", "4.2.2.3", "a definition's extensions are an object with IRIs for keys")
            .takes("/object/definition/extensions", json!({ "http://extensions/pages": 300 }))
            .refuses("/object/definition/extensions", json!({ "pages": 300 }), "$.object.definition.extensions.pages")
            .refuses("/object/definition/extensions", json!([]), "$.object.definition.extensions")
            .refuses("/object/definition/extensions", json!("pages"), "$.object.definition.extensions"),
        both("Data 2.4.4.1", "4.2.2.3", "a definition that contradicts an earlier one of the same Activity is no reason to refuse")
            .takes("/object/definition/name", json!({ "en": "Book" }))
            .takes("/object/definition/name", json!({ "en": "Film" })),
        both("Data 2.4.4.1", "4.2.2.3", "an interactionType is one of the ten of the standard")
            .refuses("/object/definition/interactionType", json!("quiz"), "$.object.definition.interactionType")
            .refuses("/object/definition/interactionType", json!("fill_in"), "$.object.definition.interactionType")
            .refuses("/object/definition/interactionType", json!(""), "$.object.definition.interactionType")
            .refuses("/object/definition/interactionType", json!(1), "$.object.definition.interactionType"),
        both("Data 2.4.4.1", "4.2.2.3", "patterns of right answers without an interactionType are refused")
            .refuses(DEFINITION, json!({ "correctResponsesPattern": ["a"] }), "$.object.definition"),
        both("Data 2.4.4.1", "4.2.2.3", "patterns of right answers are strings in an array, as many as one likes")
            .takes("/object/definition/correctResponsesPattern", json!([]))
            .takes("/object/definition/correctResponsesPattern", many_patterns())
            .refuses("/object/definition/correctResponsesPattern", json!("a"), "$.object.definition.correctResponsesPattern")
            .refuses("/object/definition/correctResponsesPattern", json!({}), "$.object.definition.correctResponsesPattern")
            .refuses("/object/definition/correctResponsesPattern", json!([1]), "$.object.definition.correctResponsesPattern[0]"),
        both("Data 2.4.4.1", "4.2.2.3", "how long a pattern of right answers is, is not limited")
            .takes("/object/definition/correctResponsesPattern", json!(["x".repeat(10_000)])),
        both("Data 2.4.4.1", "4.2.2.3", "the ids within a list of components differ")
            .takes("/object/definition/choices/1/id", json!("A"))
            .refuses("/object/definition/choices/1/id", json!("a"), "$.object.definition.choices[1]"),
        both("Data 2.4.4.1", "4.2.2.3", "one id may stand in two lists of components")
            .takes(DEFINITION, json!({ "interactionType": "matching", "source": [{ "id": "a" }], "target": [{ "id": "a" }] })),
        both("Data 2.4.4.1", "4.2.2.3", "a component is an object with an id, a string")
            .refuses("/object/definition/choices/0/id", gone(), "$.object.definition.choices[0]")
            .refuses("/object/definition/choices/0/id", json!(1), "$.object.definition.choices[0].id")
            .refuses("/object/definition/choices/0", json!("a"), "$.object.definition.choices[0]"),
        both("Data 2.4.4.1", "4.2.2.3", "a component's description is a language map and may be left out")
            .takes("/object/definition/choices/0/description", gone())
            .takes("/object/definition/choices/0/description", json!({ "en": "The first" }))
            .refuses("/object/definition/choices/0/description", json!("The first"), "$.object.definition.choices[0].description"),
    ];
    for (kind, definition) in interactions() {
        let mut full = definition.clone();
        full["interactionType"] = json!(kind);
        let rule =
            format!("an interaction of the kind {kind} is taken with all that belongs to it");
        rows.push(both("Data 2.4.4.1", "4.2.2.3", rule.leak()).takes(DEFINITION, full));
    }
    for list in ["choices", "scale", "source", "target", "steps"] {
        let path = format!("$.object.definition.{list}").leak();
        let one = |components: Value| json!({ "interactionType": "choice", list: components });
        let rule = format!(
            "the list {list} is an array, and belongs to a definition with an interactionType"
        );
        rows.push(
            both("Data 2.4.4.1", "4.2.2.3", rule.leak())
                .takes(DEFINITION, one(json!([])))
                .takes(DEFINITION, one(json!([{ "id": "a" }])))
                .refuses(DEFINITION, one(json!({ "id": "a" })), path)
                .refuses(DEFINITION, one(json!("a")), path)
                .refuses(
                    DEFINITION,
                    json!({ list: [{ "id": "a" }] }),
                    "$.object.definition",
                ),
        );
    }
    rows
}

fn many_patterns() -> Value {
    (0..200)
        .map(|number| json!(format!("answer {number}")))
        .collect()
}

fn interactions() -> [(&'static str, Value); 10] {
    let part = |id: &str| json!({ "id": id, "description": { "en": id } });
    [
        ("true-false", json!({ "correctResponsesPattern": ["true"] })),
        (
            "choice",
            json!({ "correctResponsesPattern": ["golf[,]tetris"], "choices": [part("golf"), part("tetris")] }),
        ),
        (
            "fill-in",
            json!({ "correctResponsesPattern": ["Bob's your uncle"] }),
        ),
        (
            "long-fill-in",
            json!({ "correctResponsesPattern": ["{case_matters=false}{lang=en}To store and provide access"] }),
        ),
        (
            "matching",
            json!({ "correctResponsesPattern": ["ben[.]3[,]chris[.]2"], "source": [part("ben"), part("chris")], "target": [part("2"), part("3")] }),
        ),
        (
            "performance",
            json!({ "correctResponsesPattern": ["pong[.]1:[,]dg[.]:10"], "steps": [part("pong"), part("dg")] }),
        ),
        (
            "sequencing",
            json!({ "correctResponsesPattern": ["tim[,]mike"], "choices": [part("tim"), part("mike")] }),
        ),
        (
            "likert",
            json!({ "correctResponsesPattern": ["likert_3"], "scale": [part("likert_0"), part("likert_3")] }),
        ),
        ("numeric", json!({ "correctResponsesPattern": ["4[:]"] })),
        (
            "other",
            json!({ "correctResponsesPattern": ["(35.937432,-86.868896)"] }),
        ),
    ]
}
