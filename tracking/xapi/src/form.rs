//! The forms in which statements are served (Comm 2.1.3, `format`): exact, ids, canonical. They are made from the text
//! as received, so that nothing a sender wrote is lost on the way through our types.

use crate::equivalence::as_array;
use crate::json::{Json, Kind};
pub use crate::languages::Languages;

/// What the LRS itself knows of a statement.
#[derive(Debug, Clone, Copy)]
pub struct Kept<'a> {
    /// The id it was stored under.
    pub id: &'a str,
    /// When it was stored.
    pub stored: &'a str,
    /// Who vouches for it, as JSON.
    pub authority: &'a Json<'a>,
    /// The version it gets when it names none.
    pub version: &'a str,
}

/// As received, with what the LRS sets (Data 2.4.1, 2.4.7–2.4.10) and context Activities in arrays (Data 2.4.6.2).
pub fn exact<'a>(statement: &mut Json<'a>, kept: &Kept<'a>) {
    statement.set("id", Json::string(kept.id));
    if statement.get("timestamp").is_none() {
        statement.set("timestamp", Json::string(kept.stored));
    }
    statement.set("stored", Json::string(kept.stored));
    statement.set("authority", kept.authority.clone());
    if statement.get("version").is_none() {
        statement.set("version", Json::string(kept.version));
    }
    with_arrays(statement);
}

/// Context Activities as arrays, in the statement and its SubStatement.
pub fn with_arrays(statement: &mut Json<'_>) {
    if let Some(lists) = statement
        .get_mut("context")
        .and_then(|context| context.get_mut("contextActivities"))
        && let Kind::Object(lists) = &mut lists.kind
    {
        lists.iter_mut().for_each(|(_, list)| as_array(list));
    }
    if let Some(object) = statement.get_mut("object")
        && object.get("objectType").and_then(Json::as_str) == Some("SubStatement")
    {
        with_arrays(object);
    }
}

/// Only what identifies: Agents and Groups, Activities, Verbs.
pub fn ids(statement: &mut Json<'_>) {
    visit(statement, &mut |part, value| match part {
        Part::Verb => keep(value, &["id"]),
        Part::Activity => keep(value, &["id"]),
        Part::Actor => identify(value),
    });
}

/// One language in each map, Activities with their merged definition (`definition`, by Activity id). Agents and
/// Groups stay as received.
pub fn canonical<'a>(
    statement: &mut Json<'a>,
    languages: &Languages,
    definition: &dyn Fn(&str) -> Option<Json<'a>>,
) {
    visit(statement, &mut |part, value| match part {
        Part::Verb => pick(value, "display", languages),
        Part::Activity => {
            if let Some(merged) = value.get("id").and_then(Json::as_str).and_then(definition) {
                value.set("definition", merged);
            }
            if let Some(about) = value.get_mut("definition") {
                pick_definition(about, languages);
            }
        }
        Part::Actor => {}
    });
    pick_attachments(statement, languages);
    if let Some(object) = statement.get_mut("object") {
        pick_attachments(object, languages);
    }
}

/// Merges what another statement says of the same Activity into what is known of it: newer words win, languages add
/// up (Data 2.4.4.1; Comm 2.5). Says whether anything changed.
pub fn merge_definition<'a>(known: &mut Json<'a>, newer: &Json<'a>) -> bool {
    let (Kind::Object(_), Kind::Object(entries)) = (&known.kind, &newer.kind) else {
        return false;
    };
    let mut changed = false;
    for (key, value) in entries {
        match known.get_mut(key) {
            Some(old) if key == "name" || key == "description" || key == "extensions" => {
                changed |= merge_map(old, value);
            }
            Some(old) => {
                if old.print() != value.print() {
                    *old = value.clone();
                    changed = true;
                }
            }
            None => {
                if let Kind::Object(known) = &mut known.kind {
                    known.push((key.clone(), value.clone()));
                    changed = true;
                }
            }
        }
    }
    changed
}

fn merge_map<'a>(known: &mut Json<'a>, newer: &Json<'a>) -> bool {
    let Kind::Object(entries) = &newer.kind else {
        return false;
    };
    let mut changed = false;
    for (key, value) in entries {
        if let Some(old) = known.get_mut(key) {
            if old.print() != value.print() {
                *old = value.clone();
                changed = true;
            }
        } else if let Kind::Object(known) = &mut known.kind {
            known.push((key.clone(), value.clone()));
            changed = true;
        }
    }
    changed
}

/// Picks one language in each language map of a definition.
pub fn pick_definition(definition: &mut Json<'_>, languages: &Languages) {
    pick(definition, "name", languages);
    pick(definition, "description", languages);
    for list in ["choices", "scale", "source", "target", "steps"] {
        if let Some(Kind::Array(components)) = definition.get_mut(list).map(|list| &mut list.kind) {
            for component in components {
                pick(component, "description", languages);
            }
        }
    }
}

fn pick_attachments(of: &mut Json<'_>, languages: &Languages) {
    if let Some(Kind::Array(attachments)) = of.get_mut("attachments").map(|list| &mut list.kind) {
        for attachment in attachments {
            pick(attachment, "display", languages);
            pick(attachment, "description", languages);
        }
    }
}

fn pick(of: &mut Json<'_>, property: &str, languages: &Languages) {
    if let Some(Kind::Object(entries)) = of.get_mut(property).map(|map| &mut map.kind) {
        let offered: Vec<&str> = entries.iter().map(|(tag, _)| tag.as_ref()).collect();
        if let Some(chosen) = languages.choose(&offered).map(str::to_owned) {
            entries.retain(|(tag, _)| *tag == chosen);
        }
    }
}

/// Calls `f` for every Agent and Group of a statement and its SubStatement, in whichever part; not for the members of a
/// Group, which are in it.
pub fn actors<'a>(statement: &mut Json<'a>, f: &mut dyn FnMut(&mut Json<'a>)) {
    visit(statement, &mut |part, value| {
        if matches!(part, Part::Actor) {
            f(value);
        }
    });
}

enum Part {
    Verb,
    Activity,
    Actor,
}

/// Calls `f` for every Verb, Activity, Agent and Group of a statement and its SubStatement.
fn visit<'a>(statement: &mut Json<'a>, f: &mut dyn FnMut(Part, &mut Json<'a>)) {
    for (property, part) in [
        ("verb", Part::Verb),
        ("actor", Part::Actor),
        ("authority", Part::Actor),
    ] {
        if let Some(value) = statement.get_mut(property) {
            f(part, value);
        }
    }
    if let Some(object) = statement.get_mut("object") {
        match object.get("objectType").and_then(Json::as_str) {
            None | Some("Activity") => f(Part::Activity, object),
            Some("Agent" | "Group") => f(Part::Actor, object),
            Some("SubStatement") => visit(object, f),
            _ => {}
        }
    }
    let Some(context) = statement.get_mut("context") else {
        return;
    };
    for property in ["instructor", "team"] {
        if let Some(value) = context.get_mut(property) {
            f(Part::Actor, value);
        }
    }
    for (list, property) in [("contextAgents", "agent"), ("contextGroups", "group")] {
        if let Some(Kind::Array(parts)) = context.get_mut(list).map(|list| &mut list.kind) {
            for value in parts.iter_mut().filter_map(|part| part.get_mut(property)) {
                f(Part::Actor, value);
            }
        }
    }
    if let Some(Kind::Object(lists)) = context
        .get_mut("contextActivities")
        .map(|lists| &mut lists.kind)
    {
        for (_, list) in lists {
            if let Kind::Array(activities) = &mut list.kind {
                activities
                    .iter_mut()
                    .for_each(|activity| f(Part::Activity, activity));
            }
        }
    }
}

fn keep(value: &mut Json<'_>, properties: &[&str]) {
    if let Kind::Object(entries) = &mut value.kind {
        entries.retain(|(key, _)| properties.contains(&key.as_ref()));
    }
}

const IDENTIFIERS: [&str; 5] = ["objectType", "mbox", "mbox_sha1sum", "openid", "account"];

fn identify(actor: &mut Json<'_>) {
    let identified = IDENTIFIERS[1..]
        .iter()
        .any(|property| actor.get(property).is_some());
    if identified {
        keep(actor, &IDENTIFIERS);
        return;
    }
    keep(actor, &["objectType", "member"]);
    if let Some(Kind::Array(members)) = actor.get_mut("member").map(|members| &mut members.kind) {
        members.iter_mut().for_each(identify);
    }
}

#[cfg(test)]
mod tests {
    use super::{Kept, Languages, canonical, exact, ids, merge_definition};
    use crate::json::Json;

    fn json(text: &str) -> Json<'_> {
        Json::read(text, 32).expect("JSON")
    }

    #[test]
    fn exact_adds_what_the_lrs_sets_and_keeps_the_rest() {
        let mut statement = json(
            r#"{"actor":{"name":"A","mbox":"mailto:a@a"},"verb":{"id":"http://a/v"},"object":{"id":"http://a/o"},"context":{"contextActivities":{"parent":{"id":"http://a/p"}}},"stored":"x"}"#,
        );
        let authority = json(r#"{"mbox":"mailto:l@a"}"#);
        exact(
            &mut statement,
            &Kept {
                id: "ID",
                stored: "WHEN",
                authority: &authority,
                version: "1.0.0",
            },
        );
        assert_eq!(
            statement.print(),
            r#"{"actor":{"name":"A","mbox":"mailto:a@a"},"verb":{"id":"http://a/v"},"object":{"id":"http://a/o"},"context":{"contextActivities":{"parent":[{"id":"http://a/p"}]}},"stored":"WHEN","id":"ID","timestamp":"WHEN","authority":{"mbox":"mailto:l@a"},"version":"1.0.0"}"#
        );
    }

    #[test]
    fn ids_leave_only_what_identifies() {
        let mut statement = json(
            r#"{"actor":{"objectType":"Group","name":"G","member":[{"name":"A","mbox":"mailto:a@a"}]},"verb":{"id":"http://a/v","display":{"en":"x"}},"object":{"objectType":"Activity","id":"http://a/o","definition":{}},"context":{"team":{"objectType":"Group","mbox":"mailto:g@a","name":"T","member":[]}}}"#,
        );
        ids(&mut statement);
        assert_eq!(
            statement.print(),
            r#"{"actor":{"objectType":"Group","member":[{"mbox":"mailto:a@a"}]},"verb":{"id":"http://a/v"},"object":{"id":"http://a/o"},"context":{"team":{"objectType":"Group","mbox":"mailto:g@a"}}}"#
        );
    }

    #[test]
    fn canonical_picks_one_language_for_each_map() {
        let languages = Languages::parse("fr;q=0.3, de-CH, *;q=0.1");
        let mut statement = json(
            r#"{"actor":{"mbox":"mailto:a@a"},"verb":{"id":"http://a/v","display":{"en":"x","fr":"y"}},"object":{"id":"http://a/o"}}"#,
        );
        canonical(&mut statement, &languages, &|_| {
            Some(json(
                r#"{"name":{"en":"n","de":"m"},"description":{"ja":"d","it":"e"}}"#,
            ))
        });
        assert_eq!(
            statement.print(),
            r#"{"actor":{"mbox":"mailto:a@a"},"verb":{"id":"http://a/v","display":{"fr":"y"}},"object":{"id":"http://a/o","definition":{"name":{"de":"m"},"description":{"ja":"d"}}}}"#
        );
    }

    #[test]
    fn definitions_add_up_over_statements() {
        let mut known = json(r#"{"name":{"en":"a"},"type":"http://a/t"}"#);
        assert!(merge_definition(
            &mut known,
            &json(r#"{"name":{"en":"b","de":"c"},"moreInfo":"http://m"}"#)
        ));
        assert_eq!(
            known.print(),
            r#"{"name":{"en":"b","de":"c"},"type":"http://a/t","moreInfo":"http://m"}"#
        );
        assert!(!merge_definition(
            &mut known,
            &json(r#"{"name":{"de":"c"}}"#)
        ));
    }
}
