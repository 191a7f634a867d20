//! IRIs (RFC 3987), as far as xAPI needs them: absolute, with a scheme, made of the right characters. They are
//! compared letter by letter and never normalised (Data 4.1).

use crate::invalid::{Invalid, LIMIT, Path};
use crate::json::Json;

/// The longest IRI we keep; it must fit into a key of the store.
pub(crate) const MAX_BYTES: usize = 2000;

/// Whether it is an absolute IRI.
pub fn is_iri(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else {
        return false;
    };
    let mut letters = scheme.bytes();
    letters
        .next()
        .is_some_and(|first| first.is_ascii_alphabetic())
        && letters.all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
        && !rest.is_empty()
        && has_iri_characters(rest)
}

pub(crate) fn iri(
    value: &Json<'_>,
    at: &Path<'_>,
    clause: &'static str,
) -> Result<String, Invalid> {
    let text = value.text(at, clause)?;
    check(text, at, clause)?;
    Ok(text.to_owned())
}

pub(crate) fn check(text: &str, at: &Path<'_>, clause: &'static str) -> Result<(), Invalid> {
    if text.len() > MAX_BYTES {
        return Err(at.invalid(LIMIT, format!("is longer than {MAX_BYTES} bytes")));
    }
    if !is_iri(text) {
        let short: String = text.chars().take(100).collect();
        return Err(at.invalid(clause, format!("{short:?} is no IRI with a scheme")));
    }
    Ok(())
}

/// ASCII that stands in an IRI as it is.
const PLAIN: [bool; 256] = {
    let mut plain = [false; 256];
    let letters =
        b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~:/?#[]@!$&'()*+,;=";
    let mut index = 0;
    while index < letters.len() {
        plain[letters[index] as usize] = true;
        index += 1;
    }
    plain
};

fn has_iri_characters(rest: &str) -> bool {
    let bytes = rest.as_bytes();
    if bytes.iter().all(|byte| PLAIN[usize::from(*byte)]) {
        return true;
    }
    rest.char_indices().all(|(index, letter)| match letter {
        '%' => bytes
            .get(index + 1..index + 3)
            .is_some_and(|hex| hex.iter().all(u8::is_ascii_hexdigit)),
        _ if letter.is_ascii() => u8::try_from(letter).is_ok_and(|byte| PLAIN[usize::from(byte)]),
        _ => !letter.is_control() && !letter.is_whitespace(),
    })
}

#[cfg(test)]
mod tests {
    use super::is_iri;

    #[test]
    fn an_iri_has_a_scheme_and_no_foreign_characters() {
        for good in [
            "http://example.com/a?b#c",
            "https://例え.jp/道?q=é",
            "urn:uuid:6e2a2b5e-5a1f-4c1e-9e3e-0a2a2b5e5a1f",
            "tag:example.com,2026:x",
            "act:123",
            "http://[::1]/%7Ea",
        ] {
            assert!(is_iri(good), "{good}");
        }
        for bad in [
            "",
            "should.fail.test.com",
            "ab=c://should.fail.com",
            "//example.com/a",
            "1a:b",
            ":x",
            "http:",
            "http://a b",
            "http://a/%zz",
            "http://a/<x>",
            "http://a/\"",
        ] {
            assert!(!is_iri(bad), "{bad}");
        }
    }
}
