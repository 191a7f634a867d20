//! The alternate request syntax of 1.0.3 (Comm 1.3): `POST …?method=PUT` with headers, parameters and content as form
//! fields, for browsers of old. 2.0 took it away, so a request that names 2.0 is refused.

use http::{HeaderName, HeaderValue, Method, header};

use super::Asked;
use super::knock::{self, VERSION};
use crate::problem::Problem;

/// Fields that stand for headers; every other is a parameter.
const HEADERS: [&str; 8] = [
    "authorization",
    VERSION,
    "content-type",
    "content-length",
    "if-match",
    "if-none-match",
    "accept",
    "accept-language",
];

/// Rewrites such a request into the one that it stands for; leaves others alone.
pub(super) fn resolve(asked: &mut Asked) -> Result<(), Problem> {
    if asked.method != Method::POST || !asked.parameters.iter().any(|(name, _)| name == "method") {
        return Ok(());
    }
    let wrong = |message: &str| Problem::bad_request(message.to_owned());
    if asked.parameters.len() != 1 {
        return Err(wrong(
            "With `method` in the query everything else belongs into the form.",
        ));
    }
    let method = match asked.parameters.first().map(|(_, value)| value.as_str()) {
        Some("GET") => Method::GET,
        Some("PUT") => Method::PUT,
        Some("POST") => Method::POST,
        Some("DELETE") => Method::DELETE,
        Some("HEAD") => Method::GET,
        _ => {
            return Err(wrong(
                "The query's `method` is none of GET, PUT, POST, DELETE, HEAD.",
            ));
        }
    };
    let fields: Vec<(String, String)> = form_urlencoded::parse(&asked.body).into_owned().collect();
    let mut parameters = Vec::new();
    let mut headers = asked.headers.clone();
    headers.remove(header::CONTENT_TYPE);
    let mut content = None;
    for (name, value) in fields {
        let lower = name.to_ascii_lowercase();
        if name == "content" {
            content = Some(value);
        } else if HEADERS.contains(&lower.as_str()) {
            let header = (HeaderName::try_from(lower), HeaderValue::try_from(value));
            let (Ok(name), Ok(value)) = header else {
                return Err(wrong(
                    "A form field that stands for a header cannot be one.",
                ));
            };
            headers.insert(name, value);
        } else {
            parameters.push((name, value));
        }
    }
    if knock::version(&headers).is_ok_and(|version| version == lectern_xapi::Version::V2_0_0) {
        return Err(wrong(
            "xAPI 2.0 has no alternate request syntax; send the request as it is.",
        ));
    }
    if content.is_some() && !headers.contains_key(header::CONTENT_TYPE) {
        // Old browsers left it out; what they sent was JSON.
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/json"),
        );
    }
    asked.method = method;
    asked.parameters = parameters;
    asked.headers = headers;
    asked.body = content.unwrap_or_default().into_bytes();
    Ok(())
}
