//! Answers with the bytes of a file or of a text made now: `ETag`, `If-None-Match`, `Range`,
//! `If-Range`, `HEAD`.

use std::io::SeekFrom;
use std::path::PathBuf;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use sha2::{Digest, Sha256};
use tokio::fs::File;
use tokio::io::{AsyncReadExt, AsyncSeekExt};
use tokio_util::io::ReaderStream;

use super::Asked;
use super::range::{self, Part};
use crate::problem::{Problem, Status};

/// Bytes read from the disk at a time.
const CHUNK: usize = 64 * 1024;

/// What is known of an answer before its bytes.
pub(super) struct Kind {
    /// Media type
    pub(super) content_type: &'static str,
    /// `Cache-Control`
    pub(super) cache: &'static str,
}

/// A text made for this request. Its tag is its hash.
pub(super) fn text(text: String, kind: Kind, asked: &Asked) -> Response {
    let hash = Sha256::digest(text.as_bytes());
    let etag = format!("\"{}\"", hex::encode(hash.get(..16).unwrap_or_default()));
    let mut response = if range::names(value(&asked.headers, header::IF_NONE_MATCH), &etag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        let length = text.len() as u64;
        let body = match asked.method {
            Method::HEAD => Body::empty(),
            _ => Body::from(text),
        };
        let mut response = Response::new(body);
        describe(response.headers_mut(), kind.content_type, length);
        response
    };
    tag(response.headers_mut(), &etag, kind.cache);
    response
}

/// A file, whose bytes never change under its tag.
pub(super) async fn bytes(
    path: PathBuf,
    etag: String,
    kind: Kind,
    asked: &Asked,
) -> Result<Response, Problem> {
    let headers = &asked.headers;
    if range::names(value(headers, header::IF_NONE_MATCH), &etag) {
        let mut response = StatusCode::NOT_MODIFIED.into_response();
        tag(response.headers_mut(), &etag, kind.cache);
        return Ok(response);
    }
    let mut file = match File::open(&path).await {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(Problem::not_found("file").because(format!("{}: {error}", path.display())));
        }
        Err(error) => return Err(Problem::internal(format!("{}: {error}", path.display()))),
    };
    let metadata = file.metadata().await.map_err(Problem::internal)?;
    if !metadata.is_file() {
        return Err(Problem::not_found("file"));
    }
    let length = metadata.len();
    // A part of other bytes than the client has is of no use to it (RFC 9110, 13.1.5).
    let is_current = value(headers, header::IF_RANGE).is_none_or(|given| given.trim() == etag);
    let asked_part = value(headers, header::RANGE).filter(|_| is_current);
    let (status, first, count) = match range::parse(asked_part, length) {
        Part::Whole => (StatusCode::OK, 0, length),
        Part::Bytes { first, last } => (StatusCode::PARTIAL_CONTENT, first, last - first + 1),
        Part::Outside => {
            return Err(
                Problem::new(Status::Range, "The file is shorter than that.")
                    .header(header::CONTENT_RANGE, number(format!("bytes */{length}"))),
            );
        }
    };
    let body = match asked.method {
        Method::HEAD => Body::empty(),
        _ => {
            if first > 0 {
                file.seek(SeekFrom::Start(first))
                    .await
                    .map_err(Problem::internal)?;
            }
            Body::from_stream(ReaderStream::with_capacity(file.take(count), CHUNK))
        }
    };
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    describe(headers, kind.content_type, count);
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    if status == StatusCode::PARTIAL_CONTENT {
        let range = format!("bytes {first}-{}/{length}", first + count - 1);
        headers.insert(header::CONTENT_RANGE, number(range));
    }
    tag(headers, &etag, kind.cache);
    Ok(response)
}

fn describe(headers: &mut HeaderMap, content_type: &'static str, length: u64) {
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
}

fn tag(headers: &mut HeaderMap, etag: &str, cache: &'static str) {
    headers.insert(header::ETAG, number(etag.to_owned()));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
}

/// A header of our own making: digits, letters, quotes.
fn number(text: String) -> HeaderValue {
    HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static(""))
}

fn value(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}
