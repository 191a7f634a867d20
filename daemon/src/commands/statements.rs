//! `statements …`: records out to files and in from them.

use std::collections::BTreeSet;
use std::io::BufReader;
use std::path::Path;

use anyhow::Context;
use jiff::Timestamp;
use jiff::civil::Date;
use lectern_lrs::{Caller, Stored};
use lectern_xapi::Version;
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::io::SyncIoBridge;

use super::execute::{PIECE_BYTES, audit, blocking, piped};
use crate::services::Services;

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
    let caller = Caller::importing(&services.lms.identity()?);
    let lrs = services.lrs.clone();
    // Reading bridges into the runtime, so it may not happen on one of its own threads.
    let reader = SyncIoBridge::new(input);
    let report = blocking(move || {
        let mut reader = BufReader::with_capacity(PIECE_BYTES, reader);
        Ok(lrs.import(&caller, version, &mut reader)?)
    });
    let report = report.await;
    let detail = match &report {
        Ok(report) => format!("{file_name}: {report}"),
        // What came before is here all the same.
        Err(error) => format!("{file_name}: stopped: {error:#}"),
    };
    note(services, "statements.import", detail).await?;
    let report = report?;
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

/// What a day's folder is called: as Spark, Trino, DuckDB and others name the days of one table.
const DAY: &str = "day=";
const FILE: &str = "statements.parquet";

/// Where a day's file is, below a folder.
pub fn file_of(folder: &Path, day: Date) -> anyhow::Result<std::path::PathBuf> {
    let folder = folder.join(format!("{DAY}{day}"));
    std::fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
    Ok(folder.join(FILE))
}

/// The days to write, in order: those of the box, and those that have a file below the folder from another time. A day of
/// which all was erased since is written anew, without a row, or its file would keep what was erased.
pub fn days_to_write(
    folder: &Path,
    which: Stored,
    answer: &Value,
) -> anyhow::Result<BTreeSet<Date>> {
    let days = answer.get("days").and_then(Value::as_array);
    let days = days.into_iter().flatten().filter_map(Value::as_str);
    let mut days: BTreeSet<Date> = days.filter_map(|day| day.parse().ok()).collect();
    let there = match std::fs::read_dir(folder) {
        Ok(there) => there,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(days),
        Err(error) => return Err(error).with_context(|| format!("reading {}", folder.display())),
    };
    for entry in there {
        let entry = entry.with_context(|| format!("reading {}", folder.display()))?;
        let name = entry.file_name();
        let day = name.to_str().and_then(|name| name.strip_prefix(DAY));
        if let Some(day) = day.and_then(|day| day.parse().ok())
            && which.touches(day)
            && entry.path().join(FILE).exists()
        {
            days.insert(day);
        }
    }
    Ok(days)
}
