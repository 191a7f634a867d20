//! Signing in and out, and one's own password.

use std::collections::BTreeSet;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use lectern_lms::{AuditEvent, Person, Role, Session};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::shapes::RoleName;
use crate::app::App;
use crate::auth::{self, By, Caller};
use crate::client::Client;
use crate::extract::{Strict, blocking};
use crate::problem::{Problem, ProblemDocument};

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(current, sign_in, sign_out))
        .routes(routes!(change_password))
}

/// Who signs in
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SignIn {
    /// Sign-in name
    #[schema(max_length = 256)]
    name: String,
    /// Password
    #[schema(max_length = 1024, format = Password)]
    password: String,
}

/// Who is signed in
#[derive(Serialize, ToSchema)]
#[schema(as = Session)]
pub(crate) struct SessionOut {
    /// The person's id
    #[schema(value_type = uuid::Uuid)]
    id: String,
    /// Sign-in name
    name: String,
    /// As others read it
    display_name: String,
    /// What they may be
    #[schema(value_type = Vec<RoleName>)]
    roles: BTreeSet<Role>,
    /// For the header X-CSRF-Token of unsafe requests; empty when an API token asks
    csrf: String,
    /// The box's name
    site_name: String,
}

/// A new password
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct PasswordChange {
    /// The one until now
    #[schema(max_length = 1024, format = Password)]
    current: String,
    /// The one from now on
    #[schema(min_length = 8, max_length = 1024, format = Password)]
    password: String,
}

impl SessionOut {
    fn new(app: &App, person: Person, csrf: String) -> Self {
        Self {
            id: person.id.to_string(),
            name: person.name,
            display_name: person.display_name,
            roles: person.roles,
            csrf,
            site_name: app.site_name(),
        }
    }
}

/// Who is signed in
#[utoipa::path(get, path = "/api/v1/session", tag = "session", responses(
    (status = 200, description = "Somebody is", body = SessionOut),
    (status = 401, description = "Nobody is", body = ProblemDocument, content_type = "application/problem+json")))]
async fn current(State(app): State<App>, caller: Caller) -> Json<SessionOut> {
    let csrf = match caller.by {
        By::Session { csrf, .. } => csrf,
        By::ApiToken => String::new(),
    };
    Json(SessionOut::new(&app, caller.person, csrf))
}

/// Sign in
#[utoipa::path(post, path = "/api/v1/session", tag = "session", security(()), request_body = SignIn, responses(
    (status = 200, description = "Signed in; the cookie is set", body = SessionOut),
    (status = 401, description = "Name or password is wrong", body = ProblemDocument, content_type = "application/problem+json"),
    (status = 403, description = "Not over plain HTTP, or the account is closed", body = ProblemDocument, content_type = "application/problem+json"),
    (status = 429, description = "Too many wrong passwords; see Retry-After", body = ProblemDocument, content_type = "application/problem+json")))]
async fn sign_in(
    State(app): State<App>,
    client: Client,
    headers: HeaderMap,
    Strict(given): Strict<SignIn>,
) -> Result<Response, Problem> {
    let (lms, address, now) = (app.lms.clone(), client.address, app.now());
    let old = auth::session_of(&headers, client.scheme);
    let verified = tokio::task::spawn_blocking(move || {
        lms.verify_password(&given.name, &given.password, Some(address), now)
    });
    let person = verified
        .await
        .map_err(Problem::internal)?
        .inspect_err(|error| {
            // For whoever watches the log for guessing; never the name, which may be a password typed one field too early.
            tracing::info!(event = "sign_in_refused", %address, "{error}");
        })?;
    auth::check_exposure(&app, &client, &person.roles)?;
    start(app, client, person, old).await
}

/// Starts a session and answers with it; an old one of this browser ends.
pub(crate) async fn start(
    app: App,
    client: Client,
    person: Person,
    old: Option<String>,
) -> Result<Response, Problem> {
    let (lms, now, who) = (app.lms.clone(), app.now(), person.clone());
    let session: Session = blocking(move || {
        if let Some(old) = old {
            lms.end_session(&old)?;
        }
        let session = lms.start_session(who.id, now)?;
        lms.audit(event(&who, "session.start"), now)?;
        Ok::<_, lectern_lms::Error>(session)
    })
    .await?;
    let seconds = session.expires.as_second() - now.as_second();
    let cookie = auth::session_cookie(client.scheme, &session.token, seconds)?;
    let body = Json(SessionOut::new(&app, person, session.csrf));
    Ok((
        [
            (header::SET_COOKIE, cookie),
            (header::CACHE_CONTROL, NO_STORE),
        ],
        body,
    )
        .into_response())
}

pub(super) fn event(who: &Person, what: &str) -> AuditEvent {
    AuditEvent {
        who: who.id.to_string(),
        what: what.to_owned(),
        on: None,
        detail: None,
    }
}

const NO_STORE: header::HeaderValue = header::HeaderValue::from_static("no-store");

/// Sign out
#[utoipa::path(delete, path = "/api/v1/session", tag = "session", responses(
    (status = 204, description = "Nobody is signed in here any more")))]
async fn sign_out(
    State(app): State<App>,
    client: Client,
    caller: Option<Caller>,
) -> Result<Response, Problem> {
    if let Some(Caller {
        by: By::Session { token, .. },
        ..
    }) = caller
    {
        let lms = app.lms.clone();
        blocking(move || lms.end_session(&token)).await?;
    }
    Ok((
        StatusCode::NO_CONTENT,
        [(header::SET_COOKIE, auth::clear_cookie(client.scheme))],
    )
        .into_response())
}

/// Change one's own password; every other session of the person ends
#[utoipa::path(post, path = "/api/v1/session/password", tag = "session", request_body = PasswordChange, responses(
    (status = 200, description = "Changed; a new session has begun", body = SessionOut),
    (status = 401, description = "The current password is wrong", body = ProblemDocument, content_type = "application/problem+json")))]
async fn change_password(
    State(app): State<App>,
    client: Client,
    caller: Caller,
    Strict(change): Strict<PasswordChange>,
) -> Result<Response, Problem> {
    if caller.by == By::ApiToken {
        return Err(Problem::forbidden(
            "A password is changed by the person who is signed in, not by an API token.",
        ));
    }
    let (lms, address, now) = (app.lms.clone(), client.address, app.now());
    let name = caller.person.name.clone();
    let changed = tokio::task::spawn_blocking(move || {
        let person = lms.verify_password(&name, &change.current, Some(address), now)?;
        lms.set_password(person.id, &change.password, None)?;
        lms.audit(event(&person, "password.change"), now)?;
        Ok::<_, Problem>(person)
    });
    let person = changed.await.map_err(Problem::internal)??;
    start(app, client, person, None).await
}
