//! Why something was refused, and where in the document: for the person who wrote the client.

use std::fmt;

/// A document that breaks a rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {message} (xAPI {clause})")]
pub struct Invalid {
    /// Where, as a JSON path: `$[2].actor.mbox`.
    pub path: String,
    /// The clause of the standard, or `limit` for a bound of ours.
    pub clause: &'static str,
    /// What is wrong and what would be right.
    pub message: String,
}

/// The clause of refusals that are our own bounds.
pub(crate) const LIMIT: &str = "limit";

impl Invalid {
    /// Whether a bound of ours was passed, rather than a rule broken.
    pub fn is_limit(&self) -> bool {
        self.clause == LIMIT
    }
}

/// A place in a document, built without allocation while parsing goes down.
#[derive(Debug, Clone, Copy)]
pub struct Path<'p> {
    parent: Option<&'p Path<'p>>,
    step: Step<'p>,
}

#[derive(Debug, Clone, Copy)]
enum Step<'p> {
    Root(&'p str),
    Key(&'p str),
    Index(usize),
}

impl<'p> Path<'p> {
    /// The whole document.
    pub const fn root() -> Self {
        Self::named("$")
    }

    /// The whole of something that is no body, such as a query parameter.
    pub const fn named(name: &'p str) -> Self {
        Self {
            parent: None,
            step: Step::Root(name),
        }
    }

    /// A property of this object.
    pub fn key<'c>(&'c self, key: &'c str) -> Path<'c> {
        Path {
            parent: Some(self),
            step: Step::Key(key),
        }
    }

    /// An element of this array.
    pub fn index<'c>(&'c self, index: usize) -> Path<'c> {
        Path {
            parent: Some(self),
            step: Step::Index(index),
        }
    }

    /// A refusal here.
    pub fn invalid(&self, clause: &'static str, message: impl Into<String>) -> Invalid {
        Invalid {
            path: self.to_string(),
            clause,
            message: message.into(),
        }
    }

    pub(crate) fn unknown(&self, clause: &'static str) -> Invalid {
        self.invalid(
            clause,
            "is no property that the standard knows here (case counts)",
        )
    }

    pub(crate) fn missing(&self, clause: &'static str, property: &str) -> Invalid {
        self.invalid(clause, format!("must have the property {property:?}"))
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(parent) = self.parent {
            parent.fmt(f)?;
        }
        match self.step {
            Step::Root(name) => f.write_str(name),
            Step::Index(index) => write!(f, "[{index}]"),
            Step::Key(key) => {
                let plain = key
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
                if plain && !key.is_empty() {
                    write!(f, ".{key}")
                } else {
                    let short: String = key.chars().take(100).collect();
                    write!(f, "[{short:?}]")
                }
            }
        }
    }
}
