//! What is sent of a statement, and whether it is for this upstream at all.

use lectern_xapi::json::Json;
use lectern_xapi::{Limits, Statement, Version, form, parse_stored, print_timestamp};
use serde::{Deserialize, Serialize};

use crate::body::Body;
use crate::entry::Entry;
use crate::error::Error;

/// Which statements an upstream gets. Both conditions must hold; an empty one always does.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Filter {
    /// Only these verbs, by IRI.
    pub verbs: Vec<String>,
    /// Only Activities whose id begins with one of these.
    pub activities: Vec<String>,
}

impl Filter {
    pub(super) fn admits(&self, statement: &Statement) -> bool {
        let verb = self.verbs.is_empty() || self.verbs.contains(&statement.verb.id);
        let activity = self.activities.is_empty()
            || statement.activity_id().is_some_and(|id| {
                self.activities
                    .iter()
                    .any(|prefix| id.starts_with(prefix.as_str()))
            });
        verb && activity
    }

    pub(super) fn is_open(&self) -> bool {
        self.verbs.is_empty() && self.activities.is_empty()
    }
}

/// The text to send: as received, with id and timestamp; without `stored` and `authority`, which are the receiver's to
/// set. A statement that came under 2.0 goes to a 1.0.3 upstream when it is valid there; it is never converted (Comm
/// 3.3), so one that uses what 1.0.3 does not know cannot go: `Err` says so in words.
pub(super) fn write(
    entry: &Entry,
    body: &Body,
    to: Version,
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
    use lectern_xapi::Version;

    use super::write;
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
        write(&entry, &body, to).unwrap()
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
    fn a_statement_goes_to_an_older_upstream_when_it_is_valid_there() {
        let plain = format!("{PLAIN},\"version\":\"2.0.0\"}}");
        let sent = text(&plain, Version::V2_0_0, Version::V1_0_3).unwrap();
        assert!(!sent.contains("version"), "{sent}");
        let newer = format!("{PLAIN},\"context\":{{\"contextAgents\":[]}}}}");
        assert!(text(&newer, Version::V2_0_0, Version::V1_0_3).is_err());
        assert!(text(&newer, Version::V2_0_0, Version::V2_0_0).is_ok());
    }
}
