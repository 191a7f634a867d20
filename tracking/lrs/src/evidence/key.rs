//! The box's key for evidence: Ed25519. Its private half lies in `keys/evidence.key`, its public half in the store and in
//! every export; people compare its fingerprint.

use std::fmt;
use std::str::FromStr;

use ring::rand::SystemRandom;
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::Hex;

/// The key cannot be read or made.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("the evidence key is damaged, or this machine gives no random bytes")]
pub struct KeyRefused;

/// The private half.
pub struct SigningKey(Ed25519KeyPair);

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({})", self.public().fingerprint())
    }
}

impl SigningKey {
    /// A new key, as PKCS #8.
    ///
    /// # Errors
    /// The machine gives no random bytes.
    pub fn make() -> Result<Vec<u8>, KeyRefused> {
        let document =
            Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).map_err(|_| KeyRefused)?;
        Ok(document.as_ref().to_vec())
    }

    /// Reads what [`SigningKey::make`] made.
    ///
    /// # Errors
    /// It is something else.
    pub fn from_pkcs8(document: &[u8]) -> Result<Self, KeyRefused> {
        Ed25519KeyPair::from_pkcs8(document)
            .map(Self)
            .map_err(|_| KeyRefused)
    }

    /// Its public half.
    pub fn public(&self) -> PublicKey {
        let mut bytes = [0; 32];
        bytes.copy_from_slice(self.0.public_key().as_ref());
        PublicKey(Hex(bytes))
    }

    pub(crate) fn sign(&self, text: &[u8]) -> Hex<64> {
        let mut bytes = [0; 64];
        bytes.copy_from_slice(self.0.sign(text).as_ref());
        Hex(bytes)
    }
}

/// The public half.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PublicKey(pub Hex<32>);

impl PublicKey {
    /// What people compare.
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint(Hex(Sha256::digest(self.0.0).into()))
    }

    pub(crate) fn has_signed(&self, text: &[u8], signature: &Hex<64>) -> bool {
        UnparsedPublicKey::new(&ED25519, self.0.0)
            .verify(text, &signature.0)
            .is_ok()
    }
}

/// SHA-256 of a public key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Fingerprint(pub Hex<32>);

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl FromStr for Fingerprint {
    type Err = String;

    /// However somebody wrote it down: capitals, colons and spaces do not matter.
    fn from_str(text: &str) -> Result<Self, String> {
        let plain: String = text
            .chars()
            .filter(|letter| *letter != ':' && !letter.is_whitespace())
            .collect();
        plain
            .to_ascii_lowercase()
            .parse()
            .map(Self)
            .map_err(|_| "a fingerprint has 64 hexadecimal digits".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_verifies_what_it_signed_and_nothing_else() {
        let key = SigningKey::from_pkcs8(&SigningKey::make().unwrap()).unwrap();
        let other = SigningKey::from_pkcs8(&SigningKey::make().unwrap()).unwrap();
        let signature = key.sign(b"text");
        assert!(key.public().has_signed(b"text", &signature));
        assert!(!key.public().has_signed(b"Text", &signature));
        assert!(!other.public().has_signed(b"text", &signature));
        assert!(SigningKey::from_pkcs8(b"no key").is_err());
    }

    #[test]
    fn a_fingerprint_is_read_however_it_was_written_down() {
        let key = SigningKey::from_pkcs8(&SigningKey::make().unwrap()).unwrap();
        let fingerprint = key.public().fingerprint();
        let loud: Vec<String> = fingerprint
            .to_string()
            .to_uppercase()
            .as_bytes()
            .chunks(2)
            .map(|pair| String::from_utf8(pair.to_vec()).unwrap())
            .collect();
        assert_eq!(loud.join(":").parse(), Ok(fingerprint));
        assert!("12".parse::<Fingerprint>().is_err());
    }
}
