//! Numbers as bytes for this room's records: short for small ones. Not a standard; read by nobody else.
//!
//! Records begin with a format byte, and what follows the known fields is ignored: a later version may add fields at the
//! end and this one still reads the record.

use crate::span::Span;
use lectern_store::Corrupt;

/// The format byte of all records of this room, so far.
const FORMAT: u8 = 1;

/// Appends fields.
pub struct Writer(Vec<u8>);

impl Writer {
    /// Begins with the format byte.
    pub fn new() -> Self {
        Self(vec![FORMAT])
    }

    /// Seven bits a byte, low ones first; the high bit says that more follow.
    pub fn number(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push((value & 0x7f) as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }

    /// Small in both directions.
    pub fn signed(&mut self, value: i64) {
        self.number(((value << 1) ^ (value >> 63)).cast_unsigned());
    }

    /// 0 for none, else one more.
    pub fn optional(&mut self, value: Option<u32>) {
        self.number(value.map_or(0, |value| u64::from(value) + 1));
    }

    /// As they are.
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    /// Each as the distance from the end of the one before, and its length.
    pub fn spans(&mut self, spans: &[Span]) {
        self.number(spans.len() as u64);
        let mut last = 0i64;
        for span in spans {
            self.signed(i64::from(span.from) - last);
            self.number(u64::from(span.length_ms()));
            last = i64::from(span.to);
        }
    }

    /// The record.
    pub fn finish(self) -> Vec<u8> {
        self.0
    }
}

/// Takes fields off the front.
pub struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    /// Checks the format byte.
    pub fn new(bytes: &'a [u8]) -> Result<Self, Corrupt> {
        match bytes.split_first() {
            Some((&FORMAT, rest)) => Ok(Self(rest)),
            Some((format, _)) => Err(Corrupt(format!(
                "analytics record of unknown format {format}"
            ))),
            None => Err(Corrupt("empty analytics record".to_owned())),
        }
    }

    /// See [`Writer::number`].
    pub fn number(&mut self) -> Result<u64, Corrupt> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let (&byte, rest) = self.0.split_first().ok_or_else(short)?;
            self.0 = rest;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(Corrupt("number of more than 64 bits".to_owned()))
    }

    /// A number that must fit.
    pub fn small(&mut self) -> Result<u32, Corrupt> {
        u32::try_from(self.number()?).map_err(|_| Corrupt("number of more than 32 bits".to_owned()))
    }

    /// See [`Writer::signed`].
    pub fn signed(&mut self) -> Result<i64, Corrupt> {
        let value = self.number()?;
        Ok((value >> 1).cast_signed() ^ -(value & 1).cast_signed())
    }

    /// See [`Writer::optional`].
    pub fn optional(&mut self) -> Result<Option<u32>, Corrupt> {
        let value = self.number()?;
        value
            .checked_sub(1)
            .map(|value| u32::try_from(value).map_err(|_| short()))
            .transpose()
    }

    /// So many, as they are.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], Corrupt> {
        let (head, rest) = self.0.split_first_chunk().ok_or_else(short)?;
        self.0 = rest;
        Ok(*head)
    }

    /// See [`Writer::spans`].
    pub fn spans(&mut self) -> Result<Vec<Span>, Corrupt> {
        let count = self.number()?;
        let mut spans = Vec::new();
        let mut last = 0i64;
        for _ in 0..count {
            let from = last.checked_add(self.signed()?).ok_or_else(short)?;
            let length = i64::try_from(self.number()?).map_err(|_| short())?;
            let to = from.checked_add(length).ok_or_else(short)?;
            let span = u32::try_from(from)
                .ok()
                .zip(u32::try_from(to).ok())
                .and_then(|(from, to)| Span::new(from, to))
                .ok_or_else(|| Corrupt("segment that is none".to_owned()))?;
            last = to;
            spans.push(span);
        }
        Ok(spans)
    }
}

fn short() -> Corrupt {
    Corrupt("analytics record cut short".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{any, prop_assert_eq, proptest};

    proptest! {
        #[test]
        fn numbers_read_back(unsigned: u64, signed: i64, small: Option<u32>) {
            let mut writer = Writer::new();
            writer.number(unsigned);
            writer.signed(signed);
            writer.optional(small);
            let bytes = writer.finish();
            let mut reader = Reader::new(&bytes).unwrap();
            prop_assert_eq!(reader.number().unwrap(), unsigned);
            prop_assert_eq!(reader.signed().unwrap(), signed);
            prop_assert_eq!(reader.optional().unwrap(), small);
        }

        #[test]
        fn no_bytes_make_a_reader_panic(bytes in any::<Vec<u8>>()) {
            if let Ok(mut reader) = Reader::new(&bytes) {
                let _ = (reader.spans(), reader.optional(), reader.signed());
            }
        }
    }
}
