//! `statements …`: records out to files and in from them.

use std::io::BufReader;
use std::path::Path;

use anyhow::Context;
use jiff::Timestamp;
use jiff::civil::Date;
use lectern_lrs::{Caller, Scope, Scopes, Stored};
use lectern_xapi::{Ifi, Version};
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::io::SyncIoBridge;

use super::execute::{PIECE_BYTES, audit, blocking, piped};
use super::request::Request;
use crate::services::Services;

/// Who takes statements in from a file.
const NAME: &str = "import";

/// Statements as NDJSON.
pub async fn export<W: AsyncWrite + Send + Unpin>(
    services: &Services,
    which: Stored,
    attachments: bool,
    output: W,
) -> anyhow::Result<Value> {
    note(services, "statements.export", span(which)).await?;
    let lrs = services.lrs.clone();
    let exported = piped(output, move |to| {
        let mut to = std::io::BufWriter::with_capacity(PIECE_BYTES, to);
        let exported = lrs.export(which, attachments, &mut to)?;
        std::io::Write::flush(&mut to)?;
        Ok(exported)
    });
    Ok(serde_json::to_value(exported.await?)?)
}

/// The days on which statements were stored.
pub fn days(services: &Services, which: Stored) -> anyhow::Result<Value> {
    Ok(json!({ "days": services.lrs.days(which)? }))
}

/// A day's statements as Parquet.
pub async fn day<W: AsyncWrite + Send + Unpin>(
    services: &Services,
    day: Date,
    output: W,
) -> anyhow::Result<Value> {
    note(services, "statements.export", format!("day {day}")).await?;
    let lrs = services.lrs.clone();
    let statements = piped(output, move |to| {
        let to = std::io::BufWriter::with_capacity(PIECE_BYTES, to);
        Ok(lectern_analytics::write_day(&lrs, day, to)?)
    });
    Ok(json!({ "day": day, "statements": statements.await? }))
}

/// Statements from NDJSON. An answer with refused lines is a failed command, with all that is to be said of them.
pub async fn import<R: AsyncRead + Send + Unpin + 'static>(
    services: &Services,
    version: Version,
    file_name: String,
    input: R,
) -> anyhow::Result<Value> {
    let identity = services.lms.identity()?;
    let caller = Caller {
        credential: NAME.to_owned(),
        authority: Ifi::account(identity, NAME).to_value(),
        scopes: Scopes::from_iter([Scope::StatementsWrite, Scope::Define]),
        bound: None,
    };
    let lrs = services.lrs.clone();
    // Reading bridges into the runtime, so it may not happen on one of its own threads.
    let reader = SyncIoBridge::new(input);
    let report = blocking(move || {
        let mut reader = BufReader::with_capacity(PIECE_BYTES, reader);
        Ok(lrs.import(&caller, version, &mut reader)?)
    });
    let report = report.await?;
    let detail = format!(
        "{file_name}: {} stored, {} known, {} refused",
        report.stored, report.known, report.refused
    );
    note(services, "statements.import", detail).await?;
    let mut answer = serde_json::to_value(&report)?;
    if let (Some(first), Some(object)) = (report.problems.first(), answer.as_object_mut()) {
        let error = format!(
            "{} of {} lines could not be taken, all others were; the first, line {}: {}",
            report.refused, report.lines, first.line, first.reason
        );
        object.insert("error".to_owned(), error.into());
    }
    Ok(answer)
}

async fn note(services: &Services, what: &'static str, detail: String) -> anyhow::Result<()> {
    let services = services.clone();
    blocking(move || audit(&services, what, None, Some(detail), Timestamp::now())).await
}

fn span(which: Stored) -> String {
    let time = |time: Option<Timestamp>| time.map_or("-".to_owned(), |time| time.to_string());
    format!("since {} until {}", time(which.since), time(which.until))
}

/// Where a day's file is, below a folder: as Spark, Trino, DuckDB and others find the days of one table.
pub fn file_of(folder: &Path, day: &str) -> anyhow::Result<std::path::PathBuf> {
    let folder = folder.join(format!("day={day}"));
    std::fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
    Ok(folder.join("statements.parquet"))
}

/// The requests of `statements parquet`, a day after the other.
pub fn requests_of(days: &Value) -> Vec<(String, Request)> {
    let days = days.get("days").and_then(Value::as_array);
    let days = days.into_iter().flatten().filter_map(Value::as_str);
    days.filter_map(|day| {
        let request = Request::StatementsDay {
            day: day.parse().ok()?,
        };
        Some((day.to_owned(), request))
    })
    .collect()
}
