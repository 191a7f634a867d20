//! A person's record: what they watched and how much, and the whole of it as a file. One's own, and for instructors and
//! auditors that of others, which is audited. Its statements are read at `statements`.

mod file;
mod row;
mod watched;

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use lectern_lms::{Person, PersonId, Whose};
use serde::Serialize;
use std::collections::BTreeSet;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::statements::{PersonName, Sight};
use crate::app::App;
use crate::auth::Caller;
use crate::extract::{self, Page, Params, Segments, blocking};
use crate::problem::{Problem, ProblemDocument};
use file::Form;
use watched::WatchedOut;

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(of))
        .routes(routes!(of_json))
        .routes(routes!(of_csv))
        .routes(routes!(own))
        .routes(routes!(own_json))
        .routes(routes!(own_csv))
}

/// A page of somebody's record
#[derive(Serialize, ToSchema)]
#[schema(as = Record)]
struct RecordOut {
    /// Whose
    person: PersonName,
    /// What they watched, the video added last first
    items: Vec<WatchedOut>,
    /// The cursor of the page after, when there is one
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// What somebody watched
///
/// Instructors see it of videos that they may watch. Reading it is audited.
#[utoipa::path(get, path = "/api/v1/people/{id}/record", tag = "people", params(("id" = uuid::Uuid, Path), Page), responses(
    (status = 200, description = "A page", body = RecordOut),
    (status = 404, description = "No such person", body = ProblemDocument, content_type = "application/problem+json")))]
async fn of(
    State(app): State<App>,
    caller: Caller,
    Segments(id): Segments<PersonId>,
    Params(page): Params<Page>,
) -> Result<Json<RecordOut>, Problem> {
    let (after, limit) = (page.after()?, page.limit());
    blocking(move || {
        let person = read(&app, &caller, id, "record")?;
        answer(Sight::of_record(&app, &caller, id)?, &person, after, limit)
    })
    .await
}

/// Somebody's whole record as JSON
///
/// What they watched, and every statement as it is kept. Of others, as in their record. Reading it is audited.
#[utoipa::path(get, path = "/api/v1/people/{id}/record.json", tag = "people", params(("id" = uuid::Uuid, Path)), responses(
    (status = 200, description = "The record; cut off when it could not be finished", body = Object),
    (status = 404, description = "No such person", body = ProblemDocument, content_type = "application/problem+json")))]
async fn of_json(
    State(app): State<App>,
    caller: Caller,
    Segments(id): Segments<PersonId>,
) -> Result<Response, Problem> {
    file_of(app, caller, id, Form::Json).await
}

/// Somebody's statements as CSV
///
/// A row each, oldest first. Of others, as in their record. Reading it is audited.
#[utoipa::path(get, path = "/api/v1/people/{id}/record.csv", tag = "people", params(("id" = uuid::Uuid, Path)), responses(
    (status = 200, description = "CSV with a header row; cut off when it could not be finished", body = String, content_type = "text/csv"),
    (status = 404, description = "No such person", body = ProblemDocument, content_type = "application/problem+json")))]
async fn of_csv(
    State(app): State<App>,
    caller: Caller,
    Segments(id): Segments<PersonId>,
) -> Result<Response, Problem> {
    file_of(app, caller, id, Form::Csv).await
}

/// What one watched oneself
#[utoipa::path(get, path = "/api/v1/session/record", tag = "session", params(Page), responses(
    (status = 200, description = "A page", body = RecordOut)))]
async fn own(
    State(app): State<App>,
    caller: Caller,
    Params(page): Params<Page>,
) -> Result<Json<RecordOut>, Problem> {
    let (after, limit) = (page.after()?, page.limit());
    blocking(move || {
        let sight = Sight::of_oneself(&app, &caller)?;
        answer(sight, &caller.person, after, limit)
    })
    .await
}

/// One's own whole record as JSON
#[utoipa::path(get, path = "/api/v1/session/record.json", tag = "session", responses(
    (status = 200, description = "The record; cut off when it could not be finished", body = Object)))]
async fn own_json(State(app): State<App>, caller: Caller) -> Result<Response, Problem> {
    let person = caller.person.clone();
    file::answer(app, caller, person, Form::Json)
}

/// One's own statements as CSV
#[utoipa::path(get, path = "/api/v1/session/record.csv", tag = "session", responses(
    (status = 200, description = "CSV with a header row; cut off when it could not be finished", body = String, content_type = "text/csv")))]
async fn own_csv(State(app): State<App>, caller: Caller) -> Result<Response, Problem> {
    let person = caller.person.clone();
    file::answer(app, caller, person, Form::Csv)
}

async fn file_of(app: App, caller: Caller, id: PersonId, form: Form) -> Result<Response, Problem> {
    let (app, caller, person) = blocking(move || {
        let person = read(&app, &caller, id, form.audited_as())?;
        Ok::<_, Problem>((app, caller, person))
    })
    .await?;
    file::answer(app, caller, person, form)
}

/// Whose record is read, once that is written down. Blocking.
fn read(app: &App, caller: &Caller, id: PersonId, what: &str) -> Result<Person, Problem> {
    let person = app.lms.person(id)?;
    let person = person.ok_or_else(|| Problem::not_found("person"))?;
    let whose = BTreeSet::from([Whose::Person(id)]);
    app.lms.audit_reading(caller.id(), what, whose, app.now())?;
    Ok(person)
}

fn answer(
    mut sight: Sight<'_>,
    person: &Person,
    after: Option<String>,
    limit: usize,
) -> Result<Json<RecordOut>, Problem> {
    let page = watched::page(&mut sight, person, after, limit)?;
    Ok(Json(RecordOut {
        person: person.into(),
        items: page.items,
        next: page.next.as_ref().map(extract::cursor).transpose()?,
    }))
}
