//! `/healthz` (the process answers) and `/readyz` (it takes work): for load balancers and systemd.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::StatusCode;
use utoipa_axum::router::OpenApiRouter;

use crate::app::App;
use crate::extract::blocking;
use crate::problem::Problem;

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .route("/healthz", get(async || "ok\n"))
        .route("/readyz", get(ready))
}

async fn ready(State(app): State<App>) -> Response {
    if app.shutdown.is_cancelled() {
        return (StatusCode::SERVICE_UNAVAILABLE, "stopping\n").into_response();
    }
    let read = move || {
        app.records.snapshot()?;
        app.library_store.snapshot()?;
        Ok::<_, lectern_store::Error>(())
    };
    match blocking(read).await {
        Ok(()) => "ready\n".into_response(),
        Err(problem) => {
            Problem::log(&problem);
            (StatusCode::SERVICE_UNAVAILABLE, "a store cannot be read\n").into_response()
        }
    }
}
