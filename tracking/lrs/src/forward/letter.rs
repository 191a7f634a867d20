//! What is sent of a statement, and whether it is for this upstream at all.

use std::collections::BTreeSet;

use lectern_xapi::json::Json;
use lectern_xapi::{Limits, Statement, Version, form, parse_stored, print_timestamp};
use serde::{Deserialize, Serialize};

use super::identities::Rewriting;
use crate::body::Body;
use crate::entry::Entry;
use crate::error::Error;

/// Which statements an upstream gets. Every condition must hold; an empty one always does.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Filter {
    /// Only these verbs, by IRI.
    pub verbs: Vec<String>,
    /// Only statements about an Activity whose id begins with one of these, or that have such a one around it: as parent,
    /// grouping, category or other context Activity. So the id of a course gets all that was done in it.
    pub activities: Vec<String>,
    /// Only what these did, by [`lectern_xapi::Ifi::key`]: as the actor, or as a member of the Group that is the actor.
    pub people: BTreeSet<String>,
}

impl Filter {
    pub(super) fn admits(&self, statement: &Statement) -> bool {
        let verb = self.verbs.is_empty() || self.verbs.contains(&statement.verb.id);
        let around = statement.context.iter();
        let around = around.flat_map(|context| context.activities.all());
        let activity = self.activities.is_empty()
            || statement
                .activity_id()
                .into_iter()
                .chain(around.map(|activity| activity.id.as_str()))
                .any(|id| {
                    self.activities
                        .iter()
                        .any(|prefix| id.starts_with(prefix.as_str()))
                });
        let person = self.people.is_empty()
            || statement
                .actor
                .ifis()
                .any(|ifi| self.people.contains(&ifi.key()));
        verb && activity && person
    }

    pub(super) fn is_open(&self) -> bool {
        self.verbs.is_empty() && self.activities.is_empty() && self.people.is_empty()
    }
}

/// The text to send: as received, with id and timestamp, and with whom this upstream is to see; without `stored` and
/// `authority`, which are the receiver's to set. A statement that came under 2.0 goes to a 1.0.3 upstream when it is valid there; it is never converted (Comm
/// 3.3), so one that uses what 1.0.3 does not know cannot go: `Err` says so in words.
pub(super) fn write(
    entry: &Entry,
    body: &Body,
    to: Version,
    rewriting: &Rewriting,
) -> Result<Result<String, String>, Error> {
    let mut statement = Json::read(&body.raw, Limits::DEFAULT.depth)?;
    statement.remove("stored");
    statement.remove("authority");
    let id = entry.id.to_string();
    let stored = print_timestamp(entry.stored);
    statement.set("id", Json::string(id.as_str()));
    if statement.get("timestamp").is_none() {
        statement.set("timestamp", Json::string(stored.as_str()));
    }
    form::with_arrays(&mut statement);
    if let Err(reason) = rewriting.apply(&mut statement) {
        return Ok(Err(reason));
    }
    let named = statement
        .get("version")
        .and_then(Json::as_str)
        .map(str::to_owned);
    match (to, named) {
        (Version::V1_0_3, named) if body.version == Version::V2_0_0 => {
            if named.is_some_and(|named| named.starts_with('2')) {
                statement.remove("version");
            }
            let text = statement.print();
            Ok(match parse_stored(&text, Version::V1_0_3) {
                Ok(_) => Ok(text),
                Err(invalid) => Err(format!("it is no statement of xAPI 1.0.3: {invalid}")),
            })
        }
        (Version::V2_0_0, None) => {
            statement.set("version", Json::string(body.version.of_statement()));
            Ok(Ok(statement.print()))
        }
        _ => Ok(Ok(statement.print())),
    }
}

#[cfg(test)]
mod tests {
    use lectern_xapi::{Version, parse_stored};

    use super::{Filter, Rewriting, write};
    use crate::body::Body;
    use crate::entry::Entry;

    fn text(raw: &str, version: Version, to: Version) -> Result<String, String> {
        let entry = Entry {
            sequence: 1,
            id: uuid::Uuid::nil(),
            stored: jiff::Timestamp::UNIX_EPOCH,
            credential: String::new(),
            defines: false,
        };
        let body = Body {
            version,
            defines: false,
            authority: 0,
            salt: [0; 16],
            raw: raw.to_owned(),
        };
        write(&entry, &body, to, &Rewriting::Keep).unwrap()
    }

    const PLAIN: &str = r#"{"actor":{"mbox":"mailto:a@a"},"verb":{"id":"http://a/v"},"object":{"id":"http://a/o"},"stored":"x","authority":{}"#;

    #[test]
    fn what_is_the_receivers_to_set_stays_here() {
        let sent = text(&format!("{PLAIN}}}"), Version::V1_0_3, Version::V1_0_3).unwrap();
        assert!(
            !sent.contains("stored") && !sent.contains("authority"),
            "{sent}"
        );
        assert!(
            sent.contains("\"timestamp\":\"1970-01-01T00:00:00.000000Z\""),
            "{sent}"
        );
    }

    #[test]
    fn a_filter_knows_courses_and_people() {
        let statement = |actor: &str| {
            let text = format!(
                r#"{{"actor":{actor},"verb":{{"id":"http://a/v"}},"object":{{"id":"http://a/film"}},
                    "context":{{"contextActivities":{{"grouping":[{{"id":"http://a/course/1"}}]}}}}}}"#
            );
            parse_stored(&text, Version::V2_0_0).unwrap()
        };
        let ada = statement(r#"{"account":{"homePage":"http://a","name":"ada"}}"#);
        let bob = statement(r#"{"mbox":"mailto:bob@A.example"}"#);
        let both = statement(
            r#"{"objectType":"Group","member":[{"mbox":"mailto:bob@a.example"},{"account":{"homePage":"http://a","name":"ada"}}]}"#,
        );
        let filter = |activities: &[&str], people: &[&str]| Filter {
            verbs: vec![],
            activities: activities.iter().map(|&text| text.to_owned()).collect(),
            people: people.iter().map(|&text| text.to_owned()).collect(),
        };
        let rows: [(Filter, [bool; 3]); 7] = [
            (filter(&[], &[]), [true, true, true]),
            (filter(&["http://a/film"], &[]), [true, true, true]),
            (filter(&["http://a/course/1"], &[]), [true, true, true]),
            (filter(&["http://a/course/2"], &[]), [false, false, false]),
            (filter(&[], &["account http://a ada"]), [true, false, true]),
            (
                filter(&[], &["mbox mailto:bob@a.example"]),
                [false, true, true],
            ),
            (
                filter(&["http://a/course/2"], &["account http://a ada"]),
                [false, false, false],
            ),
        ];
        for (filter, admits) in rows {
            let admitted = [&ada, &bob, &both].map(|statement| filter.admits(statement));
            assert_eq!(admitted, admits, "{filter:?}");
        }
    }

    #[test]
    fn a_statement_goes_to_an_older_upstream_when_it_is_valid_there() {
        let plain = format!("{PLAIN},\"version\":\"2.0.0\"}}");
        let sent = text(&plain, Version::V2_0_0, Version::V1_0_3).unwrap();
        assert!(!sent.contains("version"), "{sent}");
        let newer = format!("{PLAIN},\"context\":{{\"contextAgents\":[]}}}}");
        assert!(text(&newer, Version::V2_0_0, Version::V1_0_3).is_err());
        assert!(text(&newer, Version::V2_0_0, Version::V2_0_0).is_ok());
    }
}
