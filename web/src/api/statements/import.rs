//! Statements in from a file, for administrators: whoever moves records into the box need not see them.

use std::io::{self, BufReader};

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use futures_util::TryStreamExt;
use http::HeaderMap;
use lectern_lrs::{Caller as Importing, Error, ImportError, Imported};
use lectern_xapi::Version;
use serde::{Deserialize, Serialize};
use tokio_util::io::{StreamReader, SyncIoBridge};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::upstreams::VersionName;
use crate::app::App;
use crate::auth::Caller;
use crate::extract::{Params, blocking, body_too_large, is_too_large, media_type};
use crate::problem::{Problem, ProblemDocument, Status};

/// One JSON object a line, by its usual names.
const KINDS: [&str; 3] = [
    "application/x-ndjson",
    "application/ndjson",
    "application/jsonl",
];
/// Bytes read from the request at once.
const PIECE_BYTES: usize = 256 * 1024;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(import))
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ImportQuery {
    /// The version of statements that do not say theirs; 1.0.3 when not given
    #[param(value_type = Option<VersionName>)]
    version: Option<VersionName>,
}

/// What became of a file of statements
#[derive(Serialize, ToSchema)]
#[schema(as = StatementsImported)]
struct ImportedOut {
    /// Lines that are not empty
    lines: u64,
    /// Statements stored now
    stored: u64,
    /// Statements that were here already
    known: u64,
    /// Lines that could not be taken
    refused: u64,
    /// The first hundred of these
    problems: Vec<LineOut>,
}

/// A line that could not be taken
#[derive(Serialize, ToSchema)]
#[schema(as = StatementsImportedLine)]
struct LineOut {
    /// Its number, from 1
    line: u64,
    /// Why
    message: String,
}

impl From<Imported> for ImportedOut {
    fn from(report: Imported) -> Self {
        let problems = report.problems.into_iter().map(|problem| LineOut {
            line: problem.line,
            message: problem.reason,
        });
        Self {
            lines: report.lines,
            stored: report.stored,
            known: report.known,
            refused: report.refused,
            problems: problems.collect(),
        }
    }
}

/// Take statements in from a file
///
/// One statement a line, with lines of attachments between, as `GET /api/v1/statements/export` and `lecternd statements
/// export` write them. A line that cannot be taken holds up no other; statements that are here already stay as they are. What
/// the answer counts is on disk; a file can be sent again.
#[utoipa::path(post, path = "/api/v1/statements/import", tag = "records", params(ImportQuery),
    request_body(content = String, content_type = "application/x-ndjson"), responses(
    (status = 200, description = "What became of it", body = ImportedOut),
    (status = 400, description = "It broke off; what came before is taken", body = ProblemDocument, content_type = "application/problem+json"),
    (status = 415, description = "Not one JSON object a line", body = ProblemDocument, content_type = "application/problem+json"),
    (status = 507, description = "The disk is full; what came before is taken", body = ProblemDocument, content_type = "application/problem+json")))]
async fn import(
    State(app): State<App>,
    caller: Caller,
    Params(query): Params<ImportQuery>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<ImportedOut>, Problem> {
    if !KINDS.contains(&media_type(&headers).as_str()) {
        return Err(Problem::new(
            Status::UnsupportedMedia,
            "Send one statement a line, with `Content-Type: application/x-ndjson`.",
        ));
    }
    let version = query.version.map_or(Version::V1_0_3, Version::from);
    let stream = body.into_data_stream().map_err(io::Error::other);
    // Reading bridges into the runtime, so it may not happen on one of its own threads.
    let reader = SyncIoBridge::new(StreamReader::new(Box::pin(stream)));
    let report = blocking(move || {
        let importing = Importing::importing(&app.lms.identity()?);
        let mut reader = BufReader::with_capacity(PIECE_BYTES, reader);
        let report = app.lrs.import(&importing, version, &mut reader);
        let detail = match &report {
            Ok(report) => report.to_string(),
            // What came before is here all the same.
            Err(error) => format!("stopped: {error}"),
        };
        caller.audit(&app, "statements.import", None, Some(detail))?;
        report.map_err(problem)
    });
    Ok(Json(report.await?.into()))
}

fn problem(error: ImportError) -> Problem {
    match error {
        ImportError::Unreadable { error, .. } if is_too_large(&error) => body_too_large(),
        ImportError::Unreadable { line, error } => Problem::bad_request(format!(
            "The file broke off at line {line}. What came before is taken: send the whole file again."
        ))
        .because(&error),
        ImportError::Record(Error::Store(error @ lectern_store::Error::Full { .. })) => {
            let words = "The box's disk is full. What came before is taken: make room and send the whole file again.";
            Problem::new(Status::Full, words).because(&error)
        }
        ImportError::Record(error) => error.into(),
    }
}
