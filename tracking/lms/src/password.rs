//! Passwords: argon2id (RFC 9106), as PHC strings. Nothing else knows how.
//!
//! 19 MiB, two passes, one lane: OWASP's first choice, about 30 ms on a small box. At most two are computed at once, so
//! that a class signing in together costs 38 MiB and not a gigabyte; the others wait their turn.

use crate::Error;
use argon2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};
use rand::RngCore;
use std::sync::{Condvar, LazyLock, Mutex, PoisonError};

/// Shortest password (NIST SP 800-63B); there are no other rules.
pub const MIN_CHARS: usize = 8;
/// Longest that is looked at.
const MAX_BYTES: usize = 1024;
const AT_ONCE: usize = 2;

static RUNNING: Mutex<usize> = Mutex::new(0);
static ENDED: Condvar = Condvar::new();
/// What a name that nobody has is checked against, so that it takes as long as one that somebody has.
static NOBODY: LazyLock<Option<String>> =
    LazyLock::new(|| hash_unchecked("nobody's password").ok());

/// The PHC string to keep.
///
/// # Errors
/// [`Error::Invalid`] when it is too short or too long, [`Error::Hashing`].
pub fn hash(password: &str) -> Result<String, Error> {
    if password.chars().count() < MIN_CHARS || password.len() > MAX_BYTES {
        return Err(Error::Invalid {
            field: "password",
            message: format!(
                "a password has at least {MIN_CHARS} characters and at most {MAX_BYTES} bytes"
            ),
        });
    }
    hash_unchecked(password)
}

/// Whether it is the password kept as `phc`; with `None` false, after the same time.
#[must_use]
pub fn is_right(password: &str, phc: Option<&str>) -> bool {
    let Some(known) = phc.or(NOBODY.as_deref()) else {
        return false;
    };
    let Ok(known) = PasswordHash::new(known) else {
        return false;
    };
    let is_right = password.len() <= MAX_BYTES
        && in_turn(|| {
            argon2()
                .verify_password(password.as_bytes(), &known)
                .is_ok()
        });
    is_right && phc.is_some()
}

fn hash_unchecked(password: &str) -> Result<String, Error> {
    let mut salt = [0u8; 16];
    rand::rng().fill_bytes(&mut salt);
    let salt = SaltString::encode_b64(&salt).map_err(|_| Error::Hashing)?;
    in_turn(|| {
        argon2()
            .hash_password(password.as_bytes(), &salt)
            .map(|hash| hash.to_string())
    })
    .map_err(|_| Error::Hashing)
}

fn argon2() -> Argon2<'static> {
    // The parameters are RFC 9106's bounds by far; the default is there for the type's sake.
    let params = Params::new(19 * 1024, 2, 1, None).unwrap_or_default();
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

fn in_turn<T>(work: impl FnOnce() -> T) -> T {
    struct Place;
    impl Drop for Place {
        fn drop(&mut self) {
            *RUNNING.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
            ENDED.notify_one();
        }
    }
    let mut running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
    while *running >= AT_ONCE {
        running = ENDED.wait(running).unwrap_or_else(PoisonError::into_inner);
    }
    *running += 1;
    drop(running);
    let _place = Place;
    work()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_right_password_and_no_other_is_accepted() {
        let phc = hash("correct horse").unwrap();
        assert!(phc.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{phc}");
        assert!(is_right("correct horse", Some(&phc)));
        assert!(!is_right("correct horse ", Some(&phc)));
        assert!(!is_right("nobody's password", None));
        assert!(!is_right("correct horse", Some("no PHC string")));
    }

    #[test]
    fn short_and_endless_passwords_are_refused() {
        assert!(hash("seven77").is_err());
        assert!(hash(&"x".repeat(1025)).is_err());
        assert!(hash("öööööööö").is_ok());
    }

    #[test]
    fn a_class_that_signs_in_at_once_takes_turns() {
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| in_turn(|| assert!(*RUNNING.lock().unwrap() <= AT_ONCE)));
            }
        });
    }
}
