//! A document as it lies in the store.

use jiff::Timestamp;
use lectern_store::wire::{Reader, Writer};
use lectern_store::{Corrupt, Record};

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
        let mut out = Writer::new();
        out.signed(self.updated.as_microsecond());
        out.text(&self.content_type);
        out.bytes(&self.bytes);
        out.finish()
    }

    fn decode(bytes: &[u8]) -> Result<Self, Corrupt> {
        let mut from = Reader::new(bytes)?;
        let updated = Timestamp::from_microsecond(from.signed()?)
            .map_err(|error| Corrupt(error.to_string()))?;
        let content_type = from.text()?.to_owned();
        Ok(Self::new(&content_type, from.rest().to_vec(), updated))
    }
}
