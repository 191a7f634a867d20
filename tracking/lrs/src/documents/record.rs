//! A document as it lies in the store.

use jiff::Timestamp;
use lectern_store::{Corrupt, Record};

use crate::entry::take;

/// Bytes with a media type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// As sent.
    pub content_type: String,
    /// When it was written last.
    pub updated: Timestamp,
    /// Hex SHA-1 of the bytes (Comm 3.1 names it): the ETag without its quotes.
    pub etag: String,
    /// The bytes.
    pub bytes: Vec<u8>,
}

const FORMAT: u8 = 1;

impl Document {
    pub(super) fn new(content_type: &str, bytes: Vec<u8>, updated: Timestamp) -> Self {
        Self {
            content_type: content_type.to_owned(),
            updated,
            etag: sha1_hex(&bytes),
            bytes,
        }
    }

    /// Whether it says that it is JSON.
    pub fn is_json(&self) -> bool {
        let essence = self.content_type.split(';').next().unwrap_or_default();
        essence.trim().eq_ignore_ascii_case("application/json")
    }
}

fn sha1_hex(bytes: &[u8]) -> String {
    let sum = ring::digest::digest(&ring::digest::SHA1_FOR_LEGACY_USE_ONLY, bytes);
    hex::encode(sum)
}

impl Record for Document {
    fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(16 + self.content_type.len() + self.bytes.len());
        out.push(FORMAT);
        out.extend_from_slice(&self.updated.as_microsecond().to_be_bytes());
        let length = u32::try_from(self.content_type.len()).unwrap_or(0);
        out.extend_from_slice(&length.to_be_bytes());
        out.extend_from_slice(self.content_type.as_bytes());
        out.extend_from_slice(&self.bytes);
        out
    }

    fn decode(bytes: &[u8]) -> Result<Self, Corrupt> {
        let short = || Corrupt("a document that is too short".to_owned());
        let mut rest = bytes;
        let [format] = take(&mut rest)?;
        if format != FORMAT {
            return Err(Corrupt(format!("a document of unknown format {format}")));
        }
        let updated = Timestamp::from_microsecond(i64::from_be_bytes(take(&mut rest)?))
            .map_err(|error| Corrupt(error.to_string()))?;
        let length = u32::from_be_bytes(take(&mut rest)?) as usize;
        let content_type = rest.get(..length).ok_or_else(short)?;
        let content_type = std::str::from_utf8(content_type)
            .map_err(|_| Corrupt("a media type that is not UTF-8".to_owned()))?;
        let body = rest.get(length..).ok_or_else(short)?;
        Ok(Self::new(content_type, body.to_vec(), updated))
    }
}
