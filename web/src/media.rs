//! `/media/{video}/{version}/…`: manifests for those who may watch, and below the version's key the
//! files that its package lists (`docs/contract.md`, *HTTP* and *Versions and packages*).
//!
//! Only a manifest asks who is there. Below the key no cookie is read and nothing more is asked, so
//! that any cache may stand in front; withdrawing access changes the key.

mod file;
mod keyed;
mod manifest;
mod packages;
mod pages;
mod range;

pub use packages::Packages;

use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use lectern_library::VideoId;
use utoipa_axum::router::OpenApiRouter;

use crate::app::App;
use crate::client::Client;
use crate::extract::Segments;
use crate::problem::Problem;

pub(crate) fn routes() -> OpenApiRouter<App> {
    // Outside `/api/v1`, so not in its description.
    let methods = axum::routing::get(get).options(preflight);
    OpenApiRouter::new().route("/media/{video}/{version}/{*path}", methods)
}

/// Caches and players keep these for good: the name stands for the bytes.
const IMMUTABLE: &str = "public, max-age=31536000, immutable";
/// Playlists below the key grow until the version is ready.
const GROWING: &str = "public, no-cache";
/// Who may watch can change with each request.
const CHECKED: &str = "private, no-cache";

async fn get(
    State(app): State<App>,
    client: Client,
    Segments((video, version, path)): Segments<(String, String, String)>,
    request: Request,
) -> Response {
    let (parts, _) = request.into_parts();
    let asked = Asked {
        query: parts.uri.query().unwrap_or_default().to_owned(),
        method: parts.method,
        headers: parts.headers,
    };
    let answer = match (video.parse::<VideoId>(), number(&version)) {
        (Ok(video), Some(version)) => answer(app, client, video, version, path, asked).await,
        _ => Err(Problem::not_found("video")),
    };
    let mut response = answer.unwrap_or_else(IntoResponse::into_response);
    share(response.headers_mut());
    response
}

/// What handlers look at of a request.
struct Asked {
    method: Method,
    headers: HeaderMap,
    query: String,
}

async fn answer(
    app: App,
    client: Client,
    video: VideoId,
    version: u32,
    path: String,
    asked: Asked,
) -> Result<Response, Problem> {
    let form = match path.as_str() {
        "master.m3u8" => Some(manifest::Form::Hls),
        "manifest.mpd" => Some(manifest::Form::Dash),
        _ => None,
    };
    match (form, path.split_once('/')) {
        (Some(form), _) => manifest::answer(app, client, video, version, form, asked).await,
        (None, Some((key, name))) => {
            keyed::answer(app, video, version, key.to_owned(), name.to_owned(), asked).await
        }
        (None, None) => Err(Problem::not_found("file")),
    }
}

/// CORS: any page may read these, without credentials (Fetch, 3.3).
async fn preflight() -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    let headers = response.headers_mut();
    let allowed = [
        (header::ACCESS_CONTROL_ALLOW_METHODS, "GET, HEAD, OPTIONS"),
        (
            header::ACCESS_CONTROL_ALLOW_HEADERS,
            "Authorization, Range, If-None-Match, If-Range",
        ),
        (header::ACCESS_CONTROL_MAX_AGE, "86400"),
        (header::ALLOW, "GET, HEAD, OPTIONS"),
    ];
    for (name, value) in allowed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    share(headers);
    response
}

fn share(headers: &mut HeaderMap) {
    const SHOWN: &str = "Accept-Ranges, Content-Length, Content-Range, ETag";
    let shared: [(HeaderName, &str); 3] = [
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
        (header::ACCESS_CONTROL_EXPOSE_HEADERS, SHOWN),
        (
            HeaderName::from_static("cross-origin-resource-policy"),
            "cross-origin",
        ),
    ];
    for (name, value) in shared {
        headers.insert(name, HeaderValue::from_static(value));
    }
}

/// A version's number in its one spelling.
fn number(text: &str) -> Option<u32> {
    text.parse()
        .ok()
        .filter(|number: &u32| number.to_string() == text)
}
