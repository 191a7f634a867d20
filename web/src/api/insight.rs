//! Who watched what: figures for those who teach, records of individuals for those who may see them,
//! one's own progress. What the figures mean stands in `docs/definitions.md`.

mod asked;
mod csv;
mod shapes;

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use lectern_analytics::{Rule, Viewer};
use lectern_library::VideoId;
use lectern_lms::{CompletionRule, Viewer as Learner, Who, Whose};
use lectern_xapi::Ifi;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use self::asked::Asked;
use super::csv::{TYPE, file};
use super::videos::activity_id;
use crate::access;
use crate::app::App;
use crate::auth::Caller;
use crate::extract::{self, List, Params, Segments, blocking};
use crate::problem::{Problem, ProblemDocument};
use shapes::{ProgressOut, RetentionOut, SummaryOut, ViewerOut};

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(retention))
        .routes(routes!(summary))
        .routes(routes!(viewers))
        .routes(routes!(viewers_csv))
        .routes(routes!(progress))
}

/// The share that counts as watched where the box's rule is another.
const USUAL_PERCENT: u8 = 90;
/// Viewers read at once for a file.
const CSV_PAGE: usize = 500;

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct OfVersion {
    /// Which version; the newest when it is not named
    #[param(minimum = 1)]
    version: Option<u32>,
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ViewersQuery {
    /// Which version; the newest when it is not named
    #[param(minimum = 1)]
    version: Option<u32>,
    /// Where the page before ended: its `next`
    cursor: Option<String>,
    /// Most items wanted, at most 200
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u16>,
}

/// The box's setting as the folds know it.
pub(crate) fn rule_of(rule: CompletionRule) -> Rule {
    match rule {
        CompletionRule::Watched { percent } => Rule::Watched { percent },
        CompletionRule::End => Rule::End,
    }
}

/// Views of each second
#[utoipa::path(get, path = "/api/v1/videos/{id}/retention", tag = "insight", params(("id" = uuid::Uuid, Path), OfVersion), responses(
    (status = 200, description = "How often each second was watched", body = RetentionOut),
    (status = 404, description = "No such video or version", body = ProblemDocument, content_type = "application/problem+json")))]
async fn retention(
    State(app): State<App>,
    caller: Caller,
    Segments(id): Segments<VideoId>,
    Params(query): Params<OfVersion>,
) -> Result<Json<RetentionOut>, Problem> {
    blocking(move || {
        let asked = Asked::figures(&app, &caller, id, query.version)?;
        let length = asked.version.duration_ms.unwrap_or(0);
        let found = app
            .analytics
            .retention(&asked.activity, asked.version.version, length)?;
        Ok::<_, Problem>(Json(RetentionOut::new(asked.version.version, found)))
    })
    .await
}

/// The viewers of a version in four numbers
#[utoipa::path(get, path = "/api/v1/videos/{id}/summary", tag = "insight", params(("id" = uuid::Uuid, Path), OfVersion), responses(
    (status = 200, description = "Counts of people", body = SummaryOut),
    (status = 404, description = "No such video or version", body = ProblemDocument, content_type = "application/problem+json")))]
async fn summary(
    State(app): State<App>,
    caller: Caller,
    Segments(id): Segments<VideoId>,
    Params(query): Params<OfVersion>,
) -> Result<Json<SummaryOut>, Problem> {
    blocking(move || {
        let asked = Asked::figures(&app, &caller, id, query.version)?;
        let percent = match asked.rule {
            CompletionRule::Watched { percent } => percent,
            CompletionRule::End => USUAL_PERCENT,
        };
        let found = app.analytics.summary(
            &asked.activity,
            asked.version.version,
            asked.version.duration_ms,
            rule_of(asked.rule),
            percent,
        )?;
        let version = asked.version.version;
        Ok::<_, Problem>(Json(SummaryOut::new(version, found, asked.rule, percent)))
    })
    .await
}

/// Who watched
///
/// Each reading of somebody's record is audited.
#[utoipa::path(get, path = "/api/v1/videos/{id}/viewers", tag = "insight", params(("id" = uuid::Uuid, Path), ViewersQuery), responses(
    (status = 200, description = "A page", body = List<ViewerOut>),
    (status = 403, description = "Individuals' records are for instructors of what they may watch, and for auditors", body = ProblemDocument, content_type = "application/problem+json"),
    (status = 404, description = "No such video or version", body = ProblemDocument, content_type = "application/problem+json")))]
async fn viewers(
    State(app): State<App>,
    caller: Caller,
    Segments(id): Segments<VideoId>,
    Params(query): Params<ViewersQuery>,
) -> Result<List<ViewerOut>, Problem> {
    let after: Option<(Uuid, String)> = extract::after(query.cursor.as_deref())?;
    let limit = extract::limit(query.limit);
    blocking(move || {
        let asked = Asked::individuals(&app, &caller, id, query.version)?;
        let page = asked.page(&app.analytics, after, limit)?;
        let items = named(&app, &asked, page.items)?;
        audit(&app, &caller, id, &items)?;
        Ok::<_, Problem>(List {
            items,
            next: page.next.as_ref().map(extract::cursor).transpose()?,
        })
    })
    .await
}

/// Who watched, as a file for a spreadsheet
#[utoipa::path(get, path = "/api/v1/videos/{id}/viewers.csv", tag = "insight", params(("id" = uuid::Uuid, Path), OfVersion), responses(
    (status = 200, description = "CSV with a header row", body = String, content_type = "text/csv"),
    (status = 403, description = "Individuals' records are for instructors of what they may watch, and for auditors", body = ProblemDocument, content_type = "application/problem+json"),
    (status = 404, description = "No such video or version", body = ProblemDocument, content_type = "application/problem+json")))]
async fn viewers_csv(
    State(app): State<App>,
    caller: Caller,
    Segments(id): Segments<VideoId>,
    Params(query): Params<OfVersion>,
) -> Result<Response, Problem> {
    let (text, version) = blocking(move || {
        let asked = Asked::individuals(&app, &caller, id, query.version)?;
        let mut text = csv::header();
        let mut after = None;
        loop {
            let page = asked.page(&app.analytics, after, CSV_PAGE)?;
            let items = named(&app, &asked, page.items)?;
            audit(&app, &caller, id, &items)?;
            for viewer in &items {
                csv::viewer(&mut text, viewer);
            }
            match page.next {
                Some(next) => after = Some(next),
                None => return Ok::<_, Problem>((text, asked.version.version)),
            }
        }
    })
    .await?;
    file(TYPE, &format!("viewers-{id}-{version}.csv"), text)
}

/// One's own progress
///
/// Of the version begun; of the newest that plays when none was.
#[utoipa::path(get, path = "/api/v1/videos/{id}/progress", tag = "insight", params(("id" = uuid::Uuid, Path)), responses(
    (status = 200, description = "Where the caller stands", body = ProgressOut),
    (status = 404, description = "No such video", body = ProblemDocument, content_type = "application/problem+json")))]
async fn progress(
    State(app): State<App>,
    caller: Caller,
    Segments(id): Segments<VideoId>,
) -> Result<Json<ProgressOut>, Problem> {
    blocking(move || {
        let video = app.library.video(id)?;
        if !access::may_see(&video, Some(&caller.person)) {
            return Err(Problem::not_found("video"));
        }
        let learner = Learner::Person(caller.id());
        let known = app.lms.find_registration(&learner, &id.to_string())?;
        let pinned = known.as_ref().and_then(|known| known.version_pinned);
        let version = pinned.and_then(|pinned| video.version(pinned));
        let version = version
            .or_else(|| video.newest_watchable())
            .or_else(|| video.versions.first())
            .ok_or_else(|| Problem::not_found("version"))?;
        let found = match known {
            None => None,
            Some(known) => {
                let identity = app.lms.identity()?;
                let rule = rule_of(app.lms.settings()?.completion_rule);
                app.analytics.progress(
                    &activity_id(&identity, id),
                    Some(version.version),
                    known.registration,
                    &Ifi::account(&identity, &known.actor),
                    version.duration_ms,
                    rule,
                )?
            }
        };
        Ok(Json(ProgressOut::new(version.version, found)))
    })
    .await
}

/// Puts names to actors where they point at people.
fn named(app: &App, asked: &Asked, viewers: Vec<Viewer>) -> Result<Vec<ViewerOut>, Problem> {
    let own = Ifi::account(&asked.identity, "").key();
    let mut named = Vec::with_capacity(viewers.len());
    for viewer in viewers {
        let who = match viewer.actor.strip_prefix(&own) {
            Some(account) => app.lms.who_is(account)?,
            None => None,
        };
        let person = match who {
            Some(Who::Person(person)) => Some(*person),
            Some(Who::Device) | None => None,
        };
        named.push(ViewerOut::new(viewer, person));
    }
    Ok(named)
}

/// Writes down whose records were read; what was not written down is not shown.
fn audit(app: &App, caller: &Caller, video: VideoId, read: &[ViewerOut]) -> Result<(), Problem> {
    let people = read.iter().filter_map(ViewerOut::person);
    let whose = people.map(Whose::Person).collect();
    let what = format!("video {video}");
    Ok(app
        .lms
        .audit_reading(caller.id(), &what, whose, app.now())?)
}
