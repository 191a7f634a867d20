//! The pages: files of `web/ui/dist` inside the binary, precompressed when the build wrote `.br` or
//! `.gz` beside them. A path that names no file is a page of the one-page application.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use rust_embed::{EmbeddedFile, RustEmbed};

use crate::problem::{Problem, Status};

#[derive(RustEmbed)]
#[folder = "ui/dist/"]
struct Files;

/// Names below this folder carry a hash of their content.
const HASHED: &str = "assets/";

/// Answers a `GET` or `HEAD` for a page or one of its files.
pub fn serve(method: &Method, path: &str, headers: &HeaderMap) -> Response {
    if method != Method::GET && method != Method::HEAD {
        return Problem::new(Status::MethodNotAllowed, "Pages are only read.")
            .header(header::ALLOW, HeaderValue::from_static("GET, HEAD"))
            .into_response();
    }
    let name = path.trim_start_matches('/');
    if !name.is_empty() && Files::get(name).is_some() {
        return file(name, headers);
    }
    // A file's name that is not there is an error, not a page: a script must never be HTML.
    if name.starts_with(HASHED)
        || name
            .rsplit('/')
            .next()
            .is_some_and(|last| last.contains('.'))
    {
        return Problem::not_found("file").into_response();
    }
    if Files::get("index.html").is_none() {
        return missing();
    }
    file("index.html", headers)
}

fn file(name: &str, headers: &HeaderMap) -> Response {
    let Some((file, encoding)) = best(name, headers) else {
        return missing();
    };
    let hash = file.metadata.sha256_hash();
    let etag = format!("\"{}\"", hex::encode(&hash[..16]));
    let kept = if name.starts_with(HASHED) {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    let known = headers
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|tag| tag.trim().trim_start_matches("W/") == etag || tag.trim() == "*");
    // hyper leaves the body of an answer to HEAD away and keeps its length.
    let mut response = if known {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        Body::from(file.data).into_response()
    };
    let out = response.headers_mut();
    let mut set = |name, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            out.insert(name, value);
        }
    };
    set(header::ETAG, &etag);
    set(header::CACHE_CONTROL, kept);
    set(header::VARY, "Accept-Encoding");
    if !known {
        set(header::CONTENT_TYPE, &content_type(name));
        if let Some(encoding) = encoding {
            set(header::CONTENT_ENCODING, encoding);
        }
    }
    response
}

fn content_type(name: &str) -> String {
    match name.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8".into(),
        Some("js" | "mjs") => "text/javascript; charset=utf-8".into(),
        Some("css") => "text/css; charset=utf-8".into(),
        Some("json" | "map") => "application/json".into(),
        Some("webmanifest") => "application/manifest+json".into(),
        Some("svg") => "image/svg+xml".into(),
        Some("woff2") => "font/woff2".into(),
        Some("txt") => "text/plain; charset=utf-8".into(),
        Some("png") => "image/png".into(),
        Some("ico") => "image/x-icon".into(),
        Some("jpg" | "jpeg") => "image/jpeg".into(),
        Some("webp") => "image/webp".into(),
        Some("wasm") => "application/wasm".into(),
        _ => "application/octet-stream".into(),
    }
}

/// The smallest form that the client takes.
fn best(name: &str, headers: &HeaderMap) -> Option<(EmbeddedFile, Option<&'static str>)> {
    for (encoding, suffix) in [("br", "br"), ("gzip", "gz")] {
        if accepts(headers, encoding)
            && let Some(file) = Files::get(&format!("{name}.{suffix}"))
        {
            return Some((file, Some(encoding)));
        }
    }
    Files::get(name).map(|file| (file, None))
}

/// `Accept-Encoding` (RFC 9110, 12.5.3): named, and not with `q=0`.
fn accepts(headers: &HeaderMap, encoding: &str) -> bool {
    let values = headers
        .get_all(header::ACCEPT_ENCODING)
        .iter()
        .filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|item| {
        let (name, quality) = item.split_once(';').unwrap_or((item, "q=1"));
        let quality = quality
            .trim()
            .trim_start_matches("q=")
            .parse::<f32>()
            .unwrap_or(0.0);
        name.trim().eq_ignore_ascii_case(encoding) && quality > 0.0
    })
}

fn missing() -> Response {
    let text = "<!doctype html><html lang=en><meta charset=utf-8><title>Lectern</title>\
        <h1>The pages are not in this build</h1><p>Run <code>make build</code>, which builds them first.</p>";
    let html = HeaderValue::from_static("text/html; charset=utf-8");
    (
        StatusCode::SERVICE_UNAVAILABLE,
        [(header::CONTENT_TYPE, html)],
        text,
    )
        .into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(encoding: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(header::ACCEPT_ENCODING, HeaderValue::from_static(encoding))])
    }

    #[test]
    fn an_encoding_is_taken_only_when_the_client_names_it() {
        assert!(accepts(&headers("gzip, deflate, br;q=0.8"), "br"));
        assert!(!accepts(&headers("gzip, br;q=0"), "br"));
        assert!(!accepts(&HeaderMap::new(), "gzip"));
    }

    #[test]
    fn a_missing_script_is_never_answered_with_a_page() {
        for path in ["/assets/index-123.js", "/favicon.xyz", "/watch/index.js"] {
            assert_eq!(
                serve(&Method::GET, path, &HeaderMap::new()).status(),
                StatusCode::NOT_FOUND,
                "{path}"
            );
        }
    }

    #[test]
    fn pages_are_not_written_to() {
        assert_eq!(
            serve(&Method::POST, "/", &HeaderMap::new()).status(),
            StatusCode::METHOD_NOT_ALLOWED
        );
    }
}
