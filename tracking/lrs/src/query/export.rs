//! Statements out as a file: one a line (NDJSON), as an LRS serves them, those that were taken back among them. The file
//! can be read by any program, and `Lrs::import` reads it.
//!
//! The bytes of an attachment come before the first statement that names it, in a line of their own:
//! `{"attachment":{"sha2":…,"contentType":…,"data":…}}`, `data` in Base64. Whoever does not want them skips such lines.

use std::collections::HashSet;
use std::io::{self, Write};
use std::ops::RangeInclusive;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use lectern_xapi::Statement;
use lectern_xapi::form::Languages;
use serde::{Deserialize, Serialize};

use super::parameters::Format;
use super::serve::Server;
use crate::attachments::{AttachmentBytes, Named};
use crate::entry::Entry;
use crate::error::Error;
use crate::lrs::Lrs;
use crate::references;
use crate::view::View;

/// Statements read from one view of the store: a view that is held for long keeps what was freed since.
const STEP: u64 = 4_096;

/// Which statements, by when they were stored.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stored {
    /// Only after this.
    pub since: Option<Timestamp>,
    /// Only at this time or before.
    pub until: Option<Timestamp>,
}

impl Stored {
    /// On a day, UTC.
    #[must_use]
    pub fn on(day: jiff::civil::Date) -> Self {
        let before = day.yesterday().map(end_of);
        Self {
            since: before.ok(),
            until: Some(end_of(day)),
        }
    }
}

/// What a file holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Exported {
    /// Statements.
    pub statements: u64,
    /// Attachments, each counted once.
    pub attachments: u64,
}

/// A line with an attachment.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AttachmentLine {
    pub attachment: AttachmentData,
}

/// See the module.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AttachmentData {
    pub sha2: String,
    #[serde(rename = "contentType")]
    pub content_type: String,
    pub data: String,
}

impl Lrs {
    /// Writes statements to a file, oldest first: what is stored when this begins. Blocks.
    ///
    /// # Errors
    /// Those of `out`; the store's.
    pub fn export(
        &self,
        which: Stored,
        attachments: bool,
        out: &mut dyn Write,
    ) -> io::Result<Exported> {
        let mut exported = Exported::default();
        // By the first eight bytes: two that share them would be one chance in ten to the thirteenth for a million.
        let mut written: HashSet<u64> = HashSet::new();
        self.each_stored(which, &mut |view, _, statement, json| {
            if attachments {
                let mut named = Named::default();
                named.add(statement);
                for attachment in named.read(view.snapshot()) {
                    let attachment = attachment.map_err(io::Error::other)?;
                    if written.insert(short(&attachment.sha2)) {
                        serde_json::to_writer(&mut *out, &line_of(attachment))?;
                        out.write_all(b"\n")?;
                        exported.attachments += 1;
                    }
                }
            }
            out.write_all(json.as_bytes())?;
            out.write_all(b"\n")?;
            exported.statements += 1;
            Ok(())
        })?;
        Ok(exported)
    }

    /// The days (UTC) on which statements were stored that are here still, first to last. Blocks.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub fn days(&self, which: Stored) -> Result<Vec<jiff::civil::Date>, Error> {
        let view = self.view()?;
        let (mut from, end) = range(&view, which)?.into_inner();
        let mut days = Vec::new();
        while from <= end {
            let Some(entry) = view.entry(from)? else {
                break;
            };
            let day = entry.stored.to_zoned(jiff::tz::TimeZone::UTC).date();
            let last = view.up_to(end_of(day))?.min(end);
            for line in view.lines(from..last + 1) {
                // A day of which all was erased is none.
                if line?.1.is_some() {
                    days.push(day);
                    break;
                }
            }
            from = last + 1;
        }
        Ok(days)
    }

    /// Shows every statement, oldest first: whether it was taken back, and its JSON as an LRS serves it. Blocks.
    ///
    /// # Errors
    /// Those of `visit`; the store's.
    pub fn each(
        &self,
        which: Stored,
        visit: &mut dyn FnMut(&Entry, &Statement, bool, &str) -> io::Result<()>,
    ) -> io::Result<()> {
        self.each_stored(which, &mut |view, entry, statement, json| {
            // What takes back cannot be taken back.
            let is_voided = statement.voids().is_none()
                && references::is_to_be_voided(view.snapshot(), entry.id)
                    .map_err(io::Error::other)?;
            visit(entry, statement, is_voided, json)
        })
    }

    fn each_stored(
        &self,
        which: Stored,
        visit: &mut dyn FnMut(&View, &Entry, &Statement, &str) -> io::Result<()>,
    ) -> io::Result<()> {
        let view = self.view().map_err(io::Error::other)?;
        let (mut from, end) = range(&view, which).map_err(io::Error::other)?.into_inner();
        drop(view);
        let languages = Languages::parse("");
        let mut json = String::new();
        while from <= end {
            let view = self.view().map_err(io::Error::other)?;
            let mut server = Server::new(&view, Format::Exact, &languages, false);
            let to = from.saturating_add(STEP).min(end + 1);
            for line in view.lines(from..to) {
                let (entry, body) = line.map_err(io::Error::other)?;
                let Some(body) = body else { continue };
                let read = body.json().map_err(io::Error::other)?;
                let statement = view.read(&entry, &body, &read).map_err(io::Error::other)?;
                let Some(statement) = statement else { continue };
                json.clear();
                server
                    .write(&entry, &body, read, &mut json)
                    .map_err(io::Error::other)?;
                visit(&view, &entry, &statement, &json)?;
            }
            from = to;
        }
        Ok(())
    }
}

/// The last moment of a day, UTC.
fn end_of(day: jiff::civil::Date) -> Timestamp {
    let tomorrow = day
        .tomorrow()
        .and_then(|day| day.to_zoned(jiff::tz::TimeZone::UTC));
    tomorrow.map_or(Timestamp::MAX, |midnight| {
        let last = midnight
            .timestamp()
            .checked_sub(jiff::SignedDuration::from_nanos(1));
        last.unwrap_or(Timestamp::MAX)
    })
}

fn range(view: &View, which: Stored) -> Result<RangeInclusive<u64>, Error> {
    let from = match which.since {
        Some(since) => view.up_to(since)? + 1,
        None => 1,
    };
    let end = match which.until {
        Some(until) => view.up_to(until)?,
        None => view.head(),
    };
    Ok(from..=end)
}

fn short(sha2: &str) -> u64 {
    u64::from_str_radix(sha2.get(..16).unwrap_or_default(), 16).unwrap_or(0)
}

fn line_of(attachment: AttachmentBytes) -> AttachmentLine {
    AttachmentLine {
        attachment: AttachmentData {
            data: STANDARD.encode(&attachment.bytes),
            sha2: attachment.sha2,
            content_type: attachment.content_type,
        },
    }
}
