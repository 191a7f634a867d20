//! The first-boot wizard: open as long as nobody runs the box, to whoever holds the set-up link.

use std::collections::BTreeSet;

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use lectern_lms::{NewPerson, Role};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::session::{self, SessionOut};
use crate::app::App;
use crate::auth;
use crate::client::Client;
use crate::extract::{Strict, blocking};
use crate::problem::{Problem, ProblemDocument};

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(state, complete))
}

/// Whether the box still has to be set up
#[derive(Serialize, ToSchema)]
struct Setup {
    /// True as long as nobody runs the box
    needed: bool,
    /// The identity that statements carry unless another one is chosen
    identity_default: String,
    /// The box's name
    site_name: String,
}

/// The wizard's answers
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SetupAnswers {
    /// From the set-up link, after the `#`
    token: String,
    /// Sign-in name of who runs the box
    name: String,
    /// Their password
    #[schema(min_length = 8, max_length = 1024, format = Password)]
    password: String,
    /// As others read it
    display_name: Option<String>,
    /// The box's name
    site_name: Option<String>,
    /// The IRI that every statement carries; fixed from the first statement on
    identity: Option<String>,
    /// Whether they also teach: upload films and see who watched
    #[serde(default)]
    instructor: bool,
}

/// Whether set-up is needed
#[utoipa::path(get, path = "/api/v1/setup", tag = "session", security(()), responses(
    (status = 200, description = "Where set-up stands", body = Setup)))]
async fn state(State(app): State<App>) -> Result<Json<Setup>, Problem> {
    let needed = app.lms.needs_setup()?;
    // The identity is an address of the organisation: shown to strangers only while it is still to be chosen.
    let identity_default = if needed {
        app.lms.default_identity()?
    } else {
        String::new()
    };
    Ok(Json(Setup {
        needed,
        identity_default,
        site_name: app.site_name(),
    }))
}

/// Set the box up: makes the first administrator and signs them in
#[utoipa::path(post, path = "/api/v1/setup", tag = "session", security(()), request_body = SetupAnswers, responses(
    (status = 200, description = "Done; the cookie is set", body = SessionOut),
    (status = 403, description = "The token is wrong, or not over plain HTTP", body = ProblemDocument, content_type = "application/problem+json"),
    (status = 409, description = "The box is set up already", body = ProblemDocument, content_type = "application/problem+json")))]
async fn complete(
    State(app): State<App>,
    client: Client,
    Strict(answers): Strict<SetupAnswers>,
) -> Result<Response, Problem> {
    if client.is_exposed() && app.has_certificate() {
        return Err(auth::https_needed(&app, &client));
    }
    let (lms, now) = (app.lms.clone(), app.now());
    let person = blocking(move || {
        let mut roles = BTreeSet::from([Role::Admin]);
        if answers.instructor {
            roles.insert(Role::Instructor);
        }
        let admin = NewPerson {
            name: answers.name,
            display_name: answers.display_name,
            email: None,
            roles,
            password: Some(answers.password),
        };
        let person = lms.complete_setup(
            &answers.token,
            admin,
            answers.site_name,
            answers.identity.as_deref(),
            now,
        )?;
        lms.audit(session::event(&person, "setup.complete"), now)?;
        Ok::<_, lectern_lms::Error>(person)
    })
    .await?;
    app.refresh_settings()?;
    session::start(app, client, person, None).await
}
