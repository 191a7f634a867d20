//! Power cuts by number: at every sync of a run, with every kind of loss, what was answered is there, once, whole.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs, reason = "tests")]

mod common;

use common::{admin, id, reference, statement, voiding};
use lectern_lrs::Lrs;
use lectern_store::testing::{CrashDisk, Loss};
use lectern_store::{Options, Store};
use lectern_xapi::Version;
use serde_json::{Value, json};

fn open(disk: &CrashDisk) -> Option<Lrs> {
    let options = Options {
        reserve_bytes: 0,
        ..Options::default()
    };
    let store = Store::open_on(Box::new(disk.clone()), options).ok()?;
    Lrs::open(store, vec![]).ok()
}

/// Batches of 1 to 3; some refer to others, one voids.
fn batches() -> Vec<Vec<Value>> {
    let mut batches: Vec<Vec<Value>> = (0..6)
        .map(|n| {
            (0..=n % 3)
                .map(|m| statement("ada", "read", &format!("{n}-{m}")))
                .collect()
        })
        .collect();
    let (first, second) = (id(&batches[0][0]), id(&batches[1][1]));
    batches.push(vec![voiding(&first), reference("bob", "saw", &second)]);
    batches.push(vec![statement("eve", "wrote", "x")]);
    batches
}

/// Posts until something fails; says how many batches were answered.
async fn post(lrs: &Lrs, batches: &[Vec<Value>]) -> usize {
    for (answered, batch) in batches.iter().enumerate() {
        let posted = lrs
            .post_statements(&admin(), Version::V2_0_0, json!(batch).to_string())
            .await;
        if posted.is_err() {
            return answered;
        }
    }
    batches.len()
}

fn stored_ids(lrs: &Lrs) -> Vec<String> {
    let head = lrs.head().unwrap();
    (1..=head)
        .map(|n| lrs.statement(n).unwrap().unwrap().0.id.to_string())
        .collect()
}

#[tokio::test]
async fn what_was_answered_survives_a_power_cut_at_every_sync() {
    let batches = batches();
    let whole = CrashDisk::new();
    assert_eq!(post(&open(&whole).unwrap(), &batches).await, batches.len());
    let syncs = whole.syncs();
    assert!(syncs >= batches.len() as u64);
    for n in 1..=syncs {
        let disk = CrashDisk::new();
        disk.freeze_at_sync(n);
        let answered = match open(&disk) {
            Some(lrs) => post(&lrs, &batches).await,
            None => 0,
        };
        for loss in [
            Loss::Everything,
            Loss::Nothing,
            Loss::Some(n),
            Loss::Some(n * 7 + 1),
        ] {
            let after = CrashDisk::with_image(disk.after_power_cut(loss));
            let lrs =
                open(&after).unwrap_or_else(|| panic!("sync {n}, {loss:?}: cannot be opened"));
            let found = stored_ids(&lrs);
            // Whole batches, in order, none twice: what was answered, and at most the one under way.
            let ends: Vec<usize> = batches
                .iter()
                .scan(0, |sum, batch| {
                    *sum += batch.len();
                    Some(*sum)
                })
                .collect();
            let expected: Vec<String> = batches.iter().flatten().map(id).collect();
            assert_eq!(found, expected[..found.len()], "sync {n}, {loss:?}");
            let least = answered.checked_sub(1).map_or(0, |last| ends[last]);
            assert!(
                found.len() >= least,
                "sync {n}, {loss:?}: {} of {least}",
                found.len()
            );
            assert!(
                found.is_empty() || ends.contains(&found.len()),
                "sync {n}, {loss:?}"
            );
            assert_eq!(lrs.verify_chain().unwrap().broken, None);
            // Whoever got no answer sends again, and all is well.
            assert_eq!(
                post(&lrs, &batches).await,
                batches.len(),
                "sync {n}, {loss:?}"
            );
            assert_eq!(stored_ids(&lrs), expected);
        }
    }
}
