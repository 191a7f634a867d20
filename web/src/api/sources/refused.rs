//! Statements of a source that were not taken: read, and never in the way of the rest.

use axum::extract::State;
use lectern_lrs::pull::RefusedStatement;
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
    OpenApiRouter::new().routes(routes!(list))
}

/// A statement of a source that was not taken
#[derive(Serialize, ToSchema)]
#[schema(as = SourceRefusal)]
struct RefusedOut {
    /// Its number among them
    n: u64,
    /// The statement's id, when it has one
    #[serde(skip_serializing_if = "Option::is_none")]
    statement_id: Option<Uuid>,
    /// When the source stored it
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    stored: Option<String>,
    /// When it was refused
    #[schema(format = DateTime)]
    at: String,
    /// Why
    reason: String,
    /// The statement, or its text when it is no JSON; absent when it is very long or may not be kept
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    statement: Option<serde_json::Value>,
}

impl From<RefusedStatement> for RefusedOut {
    fn from(refused: RefusedStatement) -> Self {
        Self {
            n: refused.n,
            statement_id: refused.statement_id,
            stored: refused.stored.map(time::text),
            at: time::text(refused.at),
            reason: refused.reason,
            statement: refused.statement,
        }
    }
}

/// What was not taken of a source, oldest first; the last 1,000 are kept
///
/// Reading it is audited: the statements are records of individuals.
#[utoipa::path(get, path = "/api/v1/sources/{id}/refused", tag = "records", params(("id" = Uuid, Path), Page), responses(
    (status = 200, description = "A page", body = List<RefusedOut>),
    (status = 404, description = "No such source", body = ProblemDocument, content_type = "application/problem+json")))]
async fn list(
    State(app): State<App>,
    caller: Caller,
    Segments(id): Segments<Uuid>,
    Params(page): Params<Page>,
) -> Result<List<RefusedOut>, Problem> {
    let (after, limit) = (page.after::<u64>()?.unwrap_or_default(), page.limit());
    blocking(move || {
        let refused = app.lrs.sources().refused(id, after, limit)?;
        if !refused.is_empty() {
            let detail = format!("{} statements", refused.len());
            let on = Some(format!("source:{id}"));
            caller.audit(&app, "refused.read", on, Some(detail))?;
        }
        let last = refused.last().filter(|_| refused.len() == limit);
        let next = last.map(|last| extract::cursor(&last.n)).transpose()?;
        Ok::<_, Problem>(List {
            items: refused.into_iter().map(Into::into).collect(),
            next,
        })
    })
    .await
}
