//! `lecternd doctor` and `lecternd verify`: what is wrong first, what will be, and what to do about it.

use std::fs;
use std::path::Path;

use anyhow::Context;
use serde_json::{Value, json};

use crate::backup;
use crate::services::{RECORDS, Services, store_options};

/// Below this share of the disk free, `doctor` warns.
const LOW_DISK_SHARE: f64 = 0.1;

/// Checks stores, evidence, disk and media machine. The answer has `checks`, and `error` when one is bad.
///
/// # Errors
/// A check itself cannot be made.
pub fn examine(services: &Services) -> anyhow::Result<Value> {
    let checks = [
        ("records", store_check(&services.records)),
        ("library", store_check(&services.library_store)),
        ("evidence", evidence_check(services)),
        ("disk", disk_check(services)),
        ("media", media_check()),
    ];
    let bad: Vec<&str> = checks
        .iter()
        .filter(|(_, check)| check.state == "bad")
        .map(|(name, _)| *name)
        .collect();
    let error = (!bad.is_empty()).then(|| format!("Look at: {}", bad.join(", ")));
    let rows: Vec<Value> = checks
        .iter()
        .map(|(name, check)| json!({ "check": name, "state": check.state, "detail": check.detail }))
        .collect();
    Ok(match error {
        Some(error) => json!({ "checks": rows, "error": error }),
        None => json!({ "checks": rows }),
    })
}

struct Check {
    state: &'static str,
    detail: String,
}

impl Check {
    fn ok(detail: impl Into<String>) -> Self {
        Self {
            state: "ok",
            detail: detail.into(),
        }
    }

    fn soon(detail: impl Into<String>) -> Self {
        Self {
            state: "soon",
            detail: detail.into(),
        }
    }

    fn bad(detail: impl Into<String>) -> Self {
        Self {
            state: "bad",
            detail: detail.into(),
        }
    }
}

fn store_check(store: &lectern_store::Store) -> Check {
    match store.check() {
        Ok(_) => Check::ok("every page and row can be read"),
        Err(error) => Check::bad(format!(
            "{error}. Restore the newest backup into an empty folder."
        )),
    }
}

fn evidence_check(services: &Services) -> Check {
    match services.lrs.verify_chain() {
        Ok(found) => match found.broken {
            None => Check::ok(format!("{} records, the chain is whole", found.entries)),
            Some((sequence, why)) => Check::bad(format!(
                "record {sequence} does not fit: {why}. Keep this folder and compare it with a backup."
            )),
        },
        Err(error) => Check::bad(error.to_string()),
    }
}

fn disk_check(services: &Services) -> Check {
    match services.library.disk() {
        Ok(disk) if !disk.is_above_floor() => Check::bad(
            "the disk is full: uploads and processing wait. Free space, work goes on by itself.",
        ),
        Ok(disk) if (disk.free_bytes as f64) < disk.total_bytes as f64 * LOW_DISK_SHARE => {
            Check::soon(format!(
                "{} MB are free. Free space or enlarge the disk soon.",
                disk.free_bytes >> 20
            ))
        }
        Ok(disk) => Check::ok(format!(
            "{} MB of {} MB are free",
            disk.free_bytes >> 20,
            disk.total_bytes >> 20
        )),
        Err(error) => Check::bad(error.to_string()),
    }
}

/// The worker's elements, looked for on disk: GStreamer is never started in this process.
fn media_check() -> Check {
    const PLUGINS: [&str; 4] = [
        "libgstx264.so",
        "libgstlibav.so",
        "libgstcoreelements.so",
        "libgstplayback.so",
    ];
    let folders = [
        "/usr/lib/x86_64-linux-gnu/gstreamer-1.0",
        "/usr/lib/aarch64-linux-gnu/gstreamer-1.0",
        "/usr/lib/gstreamer-1.0",
    ];
    let missing: Vec<&str> = PLUGINS
        .into_iter()
        .filter(|plugin| {
            !folders
                .iter()
                .any(|folder| Path::new(folder).join(plugin).exists())
        })
        .collect();
    if missing.is_empty() {
        Check::ok("GStreamer's decoders and encoders are installed")
    } else {
        Check::bad(format!(
            "GStreamer lacks {}. Install gstreamer1.0-plugins-ugly and gstreamer1.0-libav.",
            missing.join(", ")
        ))
    }
}

/// Checks the evidence chain of a backup archive or of a `records.redb` that no daemon has open.
///
/// # Errors
/// The file cannot be read or is neither; a broken chain is in the answer, as `error`.
pub fn verify(file: &Path) -> anyhow::Result<Value> {
    let scratch = tempfile::tempdir()?;
    let records = scratch.path().join(RECORDS);
    let is_store = file
        .extension()
        .is_some_and(|extension| extension == "redb");
    if is_store {
        fs::copy(file, &records).with_context(|| format!("reading {}", file.display()))?;
    } else {
        let archive =
            fs::File::open(file).with_context(|| format!("opening {}", file.display()))?;
        backup::extract_records(std::io::BufReader::new(archive), &records)?;
    }
    let store = lectern_store::Store::open(&records, store_options(RECORDS))
        .context("the records cannot be opened")?;
    let found = lectern_lrs::Lrs::open(store, Vec::new())?.verify_chain()?;
    let mut answer = json!({ "entries": found.entries, "erased": found.erased });
    if let (Some((sequence, why)), Some(object)) = (found.broken, answer.as_object_mut()) {
        object.insert(
            "error".to_owned(),
            format!("record {sequence} does not fit: {why}").into(),
        );
    }
    Ok(answer)
}
