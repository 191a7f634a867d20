//! A disk that is full, fails, or loses power at the n-th sync: what was answered stays.
#![allow(clippy::unwrap_used, clippy::panic)] // of tests: clippy.toml allows it in `#[test]` functions alone

use std::io::ErrorKind;

use lectern_store::testing::{CrashDisk, Loss};
use lectern_store::{Error, Migration, Options, Store, Table, Tx};

const ROWS: Table<u64, Vec<u8>> = Table::new("rows");
const INDEX: Table<(u64, u64), ()> = Table::new("index");

const OPTIONS: Options = Options {
    cache_bytes: 1 << 20,
    reserve_bytes: 8 << 20,
    quick_repair: true,
    migrations: &[],
};

fn open(disk: &CrashDisk) -> Result<Store, Error> {
    open_with(disk, OPTIONS)
}

fn open_with(disk: &CrashDisk, options: Options) -> Result<Store, Error> {
    Store::open_on(Box::new(disk.clone()), options)
}

/// Row `n` with its index entry; every third removes an earlier row.
fn write(store: &Store, n: u64) -> Result<(), Error> {
    store.write(move |tx: &Tx| {
        let bytes = usize::try_from(n % 5).unwrap() * 3000;
        tx.insert(&ROWS, &n, &vec![n.to_le_bytes()[0]; bytes])?;
        tx.insert(&INDEX, &(n % 5, n), &())?;
        if n % 3 == 2 {
            tx.remove(&ROWS, &(n - 2))?;
            tx.remove(&INDEX, &((n - 2) % 5, n - 2))?;
        }
        Ok(())
    })
}

/// The rows there must be after writes `0..count`.
fn expected(count: u64) -> Vec<u64> {
    let removed = |n: u64| n.is_multiple_of(3) && n + 2 < count;
    (0..count).filter(|n| !removed(*n)).collect()
}

fn rows(store: &Store) -> Vec<u64> {
    let snapshot = store.snapshot().unwrap();
    let rows: Vec<_> = snapshot
        .range(&ROWS, ..)
        .unwrap()
        .map(Result::unwrap)
        .collect();
    let mut indexed: Vec<_> = snapshot
        .range(&INDEX, ..)
        .unwrap()
        .map(|e| e.unwrap().0.1)
        .collect();
    indexed.sort_unstable();
    let keys: Vec<u64> = rows.iter().map(|(n, _)| *n).collect();
    assert_eq!(keys, indexed, "a transaction is there whole or not at all");
    for (n, value) in rows {
        assert_eq!(value.len(), usize::try_from(n % 5).unwrap() * 3000);
    }
    keys
}

#[test]
fn power_lost_at_any_sync_keeps_every_answered_write() {
    for quick_repair in [true, false] {
        lose_power_at_every_sync(Options {
            quick_repair,
            ..OPTIONS
        });
    }
}

fn lose_power_at_every_sync(options: Options) {
    const WRITES: u64 = 24;
    let mut crashes = 0;
    for freeze_at in 1.. {
        let disk = CrashDisk::new();
        disk.freeze_at_sync(freeze_at);
        let mut answered = 0;
        if let Ok(store) = open_with(&disk, options) {
            while answered < WRITES && write(&store, answered).is_ok() {
                answered += 1;
            }
        }
        let losses = [
            Loss::Everything,
            Loss::Nothing,
            Loss::Some(freeze_at),
            Loss::Some(!freeze_at),
        ];
        for loss in losses {
            let left = CrashDisk::with_image(disk.after_power_cut(loss));
            let store = open_with(&left, options).unwrap();
            let found = rows(&store);
            // The one in flight may have come through.
            let is_whole = found == expected(answered)
                || (disk.is_frozen() && found == expected(answered + 1));
            assert!(
                is_whole,
                "sync {freeze_at}, {loss:?}: {answered} answered, {found:?}"
            );
            let next = found.last().map_or(0, |n| n + 1);
            write(&store, next).unwrap();
            assert!(store.check().unwrap().problems.is_empty());
        }
        if !disk.is_frozen() {
            break;
        }
        crashes += 1;
    }
    assert!(
        crashes > WRITES,
        "each write has at least one sync of its own"
    );
}

#[test]
fn a_full_disk_is_refused_before_anything_is_written() {
    let disk = CrashDisk::new();
    let store = open(&disk).unwrap();
    write(&store, 0).unwrap();
    let syncs = disk.syncs();
    disk.set_free_bytes(OPTIONS.reserve_bytes);
    assert!(matches!(write(&store, 1), Err(Error::Full { .. })));
    assert_eq!(disk.syncs(), syncs);
    assert_eq!(store.stats().refused_full, 1);
    disk.set_free_bytes(1 << 30);
    write(&store, 1).unwrap();
}

#[test]
fn a_write_larger_than_the_room_left_is_refused() {
    let disk = CrashDisk::new();
    let store = open(&disk).unwrap();
    disk.set_free_bytes(OPTIONS.reserve_bytes + (1 << 20));
    let large = store.write(|tx: &Tx| tx.insert(&ROWS, &0, &vec![0; 2 << 20]));
    assert!(matches!(large, Err(Error::Full { .. })));
    write(&store, 0).unwrap();
    assert_eq!(rows(&store), [0]);
}

#[test]
fn what_makes_room_may_use_the_reserve() {
    let disk = CrashDisk::new();
    let store = open(&disk).unwrap();
    write(&store, 0).unwrap();
    disk.set_free_bytes(OPTIONS.reserve_bytes);
    let removed = store.write_making_room(|tx: &Tx| tx.remove(&ROWS, &0));
    assert!(removed.unwrap());
}

#[test]
fn a_migration_on_a_full_disk_may_use_the_reserve() {
    const ONE: &[Migration] = &[Migration {
        number: 1,
        name: "a row",
        run: |tx| tx.insert(&ROWS, &0, &vec![1]).map(|_| ()),
    }];
    let disk = CrashDisk::new();
    disk.set_free_bytes(OPTIONS.reserve_bytes);
    let options = Options {
        migrations: ONE,
        ..OPTIONS
    };
    let store = open_with(&disk, options).unwrap();
    assert_eq!(store.snapshot().unwrap().len(&ROWS).unwrap(), 1);
}

#[test]
fn after_an_io_error_the_store_opens_anew_and_goes_on() {
    for kind in [ErrorKind::Other, ErrorKind::StorageFull] {
        let disk = CrashDisk::new();
        let store = open(&disk).unwrap();
        write(&store, 0).unwrap();
        let reader = store.snapshot().unwrap();
        disk.fail_next(kind);
        let failed = write(&store, 1);
        match kind {
            ErrorKind::StorageFull => assert!(matches!(failed, Err(Error::Full { .. }))),
            _ => assert!(matches!(failed, Err(Error::Io(_)))),
        }
        // A reader from before either still sees its commit or learns that it must read again.
        match reader.get(&ROWS, &0) {
            Ok(row) => assert!(row.is_some()),
            Err(error) => assert!(error.is_retriable(), "{error}"),
        }
        write(&store, 2).unwrap();
        assert!(rows(&store).contains(&2));
        assert_eq!(store.stats().reopened, 1);
    }
}

#[test]
fn a_disk_that_comes_back_is_opened_by_the_next_write() {
    let disk = CrashDisk::new();
    let store = open(&disk).unwrap();
    write(&store, 0).unwrap();
    disk.freeze_at_sync(disk.syncs() + 1);
    assert!(write(&store, 1).is_err());
    assert!(matches!(store.snapshot().map(|_| ()), Err(Error::Io(_))));
    disk.freeze_at_sync(u64::MAX);
    // The first finds the file closed and opens it.
    let _ = write(&store, 2);
    write(&store, 3).unwrap();
    assert!(rows(&store).contains(&3));
}
