//! Record stores that this box reads statements from: how far each is, what went wrong, what was not taken.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use lectern_lrs::pull::{NewSource, Source, SourceAddress, SourceChange, SourceState};
use lectern_xapi::Version;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

mod refused;

use super::time;
use super::upstreams::VersionName;
use crate::app::App;
use crate::auth::Caller;
use crate::extract::{self, List, Page, Params, Segments, Strict, blocking};
use crate::problem::{Problem, ProblemDocument, Status};

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list, add))
        .routes(routes!(change, remove))
        .routes(routes!(try_out))
        .merge(refused::routes())
}

/// How a source does
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
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

/// A source and how far it is
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
    /// Which version of xAPI it is asked in
    #[schema(value_type = VersionName)]
    version: &'static str,
    /// Only statements that it stored after this
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    since: Option<String>,
    /// Whether it is asked again for what is new once it was read to its end
    follow: bool,
    /// Whether it may be inside this network
    allow_private: bool,
    /// Whether it rests
    paused: bool,
    /// How it does
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
    /// Statements a second, lately
    rate: f64,
    /// When it last gave something
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    last_success: Option<String>,
    /// When the end of its list was reached last
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    caught_up: Option<String>,
    /// When it is asked for what is new, if it follows
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    next: Option<String>,
    /// What went wrong since
    #[serde(skip_serializing_if = "Option::is_none")]
    last_error: Option<String>,
    /// When that was
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    last_error_at: Option<String>,
    /// When it is tried again
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
    /// Basic user name
    key: String,
    /// Basic password
    #[schema(format = Password)]
    secret: String,
    /// Which version of xAPI it is asked in; 1.0.3 when not given, which every record store speaks
    version: Option<VersionName>,
    /// Only statements that it stored after this; all when not given
    #[schema(value_type = Option<String>, format = DateTime)]
    since: Option<jiff::Timestamp>,
    /// Whether it is asked again for what is new once it was read to its end
    #[serde(default)]
    follow: bool,
    /// Whether it may be inside this network
    #[serde(default)]
    allow_private: bool,
}

/// What to change; what is not named stays. How far it is stays, too
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SourcePatch {
    /// What people call it
    name: Option<String>,
    /// Its endpoint
    url: Option<String>,
    /// Basic user name
    key: Option<String>,
    /// Basic password
    #[schema(format = Password)]
    secret: Option<String>,
    /// Which version of xAPI it is asked in
    version: Option<VersionName>,
    /// Whether it is asked again for what is new once it was read to its end
    follow: Option<bool>,
    /// Whether it may be inside this network
    allow_private: Option<bool>,
    /// Whether it rests
    paused: Option<bool>,
}

/// An address to try
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SourceTrialOf {
    /// The endpoint, without `/statements`
    url: String,
    /// Basic user name
    key: String,
    /// Basic password
    #[schema(format = Password)]
    secret: String,
    /// Which version of xAPI it is asked in; 1.0.3 when not given
    version: Option<VersionName>,
    /// Whether it may be inside this network
    #[serde(default)]
    allow_private: bool,
}

/// The source made
#[derive(Serialize, ToSchema)]
struct SourceAdded {
    /// Its id
    id: Uuid,
}

/// What a trial found
#[derive(Serialize, ToSchema)]
struct SourceTrial {
    /// Whether statements can be read there
    ok: bool,
    /// What was found
    message: String,
    /// The versions that it names
    versions: Vec<String>,
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
        let (error, at, retry_at) = match source.last_error {
            Some(error) => (
                Some(error.message),
                Some(time::text(error.at)),
                error.retry_at.map(time::text),
            ),
            None => (None, None, None),
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
            paused: source.paused,
            state: source.state.into(),
            read_to: source.read_to.map(time::text),
            stored: source.stored,
            known: source.known,
            refused: source.refused,
            rate: source.rate,
            last_success: source.last_success.map(time::text),
            caught_up: source.caught_up.map(time::text),
            next: source.next.map(time::text),
            last_error: error,
            last_error_at: at,
            retry_at,
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
        let items: Vec<Source> = rest.by_ref().take(limit).collect();
        let last = items.last().filter(|_| rest.next().is_some());
        let next = last.map(|last| extract::cursor(&last.id)).transpose()?;
        Ok::<_, Problem>(List {
            next,
            items: items.into_iter().map(Into::into).collect(),
        })
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
            address: SourceAddress {
                url: new.url,
                key: new.key,
                secret: new.secret,
                version: new.version.map_or(Version::V1_0_3, Into::into),
                allow_private: new.allow_private,
            },
            since: new.since,
            follow: new.follow,
        })?;
        let on = Some(format!("source:{id}"));
        caller.audit(&app, "source.add", on, Some(detail))?;
        Ok::<_, Problem>(id)
    });
    Ok((StatusCode::CREATED, Json(SourceAdded { id: id.await? })))
}

/// Change, pause or go on with a source
#[utoipa::path(patch, path = "/api/v1/sources/{id}", tag = "records", params(("id" = Uuid, Path)),
    request_body = SourcePatch, responses(
    (status = 200, description = "As it is now", body = SourceOut),
    (status = 404, description = "No such source", body = ProblemDocument, content_type = "application/problem+json")))]
async fn change(
    State(app): State<App>,
    caller: Caller,
    Segments(id): Segments<Uuid>,
    Strict(patch): Strict<SourcePatch>,
) -> Result<Json<SourceOut>, Problem> {
    let source = blocking(move || {
        let paused = patch.paused;
        let detail = paused.map(|paused| if paused { "paused" } else { "goes on" }.to_owned());
        let sources = app.lrs.sources();
        let change = SourceChange {
            name: patch.name,
            url: patch.url,
            key: patch.key,
            secret: patch.secret,
            version: patch.version.map(Into::into),
            follow: patch.follow,
            allow_private: patch.allow_private,
            paused: patch.paused,
        };
        sources.update(id, change)?;
        let on = Some(format!("source:{id}"));
        caller.audit(&app, "source.change", on, detail)?;
        Ok::<_, Problem>(SourceOut::from(sources.get(id)?))
    });
    Ok(Json(source.await?))
}

/// Remove a source; what it brought stays
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

/// Ask an address whether statements can be read there, before it is added; writes nothing, there or here
#[utoipa::path(post, path = "/api/v1/sources/test", tag = "records", request_body = SourceTrialOf, responses(
    (status = 200, description = "They can", body = SourceTrial),
    (status = 400, description = "A value that cannot be", body = ProblemDocument, content_type = "application/problem+json"),
    (status = 502, description = "They cannot; the detail says why", body = ProblemDocument, content_type = "application/problem+json")))]
async fn try_out(
    State(app): State<App>,
    Strict(of): Strict<SourceTrialOf>,
) -> Result<Json<SourceTrial>, Problem> {
    let address = SourceAddress {
        url: of.url,
        key: of.key,
        secret: of.secret,
        version: of.version.map_or(Version::V1_0_3, Into::into),
        allow_private: of.allow_private,
    };
    let trial = app.lrs.sources().try_out(address, &app.egress).await?;
    if !trial.ok {
        return Err(Problem::new(Status::BadGateway, trial.message)
            .kind("source-test", "Statements cannot be read there"));
    }
    Ok(Json(SourceTrial {
        ok: trial.ok,
        message: trial.message,
        versions: trial.versions,
    }))
}
