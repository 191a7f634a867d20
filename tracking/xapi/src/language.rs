//! Language tags (RFC 5646, well-formed, not looked up in the registry) and language maps (Data 4.2).

use std::collections::BTreeMap;

use crate::invalid::{Invalid, Path};
use crate::json::Json;

/// Text by language tag.
pub type LanguageMap = BTreeMap<String, String>;

const CLAUSE: &str = "Data 4.2";

/// RFC 5646, 2.2.8: the tags of older days that fit no grammar.
const IRREGULAR: [&str; 17] = [
    "en-gb-oed",
    "i-ami",
    "i-bnn",
    "i-default",
    "i-enochian",
    "i-hak",
    "i-klingon",
    "i-lux",
    "i-mingo",
    "i-navajo",
    "i-pwn",
    "i-tao",
    "i-tay",
    "i-tsu",
    "sgn-be-fr",
    "sgn-be-nl",
    "sgn-ch-de",
];

/// Whether it is a well-formed language tag.
pub fn is_language_tag(tag: &str) -> bool {
    let lower = tag.to_ascii_lowercase();
    if tag.len() > 200 {
        return false;
    }
    if IRREGULAR.contains(&lower.as_str()) {
        return true;
    }
    let subtags: Vec<&str> = lower.split('-').collect();
    if !subtags.iter().all(|subtag| {
        (1..=8).contains(&subtag.len()) && subtag.bytes().all(|byte| byte.is_ascii_alphanumeric())
    }) {
        return false;
    }
    if subtags.first() == Some(&"x") {
        return subtags.len() > 1;
    }
    is_langtag(&subtags)
}

/// `language ["-" script] ["-" region] *("-" variant) *("-" extension) ["-" privateuse]`
fn is_langtag(subtags: &[&str]) -> bool {
    let alpha = |subtag: &str| subtag.bytes().all(|byte| byte.is_ascii_alphabetic());
    let digit = |subtag: &str| subtag.bytes().all(|byte| byte.is_ascii_digit());
    let mut rest = subtags.iter().copied().peekable();
    let Some(language) = rest.next().filter(|first| first.len() >= 2 && alpha(first)) else {
        return false;
    };
    if language.len() <= 3 {
        for _ in 0..3 {
            if rest
                .next_if(|subtag| subtag.len() == 3 && alpha(subtag))
                .is_none()
            {
                break;
            }
        }
    }
    rest.next_if(|subtag| subtag.len() == 4 && alpha(subtag));
    rest.next_if(|subtag| {
        (subtag.len() == 2 && alpha(subtag)) || (subtag.len() == 3 && digit(subtag))
    });
    while rest
        .next_if(|subtag| {
            subtag.len() >= 5
                || (subtag.len() == 4 && subtag.starts_with(|first: char| first.is_ascii_digit()))
        })
        .is_some()
    {}
    while rest
        .next_if(|subtag| subtag.len() == 1 && *subtag != "x")
        .is_some()
    {
        if rest.next_if(|subtag| subtag.len() >= 2).is_none() {
            return false;
        }
        while rest.next_if(|subtag| subtag.len() >= 2).is_some() {}
    }
    if rest.next_if(|subtag| *subtag == "x").is_some() {
        return rest.next().is_some();
    }
    rest.next().is_none()
}

pub(crate) fn language_tag(
    value: &Json<'_>,
    at: &Path<'_>,
    clause: &'static str,
) -> Result<String, Invalid> {
    let tag = value.text(at, clause)?;
    if !is_language_tag(tag) {
        return Err(at.invalid(clause, "is no RFC 5646 language tag"));
    }
    Ok(tag.to_owned())
}

pub(crate) fn language_map(value: &Json<'_>, at: &Path<'_>) -> Result<LanguageMap, Invalid> {
    let mut map = LanguageMap::new();
    for (tag, text) in value.object(at, CLAUSE)? {
        let here = at.key(tag);
        if !is_language_tag(tag) {
            return Err(here.invalid(CLAUSE, "the name is no RFC 5646 language tag"));
        }
        map.insert(tag.to_string(), text.text(&here, CLAUSE)?.to_owned());
    }
    Ok(map)
}

#[cfg(test)]
mod tests {
    use super::is_language_tag;

    #[test]
    fn tags_follow_rfc_5646() {
        for good in [
            "en",
            "en-US",
            "de-CH-1901",
            "sl-rozaj-biske",
            "zh-cmn-Hans-CN",
            "zh-Hant",
            "es-419",
            "cmn-Hans-CN",
            "x-klingon",
            "i-klingon",
            "en-GB-oed",
            "de-x-phonebk",
            "ar-u-nu-latn",
            "hy-Latn-IT-arevela",
            "und",
            "EN-us",
        ] {
            assert!(is_language_tag(good), "{good}");
        }
        for bad in [
            "",
            "a",
            "a12345678",
            "en_US",
            "en-",
            "-en",
            "x",
            "en-x",
            "en-a",
            "123",
            "e1",
            "en US",
            "toolonglanguage",
            "en-US-GB",
        ] {
            assert!(!is_language_tag(bad), "{bad}");
        }
    }
}
