//! What answers carry.

use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use http::{HeaderMap, HeaderName, HeaderValue, header};
use http_body_util::BodyExt;
use jiff::Timestamp;
use lectern_xapi::{Version, print_timestamp};

use super::knock::VERSION;
use crate::app::App;
use crate::front::below;

const CONSISTENT_THROUGH: HeaderName =
    HeaderName::from_static("x-experience-api-consistent-through");

/// Any page may read these answers: none depends on a cookie.
const SHARED: [(HeaderName, &str); 4] = [
    (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
    (
        header::ACCESS_CONTROL_EXPOSE_HEADERS,
        "ETag, Last-Modified, Content-Length, WWW-Authenticate, X-Experience-API-Version, \
         X-Experience-API-Consistent-Through, X-Experience-API-Hash",
    ),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        "cross-origin",
    ),
    (header::CACHE_CONTROL, "private, no-cache"),
];

/// Labels everything below `/xapi`, whoever answered it, and lets pages from elsewhere read it.
pub(crate) struct Label {
    /// What was refused before anyone looked at the version is labelled with the one asked for, if it is one.
    asked: Version,
    /// Of statements: consistent through, before the request was looked at
    through: Option<Timestamp>,
}

impl Label {
    /// None elsewhere.
    pub(crate) fn of(app: &App, request: &Request) -> Option<Self> {
        below(request.uri().path(), "/xapi").map(|rest| Self {
            asked: super::knock::version(request.headers()).unwrap_or(app.config.xapi_default),
            through: (rest == "/statements").then(|| app.lrs.consistent_through()),
        })
    }

    pub(crate) fn put(self, headers: &mut HeaderMap) {
        if !headers.contains_key(VERSION) {
            set_version(headers, self.asked);
        }
        if let Some(through) = self
            .through
            .filter(|_| !headers.contains_key(CONSISTENT_THROUGH))
        {
            set_consistent_through(headers, through);
        }
        for (name, value) in SHARED {
            headers.insert(name, HeaderValue::from_static(value));
        }
    }
}

pub(super) fn set_version(headers: &mut HeaderMap, version: Version) {
    headers.insert(VERSION, HeaderValue::from_static(version.header()));
}

pub(super) fn set_consistent_through(headers: &mut HeaderMap, through: Timestamp) {
    if let Ok(value) = HeaderValue::try_from(print_timestamp(through)) {
        headers.insert(CONSISTENT_THROUGH, value);
    }
}

/// The answer to HEAD: all of GET's headers. What would be sent is counted and not kept.
pub(super) async fn without_body(response: Response) -> Response {
    let (mut parts, mut body) = response.into_parts();
    let mut length = Some(0);
    while let Some(frame) = body.frame().await {
        let bytes = frame.ok().and_then(|frame| frame.into_data().ok());
        length = length
            .zip(bytes)
            .map(|(length, bytes)| length + bytes.len());
    }
    if let Some(length) = length {
        parts
            .headers
            .insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    }
    Response::from_parts(parts, Body::empty())
}

/// An HTTP date; the standard's `Last-Modified` knows no more than seconds.
pub(super) fn http_date(at: Timestamp) -> Option<HeaderValue> {
    // Before 1970 there are no HTTP dates, and a box without a clock thinks it is earlier still.
    if at < Timestamp::UNIX_EPOCH {
        return None;
    }
    HeaderValue::try_from(httpdate::fmt_http_date(at.into())).ok()
}

pub(super) fn json(text: String) -> Response {
    let mut response = Response::new(Body::from(text));
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    response
}
