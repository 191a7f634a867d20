//! An export: all evidence in one text file that any machine can check (`lecternd verify FILE`), or any program: every
//! line is one JSON object, ended by a line feed.
//!
//! 1. The header: `{"lectern_evidence":1,"box":…,"made":…,"key":…,"bodies":…,"heads":N}`. `box` is the identity IRI, `key`
//!    the Ed25519 public key.
//! 2. `N` lines, the heads, first to last ([`Head`]; `key` is the SHA-256 of the public key). Before the entries, so that
//!    a reader who keeps them needs no more memory for a million entries than for ten.
//! 3. The entries, from 1 on: `{"sequence":…,"id":…,"stored":…,"credential":…,"body_hash":…,"link":…}`, then `"erased":true`
//!    where the body is gone; else, where the header says `bodies`, `"salt":…,"flags":…,"authority":…,"body":…`. How
//!    `body_hash` is made stands at [`WalkedBody::Here`], how a link at [`super::log::link`].
//! 4. The end: `{"entries":…,"sha256":…,"signature":…}`. `sha256` is that of all bytes before this line; signed are the
//!    lines `lectern-evidence-export/1`, `heads N`, `entries N`, `sha256 …`, each ended by a line feed. So a bit that
//!    changed after the export is found wherever it is, and a file that was cut off is not taken for whole.

use std::borrow::Cow;
use std::io::{self, BufRead, Read, Write};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::keeper::Error;
use super::{
    Broken, Fingerprint, Head, Hex, PublicKey, Report, SigningKey, Trust, Unfinished, Verifier,
    Walked, WalkedBody, walk,
};
use crate::lrs::Lrs;

const FORMAT: u32 = 1;
/// A statement of 32 MiB with every letter escaped.
const MAX_LINE_BYTES: u64 = 72 << 20;
/// Five hundred years of daily heads.
const MAX_HEADS: u64 = 200_000;
const END: &[u8] = b"{\"entries\":";

/// What an export holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Exported {
    /// Entries
    pub entries: u64,
    /// Heads
    pub heads: u64,
    /// Whether the statements themselves are in it
    pub bodies: bool,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header<'a> {
    lectern_evidence: u32,
    #[serde(rename = "box", borrow)]
    identity: Cow<'a, str>,
    made: Timestamp,
    key: PublicKey,
    bodies: bool,
    heads: u64,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct EntryLine<'a> {
    sequence: u64,
    id: Uuid,
    stored: Timestamp,
    #[serde(borrow)]
    credential: Cow<'a, str>,
    body_hash: Hex<32>,
    link: Hex<32>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    erased: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    salt: Option<Hex<16>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    flags: Option<u8>,
    #[serde(default, borrow, skip_serializing_if = "Option::is_none")]
    authority: Option<Cow<'a, str>>,
    #[serde(default, borrow, skip_serializing_if = "Option::is_none")]
    body: Option<Cow<'a, str>>,
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct End {
    entries: u64,
    sha256: Hex<32>,
    signature: Hex<64>,
}

impl End {
    fn text(heads: u64, entries: u64, sha256: &Hex<32>) -> String {
        format!("lectern-evidence-export/1\nheads {heads}\nentries {entries}\nsha256 {sha256}\n")
    }
}

/// What an export is made of, beside the log.
pub(super) struct Making<'a> {
    pub key: &'a SigningKey,
    pub heads: &'a [Head],
    pub identity: &'a str,
    pub bodies: bool,
    pub now: Timestamp,
}

/// Writes an export, an entry at a time. Blocking.
pub(super) fn write(lrs: &Lrs, making: &Making<'_>, to: &mut dyn Write) -> Result<Exported, Error> {
    let mut to = Hashed {
        to,
        hash: Sha256::new(),
    };
    let heads = making.heads.len() as u64;
    to.line(&Header {
        lectern_evidence: FORMAT,
        identity: making.identity.into(),
        made: making.now,
        key: making.key.public(),
        bodies: making.bodies,
        heads,
    })?;
    for head in making.heads {
        to.line(head)?;
    }
    let mut entries = 0;
    walk(lrs, 1, |entry| {
        entries += 1;
        let here = match &entry.body {
            WalkedBody::Here {
                salt,
                flags,
                authority,
                raw,
            } if making.bodies => Some((Hex(*salt), *flags, authority, raw)),
            _ => None,
        };
        to.line(&EntryLine {
            sequence: entry.sequence,
            id: entry.id,
            stored: entry.stored,
            credential: (&entry.credential).into(),
            body_hash: Hex(entry.body_hash),
            link: Hex(entry.link),
            erased: entry.body == WalkedBody::Erased,
            salt: here.map(|(salt, ..)| salt),
            flags: here.map(|(_, flags, ..)| flags),
            authority: here.map(|(_, _, authority, _)| authority.into()),
            body: here.map(|(.., raw)| raw.into()),
        })
    })?;
    let sha256 = Hex(to.hash.clone().finalize().into());
    let signature = making
        .key
        .sign(End::text(heads, entries, &sha256).as_bytes());
    to.line(&End {
        entries,
        sha256,
        signature,
    })?;
    to.to.flush()?;
    Ok(Exported {
        entries,
        heads,
        bodies: making.bodies,
    })
}

struct Hashed<'a> {
    to: &'a mut dyn Write,
    hash: Sha256,
}

impl Hashed<'_> {
    fn line(&mut self, value: &impl Serialize) -> Result<(), Error> {
        let mut line = serde_json::to_vec(value).map_err(io::Error::other)?;
        line.push(b'\n');
        self.hash.update(&line);
        Ok(self.to.write_all(&line)?)
    }
}

/// Reads an export and judges it, a line at a time; `looked_at` is told the entries so far. Blocking.
///
/// # Errors
/// [`Error::Broken`], or the file cannot be read.
pub fn verify_export(
    from: &mut dyn BufRead,
    expected: Option<Fingerprint>,
    head: Option<Hex<32>>,
    looked_at: &mut dyn FnMut(u64),
) -> Result<Report, Error> {
    let mut lines = Lines {
        from,
        line: Vec::new(),
        number: 0,
        hash: Sha256::new(),
        before: Sha256::new(),
    };
    if !lines.next()? {
        return Err(lines.broken("is missing: the file is empty"));
    }
    let header: Header<'_> = lines.parse("is no header of evidence")?;
    if header.lectern_evidence != FORMAT {
        return Err(lines.broken("has a format that this Lectern does not know: update it first"));
    }
    if header.heads > MAX_HEADS {
        return Err(lines.broken("promises more heads than an export may have"));
    }
    let (key, count, with_bodies) = (header.key, header.heads, header.bodies);
    let mut heads: Vec<Head> = Vec::new();
    for _ in 0..count {
        if !lines.next()? {
            return Err(lines.broken("is missing: the file was cut off"));
        }
        heads.push(lines.parse("is no signed head, though the header promises one")?);
    }
    let trust = Trust {
        key: Some(key),
        expected,
        head,
        heads: None,
    };
    // An export is signed as a whole, so a fingerprint can be asked for though there is no head in it.
    let trust = match (heads.is_empty(), expected) {
        (true, Some(expected)) if key.fingerprint() == expected => Trust {
            expected: None,
            ..trust
        },
        _ => trust,
    };
    let mut verifier = Verifier::new(heads, &trust)?;
    let mut link = [0; 32];
    let mut entries = 0;
    loop {
        if !lines.next()? {
            let cut = lines.cut("is missing: the file was cut off before its signed end");
            return Err(verifier.unfinished(cut).into());
        }
        if lines.line.starts_with(END) {
            break;
        }
        let entry = lines
            .parse("is no record")
            .and_then(|line| lines.entry(line, link, with_bodies))
            .map_err(|error| match error {
                Error::Broken(inner) => Error::from(verifier.unfinished(inner.broken)),
                other => other,
            })?;
        link = entry.link;
        verifier.entry(&entry)?;
        entries += 1;
        looked_at(entries);
    }
    let end: End = lines.parse("is no end of an export")?;
    let sha256 = Hex(lines.before.clone().finalize().into());
    let fault = if lines.line != serde_json::to_vec(&end).map_err(io::Error::other)? {
        Some("is not written as an export's end is: it was changed")
    } else if end.sha256 != sha256 {
        Some("does not name the hash of the lines before it: something in the file was changed")
    } else if end.entries != entries {
        Some("counts other records than there are: something in the file was changed")
    } else if !key.has_signed(
        End::text(count, entries, &sha256).as_bytes(),
        &end.signature,
    ) {
        Some("is not signed with the box's key: the file was made anew or changed")
    } else {
        None
    };
    let fault = fault.map(|fault| lines.cut(fault));
    let fault = match lines.next()? {
        true => fault.or_else(|| Some(lines.cut("stands behind the end of the export"))),
        false => fault,
    };
    // A head whose record is not there says more than a hash that does not fit.
    let report = verifier.finish()?;
    match fault {
        Some(broken) => Err(Box::new(Unfinished { broken, report }).into()),
        None => Ok(report),
    }
}

/// The lines of a file, hashed as they are read.
struct Lines<'a> {
    from: &'a mut dyn BufRead,
    /// The line, without its end
    line: Vec<u8>,
    number: u64,
    /// Of all lines, with this one
    hash: Sha256,
    /// Of all lines before this one
    before: Sha256,
}

impl Lines<'_> {
    /// Goes to the next line; whether there is one.
    fn next(&mut self) -> Result<bool, Error> {
        self.line.clear();
        self.number += 1;
        self.before.clone_from(&self.hash);
        let mut bounded = (&mut *self.from).take(MAX_LINE_BYTES);
        if bounded.read_until(b'\n', &mut self.line)? == 0 {
            return Ok(false);
        }
        self.hash.update(&self.line);
        if self.line.pop() != Some(b'\n') {
            return Err(self.broken("has no end: it is too long, or the file was cut off"));
        }
        Ok(true)
    }

    fn parse<'l, T: Deserialize<'l>>(&'l self, otherwise: &str) -> Result<T, Error> {
        serde_json::from_slice(&self.line)
            .map_err(|error| self.broken(&format!("{otherwise}: {error}")))
    }

    fn entry(
        &self,
        line: EntryLine<'_>,
        previous: [u8; 32],
        with_bodies: bool,
    ) -> Result<Walked, Error> {
        let body = match (
            line.erased,
            line.salt,
            line.flags,
            line.authority,
            line.body,
        ) {
            (true, None, None, None, None) => WalkedBody::Erased,
            (false, None, None, None, None) if !with_bodies => WalkedBody::LeftOut,
            (false, Some(salt), Some(flags), Some(authority), Some(body)) if with_bodies => {
                WalkedBody::Here {
                    salt: salt.0,
                    flags,
                    authority: authority.into_owned(),
                    raw: body.into_owned(),
                }
            }
            _ => {
                return Err(self.broken("lacks its body, or has one that should not be there"));
            }
        };
        Ok(Walked {
            sequence: line.sequence,
            id: line.id,
            stored: line.stored,
            credential: line.credential.into_owned(),
            body_hash: line.body_hash.0,
            previous,
            link: line.link.0,
            body,
        })
    }

    fn cut(&self, what: &str) -> Broken {
        Broken::Line {
            line: self.number,
            what: what.to_owned(),
        }
    }

    /// It does not hold, and nothing was learnt yet.
    fn broken(&self, what: &str) -> Error {
        Error::Broken(Box::new(Unfinished {
            broken: self.cut(what),
            report: Report::default(),
        }))
    }
}
