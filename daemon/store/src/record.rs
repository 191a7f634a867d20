//! Values as bytes with a format byte of their own, so that a later version can tell what an
//! earlier one wrote, and refuse what it does not know instead of misreading it.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::Corrupt;

/// A table's value. The first byte names the format; a new format takes the next number and the
/// old one stays readable. A version may only *add*: the one before it must still read the file.
pub trait Record: Sized {
    /// The value's bytes, format byte first.
    fn encode(&self) -> Vec<u8>;
    /// The value back.
    ///
    /// # Errors
    /// When the bytes are of an unknown format or damaged.
    fn decode(bytes: &[u8]) -> Result<Self, Corrupt>;
}

/// The format byte of every record that has had one format so far.
const FIRST: u8 = 1;

/// Splits the format byte off; only the first format exists so far.
fn body(bytes: &[u8]) -> Result<&[u8], Corrupt> {
    match bytes.split_first() {
        Some((&FIRST, body)) => Ok(body),
        Some((format, _)) => Err(Corrupt(format!("a record of unknown format {format}"))),
        None => Err(Corrupt("an empty record".to_owned())),
    }
}

/// Whether the bytes begin with a format that this version knows.
pub(crate) fn has_format(bytes: &[u8]) -> bool {
    body(bytes).is_ok()
}

/// Any serde type as a record, in JSON. Fields may be added with `#[serde(default)]`, never
/// renamed or given another meaning, and unknown ones must be accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Json<T>(pub T);

impl<T: Serialize + DeserializeOwned> Record for Json<T> {
    fn encode(&self) -> Vec<u8> {
        encode_json(&self.0)
    }
    fn decode(bytes: &[u8]) -> Result<Self, Corrupt> {
        decode_json(bytes).map(Self)
    }
}

/// Implements [`Record`] for a serde type itself, by JSON.
#[macro_export]
macro_rules! json_record {
    ($($kind:ty),+ $(,)?) => {$(
        impl $crate::Record for $kind {
            fn encode(&self) -> ::std::vec::Vec<u8> {
                $crate::encode_json(self)
            }
            fn decode(bytes: &[u8]) -> ::std::result::Result<Self, $crate::Corrupt> {
                $crate::decode_json(bytes)
            }
        }
    )+};
}

/// What [`json_record!`] writes.
pub fn encode_json(value: &impl Serialize) -> Vec<u8> {
    let mut out = vec![FIRST];
    // A type that cannot be JSON (a map with keys that are no text) is a mistake that the first
    // test of its room finds: the record then holds nothing and reads back as damaged.
    if let Err(error) = serde_json::to_writer(&mut out, value) {
        tracing::error!(event = "store.record_not_json", %error);
        out.truncate(1);
    }
    out
}

/// What [`json_record!`] reads.
///
/// # Errors
/// When the bytes are of an unknown format or not this type's JSON.
pub fn decode_json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Corrupt> {
    serde_json::from_slice(body(bytes)?).map_err(|error| Corrupt(error.to_string()))
}

impl Record for Vec<u8> {
    fn encode(&self) -> Vec<u8> {
        [&[FIRST], self.as_slice()].concat()
    }
    fn decode(bytes: &[u8]) -> Result<Self, Corrupt> {
        body(bytes).map(<[u8]>::to_vec)
    }
}

impl Record for String {
    fn encode(&self) -> Vec<u8> {
        [&[FIRST], self.as_bytes()].concat()
    }
    fn decode(bytes: &[u8]) -> Result<Self, Corrupt> {
        Self::from_utf8(body(bytes)?.to_vec()).map_err(|error| Corrupt(error.to_string()))
    }
}

impl Record for u64 {
    fn encode(&self) -> Vec<u8> {
        [&[FIRST], self.to_be_bytes().as_slice()].concat()
    }
    fn decode(bytes: &[u8]) -> Result<Self, Corrupt> {
        let body = body(bytes)?.try_into();
        body.map(Self::from_be_bytes)
            .map_err(|_| Corrupt("a number that is not eight bytes long".to_owned()))
    }
}

impl Record for () {
    fn encode(&self) -> Vec<u8> {
        vec![FIRST]
    }
    fn decode(bytes: &[u8]) -> Result<Self, Corrupt> {
        body(bytes).map(|_| ())
    }
}

#[cfg(test)]
mod tests {
    use super::{Json, Record};

    #[test]
    fn a_record_of_an_unknown_format_is_refused() {
        assert!(String::decode(&[2, b'a']).is_err());
        assert!(<()>::decode(&[]).is_err());
        assert!(u64::decode(&[1, 0]).is_err());
    }

    #[test]
    fn a_record_reads_back_as_it_was_written() {
        assert_eq!(u64::decode(&7u64.encode()).unwrap(), 7);
        assert_eq!(String::decode(&"ä".to_owned().encode()).unwrap(), "ä");
        let json = Json(vec![(1, "x".to_owned())]);
        assert_eq!(Json::decode(&json.encode()).unwrap(), json);
    }
}
