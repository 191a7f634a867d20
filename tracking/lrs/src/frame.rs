//! A batch as it lies in the journal: everything that the tables will need of it.

use jiff::Timestamp;
use lectern_store::Corrupt;
use lectern_store::wire::{Reader, Writer};
use uuid::Uuid;

use crate::body::{Body, authority_number};
use crate::entry::Entry;
use crate::log::Line;

/// Lines of one request, in order; they share credential and authority.
pub(crate) fn write<'l>(
    authority: &str,
    lines: impl ExactSizeIterator<Item = &'l Line> + Clone,
) -> Vec<u8> {
    let first = lines.clone().next().map(|line| &line.entry);
    let text = |line: &Line| line.body.as_ref().map_or(0, |body| body.raw.len() + 48);
    let mut out = Writer::new();
    out.number(first.map_or(0, |entry| entry.sequence));
    out.text(first.map_or("", |entry| entry.credential.as_str()));
    out.text(authority);
    out.number(lines.len() as u64);
    out.reserve(lines.clone().map(text).sum());
    for line in lines {
        out.bytes(line.entry.id.as_bytes());
        out.signed(line.entry.stored.as_microsecond());
        if let Some(body) = &line.body {
            out.bytes(&[body.flags()]);
            out.bytes(&body.salt);
            out.text(&body.raw);
        }
    }
    out.finish()
}

/// The authority, the entries and their bodies.
pub(crate) fn read(bytes: &[u8]) -> Result<(String, Vec<(Entry, Body)>), Corrupt> {
    let mut from = Reader::new(bytes)?;
    let first = from.number()?;
    let credential = from.text()?.to_owned();
    let authority = from.text()?.to_owned();
    let number = authority_number(&authority);
    let mut lines = Vec::new();
    for index in 0..from.number()? {
        let id = Uuid::from_bytes(from.array()?);
        let stored = Timestamp::from_microsecond(from.signed()?)
            .map_err(|error| Corrupt(error.to_string()))?;
        let [flags] = from.array()?;
        let (version, defines) = Body::read_flags(flags);
        let entry = Entry {
            sequence: first
                .checked_add(index)
                .ok_or_else(|| Corrupt("a number past all numbers".to_owned()))?,
            id,
            stored,
            credential: credential.clone(),
            defines,
        };
        let body = Body {
            version,
            defines,
            authority: number,
            salt: from.array()?,
            raw: from.text()?.to_owned(),
        };
        lines.push((entry, body));
    }
    Ok((authority, lines))
}
