//! Videos and their versions: what the library holds, for those who may see it.

mod mine;
mod shapes;
mod versions;
mod view;

use std::collections::BTreeSet;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use lectern_library::{
    NewVideo, Query as LibraryQuery, UploadId, Video, VideoId, VideoPatch, Visibility,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use self::shapes::{VideoItem, VideoOut, VisibilityName};
use self::view::Viewer;
use crate::access;
use crate::app::App;
use crate::auth::Caller;
use crate::extract::{self, List, Params, Segments, Strict, blocking};
use crate::problem::{Problem, ProblemDocument, Status};

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list, add))
        .routes(routes!(one, change, remove))
        .merge(versions::routes())
}

/// `{identity}/videos/{id}`: `object.id` of a video's statements.
pub(crate) fn activity_id(identity: &str, video: VideoId) -> String {
    format!("{identity}/videos/{video}")
}

/// A video that this caller may know of; to others it is not there. Blocking.
pub(crate) fn visible(app: &App, caller: Option<&Caller>, id: &str) -> Result<Video, Problem> {
    let missing = || Problem::not_found("video");
    let id: VideoId = id.parse().map_err(|_| missing())?;
    let video = app.library.video(id)?;
    match access::may_see(&video, caller.map(|caller| &caller.person)) {
        true => Ok(video),
        // A stranger may sign in first.
        false if caller.is_none() => Err(Problem::unauthorized()),
        false => Err(missing()),
    }
}

/// A video that this caller may change. Blocking.
pub(crate) fn editable(app: &App, caller: &Caller, id: &str) -> Result<Video, Problem> {
    let video = visible(app, Some(caller), id)?;
    match access::may_edit(&video, Some(&caller.person)) {
        true => Ok(video),
        false => Err(Problem::forbidden(
            "Only the video's owner and administrators may change it.",
        )),
    }
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Query {
    /// Words of the title
    q: Option<String>,
    /// Where the page before ended: its `next`
    cursor: Option<String>,
    /// Most items wanted, at most 200
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u16>,
}

/// A video to add
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewVideo)]
struct NewVideoIn {
    /// For people
    #[schema(min_length = 1, max_length = 500)]
    title: String,
    /// The finished upload: the last part of its `Location`
    #[schema(value_type = uuid::Uuid)]
    upload: String,
    /// BCP 47
    #[serde(default)]
    language: Option<String>,
    /// Who may watch; every signed-in person when not given
    #[serde(default)]
    #[schema(value_type = Option<VisibilityName>)]
    visibility: Option<Visibility>,
}

/// The video made
#[derive(Serialize, ToSchema)]
struct VideoAdded {
    /// Its id
    #[schema(value_type = uuid::Uuid)]
    id: String,
}

/// What to change; what is not named stays
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct VideoChange {
    /// For people
    #[schema(min_length = 1, max_length = 500)]
    title: Option<String>,
    /// BCP 47; empty when unknown
    language: Option<String>,
    /// Who may watch; whoever loses access loses the addresses of the segments, too
    #[schema(value_type = Option<VisibilityName>)]
    visibility: Option<Visibility>,
    /// Ids of the people who may watch when it is `named`, all of them
    #[schema(value_type = Option<Vec<uuid::Uuid>>)]
    people: Option<BTreeSet<String>>,
}

/// Videos, newest first
#[utoipa::path(get, path = "/api/v1/videos", tag = "videos", params(Query), responses(
    (status = 200, description = "A page of those that the caller may see", body = List<VideoItem>)))]
async fn list(
    State(app): State<App>,
    caller: Option<Caller>,
    Params(query): Params<Query>,
) -> Result<List<VideoItem>, Problem> {
    let limit = extract::limit(query.limit);
    let after: Option<VideoId> = extract::after(query.cursor.as_deref())?;
    blocking(move || {
        let person = caller.as_ref().map(|caller| &caller.person);
        let wanted = LibraryQuery {
            text: query.q.unwrap_or_default(),
            after,
            limit,
        };
        let page = app
            .library
            .videos(&wanted, |video| access::may_see(video, person))?;
        let mut viewer = Viewer::new(&app, person)?;
        let items = page
            .videos
            .iter()
            .map(|video| viewer.item(video))
            .collect::<Result<_, _>>()?;
        let next = page.next.as_ref().map(extract::cursor).transpose()?;
        Ok::<_, Problem>(List { items, next })
    })
    .await
}

/// Add a video from a finished upload
#[utoipa::path(post, path = "/api/v1/videos", tag = "videos", request_body = NewVideoIn, responses(
    (status = 201, description = "Added; it is being encoded", body = VideoAdded, headers(("Location" = String))),
    (status = 404, description = "No such upload", body = ProblemDocument, content_type = "application/problem+json"),
    (status = 409, description = "The upload is not complete", body = ProblemDocument, content_type = "application/problem+json"),
    (status = 422, description = "A value that cannot be", body = ProblemDocument, content_type = "application/problem+json"),
    (status = 507, description = "The disk is full", body = ProblemDocument, content_type = "application/problem+json")))]
async fn add(
    State(app): State<App>,
    caller: Caller,
    Strict(new): Strict<NewVideoIn>,
) -> Result<Response, Problem> {
    let new = NewVideo {
        title: new.title,
        language: new.language.unwrap_or_default(),
        visibility: new.visibility.unwrap_or_default(),
        owner: caller.id().to_string(),
        upload: upload(&new.upload)?,
    };
    let id = blocking(move || {
        let id = app.library.create_video(new, app.now())?;
        caller.audit(&app, "video.add", Some(id.to_string()), None)?;
        Ok::<_, Problem>(id)
    })
    .await?;
    let mut response =
        (StatusCode::CREATED, Json(VideoAdded { id: id.to_string() })).into_response();
    if let Ok(location) = HeaderValue::try_from(format!("/api/v1/videos/{id}")) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    Ok(response)
}

/// One video with its versions, newest first
#[utoipa::path(get, path = "/api/v1/videos/{id}", tag = "videos", params(("id" = uuid::Uuid, Path)), responses(
    (status = 200, description = "As it stands", body = VideoOut),
    (status = 404, description = "No such video", body = ProblemDocument, content_type = "application/problem+json")))]
async fn one(
    State(app): State<App>,
    caller: Option<Caller>,
    Segments(id): Segments<String>,
) -> Result<Json<VideoOut>, Problem> {
    blocking(move || {
        let video = visible(&app, caller.as_ref(), &id)?;
        let mut viewer = Viewer::new(&app, caller.as_ref().map(|caller| &caller.person))?;
        viewer.whole(&video)
    })
    .await
    .map(Json)
}

/// Change what a video is called and who may watch it
#[utoipa::path(patch, path = "/api/v1/videos/{id}", tag = "videos", params(("id" = uuid::Uuid, Path)),
    request_body = VideoChange, responses(
    (status = 200, description = "As it is now", body = VideoOut),
    (status = 404, description = "No such video", body = ProblemDocument, content_type = "application/problem+json"),
    (status = 422, description = "A value that cannot be", body = ProblemDocument, content_type = "application/problem+json")))]
async fn change(
    State(app): State<App>,
    caller: Caller,
    Segments(id): Segments<String>,
    Strict(change): Strict<VideoChange>,
) -> Result<Json<VideoOut>, Problem> {
    blocking(move || {
        let video = editable(&app, &caller, &id)?;
        for person in change.people.iter().flatten() {
            check_person(&app, &video, person)?;
        }
        let detail = said(&change);
        let patch = VideoPatch {
            title: change.title,
            language: change.language,
            visibility: change.visibility,
            people: change.people,
        };
        app.library.patch_video(video.id, patch)?;
        caller.audit(
            &app,
            "video.change",
            Some(video.id.to_string()),
            Some(detail),
        )?;
        let video = app.library.video(video.id)?;
        Viewer::new(&app, Some(&caller.person))?.whole(&video)
    })
    .await
    .map(Json)
}

/// Remove a video with its versions and captions; what learners did with it stays on record
#[utoipa::path(delete, path = "/api/v1/videos/{id}", tag = "videos", params(("id" = uuid::Uuid, Path)), responses(
    (status = 204, description = "Gone"),
    (status = 404, description = "No such video", body = ProblemDocument, content_type = "application/problem+json")))]
async fn remove(
    State(app): State<App>,
    caller: Caller,
    Segments(id): Segments<String>,
) -> Result<StatusCode, Problem> {
    blocking(move || {
        let video = editable(&app, &caller, &id)?;
        // Its files go when the scheduler hears of it: that may take minutes, and nobody waits for it.
        app.library.remove_video(video.id)?;
        caller.audit(
            &app,
            "video.remove",
            Some(video.id.to_string()),
            Some(video.title),
        )
    })
    .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// An upload as a request names it.
pub(crate) fn upload(id: &str) -> Result<UploadId, Problem> {
    id.parse().map_err(|_| Problem::not_found("upload"))
}

/// People are named by id; one who was named before may have been erased since.
fn check_person(app: &App, video: &Video, id: &str) -> Result<(), Problem> {
    if video.people.contains(id) {
        return Ok(());
    }
    match app.person(id)? {
        Some(person) if person.id.to_string() == id => Ok(()),
        _ => Err(Problem::new(
            Status::Unprocessable,
            "One of the people named is not known here.",
        )
        .kind("invalid", "That cannot be kept as it is")
        .with("field", "people")),
    }
}

/// What was changed, for the audit.
fn said(change: &VideoChange) -> String {
    let visibility = change
        .visibility
        .map(|visibility| format!("visibility {visibility:?}").to_lowercase());
    let people = change
        .people
        .as_ref()
        .map(|people| format!("{} people", people.len()));
    let others = [
        change.title.as_ref().map(|_| "title".to_owned()),
        change.language.as_ref().map(|_| "language".to_owned()),
        visibility,
        people,
    ];
    others.into_iter().flatten().collect::<Vec<_>>().join(", ")
}
