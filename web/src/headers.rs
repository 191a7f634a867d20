//! Headers that every answer carries: what a page of ours may load, and who may frame it.
//!
//! No HSTS and no `upgrade-insecure-requests`: learners without the box's CA watch over plain HTTP
//! (`docs/contract.md`, *Sign-in and networks*).

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use http::{HeaderName, HeaderValue, header};

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

/// Adds them where a handler has not set its own.
pub(crate) async fn secure(request: Request, next: Next) -> Response {
    let is_media = request.uri().path().starts_with("/media/");
    let is_api = request.uri().path().starts_with("/api/");
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        headers
            .entry(name)
            .or_insert(HeaderValue::from_static(value));
    }
    // What the API answers is one person's, on a machine that others may use after them.
    if is_api {
        headers
            .entry(header::CACHE_CONTROL)
            .or_insert(HeaderValue::from_static("no-store"));
    }
    // Segments are public below their key and any cache or player may stand in front.
    let shared_with = if is_media {
        "cross-origin"
    } else {
        "same-origin"
    };
    headers
        .entry(HeaderName::from_static("cross-origin-resource-policy"))
        .or_insert(HeaderValue::from_static(shared_with));
    response
}
