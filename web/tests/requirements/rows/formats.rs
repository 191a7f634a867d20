//! In which form statements are given back: exact, ids, canonical, and in which language (Comm 2.1.3).

use serde_json::{Value, json};

use crate::ask::get;
use crate::row::{Base, Row, both};
use crate::statements::base;
use crate::world::{World, id};

pub fn rows() -> Vec<Row> {
    vec![
        rule("format is exact, ids or canonical")
            .names(get("statements").with("format", "exactly"), 400, "format")
            .names(get("statements").with("format", "IDs"), 400, "format")
            .names(get("statements").with("format", ""), 400, "format")
            .answers(get("statements").with("format", "exact").with("limit", 1), 200)
            .answers(get("statements").with("format", "ids").with("limit", 1), 200)
            .answers(get("statements").with("format", "canonical").with("limit", 1), 200),
        rule("exact is what there is without format: everything as it came").proven(|w| {
            Box::pin(async move {
                let sent = rich(w);
                let id = w.keep(&sent).await;
                let exact = form(w, &id, "exact").await;
                assert_eq!(exact, w.one(&id).await);
                for property in ["actor", "verb", "object", "context", "attachments"] {
                    assert_eq!(exact[property], sent[property], "{property}");
                }
            })
        }),
        rule("exact has every language, whatever the reader prefers").proven(|w| {
            Box::pin(async move {
                let sent = rich(w);
                let ask = get("statements").with("statementId", w.keep(&sent).await).with("format", "exact");
                let answer = w.send(ask.header("accept-language", "de")).await.expect(200);
                assert_eq!(answer.json()["verb"], sent["verb"]);
            })
        }),
        rule("exact keeps numbers as they were written").proven(|w| {
            Box::pin(async move {
                let sent = w.statement_with("result", json!({ "score": { "raw": 1 } })).to_string().replace("\"raw\":1", "\"raw\":1.500");
                let ask = crate::ask::post("statements").body("application/json", sent);
                let id = w.send(ask).await.expect(200).json()[0].as_str().unwrap().to_owned();
                let text = w.send(get("statements").with("statementId", id)).await.text();
                assert!(text.contains("\"raw\":1.500"), "{text}");
            })
        }),
        rule("ids leaves of a verb its id").proven(|w| {
            Box::pin(async move {
                let ids = form(w, &w.keep(&rich(w)).await, "ids").await;
                assert_eq!(ids["verb"], json!({ "id": w.iri("did") }));
            })
        }),
        rule("ids leaves of an Activity its id, in the object and in the context").proven(|w| {
            Box::pin(async move {
                let ids = form(w, &w.keep(&rich(w)).await, "ids").await;
                assert_eq!(ids["object"], json!({ "id": w.iri("thing") }));
                assert_eq!(ids["context"]["contextActivities"]["parent"], json!([{ "id": w.iri("shelf") }]));
            })
        }),
        rule("ids leaves of an Agent its identifier").proven(|w| {
            Box::pin(async move {
                let mut sent = rich(w);
                sent["actor"] = json!({ "name": "Ada", "mbox": "mailto:ada@example.com" });
                let ids = form(w, &w.keep(&sent).await, "ids").await;
                assert_eq!(ids["actor"]["mbox"], json!("mailto:ada@example.com"));
                assert!(ids["actor"].get("name").is_none(), "{ids}");
            })
        }),
        rule("ids leaves of an identified Group its identifier and that it is one").proven(|w| {
            Box::pin(async move {
                let group = json!({ "objectType": "Group", "name": "class", "mbox": "mailto:class@example.com", "member": [w.agent("a")] });
                let ids = form(w, &w.keep(&w.statement_with("actor", group)).await, "ids").await;
                assert_eq!(ids["actor"], json!({ "objectType": "Group", "mbox": "mailto:class@example.com" }));
            })
        }),
        rule("ids leaves of an anonymous Group the identifiers of its members").proven(|w| {
            Box::pin(async move {
                let group = json!({ "objectType": "Group", "name": "class", "member": [{ "name": "A", "mbox": "mailto:a@example.com" }] });
                let ids = form(w, &w.keep(&w.statement_with("actor", group)).await, "ids").await;
                assert_eq!(ids["actor"]["objectType"], json!("Group"));
                assert!(ids["actor"].get("name").is_none());
                assert_eq!(ids["actor"]["member"][0]["mbox"], json!("mailto:a@example.com"));
                assert!(ids["actor"]["member"][0].get("name").is_none());
            })
        }),
        rule("ids leaves out everything that does not identify inside a SubStatement, too").proven(|w| {
            Box::pin(async move {
                let mut inner = rich(w);
                inner.as_object_mut().unwrap().remove("id");
                inner["objectType"] = json!("SubStatement");
                let ids = form(w, &w.keep(&w.statement_with("object", inner)).await, "ids").await;
                assert_eq!(ids["object"]["verb"], json!({ "id": w.iri("did") }));
                assert_eq!(ids["object"]["object"], json!({ "id": w.iri("thing") }));
            })
        }),
        rule("canonical has one language in each map of words").proven(|w| {
            Box::pin(async move {
                let canonical = form(w, &w.keep(&rich(w)).await, "canonical").await;
                for pointer in ["/verb/display", "/object/definition/name", "/object/definition/choices/0/description"] {
                    let map = canonical.pointer(pointer).unwrap().as_object().unwrap();
                    assert_eq!(map.len(), 1, "{pointer}: {canonical}");
                }
            })
        }),
        both("Comm 2.1.3", "4.1.6.1", "canonical has the language that Accept-Language prefers, for each map by itself").proven(|w| {
            Box::pin(async move {
                let id = w.keep(&rich(w)).await;
                for (preferred, verb, name) in [
                    ("de", "de", "de"),
                    ("de;q=0.1, en", "en", "en"),
                    ("fr, de;q=0.5, en;q=0.4", "fr", "de"),
                    ("en-GB;q=0.9, *;q=0.1", "en", "en"),
                ] {
                    let ask = get("statements").with("statementId", &id).with("format", "canonical");
                    let canonical = w.send(ask.header("accept-language", preferred)).await.expect(200).json();
                    let only = |pointer: &str| canonical.pointer(pointer).unwrap().as_object().unwrap().keys().next().unwrap().clone();
                    assert_eq!((only("/verb/display").as_str(), only("/object/definition/name").as_str()), (verb, name), "{preferred}");
                }
            })
        }),
        rule("canonical has something when no language is one that the reader knows").proven(|w| {
            Box::pin(async move {
                let ask = get("statements").with("statementId", w.keep(&rich(w)).await).with("format", "canonical");
                let canonical = w.send(ask.header("accept-language", "sw")).await.expect(200).json();
                assert_eq!(canonical["verb"]["display"].as_object().unwrap().len(), 1);
            })
        }),
        rule("canonical has what is known of an Activity from all statements, not only from this one").proven(|w| {
            Box::pin(async move {
                let bare = w.keep(&w.statement()).await;
                w.keep(&rich(w)).await;
                let canonical = form(w, &bare, "canonical").await;
                assert_eq!(canonical["object"]["definition"]["type"], json!("http://types/book"));
                assert!(w.one(&bare).await["object"].get("definition").is_none());
            })
        }),
        rule("canonical leaves Agents and Groups as they came").proven(|w| {
            Box::pin(async move {
                let sent = rich(w);
                let canonical = form(w, &w.keep(&sent).await, "canonical").await;
                assert_eq!(canonical["actor"], sent["actor"]);
                assert_eq!(canonical["context"]["team"], sent["context"]["team"]);
            })
        }),
        rule("many statements come in the form that was asked for, as one does").proven(|w| {
            Box::pin(async move {
                w.keep(&rich(w)).await;
                let ids = w.many(&[("verb", &w.iri("did")), ("format", "ids")]).await;
                assert_eq!(ids["statements"][0]["object"], json!({ "id": w.iri("thing") }));
                let canonical = w.many(&[("verb", &w.iri("did")), ("format", "canonical")]).await;
                assert_eq!(canonical["statements"][0]["verb"]["display"].as_object().unwrap().len(), 1);
            })
        }),
    ]
}

fn rule(rule: &'static str) -> Row {
    both("Comm 2.1.3", "4.1.6.1", rule)
}

/// A full statement in several languages, of this row's own.
fn rich(w: &World) -> Value {
    let mut rich = base(Base::Full);
    let own = w.statement();
    rich["id"] = own["id"].clone();
    rich["verb"] =
        json!({ "id": w.iri("did"), "display": { "de": "las", "en": "read", "fr": "lut" } });
    rich["object"]["id"] = json!(w.iri("thing"));
    rich["object"]["definition"]["name"] = json!({ "de": "Buch", "en": "Book" });
    rich["object"]["definition"]["choices"][0]["description"] =
        json!({ "de": "Ein A", "en": "An A" });
    rich["context"]["contextActivities"]["parent"] =
        json!([{ "id": w.iri("shelf"), "definition": { "name": { "en": "Shelf" } } }]);
    assert_eq!(id(&rich), id(&own));
    rich
}

async fn form(w: &World, id: &str, format: &str) -> Value {
    let ask = get("statements")
        .with("statementId", id)
        .with("format", format);
    w.send(ask).await.expect(200).json()
}
