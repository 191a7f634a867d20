//! RFC 9457 problem documents: what a failure looks like from outside.
//!
//! A [`Status`] can only be 4xx or 5xx. The text inside (for the log) and the text outside (for
//! the person) are different fields, so that no path, query or secret leaks by accident.

use std::fmt::Display;

use axum::response::{IntoResponse, Response};
use http::{HeaderName, HeaderValue, StatusCode, header};
use serde_json::{Map, Value};

/// Types of problems are named below this address; nothing is served there.
const TYPES: &str = "https://lectern.invalid/problems/";

/// The failures that HTTP has a number for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Status {
    /// 400
    BadRequest,
    /// 401
    Unauthorized,
    /// 403
    Forbidden,
    /// 404
    NotFound,
    /// 405
    MethodNotAllowed,
    /// 408
    Timeout,
    /// 409
    Conflict,
    /// 410
    Gone,
    /// 412
    PreconditionFailed,
    /// 413
    TooLarge,
    /// 415
    UnsupportedMedia,
    /// 416
    Range,
    /// 422
    Unprocessable,
    /// 428
    PreconditionRequired,
    /// 429
    TooMany,
    /// 460, tus: the checksum does not match
    Checksum,
    /// 500
    Internal,
    /// 501
    NotImplemented,
    /// 502
    BadGateway,
    /// 503
    Unavailable,
    /// 507
    Full,
}

impl Status {
    /// The number.
    pub fn code(self) -> StatusCode {
        match self {
            Self::BadRequest => StatusCode::BAD_REQUEST,
            Self::Unauthorized => StatusCode::UNAUTHORIZED,
            Self::Forbidden => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::Timeout => StatusCode::REQUEST_TIMEOUT,
            Self::Conflict => StatusCode::CONFLICT,
            Self::Gone => StatusCode::GONE,
            Self::PreconditionFailed => StatusCode::PRECONDITION_FAILED,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::UnsupportedMedia => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Range => StatusCode::RANGE_NOT_SATISFIABLE,
            Self::Unprocessable => StatusCode::UNPROCESSABLE_ENTITY,
            Self::PreconditionRequired => StatusCode::PRECONDITION_REQUIRED,
            Self::TooMany => StatusCode::TOO_MANY_REQUESTS,
            // Not in the registry; the standard library of statuses takes any three digits.
            Self::Checksum => StatusCode::from_u16(460).unwrap_or(StatusCode::BAD_REQUEST),
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            Self::NotImplemented => StatusCode::NOT_IMPLEMENTED,
            Self::BadGateway => StatusCode::BAD_GATEWAY,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            Self::Full => StatusCode::INSUFFICIENT_STORAGE,
        }
    }

    /// A title for a person, and the last part of the type when none is given.
    fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::BadRequest => ("bad-request", "That request is not understood"),
            Self::Unauthorized => ("unauthorized", "Sign in first"),
            Self::Forbidden => ("forbidden", "You may not do that"),
            Self::NotFound => ("not-found", "There is no such thing here"),
            Self::MethodNotAllowed => ("method-not-allowed", "That cannot be done here"),
            Self::Timeout => ("timeout", "That took too long"),
            Self::Conflict => ("conflict", "Something else stands in the way"),
            Self::Gone => ("gone", "That is no longer here"),
            Self::PreconditionFailed => ("precondition-failed", "It has changed meanwhile"),
            Self::TooLarge => ("too-large", "That is too large"),
            Self::UnsupportedMedia => (
                "unsupported-media-type",
                "That kind of content is not taken",
            ),
            Self::Range => ("range", "There is no such part"),
            Self::Unprocessable => ("unprocessable", "That content cannot be used"),
            Self::PreconditionRequired => ("precondition-required", "Say which state you mean"),
            Self::TooMany => ("too-many", "Too many requests"),
            Self::Checksum => ("checksum", "The bytes were damaged on the way"),
            Self::Internal => ("internal", "Something went wrong in the box"),
            Self::NotImplemented => ("not-implemented", "This box cannot do that"),
            Self::BadGateway => ("bad-gateway", "The other side gave no good answer"),
            Self::Unavailable => ("unavailable", "Not just now"),
            Self::Full => ("full", "The disk is full"),
        }
    }
}

/// A failure as the caller sees it.
#[derive(Debug)]
pub struct Problem(Box<Inner>);

#[derive(Debug)]
struct Inner {
    status: Status,
    kind: &'static str,
    title: &'static str,
    detail: String,
    more: Map<String, Value>,
    headers: Vec<(HeaderName, HeaderValue)>,
    inside: Option<String>,
}

impl Problem {
    /// A failure with a sentence for the person: what happened, to what, what to do.
    pub fn new(status: Status, detail: impl Into<String>) -> Self {
        let (kind, title) = status.words();
        let (more, headers) = (Map::new(), Vec::new());
        Self(Box::new(Inner {
            status,
            kind,
            title,
            detail: detail.into(),
            more,
            headers,
            inside: None,
        }))
    }

    /// 400
    pub fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(Status::BadRequest, detail)
    }

    /// 401, nobody is signed in.
    pub fn unauthorized() -> Self {
        Self::new(Status::Unauthorized, "Sign in, or send an API token.").header(
            header::WWW_AUTHENTICATE,
            HeaderValue::from_static("Bearer realm=\"lectern\""),
        )
    }

    /// 403
    pub fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(Status::Forbidden, detail)
    }

    /// 404 for a thing of this name (`video`, `person`).
    pub fn not_found(what: &str) -> Self {
        Self::new(Status::NotFound, format!("There is no such {what}."))
    }

    /// 409
    pub fn conflict(detail: impl Into<String>) -> Self {
        Self::new(Status::Conflict, detail)
    }

    /// 500; the cause goes to the log only.
    pub fn internal(inside: impl Display) -> Self {
        Self::new(
            Status::Internal,
            "Something went wrong in the box; its log says what. Nothing that was stored before is lost.",
        )
        .because(inside)
    }

    /// A stable type of its own below the problem types, and a title.
    #[must_use]
    pub fn kind(mut self, kind: &'static str, title: &'static str) -> Self {
        self.0.kind = kind;
        self.0.title = title;
        self
    }

    /// One more member of the document.
    #[must_use]
    pub fn with(mut self, member: &str, value: impl Into<Value>) -> Self {
        self.0.more.insert(member.to_owned(), value.into());
        self
    }

    /// A header of the answer.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.0.headers.push((name, value));
        self
    }

    /// `Retry-After`, in seconds.
    #[must_use]
    pub fn retry_after(self, seconds: u64) -> Self {
        self.with("retry_after_seconds", seconds)
            .header(header::RETRY_AFTER, HeaderValue::from(seconds))
    }

    /// What the log says and the caller does not see.
    #[must_use]
    pub fn because(mut self, inside: impl Display) -> Self {
        self.0.inside = Some(inside.to_string());
        self
    }

    /// The status.
    pub fn status(&self) -> Status {
        self.0.status
    }

    /// The sentence outside.
    pub fn detail(&self) -> &str {
        &self.0.detail
    }

    /// The document.
    pub fn document(&self) -> Value {
        let mut members = self.0.more.clone();
        members.insert("type".into(), format!("{TYPES}{}", self.0.kind).into());
        members.insert("title".into(), self.0.title.into());
        members.insert("status".into(), self.0.status.code().as_u16().into());
        members.insert("detail".into(), self.0.detail.clone().into());
        Value::Object(members)
    }

    /// Writes the inside to the log; failures of the box as errors, of callers as details.
    pub fn log(&self) {
        let (status, kind) = (self.0.status.code().as_u16(), self.0.kind);
        match (&self.0.inside, status >= 500) {
            (Some(inside), true) => {
                tracing::error!(event = "http_problem", status, kind, "{inside}")
            }
            (Some(inside), false) => {
                tracing::debug!(event = "http_problem", status, kind, "{inside}")
            }
            (None, _) => tracing::debug!(event = "http_problem", status, kind, "{}", self.0.detail),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        self.log();
        let body = self.document().to_string();
        let mut response = (self.0.status.code(), body).into_response();
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        for (name, value) in self.0.headers {
            headers.append(name, value);
        }
        response
    }
}

/// The rooms' errors: whose fault it is decides the status, never the words outside.
mod from_rooms;

/// For the API's description: what every failure looks like.
#[derive(serde::Serialize, utoipa::ToSchema)]
#[schema(as = Problem)]
#[allow(dead_code, reason = "only its schema is used")]
pub struct ProblemDocument {
    /// A stable address that names the kind of problem
    #[schema(example = "https://lectern.invalid/problems/not-found")]
    r#type: String,
    /// The kind of problem, for a person
    title: String,
    /// The HTTP status
    status: u16,
    /// What happened, to what, and what to do
    detail: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Status; 21] = [
        Status::BadRequest,
        Status::Unauthorized,
        Status::Forbidden,
        Status::NotFound,
        Status::MethodNotAllowed,
        Status::Timeout,
        Status::Conflict,
        Status::Gone,
        Status::PreconditionFailed,
        Status::TooLarge,
        Status::UnsupportedMedia,
        Status::Range,
        Status::Unprocessable,
        Status::PreconditionRequired,
        Status::TooMany,
        Status::Checksum,
        Status::Internal,
        Status::NotImplemented,
        Status::BadGateway,
        Status::Unavailable,
        Status::Full,
    ];

    #[test]
    fn every_status_is_a_failure_with_a_kind_of_its_own() {
        let mut kinds = std::collections::BTreeSet::new();
        for status in ALL {
            assert!(status.code().is_client_error() || status.code().is_server_error());
            assert!(kinds.insert(status.words().0), "{status:?}");
        }
    }

    #[test]
    fn what_happened_inside_is_not_told_outside() {
        let problem = Problem::internal("/var/lib/lectern/records.redb: permission denied");
        let text = problem.document().to_string();
        assert!(!text.contains("redb"), "{text}");
        assert!(text.contains("\"status\":500"), "{text}");
    }
}
