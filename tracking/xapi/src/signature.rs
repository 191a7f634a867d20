//! Signed statements (Data 2.6): the signature attachment is a JWS (RFC 7515, compact) over the statement as it was
//! before the signature was added. Checked here: form, algorithm, and that the payload is the statement. A valid
//! signature never makes a sender known; certificates in `x5c` are not looked at.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::attachment::{Attachment, SIGNATURE_USAGE};
use crate::equivalence::equivalent;
use crate::invalid::{Invalid, Path};
use crate::json::{Json, Kind};
use crate::limits::Limits;

const CLAUSE: &str = "Data 2.6";
const ALGORITHMS: [&str; 3] = ["RS256", "RS384", "RS512"];

/// Checks the bytes of a signature attachment against its statement's text.
///
/// # Errors
/// They are no such signature.
pub fn check_signature(
    attachment: &Attachment,
    jws: &[u8],
    statement: &str,
) -> Result<(), Invalid> {
    let at = Path::named("signature");
    let refuse = |message: &str| Err(at.invalid(CLAUSE, message));
    let essence = attachment
        .content_type
        .split(';')
        .next()
        .unwrap_or_default();
    if !essence
        .trim()
        .eq_ignore_ascii_case("application/octet-stream")
    {
        return refuse("must have the contentType application/octet-stream");
    }
    let Some([header, payload, signature]) = parts(jws) else {
        return refuse("must be a JWS in compact form: three parts of base64url with dots between");
    };
    if signature.is_empty() {
        return refuse("must not be empty");
    }
    let (Ok(header), Ok(payload)) = (String::from_utf8(header), String::from_utf8(payload)) else {
        return refuse("must have a header and a payload of JSON");
    };
    let depth = Limits::DEFAULT.depth;
    let header = Json::read(&header, depth)?;
    let algorithm = header.get("alg").and_then(Json::as_str).unwrap_or_default();
    if !ALGORITHMS.contains(&algorithm) {
        return refuse("must use RS256, RS384 or RS512");
    }
    Json::read(&payload, depth)?.object(&at, CLAUSE)?;
    if !equivalent(&payload, &unsigned(statement)?) {
        return refuse("must have the statement as its payload");
    }
    Ok(())
}

fn parts(jws: &[u8]) -> Option<[Vec<u8>; 3]> {
    let text = std::str::from_utf8(jws).ok()?.trim();
    let mut parts = text
        .split('.')
        .map(|part| URL_SAFE_NO_PAD.decode(part).ok());
    let found = [parts.next()??, parts.next()??, parts.next()??];
    parts.next().is_none().then_some(found)
}

/// The statement as it was before it was signed.
fn unsigned(statement: &str) -> Result<String, Invalid> {
    let mut statement = Json::read(statement, Limits::DEFAULT.depth)?;
    let mut left = 0;
    if let Some(Kind::Array(attachments)) =
        statement.get_mut("attachments").map(|list| &mut list.kind)
    {
        attachments.retain(|attachment| {
            attachment.get("usageType").and_then(Json::as_str) != Some(SIGNATURE_USAGE)
        });
        left = attachments.len();
    }
    if left == 0 {
        statement.remove("attachments");
    }
    Ok(statement.print())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::LanguageMap;

    const STATEMENT: &str = r#"{"actor":{"mbox":"mailto:a@a"},"verb":{"id":"http://a/v"},"object":{"id":"http://a/o"},"result":{"duration":"PT0.1237S"},"attachments":[{"usageType":"http://adlnet.gov/expapi/attachments/signature"}]}"#;

    fn check(content_type: &str, header: &str, payload: &str) -> Result<(), Invalid> {
        let attachment = Attachment {
            usage_type: SIGNATURE_USAGE.to_owned(),
            display: LanguageMap::new(),
            description: LanguageMap::new(),
            content_type: content_type.to_owned(),
            length: 1,
            sha2: String::new(),
            file_url: None,
        };
        let encode = |text: &str| URL_SAFE_NO_PAD.encode(text);
        let jws = format!(
            "{}.{}.{}",
            encode(header),
            encode(payload),
            encode("signature")
        );
        check_signature(&attachment, jws.as_bytes(), STATEMENT)
    }

    #[test]
    fn a_signature_is_a_jws_over_the_statement() {
        let (kind, header) = ("application/octet-stream", r#"{"alg":"RS256"}"#);
        let payload = r#"{"actor":{"mbox":"mailto:a@a"},"verb":{"id":"http://a/v"},"object":{"id":"http://a/o"},"result":{"duration":"PT0.12S"}}"#;
        assert_eq!(check(kind, header, payload), Ok(()));
        assert!(check("text/plain", header, payload).is_err());
        for header in [r#"{"alg":"HS256"}"#, r#"{"alg":"none"}"#, "{}", "x"] {
            assert!(check(kind, header, payload).is_err(), "{header}");
        }
        for payload in ["{}", "x", &payload.replace("http://a/o", "http://a/p")] {
            assert!(check(kind, header, payload).is_err(), "{payload}");
        }
        assert!(
            parts(b"a.b").is_none()
                && parts(b"YQ.YQ.YQ.YQ").is_none()
                && parts(b"?.YQ.YQ").is_none()
        );
    }
}
