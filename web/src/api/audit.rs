//! Who did what, when, and on whom: only ever added to.

use axum::extract::State;
use lectern_lms::PersonId;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::time;
use crate::app::App;
use crate::extract::{self, List, Page, Params, blocking};
use crate::problem::Problem;

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list))
}

/// One entry
#[derive(Serialize, ToSchema)]
#[schema(as = AuditEntry)]
struct EntryOut {
    /// Counts from 1
    n: u64,
    /// When
    #[schema(format = DateTime)]
    at: String,
    /// Who: a person's id, `credential:…`, or `box` for the command line
    who: String,
    /// That person's name, while they are here
    #[serde(skip_serializing_if = "Option::is_none")]
    who_name: Option<String>,
    /// What, as `thing.deed`
    what: String,
    /// On whom or what
    #[serde(skip_serializing_if = "Option::is_none")]
    on: Option<String>,
    /// That person's name, when it was a person and they are still here
    #[serde(skip_serializing_if = "Option::is_none")]
    on_name: Option<String>,
    /// What else there is to know
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
}

/// The audit, newest first
#[utoipa::path(get, path = "/api/v1/audit", tag = "records", params(Page), responses(
    (status = 200, description = "A page", body = List<EntryOut>)))]
async fn list(
    State(app): State<App>,
    Params(page): Params<Page>,
) -> Result<List<EntryOut>, Problem> {
    let (before, limit) = (page.after::<u64>()?, page.limit());
    blocking(move || {
        let found = app.lms.audit_list(before, limit)?;
        let mut items = Vec::with_capacity(found.items.len());
        for entry in found.items {
            items.push(EntryOut {
                n: entry.number,
                at: time::text(entry.at),
                who_name: name(&app, Some(&entry.who))?,
                who: entry.who,
                what: entry.what,
                on_name: name(&app, entry.on.as_deref())?,
                on: entry.on,
                detail: entry.detail,
            });
        }
        Ok::<_, Problem>(List {
            items,
            next: found.next.as_ref().map(extract::cursor).transpose()?,
        })
    })
    .await
}

fn name(app: &App, id: Option<&str>) -> Result<Option<String>, Problem> {
    let Some(id) = id.and_then(|id| id.parse::<PersonId>().ok()) else {
        return Ok(None);
    };
    Ok(app.lms.person(id)?.map(|person| person.display_name))
}
