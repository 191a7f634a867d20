//! Whom an upstream sees, clause by clause, and the laws that hold for every statement.

use std::collections::BTreeMap;

use lectern_xapi::Ifi;
use lectern_xapi::json::Json;
use proptest::prelude::*;
use ring::hmac;
use serde_json::{Value, json};

use super::{Identities, MAX_ROWS, Rewriting, Unlisted, new_key};
use crate::forward::read_identifier;

const KEY: &str = "0101010101010101010101010101010101010101010101010101010101010101";

fn read(text: &str) -> Ifi {
    read_identifier(text).unwrap()
}

fn map(rows: &[(&str, &str)], unlisted: Unlisted) -> Identities {
    let table = rows
        .iter()
        .map(|(from, to)| (read(from).key(), read(to)))
        .collect();
    Identities::Map { table, unlisted }
}

fn pseudonyms() -> Identities {
    Identities::Pseudonymise {
        home_page: "https://box.example".to_owned(),
    }
}

fn rewritten(identities: &Identities, statement: &Value) -> Result<Value, String> {
    let text = statement.to_string();
    let mut json = Json::read(&text, 64).unwrap();
    let rewriting = Rewriting::new(identities, Some(KEY)).unwrap();
    rewriting.apply(&mut json)?;
    Ok(serde_json::from_str(&json.print()).unwrap())
}

fn ada() -> Value {
    json!({ "objectType": "Agent", "name": "Ada L.", "account": { "homePage": "https://box.example", "name": "ada" } })
}

fn pseudonym(key: &str) -> String {
    let with = hmac::Key::new(hmac::HMAC_SHA256, &hex::decode(KEY).unwrap());
    hex::encode(hmac::sign(&with, key.as_bytes()))
}

/// A statement with `who` in every place there is, and how often that is.
fn everywhere(who: &Value) -> (Value, usize) {
    let group = json!({ "objectType": "Group", "name": "All", "member": [who, who] });
    let context = json!({
        "instructor": who,
        "team": group,
        "contextAgents": [{ "objectType": "contextAgent", "agent": who }],
        "contextGroups": [{ "objectType": "contextGroup", "group": group }],
        "contextActivities": { "parent": [{ "id": "http://a/ada" }] },
        "extensions": { "http://a/x": { "mbox": "mailto:not.an@agent" } },
    });
    let inner = json!({ "objectType": "SubStatement", "actor": who, "verb": { "id": "http://a/v" }, "object": who, "context": context });
    let outer = json!({ "actor": group, "verb": { "id": "http://a/v" }, "object": inner, "context": context });
    // Each context holds six; the inner statement two more, the outer one two.
    (outer, 6 + 6 + 2 + 2)
}

#[test]
fn everybody_is_reached_wherever_they_stand() {
    let (statement, count) = everywhere(&ada());
    let there = map(
        &[("https://box.example ada", "mailto:ada@uni.example")],
        Unlisted::HoldBack,
    );
    let sent = rewritten(&there, &statement).unwrap().to_string();
    assert_eq!(sent.matches("mailto:ada@uni.example").count(), count);
    assert_eq!(sent.matches("Ada L.").count(), count, "names stay");
    assert!(!sent.contains("\"account\""), "{sent}");
    let sent = rewritten(&pseudonyms(), &statement).unwrap().to_string();
    let hidden = pseudonym("account https://box.example ada");
    assert_eq!(sent.matches(&hidden).count(), count);
    for gone in ["Ada L.", "\"All\"", "\"name\":\"ada\""] {
        assert!(!sent.contains(gone), "{gone}: {sent}");
    }
    for stays in ["http://a/ada", "mailto:not.an@agent"] {
        assert!(sent.contains(stays), "{stays}: {sent}");
    }
}

#[test]
fn a_pseudonym_hides_each_kind_of_identifier() {
    let home = "https://box.example";
    for (who, home_page, key) in [
        (ada(), home, "account https://box.example ada"),
        (
            json!({ "account": { "homePage": "https://b.example", "name": "ada" } }),
            "https://b.example",
            "account https://b.example ada",
        ),
        (
            json!({ "mbox": "mailto:a@B.example" }),
            home,
            "mbox mailto:a@b.example",
        ),
        (
            json!({ "openid": "http://o/ada" }),
            home,
            "openid http://o/ada",
        ),
        (
            json!({ "mbox_sha1sum": "0123456789ABCDEF0123456789abcdef01234567" }),
            home,
            "sha1 0123456789abcdef0123456789abcdef01234567",
        ),
    ] {
        let sent = rewritten(&pseudonyms(), &json!({ "actor": who })).unwrap();
        let account = json!({ "homePage": home_page, "name": pseudonym(key) });
        assert_eq!(sent["actor"]["account"], account);
        for gone in ["mbox", "openid", "mbox_sha1sum", "name"] {
            assert!(sent["actor"].get(gone).is_none(), "{gone}: {sent}");
        }
    }
}

#[test]
fn who_has_no_row_is_held_back_or_kept_by_choice() {
    let (statement, _) = everywhere(&ada());
    let rows = [("https://box.example bob", "mailto:bob@uni.example")];
    let refused = rewritten(&map(&rows, Unlisted::HoldBack), &statement).unwrap_err();
    assert!(refused.contains("table of identities"), "{refused}");
    assert!(!refused.contains("ada"), "{refused}");
    assert_eq!(
        rewritten(&map(&rows, Unlisted::Keep), &statement).unwrap(),
        statement
    );
    // A single member is enough.
    let group = json!({ "actor": { "objectType": "Group", "member": [
        { "account": { "homePage": "https://box.example", "name": "bob" } }, ada()] } });
    assert!(rewritten(&map(&rows, Unlisted::HoldBack), &group).is_err());
}

#[test]
fn a_signed_statement_goes_as_it_is_or_not_at_all() {
    let signature = json!([{ "usageType": "http://adlnet.gov/expapi/attachments/signature" }]);
    let outer = json!({ "actor": ada(), "attachments": signature });
    let inner = json!({ "actor": ada(), "object": { "objectType": "SubStatement", "attachments": signature } });
    let rows = [("https://box.example ada", "mailto:ada@uni.example")];
    for signed in [outer, inner] {
        for identities in [pseudonyms(), map(&rows, Unlisted::Keep)] {
            assert!(
                rewritten(&identities, &signed)
                    .unwrap_err()
                    .contains("signed")
            );
        }
        assert_eq!(rewritten(&Identities::Keep, &signed).unwrap(), signed);
    }
}

#[test]
fn a_change_without_rows_keeps_the_table_and_one_must_be_there() {
    let rows = map(&[("mailto:a@a", "mailto:b@b")], Unlisted::HoldBack);
    let none = |unlisted| Identities::Map {
        table: BTreeMap::new(),
        unlisted,
    };
    let kept = none(Unlisted::Keep).entered(&rows).unwrap();
    assert_eq!(kept, map(&[("mailto:a@a", "mailto:b@b")], Unlisted::Keep));
    assert!(none(Unlisted::Keep).entered(&Identities::Keep).is_err());
    let many = (0..=MAX_ROWS).map(|n| (n.to_string(), read("mailto:b@b")));
    let many = Identities::Map {
        table: many.collect(),
        unlisted: Unlisted::Keep,
    };
    assert!(many.entered(&Identities::Keep).is_err());
}

#[test]
fn pseudonyms_need_their_key() {
    assert!(Rewriting::new(&pseudonyms(), None).is_err());
    assert!(Rewriting::new(&pseudonyms(), Some("00")).is_err());
    assert!(Rewriting::new(&pseudonyms(), Some(&new_key())).is_ok());
    assert_ne!(new_key(), new_key());
}

fn agent() -> impl Strategy<Value = Value> {
    let name = prop::option::of("[A-Za-z ]{1,8}");
    let who = prop_oneof![
        "[a-d]".prop_map(
            |name| json!({ "account": { "homePage": "https://box.example", "name": name } })
        ),
        "[a-d]".prop_map(|name| json!({ "mbox": format!("mailto:{name}@a.example") })),
        "[a-d]".prop_map(|name| json!({ "openid": format!("https://o.example/{name}") })),
        "[0-9a-f]{40}".prop_map(|sum| json!({ "mbox_sha1sum": sum })),
    ];
    (name, who).prop_map(|(name, mut who)| {
        if let Some(name) = name {
            who["name"] = json!(name);
        }
        who
    })
}

fn actor() -> impl Strategy<Value = Value> {
    prop_oneof![
        agent(),
        (
            prop::option::of(agent()),
            prop::collection::vec(agent(), 1..4)
        )
            .prop_map(|(identity, members)| {
                let mut group = identity.unwrap_or_else(|| json!({}));
                group["objectType"] = json!("Group");
                group["member"] = json!(members);
                group
            }),
    ]
}

fn flat() -> impl Strategy<Value = Value> {
    let flat = (
        actor(),
        actor(),
        prop::option::of(actor()),
        prop::collection::vec(agent(), 0..3),
    );
    flat.prop_map(|(actor, mut object, team, agents)| {
        if object.get("objectType").is_none() {
            object["objectType"] = json!("Agent");
        }
        let agents: Vec<_> = agents.iter().map(|agent| json!({ "agent": agent })).collect();
        let mut context = json!({ "contextAgents": agents, "registration": "r", "extensions": { "http://a/e": 1.50 } });
        if let Some(team) = team {
            context["team"] = team;
        }
        json!({ "actor": actor, "verb": { "id": "http://a/v" }, "object": object, "context": context, "result": { "score": { "scaled": 0.1 } } })
    })
}

fn statement() -> impl Strategy<Value = Value> {
    (flat(), prop::option::of(flat())).prop_map(|(mut outer, inner)| {
        if let Some(mut inner) = inner {
            inner["objectType"] = json!("SubStatement");
            outer["object"] = inner;
        }
        outer
    })
}

/// The statement without whom it names.
fn without_people(statement: &Value) -> Value {
    const OF_AGENTS: [&str; 5] = ["name", "mbox", "mbox_sha1sum", "openid", "account"];
    match statement {
        Value::Object(entries) => entries
            .iter()
            .filter(|(key, _)| !OF_AGENTS.contains(&key.as_str()))
            .map(|(key, value)| (key.clone(), without_people(value)))
            .collect(),
        Value::Array(items) => items.iter().map(without_people).collect(),
        other => other.clone(),
    }
}

proptest! {
    #[test]
    fn nothing_but_people_changes_and_a_second_look_finds_the_same(statement in statement()) {
        let rows = [
            ("https://box.example a", "mailto:a@uni.example"),
            ("https://box.example b", "https://uni.example 17"),
            ("mailto:c@a.example", "https://uni.example 18"),
            ("https://o.example/d", "https://o.example/there"),
        ];
        for identities in [map(&rows, Unlisted::Keep), pseudonyms()] {
            let sent = rewritten(&identities, &statement).unwrap();
            prop_assert_eq!(without_people(&sent), without_people(&statement));
            // What is compared after a 409 is what was sent.
            prop_assert_eq!(&sent, &rewritten(&identities, &statement).unwrap());
        }
        // Where nobody there is somebody here, mapping twice is mapping once.
        let once = rewritten(&map(&rows, Unlisted::Keep), &statement).unwrap();
        prop_assert_eq!(&once, &rewritten(&map(&rows, Unlisted::Keep), &once).unwrap());
    }

    #[test]
    fn a_pseudonym_gives_nobody_away_and_keeps_people_apart(statement in statement()) {
        let sent = rewritten(&pseudonyms(), &statement).unwrap().to_string();
        for gone in ["mailto:", "https://o.example", "mbox", "openid"] {
            prop_assert!(!sent.contains(gone), "{}: {}", gone, sent);
        }
    }
}
