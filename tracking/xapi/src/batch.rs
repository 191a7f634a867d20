//! The doors through which statements come in: a request's body, a stored text, an Agent in a query parameter.

use crate::actor::{self, Actor};
use crate::invalid::{Invalid, LIMIT, Path};
use crate::json::{Json, Kind};
use crate::limits::Limits;
use crate::statement::{Statement, statement};
use crate::version::Version;

pub use crate::actor::parse_uuid;

const CLAUSE: &str = "Comm 2.1.2";

/// A valid statement and its text as received.
#[derive(Debug, Clone, PartialEq)]
pub struct Parsed {
    /// How one reads it.
    pub statement: Statement,
    /// What was received, letter by letter.
    pub raw: String,
}

/// Reads the body of a POST: one statement or an array. All are valid or none is taken.
pub fn parse_batch(body: &[u8], version: Version, limits: Limits) -> Result<Vec<Parsed>, Invalid> {
    let text = utf8(body)?;
    let json = Json::read(text, limits.depth)?;
    let root = Path::root();
    let Kind::Array(items) = &json.kind else {
        return Ok(vec![one(&json, text, &root, version, limits)?]);
    };
    if items.len() > limits.statements {
        return Err(root.invalid(
            LIMIT,
            format!("holds more than {} statements", limits.statements),
        ));
    }
    let mut parsed = Vec::with_capacity(items.len());
    let mut ids = std::collections::HashSet::new();
    for (index, item) in items.iter().enumerate() {
        let at = root.index(index);
        let new = one(item, text, &at, version, limits)?;
        if let Some(id) = new.statement.id
            && !ids.insert(id)
        {
            return Err(at
                .key("id")
                .invalid(CLAUSE, "is the id of another statement in this batch"));
        }
        parsed.push(new);
    }
    Ok(parsed)
}

/// Reads the body of a PUT: exactly one statement.
pub fn parse_statement(body: &[u8], version: Version, limits: Limits) -> Result<Parsed, Invalid> {
    let text = utf8(body)?;
    let json = Json::read(text, limits.depth)?;
    one(&json, text, &Path::root(), version, limits)
}

/// Reads a statement's text that was accepted before.
pub fn parse_stored(raw: &str, version: Version) -> Result<Statement, Invalid> {
    read_stored(&Json::read(raw, Limits::DEFAULT.depth)?, version)
}

/// [`parse_stored`], of a text that was read already.
pub fn read_stored(json: &Json<'_>, version: Version) -> Result<Statement, Invalid> {
    statement(json, &Path::root(), version)
}

/// Reads an Agent or identified Group from a query parameter (Comm 2.1.3, 2.2).
pub fn parse_agent(text: &str, parameter: &str) -> Result<Actor, Invalid> {
    let root = Path::named(parameter);
    let json = Json::read(text, 8).map_err(|invalid| Invalid {
        path: parameter.to_owned(),
        ..invalid
    })?;
    let who = actor::actor(&json, &root)?;
    if who.ifi().is_none() {
        return Err(root.invalid("Comm 2.1.3", "must be an Agent or an identified Group"));
    }
    Ok(who)
}

/// Reads an authority that the LRS itself made.
pub fn parse_authority(json: &str) -> Result<Actor, Invalid> {
    let json = Json::read(json, 8)?;
    actor::actor(&json, &Path::named("authority"))
}

fn one(
    json: &Json<'_>,
    text: &str,
    at: &Path<'_>,
    version: Version,
    limits: Limits,
) -> Result<Parsed, Invalid> {
    let raw = json.source(text);
    if raw.len() > limits.statement_bytes {
        return Err(at.invalid(
            LIMIT,
            format!("is longer than {} bytes", limits.statement_bytes),
        ));
    }
    Ok(Parsed {
        statement: statement(json, at, version)?,
        raw: raw.to_owned(),
    })
}

fn utf8(body: &[u8]) -> Result<&str, Invalid> {
    let body = body.strip_prefix("\u{feff}".as_bytes()).unwrap_or(body);
    std::str::from_utf8(body).map_err(|error| {
        Path::root().invalid(
            "Comm 1.4",
            format!("is not UTF-8 at byte {}", error.valid_up_to()),
        )
    })
}
