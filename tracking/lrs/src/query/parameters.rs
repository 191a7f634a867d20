//! The parameters of `GET /statements` (Comm 2.1.3), read strictly: an unknown one, one given twice or one of a wrong
//! form is refused, because a filter that is passed over shows what was not asked for.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use lectern_xapi::{Version, is_iri, parse_agent, parse_timestamp, parse_uuid};
use uuid::Uuid;

use crate::error::Error;

const CLAUSE: &str = "Comm 2.1.3";
/// A `more` longer than this was not made by us.
const MAX_MORE_BYTES: usize = 16 * 1024;

/// How statements are served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Exact,
    Ids,
    Canonical,
}

/// A whole request.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Query {
    pub wanted: Wanted,
    pub format: Format,
    pub attachments: bool,
    pub limit: Option<usize>,
    pub ascending: bool,
    /// The sequence number with which a later page begins.
    pub cursor: Option<u64>,
    /// As given, for `more`.
    given: Vec<(String, String)>,
}

/// What is asked for.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Wanted {
    One { id: Uuid, voided: bool },
    Many(Filter),
}

/// Which statements.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Filter {
    /// [`lectern_xapi::Ifi::key`]
    pub agent: Option<String>,
    pub related_agents: bool,
    pub verb: Option<String>,
    pub activity: Option<String>,
    pub related_activities: bool,
    pub registration: Option<Uuid>,
    /// Exclusive.
    pub since: Option<Timestamp>,
    /// Inclusive.
    pub until: Option<Timestamp>,
}

impl Query {
    pub fn parse(given: &[(String, String)], version: Version) -> Result<Self, Error> {
        if let [(name, more)] = given
            && name == "more"
        {
            return Self::parse_more(more, version);
        }
        Self::parse_plain(given, version)
    }

    /// The rest of a `more` address.
    pub fn more(&self, cursor: u64) -> String {
        let json = serde_json::json!([cursor, self.given]).to_string();
        URL_SAFE_NO_PAD.encode(json)
    }

    fn parse_more(more: &str, version: Version) -> Result<Self, Error> {
        let broken = || Error::parameter("more", CLAUSE, "is not one that this LRS gave");
        if more.len() > MAX_MORE_BYTES {
            return Err(broken());
        }
        let json = URL_SAFE_NO_PAD.decode(more).map_err(|_| broken())?;
        let (cursor, given): (u64, Vec<(String, String)>) =
            serde_json::from_slice(&json).map_err(|_| broken())?;
        let mut query = Self::parse_plain(&given, version)?;
        query.cursor = Some(cursor);
        Ok(query)
    }

    fn parse_plain(given: &[(String, String)], version: Version) -> Result<Self, Error> {
        let mut query = Self {
            wanted: Wanted::Many(Filter::default()),
            format: Format::Exact,
            attachments: false,
            limit: None,
            ascending: false,
            cursor: None,
            given: given.to_vec(),
        };
        let mut filter = Filter::default();
        let mut one = None;
        let mut filters = false;
        for (index, (name, value)) in given.iter().enumerate() {
            let wrong = |message: &str| Error::parameter(name, CLAUSE, message);
            if given.iter().take(index).any(|(other, _)| other == name) {
                return Err(wrong("is given twice"));
            }
            match name.as_str() {
                "statementId" | "voidedStatementId" => {
                    let id = parse_uuid(value).ok_or_else(|| wrong("is no UUID"))?;
                    let voided = name == "voidedStatementId";
                    if one.replace(Wanted::One { id, voided }).is_some() {
                        return Err(wrong("may not be given together with the other id"));
                    }
                    continue;
                }
                "attachments" => {
                    query.attachments = boolean(name, value)?;
                    continue;
                }
                "format" => {
                    query.format = match value.as_str() {
                        "exact" => Format::Exact,
                        "ids" => Format::Ids,
                        "canonical" => Format::Canonical,
                        _ => return Err(wrong("must be exact, ids or canonical")),
                    };
                    continue;
                }
                "agent" => {
                    let agent = parse_agent(value, "agent")?;
                    filter.agent = agent.ifi().map(lectern_xapi::Ifi::key);
                }
                "verb" => filter.verb = Some(iri(name, value)?),
                "activity" => filter.activity = Some(iri(name, value)?),
                "registration" => {
                    let id = parse_uuid(value).ok_or_else(|| wrong("is no UUID"))?;
                    filter.registration = Some(id);
                }
                "related_activities" => filter.related_activities = boolean(name, value)?,
                "related_agents" => filter.related_agents = boolean(name, value)?,
                "since" => filter.since = Some(time(name, value, version)?),
                "until" => filter.until = Some(time(name, value, version)?),
                "limit" => {
                    let limit = value
                        .parse::<u32>()
                        .map_err(|_| wrong("must be a whole number from 0"))?;
                    query.limit = Some(limit as usize);
                }
                "ascending" => query.ascending = boolean(name, value)?,
                _ => return Err(wrong("is no parameter of this resource (case counts)")),
            }
            filters = true;
        }
        match one {
            Some(_) if filters => {
                return Err(Error::parameter(
                    "statementId",
                    CLAUSE,
                    "may be given only with attachments and format",
                ));
            }
            Some(one) => query.wanted = one,
            None => query.wanted = Wanted::Many(filter),
        }
        Ok(query)
    }
}

fn boolean(name: &str, value: &str) -> Result<bool, Error> {
    match value {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(Error::parameter(name, CLAUSE, "must be true or false")),
    }
}

fn iri(name: &str, value: &str) -> Result<String, Error> {
    if is_iri(value) {
        Ok(value.to_owned())
    } else {
        Err(Error::parameter(name, CLAUSE, "is no IRI with a scheme"))
    }
}

fn time(name: &str, value: &str, version: Version) -> Result<Timestamp, Error> {
    parse_timestamp(value, version).ok_or_else(|| Error::parameter(name, CLAUSE, "is no timestamp"))
}
