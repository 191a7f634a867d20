//! Whether two statements are the same statement (Data 2.3.1): the comparison that decides between "sent again" and
//! "another one under a used id". It ignores what the LRS may set or change, and nothing else.

use std::borrow::Cow;

use crate::duration::Duration;
use crate::json::{Json, Kind};
use crate::limits::Limits;
use crate::timestamp::parse_timestamp;
use crate::version::Version;

/// Compares two statements that are valid, as they were received.
///
/// Ignored: `id`, `stored`, `authority`, `version`; `timestamp` when only one has it (the LRS gave it to the other);
/// the zone of timestamps; how numbers are written; verb displays and Activity definitions; an `objectType` that is
/// the default; one context Activity with or without its array; the order of group members; the case of a mailbox's
/// domain and of hexadecimal digits; seconds of a duration below the hundredth.
pub fn equivalent(a: &str, b: &str) -> bool {
    if a == b {
        return true;
    }
    let depth = Limits::DEFAULT.depth;
    let (Ok(mut a), Ok(mut b)) = (Json::read(a, depth), Json::read(b, depth)) else {
        return false;
    };
    if a.get("timestamp").is_none() || b.get("timestamp").is_none() {
        a.remove("timestamp");
        b.remove("timestamp");
    }
    for statement in [&mut a, &mut b] {
        for property in ["id", "stored", "authority", "version"] {
            statement.remove(property);
        }
        reduce_statement(statement);
    }
    a.print() == b.print()
}

/// Brings what both kinds of statement hold into one form.
fn reduce_statement(statement: &mut Json<'_>) {
    if let Some(verb) = statement.get_mut("verb") {
        verb.remove("display");
    }
    reduce_text(statement, "timestamp", |text| {
        let instant = parse_timestamp(text, Version::V1_0_3)
            .or_else(|| parse_timestamp(text, Version::V2_0_0));
        instant.map(|instant| instant.to_string())
    });
    if let Some(actor) = statement.get_mut("actor") {
        reduce_actor(actor);
    }
    if let Some(object) = statement.get_mut("object") {
        match object.get("objectType").and_then(Json::as_str) {
            None | Some("Activity") => reduce_activity(object),
            Some("Agent" | "Group") => reduce_actor(object),
            Some("StatementRef") => reduce_id(object),
            _ => reduce_statement(object),
        }
    }
    if let Some(result) = statement.get_mut("result") {
        reduce_text(result, "duration", |text| {
            Duration::parse(text).map(|duration| duration.truncated())
        });
    }
    if let Some(context) = statement.get_mut("context") {
        reduce_context(context);
    }
    if let Some(Kind::Array(attachments)) =
        statement.get_mut("attachments").map(|list| &mut list.kind)
    {
        for attachment in attachments {
            reduce_text(attachment, "sha2", |text| Some(text.to_ascii_lowercase()));
        }
    }
    order(statement);
}

fn reduce_context(context: &mut Json<'_>) {
    reduce_text(context, "registration", |text| {
        Some(text.to_ascii_lowercase())
    });
    for property in ["instructor", "team"] {
        if let Some(actor) = context.get_mut(property) {
            reduce_actor(actor);
        }
    }
    if let Some(reference) = context.get_mut("statement") {
        reduce_id(reference);
    }
    for (list, property) in [("contextAgents", "agent"), ("contextGroups", "group")] {
        if let Some(Kind::Array(parts)) = context.get_mut(list).map(|list| &mut list.kind) {
            for actor in parts.iter_mut().filter_map(|part| part.get_mut(property)) {
                reduce_actor(actor);
            }
        }
    }
    if let Some(Kind::Object(lists)) = context
        .get_mut("contextActivities")
        .map(|lists| &mut lists.kind)
    {
        for (_, list) in lists.iter_mut() {
            as_array(list);
            if let Kind::Array(activities) = &mut list.kind {
                activities.iter_mut().for_each(reduce_activity);
            }
        }
        // An empty list says what no list says.
        lists.retain(|(_, list)| {
            list.as_array()
                .is_some_and(|activities| !activities.is_empty())
        });
    }
}

/// Wraps a single value, as 1.0.3 asks for context Activities (Data 2.4.6.2).
pub(crate) fn as_array(list: &mut Json<'_>) {
    if !matches!(list.kind, Kind::Array(_)) {
        let single = std::mem::replace(list, Json::new(Kind::Null));
        *list = Json::new(Kind::Array(vec![single]));
    }
}

fn reduce_activity(activity: &mut Json<'_>) {
    activity.remove("definition");
    activity.remove("objectType");
}

fn reduce_id(reference: &mut Json<'_>) {
    reduce_text(reference, "id", |text| Some(text.to_ascii_lowercase()));
}

fn reduce_actor(actor: &mut Json<'_>) {
    if actor.get("objectType").and_then(Json::as_str) == Some("Agent") {
        actor.remove("objectType");
    }
    reduce_text(actor, "mbox", |text| {
        let (local, domain) = text.rsplit_once('@')?;
        Some(format!("{local}@{}", domain.to_ascii_lowercase()))
    });
    reduce_text(actor, "mbox_sha1sum", |text| {
        Some(text.to_ascii_lowercase())
    });
    if let Some(Kind::Array(members)) = actor.get_mut("member").map(|members| &mut members.kind) {
        members.iter_mut().for_each(reduce_actor);
        members.iter_mut().for_each(order);
        members.sort_by_cached_key(Json::print);
    }
}

fn reduce_text(of: &mut Json<'_>, property: &str, reduce: impl Fn(&str) -> Option<String>) {
    if let Some(Kind::String(text)) = of.get_mut(property).map(|value| &mut value.kind)
        && let Some(reduced) = reduce(text)
    {
        *text = Cow::Owned(reduced);
    }
}

/// Sorts the properties and gives each number one spelling, all the way down.
fn order(value: &mut Json<'_>) {
    match &mut value.kind {
        Kind::Array(items) => items.iter_mut().for_each(order),
        Kind::Object(entries) => {
            entries.iter_mut().for_each(|(_, value)| order(value));
            entries.sort_by(|(a, _), (b, _)| a.cmp(b));
        }
        Kind::Number(digits) => {
            // Where a double cannot tell two numbers apart, their digits still can.
            let plain = digits.len() <= 15;
            if let Some(number) = digits.parse::<f64>().ok().filter(|_| plain) {
                value.kind = Kind::Number(Cow::Owned(format!("{number:?}")));
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::equivalent;

    const BASE: &str = r#"{"actor":{"mbox":"mailto:a@Example.com"},"verb":{"id":"http://a/v"},"object":{"id":"http://a/o"},"timestamp":"2026-01-01T00:00:00Z","result":{"duration":"PT0.1237S","score":{"raw":1}},"context":{"contextActivities":{"parent":{"id":"http://a/p"}},"team":{"objectType":"Group","member":[{"mbox":"mailto:x@a"},{"mbox":"mailto:y@a"}]}}}"#;

    #[test]
    fn what_an_lrs_may_set_or_change_is_ignored() {
        for (from, to) in [
            (
                "{\"actor\"",
                "{\"id\":\"6e2a2b5e-5a1f-4c1e-9e3e-0a2a2b5e5a1f\",\"stored\":\"x\",\"version\":\"1.0.0\",\"authority\":{},\"actor\"",
            ),
            ("Example.com", "example.COM"),
            (
                "\"mbox\":\"mailto:a@",
                "\"objectType\":\"Agent\",\"mbox\":\"mailto:a@",
            ),
            (
                "{\"id\":\"http://a/v\"}",
                "{\"display\":{\"en\":\"did\"},\"id\":\"http://a/v\"}",
            ),
            (
                "{\"id\":\"http://a/o\"}",
                "{\"id\":\"http://a/o\",\"objectType\":\"Activity\",\"definition\":{}}",
            ),
            ("2026-01-01T00:00:00Z", "2026-01-01T02:00:00.000+02:00"),
            (",\"timestamp\":\"2026-01-01T00:00:00Z\"", ""),
            ("PT0.1237S", "PT0.12S"),
            ("\"raw\":1", "\"raw\": 1.0"),
            ("{\"id\":\"http://a/p\"}", "[{\"id\":\"http://a/p\"}]"),
            (
                "{\"mbox\":\"mailto:x@a\"},{\"mbox\":\"mailto:y@a\"}",
                "{\"mbox\":\"mailto:y@a\"},{\"mbox\":\"mailto:x@a\"}",
            ),
        ] {
            let other = BASE.replace(from, to);
            assert_ne!(other, BASE, "{from}");
            assert!(equivalent(BASE, &other), "{from} -> {to}");
            assert!(equivalent(&other, BASE), "{from} -> {to}");
        }
    }

    #[test]
    fn everything_else_is_a_difference() {
        for (from, to) in [
            ("mailto:a@", "mailto:b@"),
            ("http://a/v", "http://a/w"),
            ("http://a/o", "http://a/q"),
            ("2026-01-01T00:00:00Z", "2026-01-01T00:00:00.001Z"),
            ("PT0.1237S", "PT0.13S"),
            ("\"raw\":1", "\"raw\":2"),
            ("\"raw\":1", "\"raw\":1,\"max\":5"),
            ("\"parent\"", "\"grouping\""),
            ("mailto:x@a", "mailto:z@a"),
        ] {
            let other = BASE.replace(from, to);
            assert_ne!(other, BASE, "{from}");
            assert!(!equivalent(BASE, &other), "{from} -> {to}");
        }
    }
}
