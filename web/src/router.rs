//! All routes, joined: the API with its description, the standards' doors, the pages behind them.

use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use axum::{Router, middleware};
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;

use crate::app::App;
use crate::client::Client;
use crate::front::{below, front};
use crate::problem::Problem;
use crate::{api, health, media, metrics, plain_http, tls_pages, ui, xapi};

/// The router with its state, ready to be driven.
pub fn router(app: App) -> Router {
    let (routes, _) = routes().split_for_parts();
    routes
        .fallback(elsewhere)
        .layer(middleware::from_fn_with_state(app.clone(), front))
        .with_state(app)
}

/// The API's description (OpenAPI 3.1).
pub fn openapi() -> utoipa::openapi::OpenApi {
    let mut document = routes().split_for_parts().1;
    api::openapi::name_operations(&mut document);
    document
}

fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::with_openapi(api::openapi::ApiDoc::openapi())
        .merge(api::routes())
        .merge(health::routes())
        .merge(media::routes())
        .merge(metrics::routes())
        .merge(tls_pages::routes())
        .merge(xapi::routes())
}

/// What no route matched: a page, or nothing.
async fn elsewhere(State(app): State<App>, client: Client, request: Request) -> Response {
    let path = request.uri().path();
    if DOORS.iter().any(|door| below(path, door).is_some()) {
        return Problem::not_found("address").into_response();
    }
    if let Some(answer) = plain_http::instead(&app, &client, path) {
        return answer;
    }
    ui::serve(request.method(), path, request.headers())
}

/// Paths below which there are no pages.
const DOORS: [&str; 11] = [
    "/api",
    "/xapi",
    "/media",
    "/whip",
    "/whep",
    "/live",
    "/lti",
    "/cmi5",
    "/scorm",
    "/credentials",
    "/.well-known",
];
