//! Chapters: where the parts of a video begin and what they are called.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use lectern_library::{ChaptersInfo, Library, VideoId};
use lectern_vod::chapters::{Chapter, Chapters, Error, MAX_TITLE_CHARS};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::time;
use super::videos::{editable, visible};
use crate::app::App;
use crate::auth::Caller;
use crate::extract::{Segments, Strict, blocking};
use crate::problem::{Problem, ProblemDocument, Status};

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(get, put, remove))
}

/// A part of a video
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Chapter)]
pub(crate) struct ChapterShape {
    /// Where it begins
    start_ms: u64,
    /// Its name
    #[schema(min_length = 1, max_length = 200)]
    title: String,
}

/// A video's chapters
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Chapters)]
pub(crate) struct ChaptersOut {
    /// In ascending order
    chapters: Vec<ChapterShape>,
    /// Counts up with each change; 0 where there never were any
    revision: u32,
    /// When they came; none where there never were any
    #[schema(format = DateTime)]
    updated: Option<String>,
    /// Whether they are as the uploaded file names them
    from_file: bool,
}

/// Chapters to be stored
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewChapters)]
pub(crate) struct ChaptersIn {
    /// In any order; at most 500
    chapters: Vec<ChapterShape>,
}

/// A video's chapters as players list them. Blocking.
pub(crate) fn list(library: &Library, video: VideoId) -> Result<Vec<ChapterShape>, Problem> {
    Ok(library
        .chapters(video)?
        .map(|info| shapes(&info.json))
        .unwrap_or_default())
}

fn shapes(json: &str) -> Vec<ChapterShape> {
    // Written by us; were it not readable, a video without chapters plays as well.
    let chapters: Option<Chapters> = serde_json::from_str(json).ok();
    chapters
        .iter()
        .flat_map(Chapters::list)
        .map(|chapter| ChapterShape {
            start_ms: chapter.start_ms,
            title: chapter.title.as_str().to_owned(),
        })
        .collect()
}

fn describe(info: Option<ChaptersInfo>) -> ChaptersOut {
    match info {
        Some(info) => ChaptersOut {
            chapters: shapes(&info.json),
            revision: info.revision,
            updated: Some(time::text(info.updated)),
            from_file: info.is_from_source,
        },
        None => ChaptersOut {
            chapters: Vec::new(),
            revision: 0,
            updated: None,
            from_file: false,
        },
    }
}

/// A video's chapters; an empty list where it has none
#[utoipa::path(get, path = "/api/v1/videos/{id}/chapters", tag = "videos", params(("id" = uuid::Uuid, Path)), responses(
    (status = 200, description = "In ascending order", body = ChaptersOut),
    (status = 404, description = "No such video", body = ProblemDocument, content_type = "application/problem+json")))]
async fn get(
    State(app): State<App>,
    caller: Option<Caller>,
    Segments(id): Segments<String>,
) -> Result<Json<ChaptersOut>, Problem> {
    blocking(move || {
        let video = visible(&app, caller.as_ref(), &id)?;
        Ok::<_, Problem>(Json(describe(app.library.chapters(video.id)?)))
    })
    .await
}

/// Store a video's chapters in the place of those that were there
#[utoipa::path(put, path = "/api/v1/videos/{id}/chapters", tag = "videos", params(("id" = uuid::Uuid, Path)),
    request_body = ChaptersIn, responses(
    (status = 200, description = "Stored", body = ChaptersOut),
    (status = 404, description = "No such video", body = ProblemDocument, content_type = "application/problem+json"),
    (status = 422, description = "A chapter is wrong; `chapter` says which, in order of time", body = ProblemDocument, content_type = "application/problem+json")))]
async fn put(
    State(app): State<App>,
    caller: Caller,
    Segments(id): Segments<String>,
    Strict(asked): Strict<ChaptersIn>,
) -> Result<Json<ChaptersOut>, Problem> {
    blocking(move || {
        let video = editable(&app, &caller, &id)?;
        let chapters = read(asked)?;
        let length_ms = video.versions.iter().find_map(|info| info.duration_ms);
        let is_behind = |chapter: &Chapter| length_ms.is_some_and(|end| chapter.start_ms >= end);
        if let Some(at) = chapters.list().iter().position(is_behind) {
            return Err(refused(
                "begins after the end of the video".to_owned(),
                Some(at + 1),
            ));
        }
        let json = serde_json::to_string(&chapters).map_err(Problem::internal)?;
        app.library.put_chapters(video.id, json, app.now())?;
        caller.audit(&app, "chapters.put", Some(video.id.to_string()), None)?;
        Ok::<_, Problem>(Json(describe(app.library.chapters(video.id)?)))
    })
    .await
}

/// Take a video's chapters away
#[utoipa::path(delete, path = "/api/v1/videos/{id}/chapters", tag = "videos", params(("id" = uuid::Uuid, Path)), responses(
    (status = 204, description = "Gone"),
    (status = 404, description = "None there", body = ProblemDocument, content_type = "application/problem+json")))]
async fn remove(
    State(app): State<App>,
    caller: Caller,
    Segments(id): Segments<String>,
) -> Result<StatusCode, Problem> {
    blocking(move || {
        let video = editable(&app, &caller, &id)?;
        app.library.remove_chapters(video.id, app.now())?;
        caller.audit(&app, "chapters.remove", Some(video.id.to_string()), None)
    })
    .await?;
    Ok(StatusCode::NO_CONTENT)
}

fn read(asked: ChaptersIn) -> Result<Chapters, Problem> {
    let mut asked = asked.chapters;
    asked.sort_by_key(|chapter| chapter.start_ms);
    let is_long = |chapter: &ChapterShape| chapter.title.chars().count() > MAX_TITLE_CHARS;
    // Before a sentence is cut to its own length.
    if let Some(at) = asked.iter().position(is_long) {
        return Err(refused(Error::LongName(at + 1).to_string(), Some(at + 1)));
    }
    let chapters = asked.into_iter().map(|chapter| Chapter {
        start_ms: chapter.start_ms,
        title: chapter.title.into(),
    });
    Chapters::new(chapters.collect()).map_err(|error| {
        let number = match &error {
            Error::None | Error::TooMany(_) => None,
            Error::Unnamed(n) | Error::LongName(n) | Error::SameTime(_, n) | Error::Late(n) => {
                Some(*n)
            }
        };
        refused(error.to_string(), number)
    })
}

fn refused(what: String, number: Option<usize>) -> Problem {
    let detail = match number {
        Some(number) if !what.contains("chapter") => format!("Chapter {number} {what}."),
        _ => format!("These chapters cannot be stored: {what}."),
    };
    let problem = Problem::new(Status::Unprocessable, detail)
        .kind("chapters", "These chapters cannot be stored");
    match number {
        Some(number) => problem.with("chapter", number),
        None => problem,
    }
}
