//! `GET /statements` (Comm 2.1.3): parameters in, served statements out. Works on one view, never waits for the
//! writer; blocks, so async callers put it on a blocking thread.

mod export;
mod parameters;
mod scan;
mod serve;

pub(crate) use export::AttachmentLine;
pub use export::{Exported, Stored};

use std::io;

use jiff::Timestamp;
use lectern_store::Error as StoreError;
use lectern_xapi::form::Languages;
use lectern_xapi::{Invalid, Statement, Version, multipart};

use crate::attachments::{self, AttachmentBytes, new_boundary};
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
const PAGE: usize = 50;
const MAX_PAGE: usize = 500;
/// A page ends early when it holds more than this.
const PAGE_BYTES: usize = 4 * 1024 * 1024;
/// Candidates looked at for one page; a page that needs more ends early and goes on with `more`.
const MAX_LOOKS: usize = 20_000;

/// The answer to `GET /statements`, whole.
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

/// What `GET /statements` found, before it is written: as of the moment it was asked for.
pub struct Found {
    view: View,
    query: Query,
    languages: Languages,
    /// The credential, of one who sees only what it wrote.
    mine: Option<String>,
    one: Option<(Entry, Body)>,
    /// Between the parts of an answer with attachments.
    boundary: Option<String>,
}

impl Lrs {
    /// Answers `GET /statements`, in memory.
    ///
    /// # Errors
    /// As [`Self::find_statements`].
    pub fn get_statements(
        &self,
        caller: &Caller,
        version: Version,
        parameters: &[(String, String)],
        accept_language: Option<&str>,
    ) -> Result<StatementsAnswer, Error> {
        let found = self.find_statements(caller, version, parameters, accept_language)?;
        let mut server = found.server();
        let mut json = Vec::new();
        found.write_statements(&mut server, &mut json)?;
        let attachments = server.attachments().map(Iterator::collect).transpose()?;
        Ok(StatementsAnswer {
            json: String::from_utf8(json).map_err(|error| Cut::Out(io::Error::other(error)))?,
            last_modified: found.last_modified(),
            attachments,
        })
    }

    /// Looks for what `GET /statements` asks for. All that can be refused is refused here.
    ///
    /// # Errors
    /// [`Error::Invalid`] for parameters, [`Error::NotFound`] for an id, [`Error::Forbidden`], [`Error::Store`].
    pub fn find_statements(
        &self,
        caller: &Caller,
        version: Version,
        parameters: &[(String, String)],
        accept_language: Option<&str>,
    ) -> Result<Found, Error> {
        let reading = caller.reading()?;
        let query = Query::parse(parameters, version)?;
        if query.format == Format::Canonical {
            // Definitions follow with the tables.
            self.settle();
        }
        let view = self.view()?;
        let mine = (reading == Reading::Mine).then(|| caller.credential.clone());
        let one = match &query.wanted {
            Wanted::One { id, voided } => {
                let found = one(&view, *id, *voided, mine.as_deref())?;
                Some(found.ok_or_else(|| {
                    let kind = if *voided {
                        "voided statement"
                    } else {
                        "statement"
                    };
                    Error::NotFound(format!("there is no {kind} {id}"))
                })?)
            }
            Wanted::Many(_) => None,
        };
        Ok(Found {
            boundary: query.attachments.then(new_boundary),
            languages: Languages::parse(accept_language.unwrap_or_default()),
            view,
            query,
            mine,
            one,
        })
    }
}

/// Why an answer ends early.
enum Cut {
    Records(Error),
    Out(io::Error),
}

impl From<Error> for Cut {
    fn from(error: Error) -> Self {
        Self::Records(error)
    }
}

impl From<Invalid> for Cut {
    fn from(error: Invalid) -> Self {
        Self::Records(error.into())
    }
}

impl From<StoreError> for Cut {
    fn from(error: StoreError) -> Self {
        Self::Records(error.into())
    }
}

impl From<Cut> for io::Error {
    fn from(cut: Cut) -> Self {
        match cut {
            Cut::Records(error) => Self::other(error),
            Cut::Out(error) => error,
        }
    }
}

impl From<Cut> for Error {
    fn from(cut: Cut) -> Self {
        match cut {
            Cut::Records(error) => error,
            Cut::Out(error) => Self::Store(error.into()),
        }
    }
}

impl Found {
    /// `stored` of the statement, when one was asked for by id.
    #[must_use]
    pub fn last_modified(&self) -> Option<Timestamp> {
        self.one.as_ref().map(|(entry, _)| entry.stored)
    }

    /// The statement as it was received, when one was asked for by id.
    #[must_use]
    pub fn received(&self) -> Option<&str> {
        self.one.as_ref().map(|(_, body)| body.raw.as_str())
    }

    /// The answer's `Content-Type`.
    #[must_use]
    pub fn content_type(&self) -> String {
        match &self.boundary {
            Some(boundary) => format!("multipart/mixed; boundary={boundary}"),
            None => "application/json".to_owned(),
        }
    }

    /// Writes the answer, a statement after the other, then the attachments: never the whole of it is in memory. Blocks.
    ///
    /// # Errors
    /// Those of `out`, and the store's: then what was written is no answer.
    pub fn write(&self, out: &mut dyn io::Write) -> io::Result<()> {
        let mut server = self.server();
        let Some(boundary) = &self.boundary else {
            return Ok(self.write_statements(&mut server, out)?);
        };
        let mut part = Vec::new();
        multipart::begin(&mut part, boundary, &[("Content-Type", "application/json")]);
        out.write_all(&part)?;
        self.write_statements(&mut server, out)?;
        out.write_all(multipart::END_OF_PART)?;
        for attachment in server.attachments().into_iter().flatten() {
            part.clear();
            attachments::write_part(&mut part, boundary, &attachment.map_err(io::Error::other)?);
            out.write_all(&part)?;
        }
        part.clear();
        multipart::end(&mut part, boundary);
        out.write_all(&part)
    }

    fn server(&self) -> Server<'_> {
        let attachments = self.boundary.is_some();
        Server::new(&self.view, self.query.format, &self.languages, attachments)
    }

    fn write_statements(
        &self,
        server: &mut Server<'_>,
        out: &mut dyn io::Write,
    ) -> Result<(), Cut> {
        let Some((entry, body)) = &self.one else {
            return page(&self.view, &self.query, self.mine.as_deref(), server, out);
        };
        let mut json = String::new();
        server.write(entry, body, body.json()?, &mut json)?;
        out.write_all(json.as_bytes()).map_err(Cut::Out)
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
    out: &mut dyn io::Write,
) -> Result<(), Cut> {
    let mut scan = Scan::new(view, query, mine)?;
    let limit = match query.limit {
        None => PAGE,
        Some(0) => MAX_PAGE,
        Some(limit) => limit.min(MAX_PAGE),
    };
    let mut json = String::from("{\"statements\":[");
    let (mut served, mut looks, mut bytes) = (0, 0, 0);
    let mut go_on_at = None;
    while let Some(sequence) = scan.candidate()? {
        if served == limit || looks == MAX_LOOKS || bytes + server.bytes() > PAGE_BYTES {
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
        bytes += json.len();
        out.write_all(json.as_bytes()).map_err(Cut::Out)?;
        json.clear();
    }
    json.push_str("],\"more\":\"");
    if let Some(sequence) = go_on_at {
        json.push_str(MORE_PATH);
        json.push_str(&query.more(sequence));
    }
    json.push_str("\"}");
    out.write_all(json.as_bytes()).map_err(Cut::Out)
}
