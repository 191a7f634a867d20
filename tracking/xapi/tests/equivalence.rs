//! When two statements are one (Data 2.3.1), over statements at random.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod common;

use common::{objects, print_otherwise, put, statement};
use lectern_xapi::{Limits, Version, equivalent, parse_statement};
use proptest::prelude::*;
use serde_json::{Value, json};

fn parse(text: &str) -> Result<(), String> {
    parse_statement(text.as_bytes(), Version::V2_0_0, Limits::DEFAULT)
        .map(drop)
        .map_err(|invalid| format!("{invalid}: {text}"))
}

/// What an LRS or a sender may change without saying anything else, each chosen by a bit of `which`.
fn said_otherwise(statement: &Value, which: u16) -> Value {
    let mut other = statement.clone();
    let is = |bit: u16| which & (1 << bit) != 0;
    if is(0) {
        put(&mut other, "stored", Some(json!("2020-01-01T00:00:00Z")));
        put(
            &mut other,
            "authority",
            Some(json!({"mbox": "mailto:lrs@example.org"})),
        );
    }
    if is(1) {
        put(&mut other, "version", Some(json!("2.0.0")));
    }
    if is(2) {
        other.as_object_mut().unwrap().remove("id");
    }
    // Given by the LRS to one of the two, or in another zone.
    match other.get("timestamp").is_some() {
        true if is(3) => drop(other.as_object_mut().unwrap().remove("timestamp")),
        true if is(4) && other["timestamp"] == "2026-11-26T12:30:00.5Z" => {
            other["timestamp"] = json!("2026-11-26T14:30:00.500+02:00");
        }
        false if is(3) => put(&mut other, "timestamp", Some(json!("2026-01-01T00:00:00Z"))),
        _ => {}
    }
    objects(&mut other, &mut |object| {
        if is(7)
            && let Some(Value::String(mail)) = object.get_mut("mbox")
        {
            *mail = mail.replace("@example.org", "@EXAMPLE.org");
        }
        if is(8)
            && let Some(Value::String(sum)) = object.get_mut("mbox_sha1sum")
        {
            *sum = sum.to_uppercase();
        }
        if is(9)
            && let Some(Value::Array(members)) = object.get_mut("member")
        {
            members.reverse();
        }
        if is(10)
            && let Some(Value::Object(lists)) = object.get_mut("contextActivities")
        {
            for list in lists.values_mut() {
                if list.as_array().is_some_and(|list| list.len() == 1) {
                    *list = list[0].clone();
                }
            }
        }
        if is(11) {
            if let Some(Value::Object(verb)) = object.get_mut("verb") {
                verb.insert("display".to_owned(), json!({"en": "did"}));
            }
            if let Some(activity) = object.get_mut("object")
                && matches!(activity["objectType"].as_str(), None | Some("Activity"))
            {
                put(
                    activity,
                    "definition",
                    Some(json!({"name": {"en": "something"}})),
                );
            }
        }
    });
    if is(12)
        && let Some(result) = other.get_mut("result")
        && result.get("duration") == Some(&json!("PT1.23S"))
    {
        result["duration"] = json!("PT1.2399S");
    }
    if is(13)
        && let Some(Value::Array(attachments)) = other.get_mut("attachments")
    {
        for attachment in attachments {
            let sha2 = attachment["sha2"].as_str().unwrap().to_uppercase();
            attachment["sha2"] = json!(sha2);
        }
    }
    if is(14)
        && let Some(Value::Object(actor)) = other.get_mut("actor")
        && !actor.contains_key("member")
    {
        actor.insert("objectType".to_owned(), json!("Agent"));
    }
    other
}

/// One change that says something else; `None` where this statement has no such place.
fn changed(statement: &Value, how: usize) -> Option<Value> {
    let mut other = statement.clone();
    match how {
        0 => other["verb"]["id"] = json!("https://other.example/verb"),
        1 => other["actor"] = json!({"mbox": "mailto:somebody.else@example.net"}),
        2 => other["object"] = json!({"id": "https://other.example/object"}),
        3 => {
            let result = other.get("result").cloned().unwrap_or_else(|| json!({}));
            other["result"] = result;
            other["result"]["response"] = json!("something that nobody says by chance");
        }
        4 => drop(other.as_object_mut()?.remove("result")?),
        5 => drop(other.as_object_mut()?.remove("context")?),
        6 => drop(other.as_object_mut()?.remove("attachments")?),
        7 => {
            let result = other.get_mut("result")?;
            result["completion"] = json!(false);
        }
        8 => {
            let extensions = other.get_mut("result")?.get_mut("extensions")?;
            let (_, value) = extensions.as_object_mut()?.iter_mut().next()?;
            *value = json!({"was": value.clone()});
        }
        9 => {
            // A number is not the words for it.
            let extensions = other.get_mut("result")?.get_mut("extensions")?;
            let (_, value) = extensions.as_object_mut()?.iter_mut().next()?;
            *value = match value {
                Value::Number(number) => json!(format!("number {:?}", number.as_f64()?)),
                Value::String(text) if text == "number 1.0" => json!(1),
                _ => return None,
            };
        }
        10 => {
            other.get("timestamp")?;
            other["timestamp"] = json!("2026-11-26T12:30:00.501Z");
        }
        11 => other["context"]["registration"] = json!("00000000-0000-4000-8000-000000000001"),
        12 => {
            let members = other["actor"].get_mut("member")?.as_array_mut()?;
            members.push(json!({"mbox": "mailto:one.more@example.net"}));
        }
        _ => {
            // An extension's list has an order.
            let extensions = other.get_mut("result")?.get_mut("extensions")?;
            let (_, value) = extensions.as_object_mut()?.iter_mut().next()?;
            let list = value.as_array_mut()?;
            let (first, last) = (list.first()?.clone(), list.last()?.clone());
            if first == last {
                return None;
            }
            list.reverse();
        }
    }
    Some(other)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn every_statement_of_the_generator_is_one(statement in statement()) {
        let text = statement.to_string();
        prop_assert_eq!(parse(&text), Ok(()));
    }

    #[test]
    fn what_is_only_said_otherwise_is_the_same(statement in statement(), which in any::<u16>(), more in any::<u16>(), turn in 0usize..5) {
        let one = statement.to_string();
        let other = said_otherwise(&statement, which);
        // Who lacks a time is the same as whoever has one; two that have another are not.
        let third = said_otherwise(&other, more & !(1 << 3));
        let texts = [one, print_otherwise(&other, turn), third.to_string()];
        for a in &texts {
            prop_assert_eq!(parse(a), Ok(()));
            for b in &texts {
                prop_assert!(equivalent(a, b), "{}\n{}", a, b);
            }
        }
    }

    #[test]
    fn what_says_something_else_is_another(statement in statement(), which in any::<u16>(), how in 0usize..14) {
        if let Some(other) = changed(&statement, how) {
            let (one, other) = (statement.to_string(), other.to_string());
            if one != other {
                prop_assert!(!equivalent(&one, &other), "change {}: {}\n{}", how, one, other);
                // Also beside what makes no difference.
                let otherwise = said_otherwise(&statement, which & !(1 << 3)).to_string();
                prop_assert!(!equivalent(&otherwise, &other), "change {}: {}\n{}", how, otherwise, other);
                prop_assert!(!equivalent(&other, &otherwise));
            }
        }
    }
}
