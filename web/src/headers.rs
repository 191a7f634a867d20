//! Headers that every answer carries: what a page of ours may load, and who may frame it.
//!
//! No HSTS and no `upgrade-insecure-requests`: learners without the box's CA watch over plain HTTP
//! (`docs/contract.md`, *Sign-in and networks*).

use axum::extract::Request;
use http::{HeaderMap, HeaderName, HeaderValue, header};

/// `blob:` is what hls.js plays and works from; styles are inline where a ribbon has a width.
pub const CSP: &str = "default-src 'self'; media-src 'self' blob:; worker-src 'self' blob:; \
    img-src 'self' data: blob:; style-src 'self' 'unsafe-inline'; object-src 'none'; base-uri 'none'; \
    form-action 'self'; frame-ancestors 'none'";

const HEADERS: [(HeaderName, &str); 5] = [
    (header::CONTENT_SECURITY_POLICY, CSP),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "same-origin"),
    (
        HeaderName::from_static("permissions-policy"),
        "camera=(self), microphone=(self), display-capture=(self), geolocation=(), payment=(), usb=()",
    ),
];

/// What an answer carries, by where it was asked for.
pub(crate) struct Carried {
    is_media: bool,
    is_api: bool,
}

impl Carried {
    pub(crate) fn by(request: &Request) -> Self {
        let path = request.uri().path();
        Self {
            is_media: path.starts_with("/media/"),
            is_api: path.starts_with("/api/"),
        }
    }

    /// Adds what a handler has not set itself.
    pub(crate) fn put(self, headers: &mut HeaderMap) {
        for (name, value) in HEADERS {
            headers
                .entry(name)
                .or_insert(HeaderValue::from_static(value));
        }
        // What the API answers is one person's, on a machine that others may use after them.
        if self.is_api {
            headers
                .entry(header::CACHE_CONTROL)
                .or_insert(HeaderValue::from_static("no-store"));
        }
        // Segments are public below their key and any cache or player may stand in front.
        let shared_with = if self.is_media {
            "cross-origin"
        } else {
            "same-origin"
        };
        headers
            .entry(HeaderName::from_static("cross-origin-resource-policy"))
            .or_insert(HeaderValue::from_static(shared_with));
    }
}
