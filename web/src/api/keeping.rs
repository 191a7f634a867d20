//! How long statements are kept: the rules, what they would erase, and how they were carried out.

use axum::Json;
use axum::extract::State;
use lectern_lms::{Erasing, Keeping};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::time;
use crate::app::App;
use crate::auth::Caller;
use crate::extract::{Params, Strict, blocking};
use crate::problem::{Problem, ProblemDocument};

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(read, change))
        .routes(routes!(preview))
}

/// How long statements are kept
#[derive(Serialize, ToSchema)]
#[schema(as = Keeping)]
struct KeepingOut {
    /// Days for which every statement is kept; 0: for ever
    keep_days: u32,
    /// Days for which statements about people are kept whose account is closed; 0: as all others
    keep_closed_days: u32,
    /// When that is carried out next
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    next: Option<String>,
    /// When it was carried out last
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    last: Option<String>,
    /// How many statements that erased
    last_statements: u64,
}

impl From<Keeping> for KeepingOut {
    fn from(keeping: Keeping) -> Self {
        Self {
            keep_days: keeping.keep_days,
            keep_closed_days: keeping.keep_closed_days,
            next: keeping.next.map(time::text),
            last: keeping.last.map(time::text),
            last_statements: keeping.last_statements,
        }
    }
}

/// Rules
#[derive(Deserialize, ToSchema, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct KeepingRules {
    /// Days for which every statement is kept; 0: for ever
    #[schema(maximum = 36_500)]
    #[param(maximum = 36_500)]
    keep_days: u32,
    /// Days for which statements about people are kept whose account is closed; 0: as all others
    #[schema(maximum = 36_500)]
    #[param(maximum = 36_500)]
    keep_closed_days: u32,
}

/// What rules would erase
#[derive(Serialize, ToSchema)]
#[schema(as = KeepingPreview)]
struct PreviewOut {
    /// Statements
    statements: u64,
    /// When the oldest of these was stored
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    oldest: Option<String>,
}

/// How long statements are kept
#[utoipa::path(get, path = "/api/v1/keeping", tag = "records", responses(
    (status = 200, description = "The rules", body = KeepingOut)))]
async fn read(State(app): State<App>) -> Result<Json<KeepingOut>, Problem> {
    let keeping = blocking(move || app.lms.keeping()).await?;
    Ok(Json(keeping.into()))
}

/// Set how long statements are kept
///
/// What is older is erased for good, for the first time on the next day (UTC).
#[utoipa::path(put, path = "/api/v1/keeping", tag = "records", request_body = KeepingRules, responses(
    (status = 200, description = "As they are now", body = KeepingOut),
    (status = 422, description = "More than 36,500 days", body = ProblemDocument, content_type = "application/problem+json")))]
async fn change(
    State(app): State<App>,
    caller: Caller,
    Strict(rules): Strict<KeepingRules>,
) -> Result<Json<KeepingOut>, Problem> {
    let by = caller.id().to_string();
    let set = move || {
        let (all, closed) = (rules.keep_days, rules.keep_closed_days);
        app.lms.set_keeping(all, closed, &by, app.now())
    };
    Ok(Json(blocking(set).await?.into()))
}

/// What such rules would erase now
#[utoipa::path(get, path = "/api/v1/keeping/preview", tag = "records", params(KeepingRules), responses(
    (status = 200, description = "How many", body = PreviewOut)))]
async fn preview(
    State(app): State<App>,
    Params(rules): Params<KeepingRules>,
) -> Result<Json<PreviewOut>, Problem> {
    let look = move || {
        let erasing = Erasing::new(app.lms.clone(), app.lrs.clone());
        erasing.expiring(rules.keep_days, rules.keep_closed_days, app.now())
    };
    let found = blocking(look).await?;
    Ok(Json(PreviewOut {
        statements: found.statements,
        oldest: found.oldest.map(time::text),
    }))
}
