//! What a statement says about its attachments (Data 2.4.11). The bytes are not here.

use crate::invalid::{Invalid, Path};
use crate::iri;
use crate::json::{Json, Kind};
use crate::language::{LanguageMap, language_map};

const CLAUSE: &str = "Data 2.4.11";

/// `usageType` of the attachment that is a statement's signature (Data 2.6).
pub const SIGNATURE_USAGE: &str = "http://adlnet.gov/expapi/attachments/signature";

/// A file that belongs to a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    /// What it is for.
    pub usage_type: String,
    /// Title by language.
    pub display: LanguageMap,
    /// Description by language.
    pub description: LanguageMap,
    /// Media type.
    pub content_type: String,
    /// Bytes.
    pub length: u64,
    /// Hex SHA-2 of the bytes, in lower case.
    pub sha2: String,
    /// Where else it can be had.
    pub file_url: Option<String>,
}

pub(crate) fn attachment(value: &Json<'_>, at: &Path<'_>) -> Result<Attachment, Invalid> {
    let (mut usage_type, mut display, mut content_type) = (None, None, None);
    let (mut length, mut sha2, mut file_url) = (None, None, None);
    let mut description = LanguageMap::new();
    for (key, value) in value.object(at, CLAUSE)? {
        let here = at.key(key);
        match key.as_ref() {
            "usageType" => usage_type = Some(iri::iri(value, &here, CLAUSE)?),
            "display" => display = Some(language_map(value, &here)?),
            "description" => description = language_map(value, &here)?,
            "contentType" => content_type = Some(media_type(value, &here)?),
            "length" => length = Some(whole_number(value, &here)?),
            "sha2" => sha2 = Some(sha2_hex(value, &here)?),
            "fileUrl" => file_url = Some(iri::iri(value, &here, CLAUSE)?),
            _ => return Err(here.unknown(CLAUSE)),
        }
    }
    Ok(Attachment {
        usage_type: usage_type.ok_or_else(|| at.missing(CLAUSE, "usageType"))?,
        display: display.ok_or_else(|| at.missing(CLAUSE, "display"))?,
        description,
        content_type: content_type.ok_or_else(|| at.missing(CLAUSE, "contentType"))?,
        length: length.ok_or_else(|| at.missing(CLAUSE, "length"))?,
        sha2: sha2.ok_or_else(|| at.missing(CLAUSE, "sha2"))?,
        file_url,
    })
}

fn media_type(value: &Json<'_>, at: &Path<'_>) -> Result<String, Invalid> {
    let text = value.text(at, CLAUSE)?;
    let essence = text.split(';').next().unwrap_or_default().trim();
    let token = |part: &str| {
        !part.is_empty()
            && part
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"!#$&^_.+-".contains(&byte))
    };
    match essence.split_once('/') {
        Some((kind, sub)) if token(kind) && token(sub) && text.len() <= 255 => Ok(text.to_owned()),
        _ => Err(at.invalid(CLAUSE, "is no media type such as text/plain")),
    }
}

fn whole_number(value: &Json<'_>, at: &Path<'_>) -> Result<u64, Invalid> {
    match &value.kind {
        Kind::Number(digits) => digits.parse().ok(),
        _ => None,
    }
    .ok_or_else(|| at.invalid(CLAUSE, "must be a whole number of bytes"))
}

fn sha2_hex(value: &Json<'_>, at: &Path<'_>) -> Result<String, Invalid> {
    let text = value.text(at, CLAUSE)?;
    // SHA-224, -256, -384, -512.
    let good = matches!(text.len(), 56 | 64 | 96 | 128)
        && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !good {
        return Err(at.invalid(CLAUSE, "must be a SHA-2 in hexadecimal digits"));
    }
    Ok(text.to_ascii_lowercase())
}
