//! The one place that reads the table of routes and roles: every route passes here first.

use std::time::Duration;

use axum::body::Body;
use axum::extract::{DefaultBodyLimit, MatchedPath, Request};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, Method, header};
use http_body::Body as _;
use http_body_util::Limited;
use tower_http::timeout::TimeoutBody;

use crate::app::App;
use crate::auth::{self, Caller};
use crate::client::Client;
use crate::extract::body_too_large;
use crate::problem::{Problem, Status};
use crate::roles::{self, Found, Pace, Rule, Who};

/// For body and answer of a quick route.
pub(crate) const QUICK: Duration = Duration::from_secs(60);
/// Longest silence while a body is being sent.
const SILENCE: Duration = Duration::from_secs(30);

/// Lets a request through to its handler, or answers it.
pub(crate) async fn guard(app: &App, request: Request, next: Next) -> Response {
    let Some(path) = request.extensions().get::<MatchedPath>().cloned() else {
        return next.run(request).await;
    };
    let rule = match roles::find(request.method(), path.as_str()) {
        Found::Rule(rule) => rule,
        Found::OtherMethod => return other_method(path.as_str()),
        Found::Nothing => {
            return Problem::internal(format!("{} has no row in the table", path.as_str()))
                .into_response();
        }
    };
    match admit(app, rule, request) {
        Ok(request) => run(rule.pace, request, next).await,
        Err(problem) => problem.into_response(),
    }
}

fn admit(app: &App, rule: &Rule, mut request: Request) -> Result<Request, Problem> {
    if rule.who != Who::Own {
        let client = request.extensions().get::<Client>().cloned();
        let client = client.ok_or_else(|| Problem::internal("the request has no client"))?;
        if let Some(caller) = caller(app, rule, &client, &request)? {
            request.extensions_mut().insert(caller);
        }
    }
    let announced = request.headers().get(header::CONTENT_LENGTH);
    let announced = announced.and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|bytes| bytes > rule.body_bytes) {
        return Err(body_too_large());
    }
    if request.body().is_end_stream() {
        return Ok(request);
    }
    // The row bounds the body; the framework's own bound is another.
    DefaultBodyLimit::disable().apply(&mut request);
    let limit = usize::try_from(rule.body_bytes).unwrap_or(usize::MAX);
    Ok(request.map(|body| Body::new(Limited::new(TimeoutBody::new(SILENCE, body), limit))))
}

fn caller(
    app: &App,
    rule: &Rule,
    client: &Client,
    request: &Request,
) -> Result<Option<Caller>, Problem> {
    let (method, headers) = (request.method(), request.headers());
    let caller = auth::authenticate(app, client, headers)?;
    if signs_in(rule) {
        // What signs in shows its password or token; an old cookie beside it changes nothing.
        auth::check_site(headers)?;
        return Ok(caller);
    }
    if let Some(caller) = &caller {
        auth::check_csrf(caller, method, headers)?;
        auth::check_exposure(app, client, &caller.person.roles)?;
    }
    match (rule.who, &caller) {
        (Who::Anyone | Who::Own, _) | (Who::SignedIn, Some(_)) => Ok(caller),
        (Who::SignedIn | Who::Any(_), None) => Err(Problem::unauthorized()),
        (Who::Any(roles), Some(someone)) if someone.is_any(roles) => Ok(caller),
        (Who::Any(roles), Some(_)) => {
            let names: Vec<_> = roles.iter().map(|role| role.as_str()).collect();
            let detail = format!(
                "This takes the role {}. Whoever runs the box can give it to you.",
                names.join(" or ")
            );
            Err(Problem::forbidden(detail).kind("role", "Your role does not allow that"))
        }
    }
}

fn signs_in(rule: &Rule) -> bool {
    rule.method == Method::POST && matches!(rule.path, "/api/v1/session" | "/api/v1/setup")
}

async fn run(pace: Pace, request: Request, next: Next) -> Response {
    match pace {
        Pace::Stream => next.run(request).await,
        Pace::Quick => match tokio::time::timeout(QUICK, next.run(request)).await {
            Ok(response) => response,
            Err(_) => Problem::new(
                Status::Unavailable,
                "The box took too long to answer. Try again in a moment.",
            )
            .retry_after(5)
            .into_response(),
        },
    }
}

fn other_method(path: &str) -> Response {
    let allowed =
        HeaderValue::try_from(roles::allowed(path)).unwrap_or(HeaderValue::from_static("GET"));
    Problem::new(
        Status::MethodNotAllowed,
        "This address does not take that method; `Allow` names those it takes.",
    )
    .header(header::ALLOW, allowed)
    .into_response()
}
