//! `GET /api/v1/events`: server-sent events for pages that watch. Ends when the server stops.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::State;
use axum::response::sse::{Event as Frame, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream::{self, Stream};
use lectern_lms::Role;
use serde_json::json;
use tokio::sync::broadcast::error::RecvError;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::auth::Caller;
use crate::events::{Audience, Event, Watching};
use crate::problem::{Problem, ProblemDocument, Status};

/// A line when nothing happens, so that proxies and dead phones are noticed.
const ALIVE_EVERY: Duration = Duration::from_secs(15);
/// A stream ends after this; the browser comes again and shows who it is.
const LONGEST: Duration = Duration::from_secs(3600);

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(events))
}

/// What happens, as it happens
///
/// Server-sent events that say *look again*: `video` `{id}`, `captions` `{video}`, `statements` `{activity}` (empty
/// when they are about none; at most once a second each), `upstreams` `{}`, `system` `{}`, and `resync` `{}` after events
/// were missed.
#[utoipa::path(get, path = "/api/v1/events", tag = "system", responses(
    (status = 200, description = "Events until the server stops", content_type = "text/event-stream", body = String),
    (status = 429, description = "Too many streams", body = ProblemDocument, content_type = "application/problem+json")))]
async fn events(State(app): State<App>, caller: Caller) -> Result<Response, Problem> {
    let Some(watching) = app.events.watch(caller.id()) else {
        let detail = "Too many pages of yours are watching already. Close some.";
        return Err(Problem::new(Status::TooMany, detail).retry_after(30));
    };
    let alive = KeepAlive::new().interval(ALIVE_EVERY);
    let mut response = Sse::new(frames(app, caller, watching))
        .keep_alive(alive)
        .into_response();
    // nginx would hold the events back.
    response
        .headers_mut()
        .insert("x-accel-buffering", http::HeaderValue::from_static("no"));
    Ok(response)
}

struct Watcher {
    app: App,
    caller: Caller,
    watching: Watching,
    ends: tokio::time::Instant,
    _counted: Counted,
}

fn frames(
    app: App,
    caller: Caller,
    watching: Watching,
) -> impl Stream<Item = Result<Frame, Infallible>> {
    let counted = Counted::new(&app);
    let ends = tokio::time::Instant::now() + LONGEST;
    let state = Watcher {
        app,
        caller,
        watching,
        ends,
        _counted: counted,
    };
    stream::unfold(state, |mut state| async move {
        loop {
            let received = tokio::select! {
                () = state.app.shutdown.cancelled() => return None,
                () = tokio::time::sleep_until(state.ends) => return None,
                received = state.watching.events.recv() => received,
            };
            let frame = match received {
                Ok(event) if may_know(&state.app, &state.caller, &event) => Frame::default()
                    .event(event.name)
                    .data(event.data.to_string()),
                Ok(_) => continue,
                Err(RecvError::Lagged(_)) => {
                    Frame::default().event("resync").data(json!({}).to_string())
                }
                Err(RecvError::Closed) => return None,
            };
            return Some((Ok(frame), state));
        }
    })
}

fn may_know(app: &App, caller: &Caller, event: &Event) -> bool {
    match &event.audience {
        Audience::Box => caller.is_any(&[Role::Admin, Role::Auditor]),
        Audience::Figures => caller.is_any(&[Role::Instructor, Role::Auditor, Role::Admin]),
        Audience::Everyone => true,
        Audience::Video(id) => crate::events::may_see(app, &caller.person, *id),
    }
}

/// One more in the metric while the stream is open.
struct Counted(App);

impl Counted {
    fn new(app: &App) -> Self {
        app.metrics.event_streams.inc();
        Self(app.clone())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.metrics.event_streams.dec();
    }
}
