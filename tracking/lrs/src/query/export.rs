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
use crate::body::Body;
use crate::entry::Entry;
use crate::error::Error;
use crate::lrs::Lrs;
use crate::references;
use crate::view::View;

/// Statements, and bytes of them and their attachments, read from one view of the store. A view keeps what was freed since
/// it was taken, so none is held while something is written: whoever takes a file slowly, or stops, holds up nothing.
const STEP_STATEMENTS: u64 = 1_024;
const STEP_BYTES: usize = 4 << 20;

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

    /// Whether some moment of a day (UTC) is among them.
    #[must_use]
    pub fn touches(&self, day: jiff::civil::Date) -> bool {
        let of_day = Self::on(day);
        let ends_later = self.since.is_none_or(|since| of_day.until > Some(since));
        let begins_earlier = self.until.is_none_or(|until| of_day.since < Some(until));
        ends_later && begins_earlier
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
        let read = |view: &View, server: &mut Server<'_>, entry: &Entry, body: &Body| {
            let json = body.json()?;
            let mut before = Vec::new();
            if attachments
                && body.raw.contains("\"attachments\"")
                && let Some(statement) = view.read(entry, body, &json)?
            {
                let mut named = Named::default();
                named.add(&statement);
                named.retain(|sha2| written.insert(short(sha2)));
                before = named.read(view.snapshot()).collect::<Result<_, _>>()?;
            }
            let mut line = String::new();
            server.write(entry, body, json, &mut line)?;
            let bytes = before.iter().map(|one| one.bytes.len()).sum::<usize>() + line.len();
            Ok(Some(((before, line), bytes)))
        };
        self.in_steps(
            which,
            read,
            |(before, line): (Vec<AttachmentBytes>, String)| {
                for attachment in before {
                    serde_json::to_writer(&mut *out, &line_of(attachment))?;
                    out.write_all(b"\n")?;
                    exported.attachments += 1;
                }
                out.write_all(line.as_bytes())?;
                out.write_all(b"\n")?;
                exported.statements += 1;
                Ok(())
            },
        )?;
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
        let read = |view: &View, server: &mut Server<'_>, entry: &Entry, body: &Body| {
            let json = body.json()?;
            let Some(mut statement) = view.read(entry, body, &json)? else {
                return Ok(None);
            };
            // As its JSON says below: what came without one has that under which it came.
            let version = statement.version.take();
            statement.version = version.or_else(|| Some(body.version.of_statement().to_owned()));
            // What takes back cannot be taken back.
            let is_voided = statement.voids().is_none()
                && references::is_to_be_voided(view.snapshot(), entry.id)?;
            let mut line = String::new();
            server.write(entry, body, json, &mut line)?;
            let bytes = line.len();
            Ok(Some(((entry.clone(), statement, is_voided, line), bytes)))
        };
        self.in_steps(which, read, |(entry, statement, is_voided, line)| {
            visit(&entry, &statement, is_voided, &line)
        })
    }

    /// Reads some statements, gives the view back, and only then shows what was made of each; `read` says how many bytes
    /// that is.
    fn in_steps<T>(
        &self,
        which: Stored,
        mut read: impl FnMut(&View, &mut Server<'_>, &Entry, &Body) -> Result<Option<(T, usize)>, Error>,
        mut visit: impl FnMut(T) -> io::Result<()>,
    ) -> io::Result<()> {
        let view = self.view().map_err(io::Error::other)?;
        let (mut from, end) = range(&view, which).map_err(io::Error::other)?.into_inner();
        drop(view);
        let languages = Languages::parse("");
        let mut step = || -> Result<Option<Vec<T>>, Error> {
            if from > end {
                return Ok(None);
            }
            let view = self.view()?;
            let mut server = Server::new(&view, Format::Exact, &languages, false);
            let mut reached = from.saturating_add(STEP_STATEMENTS).min(end + 1);
            let (mut found, mut bytes) = (Vec::new(), 0);
            for line in view.lines(from..reached) {
                let (entry, body) = line?;
                let Some(body) = body else { continue };
                let Some((one, size)) = read(&view, &mut server, &entry, &body)? else {
                    continue;
                };
                found.push(one);
                bytes += size;
                if bytes >= STEP_BYTES {
                    reached = entry.sequence + 1;
                    break;
                }
            }
            from = reached;
            Ok(Some(found))
        };
        while let Some(found) = step().map_err(io::Error::other)? {
            found.into_iter().try_for_each(&mut visit)?;
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
