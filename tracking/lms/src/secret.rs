//! Random secrets: made here, given out once, kept as their SHA-256.
//!
//! A fast hash is enough for them (unlike for passwords): 256 random bits cannot be guessed, however fast the guessing.
//! Looking one up by its hash also takes the same time whatever was wrong with it.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rand::RngCore;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The hash under which a secret is kept.
pub type Hash = [u8; 32];

/// Longest secret that is looked at.
const MAX_BYTES: usize = 128;

/// 256 random bits as text of 43 letters that need no escaping in URLs, headers and cookies.
#[must_use]
pub fn random() -> String {
    let mut bytes = [0u8; 32];
    rand::rng().fill_bytes(&mut bytes);
    URL_SAFE_NO_PAD.encode(bytes)
}

/// 128 random bits in hex: for ids that others see.
#[must_use]
pub fn random_id() -> String {
    let mut bytes = [0u8; 16];
    rand::rng().fill_bytes(&mut bytes);
    hex::encode(bytes)
}

/// The hash of a secret, `None` when it is too long to be one of ours.
#[must_use]
pub fn hash(secret: &str) -> Option<Hash> {
    (secret.len() <= MAX_BYTES).then(|| Sha256::digest(secret.as_bytes()).into())
}

/// Another secret that belongs to the first and does not reveal it.
#[must_use]
pub fn derived(purpose: &str, secret: &str) -> String {
    let mut sha = Sha256::new();
    sha.update(purpose.as_bytes());
    sha.update([0]);
    sha.update(secret.as_bytes());
    URL_SAFE_NO_PAD.encode(sha.finalize())
}

/// The random id under which a device watches without signing in: it keeps it, and whoever has it goes on there. 128
/// bits in hex.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct DeviceId(String);

impl DeviceId {
    /// A new one.
    #[must_use]
    pub fn random() -> Self {
        Self(random_id())
    }

    /// From what a device sent; `None` when it is no such id.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let is_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        (text.len() == 32 && text.bytes().all(is_hex)).then(|| Self(text.to_owned()))
    }

    /// As the device keeps it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// As the store knows it.
    pub(crate) fn hash(&self) -> Hash {
        Sha256::digest(self.0.as_bytes()).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_have_256_bits_and_differ() {
        let (one, other) = (random(), random());
        assert_ne!(one, other);
        assert_eq!(URL_SAFE_NO_PAD.decode(one).unwrap().len(), 32);
    }

    #[test]
    fn a_device_id_is_128_bits_of_lower_case_hex_and_nothing_else() {
        let id = DeviceId::random();
        assert_eq!(DeviceId::parse(id.as_str()), Some(id));
        for wrong in [
            "",
            "0",
            "g0000000000000000000000000000000",
            "A0000000000000000000000000000000",
            "00000000000000000000000000000000 ",
        ] {
            assert_eq!(DeviceId::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn what_is_too_long_is_no_secret_of_ours() {
        assert!(hash(&"a".repeat(129)).is_none());
    }
}
