//! Record stores that statements are pulled from: how far each was read, what could not be taken.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use lectern_lrs::pull::{NewSource, Refusal, Source, SourceState};
use lectern_xapi::Version;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::time;
use super::upstreams::VersionName;
use crate::app::App;
use crate::auth::Caller;
use crate::extract::{self, List, Page, Params, Segments, Strict, blocking};
use crate::problem::{Problem, ProblemDocument};

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list, add))
        .routes(routes!(change, remove))
        .routes(routes!(refused))
}

/// What a source does
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = SourceState)]
enum StateName {
    /// It is being read
    Reading,
    /// It failed, and is asked again later
    Waiting,
    /// All of it was read; it is asked now and then for what is new
    Following,
    /// All of it was read, and that was that
    Done,
    /// It rests
    Paused,
}

/// A source and how far it was read
#[derive(Serialize, ToSchema)]
#[schema(as = Source)]
struct SourceOut {
    /// Its id
    id: Uuid,
    /// What people call it
    name: String,
    /// Its endpoint, without `/statements`
    url: String,
    /// Basic user name
    key: String,
    /// Which version of xAPI it speaks
    #[schema(value_type = VersionName)]
    version: &'static str,
    /// Only statements stored there after this
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    since: Option<String>,
    /// Whether it is asked again once it was read to its end
    follow: bool,
    /// Whether it may be inside this network
    allow_private: bool,
    /// What it does
    state: StateName,
    /// Up to when it was read, by when it stored its statements
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    read_to: Option<String>,
    /// Statements stored here
    stored: u64,
    /// Statements that were here already
    known: u64,
    /// Statements that could not be taken
    refused: u64,
    /// When it last answered
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    last_success: Option<String>,
    /// What went wrong since
    #[serde(skip_serializing_if = "Option::is_none")]
    last_error: Option<String>,
    /// When it is asked again
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    retry_at: Option<String>,
}

/// A source to add
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewSource)]
struct SourceIn {
    /// What people call it
    #[schema(min_length = 1)]
    name: String,
    /// Its endpoint, without `/statements`
    url: String,
    /// User name of a Basic credential that may read all statements there
    key: String,
    /// Its password
    #[schema(format = Password)]
    secret: String,
    /// Which version of xAPI it speaks; 1.0.3 when not given
    version: Option<VersionName>,
    /// Only statements stored there after this; all when not given
    #[schema(value_type = Option<String>, format = DateTime)]
    since: Option<jiff::Timestamp>,
    /// Whether it is asked again for what is new once it was read to its end
    #[serde(default)]
    follow: bool,
    /// Whether it may be inside this network
    #[serde(default)]
    allow_private: bool,
}

/// What to change
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SourcePatch {
    /// Whether it rests
    paused: bool,
}

/// The source made
#[derive(Serialize, ToSchema)]
struct SourceAdded {
    /// Its id
    id: Uuid,
}

/// A statement that could not be taken
#[derive(Serialize, ToSchema)]
#[schema(as = SourceRefusal)]
struct RefusalOut {
    /// Its number
    n: u64,
    /// Its id there, when it has one
    #[serde(skip_serializing_if = "Option::is_none")]
    statement_id: Option<Uuid>,
    /// When it was stored there
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    stored: Option<String>,
    /// Why
    reason: String,
}

impl From<SourceState> for StateName {
    fn from(state: SourceState) -> Self {
        match state {
            SourceState::Reading => Self::Reading,
            SourceState::Waiting => Self::Waiting,
            SourceState::Following => Self::Following,
            SourceState::Done => Self::Done,
            SourceState::Paused => Self::Paused,
        }
    }
}

impl From<Source> for SourceOut {
    fn from(source: Source) -> Self {
        let (last_error, retry_at) = match source.last_error {
            Some(error) => (Some(error.message), error.retry_at.map(time::text)),
            None => (None, None),
        };
        Self {
            id: source.id,
            name: source.name,
            url: source.url,
            key: source.key,
            version: source.version,
            since: source.since.map(time::text),
            follow: source.follow,
            allow_private: source.allow_private,
            state: source.state.into(),
            read_to: source.read_to.map(time::text),
            stored: source.stored,
            known: source.known,
            refused: source.refused,
            last_success: source.last_success.map(time::text),
            last_error,
            retry_at,
        }
    }
}

impl From<Refusal> for RefusalOut {
    fn from(refusal: Refusal) -> Self {
        Self {
            n: refusal.n,
            statement_id: refusal.statement_id,
            stored: refusal.stored.map(time::text),
            reason: refusal.reason,
        }
    }
}

/// All sources, oldest first
#[utoipa::path(get, path = "/api/v1/sources", tag = "records", params(Page), responses(
    (status = 200, description = "A page", body = List<SourceOut>)))]
async fn list(
    State(app): State<App>,
    Params(page): Params<Page>,
) -> Result<List<SourceOut>, Problem> {
    let (after, limit) = (page.after::<Uuid>()?, page.limit());
    blocking(move || {
        let all = app.lrs.sources().list()?;
        let mut rest = all
            .into_iter()
            .filter(|source| after.is_none_or(|after| source.id > after));
        let items: Vec<SourceOut> = rest.by_ref().take(limit).map(Into::into).collect();
        let last = items.last().filter(|_| rest.next().is_some());
        let next = last.map(|last| extract::cursor(&last.id)).transpose()?;
        Ok::<_, Problem>(List { items, next })
    })
    .await
}

/// Add a source; reading begins at once
#[utoipa::path(post, path = "/api/v1/sources", tag = "records", request_body = SourceIn, responses(
    (status = 201, description = "Added", body = SourceAdded),
    (status = 400, description = "A value that cannot be", body = ProblemDocument, content_type = "application/problem+json")))]
async fn add(
    State(app): State<App>,
    caller: Caller,
    Strict(new): Strict<SourceIn>,
) -> Result<(StatusCode, Json<SourceAdded>), Problem> {
    let id = blocking(move || {
        let detail = format!("{} {}", new.name, new.url);
        let id = app.lrs.sources().add(NewSource {
            name: new.name,
            url: new.url,
            key: new.key,
            secret: new.secret,
            version: new.version.map_or(Version::V1_0_3, Into::into),
            since: new.since,
            follow: new.follow,
            allow_private: new.allow_private,
        })?;
        let on = Some(format!("source:{id}"));
        caller.audit(&app, "source.add", on, Some(detail))?;
        Ok::<_, Problem>(id)
    });
    Ok((StatusCode::CREATED, Json(SourceAdded { id: id.await? })))
}

/// Let a source rest, or go on
#[utoipa::path(patch, path = "/api/v1/sources/{id}", tag = "records", params(("id" = Uuid, Path)),
    request_body = SourcePatch, responses(
    (status = 204, description = "Done"),
    (status = 404, description = "No such source", body = ProblemDocument, content_type = "application/problem+json")))]
async fn change(
    State(app): State<App>,
    caller: Caller,
    Segments(id): Segments<Uuid>,
    Strict(patch): Strict<SourcePatch>,
) -> Result<StatusCode, Problem> {
    blocking(move || {
        app.lrs.sources().pause(id, patch.paused)?;
        let detail = if patch.paused { "paused" } else { "goes on" };
        let on = Some(format!("source:{id}"));
        caller.audit(&app, "source.change", on, Some(detail.to_owned()))
    })
    .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Remove a source; what came from it stays
#[utoipa::path(delete, path = "/api/v1/sources/{id}", tag = "records", params(("id" = Uuid, Path)), responses(
    (status = 204, description = "Removed"),
    (status = 404, description = "No such source", body = ProblemDocument, content_type = "application/problem+json")))]
async fn remove(
    State(app): State<App>,
    caller: Caller,
    Segments(id): Segments<Uuid>,
) -> Result<StatusCode, Problem> {
    blocking(move || {
        app.lrs.sources().remove(id)?;
        caller.audit(&app, "source.remove", Some(format!("source:{id}")), None)
    })
    .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What could not be taken from a source, in order
#[utoipa::path(get, path = "/api/v1/sources/{id}/refused", tag = "records", params(("id" = Uuid, Path), Page), responses(
    (status = 200, description = "A page", body = List<RefusalOut>),
    (status = 404, description = "No such source", body = ProblemDocument, content_type = "application/problem+json")))]
async fn refused(
    State(app): State<App>,
    Segments(id): Segments<Uuid>,
    Params(page): Params<Page>,
) -> Result<List<RefusalOut>, Problem> {
    let (after, limit) = (page.after::<u64>()?.unwrap_or_default(), page.limit());
    blocking(move || {
        let found = app.lrs.sources().refused(id, after, limit)?;
        let last = found.last().filter(|_| found.len() == limit);
        let next = last.map(|last| extract::cursor(&last.n)).transpose()?;
        Ok::<_, Problem>(List {
            items: found.into_iter().map(Into::into).collect(),
            next,
        })
    })
    .await
}
