//! Prometheus' `/metrics`: what the server counts, and what the rooms answer when asked.
//!
//! Labels are the routes of the table, never paths as sent: their number is bounded.

use std::sync::atomic::AtomicU64;
use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use jiff::Timestamp;
use lectern_lms::Role;
use prometheus::core::Collector;
use prometheus::{
    Encoder, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, Opts, Registry,
    TextEncoder,
};
use utoipa_axum::router::OpenApiRouter;

use crate::app::App;
use crate::auth;
use crate::client::Client;
use crate::extract::blocking;
use crate::problem::Problem;

mod delivered;
mod jobs;
mod rooms;

pub(crate) use delivered::{keep as keep_delivered, not_written_down, write_down};
pub(crate) use jobs::count as count_jobs;

/// Seconds; a page's request is well below the first, an upload's last piece above the last.
const BUCKETS: [f64; 9] = [0.002, 0.01, 0.05, 0.1, 0.25, 1.0, 2.5, 10.0, 60.0];

/// The server's own counters.
pub struct Metrics {
    registry: Registry,
    requests: IntCounterVec,
    seconds: HistogramVec,
    open: IntGauge,
    /// Open event streams
    pub event_streams: IntGauge,
    /// Bytes of films that were sent
    pub media_bytes: IntCounter,
    /// Of those, what the library knows
    media_bytes_kept: AtomicU64,
    jobs_ended: IntCounterVec,
}

impl Metrics {
    /// Registers them.
    ///
    /// # Errors
    /// Two have the same name.
    pub fn new() -> Result<Self, prometheus::Error> {
        let labels = ["method", "route", "status"];
        let requests = Opts::new("lectern_http_requests_total", "Requests answered");
        let seconds = HistogramOpts::new(
            "lectern_http_request_seconds",
            "Time until the answer's head was ready",
        );
        let ended = Opts::new(
            "lectern_jobs_ended_total",
            "Encoding jobs that ended since the start; cancelled ones are among the failed",
        );
        let metrics = Self {
            registry: Registry::new(),
            requests: IntCounterVec::new(requests, &labels)?,
            seconds: HistogramVec::new(seconds.buckets(BUCKETS.to_vec()), &["method", "route"])?,
            open: IntGauge::new("lectern_http_requests_open", "Requests being answered")?,
            event_streams: IntGauge::new("lectern_http_event_streams", "Open event streams")?,
            media_bytes: IntCounter::new(
                "lectern_media_bytes_total",
                "Bytes of films, posters and previews that were sent",
            )?,
            media_bytes_kept: AtomicU64::new(0),
            jobs_ended: IntCounterVec::new(ended, &["result"])?,
        };
        // From 0, so that the first failure is an increase.
        for result in jobs::RESULTS {
            metrics.jobs_ended.with_label_values(&[result]);
        }
        let all: [Box<dyn Collector>; 6] = [
            Box::new(metrics.requests.clone()),
            Box::new(metrics.seconds.clone()),
            Box::new(metrics.open.clone()),
            Box::new(metrics.event_streams.clone()),
            Box::new(metrics.media_bytes.clone()),
            Box::new(metrics.jobs_ended.clone()),
        ];
        for collector in all {
            metrics.registry.register(collector)?;
        }
        Ok(metrics)
    }
}

/// Counts a request by its route. Dropped without an answer, because its client has gone, it is open no more.
pub(crate) struct Counting<'a> {
    metrics: &'a Metrics,
    method: &'static str,
    route: Option<MatchedPath>,
    began: Instant,
}

impl<'a> Counting<'a> {
    pub(crate) fn of(metrics: &'a Metrics, request: &Request) -> Self {
        metrics.open.inc();
        Self {
            metrics,
            method: method_label(request.method()),
            route: request.extensions().get().cloned(),
            began: Instant::now(),
        }
    }

    pub(crate) fn answered(self, status: StatusCode) {
        let route = self.route.as_ref().map_or("pages", MatchedPath::as_str);
        self.metrics
            .seconds
            .with_label_values(&[self.method, route])
            .observe(self.began.elapsed().as_secs_f64());
        self.metrics
            .requests
            .with_label_values(&[self.method, route, status.as_str()])
            .inc();
    }
}

impl Drop for Counting<'_> {
    fn drop(&mut self) {
        self.metrics.open.dec();
    }
}

/// Methods anyone may invent must not become labels.
fn method_label(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().route("/metrics", get(metrics))
}

async fn metrics(
    State(app): State<App>,
    client: Client,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    allow(&app, &client, &headers)?;
    let now = app.now();
    let text = blocking(move || print(&app, now)).await?;
    let kind = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    Ok(([(header::CONTENT_TYPE, kind)], text).into_response())
}

/// From this machine itself (and not by a page whose name resolves to it), or with a token of an
/// administrator or auditor.
fn allow(app: &App, client: &Client, headers: &HeaderMap) -> Result<(), Problem> {
    if client.is_loopback
        && client.host_is_literal()
        && !headers.contains_key(header::AUTHORIZATION)
    {
        return Ok(());
    }
    let caller = auth::authenticate(app, client, headers)?.ok_or_else(Problem::unauthorized)?;
    auth::check_exposure(app, client, &caller.person.roles)?;
    if caller.is_any(&[Role::Admin, Role::Auditor]) {
        return Ok(());
    }
    Err(Problem::forbidden(
        "Metrics are read on the box itself, or with a token of an administrator or auditor.",
    ))
}

fn print(app: &App, now: Timestamp) -> Result<Vec<u8>, Problem> {
    let mut families = app.metrics.registry.gather();
    families.extend(rooms::gather(app, now)?);
    families.sort_by(|a, b| a.name().cmp(b.name()));
    let mut text = Vec::new();
    TextEncoder::new()
        .encode(&families, &mut text)
        .map_err(Problem::internal)?;
    Ok(text)
}
