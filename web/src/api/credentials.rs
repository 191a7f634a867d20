//! Basic credentials of the record store, for other systems that write or read statements.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use jiff::Timestamp;
use lectern_lrs::{Credential, Scope, Scopes};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::time;
use crate::app::App;
use crate::auth::Caller;
use crate::extract::{self, List, Page, Params, Segments, Strict, blocking};
use crate::problem::{Problem, ProblemDocument};

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list, add))
        .routes(routes!(revoke))
}

/// What a credential may do, after xAPI's OAuth scopes
#[derive(Deserialize, ToSchema)]
#[schema(as = Scope)]
enum ScopeName {
    /// Write statements
    #[serde(rename = "statements/write")]
    StatementsWrite,
    /// Read the statements that this credential wrote
    #[serde(rename = "statements/read/mine")]
    StatementsReadMine,
    /// Read all statements
    #[serde(rename = "statements/read")]
    StatementsRead,
    /// Read and write State documents
    #[serde(rename = "state")]
    State,
    /// Say what Activities are
    #[serde(rename = "define")]
    Define,
    /// Read and write Profile documents
    #[serde(rename = "profile")]
    Profile,
    /// Read everything
    #[serde(rename = "all/read")]
    AllRead,
    /// Everything
    #[serde(rename = "all")]
    All,
}

/// A credential, without its secret
#[derive(Serialize, ToSchema)]
#[schema(as = Credential)]
struct CredentialOut {
    /// Its name in the log
    id: Uuid,
    /// The user name of Basic authentication
    key: String,
    /// What people call it
    name: String,
    /// What it may do
    #[schema(value_type = Vec<ScopeName>)]
    scopes: Scopes,
    /// When it was made
    #[schema(format = DateTime)]
    created: String,
    /// When it was last used, to the hour
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    last_used: Option<String>,
}

/// A credential just made
#[derive(Serialize, ToSchema)]
struct CredentialMade {
    /// Its name in the log
    id: Uuid,
    /// The user name
    key: String,
    /// The password; shown this once
    secret: String,
}

/// A credential to make
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewCredential {
    /// What people call it
    #[schema(min_length = 1, max_length = 200)]
    name: String,
    /// What it may do; writing and reading its own when not given
    #[schema(value_type = Option<Vec<ScopeName>>, min_items = 1)]
    scopes: Option<Vec<Scope>>,
}

impl From<Credential> for CredentialOut {
    fn from(credential: Credential) -> Self {
        Self {
            id: credential.id,
            key: credential.key,
            name: credential.name,
            scopes: credential.scopes,
            created: time::text(credential.created),
            last_used: credential.last_used.map(time::text),
        }
    }
}

/// All credentials, oldest first
#[utoipa::path(get, path = "/api/v1/credentials", tag = "records", params(Page), responses(
    (status = 200, description = "A page", body = List<CredentialOut>)))]
async fn list(
    State(app): State<App>,
    Params(page): Params<Page>,
) -> Result<List<CredentialOut>, Problem> {
    let place = |credential: &Credential| (credential.created, credential.id);
    let (after, limit) = (page.after::<(Timestamp, Uuid)>()?, page.limit());
    let all = blocking(move || app.lrs.credentials().list()).await?;
    let mut rest = all
        .into_iter()
        .filter(|credential| after.is_none_or(|after| place(credential) > after));
    let items: Vec<Credential> = rest.by_ref().take(limit).collect();
    let last = items.last().filter(|_| rest.next().is_some()).map(place);
    Ok(List {
        next: last.as_ref().map(extract::cursor).transpose()?,
        items: items.into_iter().map(Into::into).collect(),
    })
}

/// Make a credential
#[utoipa::path(post, path = "/api/v1/credentials", tag = "records", request_body = NewCredential, responses(
    (status = 201, description = "Made; the secret is shown this once", body = CredentialMade),
    (status = 400, description = "A name or scope that cannot be", body = ProblemDocument, content_type = "application/problem+json")))]
async fn add(
    State(app): State<App>,
    caller: Caller,
    Strict(new): Strict<NewCredential>,
) -> Result<(StatusCode, Json<CredentialMade>), Problem> {
    let scopes = new.scopes.map_or_else(Scopes::default, Scopes::from_iter);
    let made = blocking(move || {
        let identity = app.lms.identity()?;
        let made = app.lrs.credentials().add(&new.name, scopes, &identity)?;
        caller.audit(
            &app,
            "credential.add",
            Some(format!("credential:{}", made.id)),
            Some(new.name),
        )?;
        Ok::<_, Problem>(CredentialMade {
            id: made.id,
            key: made.key,
            secret: made.secret,
        })
    });
    Ok((StatusCode::CREATED, Json(made.await?)))
}

/// Revoke a credential; what it wrote stays
#[utoipa::path(delete, path = "/api/v1/credentials/{id}", tag = "records", params(("id" = Uuid, Path)), responses(
    (status = 204, description = "Revoked"),
    (status = 404, description = "No such credential", body = ProblemDocument, content_type = "application/problem+json")))]
async fn revoke(
    State(app): State<App>,
    caller: Caller,
    Segments(id): Segments<Uuid>,
) -> Result<StatusCode, Problem> {
    blocking(move || {
        app.lrs.credentials().revoke(id)?;
        caller.audit(
            &app,
            "credential.revoke",
            Some(format!("credential:{id}")),
            None,
        )
    })
    .await?;
    Ok(StatusCode::NO_CONTENT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_description_names_every_scope() {
        for (_, name) in Scope::ALL {
            serde_json::from_value::<ScopeName>(name.into()).unwrap();
        }
    }
}
