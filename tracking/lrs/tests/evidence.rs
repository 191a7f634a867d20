//! The evidence through its public door: what is changed in the store or in an export is found.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs, reason = "tests")]

mod common;

use std::collections::BTreeSet;

use common::statement;
use jiff::Timestamp;
use lectern_lrs::evidence::{
    Error, Evidence, Fingerprint, Report, SigningKey, known_key, verify_export, verify_store,
};
use lectern_store::{Table, Tx};
use serde_json::{Value, json};

// As bytes: their format byte is that of raw bytes, too.
const BLOCKS: Table<u64, Vec<u8>> = Table::new("lrs.blocks");
const HEADS: Table<u64, Vec<u8>> = Table::new("lrs.heads");

fn key() -> SigningKey {
    SigningKey::from_pkcs8(&SigningKey::make().unwrap()).unwrap()
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_795_456_800 + second).unwrap()
}

struct Signed {
    lrs: common::Box,
    evidence: Evidence,
    fingerprint: Fingerprint,
}

/// Six statements under heads at 2 and 4, the body of the third erased.
async fn signed() -> Signed {
    signed_over(|| "ä".to_owned()).await
}

/// Each of them in a block of its own.
async fn signed_in_blocks() -> Signed {
    let noise = || (0..150).map(|_| uuid::Uuid::new_v4().to_string()).collect();
    signed_over(noise).await
}

async fn signed_over(name: impl Fn() -> String) -> Signed {
    let lrs = common::new();
    let key = key();
    let fingerprint = key.public().fingerprint();
    let evidence = Evidence::open(lrs.lrs.clone(), Some(key)).unwrap();
    for n in 1..=6 {
        let mut one = statement("ada", "read", "ä");
        one["object"]["definition"] = json!({ "name": { "en": name() } });
        lrs.post(&one).await.unwrap();
        if n == 2 || n == 4 {
            assert_eq!(evidence.sign(at(n)).unwrap().unwrap().sequence, n as u64);
        }
    }
    assert_eq!(lrs.lrs.erase(&BTreeSet::from([3])).unwrap(), 1);
    Signed {
        lrs,
        evidence,
        fingerprint,
    }
}

impl Signed {
    fn export(&self, bodies: bool) -> Vec<u8> {
        let mut export = Vec::new();
        let exported = self
            .evidence
            .export("https://box.invalid", bodies, at(9), &mut export)
            .unwrap();
        assert_eq!((exported.entries, exported.heads), (6, 2));
        export
    }

    fn in_store(&self) -> Result<Report, String> {
        said(verify_store(&self.lrs.lrs, None, None, &mut |_| Ok(())))
    }
}

fn said(found: Result<Report, Error>) -> Result<Report, String> {
    found.map_err(|error| error.to_string())
}

fn judged(export: &[u8]) -> Result<Report, String> {
    judged_by(export, None)
}

fn judged_by(mut export: &[u8], key: Option<Fingerprint>) -> Result<Report, String> {
    said(verify_export(&mut export, key, None, &mut |_| {}))
}

fn lines(export: &[u8]) -> Vec<String> {
    let text = std::str::from_utf8(export).unwrap();
    text.lines().map(str::to_owned).collect()
}

fn join(lines: &[String]) -> Vec<u8> {
    lines
        .iter()
        .flat_map(|line| [line.as_bytes(), b"\n"].concat())
        .collect()
}

/// The line with this member set anew.
fn with(line: &str, name: &str, value: Value) -> String {
    let mut object: serde_json::Map<String, Value> = serde_json::from_str(line).unwrap();
    object.insert(name.to_owned(), value);
    Value::Object(object).to_string()
}

#[tokio::test]
async fn store_and_export_are_found_whole_with_the_same_figures() {
    let signed = signed().await;
    let found = signed.in_store().unwrap();
    assert_eq!((found.entries, found.erased, found.bodies), (6, 1, 5));
    assert_eq!((found.heads, found.last_signed, found.unsigned), (2, 4, 2));
    assert_eq!(found.key, Some(signed.fingerprint));
    assert_eq!(judged(&signed.export(true)), Ok(found.clone()));
    let without = judged_by(&signed.export(false), Some(signed.fingerprint)).unwrap();
    assert_eq!(without, Report { bodies: 0, ..found });
    assert!(judged_by(&signed.export(true), Some(key().public().fingerprint())).is_err());
}

#[tokio::test]
async fn an_export_has_its_documented_lines_and_no_statement_unless_asked() {
    let signed = signed().await;
    let lines = lines(&signed.export(false));
    let names = |line: &str| -> BTreeSet<String> {
        let object: serde_json::Map<String, Value> = serde_json::from_str(line).unwrap();
        object.into_iter().map(|(name, _)| name).collect()
    };
    let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let header = set(&["lectern_evidence", "box", "made", "key", "bodies", "heads"]);
    assert_eq!(names(&lines[0]), header);
    let head = [
        "head",
        "day",
        "sequence",
        "link",
        "stored",
        "signed",
        "previous",
        "key",
        "signature",
    ];
    assert_eq!(names(&lines[1]), set(&head));
    let entry = [
        "sequence",
        "id",
        "stored",
        "credential",
        "body_hash",
        "link",
    ];
    assert_eq!(names(&lines[3]), set(&entry));
    assert_eq!(names(&lines[9]), set(&["entries", "sha256", "signature"]));
    assert_eq!(lines.len(), 10);
    assert!(!lines.join("").contains("verbs/read"));
    assert!(lines[5].contains("\"erased\":true"), "{}", lines[5]);
}

#[tokio::test]
async fn any_bit_that_changes_in_an_export_is_found() {
    let export = signed().await.export(true);
    for at in 0..export.len() {
        for bit in 0..8 {
            let mut changed = export.clone();
            changed[at] ^= 1 << bit;
            assert!(judged(&changed).is_err(), "byte {at}, bit {bit}");
        }
    }
}

#[tokio::test]
async fn an_export_that_is_cut_anywhere_is_not_taken_for_whole() {
    let export = signed().await.export(true);
    for length in 0..export.len() {
        assert!(judged(&export[..length]).is_err(), "{length} bytes");
    }
    assert!(judged(&[&export[..], b"\n"].concat()).is_err());
}

#[tokio::test]
async fn each_damage_of_an_export_is_named() {
    let signed = signed().await;
    let whole = lines(&signed.export(true));
    // Header 0, heads 1 and 2, records 3 to 8, end 9.
    type Damage = fn(&mut Vec<String>);
    let rows: [(&str, Damage); 9] = [
        ("record 2 is not where", |lines| {
            lines.remove(4);
        }),
        ("record 2 is not where", |lines| lines.swap(4, 5)),
        ("the body of record 2", |lines| {
            lines[4] = with(&lines[4], "body", json!("{}"));
        }),
        ("record 2 is not what its own hash says", |lines| {
            lines[4] = with(&lines[4], "credential", json!("credential:other"));
        }),
        ("line 7 of the export is missing", |lines| lines.truncate(6)),
        ("line 2 of the export is no signed head", |lines| {
            lines.drain(1..3);
        }),
        ("line 3 of the export is no signed head", |lines| {
            lines.remove(1);
        }),
        ("the signature of head 2", |lines| {
            lines[2] = with(&lines[2], "sequence", json!(3));
        }),
        ("line 10 of the export does not name the hash", |lines| {
            lines[0] = with(&lines[0], "box", json!("https://another.invalid"));
        }),
    ];
    for (sentence, damage) in rows {
        let mut lines = whole.clone();
        damage(&mut lines);
        let error = judged(&join(&lines)).unwrap_err();
        assert!(error.contains(sentence), "{sentence}: {error}");
    }
    // With the header's count made to fit.
    let mut fewer = whole.clone();
    fewer.remove(1);
    fewer[0] = with(&fewer[0], "heads", json!(1));
    let error = judged(&join(&fewer)).unwrap_err();
    assert!(error.contains("head 1 is missing"), "{error}");
    let mut shorter = whole;
    shorter.drain(6..9);
    let error = judged(&join(&shorter)).unwrap_err();
    assert!(error.contains("the log ends with record 3"), "{error}");
}

#[tokio::test]
async fn the_last_head_taken_out_of_an_export_is_found_by_the_signed_end() {
    let mut lines = lines(&signed().await.export(true));
    lines.remove(2);
    lines[0] = with(&lines[0], "heads", json!(1));
    let error = judged(&join(&lines)).unwrap_err();
    assert!(error.contains("line 9 of the export"), "{error}");
}

#[tokio::test]
async fn each_damage_of_a_store_is_named() {
    fn flip(tx: &Tx<'_>, place: usize) -> Result<(), lectern_store::Error> {
        let mut bytes = tx.get(&BLOCKS, &2)?.unwrap();
        let place = if place < 100 {
            place
        } else {
            bytes.len() - place
        };
        bytes[place] ^= 1;
        tx.insert(&BLOCKS, &2, &bytes).map(drop)
    }
    fn swap(tx: &Tx<'_>) -> Result<(), lectern_store::Error> {
        let (two, four) = (tx.get(&BLOCKS, &2)?.unwrap(), tx.get(&BLOCKS, &4)?.unwrap());
        tx.insert(&BLOCKS, &2, &four)?;
        tx.insert(&BLOCKS, &4, &two).map(drop)
    }
    type Damage = fn(&Tx<'_>) -> Result<(), lectern_store::Error>;
    // A block begins with how many entries it has, the link before them, and the link of the last.
    let rows: [(&str, Damage); 10] = [
        ("record 2 does not name", |tx| flip(tx, 10)),
        ("record 2 is not what its own hash says", |tx| flip(tx, 40)),
        (" 2", |tx| flip(tx, 200)),
        ("record 2 is not where", |tx| {
            tx.remove(&BLOCKS, &2).map(drop)
        }),
        ("record 2 ", swap),
        ("the log ends with record 3", |tx| {
            (4..=6).try_for_each(|n| tx.remove(&BLOCKS, &n).map(drop))
        }),
        ("head 2 was signed over record 4", |tx| {
            (4..=6).try_for_each(|n| tx.remove(&BLOCKS, &n).map(drop))
        }),
        ("the signature of head 2", |tx| flip_signature(tx, 2)),
        ("head 1 is missing", |tx| tx.remove(&HEADS, &1).map(drop)),
        ("head 2 is missing", |tx| tx.remove(&HEADS, &2).map(drop)),
    ];
    for (sentence, damage) in rows {
        let signed = signed_in_blocks().await;
        signed.lrs.lrs.store().write(damage).unwrap();
        let error = signed.in_store().unwrap_err();
        assert!(error.contains(sentence), "{sentence}: {error}");
    }
}

fn flip_signature(tx: &Tx<'_>, head: u64) -> Result<(), lectern_store::Error> {
    let text = String::from_utf8(tx.get(&HEADS, &head)?.unwrap()).unwrap();
    let mut row: Value = serde_json::from_str(&text).unwrap();
    let signature = row["signature"].as_str().unwrap().to_owned();
    let digit = if signature.starts_with('0') { "1" } else { "0" };
    row["signature"] = json!(format!("{digit}{}", &signature[1..]));
    let bytes = row.to_string().into_bytes();
    tx.insert(&HEADS, &head, &bytes).map(drop)
}

#[tokio::test]
async fn a_head_signed_anew_with_another_key_is_found() {
    let signed = signed().await;
    let forger = common::new();
    let key = key();
    let forged = Evidence::open(forger.lrs.clone(), Some(key)).unwrap();
    forger.post(&statement("eve", "read", "x")).await.unwrap();
    forged.sign(at(1)).unwrap().unwrap();
    let row = forger
        .lrs
        .store()
        .snapshot()
        .unwrap()
        .get(&HEADS, &1)
        .unwrap();
    let row = row.unwrap();
    let put = move |tx: &Tx<'_>| tx.insert(&HEADS, &1, &row).map(drop);
    signed.lrs.lrs.store().write(put).unwrap();
    let error = signed.in_store().unwrap_err();
    assert!(error.contains("head 1 is signed with the key"), "{error}");
}

#[tokio::test]
async fn nothing_is_signed_twice_nor_with_a_key_that_is_not_the_boxs() {
    let lrs = common::new();
    let key_file = SigningKey::make().unwrap();
    let open = |document: &[u8]| {
        let key = SigningKey::from_pkcs8(document).unwrap();
        Evidence::open(lrs.lrs.clone(), Some(key)).unwrap()
    };
    let evidence = open(&key_file);
    assert_eq!(evidence.sign(at(0)).unwrap(), None, "an empty log");
    assert_eq!(evidence.sign_when_due(at(0)).unwrap(), None);
    lrs.post(&statement("ada", "read", "a")).await.unwrap();
    let first = evidence.sign_when_due(at(0)).unwrap().unwrap();
    assert_eq!(first.day, Some("2026-11-23".parse().unwrap()));
    let day = 86_400;
    assert_eq!(
        evidence.sign_when_due(at(day)).unwrap(),
        None,
        "nothing came"
    );
    lrs.post(&statement("ada", "read", "b")).await.unwrap();
    assert_eq!(
        evidence.sign_when_due(at(60)).unwrap(),
        None,
        "the same day"
    );
    // The clock jumped back by a week.
    let second = evidence.sign_when_due(at(-7 * day)).unwrap().unwrap();
    assert_eq!((second.number, second.sequence), (2, 2));
    assert_eq!(evidence.sign(at(0)).unwrap(), None, "nothing came since");
    let report = evidence.verify().unwrap();
    assert_eq!((report.heads, report.unsigned), (2, 0));
    let other = open(&SigningKey::make().unwrap());
    assert!(!other.can_sign());
    assert!(matches!(other.sign(at(0)), Err(Error::NoKey)));
    let mine = SigningKey::from_pkcs8(&key_file).unwrap().public();
    assert_eq!(known_key(&lrs.lrs).unwrap(), Some(mine));
}

#[tokio::test]
async fn a_verification_that_was_asked_for_is_carried_out_and_remembered() {
    let signed = signed().await;
    let stop = tokio_util::sync::CancellationToken::new();
    let running = tokio::spawn(lectern_lrs::evidence::run(
        signed.evidence.clone(),
        stop.clone(),
    ));
    assert!(signed.evidence.ask_for_verification().unwrap());
    let standing = loop {
        let standing = signed.evidence.standing().unwrap();
        if standing.verifying.is_none() {
            break standing;
        }
        tokio::task::yield_now().await;
    };
    let verified = standing.verified.unwrap();
    assert_eq!((verified.error, verified.report.entries), (None, 6));
    stop.cancel();
    running.await.unwrap();
}
