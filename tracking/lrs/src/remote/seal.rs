//! Secrets of upstreams and sources, and the keys of upstreams' pseudonyms, at rest: ChaCha20-Poly1305 under the box's
//! key, bound to the entry they belong to. The key lies in a file of its own, so a copy of the store alone gives no
//! secret away.

use rand::RngCore;
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use uuid::Uuid;

use crate::error::Error;

fn key(key: Option<&[u8; 32]>) -> Result<LessSafeKey, Error> {
    let key =
        key.ok_or_else(|| Error::Sealing("no key was given to seal secrets with".to_owned()))?;
    UnboundKey::new(&CHACHA20_POLY1305, key)
        .map(LessSafeKey::new)
        .map_err(|_| Error::Sealing("the key to seal secrets with cannot be used".to_owned()))
}

/// Nonce, then the sealed secret.
pub(crate) fn seal(with: Option<&[u8; 32]>, entry: Uuid, secret: &str) -> Result<String, Error> {
    let mut nonce = [0; NONCE_LEN];
    rand::rng().fill_bytes(&mut nonce);
    let mut text = secret.as_bytes().to_vec();
    key(with)?
        .seal_in_place_append_tag(
            Nonce::assume_unique_for_key(nonce),
            Aad::from(entry.as_bytes()),
            &mut text,
        )
        .map_err(|_| Error::Sealing("the secret cannot be sealed".to_owned()))?;
    Ok(hex::encode([nonce.as_slice(), &text].concat()))
}

pub(crate) fn open(with: Option<&[u8; 32]>, entry: Uuid, sealed: &str) -> Result<String, Error> {
    let broken =
        || Error::Sealing("the secret was sealed with another key: enter it again".to_owned());
    let bytes = hex::decode(sealed).map_err(|_| broken())?;
    let (nonce, text) = bytes.split_at_checked(NONCE_LEN).ok_or_else(broken)?;
    let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| broken())?;
    let mut text = text.to_vec();
    let opened = key(with)?
        .open_in_place(nonce, Aad::from(entry.as_bytes()), &mut text)
        .map_err(|_| broken())?;
    String::from_utf8(opened.to_vec()).map_err(|_| broken())
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::{open, seal};

    #[test]
    fn a_secret_opens_with_its_key_for_its_entry_only() {
        let (key, other) = ([1; 32], [2; 32]);
        let entry = Uuid::now_v7();
        let sealed = seal(Some(&key), entry, "geheim").unwrap();
        assert!(!sealed.contains(&hex::encode("geheim")));
        assert_eq!(open(Some(&key), entry, &sealed).unwrap(), "geheim");
        assert!(open(Some(&other), entry, &sealed).is_err());
        assert!(open(Some(&key), Uuid::now_v7(), &sealed).is_err());
        assert!(open(Some(&key), entry, "00").is_err());
        assert!(seal(None, entry, "geheim").is_err());
    }
}
