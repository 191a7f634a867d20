//! A strict JSON reader (RFC 8259) that keeps what a statement must not lose: the order of properties, each number
//! as it was written, and where each value stood in the text. Not serde_json, because that takes the last of two
//! properties with one name, which xAPI forbids (Data 2.2), and gives no spans.

mod reader;

use std::borrow::Cow;

use crate::invalid::{Invalid, Path};

/// A value and where it stood.
#[derive(Debug, Clone, PartialEq)]
pub struct Json<'a> {
    /// What it is.
    pub kind: Kind<'a>,
    span: (usize, usize),
}

/// What a value is.
#[derive(Debug, Clone, PartialEq)]
pub enum Kind<'a> {
    /// `null`
    Null,
    /// `true`, `false`
    Bool(bool),
    /// As written.
    Number(Cow<'a, str>),
    /// Unescaped.
    String(Cow<'a, str>),
    /// In order.
    Array(Vec<Json<'a>>),
    /// In order, no name twice.
    Object(Vec<(Cow<'a, str>, Json<'a>)>),
}

impl<'a> Json<'a> {
    /// Reads a whole document.
    pub fn read(text: &'a str, depth: usize) -> Result<Self, Invalid> {
        reader::read(text, depth)
    }

    /// A value that stood nowhere.
    pub fn new(kind: Kind<'a>) -> Self {
        Self { kind, span: (0, 0) }
    }

    /// A string that stood nowhere.
    pub fn string(text: impl Into<Cow<'a, str>>) -> Self {
        Self::new(Kind::String(text.into()))
    }

    /// The text it was read from, given the whole document's.
    pub fn source<'t>(&self, text: &'t str) -> &'t str {
        text.get(self.span.0..self.span.1).unwrap_or_default()
    }

    /// The property of an object.
    pub fn get(&self, key: &str) -> Option<&Self> {
        let Kind::Object(entries) = &self.kind else {
            return None;
        };
        entries
            .iter()
            .find(|(name, _)| name == key)
            .map(|(_, value)| value)
    }

    /// The property of an object, to be changed.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Self> {
        let Kind::Object(entries) = &mut self.kind else {
            return None;
        };
        entries
            .iter_mut()
            .find(|(name, _)| name == key)
            .map(|(_, value)| value)
    }

    /// Sets a property of an object, in place or at the end.
    pub fn set(&mut self, key: &'a str, value: Self) {
        if let Some(old) = self.get_mut(key) {
            *old = value;
        } else if let Kind::Object(entries) = &mut self.kind {
            entries.push((Cow::Borrowed(key), value));
        }
    }

    /// Takes a property out of an object.
    pub fn remove(&mut self, key: &str) -> Option<Self> {
        let Kind::Object(entries) = &mut self.kind else {
            return None;
        };
        let index = entries.iter().position(|(name, _)| name == key)?;
        Some(entries.remove(index).1)
    }

    /// The text of a string.
    pub fn as_str(&self) -> Option<&str> {
        match &self.kind {
            Kind::String(text) => Some(text),
            _ => None,
        }
    }

    /// The elements of an array.
    pub fn as_array(&self) -> Option<&[Self]> {
        match &self.kind {
            Kind::Array(items) => Some(items),
            _ => None,
        }
    }

    /// The word for its type in messages.
    pub fn type_name(&self) -> &'static str {
        match self.kind {
            Kind::Null => "null",
            Kind::Bool(_) => "a boolean",
            Kind::Number(_) => "a number",
            Kind::String(_) => "a string",
            Kind::Array(_) => "an array",
            Kind::Object(_) => "an object",
        }
    }

    /// Appends it as compact JSON.
    pub fn write(&self, out: &mut String) {
        match &self.kind {
            Kind::Null => out.push_str("null"),
            Kind::Bool(true) => out.push_str("true"),
            Kind::Bool(false) => out.push_str("false"),
            Kind::Number(number) => out.push_str(number),
            Kind::String(text) => write_string(text, out),
            Kind::Array(items) => {
                out.push('[');
                for (index, item) in items.iter().enumerate() {
                    if index > 0 {
                        out.push(',');
                    }
                    item.write(out);
                }
                out.push(']');
            }
            Kind::Object(entries) => {
                out.push('{');
                for (index, (key, value)) in entries.iter().enumerate() {
                    if index > 0 {
                        out.push(',');
                    }
                    write_string(key, out);
                    out.push(':');
                    value.write(out);
                }
                out.push('}');
            }
        }
    }

    /// It as compact JSON.
    pub fn print(&self) -> String {
        let mut out = String::new();
        self.write(&mut out);
        out
    }

    /// It as serde_json's value. Numbers keep their digits.
    pub fn to_value(&self) -> serde_json::Value {
        use serde_json::Value;
        match &self.kind {
            Kind::Null => Value::Null,
            Kind::Bool(truth) => Value::Bool(*truth),
            Kind::Number(number) => serde_json::from_str(number).unwrap_or(Value::Null),
            Kind::String(text) => Value::String(text.to_string()),
            Kind::Array(items) => Value::Array(items.iter().map(Self::to_value).collect()),
            Kind::Object(entries) => Value::Object(
                entries
                    .iter()
                    .map(|(key, value)| (key.to_string(), value.to_value()))
                    .collect(),
            ),
        }
    }

    pub(crate) fn object(
        &self,
        at: &Path<'_>,
        clause: &'static str,
    ) -> Result<&[(Cow<'a, str>, Self)], Invalid> {
        match &self.kind {
            Kind::Object(entries) => Ok(entries),
            _ => Err(self.is_not("an object", at, clause)),
        }
    }

    pub(crate) fn array(&self, at: &Path<'_>, clause: &'static str) -> Result<&[Self], Invalid> {
        match &self.kind {
            Kind::Array(items) => Ok(items),
            _ => Err(self.is_not("an array", at, clause)),
        }
    }

    pub(crate) fn text(&self, at: &Path<'_>, clause: &'static str) -> Result<&str, Invalid> {
        match &self.kind {
            Kind::String(text) => Ok(text),
            _ => Err(self.is_not("a string", at, clause)),
        }
    }

    pub(crate) fn boolean(&self, at: &Path<'_>, clause: &'static str) -> Result<bool, Invalid> {
        match self.kind {
            Kind::Bool(truth) => Ok(truth),
            _ => Err(self.is_not("true or false", at, clause)),
        }
    }

    pub(crate) fn number(&self, at: &Path<'_>, clause: &'static str) -> Result<f64, Invalid> {
        match &self.kind {
            Kind::Number(number) => number
                .parse::<f64>()
                .ok()
                .filter(|value| value.is_finite())
                .ok_or_else(|| at.invalid(clause, "is too large for a number")),
            _ => Err(self.is_not("a number", at, clause)),
        }
    }

    fn is_not(&self, wanted: &str, at: &Path<'_>, clause: &'static str) -> Invalid {
        at.invalid(clause, format!("must be {wanted}, is {}", self.type_name()))
    }
}

fn write_string(text: &str, out: &mut String) {
    out.push('"');
    let mut plain_from = 0;
    for (index, byte) in text.bytes().enumerate() {
        let escape = match byte {
            b'"' => "\\\"",
            b'\\' => "\\\\",
            b'\n' => "\\n",
            b'\r' => "\\r",
            b'\t' => "\\t",
            0..=0x1f => "",
            _ => continue,
        };
        out.push_str(text.get(plain_from..index).unwrap_or_default());
        if escape.is_empty() {
            out.push_str(&format!("\\u{byte:04x}"));
        } else {
            out.push_str(escape);
        }
        plain_from = index + 1;
    }
    out.push_str(text.get(plain_from..).unwrap_or_default());
    out.push('"');
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Json;

    #[test]
    fn a_property_twice_is_refused_in_small_and_large_objects() {
        assert!(Json::read(r#"{"a":1,"a":1}"#, 8).is_err());
        assert!(Json::read(r#"{"a":1,"\u0061":1}"#, 8).is_err());
        let many: Vec<String> = (0..40).map(|n| format!("\"k{n}\":{n}")).collect();
        assert!(Json::read(&format!("{{{}}}", many.join(",")), 8).is_ok());
        assert!(Json::read(&format!("{{{},\"k39\":0}}", many.join(",")), 8).is_err());
    }

    #[test]
    fn numbers_and_order_come_back_as_they_were_sent() {
        let text = r#"{"z":1.0,"a":[1e-7,-0,12345678901234567890.10],"ü":"\"\n\u0001"}"#;
        assert_eq!(Json::read(text, 8).expect("JSON").print(), text);
    }

    #[test]
    fn the_source_of_a_value_is_what_was_written() {
        let text = "[ {\"a\" : 1} ,2]";
        let batch = Json::read(text, 8).expect("JSON");
        let first = &batch.as_array().expect("array")[0];
        assert_eq!(first.source(text), "{\"a\" : 1}");
    }

    #[test]
    fn nesting_is_bounded() {
        assert!(Json::read(&"[".repeat(100_000), 64).is_err_and(|invalid| invalid.is_limit()));
        let many = format!("[{}0]", "[],".repeat(1_000_000));
        assert!(Json::read(&many, 64).is_err_and(|invalid| invalid.is_limit()));
        assert!(Json::read("[[[]]]", 3).is_ok());
        assert!(Json::read("[[],[],[],[[]]]", 3).is_ok());
        assert!(Json::read("[[[[]]]]", 3).is_err());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn we_take_what_serde_json_takes_and_read_the_same(text in r#"[\[\]{}",:a\\un0-9eE.+\- ]{0,24}"#) {
            let ours = Json::read(&text, 200);
            let theirs = serde_json::from_str::<serde_json::Value>(&text);
            match (ours, theirs) {
                (Ok(ours), Ok(theirs)) => prop_assert_eq!(ours.to_value(), theirs),
                (Err(ours), Ok(_)) => prop_assert!(ours.message.contains("twice"), "{}", ours),
                (Ok(_), Err(theirs)) => prop_assert!(theirs.to_string().contains("number out of range"), "{}", theirs),
                (Err(_), Err(_)) => {}
            }
        }

        #[test]
        fn no_text_makes_the_reader_panic(text in "\\PC{0,200}") {
            let _ = Json::read(&text, 16);
        }

        #[test]
        fn every_string_comes_back(text in any::<String>()) {
            let printed = Json::string(text.clone()).print();
            let read = Json::read(&printed, 1).expect("own print");
            prop_assert_eq!(read.as_str(), Some(text.as_str()));
            prop_assert_eq!(serde_json::from_str::<String>(&printed).expect("serde reads it"), text);
        }
    }
}
