//! The reader itself: one pass over the text, down by recursion that is bounded.

use std::borrow::Cow;
use std::collections::HashSet;

use super::{Json, Kind};
use crate::invalid::{Invalid, LIMIT, Path};

/// Objects up to this size are checked for double names pair by pair, larger ones with a set.
const FEW: usize = 16;
/// Values in one document: a batch of 10 000 of the player's statements has half as many, and in memory each takes
/// tens of bytes, however few it took in the text.
const MAX_VALUES: usize = 1_000_000;
const CLAUSE: &str = "Data 2.2";
/// Bytes that stand for themselves in a string.
const PLAIN: [bool; 256] = {
    let mut plain = [true; 256];
    let mut byte = 0;
    while byte < 0x20 {
        plain[byte] = false;
        byte += 1;
    }
    plain[b'"' as usize] = false;
    plain[b'\\' as usize] = false;
    plain
};

/// Reads a whole document.
pub(super) fn read(text: &str, depth: usize) -> Result<Json<'_>, Invalid> {
    let mut reader = Reader {
        text,
        at: 0,
        depth,
        values: 0,
    };
    reader.space();
    let value = reader.value()?;
    reader.space();
    if reader.at < text.len() {
        return Err(reader.broken("nothing more"));
    }
    Ok(value)
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
    values: usize,
}

impl<'a> Reader<'a> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn space(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    fn broken(&self, wanted: &str) -> Invalid {
        let line = self
            .text
            .as_bytes()
            .iter()
            .take(self.at)
            .filter(|byte| **byte == b'\n')
            .count()
            + 1;
        Path::root().invalid(
            "Data 2.2",
            format!(
                "is not JSON: expected {wanted} at byte {}, line {line}",
                self.at
            ),
        )
    }

    fn value(&mut self) -> Result<Json<'a>, Invalid> {
        let from = self.at;
        self.values += 1;
        if self.values > MAX_VALUES {
            return Err(Path::root().invalid(LIMIT, "holds more than a million values"));
        }
        let kind = match self.peek() {
            Some(b'{') => self.nested(Self::entries)?,
            Some(b'[') => self.nested(Self::items)?,
            Some(b'"') => Kind::String(self.string()?),
            Some(b'-' | b'0'..=b'9') => Kind::Number(Cow::Borrowed(self.number()?)),
            Some(b't') => self.word("true", Kind::Bool(true))?,
            Some(b'f') => self.word("false", Kind::Bool(false))?,
            Some(b'n') => self.word("null", Kind::Null)?,
            _ => return Err(self.broken("a value")),
        };
        Ok(Json {
            kind,
            span: (from, self.at),
        })
    }

    fn nested(
        &mut self,
        inner: fn(&mut Self) -> Result<Kind<'a>, Invalid>,
    ) -> Result<Kind<'a>, Invalid> {
        let Some(depth) = self.depth.checked_sub(1) else {
            return Err(Path::root().invalid(LIMIT, "is nested deeper than we read"));
        };
        self.depth = depth;
        let kind = inner(self)?;
        self.depth += 1;
        Ok(kind)
    }

    fn word(&mut self, word: &str, kind: Kind<'a>) -> Result<Kind<'a>, Invalid> {
        if self
            .text
            .get(self.at..)
            .is_some_and(|rest| rest.starts_with(word))
        {
            self.at += word.len();
            Ok(kind)
        } else {
            Err(self.broken("a value"))
        }
    }

    fn items(&mut self) -> Result<Kind<'a>, Invalid> {
        let mut items = Vec::new();
        self.at += 1;
        self.space();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(Kind::Array(items));
        }
        loop {
            self.space();
            items.push(self.value()?);
            self.space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b']') => {
                    self.at += 1;
                    return Ok(Kind::Array(items));
                }
                _ => return Err(self.broken("`,` or `]`")),
            }
        }
    }

    fn entries(&mut self) -> Result<Kind<'a>, Invalid> {
        let mut entries: Vec<(Cow<'a, str>, Json<'a>)> = Vec::new();
        let mut seen: Option<HashSet<Cow<'a, str>>> = None;
        self.at += 1;
        self.space();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(Kind::Object(entries));
        }
        loop {
            self.space();
            if self.peek() != Some(b'"') {
                return Err(self.broken("a property's name"));
            }
            let key = self.string()?;
            let twice = if entries.len() < FEW {
                entries.iter().any(|(name, _)| *name == key)
            } else {
                let names = || entries.iter().map(|(name, _)| name.clone()).collect();
                !seen.get_or_insert_with(names).insert(key.clone())
            };
            if twice {
                let short: String = key.chars().take(100).collect();
                return Err(Path::root().invalid(
                    CLAUSE,
                    format!(
                        "has the property {short:?} twice in one object, at byte {}",
                        self.at
                    ),
                ));
            }
            self.space();
            if self.peek() != Some(b':') {
                return Err(self.broken("`:`"));
            }
            self.at += 1;
            self.space();
            entries.push((key, self.value()?));
            self.space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b'}') => {
                    self.at += 1;
                    return Ok(Kind::Object(entries));
                }
                _ => return Err(self.broken("`,` or `}`")),
            }
        }
    }

    fn digits(&mut self) -> Result<(), Invalid> {
        let from = self.at;
        while let Some(b'0'..=b'9') = self.peek() {
            self.at += 1;
        }
        if self.at == from {
            return Err(self.broken("a digit"));
        }
        Ok(())
    }

    fn number(&mut self) -> Result<&'a str, Invalid> {
        let from = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        if self.peek() == Some(b'0') {
            self.at += 1;
        } else {
            self.digits()?;
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(self.text.get(from..self.at).unwrap_or_default())
    }

    fn string(&mut self) -> Result<Cow<'a, str>, Invalid> {
        self.at += 1;
        let mut from = self.at;
        let mut owned: Option<String> = None;
        loop {
            let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
            // Most bytes of a document are plain letters of strings.
            self.at += rest
                .iter()
                .position(|byte| !PLAIN[usize::from(*byte)])
                .unwrap_or(rest.len());
            match self.peek() {
                Some(b'"') => {
                    let rest = self.text.get(from..self.at).unwrap_or_default();
                    self.at += 1;
                    return Ok(match owned {
                        None => Cow::Borrowed(rest),
                        Some(mut text) => {
                            text.push_str(rest);
                            Cow::Owned(text)
                        }
                    });
                }
                Some(b'\\') => {
                    let text = owned.get_or_insert_with(String::new);
                    text.push_str(self.text.get(from..self.at).unwrap_or_default());
                    self.at += 1;
                    let unescaped = self.escape()?;
                    text.push(unescaped);
                    from = self.at;
                }
                _ => return Err(self.broken("the end of a string")),
            }
        }
    }

    fn escape(&mut self) -> Result<char, Invalid> {
        let letter = self.peek();
        self.at += 1;
        Ok(match letter {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.unicode(),
            _ => return Err(self.broken("an escape")),
        })
    }

    fn unicode(&mut self) -> Result<char, Invalid> {
        let high = self.hex4()?;
        if !(0xd800..0xdc00).contains(&high) {
            return char::from_u32(high).ok_or_else(|| self.broken("a whole surrogate pair"));
        }
        if self.text.get(self.at..self.at + 2) != Some("\\u") {
            return Err(self.broken("the second half of a surrogate pair"));
        }
        self.at += 2;
        let low = self.hex4()?;
        if !(0xdc00..0xe000).contains(&low) {
            return Err(self.broken("the second half of a surrogate pair"));
        }
        char::from_u32(0x1_0000 + ((high - 0xd800) << 10) + (low - 0xdc00))
            .ok_or_else(|| self.broken("a character"))
    }

    fn hex4(&mut self) -> Result<u32, Invalid> {
        let digits = self
            .text
            .get(self.at..self.at + 4)
            .filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
            .ok_or_else(|| self.broken("four hexadecimal digits"))?;
        self.at += 4;
        u32::from_str_radix(digits, 16).map_err(|_| self.broken("four hexadecimal digits"))
    }
}
