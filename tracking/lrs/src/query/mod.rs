//! `GET /statements` (Comm 2.1.3): parameters in, served statements out. Works on one view, never waits for the
//! writer; blocks, so async callers put it on a blocking thread.

mod parameters;
mod scan;
mod serve;

use jiff::Timestamp;
use lectern_xapi::form::Languages;
use lectern_xapi::{Statement, Version};

use crate::attachments::AttachmentBytes;
use crate::body::Body;
use crate::caller::{Caller, Reading};
use crate::entry::Entry;
use crate::error::Error;
use crate::lrs::Lrs;
use crate::references;
use crate::view::View;
use parameters::{Format, Query, Wanted};
use scan::Scan;
use serve::Server;

/// What `more` begins with, relative to the host; the rest says everything about the next page.
pub const MORE_PATH: &str = "/xapi/statements?more=";

/// Statements on a page when nobody says, and at most.
const PAGE: usize = 100;
const MAX_PAGE: usize = 500;
/// A page ends early when it holds more than this.
const PAGE_BYTES: usize = 4 * 1024 * 1024;
/// Candidates looked at for one page; a page that needs more ends early and goes on with `more`.
const MAX_LOOKS: usize = 20_000;

/// The answer to `GET /statements`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatementsAnswer {
    /// One statement, or `{"statements":[…],"more":"…"}`.
    pub json: String,
    /// `stored` of the statement, when one was asked for by id.
    pub last_modified: Option<Timestamp>,
    /// The attachments, when they were asked for (`attachments=true`): then the answer is `multipart/mixed`, even
    /// when there are none.
    pub attachments: Option<Vec<AttachmentBytes>>,
}

impl Lrs {
    /// Answers `GET /statements`.
    ///
    /// # Errors
    /// [`Error::Invalid`] for parameters, [`Error::NotFound`] for an id, [`Error::Forbidden`], [`Error::Store`].
    pub fn get_statements(
        &self,
        caller: &Caller,
        version: Version,
        parameters: &[(String, String)],
        accept_language: Option<&str>,
    ) -> Result<StatementsAnswer, Error> {
        let reading = caller.reading()?;
        let query = Query::parse(parameters, version)?;
        if query.format == Format::Canonical {
            // Definitions follow with the tables.
            self.settle();
        }
        let view = self.view()?;
        let languages = Languages::parse(accept_language.unwrap_or_default());
        let mut server = Server::new(&view, query.format, languages, query.attachments);
        let mine = (reading == Reading::Mine).then_some(caller.credential.as_str());
        match &query.wanted {
            Wanted::One { id, voided } => {
                let found = one(&view, *id, *voided, mine)?;
                let (entry, body) = found.ok_or_else(|| {
                    let kind = if *voided {
                        "voided statement"
                    } else {
                        "statement"
                    };
                    Error::NotFound(format!("there is no {kind} {id}"))
                })?;
                let mut json = String::new();
                server.write(&entry, &body, body.json()?, &mut json)?;
                Ok(StatementsAnswer {
                    json,
                    last_modified: Some(entry.stored),
                    attachments: server.attachments(),
                })
            }
            Wanted::Many(_) => page(&view, &query, mine, &mut server),
        }
    }
}

fn one(
    view: &View,
    id: uuid::Uuid,
    voided: bool,
    mine: Option<&str>,
) -> Result<Option<(Entry, Body)>, Error> {
    let Some(sequence) = view.sequence_of(id)? else {
        return Ok(None);
    };
    let Some((entry, Some(body))) = view.line(sequence)? else {
        return Ok(None);
    };
    let is_seen = mine.is_none_or(|credential| credential == entry.credential)
        && is_voided(view, &entry, || Ok(view.complete(&entry, &body)?))? == voided;
    Ok(is_seen.then_some((entry, body)))
}

/// Whether some statement took this one back. A voiding statement cannot be taken back itself (Data 2.3.2).
fn is_voided(
    view: &View,
    entry: &Entry,
    read: impl FnOnce() -> Result<Option<Statement>, Error>,
) -> Result<bool, Error> {
    Ok(references::is_to_be_voided(view.snapshot(), entry.id)?
        && read()?.is_some_and(|statement| statement.voids().is_none()))
}

fn page(
    view: &View,
    query: &Query,
    mine: Option<&str>,
    server: &mut Server<'_>,
) -> Result<StatementsAnswer, Error> {
    let mut scan = Scan::new(view, query, mine)?;
    let limit = match query.limit {
        None => PAGE,
        Some(0) => MAX_PAGE,
        Some(limit) => limit.min(MAX_PAGE),
    };
    let mut json = String::from("{\"statements\":[");
    let (mut served, mut looks) = (0, 0);
    let mut go_on_at = None;
    while let Some(sequence) = scan.candidate()? {
        if served == limit || looks == MAX_LOOKS || json.len() + server.bytes() > PAGE_BYTES {
            go_on_at = Some(sequence);
            break;
        }
        looks += 1;
        scan.step(sequence);
        let Some((entry, Some(body))) = view.line(sequence)? else {
            continue;
        };
        if !scan.may_see(&entry) {
            continue;
        }
        let read = body.json()?;
        let statement = || Ok::<_, Error>(view.read(&entry, &body, &read)?);
        let is_wanted = scan.is_open()
            || match statement()? {
                Some(statement) => scan.matches(&statement)?,
                None => false,
            };
        if !is_wanted || is_voided(view, &entry, statement)? {
            continue;
        }
        if served > 0 {
            json.push(',');
        }
        server.write(&entry, &body, read, &mut json)?;
        served += 1;
    }
    json.push_str("],\"more\":\"");
    if let Some(sequence) = go_on_at {
        json.push_str(MORE_PATH);
        json.push_str(&query.more(sequence));
    }
    json.push_str("\"}");
    Ok(StatementsAnswer {
        json,
        last_modified: None,
        attachments: server.attachments(),
    })
}
