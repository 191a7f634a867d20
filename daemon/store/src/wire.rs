//! Records as short bytes: small numbers take one byte. Not a standard; read by nobody else.
//!
//! A record begins with a format byte, and what follows the known fields is ignored: a later version may add fields at
//! the end and this one still reads the record.

use crate::Corrupt;

/// The format byte of all records written this way, so far.
const FORMAT: u8 = 1;

/// Appends fields.
#[derive(Debug, Default)]
pub struct Writer(Vec<u8>);

impl Writer {
    /// Begins with the format byte.
    #[must_use]
    pub fn new() -> Self {
        Self(vec![FORMAT])
    }

    /// Begins with nothing: for a part of a record.
    #[must_use]
    pub fn part() -> Self {
        Self::default()
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

    /// The length, then the bytes.
    pub fn text(&mut self, text: &str) {
        self.number(text.len() as u64);
        self.bytes(text.as_bytes());
    }

    /// So many more bytes will come.
    pub fn reserve(&mut self, bytes: usize) {
        self.0.reserve(bytes);
    }

    /// How many bytes there are so far.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether nothing was written.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The record.
    #[must_use]
    pub fn finish(self) -> Vec<u8> {
        self.0
    }
}

/// Takes fields off the front.
#[derive(Debug, Clone)]
pub struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    /// Checks the format byte.
    ///
    /// # Errors
    /// [`Corrupt`], as everything here.
    pub fn new(bytes: &'a [u8]) -> Result<Self, Corrupt> {
        match bytes.split_first() {
            Some((&FORMAT, rest)) => Ok(Self(rest)),
            Some((format, _)) => Err(Corrupt(format!("record of unknown format {format}"))),
            None => Err(Corrupt("empty record".to_owned())),
        }
    }

    /// Reads a part of a record, which has no format byte.
    #[must_use]
    pub fn part(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// See [`Writer::number`].
    ///
    /// # Errors
    /// [`Corrupt`]
    #[inline]
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
    ///
    /// # Errors
    /// [`Corrupt`]
    pub fn small(&mut self) -> Result<u32, Corrupt> {
        u32::try_from(self.number()?).map_err(|_| Corrupt("number of more than 32 bits".to_owned()))
    }

    /// See [`Writer::signed`].
    ///
    /// # Errors
    /// [`Corrupt`]
    pub fn signed(&mut self) -> Result<i64, Corrupt> {
        let value = self.number()?;
        Ok((value >> 1).cast_signed() ^ -(value & 1).cast_signed())
    }

    /// See [`Writer::optional`].
    ///
    /// # Errors
    /// [`Corrupt`]
    pub fn optional(&mut self) -> Result<Option<u32>, Corrupt> {
        let value = self.number()?;
        value
            .checked_sub(1)
            .map(|value| u32::try_from(value).map_err(|_| short()))
            .transpose()
    }

    /// So many, as they are.
    ///
    /// # Errors
    /// [`Corrupt`]
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], Corrupt> {
        let (head, rest) = self.0.split_first_chunk().ok_or_else(short)?;
        self.0 = rest;
        Ok(*head)
    }

    /// So many, as they are.
    ///
    /// # Errors
    /// [`Corrupt`]
    pub fn bytes(&mut self, count: u64) -> Result<&'a [u8], Corrupt> {
        let count = usize::try_from(count).map_err(|_| short())?;
        let (head, rest) = self.0.split_at_checked(count).ok_or_else(short)?;
        self.0 = rest;
        Ok(head)
    }

    /// See [`Writer::text`].
    ///
    /// # Errors
    /// [`Corrupt`]
    pub fn text(&mut self) -> Result<&'a str, Corrupt> {
        let count = self.number()?;
        std::str::from_utf8(self.bytes(count)?).map_err(|_| Corrupt("text that is none".to_owned()))
    }

    /// What is left.
    #[must_use]
    pub fn rest(&self) -> &'a [u8] {
        self.0
    }
}

fn short() -> Corrupt {
    Corrupt("record cut short".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{any, prop_assert_eq, proptest};

    proptest! {
        #[test]
        fn fields_read_back(unsigned: u64, signed: i64, small: Option<u32>, text: String) {
            let mut writer = Writer::new();
            writer.number(unsigned);
            writer.signed(signed);
            writer.optional(small);
            writer.text(&text);
            let bytes = writer.finish();
            let mut reader = Reader::new(&bytes).unwrap();
            prop_assert_eq!(reader.number().unwrap(), unsigned);
            prop_assert_eq!(reader.signed().unwrap(), signed);
            prop_assert_eq!(reader.optional().unwrap(), small);
            prop_assert_eq!(reader.text().unwrap(), text);
            prop_assert_eq!(reader.rest(), b"");
        }

        #[test]
        fn no_bytes_make_a_reader_panic(bytes in any::<Vec<u8>>()) {
            if let Ok(mut reader) = Reader::new(&bytes) {
                let _ = (reader.optional(), reader.signed(), reader.text(), reader.bytes(u64::MAX));
            }
        }
    }
}
