//! What handlers take from a request: strict JSON, query parameters, pages of lists.
//!
//! Unknown members are refused by the types themselves (`#[serde(deny_unknown_fields)]`; a test
//! reads the API's description and fails where one forgot). Sizes are bounded by the guard.

use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRequest, FromRequestParts, Json, Path, Query, Request};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::request::Parts;
use http::{HeaderMap, header};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::problem::{Problem, Status};

/// A JSON body, parsed strictly; refusals are problem documents that name the member.
#[derive(Debug)]
pub struct Strict<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Strict<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        match Json::<T>::from_request(request, state).await {
            Ok(Json(value)) => Ok(Self(value)),
            Err(rejection) => Err(refuse(&rejection)),
        }
    }
}

fn refuse(rejection: &JsonRejection) -> Problem {
    match rejection {
        JsonRejection::MissingJsonContentType(_) => Problem::new(
            Status::UnsupportedMedia,
            "Send JSON, with `Content-Type: application/json`.",
        ),
        JsonRejection::JsonDataError(_) | JsonRejection::JsonSyntaxError(_) => {
            let text = source(rejection);
            Problem::bad_request(format!("The JSON in the request is not right: {text}."))
        }
        other if other.status().as_u16() == 413 => body_too_large(),
        other => Problem::bad_request("The request's body could not be read.").because(other),
    }
}

/// The refusal of a body beyond its route's bound.
pub fn body_too_large() -> Problem {
    Problem::new(
        Status::TooLarge,
        "The request's body is larger than this route takes.",
    )
}

/// What a body is, by its `Content-Type`: without parameters, in small letters; empty when nobody says.
pub fn media_type(headers: &HeaderMap) -> String {
    let sent = headers.get(header::CONTENT_TYPE);
    let sent = sent
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let named = sent.split(';').next().unwrap_or_default();
    named.trim().to_ascii_lowercase()
}

/// Whether a body could not be read because it is beyond its route's bound.
pub fn is_too_large(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut source = Some(error);
    while let Some(inner) = source {
        if inner.is::<http_body_util::LengthLimitError>() {
            return true;
        }
        source = inner.source();
    }
    false
}

/// The innermost cause: what serde says of the member, without axum's words around it.
fn source(error: &dyn std::error::Error) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}

/// Query parameters, parsed strictly.
#[derive(Debug)]
pub struct Params<T>(pub T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Params<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match Query::<T>::from_request_parts(parts, state).await {
            Ok(Query(value)) => Ok(Self(value)),
            Err(rejection) => Err(Problem::bad_request(format!(
                "The query is not right: {}.",
                source(&rejection)
            ))),
        }
    }
}

/// Parameters in the path; what does not parse names nothing, so it is not found.
#[derive(Debug)]
pub struct Segments<T>(pub T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Segments<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match Path::<T>::from_request_parts(parts, state).await {
            Ok(Path(value)) => Ok(Self(value)),
            Err(_) => Err(Problem::new(
                Status::NotFound,
                "Nothing has that name here.",
            )),
        }
    }
}

/// `?cursor=&limit=` of every list.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Page {
    /// Where the page before ended: its `next`
    pub cursor: Option<String>,
    /// Most items wanted, at most 200
    #[param(minimum = 1, maximum = 200)]
    pub limit: Option<u16>,
}

impl Page {
    /// Most items that one answer holds.
    pub const MOST: usize = 200;
    const USUAL: usize = 50;

    /// Items wanted, within bounds.
    pub fn limit(&self) -> usize {
        limit(self.limit)
    }

    /// The key that the cursor holds.
    ///
    /// # Errors
    /// The cursor is none of ours.
    pub fn after<K: DeserializeOwned>(&self) -> Result<Option<K>, Problem> {
        after(self.cursor.as_deref())
    }
}

/// Items wanted, within the bounds of [`Page`]; for lists with parameters of their own.
pub fn limit(wanted: Option<u16>) -> usize {
    wanted.map_or(Page::USUAL, usize::from).clamp(1, Page::MOST)
}

/// The key that a cursor holds; for lists with parameters of their own.
///
/// # Errors
/// The cursor is none of ours.
pub fn after<K: DeserializeOwned>(cursor: Option<&str>) -> Result<Option<K>, Problem> {
    let Some(cursor) = cursor else {
        return Ok(None);
    };
    let wrong = || {
        Problem::bad_request("The cursor is not one that this list gave; start again without it.")
    };
    let bytes = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| wrong())?;
    serde_json::from_slice(&bytes)
        .map(Some)
        .map_err(|_| wrong())
}

/// A cursor that holds a key; opaque to callers.
pub fn cursor<K: Serialize>(key: &K) -> Result<String, Problem> {
    serde_json::to_vec(key)
        .map(|bytes| URL_SAFE_NO_PAD.encode(bytes))
        .map_err(Problem::internal)
}

/// One page of a list.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub struct List<T> {
    /// The items
    pub items: Vec<T>,
    /// The cursor of the page after, when there is one
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

impl<T> List<T> {
    /// A list that fits into one page.
    pub fn whole(items: Vec<T>) -> Self {
        Self { items, next: None }
    }
}

impl<T: Serialize> IntoResponse for List<T> {
    fn into_response(self) -> Response {
        Json(self).into_response()
    }
}

/// Tells `null` (take it away) from a member that is not there (leave it), in `PATCH` bodies:
/// `#[serde(default, deserialize_with = "extract::some")]` on an `Option<Option<T>>`.
///
/// # Errors
/// The value is not a `T`.
pub fn some<'de, T: Deserialize<'de>, D: serde::Deserializer<'de>>(
    from: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(from).map(Some)
}

/// Runs blocking work (store reads that scan, password hashes) off the async threads.
///
/// # Errors
/// What the work answers, or an internal problem when it panicked.
pub async fn blocking<T, E, F>(work: F) -> Result<T, Problem>
where
    T: Send + 'static,
    E: Into<Problem> + Send + 'static,
    F: FnOnce() -> Result<T, E> + Send + 'static,
{
    match tokio::task::spawn_blocking(work).await {
        Ok(answer) => answer.map_err(Into::into),
        Err(error) => Err(Problem::internal(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_holds_its_key_and_no_other_text_is_taken_for_one() {
        let key = ("2026-11-23".to_owned(), 7_u64);
        let page = Page {
            cursor: Some(cursor(&key).unwrap()),
            limit: None,
        };
        assert_eq!(page.after::<(String, u64)>().unwrap(), Some(key));
        let foreign = Page {
            cursor: Some("!".into()),
            limit: None,
        };
        assert_eq!(
            foreign.after::<u64>().unwrap_err().status(),
            Status::BadRequest
        );
    }

    #[test]
    fn a_page_is_never_empty_nor_endless() {
        for (asked, given) in [
            (None, 50),
            (Some(0), 1),
            (Some(7), 7),
            (Some(9999), Page::MOST),
        ] {
            assert_eq!(limit(asked), given);
        }
    }
}
