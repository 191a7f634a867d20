//! The short strings of a package: checked once when they come in, safe in a path, a playlist and a
//! log line ever after. The worker that sends them has read a hostile file, so nothing here is
//! trusted because we wrote the worker.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A name that a package may not carry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind} {value:?} is refused: {rule}")]
pub struct BadName {
    /// What the string was meant to be.
    pub kind: &'static str,
    /// The string, cut to 40 characters.
    pub value: String,
    /// The rule that it breaks.
    pub rule: &'static str,
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $kind:literal, $rule:literal, $accepts:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            #[doc = concat!("Parses ", $kind, "; refused unless it is ", $rule, ".")]
            pub fn new(value: impl Into<String>) -> Result<Self, BadName> {
                let value = value.into();
                let accepts: fn(&str) -> bool = $accepts;
                if accepts(&value) {
                    Ok(Self(value))
                } else {
                    Err(BadName { kind: $kind, value: value.chars().take(40).collect(), rule: $rule })
                }
            }

            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = BadName;
            fn try_from(value: String) -> Result<Self, BadName> {
                Self::new(value)
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> String {
                name.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

name!(
    /// A track's name within its package and the name of its folder: `v480`, `a1`.
    TrackId,
    "a track's name",
    "1 to 16 of a-z and 0-9",
    |s| (1..=16).contains(&s.len())
        && s.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
);

name!(
    /// A codec string of RFC 6381: `avc1.64001f`, `mp4a.40.2`.
    Codecs,
    "a codec string",
    "1 to 64 of letters, digits and dots",
    |s| (1..=64).contains(&s.len())
        && s.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'.')
);

name!(
    /// A language tag in the form of BCP 47: `en`, `pt-BR`. Its form is checked, not its registration.
    Language,
    "a language tag",
    "subtags of 1 to 8 letters or digits joined by hyphens, the first of letters, at most 35 in all",
    |s| s.len() <= 35
        && s.split('-').all(|tag| {
            (1..=8).contains(&tag.len()) && tag.bytes().all(|b| b.is_ascii_alphanumeric())
        })
        && s.split('-').next().is_some_and(|first| first.bytes().all(|b| b.is_ascii_alphabetic()))
);

/// One or two sentences for a person, at most 500 characters, no control characters.
///
/// Never refused: what does not fit is cut, so that a failure can always be told.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct Sentence(String);

impl Sentence {
    const MAX_CHARS: usize = 500;

    /// Makes a sentence of any text.
    pub fn new(text: impl AsRef<str>) -> Self {
        let printable = |c: char| if c.is_control() { ' ' } else { c };
        let text: String = text.as_ref().chars().map(printable).collect();
        let cut: String = text.trim().chars().take(Self::MAX_CHARS).collect();
        Self(cut.trim_end().to_owned())
    }

    /// The sentence as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<String> for Sentence {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}

impl From<&str> for Sentence {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl From<Sentence> for String {
    fn from(sentence: Sentence) -> String {
        sentence.0
    }
}

impl fmt::Display for Sentence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tracks_name_cannot_leave_its_folder() {
        for bad in [
            "",
            ".",
            "..",
            "v/480",
            "v480/..",
            "V480",
            "v 480",
            "é",
            "abcdefghijklmnopq",
        ] {
            assert!(TrackId::new(bad).is_err(), "{bad:?}");
        }
        assert_eq!(TrackId::new("v480").unwrap().as_str(), "v480");
    }

    #[test]
    fn a_language_has_the_form_of_bcp_47() {
        for good in ["en", "pt-BR", "zh-Hant-TW", "de-CH-1996", "x-klingon"] {
            assert!(Language::new(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "-",
            "en-",
            "-en",
            "en_US",
            "123",
            "en\"",
            "abcdefghi",
            "en--us",
        ] {
            assert!(Language::new(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_sentence_is_cut_and_loses_control_characters() {
        let long = "x".repeat(600);
        assert_eq!(Sentence::new(&long).as_str().chars().count(), 500);
        assert_eq!(Sentence::new("\u{7} a\nb\u{7}c ").as_str(), "a b c");
    }
}
