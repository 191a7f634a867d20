//! `GET /api/v1/system/backup`: one archive of everything, as it is being made.
//!
//! The archive's code is the daemon's.

use std::io;

use axum::extract::State;
use axum::response::Response;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::auth::Caller;
use crate::download;
use crate::extract::blocking;
use crate::problem::{Problem, ProblemDocument, Status};

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(backup))
}

/// Make a backup and download it
#[utoipa::path(get, path = "/api/v1/system/backup", tag = "system", responses(
    (status = 200, description = "The archive; cut off when it could not be finished", content_type = "application/x-tar", body = Vec<u8>),
    (status = 409, description = "Another one is being made", body = ProblemDocument, content_type = "application/problem+json")))]
async fn backup(State(app): State<App>, caller: Caller) -> Result<Response, Problem> {
    let Some(write) = app.config.backup.clone() else {
        return Err(Problem::new(
            Status::NotImplemented,
            "This build makes no backups over HTTP.",
        ));
    };
    let Ok(turn) = app.backup_turn.clone().try_acquire_owned() else {
        return Err(Problem::conflict(
            "A backup is being made already. Wait until it has ended.",
        ));
    };
    let (audited, stop, now) = (app.clone(), app.shutdown.clone(), app.now());
    let lms = app.lms.clone();
    blocking(move || caller.audit(&audited, "backup.download", None, None)).await?;
    let body = download::body(stop, move |to| {
        let _turn = turn;
        if let Err(error) = write(to) {
            tracing::error!(event = "backup_failed", "{error}");
            return Err(io::Error::other("the backup could not be finished"));
        }
        io::Write::flush(to)?;
        if let Err(error) = lms.note_backup(now) {
            // The archive is whole all the same.
            tracing::warn!(event = "backup_not_noted", %error);
        }
        Ok(())
    });
    let name = format!("lectern-{}.tar", now.strftime("%Y-%m-%d"));
    download::named(body, &name, "application/x-tar")
}
