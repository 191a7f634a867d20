//! A block of the log as bytes: who, when and which in clear, the texts together under one compression, because
//! statements are much alike.
//!
//! | field | bytes |
//! |---|---|
//! | format | 1 |
//! | entries | number |
//! | link before the first, link of the last | 32 + 32 |
//! | `stored` of the first, microseconds | signed number |
//! | credentials, authorities | number, then each |
//! | for each entry: id, `stored` less the one before, flags, credential, authority | 16, 3 numbers, a byte |
//! | … and its salt and the length of its text, or the hash of an erased one | 16 and number, or 32 |
//! | texts, zstd | the rest |

use std::cell::RefCell;
use std::ops::Range;

use jiff::Timestamp;
use lectern_store::Corrupt;
use lectern_store::wire::{Reader, Writer};
use uuid::Uuid;

use super::Line;
use crate::body::Body;
use crate::entry::{Entry, Hash};

/// Set in an entry's flags when its body is gone.
const ERASED: u8 = 0x80;
/// Entries in a block at most.
pub(crate) const MAX_ENTRIES: usize = 4096;
/// Texts of one block together at most: what claims more is damaged.
const MAX_TEXT_BYTES: u64 = 64 << 20;
const LEVEL: i32 = 1;

/// A block, read.
#[derive(Debug)]
pub(crate) struct Block {
    first: u64,
    /// The link before the first entry.
    pub previous: Hash,
    /// The link of the last entry.
    pub last: Hash,
    rows: Vec<Row>,
    credentials: Vec<String>,
    authorities: Vec<u128>,
    text: String,
}

#[derive(Debug)]
struct Row {
    id: Uuid,
    stored: Timestamp,
    flags: u8,
    credential: usize,
    authority: usize,
    body: Kept,
}

#[derive(Debug)]
enum Kept {
    Here { salt: [u8; 16], text: Range<usize> },
    Erased(Hash),
}

impl Block {
    /// The number of its last entry.
    pub fn end(&self) -> u64 {
        self.first + (self.rows.len() as u64).saturating_sub(1)
    }

    pub fn first(&self) -> u64 {
        self.first
    }

    pub fn entry(&self, sequence: u64) -> Option<Entry> {
        let row = self.row(sequence)?;
        Some(Entry {
            sequence,
            id: row.id,
            stored: row.stored,
            credential: self.credentials.get(row.credential)?.clone(),
            defines: matches!(row.body, Kept::Here { .. }) && Body::read_flags(row.flags).1,
        })
    }

    pub fn body(&self, sequence: u64) -> Option<Body> {
        let row = self.row(sequence)?;
        let Kept::Here { salt, text } = &row.body else {
            return None;
        };
        let (version, defines) = Body::read_flags(row.flags);
        Some(Body {
            version,
            defines,
            authority: *self.authorities.get(row.authority)?,
            salt: *salt,
            raw: self.text.get(text.clone())?.to_owned(),
        })
    }

    /// All its lines; the links are computed, not read.
    pub fn lines(&self) -> Vec<Line> {
        let mut previous = self.previous;
        let sequences = self.first..=self.end();
        let mut lines = Vec::with_capacity(self.rows.len());
        for (sequence, row) in sequences.zip(&self.rows) {
            let Some(entry) = self.entry(sequence) else {
                break;
            };
            let body = self.body(sequence);
            let body_hash = match (&row.body, &body) {
                (Kept::Erased(hash), _) => *hash,
                (Kept::Here { .. }, Some(body)) => body.hash(),
                // Decoding made sure that there is one.
                (Kept::Here { .. }, None) => [0; 32],
            };
            let link = entry.link(&body_hash, &previous);
            previous = link;
            lines.push(Line {
                entry,
                body,
                body_hash,
                link,
            });
        }
        lines
    }

    /// `stored` of the first entry, without reading the rest.
    pub fn first_stored(bytes: &[u8]) -> Result<Timestamp, Corrupt> {
        let mut from = Reader::new(bytes)?;
        from.number()?;
        from.array::<64>()?;
        time(from.signed()?)
    }

    pub fn decode(first: u64, bytes: &[u8]) -> Result<Self, Corrupt> {
        let mut from = Reader::new(bytes)?;
        let count = bounded(from.number()?)?;
        let (previous, last) = (from.array()?, from.array()?);
        let mut stored = from.signed()?;
        let mut credentials = Vec::new();
        for _ in 0..bounded(from.number()?)? {
            credentials.push(from.text()?.to_owned());
        }
        let mut authorities = Vec::new();
        for _ in 0..bounded(from.number()?)? {
            authorities.push(u128::from_be_bytes(from.array()?));
        }
        let mut rows = Vec::with_capacity(count);
        let mut at = 0_u64;
        for _ in 0..count {
            let id = Uuid::from_bytes(from.array()?);
            stored = stored
                .checked_add_unsigned(from.number()?)
                .ok_or_else(|| Corrupt("a time past all times".to_owned()))?;
            let [flags] = from.array()?;
            let (credential, authority) = (bounded(from.number()?)?, bounded(from.number()?)?);
            if credential >= credentials.len() || authority >= authorities.len() {
                return Err(Corrupt("an entry of nobody".to_owned()));
            }
            let body = if flags & ERASED == 0 {
                let (salt, length) = (from.array()?, from.number()?);
                let end = at
                    .checked_add(length)
                    .filter(|end| *end <= MAX_TEXT_BYTES)
                    .ok_or_else(|| Corrupt("texts that are too long".to_owned()))?;
                let text = at as usize..end as usize;
                at = end;
                Kept::Here { salt, text }
            } else {
                Kept::Erased(from.array()?)
            };
            rows.push(Row {
                id,
                stored: time(stored)?,
                flags,
                credential,
                authority,
                body,
            });
        }
        let text = decompress(from.rest(), at as usize)?;
        let is_cut = |row: &Row| match &row.body {
            Kept::Here { text: range, .. } => text.get(range.clone()).is_none(),
            Kept::Erased(_) => false,
        };
        if rows.is_empty() || rows.iter().any(is_cut) {
            return Err(Corrupt("entries that do not fit their texts".to_owned()));
        }
        Ok(Self {
            first,
            previous,
            last,
            rows,
            credentials,
            authorities,
            text,
        })
    }

    fn row(&self, sequence: u64) -> Option<&Row> {
        let index = usize::try_from(sequence.checked_sub(self.first)?).ok()?;
        self.rows.get(index)
    }
}

/// Lines as bytes; `previous` is the link before the first of them.
pub(crate) fn encode<'l>(
    previous: &Hash,
    lines: impl ExactSizeIterator<Item = &'l Line> + Clone,
) -> Vec<u8> {
    let mut out = Writer::new();
    out.number(lines.len() as u64);
    out.bytes(previous);
    out.bytes(lines.clone().last().map_or(previous, |line| &line.link));
    let first = lines.clone().next().map_or(0, stored);
    out.signed(first);
    let (mut credentials, mut authorities) = (Vec::<&str>::new(), Vec::<u128>::new());
    for line in lines.clone() {
        if !credentials.contains(&line.entry.credential.as_str()) {
            credentials.push(&line.entry.credential);
        }
        let authority = line.body.as_ref().map_or(0, |body| body.authority);
        if !authorities.contains(&authority) {
            authorities.push(authority);
        }
    }
    out.number(credentials.len() as u64);
    credentials.iter().for_each(|text| out.text(text));
    out.number(authorities.len() as u64);
    for number in &authorities {
        out.bytes(&number.to_be_bytes());
    }
    let mut text = Vec::new();
    let mut before = first;
    for line in lines {
        let at = stored(line);
        out.bytes(line.entry.id.as_bytes());
        out.number(at.abs_diff(before));
        before = at;
        let (flags, authority) = match &line.body {
            Some(body) => (body.flags(), body.authority),
            None => (ERASED, 0),
        };
        out.bytes(&[flags]);
        let place = |found: Option<usize>| found.unwrap_or(0) as u64;
        out.number(place(
            credentials
                .iter()
                .position(|text| *text == line.entry.credential),
        ));
        out.number(place(
            authorities.iter().position(|number| *number == authority),
        ));
        match &line.body {
            Some(body) => {
                out.bytes(&body.salt);
                out.number(body.raw.len() as u64);
                text.extend_from_slice(body.raw.as_bytes());
            }
            None => out.bytes(&line.body_hash),
        }
    }
    out.bytes(&compress(&text));
    out.finish()
}

fn stored(line: &Line) -> i64 {
    line.entry.stored.as_microsecond()
}

fn time(micros: i64) -> Result<Timestamp, Corrupt> {
    Timestamp::from_microsecond(micros).map_err(|error| Corrupt(error.to_string()))
}

fn bounded(count: u64) -> Result<usize, Corrupt> {
    usize::try_from(count)
        .ok()
        .filter(|count| *count <= MAX_ENTRIES)
        .ok_or_else(|| Corrupt("more entries than a block has".to_owned()))
}

thread_local! {
    static COMPRESSOR: RefCell<Option<zstd::bulk::Compressor<'static>>> = const { RefCell::new(None) };
    static DECOMPRESSOR: RefCell<Option<zstd::bulk::Decompressor<'static>>> = const { RefCell::new(None) };
}

fn compress(text: &[u8]) -> Vec<u8> {
    COMPRESSOR.with_borrow_mut(|slot| {
        if slot.is_none() {
            *slot = zstd::bulk::Compressor::new(LEVEL).ok();
        }
        let packed = slot.as_mut().and_then(|zstd| zstd.compress(text).ok());
        // Only without memory: then the process ends anyway.
        packed.unwrap_or_default()
    })
}

fn decompress(bytes: &[u8], length: usize) -> Result<String, Corrupt> {
    if length == 0 {
        return Ok(String::new());
    }
    let text = DECOMPRESSOR.with_borrow_mut(|slot| {
        if slot.is_none() {
            *slot = zstd::bulk::Decompressor::new().ok();
        }
        match slot.as_mut() {
            Some(zstd) => zstd
                .decompress(bytes, length)
                .map_err(|error| Corrupt(error.to_string())),
            None => Err(Corrupt("no memory to decompress".to_owned())),
        }
    })?;
    if text.len() != length {
        return Err(Corrupt("texts cut short".to_owned()));
    }
    String::from_utf8(text).map_err(|_| Corrupt("a text that is not UTF-8".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use lectern_xapi::Version;
    use proptest::prelude::{any, prop, prop_assert_eq, proptest};

    fn lines(shapes: &[(u64, bool, bool, String, u8)]) -> Vec<Line> {
        let (mut previous, mut at) = ([7; 32], 1_700_000_000_000_000);
        let mut lines = Vec::new();
        for (n, (step, is_2_0, is_erased, raw, who)) in shapes.iter().enumerate() {
            at += i64::try_from(step % 1_000_000_000).unwrap() + 1;
            let body = Body {
                version: if *is_2_0 {
                    Version::V2_0_0
                } else {
                    Version::V1_0_3
                },
                defines: who % 2 == 0,
                authority: u128::from(*who) << 90,
                salt: [*who; 16],
                raw: raw.clone(),
            };
            let entry = Entry {
                sequence: 42 + n as u64,
                id: Uuid::from_u128(u128::from(*step) << 7 | n as u128),
                stored: Timestamp::from_microsecond(at).unwrap(),
                credential: format!("credential:{}", who % 3),
                defines: body.defines && !is_erased,
            };
            let body_hash = body.hash();
            let link = entry.link(&body_hash, &previous);
            previous = link;
            lines.push(Line {
                entry,
                body: (!is_erased).then_some(body),
                body_hash,
                link,
            });
        }
        lines
    }

    proptest! {
        #[test]
        fn a_block_reads_back_as_it_was_written(
            shapes in prop::collection::vec(any::<(u64, bool, bool, String, u8)>(), 1..40),
        ) {
            let lines = lines(&shapes);
            let bytes = encode(&[7; 32], lines.iter());
            let block = Block::decode(42, &bytes).unwrap();
            prop_assert_eq!(block.lines(), lines.clone());
            prop_assert_eq!(block.last, lines.last().unwrap().link);
            prop_assert_eq!(Block::first_stored(&bytes).unwrap(), lines[0].entry.stored);
        }

        #[test]
        fn no_bytes_make_a_block_panic(bytes in any::<Vec<u8>>()) {
            let _ = Block::decode(1, &bytes);
            let _ = Block::decode(1, &[&[1][..], &bytes].concat());
        }

        #[test]
        fn a_bit_that_flips_is_an_error_or_another_link(at: prop::sample::Index, bit in 0..8_u8) {
            let lines = lines(&[
                (1, true, false, "{\"a\":1}".to_owned(), 1),
                (2, false, true, "{}".to_owned(), 2),
                (3, true, false, "{\"b\":2}".to_owned(), 3),
            ]);
            let mut bytes = encode(&[7; 32], lines.iter());
            let at = at.index(bytes.len());
            bytes[at] ^= 1 << bit;
            if let Ok(block) = Block::decode(42, &bytes) {
                let found = block.lines();
                let is_whole = block.previous == [7; 32]
                    && block.last == lines[2].link
                    && found.last().map(|line| line.link) == Some(block.last);
                // What the chain does not hold: a flag of an erased body's, and bits that zstd does not look at.
                assert!(!is_whole || found == lines);
            }
        }
    }
}
