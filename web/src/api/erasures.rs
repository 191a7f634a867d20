//! Erasing people: what there is about somebody, the erasure, and what became of it.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use lectern_lms::{Erasing, PersonId};
use lectern_lrs::erasure::{Erasure, Received};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::time;
use crate::app::App;
use crate::auth::Caller;
use crate::extract::{self, List, Page, Params, Segments, Strict, blocking};
use crate::problem::{Problem, ProblemDocument, Status};

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(preview, erase))
        .routes(routes!(list))
        .routes(routes!(one))
}

/// What would be erased of somebody
#[derive(Serialize, ToSchema)]
#[schema(as = ErasurePreview)]
struct PreviewOut {
    /// Sign-in name, which confirms the erasure
    name: String,
    /// Under which identifiers statements name them
    identifiers: Vec<String>,
    /// Their mail address, when somebody else here has it, too: what is said under it stays
    #[serde(skip_serializing_if = "Option::is_none")]
    kept: Option<String>,
    /// Statements that name them
    statements: u64,
    /// When the first of these was stored
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    oldest: Option<String>,
    /// When the last of these was stored
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    newest: Option<String>,
    /// State and Agent Profile documents
    documents: u64,
    /// Upstreams that may have some of the statements: ask there, too
    upstreams: Vec<ReceivedOut>,
}

/// An upstream that may have statements of somebody
#[derive(Serialize, ToSchema)]
#[schema(as = ErasureUpstream)]
struct ReceivedOut {
    /// Its id
    id: Uuid,
    /// Its name
    name: String,
    /// Its endpoint
    url: String,
    /// How many it got, if its filter was always what it is now
    statements: u64,
}

/// The sign-in name once more
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ErasureConfirmation {
    /// As it is in the preview
    name: String,
}

/// How far an erasure is
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ErasureState)]
enum StateOut {
    /// The account is gone, the rest goes
    Running,
    /// All of it is gone
    Finished,
}

/// An erasure
#[derive(Serialize, ToSchema)]
#[schema(as = Erasure)]
struct ErasureOut {
    /// Its id
    id: Uuid,
    /// How far it is
    state: StateOut,
    /// When it was asked for
    #[schema(format = DateTime)]
    asked: String,
    /// When it was finished
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    finished: Option<String>,
    /// Who asked, as in the audit log
    by: String,
    /// Of whom, by an id that says nothing
    of: String,
    /// Statements erased
    statements: u64,
    /// Documents removed
    documents: u64,
    /// Attachments removed
    attachments: u64,
    /// Whether what was written over in the box's file was overwritten on the disk, too: not when that had no room
    overwritten: bool,
    /// Upstreams that may have some of the statements: ask there, too
    upstreams: Vec<ReceivedOut>,
}

impl From<Received> for ReceivedOut {
    fn from(received: Received) -> Self {
        Self {
            id: received.id,
            name: received.name,
            url: received.url,
            statements: received.statements,
        }
    }
}

impl From<Erasure> for ErasureOut {
    fn from(erasure: Erasure) -> Self {
        Self {
            id: erasure.id,
            state: match erasure.finished {
                Some(_) => StateOut::Finished,
                None => StateOut::Running,
            },
            asked: time::text(erasure.asked),
            finished: erasure.finished.map(time::text),
            by: erasure.by,
            of: erasure.of,
            statements: erasure.statements,
            documents: erasure.documents,
            attachments: erasure.attachments,
            overwritten: erasure.overwritten,
            upstreams: erasure
                .upstreams
                .into_iter()
                .map(ReceivedOut::from)
                .collect(),
        }
    }
}

fn erasing(app: &App) -> Erasing {
    Erasing::new(app.lms.clone(), app.lrs.clone())
}

/// What would be erased of somebody
///
/// Counts alone, and which upstreams may have some of it. Asking is audited.
#[utoipa::path(get, path = "/api/v1/people/{id}/erasure", tag = "people", params(("id" = Uuid, Path)), responses(
    (status = 200, description = "What there is", body = PreviewOut),
    (status = 404, description = "No such person", body = ProblemDocument, content_type = "application/problem+json")))]
async fn preview(
    State(app): State<App>,
    caller: Caller,
    Segments(id): Segments<PersonId>,
) -> Result<Json<PreviewOut>, Problem> {
    blocking(move || {
        let erasing = erasing(&app);
        let whom = erasing.whom(id)?;
        caller.audit(&app, "person.erase_preview", Some(id.to_string()), None)?;
        let about = erasing.preview(&whom)?;
        Ok::<_, Problem>(Json(PreviewOut {
            identifiers: whom.identifiers(),
            kept: whom.shared.clone(),
            name: whom.person.map(|person| person.name).unwrap_or_default(),
            statements: about.statements,
            oldest: about.oldest.map(time::text),
            newest: about.newest.map(time::text),
            documents: about.documents,
            upstreams: about.upstreams.into_iter().map(ReceivedOut::from).collect(),
        }))
    })
    .await
}

/// Erase somebody: account, statements and documents, for good
///
/// The account is gone at once, the rest soon: how far it is says the erasure of the answer. The chain of records stays
/// valid. Nothing brings it back but a backup.
#[utoipa::path(post, path = "/api/v1/people/{id}/erasure", tag = "people", params(("id" = Uuid, Path)),
    request_body = ErasureConfirmation, responses(
    (status = 202, description = "Begun", body = ErasureOut),
    (status = 404, description = "No such person", body = ProblemDocument, content_type = "application/problem+json"),
    (status = 409, description = "Nobody would run the box", body = ProblemDocument, content_type = "application/problem+json"),
    (status = 422, description = "The name is not theirs", body = ProblemDocument, content_type = "application/problem+json")))]
async fn erase(
    State(app): State<App>,
    caller: Caller,
    Segments(id): Segments<PersonId>,
    Strict(confirmation): Strict<ErasureConfirmation>,
) -> Result<Response, Problem> {
    blocking(move || {
        let erasing = erasing(&app);
        let whom = erasing.whom(id)?;
        let name = whom.person.as_ref().map(|person| person.name.as_str());
        if name != Some(confirmation.name.trim()) {
            return Err(Problem::new(
                Status::Unprocessable,
                "That is not the sign-in name of whom you are about to erase.",
            )
            .kind("invalid", "The name does not match")
            .with("field", "name"));
        }
        let erasure = erasing.begin(&whom, &caller.id().to_string(), app.now())?;
        Ok((StatusCode::ACCEPTED, Json(ErasureOut::from(erasure))).into_response())
    })
    .await
}

/// Erasures, newest first
#[utoipa::path(get, path = "/api/v1/erasures", tag = "people", params(Page), responses(
    (status = 200, description = "A page", body = List<ErasureOut>)))]
async fn list(
    State(app): State<App>,
    Params(page): Params<Page>,
) -> Result<List<ErasureOut>, Problem> {
    let (before, limit) = (page.after::<Uuid>()?, page.limit());
    let found = blocking(move || app.lrs.erasures().list(before, limit)).await?;
    let next = match found.last() {
        Some(last) if found.len() == limit => Some(extract::cursor(&last.id)?),
        _ => None,
    };
    Ok(List {
        items: found.into_iter().map(ErasureOut::from).collect(),
        next,
    })
}

/// One erasure
#[utoipa::path(get, path = "/api/v1/erasures/{id}", tag = "people", params(("id" = Uuid, Path)), responses(
    (status = 200, description = "How far it is", body = ErasureOut),
    (status = 404, description = "No such erasure", body = ProblemDocument, content_type = "application/problem+json")))]
async fn one(
    State(app): State<App>,
    Segments(id): Segments<Uuid>,
) -> Result<Json<ErasureOut>, Problem> {
    let found = blocking(move || app.lrs.erasures().get(id)).await?;
    Ok(Json(found.into()))
}
