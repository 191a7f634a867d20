//! `lecternd verify`: the evidence in a file, on any machine. No state folder and no daemon is asked.

use std::fs::File;
use std::io::{BufRead, BufReader, Seek};
use std::path::Path;

use anyhow::Context;
use lectern_lrs::Lrs;
use lectern_lrs::evidence::{
    Broken, Error, Fingerprint, Hex, Report, SigningKey, known_key, verify_export, verify_store,
};
use lectern_store::Store;
use serde_json::{Value, json};

use crate::backup;
use crate::services::{RECORDS, store_options};

/// Read at once from an export.
const BUFFER_BYTES: usize = 1 << 20;
/// What a redb file begins with.
const REDB: &[u8] = b"redb\x1A\x0A";

/// Checks the evidence in a backup archive, a `records.redb` that no daemon has open, or an export.
///
/// # Errors
/// The file cannot be read, is none of these, or is damaged as a file; evidence that does not hold is in the answer, as
/// `error`.
pub fn verify(
    file: &Path,
    key: Option<Fingerprint>,
    head: Option<Hex<32>>,
) -> anyhow::Result<Value> {
    let opened = File::open(file).with_context(|| format!("opening {}", file.display()))?;
    let mut from = BufReader::with_capacity(BUFFER_BYTES, opened);
    let first = from.fill_buf().context("reading the file")?;
    if first.starts_with(b"{") {
        return answer(verify_export(&mut from, key, head, &mut |_| {}));
    }
    let is_store = first.starts_with(REDB) || file.extension().is_some_and(|end| end == "redb");
    let scratch = tempfile::tempdir()?;
    let records = scratch.path().join(RECORDS);
    let mut beside = None;
    // Every page first: what lies on a damaged one proves nothing.
    let placed = if is_store {
        Store::restore(file, &records)
    } else {
        from.rewind()?;
        let copy = scratch.path().join("copy");
        beside = backup::extract_evidence(from, &copy)?;
        Store::restore(&copy, &records)
    };
    placed.with_context(|| format!("the records in {} cannot be used", file.display()))?;
    let store =
        Store::open(&records, store_options(RECORDS)).context("the records cannot be opened")?;
    let lrs = Lrs::open(store, Vec::new())?;
    let found = verify_store(&lrs, key, head, &mut |_| Ok(()));
    let known = known_key(&lrs)?.map(|key| key.fingerprint());
    let beside = beside.and_then(|document| SigningKey::from_pkcs8(&document).ok());
    if let (Ok(report), Some(beside), Some(expected)) = (&found, beside, known)
        && beside.public().fingerprint() != expected
    {
        let broken = Broken::KeyBeside {
            found: beside.public().fingerprint(),
            expected,
        };
        return told(report, Some(broken));
    }
    answer(found)
}

fn answer(found: Result<Report, Error>) -> anyhow::Result<Value> {
    match found {
        Ok(report) => told(&report, None),
        Err(Error::Broken(found)) => told(&found.report, Some(found.broken)),
        Err(error) => Err(error.into()),
    }
}

/// The figures, with the sentence when it does not hold.
fn told(report: &Report, broken: Option<Broken>) -> anyhow::Result<Value> {
    let mut answer = serde_json::to_value(report)?;
    if let (Some(broken), Some(object)) = (broken, answer.as_object_mut()) {
        object.insert("error".to_owned(), json!(broken.to_string()));
    }
    Ok(answer)
}
