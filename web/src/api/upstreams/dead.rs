//! Statements that an upstream refused for good: read, sent again, given up. They hold up nothing.

use axum::extract::State;
use axum::http::StatusCode;
use lectern_lrs::forward::DeadLetter;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use crate::api::time;
use crate::app::App;
use crate::auth::Caller;
use crate::extract::{self, List, Page, Params, Segments, blocking};
use crate::problem::{Problem, ProblemDocument};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(retry))
        .routes(routes!(discard))
}

/// A statement that an upstream refused
#[derive(Serialize, ToSchema)]
#[schema(as = DeadLetter)]
struct DeadOut {
    /// Its number, for sending again and giving up
    n: u64,
    /// The statement's id
    statement_id: Uuid,
    /// When the box stored it
    #[schema(format = DateTime)]
    stored: String,
    /// When it was sent last
    #[schema(format = DateTime)]
    at: String,
    /// Why it was refused
    error: String,
    /// How often it was sent alone
    tries: u32,
    /// Whether it is about to be sent again
    waiting: bool,
    /// The statement; absent when it was erased
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    statement: Option<serde_json::Value>,
}

impl From<DeadLetter> for DeadOut {
    fn from(letter: DeadLetter) -> Self {
        Self {
            n: letter.n,
            statement_id: letter.statement_id,
            stored: time::text(letter.stored),
            at: time::text(letter.last_try),
            error: letter.reason,
            tries: letter.tries,
            waiting: letter.waiting,
            statement: letter.statement,
        }
    }
}

/// What an upstream refused, oldest first
///
/// Reading it is audited: the statements are records of individuals.
#[utoipa::path(get, path = "/api/v1/upstreams/{id}/dead", tag = "records", params(("id" = Uuid, Path), Page), responses(
    (status = 200, description = "A page", body = List<DeadOut>),
    (status = 404, description = "No such upstream", body = ProblemDocument, content_type = "application/problem+json")))]
async fn list(
    State(app): State<App>,
    caller: Caller,
    Segments(id): Segments<Uuid>,
    Params(page): Params<Page>,
) -> Result<List<DeadOut>, Problem> {
    let (after, limit) = (page.after::<u64>()?.unwrap_or_default(), page.limit());
    blocking(move || {
        let letters = app.lrs.upstreams().dead(id, after, limit)?;
        if !letters.is_empty() {
            let detail = format!("{} statements", letters.len());
            caller.audit(
                &app,
                "dead.read",
                Some(format!("upstream:{id}")),
                Some(detail),
            )?;
        }
        let last = letters
            .last()
            .filter(|_| letters.len() == limit)
            .map(|letter| letter.n);
        let next = last.as_ref().map(extract::cursor).transpose()?;
        Ok::<_, Problem>(List {
            items: letters.into_iter().map(Into::into).collect(),
            next,
        })
    })
    .await
}

/// Send a refused statement again, soon
#[utoipa::path(post, path = "/api/v1/upstreams/{id}/dead/{n}/retry", tag = "records",
    params(("id" = Uuid, Path), ("n" = u64, Path)), responses(
    (status = 202, description = "It will be sent again"),
    (status = 404, description = "No such statement", body = ProblemDocument, content_type = "application/problem+json")))]
async fn retry(
    State(app): State<App>,
    caller: Caller,
    Segments((id, n)): Segments<(Uuid, u64)>,
) -> Result<StatusCode, Problem> {
    blocking(move || {
        app.lrs.upstreams().retry(id, n)?;
        caller.audit(
            &app,
            "dead.retry",
            Some(format!("upstream:{id}")),
            Some(n.to_string()),
        )
    })
    .await?;
    Ok(StatusCode::ACCEPTED)
}

/// Give a refused statement up: this upstream will not get it
#[utoipa::path(delete, path = "/api/v1/upstreams/{id}/dead/{n}", tag = "records",
    params(("id" = Uuid, Path), ("n" = u64, Path)), responses(
    (status = 204, description = "Given up"),
    (status = 404, description = "No such statement", body = ProblemDocument, content_type = "application/problem+json")))]
async fn discard(
    State(app): State<App>,
    caller: Caller,
    Segments((id, n)): Segments<(Uuid, u64)>,
) -> Result<StatusCode, Problem> {
    blocking(move || {
        app.lrs.upstreams().discard(id, n)?;
        caller.audit(
            &app,
            "dead.discard",
            Some(format!("upstream:{id}")),
            Some(n.to_string()),
        )
    })
    .await?;
    Ok(StatusCode::NO_CONTENT)
}
