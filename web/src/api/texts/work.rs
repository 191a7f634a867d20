//! What an editor of captions or descriptions works on: the text that learners have, the draft beside it, and what was there before.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use lectern_library::{Error, Revision, TextKind};
use lectern_vod::captions::{Format, parse};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{KindName, refused, time};
use crate::api::videos::editable;
use crate::app::App;
use crate::auth::Caller;
use crate::extract::{Segments, Strict, blocking};
use crate::problem::{Problem, ProblemDocument};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(work))
        .routes(routes!(save, discard))
}

/// Captions or descriptions in one language, for whoever works on them
#[derive(Serialize, ToSchema)]
#[schema(as = TextTrackWork)]
struct WorkOut {
    /// What learners have; none where there is nothing yet
    #[serde(skip_serializing_if = "Option::is_none")]
    published: Option<PublishedOut>,
    /// What somebody was still at
    #[serde(skip_serializing_if = "Option::is_none")]
    draft: Option<DraftOut>,
    /// How sure the machine was of what it wrote: when a caption begins (ms), and percent
    marks: Vec<(u64, u8)>,
    /// The texts that are kept, newest first; `?revision=` of the text gives one
    revisions: Vec<RevisionOut>,
}

/// A text that learners have
#[derive(Serialize, ToSchema)]
#[schema(as = PublishedText)]
struct PublishedOut {
    /// Counts up with each text
    revision: u32,
    /// What wrote it, where no person has read it over
    #[serde(skip_serializing_if = "Option::is_none")]
    machine: Option<String>,
    /// WebVTT
    vtt: String,
}

/// What somebody is at
#[derive(Serialize, ToSchema)]
#[schema(as = TextDraft)]
struct DraftOut {
    /// To be named with the next save
    number: u64,
    /// When it was saved
    #[schema(format = DateTime)]
    updated: String,
    /// By whom; empty for a machine's
    by_name: String,
    /// WebVTT
    vtt: String,
}

/// A text that is kept
#[derive(Serialize, ToSchema)]
#[schema(as = TextRevision)]
struct RevisionOut {
    /// Which
    revision: u32,
    /// When it came
    #[schema(format = DateTime)]
    updated: String,
    /// Who brought or approved it; empty for what came with a file or from a machine
    by_name: String,
    /// What wrote it, where no person has read it over
    #[serde(skip_serializing_if = "Option::is_none")]
    machine: Option<String>,
}

/// What is saved
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewTextDraft)]
struct DraftIn {
    /// WebVTT; only what could be a text in time is kept
    vtt: String,
    /// The number of the draft that it replaces; 0 where there was none
    over: u64,
}

/// What was saved
#[derive(Serialize, ToSchema)]
#[schema(as = SavedTextDraft)]
struct SavedOut {
    /// To be named with the next save
    number: u64,
    /// When
    #[schema(format = DateTime)]
    updated: String,
}

fn name(app: &App, id: &str) -> Result<String, Problem> {
    let person = app.person(id)?;
    Ok(person.map(|person| person.display_name).unwrap_or_default())
}

/// Everything that an editor needs; empty where there is nothing in that language yet
#[utoipa::path(get, path = "/api/v1/videos/{id}/{kind}/{language}/work", tag = "videos",
    params(("id" = uuid::Uuid, Path), ("kind" = inline(KindName), Path), ("language" = String, Path, description = "BCP 47")), responses(
    (status = 200, description = "For those who may change the video", body = WorkOut),
    (status = 404, description = "No such video", body = ProblemDocument, content_type = "application/problem+json")))]
async fn work(
    State(app): State<App>,
    caller: Caller,
    Segments((id, kind, language)): Segments<(String, TextKind, String)>,
) -> Result<Json<WorkOut>, Problem> {
    blocking(move || {
        let video = editable(&app, &caller, &id)?;
        let texts = app.library.texts(kind);
        let published = match texts.get(video.id, &language, None) {
            Ok(text) => Some(PublishedOut {
                revision: text.info.revision,
                machine: text.info.machine,
                vtt: text.vtt,
            }),
            Err(Error::NotFound(_)) => None,
            Err(error) => return Err(Problem::from(error)),
        };
        let draft = match texts.draft(video.id, &language)? {
            Some(draft) => Some(DraftOut {
                number: draft.number,
                updated: time::text(draft.updated),
                by_name: name(&app, &draft.by)?,
                vtt: draft.vtt,
            }),
            None => None,
        };
        // Written by us; without them nothing is marked.
        let marks = texts.marks(video.id, &language)?;
        let marks = marks.and_then(|json| serde_json::from_str(&json).ok());
        let describe = |revision: Revision| {
            Ok::<_, Problem>(RevisionOut {
                revision: revision.revision,
                updated: time::text(revision.updated),
                by_name: name(&app, revision.by.as_deref().unwrap_or_default())?,
                machine: revision.machine,
            })
        };
        let revisions = texts.revisions(video.id, &language)?;
        Ok(Json(WorkOut {
            published,
            draft,
            marks: marks.unwrap_or_default(),
            revisions: revisions
                .into_iter()
                .map(describe)
                .collect::<Result<_, _>>()?,
        }))
    })
    .await
}

/// Save what somebody is at; learners do not see it
#[utoipa::path(put, path = "/api/v1/videos/{id}/{kind}/{language}/draft", tag = "videos", request_body = DraftIn,
    params(("id" = uuid::Uuid, Path), ("kind" = inline(KindName), Path), ("language" = String, Path, description = "BCP 47")), responses(
    (status = 200, description = "Saved", body = SavedOut),
    (status = 404, description = "No such video", body = ProblemDocument, content_type = "application/problem+json"),
    (status = 409, description = "Somebody else has saved meanwhile", body = ProblemDocument, content_type = "application/problem+json"),
    (status = 422, description = "The text or the language is wrong; `line` says where", body = ProblemDocument, content_type = "application/problem+json")))]
async fn save(
    State(app): State<App>,
    caller: Caller,
    Segments((id, kind, language)): Segments<(String, TextKind, String)>,
    Strict(asked): Strict<DraftIn>,
) -> Result<Json<SavedOut>, Problem> {
    blocking(move || {
        let video = editable(&app, &caller, &id)?;
        let cues = parse(asked.vtt.as_bytes(), Some(Format::WebVtt)).map_err(refused)?;
        let (vtt, by, now) = (cues.to_vtt(), caller.id().to_string(), app.now());
        let saved = app
            .library
            .texts(kind)
            .save_draft(video.id, &language, vtt, &by, asked.over, now)?;
        let number = saved.ok_or_else(|| {
            Problem::conflict(
                "Somebody else has saved this text meanwhile. Load the page anew to go on from theirs.",
            )
            .kind("draft-changed", "Somebody else was here")
        })?;
        Ok::<_, Problem>(Json(SavedOut {
            number,
            updated: time::text(now),
        }))
    })
    .await
}

/// Throw away what somebody was at; what learners have stays
#[utoipa::path(delete, path = "/api/v1/videos/{id}/{kind}/{language}/draft", tag = "videos",
    params(("id" = uuid::Uuid, Path), ("kind" = inline(KindName), Path), ("language" = String, Path, description = "BCP 47")), responses(
    (status = 204, description = "Gone"),
    (status = 404, description = "No draft in that language", body = ProblemDocument, content_type = "application/problem+json")))]
async fn discard(
    State(app): State<App>,
    caller: Caller,
    Segments((id, kind, language)): Segments<(String, TextKind, String)>,
) -> Result<StatusCode, Problem> {
    blocking(move || {
        let video = editable(&app, &caller, &id)?;
        match app.library.texts(kind).drop_draft(video.id, &language)? {
            true => Ok(StatusCode::NO_CONTENT),
            false => Err(Problem::not_found("draft")),
        }
    })
    .await
}
