//! Folds stand and fall with the log.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs, reason = "tests")]

mod common;

use std::sync::atomic::Ordering;
use std::sync::{Arc, Barrier};

use common::{reference, statement, voiding};
use lectern_lrs::{Entry, Erased, Fold, Lrs};
use lectern_store::testing::CrashDisk;
use lectern_store::{Error, Options, Store, Table, Tx};
use lectern_xapi::Statement;
use serde_json::json;

const COUNTS: Table<String, u64> = Table::new("test.counts");

/// Counts statements by verb.
struct Verbs;

impl Fold for Verbs {
    fn name(&self) -> &'static str {
        "test.verbs"
    }
    fn apply(&self, tx: &Tx<'_>, entry: &Entry, statement: &Statement) -> Result<(), Error> {
        assert_eq!(statement.id, Some(entry.id));
        assert_eq!(statement.stored, Some(entry.stored));
        assert!(statement.timestamp.is_some() && statement.authority.is_some());
        let verb = statement.verb.id.clone();
        let count = tx.get(&COUNTS, &verb)?.unwrap_or(0) + 1;
        tx.insert(&COUNTS, &verb, &count).map(|_| ())
    }
    fn forget(&self, tx: &Tx<'_>, erased: &Erased<'_>) -> Result<(), Error> {
        for (_, statement) in erased.statements() {
            let verb = statement.verb.id.clone();
            match tx.get(&COUNTS, &verb)?.unwrap_or(0) {
                0 | 1 => tx.remove(&COUNTS, &verb)?,
                count => tx.insert(&COUNTS, &verb, &(count - 1))?,
            };
        }
        Ok(())
    }
    fn clear(&self, tx: &Tx<'_>) -> Result<(), Error> {
        tx.clear(&COUNTS)
    }
}

fn counts(store: &Store) -> Vec<(String, u64)> {
    let rows = store.snapshot().unwrap().range(&COUNTS, ..).unwrap();
    rows.map(Result::unwrap).collect()
}

/// Every byte of the tables of the LRS's own index and folds, read as keys and values of raw bytes.
fn index_bytes(store: &Store) -> Vec<String> {
    fn rows<K: lectern_store::Key + std::fmt::Debug>(
        store: &Store,
        name: &'static str,
    ) -> Vec<String> {
        let table = Table::<K, Bytes>::new(name);
        let rows = store.snapshot().unwrap().range(&table, ..).unwrap();
        rows.map(|row| format!("{name} {:?}", row.unwrap()))
            .collect()
    }
    let tables = [
        rows::<((u8, u8), u64, u64, u64)>(store, "lrs.index.chunks"),
        rows::<(u8, u64)>(store, "lrs.index.runs"),
        rows::<(u64, u64)>(store, "lrs.references.postings"),
        rows::<(uuid::Uuid, u64)>(store, "lrs.references.referrers"),
        rows::<uuid::Uuid>(store, "lrs.references.voided"),
        rows::<String>(store, "lrs.definitions"),
        rows::<(u64, String)>(store, "lrs.names"),
        rows::<(u64, u8)>(store, "lrs.marks"),
    ];
    assert!(tables.iter().all(|rows| !rows.is_empty()));
    tables.concat()
}

/// A value as it lies in the file.
#[derive(Debug)]
struct Bytes(Vec<u8>);

impl lectern_store::Record for Bytes {
    fn encode(&self) -> Vec<u8> {
        self.0.clone()
    }
    fn decode(bytes: &[u8]) -> Result<Self, lectern_store::Corrupt> {
        Ok(Self(bytes.to_vec()))
    }
}

async fn fill(lrs: &common::Box) {
    for n in 0..40 {
        let mut plain = statement(&format!("a{}", n % 3), &format!("v{}", n % 4), "book");
        plain["object"]["definition"] =
            json!({ "name": { format!("en-{:03}", n % 5 + 100): "x" } });
        plain["actor"]["name"] = json!(format!("Name {}", n % 2));
        plain["timestamp"] = json!(format!("2026-11-23T{:02}:00:00Z", n % 24));
        let about_later = uuid::Uuid::now_v7().to_string();
        let early = reference("b", "w", &about_later);
        let mut later = statement("c", "u", "film");
        later["id"] = json!(about_later);
        let id = common::id(&plain);
        lrs.post(&json!([plain, early, reference("b", "x", &id), later]))
            .await
            .unwrap();
        if n % 7 == 0 {
            lrs.post(&voiding(&id)).await.unwrap();
        }
    }
}

#[tokio::test]
async fn a_dropped_fold_that_is_built_anew_holds_the_same_bytes() {
    let lrs = common::with_folds(vec![Arc::new(Verbs)]);
    fill(&lrs).await;
    lrs.lrs.rest();
    let (before, own) = (counts(lrs.lrs.store()), index_bytes(lrs.lrs.store()));
    assert!(!before.is_empty() && own.len() > 200);
    // Backups, `doctor` and `verify` look at every table so.
    assert_eq!(lrs.lrs.store().check().unwrap().problems, [""; 0]);
    for fold in [
        "test.verbs",
        "lrs.index.3",
        "lrs.references.1",
        "lrs.definitions.1",
        "lrs.punctuality.1",
    ] {
        lrs.lrs.rebuild(fold).unwrap();
    }
    lrs.lrs.rest();
    assert_eq!(counts(lrs.lrs.store()), before);
    assert_eq!(index_bytes(lrs.lrs.store()), own);
}

#[tokio::test]
async fn a_fold_that_comes_later_or_comes_back_is_built_from_the_log() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(std::sync::atomic::AtomicI64::new(common::START));
    let mut lrs = common::Box {
        lrs: common::open(folder.path(), &clock, vec![]),
        clock: Arc::clone(&clock),
        folder,
    };
    fill(&lrs).await;
    for _ in 0..2 {
        lrs.lrs.close();
        lrs.lrs.store().close();
        lrs.lrs = common::open(lrs.folder.path(), &clock, vec![Arc::new(Verbs)]);
        let total: u64 = counts(lrs.lrs.store()).iter().map(|(_, count)| count).sum();
        assert_eq!(total, lrs.lrs.head().unwrap());
        // Without the fold, what comes meanwhile must not be lost to it.
        lrs.lrs.store().close();
        lrs.lrs = common::open(lrs.folder.path(), &clock, vec![]);
        clock.fetch_add(1_000_000, Ordering::SeqCst);
        lrs.post(&statement("ada", "read", "book")).await.unwrap();
    }
}

const RESERVE_BYTES: u64 = 8 << 20;

fn open_on(disk: &CrashDisk, folds: Vec<Arc<dyn Fold>>) -> Result<Lrs, lectern_lrs::Error> {
    let options = Options {
        reserve_bytes: RESERVE_BYTES,
        ..Options::default()
    };
    Lrs::open(
        Store::open_on(Box::new(disk.clone()), options).unwrap(),
        folds,
    )
}

#[tokio::test]
async fn a_full_disk_keeps_no_log_from_being_opened() {
    let disk = CrashDisk::new();
    let lrs = open_on(&disk, vec![]).unwrap();
    let statements: Vec<_> = (0..500)
        .map(|n| statement("ada", "read", &n.to_string()))
        .collect();
    let (caller, version) = (common::admin(), lectern_xapi::Version::V2_0_0);
    lrs.post_statements(&caller, version, json!(statements).to_string())
        .await
        .unwrap();
    drop(lrs);
    disk.set_free_bytes(RESERVE_BYTES);
    let lrs = open_on(&disk, vec![]).unwrap();
    assert_eq!(lrs.store().stats().commits, 0);
    drop(lrs);
    // A fold that an update brings, and one that an update takes away.
    let lrs = open_on(&disk, vec![Arc::new(Verbs)]).unwrap();
    assert_eq!(counts(lrs.store()), [("http://verbs/read".to_owned(), 500)]);
    drop(lrs);
    drop(open_on(&disk, vec![]).unwrap());
}

/// Waits inside its first entry until it has been looked at.
struct Slow(Barrier);

impl Fold for Slow {
    fn name(&self) -> &'static str {
        "test.slow"
    }
    fn apply(&self, _: &Tx<'_>, entry: &Entry, _: &Statement) -> Result<(), Error> {
        if entry.sequence == 1 {
            self.0.wait();
            self.0.wait();
        }
        Ok(())
    }
    fn forget(&self, _: &Tx<'_>, _: &Erased<'_>) -> Result<(), Error> {
        Ok(())
    }
    fn clear(&self, _: &Tx<'_>) -> Result<(), Error> {
        Ok(())
    }
}

#[tokio::test]
async fn folds_are_behind_only_while_one_is_built_anew() {
    let fold = Arc::new(Slow(Barrier::new(2)));
    let lrs = common::with_folds(vec![Arc::clone(&fold) as Arc<dyn Fold>]);
    let look = |lrs: &Lrs| {
        fold.0.wait();
        let lag = lrs.fold_lag().unwrap();
        fold.0.wait();
        lag
    };
    let first = lrs.lrs.clone();
    let watcher = std::thread::spawn({
        let fold = Arc::clone(&fold);
        move || {
            for _ in 0..2 {
                fold.0.wait();
            }
        }
    });
    lrs.post(&json!([
        statement("ada", "read", "a"),
        statement("ada", "read", "b")
    ]))
    .await
    .unwrap();
    watcher.join().unwrap();
    lrs.lrs.settle();
    assert_eq!(lrs.lrs.fold_lag().unwrap(), 0);
    let rebuilding = std::thread::spawn(move || first.rebuild("test.slow"));
    assert_eq!(look(&lrs.lrs), 2);
    rebuilding.join().unwrap().unwrap();
    assert_eq!(lrs.lrs.fold_lag().unwrap(), 0);
}

#[test]
fn a_store_whose_statements_lie_in_rows_is_refused_and_left_as_it_is() {
    const ROWS: Table<u64, String> = Table::new("lrs.log");
    let folder = tempfile::tempdir().unwrap();
    let open = || Store::open(&folder.path().join("records.redb"), Options::default()).unwrap();
    let row = "an entry of before".to_owned();
    let for_tx = row.clone();
    let store = open();
    store
        .write(move |tx| tx.insert(&ROWS, &1, &for_tx))
        .unwrap();
    let refused = Lrs::open(store.clone(), vec![]).err().unwrap();
    assert!(refused.to_string().contains("another version"), "{refused}");
    store.close();
    drop(store);
    assert_eq!(
        open().snapshot().unwrap().get(&ROWS, &1).unwrap(),
        Some(row)
    );
}
