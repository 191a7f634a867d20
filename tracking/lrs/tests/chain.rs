//! The evidence: what was changed behind the record store's back is found.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs, reason = "tests")]

mod common;

use common::statement;
use lectern_lrs::Verification;
use lectern_store::{Error, Table, Tx};

// Both as bytes: their format byte is that of raw bytes, too.
const LOG: Table<u64, Vec<u8>> = Table::new("lrs.log");
const BODIES: Table<u64, Vec<u8>> = Table::new("lrs.bodies");

/// Three statements, the second of them changed by `tamper`; what the walk then finds.
async fn found_after(
    tamper: impl FnMut(&Tx<'_>) -> Result<(), Error> + Send + 'static,
) -> Verification {
    let lrs = common::new();
    for activity in ["a", "b", "c"] {
        lrs.post(&statement("ada", "read", activity)).await.unwrap();
    }
    assert_eq!(lrs.lrs.verify_chain().unwrap().broken, None);
    lrs.lrs.store().write(tamper).unwrap();
    lrs.lrs.verify_chain().unwrap()
}

/// Changes one byte of a row, `back` from its end.
fn flip(tx: &Tx<'_>, table: &Table<u64, Vec<u8>>, key: u64, back: usize) -> Result<(), Error> {
    let mut bytes = tx.get(table, &key)?.unwrap();
    let place = bytes.len() - back;
    bytes[place] ^= 1;
    tx.insert(table, &key, &bytes).map(|_| ())
}

#[tokio::test]
async fn a_changed_body_is_found() {
    let found = found_after(|tx| flip(tx, &BODIES, 2, 5)).await;
    let (sequence, why) = found.broken.unwrap();
    assert_eq!((sequence, found.entries), (2, 2));
    assert!(why.contains("body"), "{why}");
}

#[tokio::test]
async fn a_changed_entry_is_found_by_the_one_after_it() {
    // Who wrote it stands last.
    let found = found_after(|tx| flip(tx, &LOG, 2, 1)).await;
    let (sequence, why) = found.broken.unwrap();
    assert_eq!(sequence, 3);
    assert!(why.contains("hash"), "{why}");
}

#[tokio::test]
async fn an_entry_that_was_taken_out_is_found() {
    let found = found_after(|tx| tx.remove(&LOG, &2).map(|_| ())).await;
    let (sequence, why) = found.broken.unwrap();
    assert_eq!(sequence, 3);
    assert!(why.contains("number"), "{why}");
}

#[tokio::test]
async fn an_erased_body_breaks_nothing_and_is_counted() {
    let found = found_after(|tx| tx.remove(&BODIES, &2).map(|_| ())).await;
    assert_eq!((found.entries, found.erased, found.broken), (3, 1, None));
}
