//! Contexts (Data 2.4.6), with what 2.0 added: contextAgents and contextGroups.

use serde_json::{Value, json};

use crate::row::{Row, both, new, old};
use crate::statements::UUID;

pub fn rows() -> Vec<Row> {
    let mut rows = vec![
        both("Data 2.4.6", "4.2.2.5", "a registration is a UUID")
            .takes("/context/registration", json!("EC531277-B57B-4C15-8D91-D292C5B2B8F7"))
            .refuses("/context/registration", json!("first try"), "$.context.registration")
            .refuses("/context/registration", json!("ec531277b57b4c158d91d292c5b2b8f7"), "$.context.registration")
            .refuses("/context/registration", json!(1), "$.context.registration")
            .refuses("/context/registration", json!({}), "$.context.registration"),
        both("Data 2.4.6", "4.2.2.5", "an instructor is an Agent or a Group")
            .takes("/context/instructor", json!({ "mbox": "mailto:t@example.com" }))
            .takes("/context/instructor", json!({ "objectType": "Group", "mbox": "mailto:t@example.com" }))
            .refuses("/context/instructor", json!("Grace"), "$.context.instructor")
            .refuses("/context/instructor", json!({ "name": "Grace" }), "$.context.instructor")
            .refuses("/context/instructor", json!({ "objectType": "Activity", "id": "http://a/b" }), "$.context.instructor.objectType"),
        both("Data 2.4.6", "4.2.2.5", "a team is a Group")
            .takes("/context/team", json!({ "objectType": "Group", "mbox": "mailto:team@example.com" }))
            .refuses("/context/team", json!({ "objectType": "Agent", "mbox": "mailto:t@example.com" }), "$.context.team.objectType")
            .refuses("/context/team", json!({ "mbox": "mailto:t@example.com" }), "$.context.team")
            .refuses("/context/team", json!({ "objectType": "Group" }), "$.context.team")
            .refuses("/context/team", json!("team"), "$.context.team"),
        both("Data 2.4.6", "4.2.2.5", "a revision is a string")
            .takes("/context/revision", json!("2nd, corrected"))
            .refuses("/context/revision", json!(2), "$.context.revision")
            .refuses("/context/revision", json!({}), "$.context.revision"),
        both("Data 2.4.6", "4.2.2.5", "a platform is a string")
            .takes("/context/platform", json!("a phone"))
            .refuses("/context/platform", json!(1), "$.context.platform")
            .refuses("/context/platform", json!(["web"]), "$.context.platform"),
        both("Data 2.4.6", "4.2.2.5", "a language is a language tag")
            .takes("/context/language", json!("zh-Hant-TW"))
            .refuses("/context/language", json!("english language"), "$.context.language")
            .refuses("/context/language", json!("en_GB"), "$.context.language")
            .refuses("/context/language", json!("toolongone"), "$.context.language")
            .refuses("/context/language", json!(1), "$.context.language")
            .refuses("/context/language", json!({}), "$.context.language"),
        both("Data 2.4.6", "4.2.2.5", "a statement as context is a reference that says so")
            .takes("/context/statement", json!({ "objectType": "StatementRef", "id": UUID }))
            .refuses("/context/statement", json!({ "id": UUID }), "$.context.statement")
            .refuses("/context/statement", json!({ "objectType": "SubStatement", "id": UUID }), "$.context.statement.objectType")
            .refuses("/context/statement", json!({ "objectType": "StatementRef", "id": "1" }), "$.context.statement.id")
            .refuses("/context/statement", json!({ "objectType": "StatementRef" }), "$.context.statement")
            .refuses("/context/statement", json!(UUID), "$.context.statement"),
        both("Data 2.4.6", "4.2.2.5", "a context's extensions are an object with IRIs for keys")
            .takes("/context/extensions", json!({ "http://extensions/altitude": 8848 }))
            .refuses("/context/extensions", json!({ "altitude": 8848 }), "$.context.extensions.altitude")
            .refuses("/context/extensions", json!([]), "$.context.extensions")
            .refuses("/context/extensions", json!(1), "$.context.extensions"),
        both("Data 2.4.6.2", "4.2.2.5", "contextActivities are an object")
            .takes("/context/contextActivities", json!({}))
            .refuses("/context/contextActivities", json!("http://a/b"), "$.context.contextActivities")
            .refuses("/context/contextActivities", json!([{ "id": "http://a/b" }]), "$.context.contextActivities"),
        both("Data 2.4.6.2", "4.2.2.5", "contextActivities know parent, grouping, category and other, and nothing else")
            .takes("/context/contextActivities", json!({
                "parent": [{ "id": "http://a/1" }], "grouping": [{ "id": "http://a/2" }],
                "category": [{ "id": "http://a/3" }], "other": [{ "id": "http://a/4" }, { "id": "http://a/5" }],
            }))
            .refuses("/context/contextActivities", json!({ "sibling": [{ "id": "http://a/1" }] }), "$.context.contextActivities.sibling")
            .refuses("/context/contextActivities", json!({ "Parent": [{ "id": "http://a/1" }] }), "$.context.contextActivities.Parent"),
        both("Data 2.4.6.2", "4.2.2.5", "what stands in contextActivities are Activities that follow their rules")
            .refuses("/context/contextActivities", json!({ "parent": ["http://a/1"] }), "$.context.contextActivities.parent[0]")
            .refuses("/context/contextActivities", json!({ "parent": [{}] }), "$.context.contextActivities.parent[0]")
            .refuses("/context/contextActivities", json!({ "grouping": [{ "id": "a" }] }), "$.context.contextActivities.grouping[0].id")
            .refuses("/context/contextActivities", json!({ "category": { "id": "http://a/1", "definition": 1 } }), "$.context.contextActivities.category.definition")
            .refuses("/context/contextActivities", json!({ "other": [{ "objectType": "Agent", "mbox": "mailto:a@a" }] }), "$.context.contextActivities.other[0].mbox"),
        both("Data 2.4.6.2", "4.2.2.5", "a single context Activity without its array is taken, and given back in one").proven(|w| {
            Box::pin(async move {
                let single = json!({ "contextActivities": { "parent": { "id": w.iri("course") } } });
                let mut sent = w.statement_with("context", single.clone());
                sent["object"] = json!({
                    "objectType": "SubStatement", "actor": w.agent("a"), "verb": { "id": w.iri("v") },
                    "object": { "id": w.iri("o") }, "context": single,
                });
                let served = w.one(&w.keep(&sent).await).await;
                let array = json!([{ "id": w.iri("course") }]);
                assert_eq!(served["context"]["contextActivities"]["parent"], array);
                assert_eq!(served["object"]["context"]["contextActivities"]["parent"], array);
            })
        }),
    ];
    for property in ["revision", "platform"] {
        let path: &'static str = format!("$.context.{property}").leak();
        let rule = format!(
            "{property} is said of Activities alone, so it is refused with every other object"
        );
        let context = || ("/context", json!({ property: "1" }));
        let mut row = both("Data 2.4.6", "4.2.2.5", rule.leak())
            .plain()
            .takes_all([context()]);
        for object in [
            json!({ "objectType": "Agent", "mbox": "mailto:a@example.com" }),
            json!({ "objectType": "Group", "mbox": "mailto:g@example.com" }),
            json!({ "objectType": "StatementRef", "id": UUID }),
        ] {
            row = row
                .refuses_all([("/object", object.clone()), context()], path)
                .takes_all([
                    ("/object", object),
                    ("/context", json!({ "language": "en" })),
                ]);
        }
        rows.push(row);
        let rule = format!(
            "{property} is refused in the context of a statement whose object is a SubStatement"
        );
        let sub = json!({
            "objectType": "SubStatement", "actor": { "mbox": "mailto:a@example.com" },
            "verb": { "id": "http://verbs/read" }, "object": { "id": "http://activities/book" },
        });
        rows.push(
            both("Data 2.4.6", "4.2.2.5", rule.leak())
                .plain()
                .outer()
                .refuses_all([("/object", sub), context()], path),
        );
    }
    rows.extend(parts());
    rows
}

/// contextAgents and contextGroups.
fn parts() -> Vec<Row> {
    let mut rows = Vec::new();
    let agent = json!({ "mbox": "mailto:a@example.com" });
    let group = json!({ "objectType": "Group", "mbox": "mailto:g@example.com" });
    for (list, kind, who, wrong) in [
        (
            "contextAgents",
            "contextAgent",
            ("agent", agent.clone()),
            ("group", group.clone()),
        ),
        (
            "contextGroups",
            "contextGroup",
            ("group", group),
            ("agent", agent),
        ),
    ] {
        let pointer: &'static str = format!("/context/{list}").leak();
        let words = |text: &str| -> &'static str { text.replace("{}", kind).leak() };
        let at = |rest: &str| -> &'static str { format!("$.context.{list}{rest}").leak() };
        let part = || json!({ "objectType": kind, (who.0): who.1, "relevantTypes": ["http://types/coach"] });
        let with = |property: &str, value: Value| {
            let mut part = part();
            part[property] = value;
            json!([part])
        };
        let without = |property: &str| {
            let mut part = part();
            part.as_object_mut().unwrap().remove(property);
            json!([part])
        };
        rows.extend([
            old("Data 2.4.6", words("a {} is unknown to 1.0.3")).refuses(
                pointer,
                json!([part()]),
                at(""),
            ),
            new("4.2.2.5", words("each {} stands in an array"))
                .takes(pointer, json!([]))
                .takes(pointer, json!([part(), part()]))
                .refuses(pointer, part(), at(""))
                .refuses(pointer, json!("coach"), at(""))
                .refuses(pointer, json!(["coach"]), at("[0]")),
            new("4.2.2.5", words("a {} says with objectType that it is one"))
                .refuses(pointer, without("objectType"), at("[0]"))
                .refuses(
                    pointer,
                    with("objectType", json!("Agent")),
                    at("[0].objectType"),
                )
                .refuses(
                    pointer,
                    with("objectType", json!(kind.to_lowercase())),
                    at("[0].objectType"),
                )
                .refuses(pointer, with("objectType", json!(1)), at("[0].objectType")),
            new(
                "4.2.2.5",
                words("a {} names who it is, in the property of that name"),
            )
            .refuses(pointer, without(who.0), at("[0]"))
            .refuses(
                pointer,
                with(wrong.0, wrong.1.clone()),
                at(&format!("[0].{}", wrong.0)),
            ),
            new(
                "4.2.2.5",
                words("who a {} names follows the rules of actors"),
            )
            .refuses(
                pointer,
                with(
                    who.0,
                    json!({ "objectType": if who.0 == "group" { "Group" } else { "Agent" } }),
                ),
                at(&format!("[0].{}", who.0)),
            )
            .refuses(
                pointer,
                with(who.0, json!("Ada")),
                at(&format!("[0].{}", who.0)),
            )
            .refuses(
                pointer,
                with(who.0, wrong.1.clone()),
                at(&match who.0 {
                    "agent" => "[0].agent.objectType".to_owned(),
                    _ => "[0].group".to_owned(),
                }),
            ),
            new(
                "4.2.2.5",
                words("the relevantTypes of a {} may be left out, but not be empty"),
            )
            .takes(pointer, without("relevantTypes"))
            .refuses(
                pointer,
                with("relevantTypes", json!([])),
                at("[0].relevantTypes"),
            )
            .refuses(
                pointer,
                with("relevantTypes", json!("http://types/coach")),
                at("[0].relevantTypes"),
            ),
            new(
                "4.2.2.5",
                words("the relevantTypes of a {} are IRIs with a scheme"),
            )
            .takes(
                pointer,
                with(
                    "relevantTypes",
                    json!(["http://types/coach", "urn:types:guest"]),
                ),
            )
            .refuses(
                pointer,
                with("relevantTypes", json!(["http://types/coach", "guest"])),
                at("[0].relevantTypes[1]"),
            )
            .refuses(
                pointer,
                with("relevantTypes", json!([1])),
                at("[0].relevantTypes[0]"),
            ),
            new("4.2.2.5", words("a {} has nothing else")).refuses(
                pointer,
                with("role", json!("coach")),
                at("[0].role"),
            ),
        ]);
    }
    rows
}
