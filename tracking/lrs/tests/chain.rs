//! The evidence: what was changed behind the record store's back is found.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs, reason = "tests")]

mod common;

use common::statement;
use lectern_lrs::Verification;
use lectern_store::{Error, Table, Tx};
use serde_json::json;

/// Blocks as the file has them; the format byte is that of raw bytes, too.
const BLOCKS: Table<u64, Vec<u8>> = Table::new("lrs.blocks");
const AUTHORITIES: Table<u128, String> = Table::new("lrs.authorities");

/// Statements in several blocks, changed by `tamper`; what the walk then finds. The texts are such that few fit a block.
async fn found_after(
    tamper: impl Fn(&Tx<'_>) -> Result<(), Error> + Send + 'static,
) -> Verification {
    let lrs = common::new();
    for activity in ["a", "b", "c"] {
        let mut big = statement("ada", "read", activity);
        let noise: String = (0..150).map(|_| uuid::Uuid::new_v4().to_string()).collect();
        big["object"]["definition"] = json!({ "description": { "en": noise } });
        lrs.post(&big).await.unwrap();
    }
    assert_eq!(
        lrs.lrs.verify_chain().unwrap(),
        Verification {
            entries: 3,
            ..Verification::default()
        }
    );
    lrs.lrs.store().write(move |tx| tamper(tx)).unwrap();
    lrs.lrs.verify_chain().unwrap()
}

#[tokio::test]
async fn a_bit_that_was_changed_is_found_wherever_it_is() {
    for place in (0..3_000).step_by(97) {
        let found = found_after(move |tx| {
            let mut bytes = tx.get(&BLOCKS, &2)?.unwrap();
            bytes[place] ^= 1 << (place % 8);
            tx.insert(&BLOCKS, &2, &bytes).map(|_| ())
        })
        .await;
        let (sequence, _) = found.broken.unwrap_or_else(|| panic!("byte {place}"));
        assert!((2..=3).contains(&sequence), "byte {place}: {sequence}");
    }
}

#[tokio::test]
async fn an_entry_that_was_taken_out_is_found() {
    let found = found_after(|tx| tx.remove(&BLOCKS, &2).map(|_| ())).await;
    let (sequence, why) = found.broken.unwrap();
    assert!(why.contains("record 2 is not where"), "{sequence}: {why}");
}

#[tokio::test]
async fn two_entries_that_changed_places_are_found() {
    let found = found_after(|tx| {
        let (second, third) = (tx.get(&BLOCKS, &2)?.unwrap(), tx.get(&BLOCKS, &3)?.unwrap());
        tx.insert(&BLOCKS, &2, &third)?;
        tx.insert(&BLOCKS, &3, &second).map(|_| ())
    })
    .await;
    assert_eq!(found.broken.unwrap().0, 2);
}

#[tokio::test]
async fn another_authority_is_found() {
    let found = found_after(|tx| {
        let row = tx.range(&AUTHORITIES, ..)?.next().unwrap()?;
        tx.insert(&AUTHORITIES, &row.0, &row.1.replace("test", "else"))
            .map(|_| ())
    })
    .await;
    assert!(found.broken.unwrap().1.contains("body of record 1"));
}
