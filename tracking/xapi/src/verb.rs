//! Verbs (Data 2.4.3).

use crate::invalid::{Invalid, Path};
use crate::iri;
use crate::json::Json;
use crate::language::{LanguageMap, language_map};

const CLAUSE: &str = "Data 2.4.3";

/// What was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verb {
    /// Its IRI: the meaning.
    pub id: String,
    /// Words for people: no meaning.
    pub display: LanguageMap,
}

pub(crate) fn verb(value: &Json<'_>, at: &Path<'_>) -> Result<Verb, Invalid> {
    let mut id = None;
    let mut display = LanguageMap::new();
    for (key, value) in value.object(at, CLAUSE)? {
        let here = at.key(key);
        match key.as_ref() {
            "id" => id = Some(iri::iri(value, &here, CLAUSE)?),
            "display" => display = language_map(value, &here)?,
            _ => return Err(here.unknown(CLAUSE)),
        }
    }
    Ok(Verb {
        id: id.ok_or_else(|| at.missing(CLAUSE, "id"))?,
        display,
    })
}
