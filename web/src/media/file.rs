//! Answers with the bytes of a file or of a text made now: `ETag`, `If-None-Match`, `Range`,
//! `If-Range`, `HEAD`.

use std::fmt::Display;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use prometheus::IntCounter;
use rustix::fs::{CWD, Mode, OFlags, ResolveFlags, openat2};
use sha2::{Digest, Sha256};

use super::Asked;
use super::pages::Pages;
use super::range::{self, Part};
use crate::extract::blocking;
use crate::problem::{Problem, Status};

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
    if is_known(&etag, asked) {
        return not_modified(&etag, kind);
    }
    let length = text.len() as u64;
    let body = match asked.method {
        Method::HEAD => Body::empty(),
        _ => Body::from(text),
    };
    let mut response = Response::new(body);
    describe(response.headers_mut(), kind.content_type, length);
    tag(response.headers_mut(), &etag, kind.cache);
    response
}

/// Opens a file: at once where the kernel knows the way to it, else on a thread that may wait.
///
/// # Errors
/// It is not there, or is none.
pub(super) async fn open(path: PathBuf) -> Result<(File, u64), Problem> {
    // Some file systems cannot say what they know.
    let cached = ResolveFlags::CACHED;
    let flags = OFlags::RDONLY | OFlags::CLOEXEC;
    match openat2(CWD, &path, flags, Mode::empty(), cached) {
        Ok(file) => measured(&path, Ok(file.into())),
        Err(_) => blocking(move || measured(&path, File::open(&path))).await,
    }
}

fn measured(path: &Path, file: io::Result<File>) -> Result<(File, u64), Problem> {
    let measured = file.and_then(|file| Ok((file.metadata()?, file)));
    let why = |why: &dyn Display| format!("{}: {why}", path.display());
    match measured {
        Ok((metadata, file)) if metadata.is_file() => Ok((file, metadata.len())),
        Ok(_) => Err(Problem::not_found("file").because(why(&"is no file"))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Err(Problem::not_found("file").because(why(&error)))
        }
        Err(error) => Err(Problem::internal(why(&error))),
    }
}

/// Whether the client has what this tag stands for.
pub(super) fn is_known(etag: &str, asked: &Asked) -> bool {
    range::names(value(&asked.headers, header::IF_NONE_MATCH), etag)
}

/// The answer to whoever has it already.
pub(super) fn not_modified(etag: &str, kind: Kind) -> Response {
    let mut response = StatusCode::NOT_MODIFIED.into_response();
    tag(response.headers_mut(), etag, kind.cache);
    response
}

/// A file, whose bytes never change under its tag; `sent` counts what leaves of it.
pub(super) fn bytes(
    (file, length): (File, u64),
    etag: &str,
    kind: Kind,
    asked: &Asked,
    sent: &IntCounter,
) -> Result<Response, Problem> {
    let headers = &asked.headers;
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
        _ => Body::new(Pages::new(file, first, count, sent.clone())),
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
    tag(headers, etag, kind.cache);
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
