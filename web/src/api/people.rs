//! People and their roles.

use std::collections::BTreeSet;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use lectern_lms::{ImportReport, NewPerson, PersonId, PersonPatch, Role};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::shapes::{PersonOut, RoleName};
use crate::app::App;
use crate::auth::Caller;
use crate::extract::{self, List, Params, Segments, Strict, blocking};
use crate::problem::{Problem, ProblemDocument, Status};

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list, add))
        .routes(routes!(import))
        .routes(routes!(change, remove))
        .routes(routes!(set_password))
        .routes(routes!(revoke_tokens))
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Query {
    /// Part of a name or mail address
    q: Option<String>,
    /// Where the page before ended: its `next`
    cursor: Option<String>,
    /// Most items wanted, at most 200
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u16>,
}

/// Somebody to add
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewPerson)]
struct NewPersonIn {
    /// Sign-in name; compared without regard to case
    name: String,
    /// As others read it; the sign-in name when none is given
    display_name: Option<String>,
    /// Mail address
    email: Option<String>,
    /// What they may be
    #[schema(value_type = Vec<RoleName>)]
    #[serde(default)]
    roles: BTreeSet<Role>,
    /// Without one they cannot sign in until somebody sets it
    #[schema(min_length = 8, max_length = 1024, format = Password)]
    password: Option<String>,
}

/// What to change; what is not named stays
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct PersonChange {
    /// Sign-in name
    name: Option<String>,
    /// As others read it
    display_name: Option<String>,
    /// Mail address; empty removes it
    email: Option<String>,
    /// What they may be, all of it
    #[schema(value_type = Option<Vec<RoleName>>)]
    roles: Option<BTreeSet<Role>>,
    /// Close or open the account
    disabled: Option<bool>,
}

/// A password for somebody
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewPassword {
    /// From now on
    #[schema(min_length = 8, max_length = 1024, format = Password)]
    password: String,
}

/// What became of somebody's API tokens
#[derive(Serialize, ToSchema)]
struct TokensRevoked {
    /// How many there were
    revoked: usize,
}

/// What became of an import
#[derive(Serialize, ToSchema)]
#[schema(as = ImportReport)]
struct ImportOut {
    /// People added
    added: usize,
    /// People who were there already and were updated
    updated: usize,
    /// Rows that were not taken
    errors: Vec<RowOut>,
}

/// A row that was not taken
#[derive(Serialize, ToSchema)]
#[schema(as = ImportError)]
struct RowOut {
    /// Line in the file, from 1
    line: u64,
    /// Why
    message: String,
}

/// People, by name
#[utoipa::path(get, path = "/api/v1/people", tag = "people", params(Query), responses(
    (status = 200, description = "A page; mail addresses only for administrators", body = List<PersonOut>)))]
async fn list(
    State(app): State<App>,
    caller: Caller,
    Params(query): Params<Query>,
) -> Result<List<PersonOut>, Problem> {
    let limit = extract::limit(query.limit);
    let from: Option<String> = extract::after(query.cursor.as_deref())?;
    let is_admin = caller.is(Role::Admin);
    let page = blocking(move || {
        app.lms.people(
            query.q.as_deref().unwrap_or_default(),
            from.as_deref(),
            limit,
        )
    })
    .await?;
    let items = page.items.into_iter().map(PersonOut::from);
    let items = items
        .map(|person| {
            if is_admin {
                person
            } else {
                person.without_private()
            }
        })
        .collect();
    Ok(List {
        items,
        next: page.next.as_ref().map(extract::cursor).transpose()?,
    })
}

/// Add somebody
#[utoipa::path(post, path = "/api/v1/people", tag = "people", request_body = NewPersonIn, responses(
    (status = 201, description = "Added", body = PersonOut),
    (status = 409, description = "The name is taken", body = ProblemDocument, content_type = "application/problem+json"),
    (status = 422, description = "A value that cannot be", body = ProblemDocument, content_type = "application/problem+json")))]
async fn add(
    State(app): State<App>,
    caller: Caller,
    Strict(new): Strict<NewPersonIn>,
) -> Result<(StatusCode, Json<PersonOut>), Problem> {
    let new = NewPerson {
        name: new.name,
        display_name: new.display_name,
        email: new.email,
        roles: new.roles,
        password: new.password,
    };
    let person = blocking(move || {
        let person = app.lms.add_person(&new, app.now())?;
        caller.audit(
            &app,
            "person.add",
            Some(person.id.to_string()),
            Some(roles_text(&person.roles)),
        )?;
        Ok::<_, Problem>(person)
    });
    Ok((StatusCode::CREATED, Json(person.await?.into())))
}

/// Add or update many people
///
/// CSV with a header row: `name`, `display_name`, `email`, `role` (several with a space or `+` between), `password`, in
/// any order; all but `name` may be left out. Good rows are taken even when others are not; whoever is there already is
/// updated.
#[utoipa::path(post, path = "/api/v1/people/import", tag = "people",
    request_body(content = String, content_type = "text/csv"), responses(
    (status = 200, description = "What became of it", body = ImportOut),
    (status = 415, description = "Not CSV", body = ProblemDocument, content_type = "application/problem+json")))]
async fn import(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<ImportOut>, Problem> {
    let kind = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    if !kind.starts_with("text/csv") {
        return Err(Problem::new(
            Status::UnsupportedMedia,
            "Send CSV, with `Content-Type: text/csv`.",
        ));
    }
    let report: ImportReport = blocking(move || {
        let report = app.lms.import_people(&body, app.now())?;
        let detail = format!("{} added, {} updated", report.added, report.updated);
        caller.audit(&app, "person.import", None, Some(detail))?;
        Ok::<_, Problem>(report)
    })
    .await?;
    let errors = report
        .errors
        .into_iter()
        .map(|row| RowOut {
            line: row.line,
            message: row.message,
        })
        .collect();
    Ok(Json(ImportOut {
        added: report.added,
        updated: report.updated,
        errors,
    }))
}

/// Change somebody
#[utoipa::path(patch, path = "/api/v1/people/{id}", tag = "people", params(("id" = uuid::Uuid, Path)),
    request_body = PersonChange, responses(
    (status = 200, description = "As they are now", body = PersonOut),
    (status = 404, description = "No such person", body = ProblemDocument, content_type = "application/problem+json"),
    (status = 409, description = "The name is taken, or nobody would run the box", body = ProblemDocument, content_type = "application/problem+json")))]
async fn change(
    State(app): State<App>,
    caller: Caller,
    Segments(id): Segments<PersonId>,
    Strict(change): Strict<PersonChange>,
) -> Result<Json<PersonOut>, Problem> {
    let patch = PersonPatch {
        name: change.name,
        display_name: change.display_name,
        email: change.email,
        roles: change.roles,
        disabled: change.disabled,
    };
    let person = blocking(move || {
        let person = app.lms.update_person(id, patch)?;
        let closed = if person.disabled { ", closed" } else { "" };
        let detail = format!("{}{closed}", roles_text(&person.roles));
        caller.audit(&app, "person.change", Some(id.to_string()), Some(detail))?;
        Ok::<_, Problem>(person)
    });
    Ok(Json(person.await?.into()))
}

/// Remove somebody: their statements stay and point at no one; an erasure takes these, too
#[utoipa::path(delete, path = "/api/v1/people/{id}", tag = "people", params(("id" = uuid::Uuid, Path)), responses(
    (status = 204, description = "Removed"),
    (status = 404, description = "No such person", body = ProblemDocument, content_type = "application/problem+json"),
    (status = 409, description = "Nobody would run the box", body = ProblemDocument, content_type = "application/problem+json")))]
async fn remove(
    State(app): State<App>,
    caller: Caller,
    Segments(id): Segments<PersonId>,
) -> Result<StatusCode, Problem> {
    blocking(move || {
        app.lms.remove_person(id)?;
        caller.audit(&app, "person.remove", Some(id.to_string()), None)
    })
    .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Give somebody a new password; their sessions end
#[utoipa::path(post, path = "/api/v1/people/{id}/password", tag = "people", params(("id" = uuid::Uuid, Path)),
    request_body = NewPassword, responses(
    (status = 204, description = "Set"),
    (status = 404, description = "No such person", body = ProblemDocument, content_type = "application/problem+json")))]
async fn set_password(
    State(app): State<App>,
    caller: Caller,
    Segments(id): Segments<PersonId>,
    Strict(new): Strict<NewPassword>,
) -> Result<StatusCode, Problem> {
    blocking(move || {
        app.lms.set_password(id, &new.password, None)?;
        caller.audit(&app, "password.set", Some(id.to_string()), None)
    })
    .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Revoke all API tokens of somebody; their sessions go on
#[utoipa::path(delete, path = "/api/v1/people/{id}/tokens", tag = "people", params(("id" = uuid::Uuid, Path)), responses(
    (status = 200, description = "Revoked", body = TokensRevoked),
    (status = 404, description = "No such person", body = ProblemDocument, content_type = "application/problem+json")))]
async fn revoke_tokens(
    State(app): State<App>,
    caller: Caller,
    Segments(id): Segments<PersonId>,
) -> Result<Json<TokensRevoked>, Problem> {
    let revoked = blocking(move || {
        let revoked = app.lms.revoke_api_tokens(id)?;
        let (on, detail) = (Some(id.to_string()), Some(revoked.to_string()));
        caller.audit(&app, "token.revoke", on, detail)?;
        Ok::<_, Problem>(revoked)
    });
    Ok(Json(TokensRevoked {
        revoked: revoked.await?,
    }))
}

fn roles_text(roles: &BTreeSet<Role>) -> String {
    roles
        .iter()
        .map(|role| role.as_str())
        .collect::<Vec<_>>()
        .join(" ")
}
