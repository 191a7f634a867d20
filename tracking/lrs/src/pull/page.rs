//! Reads a page of another record store's statements, `application/json` or `multipart/mixed`. Pure.
//!
//! Nothing of it is believed: the page must be a statement list, each statement is judged by itself, each attachment by its
//! hash. What is wrong with one statement or one part says nothing about the others.

use std::collections::BTreeMap;

use jiff::Timestamp;
use lectern_xapi::{Invalid, Limits, Parsed, Version, multipart, parse_statement, parse_uuid};
use serde::Deserialize;
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::machine::Facts;
use crate::attachments::{AttachmentBytes, is_sha2_of};

/// A page as it came.
#[derive(Debug)]
pub(super) struct Page {
    pub items: Vec<Item>,
    pub attachments: Attachments,
    pub facts: Facts,
}

/// One statement of it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Item {
    /// Its id; of one that has none, a name made of its text.
    pub key: Uuid,
    /// Its `stored`, or that of a neighbour when it has none.
    pub stored: Option<Timestamp>,
    /// By whose rules it was read.
    pub version: Version,
    /// It, or its text and what is wrong with it.
    pub read: Result<Parsed, (String, Invalid)>,
}

/// The parts of a page.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Attachments {
    /// By their hash, in lower case.
    pub whole: BTreeMap<String, AttachmentBytes>,
    /// Hashes of parts that cannot be used, and why.
    pub broken: BTreeMap<String, &'static str>,
}

/// Why a page cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Unreadable {
    /// It has more parts than are read.
    TooLarge,
    /// What it is instead of a page, in words.
    Other(String),
}

/// The body of a StatementResult (Comm 2.1.3; 2.0 4.2.4), letter by letter.
#[derive(Deserialize)]
struct StatementResult<'b> {
    #[serde(borrow)]
    statements: Vec<&'b RawValue>,
    #[serde(default)]
    more: Option<String>,
}

/// What is looked for in a statement that is not valid. Text of any kind: it is judged elsewhere.
#[derive(Deserialize, Default)]
struct Loose {
    id: Option<String>,
    stored: Option<String>,
    version: Option<String>,
}

impl Page {
    /// Reads a page; `version` is the one that was asked for.
    pub fn read(content_type: &str, body: &[u8], version: Version) -> Result<Self, Unreadable> {
        let (json, attachments) = split(content_type, body)?;
        let list: StatementResult<'_> = serde_json::from_slice(json).map_err(|error| {
            Unreadable::Other(format!(
                "it answered, but not with a list of statements ({error}): check the address"
            ))
        })?;
        let mut items = Vec::with_capacity(list.statements.len());
        let mut before = None;
        let mut facts = Facts {
            count: list.statements.len(),
            ascends: true,
            more: list.more.filter(|more| !more.is_empty()),
            ..Facts::default()
        };
        for raw in list.statements {
            let mut item = Item::read(raw.get(), version);
            facts.ascends &= item.stored.is_none() || item.stored >= before;
            facts.first = facts.first.or(item.stored);
            item.stored = item.stored.or(before);
            before = item.stored;
            items.push(item);
        }
        facts.last = before;
        for item in &mut items {
            item.stored = item.stored.or(facts.first);
        }
        Ok(Self {
            items,
            attachments,
            facts,
        })
    }
}

/// Reads the answer to a question for one statement.
pub(super) fn read_one(
    content_type: &str,
    body: &[u8],
    version: Version,
) -> Result<(Item, Attachments), Unreadable> {
    let (json, attachments) = split(content_type, body)?;
    let raw: &RawValue = serde_json::from_slice(json).map_err(|error| {
        Unreadable::Other(format!(
            "asked for one statement, it answered with something else ({error})"
        ))
    })?;
    Ok((Item::read(raw.get(), version), attachments))
}

impl Item {
    fn read(raw: &str, asked: Version) -> Self {
        let loose: Loose = serde_json::from_str(raw).unwrap_or_default();
        let named = loose.version.as_deref();
        // By the rules it was made under, if it says; else by those it was asked for under.
        let own = named.and_then(|named| Version::from_header(named).ok());
        let first = own.unwrap_or(asked);
        let parse = |version| parse_statement(raw.as_bytes(), version, Limits::DEFAULT);
        let (version, read) = match (parse(first), first == asked) {
            (Err(wrong), false) => match parse(asked) {
                Ok(parsed) => (asked, Ok(parsed)),
                Err(_) => (first, Err(wrong)),
            },
            (read, _) => (first, read),
        };
        let stored = match &read {
            Ok(parsed) => parsed.statement.stored,
            Err(_) => loose.stored.as_deref().and_then(|text| {
                lectern_xapi::parse_timestamp(text, Version::V2_0_0)
                    .or_else(|| lectern_xapi::parse_timestamp(text, Version::V1_0_3))
            }),
        };
        let id = loose.id.as_deref().and_then(parse_uuid);
        Self {
            key: id.unwrap_or_else(|| name_of(raw)),
            stored,
            version,
            read: read.map_err(|wrong| (raw.to_owned(), wrong)),
        }
    }

    /// Its text.
    pub fn raw(&self) -> &str {
        match &self.read {
            Ok(parsed) => &parsed.raw,
            Err((raw, _)) => raw,
        }
    }
}

impl Attachments {
    /// Those that a statement names.
    pub fn named_by(&self, parsed: &Parsed) -> Self {
        let mut named = Self::default();
        for one in parsed.statement.all_attachments() {
            if let Some(bytes) = self.whole.get(&one.sha2) {
                named.whole.insert(one.sha2.clone(), bytes.clone());
            }
            if let Some(why) = self.broken.get(&one.sha2) {
                named.broken.insert(one.sha2.clone(), why);
            }
        }
        named
    }

    /// Takes in what came for a statement that was asked for alone.
    pub fn add(&mut self, parsed: &Parsed, came: &Self) {
        let came = came.named_by(parsed);
        self.whole.extend(came.whole);
        self.broken.extend(came.broken);
    }

    /// Whether something that a statement names did not come. With `fileUrl` it may lie elsewhere, which is no lack when
    /// `came` says that whatever lies there came with the list.
    pub fn lack(&self, parsed: &Parsed, came: bool) -> bool {
        let mut named = parsed.statement.all_attachments();
        named.any(|one| {
            let may_lack = came && one.file_url.is_some();
            !may_lack && !self.whole.contains_key(&one.sha2)
        })
    }
}

/// The JSON of a body and its attachments.
fn split<'b>(content_type: &str, body: &'b [u8]) -> Result<(&'b [u8], Attachments), Unreadable> {
    let mut attachments = Attachments::default();
    let boundary = match multipart::boundary(content_type) {
        None => return Ok((body, attachments)),
        Some(boundary) => boundary.map_err(|wrong| unreadable(&wrong))?,
    };
    let mut parts = multipart::read(body, &boundary)
        .map_err(|wrong| unreadable(&wrong))?
        .into_iter();
    let Some(first) = parts.next() else {
        return Err(Unreadable::Other(
            "its answer has no part with the statements".to_owned(),
        ));
    };
    for part in parts {
        let Some(sha2) = part.header("x-experience-api-hash") else {
            // Nothing can name it.
            continue;
        };
        let sha2 = sha2.to_ascii_lowercase();
        let encoding = part.header("content-transfer-encoding");
        if encoding.is_some_and(|encoding| !encoding.eq_ignore_ascii_case("binary")) {
            attachments.broken.insert(
                sha2,
                "its attachment came in an encoding that is not binary",
            );
            continue;
        }
        if !is_sha2_of(&sha2, part.bytes) {
            attachments.broken.insert(
                sha2,
                "the bytes that came for its attachment do not have its hash",
            );
            continue;
        }
        let kind = part.header("content-type");
        let bytes = AttachmentBytes {
            sha2: sha2.clone(),
            content_type: kind.unwrap_or("application/octet-stream").to_owned(),
            bytes: part.bytes.to_vec(),
        };
        attachments.whole.insert(sha2, bytes);
    }
    Ok((first.bytes, attachments))
}

fn unreadable(wrong: &Invalid) -> Unreadable {
    if wrong.is_limit() {
        return Unreadable::TooLarge;
    }
    Unreadable::Other(format!("its answer cannot be read: {wrong}"))
}

/// A name for a statement without an id, always the same for the same text.
fn name_of(raw: &str) -> Uuid {
    let hash = Sha256::digest(raw.as_bytes());
    let mut name = [0; 16];
    for (to, from) in name.iter_mut().zip(hash) {
        *to = from;
    }
    uuid::Builder::from_custom_bytes(name).into_uuid()
}

#[cfg(test)]
mod tests;
