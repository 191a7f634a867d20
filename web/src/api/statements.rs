//! Statements for people to read: by instructors and auditors, and by learners their own. Who may see which is `sight`'s,
//! what is asked of the record store and how it is answered is `page`'s. Programs read at `/xapi`.

mod files;
mod import;
mod page;
mod shapes;
mod sight;

pub(super) use page::{Wanted, account_agent};
#[cfg(test)]
pub(super) use shapes::{ActorKind, ActorOut};
pub(super) use shapes::{PersonName, StatementOut};
pub(super) use sight::Sight;

use axum::Json;
use axum::extract::State;
use lectern_lms::PersonId;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use crate::app::App;
use crate::auth::Caller;
use crate::extract::{self, List, Params, Segments, blocking};
use crate::problem::{Problem, ProblemDocument};

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(one))
        .routes(routes!(own))
        .merge(files::routes())
        .merge(import::routes())
}

/// What the audit calls it.
const READ: &str = "statements";

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Filters {
    /// Only this person's: the id of one of the box's people
    person: Option<Uuid>,
    /// Only this actor's, who is not one of the box's people: an xAPI Agent as JSON
    agent: Option<String>,
    /// Only of this verb, by IRI
    verb: Option<String>,
    /// Only about this activity, by IRI
    activity: Option<String>,
    /// Only of this registration
    registration: Option<Uuid>,
    /// Only what was stored after this time
    #[param(format = DateTime)]
    since: Option<String>,
    /// Only what was stored at this time or before
    #[param(format = DateTime)]
    until: Option<String>,
    /// The oldest first
    ascending: Option<bool>,
    /// Where the page before ended: its `next`
    cursor: Option<String>,
    /// Most items wanted, at most 200
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u16>,
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct OwnFilters {
    /// Only of this verb, by IRI
    verb: Option<String>,
    /// Only about this activity, by IRI
    activity: Option<String>,
    /// Only what was stored after this time
    #[param(format = DateTime)]
    since: Option<String>,
    /// Only what was stored at this time or before
    #[param(format = DateTime)]
    until: Option<String>,
    /// The oldest first
    ascending: Option<bool>,
    /// Where the page before ended: its `next`
    cursor: Option<String>,
    /// Most items wanted, at most 200
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u16>,
}

/// Statements, newest first
///
/// Instructors see those about videos that they may watch, and those about anything that is no video of this box; auditors
/// see all. A page may hold fewer than was asked for while there is a `next`. Each reading of somebody's record is audited.
#[utoipa::path(get, path = "/api/v1/statements", tag = "records", params(Filters), responses(
    (status = 200, description = "A page", body = List<StatementOut>),
    (status = 400, description = "A filter that cannot be", body = ProblemDocument, content_type = "application/problem+json"),
    (status = 404, description = "No such person", body = ProblemDocument, content_type = "application/problem+json")))]
async fn list(
    State(app): State<App>,
    caller: Caller,
    Params(filters): Params<Filters>,
) -> Result<List<StatementOut>, Problem> {
    let after: Option<String> = extract::after(filters.cursor.as_deref())?;
    if filters.person.is_some() && filters.agent.is_some() {
        return Err(Problem::bad_request(
            "Ask for a person or for an agent, not for both.",
        ));
    }
    blocking(move || {
        let mut sight = Sight::of(&app, &caller)?;
        let agent = match filters.person {
            Some(id) => {
                let person = app.lms.person(PersonId(id))?;
                let person = person.ok_or_else(|| Problem::not_found("person"))?;
                Some(account_agent(sight.identity(), &person.actor))
            }
            None => filters.agent,
        };
        let wanted = Wanted {
            agent,
            verb: filters.verb,
            activity: filters.activity,
            registration: filters.registration,
            since: filters.since,
            until: filters.until,
            ascending: filters.ascending.unwrap_or_default(),
            limit: extract::limit(filters.limit),
        };
        let page = wanted.page(&mut sight, after)?;
        sight.audit(READ, &page.items)?;
        listed(page)
    })
    .await
}

/// One statement
///
/// Also one that was taken back (`voided`). Reading somebody's record is audited.
#[utoipa::path(get, path = "/api/v1/statements/{id}", tag = "records", params(("id" = Uuid, Path)), responses(
    (status = 200, description = "The statement", body = StatementOut),
    (status = 404, description = "No such statement, or not for this person", body = ProblemDocument, content_type = "application/problem+json")))]
async fn one(
    State(app): State<App>,
    caller: Caller,
    Segments(id): Segments<Uuid>,
) -> Result<Json<StatementOut>, Problem> {
    blocking(move || {
        let mut sight = Sight::of(&app, &caller)?;
        let found = page::one(&mut sight, id)?;
        let found = found.ok_or_else(|| Problem::not_found("statement"))?;
        sight.audit(READ, std::slice::from_ref(&found))?;
        Ok::<_, Problem>(Json(found))
    })
    .await
}

/// One's own statements, newest first
#[utoipa::path(get, path = "/api/v1/session/statements", tag = "session", params(OwnFilters), responses(
    (status = 200, description = "A page", body = List<StatementOut>),
    (status = 400, description = "A filter that cannot be", body = ProblemDocument, content_type = "application/problem+json")))]
async fn own(
    State(app): State<App>,
    caller: Caller,
    Params(filters): Params<OwnFilters>,
) -> Result<List<StatementOut>, Problem> {
    let after: Option<String> = extract::after(filters.cursor.as_deref())?;
    blocking(move || {
        let mut sight = Sight::of_oneself(&app, &caller)?;
        let wanted = Wanted {
            agent: Some(account_agent(sight.identity(), &caller.person.actor)),
            verb: filters.verb,
            activity: filters.activity,
            since: filters.since,
            until: filters.until,
            ascending: filters.ascending.unwrap_or_default(),
            limit: extract::limit(filters.limit),
            ..Wanted::default()
        };
        listed(wanted.page(&mut sight, after)?)
    })
    .await
}

fn listed(page: page::Page) -> Result<List<StatementOut>, Problem> {
    Ok(List {
        items: page.items,
        next: page.next.as_ref().map(extract::cursor).transpose()?,
    })
}
