//! Record stores that receive this box's statements: what waits, what went wrong, what was refused.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use lectern_lms::Lms;
use lectern_lrs::forward::{Filter, Identities, NewUpstream, Upstream, UpstreamChange};
use lectern_xapi::Version;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

mod dead;
mod identities;
mod lag;

pub(crate) use lag::{Lags, SAMPLED_EVERY};

use identities::{IdentitiesIn, IdentitiesOut};

use super::system::UpstreamFacts;
use super::time;
use crate::app::App;
use crate::auth::Caller;
use crate::extract::{self, List, Page, Params, Segments, Strict, blocking};
use crate::problem::{Problem, ProblemDocument, Status};

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list, add))
        .routes(routes!(change, remove))
        .routes(routes!(test))
        .routes(routes!(replay))
        .merge(dead::routes())
        .merge(lag::routes())
}

/// Which statements an upstream gets; an empty list means all
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(as = Filter)]
struct FilterShape {
    /// Only these verbs, by IRI
    verbs: Vec<String>,
    /// Only what is about an activity whose id begins with one of these, or has such a one around it (parent, grouping,
    /// category, other): a course
    activities: Vec<String>,
    /// Only what these did, alone or in a group: sign-in names, or identifiers (`mailto:…`, an OpenID, a SHA-1 sum,
    /// `homePage name` of an account)
    people: Vec<String>,
}

/// A version of xAPI
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[schema(as = XapiVersion)]
pub(crate) enum VersionName {
    /// 1.0.3
    #[serde(rename = "1.0.3")]
    V1_0_3,
    /// 2.0.0
    #[serde(rename = "2.0.0")]
    V2_0_0,
}

/// An upstream and how it does
#[derive(Serialize, ToSchema)]
#[schema(as = Upstream)]
struct UpstreamOut {
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
    /// Which statements it gets
    filter: FilterShape,
    /// Whom it sees in them
    identities: IdentitiesOut,
    /// Only statements stored after this
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    since: Option<String>,
    /// Whether it may be inside this network
    allow_private: bool,
    /// Whether it rests
    paused: bool,
    /// Statements that it has not been offered yet
    lag: u64,
    /// How long the oldest of them has waited
    lag_seconds: u64,
    /// Statements that it took
    delivered: u64,
    /// When it last took something
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    last_success: Option<String>,
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
    /// Statements refused for good, set aside
    dead: u64,
}

/// An upstream to add
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewUpstream)]
struct UpstreamIn {
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
    /// Which version of xAPI it speaks; 1.0.3 when not given, which every record store takes
    version: Option<VersionName>,
    /// Which statements it gets
    filter: Option<FilterShape>,
    /// Whom it sees in them; all as they are when not given
    identities: Option<IdentitiesIn>,
    /// Only statements stored after this; all when not given
    #[schema(value_type = Option<String>, format = DateTime)]
    since: Option<jiff::Timestamp>,
    /// Whether it may be inside this network
    #[serde(default)]
    allow_private: bool,
}

/// What to change; what is not named stays
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct UpstreamPatch {
    /// What people call it
    name: Option<String>,
    /// Its endpoint
    url: Option<String>,
    /// Basic user name
    key: Option<String>,
    /// Basic password
    #[schema(format = Password)]
    secret: Option<String>,
    /// Which version of xAPI it speaks
    version: Option<VersionName>,
    /// Which statements it gets from now on
    filter: Option<FilterShape>,
    /// Whom it sees in them from now on
    identities: Option<IdentitiesIn>,
    /// Whether it may be inside this network
    allow_private: Option<bool>,
    /// Whether it rests
    paused: Option<bool>,
}

/// The upstream made
#[derive(Serialize, ToSchema)]
struct UpstreamAdded {
    /// Its id
    id: Uuid,
}

/// From when on to send again
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct UpstreamReplay {
    /// What was stored after this
    #[schema(value_type = String, format = DateTime)]
    since: jiff::Timestamp,
}

/// What is sent again
#[derive(Serialize, ToSchema)]
struct UpstreamReplayed {
    /// Statements of the log that are looked through again
    statements: u64,
}

/// What a trial found
#[derive(Serialize, ToSchema)]
struct UpstreamTrial {
    /// Whether statements can be expected to arrive
    ok: bool,
    /// What was found
    message: String,
    /// The versions that it names
    versions: Vec<String>,
}

impl FilterShape {
    fn read(self, lms: &Lms) -> Result<Filter, Problem> {
        let people = self.people.iter();
        let people = people.map(|typed| Ok::<_, Problem>(lms.read_identifier(typed)?.key()));
        Ok(Filter {
            verbs: self.verbs,
            activities: self.activities,
            people: people.collect::<Result<_, _>>()?,
        })
    }

    fn of(filter: Filter, lms: &Lms) -> Result<Self, Problem> {
        let people = filter.people.iter();
        let people = people.map(|key| Ok::<_, Problem>(lms.print_identifier(key)?));
        Ok(Self {
            verbs: filter.verbs,
            activities: filter.activities,
            people: people.collect::<Result<_, _>>()?,
        })
    }
}

impl From<VersionName> for Version {
    fn from(name: VersionName) -> Self {
        match name {
            VersionName::V1_0_3 => Self::V1_0_3,
            VersionName::V2_0_0 => Self::V2_0_0,
        }
    }
}

impl UpstreamOut {
    fn of(upstream: Upstream, lms: &Lms) -> Result<Self, Problem> {
        let (error, at, retry_at) = match upstream.last_error {
            Some(error) => (
                Some(error.message),
                Some(time::text(error.at)),
                error.retry_at.map(time::text),
            ),
            None => (None, None, None),
        };
        Ok(Self {
            id: upstream.id,
            name: upstream.name,
            url: upstream.url,
            key: upstream.key,
            version: upstream.version,
            filter: FilterShape::of(upstream.filter, lms)?,
            identities: upstream.identities.into(),
            since: upstream.since.map(time::text),
            allow_private: upstream.allow_private,
            paused: upstream.paused,
            lag: upstream.lag,
            lag_seconds: upstream.lag_seconds,
            delivered: upstream.delivered,
            last_success: upstream.last_success.map(time::text),
            last_error: error,
            last_error_at: at,
            retry_at,
            dead: upstream.dead,
        })
    }
}

/// All upstreams, oldest first
#[utoipa::path(get, path = "/api/v1/upstreams", tag = "records", params(Page), responses(
    (status = 200, description = "A page", body = List<UpstreamOut>)))]
async fn list(
    State(app): State<App>,
    Params(page): Params<Page>,
) -> Result<List<UpstreamOut>, Problem> {
    let (after, limit) = (page.after::<Uuid>()?, page.limit());
    blocking(move || {
        let all = app.lrs.upstreams().list()?;
        let mut rest = all
            .into_iter()
            .filter(|upstream| after.is_none_or(|after| upstream.id > after));
        let items: Vec<Upstream> = rest.by_ref().take(limit).collect();
        let last = items.last().filter(|_| rest.next().is_some());
        let next = last.map(|last| extract::cursor(&last.id)).transpose()?;
        let items = items.into_iter();
        let items = items.map(|upstream| UpstreamOut::of(upstream, &app.lms));
        Ok::<_, Problem>(List {
            next,
            items: items.collect::<Result<_, Problem>>()?,
        })
    })
    .await
}

/// Add an upstream; forwarding begins at once
#[utoipa::path(post, path = "/api/v1/upstreams", tag = "records", request_body = UpstreamIn, responses(
    (status = 201, description = "Added", body = UpstreamAdded),
    (status = 400, description = "A value that cannot be", body = ProblemDocument, content_type = "application/problem+json")))]
async fn add(
    State(app): State<App>,
    caller: Caller,
    Strict(new): Strict<UpstreamIn>,
) -> Result<(StatusCode, Json<UpstreamAdded>), Problem> {
    let id = blocking(move || {
        let detail = format!("{} {}", new.name, new.url);
        let id = app.lrs.upstreams().add(NewUpstream {
            name: new.name,
            url: new.url,
            key: new.key,
            secret: new.secret,
            version: new.version.map_or(Version::V1_0_3, Into::into),
            filter: new.filter.unwrap_or_default().read(&app.lms)?,
            identities: match new.identities {
                Some(identities) => identities.read(&app.lms)?,
                None => Identities::Keep,
            },
            since: new.since,
            allow_private: new.allow_private,
        })?;
        caller.audit(
            &app,
            "upstream.add",
            Some(format!("upstream:{id}")),
            Some(detail),
        )?;
        Ok::<_, Problem>(id)
    });
    Ok((StatusCode::CREATED, Json(UpstreamAdded { id: id.await? })))
}

/// Change, pause or go on with an upstream
#[utoipa::path(patch, path = "/api/v1/upstreams/{id}", tag = "records", params(("id" = Uuid, Path)),
    request_body = UpstreamPatch, responses(
    (status = 200, description = "As it is now", body = UpstreamOut),
    (status = 404, description = "No such upstream", body = ProblemDocument, content_type = "application/problem+json")))]
async fn change(
    State(app): State<App>,
    caller: Caller,
    Segments(id): Segments<Uuid>,
    Strict(patch): Strict<UpstreamPatch>,
) -> Result<Json<UpstreamOut>, Problem> {
    let upstream = blocking(move || {
        let paused = patch
            .paused
            .map(|paused| if paused { "paused" } else { "goes on" });
        let identities = patch.identities.as_ref().map(IdentitiesIn::detail);
        let details: Vec<_> = paused.into_iter().chain(identities).collect();
        let detail = (!details.is_empty()).then(|| details.join(", "));
        let upstreams = app.lrs.upstreams();
        let change = UpstreamChange {
            name: patch.name,
            url: patch.url,
            key: patch.key,
            secret: patch.secret,
            version: patch.version.map(Into::into),
            filter: patch
                .filter
                .map(|filter| filter.read(&app.lms))
                .transpose()?,
            identities: patch
                .identities
                .map(|identities| identities.read(&app.lms))
                .transpose()?,
            allow_private: patch.allow_private,
            paused: patch.paused,
        };
        upstreams.update(id, change)?;
        caller.audit(
            &app,
            "upstream.change",
            Some(format!("upstream:{id}")),
            detail,
        )?;
        UpstreamOut::of(upstreams.get(id)?, &app.lms)
    });
    Ok(Json(upstream.await?))
}

/// Remove an upstream; what it has stays there
#[utoipa::path(delete, path = "/api/v1/upstreams/{id}", tag = "records", params(("id" = Uuid, Path)), responses(
    (status = 204, description = "Removed"),
    (status = 404, description = "No such upstream", body = ProblemDocument, content_type = "application/problem+json")))]
async fn remove(
    State(app): State<App>,
    caller: Caller,
    Segments(id): Segments<Uuid>,
) -> Result<StatusCode, Problem> {
    blocking(move || {
        app.lrs.upstreams().remove(id)?;
        caller.audit(
            &app,
            "upstream.remove",
            Some(format!("upstream:{id}")),
            None,
        )
    })
    .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Ask an upstream whether it would take statements; writes nothing there
#[utoipa::path(post, path = "/api/v1/upstreams/{id}/test", tag = "records", params(("id" = Uuid, Path)), responses(
    (status = 200, description = "It would", body = UpstreamTrial),
    (status = 404, description = "No such upstream", body = ProblemDocument, content_type = "application/problem+json"),
    (status = 502, description = "It would not; the detail says why", body = ProblemDocument, content_type = "application/problem+json")))]
async fn test(
    State(app): State<App>,
    Segments(id): Segments<Uuid>,
) -> Result<Json<UpstreamTrial>, Problem> {
    let trial = app.lrs.upstreams().test(id, &app.egress).await?;
    if !trial.ok {
        return Err(Problem::new(Status::BadGateway, trial.message)
            .kind("upstream-test", "The upstream did not agree"));
    }
    Ok(Json(UpstreamTrial {
        ok: trial.ok,
        message: trial.message,
        versions: trial.versions,
    }))
}

/// Send again what was stored after a time, in order
///
/// Nothing gets there twice: an upstream knows an id that it has.
#[utoipa::path(post, path = "/api/v1/upstreams/{id}/replay", tag = "records", params(("id" = Uuid, Path)),
    request_body = UpstreamReplay, responses(
    (status = 200, description = "It begins at once", body = UpstreamReplayed),
    (status = 404, description = "No such upstream", body = ProblemDocument, content_type = "application/problem+json")))]
async fn replay(
    State(app): State<App>,
    caller: Caller,
    Segments(id): Segments<Uuid>,
    Strict(asked): Strict<UpstreamReplay>,
) -> Result<Json<UpstreamReplayed>, Problem> {
    let statements = blocking(move || {
        let statements = app.lrs.upstreams().replay(id, asked.since)?;
        caller.audit(
            &app,
            "upstream.replay",
            Some(format!("upstream:{id}")),
            Some(format!("since {}: {statements}", time::text(asked.since))),
        )?;
        Ok::<_, Problem>(statements)
    });
    Ok(Json(UpstreamReplayed {
        statements: statements.await?,
    }))
}

/// How each does, for the system page and the metrics.
pub(crate) fn facts(app: &App) -> Result<Vec<UpstreamFacts>, Problem> {
    let all = app.lrs.upstreams().list()?;
    let facts = all.into_iter().map(|upstream| UpstreamFacts {
        upstream: upstream.id,
        name: upstream.name,
        lag: upstream.lag,
        lag_seconds: upstream.lag_seconds,
        dead: upstream.dead,
        delivered: upstream.delivered,
        last_success: upstream.last_success,
        last_error: upstream.last_error.map(|error| error.message),
        is_paused: upstream.paused,
    });
    Ok(facts.collect())
}
