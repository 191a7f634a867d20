//! CORS preflights (Fetch, 4.8): which methods and headers a page from elsewhere may use.

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use lectern_lrs::Resource;

use super::Door;

pub(super) fn answer(door: Door) -> Response {
    let methods = match door {
        Door::About | Door::Activities | Door::Agents => "GET, HEAD, POST, OPTIONS",
        Door::Statements => "GET, HEAD, PUT, POST, OPTIONS",
        Door::Documents(Resource::State | Resource::ActivityProfile | Resource::AgentProfile) => {
            "GET, HEAD, PUT, POST, DELETE, OPTIONS"
        }
    };
    let mut response = StatusCode::NO_CONTENT.into_response();
    let allowed = [
        (header::ALLOW, methods),
        (header::ACCESS_CONTROL_ALLOW_METHODS, methods),
        (
            header::ACCESS_CONTROL_ALLOW_HEADERS,
            "Authorization, Content-Type, X-Experience-API-Version, X-Experience-API-Hash, If-Match, If-None-Match, \
             Accept-Language",
        ),
        (header::ACCESS_CONTROL_MAX_AGE, "86400"),
    ];
    for (name, value) in allowed {
        response
            .headers_mut()
            .insert(name, HeaderValue::from_static(value));
    }
    response
}
