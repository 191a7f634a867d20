//! Activities, Agents and About (Comm 2.4, 2.5, 2.8).

use lectern_lrs::Scope;
use serde_json::json;

use crate::ask::{ask, get, post};
use crate::row::{Row, both, new, old};
use crate::world::{VERSION, text};

pub fn rows() -> Vec<Row> {
    vec![
        activities("an Activity is given with all that statements say of it").proven(|w| {
            Box::pin(async move {
                let definition = json!({
                    "name": { "en": "Book" }, "description": { "en": "To be read" }, "type": "http://types/book",
                    "moreInfo": "http://more", "extensions": { "http://e/1": null },
                });
                w.keep(&w.statement_with("object", json!({ "id": w.iri("book"), "definition": definition }))).await;
                let known = w.send(get("activities").with("activityId", w.iri("book"))).await.expect(200);
                assert_eq!(known.header("content-type"), "application/json");
                assert_eq!(known.json(), json!({ "objectType": "Activity", "id": w.iri("book"), "definition": definition }));
            })
        }),
        activities("what several statements say of an Activity adds up, language by language").proven(|w| {
            Box::pin(async move {
                for name in [json!({ "en": "Book" }), json!({ "de": "Buch" }), json!({ "fr": "Livre", "en": "The Book" })] {
                    w.keep(&w.statement_with("object", json!({ "id": w.iri("book"), "definition": { "name": name } }))).await;
                }
                let known = w.send(get("activities").with("activityId", w.iri("book"))).await.expect(200).json();
                assert_eq!(known["definition"]["name"], json!({ "en": "The Book", "de": "Buch", "fr": "Livre" }));
            })
        }),
        activities("an Activity never heard of is given with its id alone").proven(|w| {
            Box::pin(async move {
                let known = w.send(get("activities").with("activityId", w.iri("unheard"))).await.expect(200).json();
                assert_eq!(known["id"], json!(w.iri("unheard")));
                assert!(known.get("definition").is_none());
            })
        }),
        activities("activityId must be given, and be an IRI with a scheme")
            .names(get("activities"), 400, "activityId")
            .names(get("activities").with("activityId", "book"), 400, "activityId")
            .names(get("activities").with("activityId", ""), 400, "activityId")
            .answers(get("activities").with("activityId", "act:book"), 200),
        both("Comm 3.2", "suite Communication3.2", "the Activities resource takes no other parameter, nor its own in another case")
            .names(get("activities").with("ActivityId", "http://a/b"), 400, "ActivityId")
            .answers(get("activities").with("activityId", "http://a/b").with("foo", "bar"), 400),
        activities("the Activities resource is for reading").answers(ask("DELETE", "activities").with("activityId", "http://a/b"), 405),
        both("Data 2.4.4.1", "4.1.6.4", "only a credential that may define changes what is known of an Activity").proven(|w| {
            Box::pin(async move {
                let writer = w.credential(&[Scope::StatementsWrite]);
                let sent = w.statement_with("object", json!({ "id": w.iri("book"), "definition": { "name": { "en": "Spam" } } }));
                w.send(post("statements").json(&sent).header("authorization", &writer)).await.expect(200);
                let known = w.send(get("activities").with("activityId", w.iri("book"))).await.expect(200).json();
                assert!(known.get("definition").is_none(), "{known}");
            })
        }),
        agents("a Person has the asked identifier and every name that came with it, each in an array").proven(|w| {
            Box::pin(async move {
                let mut ada = w.agent("ada");
                for name in ["Ada Byron", "Ada Lovelace"] {
                    ada["name"] = json!(name);
                    w.keep(&w.statement_with("actor", ada.clone())).await;
                }
                let answer = w.send(get("agents").with("agent", text(&w.agent("ada")))).await.expect(200);
                let person = answer.json();
                assert_eq!(answer.header("content-type"), "application/json");
                assert_eq!(person["objectType"], json!("Person"));
                assert_eq!(person["mbox"], json!([ada["mbox"]]));
                let mut names: Vec<_> = person["name"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
                names.sort_unstable();
                assert_eq!(names, ["Ada Byron", "Ada Lovelace"]);
            })
        }),
        agents("a Person is told by each of the four identifiers").proven(|w| {
            Box::pin(async move {
                for (kind, value) in [
                    ("mbox", json!("mailto:four@example.com")),
                    ("mbox_sha1sum", json!("da39a3ee5e6b4b0d3255bfef95601890afd80709")),
                    ("openid", json!("http://openid/four")),
                    ("account", json!({ "homePage": "http://home", "name": "four" })),
                ] {
                    let person = w.send(get("agents").with("agent", json!({ kind: value }))).await.expect(200).json();
                    assert_eq!(person[kind], json!([value]));
                    assert_eq!(person["objectType"], json!("Person"));
                }
            })
        }),
        agents("an Agent never heard of is a Person all the same").proven(|w| {
            Box::pin(async move {
                let person = w.send(get("agents").with("agent", text(&w.agent("unheard")))).await.expect(200).json();
                assert_eq!(person, json!({ "objectType": "Person", "mbox": [w.agent("unheard")["mbox"]] }));
            })
        }),
        agents("agent must be given, and be a valid Agent")
            .names(get("agents"), 400, "agent")
            .names(get("agents").with("agent", "ada"), 400, "agent")
            .names(get("agents").with("agent", "{}"), 400, "agent")
            .names(get("agents").with("agent", "{\"mbox\":\"ada@example.com\"}"), 400, "agent.mbox")
            .names(get("agents").with("agent", "{\"objectType\":\"Group\",\"member\":[]}"), 400, "agent")
            .answers(get("agents").with("agent", "{\"mbox\":\"mailto:ada@example.com\"}"), 200),
        both("Comm 3.2", "suite Communication3.2", "the Agents resource takes no other parameter, nor its own in another case")
            .names(get("agents").with("Agent", "{\"mbox\":\"mailto:a@a\"}"), 400, "Agent")
            .answers(get("agents").with("agent", "{\"mbox\":\"mailto:a@a\"}").with("foo", "bar"), 400),
        agents("the Agents resource is for reading").answers(ask("DELETE", "agents").with("agent", "{\"mbox\":\"mailto:a@a\"}"), 405),
        about("About tells the versions in an array of strings").proven(|w| {
            Box::pin(async move {
                let answer = w.send(get("about")).await.expect(200);
                assert_eq!(answer.header("content-type"), "application/json");
                let about = answer.json();
                let versions = about["version"].as_array().unwrap();
                assert!(versions.iter().all(serde_json::Value::is_string));
                assert!(versions.contains(&json!(w.version.header())), "{about}");
            })
        }),
        old("Comm 2.8", "About names 1.0.3 among its versions").names(get("about"), 200, "\"1.0.3\""),
        new("4.1.6.7", "About names 2.0.0 among its versions").names(get("about"), 200, "\"2.0.0\""),
        about("About has nothing besides version and extensions, whose keys are IRIs").proven(|w| {
            Box::pin(async move {
                let about = w.send(get("about")).await.expect(200).json();
                let keys: Vec<_> = about.as_object().unwrap().keys().collect();
                assert!(keys.iter().all(|key| ["version", "extensions"].contains(&key.as_str())), "{keys:?}");
                let extensions = about["extensions"].as_object().unwrap();
                assert!(extensions.keys().all(|key| lectern_xapi::is_iri(key)));
            })
        }),
        about("About answers without a version header, and whatever version it names")
            .answers(get("about").without(VERSION), 200)
            .proven(|w| {
                Box::pin(async move {
                    w.send(get("about").header(VERSION, "0.95")).await.expect(200);
                    w.send(get("about").header(VERSION, "99.0")).await.expect(200);
                })
            }),
        about("About answers to whoever asks, without a credential").answers(get("about").without("authorization"), 200),
        about("About is for reading").answers(ask("DELETE", "about"), 405),
    ]
}

fn activities(rule: &'static str) -> Row {
    both("Comm 2.5", "4.1.6.4", rule)
}

fn agents(rule: &'static str) -> Row {
    both("Comm 2.4", "4.1.6.3", rule)
}

fn about(rule: &'static str) -> Row {
    both("Comm 2.8", "4.1.6.7", rule)
}
