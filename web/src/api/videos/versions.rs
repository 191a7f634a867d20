//! Versions: attaching a source, stopping its job, trying again.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use lectern_library::{Error, VideoId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{editable, upload};
use crate::app::App;
use crate::auth::Caller;
use crate::extract::{Segments, Strict, blocking};
use crate::problem::{Problem, ProblemDocument};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(add))
        .routes(routes!(cancel))
        .routes(routes!(retry))
        .routes(routes!(hurry))
}

/// A source to attach
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewVersion)]
struct NewVersionIn {
    /// The finished upload: the last part of its `Location`
    #[schema(value_type = uuid::Uuid)]
    upload: String,
}

/// The version made
#[derive(Serialize, ToSchema)]
struct VersionAdded {
    /// Its number
    version: u32,
}

/// Attach a new source; learners under way keep theirs
#[utoipa::path(post, path = "/api/v1/videos/{id}/versions", tag = "videos", params(("id" = uuid::Uuid, Path)),
    request_body = NewVersionIn, responses(
    (status = 201, description = "Attached; it is being encoded", body = VersionAdded),
    (status = 404, description = "No such video or upload", body = ProblemDocument, content_type = "application/problem+json"),
    (status = 409, description = "The upload is not complete", body = ProblemDocument, content_type = "application/problem+json")))]
async fn add(
    State(app): State<App>,
    caller: Caller,
    Segments(id): Segments<String>,
    Strict(new): Strict<NewVersionIn>,
) -> Result<(StatusCode, Json<VersionAdded>), Problem> {
    let upload = upload(&new.upload)?;
    let version = blocking(move || {
        let video = editable(&app, &caller, &id)?;
        let owner = caller.id().to_string();
        let version = app
            .library
            .add_version(video.id, upload, &owner, app.now())?;
        caller.audit(
            &app,
            "version.add",
            Some(video.id.to_string()),
            Some(format!("version {version}")),
        )?;
        Ok::<_, Problem>(version)
    })
    .await?;
    Ok((StatusCode::CREATED, Json(VersionAdded { version })))
}

/// Stop encoding a version
#[utoipa::path(post, path = "/api/v1/videos/{id}/versions/{version}/cancel", tag = "videos",
    params(("id" = uuid::Uuid, Path), ("version" = u32, Path)), responses(
    (status = 204, description = "Stopped; the version has failed"),
    (status = 404, description = "No such version", body = ProblemDocument, content_type = "application/problem+json"),
    (status = 409, description = "Nothing is being done about it", body = ProblemDocument, content_type = "application/problem+json")))]
async fn cancel(
    State(app): State<App>,
    caller: Caller,
    Segments((id, version)): Segments<(String, u32)>,
) -> Result<StatusCode, Problem> {
    do_and_audit(
        "version.cancel",
        app,
        caller,
        id,
        version,
        move |app, video| app.library.cancel(video, version),
    )
    .await
}

/// Encode a failed version anew, from its source
#[utoipa::path(post, path = "/api/v1/videos/{id}/versions/{version}/retry", tag = "videos",
    params(("id" = uuid::Uuid, Path), ("version" = u32, Path)), responses(
    (status = 204, description = "Queued"),
    (status = 404, description = "No such version", body = ProblemDocument, content_type = "application/problem+json"),
    (status = 409, description = "It has not failed", body = ProblemDocument, content_type = "application/problem+json")))]
async fn retry(
    State(app): State<App>,
    caller: Caller,
    Segments((id, version)): Segments<(String, u32)>,
) -> Result<StatusCode, Problem> {
    do_and_audit(
        "version.retry",
        app,
        caller,
        id,
        version,
        move |app, video| app.library.retry(video, version, app.now()),
    )
    .await
}

/// Prepare a version now, whatever the hours that the box keeps
#[utoipa::path(post, path = "/api/v1/videos/{id}/versions/{version}/hurry", tag = "videos",
    params(("id" = uuid::Uuid, Path), ("version" = u32, Path)), responses(
    (status = 204, description = "It waits for no hours any more"),
    (status = 404, description = "No such version, or nothing is to be done about it", body = ProblemDocument, content_type = "application/problem+json")))]
async fn hurry(
    State(app): State<App>,
    caller: Caller,
    Segments((id, version)): Segments<(String, u32)>,
) -> Result<StatusCode, Problem> {
    do_and_audit(
        "version.hurry",
        app,
        caller,
        id,
        version,
        move |app, video| app.library.hurry(video, version),
    )
    .await
}

/// Does something to a version whose video the caller may change, and writes down that they did.
async fn do_and_audit(
    deed: &'static str,
    app: App,
    caller: Caller,
    id: String,
    version: u32,
    act: impl FnOnce(&App, VideoId) -> Result<(), Error> + Send + 'static,
) -> Result<StatusCode, Problem> {
    blocking(move || {
        let video = editable(&app, &caller, &id)?;
        act(&app, video.id)?;
        let detail = format!("version {version}");
        caller.audit(&app, deed, Some(video.id.to_string()), Some(detail))
    })
    .await?;
    Ok(StatusCode::NO_CONTENT)
}
