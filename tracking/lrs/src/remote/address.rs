//! What IT types: names, endpoints, keys; and what every request carries because of it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::HeaderName;
use http::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use lectern_egress::Reach;
use lectern_xapi::Version;

use crate::error::Error;

/// Names, addresses and keys longer than this are refused.
const MAX_FIELD_BYTES: usize = 2000;
const VERSION: HeaderName = HeaderName::from_static("x-experience-api-version");

/// A field of one line.
pub(crate) fn field(name: &str, text: &str) -> Result<String, Error> {
    let text = text.trim();
    if text.is_empty() || text.len() > MAX_FIELD_BYTES || text.contains(char::is_control) {
        return Err(Error::parameter(
            name,
            "limit",
            "must hold 1 to 2000 bytes of text",
        ));
    }
    Ok(text.to_owned())
}

/// The endpoint without what people paste too much.
pub(crate) fn endpoint(url: &str, allow_private: bool) -> Result<String, Error> {
    let url = field("url", url)?;
    lectern_egress::check(&url, reach(allow_private))
        .map_err(|error| Error::parameter("url", "limit", error.to_string()))?;
    if url.contains(['?', '#']) {
        return Err(Error::parameter("url", "limit", "may hold no query"));
    }
    let url = url.trim_end_matches('/');
    Ok(url
        .strip_suffix("/statements")
        .unwrap_or(url)
        .trim_end_matches('/')
        .to_owned())
}

pub(crate) fn reach(allow_private: bool) -> Reach {
    if allow_private {
        Reach::Private
    } else {
        Reach::Public
    }
}

/// What every request carries.
pub(crate) fn headers(key: &str, secret: &str, version: Version) -> Result<HeaderMap, Error> {
    let basic = format!("Basic {}", STANDARD.encode(format!("{key}:{secret}")));
    let mut basic = HeaderValue::from_str(&basic)
        .map_err(|_| Error::parameter("secret", "limit", "cannot be sent in a header"))?;
    basic.set_sensitive(true);
    let mut headers = HeaderMap::new();
    headers.insert(AUTHORIZATION, basic);
    headers.insert(VERSION, HeaderValue::from_static(version.header()));
    Ok(headers)
}
