//! What a write, a snapshot and a scan promise.
#![allow(clippy::unwrap_used, clippy::panic)] // of tests: clippy.toml allows it in `#[test]` functions alone

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Barrier};

use lectern_store::testing::CrashDisk;
use lectern_store::{Error, Json, Options, Store, Table, Tx};

const NUMBERS: Table<u64, u64> = Table::new("numbers");
const WORDS: Table<(String, u64), Json<Vec<String>>> = Table::new("words");

fn store() -> (Store, CrashDisk) {
    let disk = CrashDisk::new();
    (open(&disk), disk)
}

fn open(disk: &CrashDisk) -> Store {
    Store::open_on(Box::new(disk.clone()), Options::default()).unwrap()
}

fn put(store: &Store, key: u64, value: u64) -> Result<(), Error> {
    store.write(move |tx: &Tx| tx.insert(&NUMBERS, &key, &value).map(|_| ()))
}

#[derive(Debug, PartialEq)]
struct Refused;
impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        panic!("{error}")
    }
}

#[test]
fn a_snapshot_keeps_showing_the_commit_it_was_taken_at() {
    let (store, _) = store();
    put(&store, 1, 10).unwrap();
    let before = store.snapshot().unwrap();
    put(&store, 1, 11).unwrap();
    assert_eq!(before.get(&NUMBERS, &1).unwrap(), Some(10));
    assert_eq!(
        store.snapshot().unwrap().get(&NUMBERS, &1).unwrap(),
        Some(11)
    );
}

#[test]
fn a_table_nobody_wrote_to_is_empty() {
    let (store, _) = store();
    let snapshot = store.snapshot().unwrap();
    assert_eq!(snapshot.get(&NUMBERS, &1).unwrap(), None);
    assert!(snapshot.is_empty(&NUMBERS).unwrap());
    assert_eq!(snapshot.range(&NUMBERS, ..).unwrap().count(), 0);
}

#[test]
fn a_failed_write_leaves_nothing_and_its_neighbours_everything() {
    let (store, _) = store();
    let gate = Arc::new(Barrier::new(2));
    // Holds the writer thread, so that the writes below share one transaction.
    let holder = std::thread::spawn({
        let (store, gate) = (store.clone(), gate.clone());
        move || {
            let first = AtomicU64::new(0);
            store.write(move |tx: &Tx| {
                if first.fetch_add(1, Ordering::Relaxed) == 0 {
                    gate.wait();
                    gate.wait();
                }
                tx.insert(&NUMBERS, &1000, &0).map(|_| ())
            })
        }
    });
    gate.wait();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let answers = runtime.block_on(async {
        let writes: Vec<_> = (0..50_u64)
            .map(|n| {
                let mut write = Box::pin(store.write_async(move |tx: &Tx| {
                    tx.insert(&NUMBERS, &n, &n)?;
                    match n % 7 {
                        0 => Err(Refused),
                        _ => Ok(tx.len(&NUMBERS)?),
                    }
                }));
                // Polled once, it stands in the queue.
                let waker = std::task::Waker::noop();
                let mut context = std::task::Context::from_waker(waker);
                assert!(write.as_mut().poll(&mut context).is_pending());
                write
            })
            .collect();
        gate.wait();
        let mut answers = Vec::new();
        for write in writes {
            answers.push(write.await);
        }
        answers
    });
    holder.join().unwrap().unwrap();
    let snapshot = store.snapshot().unwrap();
    let mut kept = 1;
    for (n, answer) in (0_u64..).zip(answers) {
        let is_refused = n % 7 == 0;
        kept += u64::from(!is_refused);
        assert_eq!(
            answer,
            if is_refused { Err(Refused) } else { Ok(kept) },
            "{n}"
        );
        assert_eq!(snapshot.get(&NUMBERS, &n).unwrap().is_none(), is_refused);
    }
    let stats = store.stats();
    assert!(
        stats.commits < stats.writes,
        "writes that waited together share a commit"
    );
}

#[test]
fn a_write_that_panics_is_answered_and_the_store_goes_on() {
    let (store, _) = store();
    let answer = store.write(|tx: &Tx| -> Result<(), Error> {
        tx.insert(&NUMBERS, &1, &1)?;
        panic!("on purpose");
    });
    assert!(matches!(answer, Err(Error::Panicked)));
    put(&store, 2, 2).unwrap();
    let snapshot = store.snapshot().unwrap();
    assert_eq!(snapshot.get(&NUMBERS, &1).unwrap(), None);
    assert_eq!(snapshot.get(&NUMBERS, &2).unwrap(), Some(2));
}

#[test]
fn a_scan_inside_a_transaction_sees_both_ends_and_its_own_writes() {
    let (store, _) = store();
    let found = store.write(|tx: &Tx| -> Result<_, Error> {
        tx.clear(&NUMBERS)?;
        for n in 0..300 {
            tx.insert(&NUMBERS, &n, &n)?;
        }
        tx.remove(&NUMBERS, &150)?;
        let mut scan = tx.range(&NUMBERS, 10..290)?;
        let mut found = Vec::new();
        while let Some(entry) = scan.next() {
            found.push(entry?.0);
            if let Some(entry) = scan.next_back() {
                found.push(entry?.0);
            }
        }
        found.sort_unstable();
        Ok(found)
    });
    let expected: Vec<u64> = (10..290).filter(|n| *n != 150).collect();
    assert_eq!(found.unwrap(), expected);
}

#[test]
fn a_prefix_finds_exactly_the_keys_that_begin_with_it() {
    let (store, _) = store();
    store
        .write(|tx: &Tx| -> Result<(), Error> {
            for word in ["a", "a\0", "ab", "b"] {
                for n in [0, 1, u64::MAX] {
                    tx.insert(&WORDS, &(word.to_owned(), n), &Json(vec![word.to_owned()]))?;
                }
            }
            assert_eq!(tx.prefix(&WORDS, &"a".to_owned())?.count(), 3);
            Ok(())
        })
        .unwrap();
    let snapshot = store.snapshot().unwrap();
    let keys = snapshot.prefix(&WORDS, &"a".to_owned()).unwrap();
    let keys: Vec<_> = keys.rev().map(|entry| entry.unwrap().0).collect();
    assert_eq!(keys, [u64::MAX, 1, 0].map(|n| ("a".to_owned(), n)));
}

#[test]
fn a_range_whose_start_lies_behind_its_end_is_empty() {
    let (store, _) = store();
    put(&store, 5, 5).unwrap();
    let (start, end) = (9, 3);
    assert_eq!(
        store
            .snapshot()
            .unwrap()
            .range(&NUMBERS, start..end)
            .unwrap()
            .count(),
        0
    );
}

#[test]
fn a_value_of_another_type_is_reported_as_damage() {
    const AS_TEXT: Table<u64, Json<String>> = Table::new("numbers");
    let (store, _) = store();
    put(&store, 1, 1).unwrap();
    let answer = store.snapshot().unwrap().get(&AS_TEXT, &1);
    assert!(matches!(answer, Err(Error::Corrupt { table, .. }) if table == "numbers"));
}

#[test]
fn a_key_that_is_too_long_is_refused() {
    let (store, _) = store();
    let answer = store.write(|tx: &Tx| {
        let key = ("x".repeat(4096), 0);
        tx.insert(&WORDS, &key, &Json(Vec::new()))
    });
    assert!(matches!(answer, Err(Error::TooLarge { what: "key", .. })));
}

#[test]
fn commits_tick_once_a_durable_commit_and_not_for_mere_reads() {
    let (store, _) = store();
    let mut commits = store.commits();
    put(&store, 1, 1).unwrap();
    assert!(commits.has_changed().unwrap());
    let seen = *commits.borrow_and_update();
    store.write(|tx: &Tx| tx.get(&NUMBERS, &1)).unwrap();
    assert_eq!(*commits.borrow(), seen);
}

#[test]
fn a_closed_store_refuses_and_its_file_opens_again() {
    let (store, disk) = store();
    put(&store, 1, 1).unwrap();
    store.close();
    assert!(matches!(put(&store, 2, 2), Err(Error::Closed)));
    assert!(matches!(store.snapshot(), Err(Error::Closed)));
    let again = open(&disk);
    assert_eq!(
        again.snapshot().unwrap().get(&NUMBERS, &1).unwrap(),
        Some(1)
    );
}

#[test]
fn a_file_is_open_in_one_store_only() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.redb");
    let first = Store::open(&path, Options::default()).unwrap();
    let second = Store::open(&path, Options::default());
    assert!(matches!(second, Err(Error::InUse(in_use)) if in_use == path));
    drop(first);
    Store::open(&path, Options::default()).unwrap();
}
