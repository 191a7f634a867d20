//! A page of another record store: what it holds and where the next one is. Pure, and nothing is believed.

use jiff::Timestamp;
use lectern_xapi::multipart;
use lectern_xapi::video::iri::verb::VOIDED;
use serde::Deserialize;
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::attachments::{self, AttachmentBytes};

/// Statements taken from one page at most, whatever was asked for.
const MAX_STATEMENTS: usize = 10_000;

/// What a page holds.
#[derive(Debug, Default)]
pub(super) struct Page {
    pub statements: Vec<Offered>,
    pub attachments: Vec<AttachmentBytes>,
    /// As the store says it.
    pub more: Option<String>,
}

/// A statement as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Offered {
    pub id: Option<Uuid>,
    pub stored: Option<Timestamp>,
    /// The statement that it takes back.
    pub voids: Option<Uuid>,
    pub text: String,
}

#[derive(Deserialize)]
struct Statements<'a> {
    #[serde(borrow)]
    statements: Vec<&'a RawValue>,
    #[serde(default)]
    more: Option<String>,
}

/// As much as must be known before it is taken in; whatever is of another form is nothing.
#[derive(Deserialize)]
struct Peek {
    #[serde(default)]
    id: serde_json::Value,
    #[serde(default)]
    stored: serde_json::Value,
    #[serde(default)]
    verb: serde_json::Value,
    #[serde(default)]
    object: serde_json::Value,
}

/// Reads the answer to `GET /statements`; else why it is none, for a person.
pub(super) fn read(content_type: &str, body: &[u8]) -> Result<Page, String> {
    let (json, attachments) = parts(content_type, body)?;
    let found: Statements<'_> = serde_json::from_slice(&json)
        .map_err(|_| "it answered, but not with a list of statements".to_owned())?;
    if found.statements.len() > MAX_STATEMENTS {
        return Err("it answered with more statements than a page may have".to_owned());
    }
    Ok(Page {
        statements: found
            .statements
            .into_iter()
            .map(|raw| offered(raw.get()))
            .collect(),
        attachments,
        more: found.more.filter(|more| !more.is_empty()),
    })
}

/// Reads the answer to a question for one statement.
pub(super) fn read_one(content_type: &str, body: &[u8]) -> Result<Page, String> {
    let (json, attachments) = parts(content_type, body)?;
    let text = std::str::from_utf8(&json).map_err(|_| "it answered with no text".to_owned())?;
    Ok(Page {
        statements: vec![offered(text)],
        attachments,
        more: None,
    })
}

fn parts(content_type: &str, body: &[u8]) -> Result<(Vec<u8>, Vec<AttachmentBytes>), String> {
    match multipart::boundary(content_type) {
        None => Ok((body.to_vec(), Vec::new())),
        Some(boundary) => boundary
            .and_then(|boundary| attachments::split(body, &boundary))
            .map_err(|invalid| format!("its attachments cannot be read: {invalid}")),
    }
}

fn offered(text: &str) -> Offered {
    let mut offered = Offered {
        id: None,
        stored: None,
        voids: None,
        text: text.to_owned(),
    };
    let Ok(peek) = serde_json::from_str::<Peek>(text) else {
        return offered;
    };
    offered.id = uuid_of(&peek.id);
    offered.stored = peek.stored.as_str().and_then(|stored| stored.parse().ok());
    if peek.verb.get("id").and_then(serde_json::Value::as_str) == Some(VOIDED) {
        offered.voids = peek.object.get("id").and_then(uuid_of);
    }
    offered
}

fn uuid_of(value: &serde_json::Value) -> Option<Uuid> {
    lectern_xapi::parse_uuid(value.as_str()?)
}

/// Where the next page is: `more` is a path on the same host (Data 2.5), and is never followed to another.
pub(super) fn next(endpoint: &str, more: &str) -> Result<String, String> {
    let origin = origin(endpoint).ok_or_else(|| "its address has no host".to_owned())?;
    if more.starts_with('/') && !more.starts_with("//") {
        return Ok(format!("{origin}{more}"));
    }
    match more.strip_prefix(origin) {
        Some(rest) if rest.starts_with(['/', '?']) => Ok(more.to_owned()),
        _ => Err("it says that the next page is at another host, which is not asked".to_owned()),
    }
}

/// Scheme, host and port.
fn origin(url: &str) -> Option<&str> {
    let host = url.find("://")? + 3;
    let end = url.get(host..)?.find(['/', '?', '#']);
    end.map_or(Some(url), |end| url.get(..host + end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_page_is_on_the_same_host_or_not_asked_for() {
        let endpoint = "https://lrs.example:8443/data/xAPI";
        for (more, next_page) in [
            (
                "/data/xAPI/statements?more=1",
                Some("https://lrs.example:8443/data/xAPI/statements?more=1"),
            ),
            (
                "https://lrs.example:8443/x?y",
                Some("https://lrs.example:8443/x?y"),
            ),
            ("https://lrs.example:84430/x", None),
            ("https://lrs.example:8443@evil.example/x", None),
            ("https://evil.example/x", None),
            ("//evil.example/x", None),
            ("statements?more=1", None),
        ] {
            assert_eq!(next(endpoint, more).ok().as_deref(), next_page, "{more}");
        }
    }

    #[test]
    fn a_page_is_read_or_said_to_be_none() {
        let page = br#"{"statements":[{"id":"e05aa883-acaf-40ad-bf54-02c8ce485fb0","stored":"2026-11-26T12:00:00.5Z","verb":{"id":"http://adlnet.gov/expapi/verbs/voided"},"object":{"objectType":"StatementRef","id":"0b7e8a5c-2f0e-4d6a-9d3b-1c2d3e4f5a6b"}},{"id":7,"verb":"x"},[]],"more":""}"#;
        let found = read("application/json", page).unwrap();
        assert_eq!((found.statements.len(), found.more), (3, None));
        assert!(found.statements[0].voids.is_some() && found.statements[0].stored.is_some());
        assert_eq!(found.statements[1].id, None);
        for none in [
            &b"<html>"[..],
            b"[]",
            b"{}",
            b"{\"statements\":{}}",
            b"\xff",
        ] {
            assert!(read("application/json", none).is_err());
        }
        assert!(read("multipart/mixed; boundary=b", b"--b--").is_err());
    }
}
