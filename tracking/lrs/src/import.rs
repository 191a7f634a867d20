//! Statements in from a file: one a line (NDJSON), with lines of attachments between them (`query/export`). A line that
//! cannot be taken is named with its number and holds up no other.

use std::fmt;
use std::io::{self, BufRead, Read};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use lectern_xapi::Version;
use serde::Serialize;

use crate::attachments::{self, AttachmentBytes};
use crate::caller::Caller;
use crate::error::Error;
use crate::intake::Taken;
use crate::lrs::Lrs;
use crate::query::AttachmentLine;

/// An attachment of 32 MiB in Base64, and what is around it; a longer line is refused without being kept.
const MAX_LINE_BYTES: u64 = 48 << 20;
/// Lines, and bytes, taken in at once.
const MAX_LINES: usize = 500;
const MAX_BYTES: usize = 8 << 20;
/// Bytes of attachments that may wait for the statement that names them.
const MAX_WAITING_BYTES: usize = 256 << 20;
/// Lines that are named when they were refused; those beyond are counted.
const MAX_NAMED: usize = 100;

/// What became of a file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Imported {
    /// Lines that are no empty ones.
    pub lines: u64,
    /// Statements stored now.
    pub stored: u64,
    /// Statements that were here already.
    pub known: u64,
    /// Lines that could not be taken.
    pub refused: u64,
    /// The first of these.
    pub problems: Vec<Problem>,
}

/// In a few words, for the audit log.
impl fmt::Display for Imported {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            stored,
            known,
            refused,
            ..
        } = self;
        write!(to, "{stored} stored, {known} known, {refused} refused")
    }
}

/// A line that could not be taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// Its number, from 1.
    pub line: u64,
    /// Why.
    pub reason: String,
}

/// Why a file was not read to its end. What came before the line is taken and stays; the file can be given again.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The file.
    #[error(
        "line {line} could not be read ({error}): what came before is taken; give the whole file again"
    )]
    Unreadable {
        /// Its number, from 1.
        line: u64,
        /// What reading it said.
        error: io::Error,
    },
    /// The record: the disk, most often.
    #[error(transparent)]
    Record(#[from] Error),
}

/// An import under way.
struct Import<'l> {
    lrs: &'l Lrs,
    caller: &'l Caller,
    version: Version,
    report: Imported,
    numbers: Vec<u64>,
    texts: Vec<String>,
    attachments: Vec<AttachmentBytes>,
    /// How many of these came before the last of `texts`; those behind belong to what comes next.
    claimed: usize,
    /// Of texts and attachments.
    bytes: usize,
}

impl Lrs {
    /// Reads a file to its end and takes in what it holds; `version` is that of statements which do not say theirs. What is
    /// counted is durable when it returns; a file can be imported again. Blocks, within a runtime.
    ///
    /// # Errors
    /// See [`ImportError`].
    pub fn import(
        &self,
        caller: &Caller,
        version: Version,
        from: &mut dyn BufRead,
    ) -> Result<Imported, ImportError> {
        let mut import = Import {
            lrs: self,
            caller,
            version,
            report: Imported::default(),
            numbers: Vec::new(),
            texts: Vec::new(),
            attachments: Vec::new(),
            claimed: 0,
            bytes: 0,
        };
        let mut number = 0;
        let mut line = Vec::new();
        loop {
            number += 1;
            let is_whole = match read_line(from, &mut line) {
                Ok(None) => break,
                Ok(Some(is_whole)) => is_whole,
                Err(error) => {
                    import.flush()?;
                    return Err(ImportError::Unreadable {
                        line: number,
                        error,
                    });
                }
            };
            match is_whole {
                true => import.line(number, &line),
                false => {
                    import.report.lines += 1;
                    import.refuse(number, format!("is longer than {MAX_LINE_BYTES} bytes"));
                }
            }
            if import.texts.len() >= MAX_LINES || import.bytes >= MAX_BYTES {
                import.flush()?;
            }
            if import.bytes > MAX_WAITING_BYTES {
                import.drop_waiting(number);
            }
        }
        import.flush()?;
        import.report.problems.sort_by_key(|problem| problem.line);
        Ok(import.report)
    }
}

/// The next line without its end; whether it is whole. `None` at the end.
fn read_line(from: &mut dyn BufRead, line: &mut Vec<u8>) -> io::Result<Option<bool>> {
    line.clear();
    if from.take(MAX_LINE_BYTES + 1).read_until(b'\n', line)? == 0 {
        return Ok(None);
    }
    if line.last() == Some(&b'\n') {
        line.pop();
        if line.last() == Some(&b'\r') {
            line.pop();
        }
        return Ok(Some(true));
    }
    if line.len() as u64 <= MAX_LINE_BYTES {
        return Ok(Some(true));
    }
    // The rest of it is read past.
    line.clear();
    loop {
        let buffer = from.fill_buf()?;
        if buffer.is_empty() {
            return Ok(Some(false));
        }
        let end = buffer.iter().position(|byte| *byte == b'\n');
        let length = end.map_or(buffer.len(), |end| end + 1);
        from.consume(length);
        if end.is_some() {
            return Ok(Some(false));
        }
    }
}

impl Import<'_> {
    fn line(&mut self, number: u64, line: &[u8]) {
        let Ok(text) = std::str::from_utf8(line) else {
            self.report.lines += 1;
            return self.refuse(number, "is no UTF-8".to_owned());
        };
        let text = text.trim_start_matches('\u{feff}').trim();
        if text.is_empty() {
            return;
        }
        self.report.lines += 1;
        if text.starts_with("{\"attachment\":") {
            match attachment(text) {
                Ok(attachment) => {
                    self.bytes += attachment.bytes.len();
                    self.attachments.push(attachment);
                }
                Err(reason) => self.refuse(number, reason),
            }
            return;
        }
        self.bytes += text.len();
        self.numbers.push(number);
        self.texts.push(text.to_owned());
        self.claimed = self.attachments.len();
    }

    /// Attachments without end, and no statement that names them.
    fn drop_waiting(&mut self, number: u64) {
        self.attachments.clear();
        (self.claimed, self.bytes) = (0, 0);
        let reason = "is an attachment too many: no statement came for those before it";
        self.refuse(number, reason.to_owned());
    }

    fn refuse(&mut self, line: u64, reason: String) {
        self.report.refused += 1;
        if self.report.problems.len() < MAX_NAMED {
            self.report.problems.push(Problem { line, reason });
        }
    }

    fn flush(&mut self) -> Result<(), Error> {
        let texts = std::mem::take(&mut self.texts);
        if texts.is_empty() {
            return Ok(());
        }
        let numbers = std::mem::take(&mut self.numbers);
        let waiting = self
            .attachments
            .split_off(std::mem::take(&mut self.claimed));
        let came = std::mem::replace(&mut self.attachments, waiting);
        self.bytes = self.attachments.iter().map(|bytes| bytes.bytes.len()).sum();
        let taking = self.lrs.take_in(self.caller, self.version, texts, came);
        let taken = tokio::runtime::Handle::current().block_on(taking)?;
        for (number, taken) in numbers.into_iter().zip(taken) {
            match taken {
                Taken::Stored => self.report.stored += 1,
                Taken::Known => self.report.known += 1,
                Taken::Refused(reason) => self.refuse(number, reason),
            }
        }
        Ok(())
    }
}

fn attachment(text: &str) -> Result<AttachmentBytes, String> {
    let line: AttachmentLine =
        serde_json::from_str(text).map_err(|error| format!("is no attachment: {error}"))?;
    let data = line.attachment;
    let bytes = STANDARD
        .decode(&data.data)
        .map_err(|_| "is an attachment whose data is no Base64".to_owned())?;
    let sha2 = data.sha2.to_ascii_lowercase();
    if !attachments::is_sha2_of(&sha2, &bytes) {
        return Err("is an attachment whose bytes do not have its sha2".to_owned());
    }
    Ok(AttachmentBytes {
        sha2,
        content_type: data.content_type,
        bytes,
    })
}
