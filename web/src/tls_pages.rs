//! `/ca.crt`: the box's own authority, which a device installs once to trust the box.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, header};
use utoipa_axum::router::OpenApiRouter;

use crate::app::App;
use crate::problem::Problem;

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().route("/ca.crt", axum::routing::get(ca))
}

async fn ca(State(app): State<App>) -> Response {
    let Some(pem) = app.authority(|authority| authority.ca_pem().to_owned()) else {
        return Problem::not_found("certificate: HTTPS is switched off on this box")
            .into_response();
    };
    let headers = [
        // What iOS and Android take for "install this".
        (
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/x-x509-ca-cert"),
        ),
        (
            header::CONTENT_DISPOSITION,
            HeaderValue::from_static("attachment; filename=\"lectern-ca.crt\""),
        ),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
    ];
    (headers, pem).into_response()
}
