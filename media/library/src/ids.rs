//! Ids and hashes as types, so that none is taken for another.

use std::fmt;
use std::str::FromStr;

use lectern_store::Key;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A video, for good. Ids sort by the time they were given (UUID version 7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct VideoId(pub Uuid);

/// An upload; random, so that knowing one is a right to go on with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UploadId(pub Uuid);

/// A place in the queue; smaller is older.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct JobId(pub u64);

macro_rules! uuid_id {
    ($($kind:ident),*) => {$(
        impl fmt::Display for $kind {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $kind {
            type Err = uuid::Error;
            /// The hyphenated form alone: one name for one thing.
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                let id = Uuid::try_parse(text)?;
                match id.to_string() == text {
                    true => Ok(Self(id)),
                    false => Uuid::try_parse("").map(Self),
                }
            }
        }

        impl Key for $kind {
            fn write(&self, out: &mut Vec<u8>) {
                self.0.write(out);
            }
            fn read(bytes: &mut &[u8]) -> Option<Self> {
                Uuid::read(bytes).map(Self)
            }
        }
    )*};
}
uuid_id!(VideoId, UploadId);

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Key for JobId {
    fn write(&self, out: &mut Vec<u8>) {
        self.0.write(out);
    }
    fn read(bytes: &mut &[u8]) -> Option<Self> {
        u64::read(bytes).map(Self)
    }
}

macro_rules! hex_bytes {
    ($($(#[$doc:meta])* $kind:ident $len:literal),*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(into = "String", try_from = "String")]
        pub struct $kind(pub [u8; $len]);

        impl fmt::Display for $kind {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&hex::encode(self.0))
            }
        }

        impl From<$kind> for String {
            fn from(value: $kind) -> Self {
                value.to_string()
            }
        }

        impl FromStr for $kind {
            type Err = hex::FromHexError;
            /// Lower-case hexadecimal alone: one name for one thing.
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                let mut bytes = [0; $len];
                hex::decode_to_slice(text, &mut bytes)?;
                match text.bytes().any(|byte| byte.is_ascii_uppercase()) {
                    true => Err(hex::FromHexError::InvalidStringLength),
                    false => Ok(Self(bytes)),
                }
            }
        }

        impl TryFrom<String> for $kind {
            type Error = hex::FromHexError;
            fn try_from(text: String) -> Result<Self, Self::Error> {
                text.parse()
            }
        }
    )*};
}
hex_bytes!(
    /// The SHA-256 of a blob, or of a package.
    BlobHash 32,
    /// The secret in the address of a version's segments (contract.md, `/media`): whoever knows
    /// it may read them.
    MediaKey 16
);

impl fmt::Debug for BlobHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BlobHash({self})")
    }
}

/// A secret: not in logs.
impl fmt::Debug for MediaKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MediaKey(…)")
    }
}

impl MediaKey {
    pub(crate) fn random() -> Self {
        Self(rand::random())
    }
}

impl VideoId {
    pub(crate) fn new() -> Self {
        Self(Uuid::now_v7())
    }
}

impl UploadId {
    pub(crate) fn new() -> Self {
        Self(Uuid::new_v4())
    }
}

#[cfg(test)]
mod tests {
    use super::{BlobHash, VideoId};

    #[test]
    fn an_id_has_one_spelling() {
        let id = VideoId::new();
        assert_eq!(id.to_string().parse(), Ok(id));
        for other in [
            id.0.simple().to_string(),
            id.0.braced().to_string(),
            id.to_string().to_uppercase(),
            String::new(),
        ] {
            assert!(other.parse::<VideoId>().is_err(), "{other}");
        }
        let hash = BlobHash([0xab; 32]);
        assert_eq!(hash.to_string().parse(), Ok(hash));
        assert!(hash.to_string().to_uppercase().parse::<BlobHash>().is_err());
    }
}
