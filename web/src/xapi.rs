//! `/xapi`: the record store's doors as the standard draws them (xAPI 1.0.3 Part 3, "Comm"; 2.0 4.1). What is behind
//! them is lectern-lrs; here are methods, headers, versions and who knocks.
//!
//! Every answer, refusals and preflights included, carries `X-Experience-API-Version` and may be read by pages from
//! elsewhere: activities that report here are served from anywhere, and show a token, never a cookie.

mod alternate;
mod answer;
mod documents;
mod knock;
mod preflight;
mod reading;
mod resources;
mod statements;

pub(crate) use answer::Label;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, Method};
use http_body_util::BodyExt;
use lectern_lrs::Resource;
use lectern_xapi::Version;
use utoipa_axum::router::OpenApiRouter;

use crate::app::App;
use crate::client::Client;
use crate::extract::{body_too_large, is_too_large};
use crate::problem::{Problem, Status};

pub(crate) fn routes() -> OpenApiRouter<App> {
    let mut router = OpenApiRouter::new();
    for (path, door) in DOORS {
        // Outside `/api/v1`, so not in its description.
        let handler = move |State(app): State<App>, client: Client, request: Request| {
            enter(app, client, door, request)
        };
        router = router.route(path, axum::routing::any(handler));
    }
    router
}

const DOORS: [(&str, Door); 7] = [
    ("/xapi/about", Door::About),
    ("/xapi/statements", Door::Statements),
    ("/xapi/activities", Door::Activities),
    ("/xapi/agents", Door::Agents),
    ("/xapi/activities/state", Door::Documents(Resource::State)),
    (
        "/xapi/activities/profile",
        Door::Documents(Resource::ActivityProfile),
    ),
    (
        "/xapi/agents/profile",
        Door::Documents(Resource::AgentProfile),
    ),
];

/// One resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Door {
    About,
    Statements,
    Activities,
    Agents,
    Documents(Resource),
}

/// A request once it is clear what is asked, by whom, under which version.
struct Asked {
    app: App,
    method: Method,
    version: Version,
    parameters: Vec<(String, String)>,
    headers: HeaderMap,
    body: Vec<u8>,
}

async fn enter(app: App, client: Client, door: Door, request: Request) -> Response {
    if request.method() == Method::OPTIONS {
        return preflight::answer(door);
    }
    let is_head = request.method() == Method::HEAD;
    let through = app.lrs.consistent_through();
    let (version, answered) = serve(app, client, door, request).await;
    let mut response = answered.unwrap_or_else(IntoResponse::into_response);
    if let Some(version) = version {
        answer::set_version(response.headers_mut(), version);
    }
    if door == Door::Statements {
        answer::set_consistent_through(response.headers_mut(), through);
    }
    if is_head {
        answer::without_body(response).await
    } else {
        response
    }
}

/// The version by whose rules it was answered, if that could be made out, and the answer.
async fn serve(
    app: App,
    client: Client,
    door: Door,
    request: Request,
) -> (Option<Version>, Result<Response, Problem>) {
    let (parts, body) = request.into_parts();
    let mut asked = Asked {
        version: app.config.xapi_default,
        app,
        method: if parts.method == Method::HEAD {
            Method::GET
        } else {
            parts.method
        },
        parameters: query(parts.uri.query()),
        headers: parts.headers,
        body: Vec::new(),
    };
    if asked.method == Method::PUT || asked.method == Method::POST {
        asked.body = match read(body).await {
            Ok(body) => body,
            Err(problem) => return (None, Err(problem)),
        };
    }
    if let Err(problem) = alternate::resolve(&mut asked) {
        return (None, Err(problem));
    }
    if door == Door::About {
        return (None, resources::about(&asked));
    }
    asked.version = match knock::version(&asked.headers) {
        Ok(version) => version,
        Err(problem) => return (None, Err(problem)),
    };
    let version = asked.version;
    let answered = async {
        let (caller, reader) = knock::caller(&asked.app, &client, &asked.headers).await?;
        match door {
            Door::Statements => statements::answer(asked, caller, reader).await,
            Door::Documents(resource) => documents::answer(asked, caller, reader, resource).await,
            Door::Activities => resources::activity(asked, caller).await,
            Door::Agents => resources::agent(asked, caller, reader).await,
            Door::About => resources::about(&asked),
        }
    };
    (Some(version), answered.await)
}

fn query(text: Option<&str>) -> Vec<(String, String)> {
    form_urlencoded::parse(text.unwrap_or_default().as_bytes())
        .into_owned()
        .collect()
}

/// The guard bounds the body by the route's row.
async fn read(body: Body) -> Result<Vec<u8>, Problem> {
    match body.collect().await {
        Ok(body) => Ok(body.to_bytes().to_vec()),
        Err(error) if is_too_large(&error) => Err(body_too_large()),
        Err(error) => {
            Err(Problem::bad_request("The request's body could not be read.").because(&error))
        }
    }
}

fn other_method() -> Problem {
    Problem::new(
        Status::MethodNotAllowed,
        "This resource does not take that method.",
    )
}
