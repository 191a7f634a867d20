//! All statements as files: one a line, or a day as Parquet. For auditors, and each is audited.

use std::io;

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use lectern_lrs::Stored;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::auth::Caller;
use crate::download;
use crate::extract::{Params, Segments, blocking};
use crate::problem::{Problem, ProblemDocument};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(export))
        .routes(routes!(days))
        .routes(routes!(day))
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ExportQuery {
    /// Only what was stored after this time
    #[param(value_type = Option<String>, format = DateTime)]
    since: Option<jiff::Timestamp>,
    /// Only what was stored at this time or before
    #[param(value_type = Option<String>, format = DateTime)]
    until: Option<jiff::Timestamp>,
    /// With lines of attachments between; they are when not given
    attachments: Option<bool>,
}

/// Days on which statements were stored
#[derive(Serialize, ToSchema)]
struct StatementDays {
    /// UTC, first to last
    #[schema(value_type = Vec<String>, format = Date)]
    items: Vec<jiff::civil::Date>,
}

/// Download statements, one a line, oldest first
#[utoipa::path(get, path = "/api/v1/statements/export", tag = "records", params(ExportQuery), responses(
    (status = 200, description = "One statement a line, with lines of attachments between; cut off when it could not be finished", content_type = "application/x-ndjson", body = Vec<u8>)))]
async fn export(
    State(app): State<App>,
    caller: Caller,
    Params(query): Params<ExportQuery>,
) -> Result<Response, Problem> {
    let which = Stored {
        since: query.since,
        until: query.until,
    };
    let text = |time: Option<jiff::Timestamp>| time.map_or("-".to_owned(), crate::api::time::text);
    let detail = format!("since {} until {}", text(query.since), text(query.until));
    note(&app, caller, detail).await?;
    let attachments = query.attachments.unwrap_or(true);
    let (lrs, stop) = (app.lrs.clone(), app.shutdown.clone());
    let body = download::body(stop, move |to| {
        lrs.export(which, attachments, to).map(drop).map_err(failed)
    });
    let name = format!(
        "lectern-statements-{}.ndjson",
        app.now().strftime("%Y-%m-%d")
    );
    download::named(body, &name, "application/x-ndjson")
}

/// The days on which statements were stored that are here still
#[utoipa::path(get, path = "/api/v1/statements/days", tag = "records", responses(
    (status = 200, description = "UTC, first to last", body = StatementDays)))]
async fn days(State(app): State<App>) -> Result<Json<StatementDays>, Problem> {
    let days = blocking(move || app.lrs.days(Stored::default()));
    Ok(Json(StatementDays { items: days.await? }))
}

/// Download the statements of a day (UTC) as a Parquet file
#[utoipa::path(get, path = "/api/v1/statements/days/{day}", tag = "records", params(("day" = String, Path, format = Date)), responses(
    (status = 200, description = "A row for each; cut off when it could not be finished", content_type = "application/vnd.apache.parquet", body = Vec<u8>),
    (status = 404, description = "No such day", body = ProblemDocument, content_type = "application/problem+json")))]
async fn day(
    State(app): State<App>,
    caller: Caller,
    Segments(day): Segments<String>,
) -> Result<Response, Problem> {
    let day: jiff::civil::Date = day
        .parse()
        .map_err(|_| Problem::not_found("There is no such day: write it as 2026-11-26."))?;
    note(&app, caller, format!("day {day}")).await?;
    let (lrs, stop) = (app.lrs.clone(), app.shutdown.clone());
    let body = download::body(stop, move |to| {
        lectern_analytics::write_day(&lrs, day, to)
            .map(drop)
            .map_err(failed)
    });
    let name = format!("lectern-statements-{day}.parquet");
    download::named(body, &name, "application/vnd.apache.parquet")
}

async fn note(app: &App, caller: Caller, detail: String) -> Result<(), Problem> {
    let app = app.clone();
    let on = Some("everyone".to_owned());
    blocking(move || caller.audit(&app, "statements.export", on, Some(detail))).await
}

fn failed(error: io::Error) -> io::Error {
    if error.kind() != io::ErrorKind::BrokenPipe {
        tracing::error!(event = "statements.export", %error);
    }
    error
}
