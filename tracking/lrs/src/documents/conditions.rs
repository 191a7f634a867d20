//! `If-Match` and `If-None-Match` (RFC 9110, 13.1; Comm 3.1).

use super::Document;
use crate::error::Error;

/// What must hold for a document to be changed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Conditions {
    matches: Option<Tags>,
    differs: Option<Tags>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Tags {
    Any,
    These(Vec<String>),
}

impl Conditions {
    /// Reads the two headers.
    pub fn parse(if_match: Option<&str>, if_none_match: Option<&str>) -> Self {
        Self {
            matches: if_match.map(Tags::parse),
            differs: if_none_match.map(Tags::parse),
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.matches.is_none() && self.differs.is_none()
    }

    /// For a GET: whether the reader has this very document already.
    pub fn is_not_modified(&self, document: &Document) -> bool {
        self.differs
            .as_ref()
            .is_some_and(|tags| tags.hold(Some(document)))
    }

    pub(super) fn check(&self, document: Option<&Document>) -> Result<(), Error> {
        let fails = |message: &str| Err(Error::PreconditionFailed(message.to_owned()));
        if self
            .matches
            .as_ref()
            .is_some_and(|tags| !tags.hold(document))
        {
            return fails("the document is not the one that If-Match names");
        }
        if self
            .differs
            .as_ref()
            .is_some_and(|tags| tags.hold(document))
        {
            return fails("the document is one that If-None-Match names");
        }
        Ok(())
    }
}

impl Tags {
    fn parse(header: &str) -> Self {
        if header.trim() == "*" {
            return Self::Any;
        }
        let tags = header.split(',').map(|tag| {
            let tag = tag.trim();
            let tag = tag.strip_prefix("W/").unwrap_or(tag);
            tag.trim_matches('"').to_ascii_lowercase()
        });
        Self::These(tags.collect())
    }

    fn hold(&self, document: Option<&Document>) -> bool {
        match (self, document) {
            (_, None) => false,
            (Self::Any, Some(_)) => true,
            (Self::These(tags), Some(document)) => tags.contains(&document.etag),
        }
    }
}
