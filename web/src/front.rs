//! What every request passes before its handler and every answer after it, in one layer: each layer of a router costs
//! a request two boxes and a copy of all that lies behind it.
//!
//! From the outside in: who is at the other end, a handler's panic is an answer, what every answer carries, the labels
//! of the standards' doors, counting, the guard.

use std::any::Any;
use std::panic::AssertUnwindSafe;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;

use crate::app::App;
use crate::problem::Problem;
use crate::{api, client, guard, headers, metrics, xapi};

pub(crate) async fn front(State(app): State<App>, mut request: Request, next: Next) -> Response {
    client::identify(&app, &mut request);
    let carried = headers::Carried::by(&request);
    let upload = api::uploads::Label::of(&request);
    let statements = xapi::Label::of(&app, &request);
    let counting = metrics::Counting::of(&app.metrics, &request);
    let answer = AssertUnwindSafe(guard::guard(&app, request, next)).catch_unwind();
    let mut response = answer
        .await
        .unwrap_or_else(|panic| panicked(panic.as_ref()));
    counting.answered(response.status());
    if let Some(label) = statements {
        label.put(response.headers_mut());
    }
    if let Some(label) = upload {
        label.put(response.headers_mut());
    }
    carried.put(response.headers_mut());
    response
}

/// What of an address comes behind a door's: none for an address elsewhere, `/statements` for `/xapi/statements`.
pub(crate) fn below<'a>(path: &'a str, door: &str) -> Option<&'a str> {
    path.strip_prefix(door)
        .filter(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn panicked(panic: &(dyn Any + Send)) -> Response {
    let text = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied());
    Problem::internal(format!(
        "a handler panicked: {}",
        text.unwrap_or("(no text)")
    ))
    .into_response()
}
