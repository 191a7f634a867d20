//! Uploads by tus 1.0.0 (<https://tus.io/protocols/resumable-upload>): the core protocol and its
//! extensions creation, creation-with-upload, expiration, checksum and termination. The bytes and
//! their state are the library's.

mod protocol;
mod receive;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use lectern_library::{Error, NewUpload, UploadId, UploadInfo};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use self::protocol::{Creation, Piece};
use crate::app::App;
use crate::auth::Caller;
use crate::extract::{Segments, blocking};
use crate::front::below;
use crate::problem::{Problem, ProblemDocument, Status};

/// Where uploads are.
const PATH: &str = "/api/v1/uploads";

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(options, create))
        .routes(routes!(options_of_one, status, append, instead, terminate))
}

/// Every answer names the version of tus (core protocol, *Tus-Resumable*), refusals of the guard too.
pub(crate) struct Label;

impl Label {
    /// For answers below the address of uploads.
    pub(crate) fn of(request: &Request) -> Option<Self> {
        below(request.uri().path(), PATH).map(|_| Self)
    }

    pub(crate) fn put(self, headers: &mut HeaderMap) {
        headers.insert("tus-resumable", HeaderValue::from_static(protocol::VERSION));
    }
}

/// What this box can do of tus
#[utoipa::path(options, path = "/api/v1/uploads", tag = "videos", responses(
    (status = 204, description = "Versions, extensions and bounds, in headers")))]
async fn options(State(app): State<App>) -> Response {
    capabilities(&app)
}

/// What this box can do of tus
#[utoipa::path(options, path = "/api/v1/uploads/{id}", tag = "videos", params(("id" = uuid::Uuid, Path)), responses(
    (status = 204, description = "Versions, extensions and bounds, in headers")))]
async fn options_of_one(State(app): State<App>) -> Response {
    capabilities(&app)
}

/// Announce an upload (tus 1.0.0, creation)
///
/// Answers with its address in `Location`; the last part is the id that `POST /api/v1/videos` takes. A body of
/// `application/offset+octet-stream` is taken as its first bytes.
#[utoipa::path(post, path = "/api/v1/uploads", tag = "videos", params(
    ("Tus-Resumable" = String, Header, description = "`1.0.0`"),
    ("Upload-Length" = u64, Header, description = "Bytes that will come"),
    ("Upload-Metadata" = Option<String>, Header, description = "`filename` is used, the rest kept")), responses(
    (status = 201, description = "Announced", headers(("Location" = String), ("Upload-Expires" = String))),
    (status = 412, description = "Another version of tus", body = ProblemDocument, content_type = "application/problem+json"),
    (status = 413, description = "Larger than this box takes", body = ProblemDocument, content_type = "application/problem+json"),
    (status = 507, description = "The disk has no room", body = ProblemDocument, content_type = "application/problem+json")))]
async fn create(State(app): State<App>, caller: Caller, request: Request) -> Response {
    answer(create_inner(app, caller, request).await)
}

/// How far an upload is (tus 1.0.0)
#[utoipa::path(head, path = "/api/v1/uploads/{id}", tag = "videos", params(("id" = uuid::Uuid, Path),
    ("Tus-Resumable" = String, Header, description = "`1.0.0`")), responses(
    (status = 200, description = "As it stands", headers(("Upload-Offset" = u64), ("Upload-Length" = u64))),
    (status = 404, description = "No such upload, or it has expired")))]
async fn status(
    State(app): State<App>,
    caller: Caller,
    Segments(id): Segments<String>,
    headers: HeaderMap,
) -> Response {
    answer(status_inner(app, caller, id, headers).await)
}

/// Send the next bytes of an upload (tus 1.0.0)
#[utoipa::path(patch, path = "/api/v1/uploads/{id}", tag = "videos", params(("id" = uuid::Uuid, Path),
    ("Tus-Resumable" = String, Header, description = "`1.0.0`"),
    ("Upload-Offset" = u64, Header, description = "Where these bytes begin"),
    ("Upload-Checksum" = Option<String>, Header, description = "`sha1` or `sha256`, a space, base64")),
    request_body(content = Vec<u8>, content_type = "application/offset+octet-stream"), responses(
    (status = 204, description = "Stored", headers(("Upload-Offset" = u64), ("Upload-Expires" = String))),
    (status = 404, description = "No such upload, or it has expired", body = ProblemDocument, content_type = "application/problem+json"),
    (status = 409, description = "It stands at another place", body = ProblemDocument, content_type = "application/problem+json"),
    (status = 415, description = "Another kind of body", body = ProblemDocument, content_type = "application/problem+json"),
    (status = 460, description = "The checksum does not match", body = ProblemDocument, content_type = "application/problem+json")))]
async fn append(
    State(app): State<App>,
    caller: Caller,
    Segments(id): Segments<String>,
    request: Request,
) -> Response {
    answer(append_inner(app, caller, id, request).await)
}

/// The same for clients that can only `POST`: `X-HTTP-Method-Override` names the method
#[utoipa::path(post, path = "/api/v1/uploads/{id}", tag = "videos", params(("id" = uuid::Uuid, Path),
    ("X-HTTP-Method-Override" = String, Header, description = "`PATCH`, `DELETE` or `HEAD`")), responses(
    (status = 204, description = "As the method named"),
    (status = 400, description = "No method is named", body = ProblemDocument, content_type = "application/problem+json")))]
async fn instead(
    State(app): State<App>,
    caller: Caller,
    Segments(id): Segments<String>,
    request: Request,
) -> Response {
    let method = request.headers().get("x-http-method-override");
    let method = method.and_then(|value| Method::from_bytes(value.as_bytes()).ok());
    match method {
        Some(Method::PATCH) => answer(append_inner(app, caller, id, request).await),
        Some(Method::DELETE) => answer(terminate_inner(app, caller, id, request.headers()).await),
        Some(Method::HEAD) => {
            answer(status_inner(app, caller, id, request.headers().clone()).await)
        }
        _ => answer(Err(Problem::bad_request(
            "Name PATCH, DELETE or HEAD in X-HTTP-Method-Override.",
        ))),
    }
}

/// Throw an upload away (tus 1.0.0, termination)
#[utoipa::path(delete, path = "/api/v1/uploads/{id}", tag = "videos", params(("id" = uuid::Uuid, Path),
    ("Tus-Resumable" = String, Header, description = "`1.0.0`")), responses(
    (status = 204, description = "Gone"),
    (status = 404, description = "No such upload", body = ProblemDocument, content_type = "application/problem+json")))]
async fn terminate(
    State(app): State<App>,
    caller: Caller,
    Segments(id): Segments<String>,
    headers: HeaderMap,
) -> Response {
    answer(terminate_inner(app, caller, id, &headers).await)
}

async fn create_inner(app: App, caller: Caller, request: Request) -> Result<Response, Problem> {
    protocol::check_version(request.headers())?;
    let Creation {
        length,
        name,
        metadata,
        has_bytes,
    } = Creation::parse(request.headers())?;
    let piece = match has_bytes {
        true => Some(Piece::parse_first(request.headers())?),
        false => None,
    };
    let new = NewUpload {
        length,
        name,
        owner: caller.id().to_string(),
        metadata,
    };
    let rooms = app.clone();
    let made = move || {
        let made = rooms.library.create_upload(new, rooms.now());
        made.map_err(refused)
    };
    let mut info = blocking(made).await?;
    if let Some(piece) = piece
        && info.blob.is_none()
    {
        info = receive::receive(&app, info.id, piece, request.into_body()).await?;
    }
    let mut response = StatusCode::CREATED.into_response();
    describe(response.headers_mut(), &info);
    let location = format!("/api/v1/uploads/{}", info.id);
    response
        .headers_mut()
        .insert(header::LOCATION, text(&location));
    Ok(response)
}

async fn status_inner(
    app: App,
    caller: Caller,
    id: String,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    protocol::check_version(&headers)?;
    let info = own(&app, &caller, &id).await?;
    let mut response = StatusCode::OK.into_response();
    let headers = response.headers_mut();
    describe(headers, &info);
    headers.insert("upload-length", HeaderValue::from(info.length));
    if !info.metadata.is_empty() {
        headers.insert("upload-metadata", text(&info.metadata));
    }
    Ok(response)
}

async fn append_inner(
    app: App,
    caller: Caller,
    id: String,
    request: Request,
) -> Result<Response, Problem> {
    protocol::check_version(request.headers())?;
    let piece = Piece::parse(request.headers())?;
    let info = own(&app, &caller, &id).await?;
    let info = receive::receive(&app, info.id, piece, request.into_body()).await?;
    let mut response = StatusCode::NO_CONTENT.into_response();
    describe(response.headers_mut(), &info);
    Ok(response)
}

async fn terminate_inner(
    app: App,
    caller: Caller,
    id: String,
    headers: &HeaderMap,
) -> Result<Response, Problem> {
    protocol::check_version(headers)?;
    let info = own(&app, &caller, &id).await?;
    receive::terminate(&app, info.id).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// The caller's own upload; another's is not there for them.
async fn own(app: &App, caller: &Caller, id: &str) -> Result<UploadInfo, Problem> {
    let missing = || Problem::not_found("upload");
    let id: UploadId = id.parse().map_err(|_| missing())?;
    let rooms = app.clone();
    let info = blocking(move || rooms.library.upload(id, rooms.now())).await?;
    match info.owner == caller.id().to_string() {
        true => Ok(info),
        false => Err(missing()),
    }
}

fn capabilities(app: &App) -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    let headers = response.headers_mut();
    headers.insert("tus-version", HeaderValue::from_static(protocol::VERSION));
    headers.insert(
        "tus-extension",
        HeaderValue::from_static(protocol::EXTENSIONS),
    );
    headers.insert(
        "tus-checksum-algorithm",
        HeaderValue::from_static(protocol::ALGORITHMS),
    );
    headers.insert(
        "tus-max-size",
        HeaderValue::from(app.library.max_upload_bytes()),
    );
    answer(Ok(response))
}

/// Where the upload stands, and until when it is kept (tus, expiration).
fn describe(headers: &mut HeaderMap, info: &UploadInfo) {
    headers.insert("upload-offset", HeaderValue::from(info.offset));
    let expires = std::time::SystemTime::from(info.expires);
    headers.insert("upload-expires", text(&httpdate::fmt_http_date(expires)));
}

/// An upload that there is no room for is told how much it would take, before its first byte.
fn refused(error: Error) -> Problem {
    match error {
        Error::NoRoom { needed, available } => Problem::new(
            Status::Full,
            format!(
                "This file takes about {} with all that is made of it, and the box has {} left. \
                 Delete what is no longer needed, or ask whoever runs the box.",
                amount(needed),
                amount(available)
            ),
        )
        .with("needed_bytes", needed)
        .with("available_bytes", available),
        other => other.into(),
    }
}

/// `1.5 GB`, as disks are sold.
fn amount(bytes: u64) -> String {
    const UNITS: [(u64, &str); 3] = [
        (1_000_000_000_000, "TB"),
        (1_000_000_000, "GB"),
        (1_000_000, "MB"),
    ];
    let (unit, name) = UNITS
        .into_iter()
        .find(|(unit, _)| bytes >= *unit)
        .unwrap_or(UNITS[2]);
    let tenths = bytes / (unit / 10);
    format!("{}.{} {name}", tenths / 10, tenths % 10)
}

fn answer(result: Result<Response, Problem>) -> Response {
    let mut response: Response<Body> = result.unwrap_or_else(IntoResponse::into_response);
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn text(value: &str) -> HeaderValue {
    HeaderValue::try_from(value).unwrap_or(HeaderValue::from_static(""))
}
