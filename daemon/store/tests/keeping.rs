//! Backup, restore, check, and files of earlier versions.
#![allow(clippy::unwrap_used, clippy::panic)] // of tests: clippy.toml allows it in `#[test]` functions alone

use std::fs;
use std::path::Path;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use lectern_store::{Error, Json, Migration, Options, Store, Table, Tx};

const WORDS: Table<String, Json<Vec<u32>>> = Table::new("words");
const COUNTS: Table<u64, u64> = Table::new("counts");
/// Came with migration 2.
const LENGTHS: Table<(u64, String), ()> = Table::new("lengths");

const FIRST: &[Migration] = &[Migration {
    number: 1,
    name: "one count to begin with",
    run: |tx| tx.insert(&COUNTS, &0, &1).map(|_| ()),
}];

const SECOND: &[Migration] = &[
    FIRST[0],
    Migration {
        number: 2,
        name: "words by their length",
        run: |tx| {
            let words: Vec<_> = tx.range(&WORDS, ..)?.collect::<Result<_, _>>()?;
            for (word, _) in words {
                tx.insert(&LENGTHS, &(word.len() as u64, word), &())?;
            }
            Ok(())
        },
    },
];

fn open(path: &Path, migrations: &'static [Migration]) -> Result<Store, Error> {
    let options = Options {
        migrations,
        ..Options::default()
    };
    Store::open(path, options)
}

fn fill(store: &Store) {
    store
        .write(|tx: &Tx| -> Result<(), Error> {
            for n in 0..200_u32 {
                tx.insert(&WORDS, &format!("word {n}"), &Json(vec![n; 10]))?;
            }
            tx.insert(&COUNTS, &7, &49).map(|_| ())
        })
        .unwrap();
}

fn assert_filled(store: &Store) {
    let snapshot = store.snapshot().unwrap();
    assert_eq!(snapshot.len(&WORDS).unwrap(), 200);
    let word = snapshot.get(&WORDS, &"word 9".to_owned()).unwrap();
    assert_eq!(word, Some(Json(vec![9; 10])));
    assert_eq!(snapshot.get(&COUNTS, &7).unwrap(), Some(49));
    assert_eq!(snapshot.get(&COUNTS, &0).unwrap(), Some(1));
}

#[test]
fn a_backup_taken_while_writing_goes_on_restores_to_its_moment() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder.path().join("a.redb"), FIRST).unwrap();
    fill(&store);
    let copy = folder.path().join("copy.redb");
    let report = store.backup(&copy).unwrap();
    assert_eq!(report.entries, 200 + 2 + 1);
    fill(&store);
    assert!(matches!(store.backup(&copy), Err(Error::Exists(_))));

    let place = folder.path().join("b.redb");
    let report = Store::restore(&copy, &place).unwrap();
    assert!(report.problems.is_empty());
    assert_filled(&open(&place, FIRST).unwrap());
    assert!(matches!(
        Store::restore(&copy, &place),
        Err(Error::Exists(_))
    ));
}

#[test]
fn a_damaged_backup_is_refused_and_nothing_is_put_in_place() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder.path().join("a.redb"), FIRST).unwrap();
    fill(&store);
    let copy = folder.path().join("copy.redb");
    store.backup(&copy).unwrap();
    let whole = fs::read(&copy).unwrap();
    let place = folder.path().join("b.redb");
    let word = whole
        .windows(8)
        .position(|bytes| bytes == b"word 100")
        .unwrap();
    let mut flipped = whole.clone();
    flipped[word] ^= 1;
    for damaged in [
        &whole[..whole.len() / 2],
        &flipped,
        b"not a store at all",
        b"",
    ] {
        fs::write(&copy, damaged).unwrap();
        let answer = Store::restore(&copy, &place);
        assert!(answer.is_err(), "{} bytes", damaged.len());
        assert!(!place.exists());
    }
}

#[test]
fn a_check_verifies_pages_unless_a_reader_is_in_the_way() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder.path().join("a.redb"), FIRST).unwrap();
    fill(&store);
    let report = store.check().unwrap();
    assert!(report.pages_verified && report.problems.is_empty());
    let reader = store.snapshot().unwrap();
    let report = store.check().unwrap();
    assert!(!report.pages_verified && report.problems.is_empty());
    assert_eq!(report.entries, 203);
    drop(reader);
    fill(&store);
}

#[test]
fn a_check_of_a_store_that_others_use_waits_for_no_writer_and_says_what_it_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder.path().join("a.redb"), FIRST).unwrap();
    fill(&store);
    let (begun, under_way) = mpsc::channel();
    let (end, ended) = mpsc::channel::<()>();
    let writer = thread::spawn({
        let store = store.clone();
        move || {
            store.write(move |_: &Tx| -> Result<(), Error> {
                begun.send(()).unwrap();
                ended.recv().unwrap();
                Ok(())
            })
        }
    });
    under_way.recv().unwrap();
    let (sender, report) = mpsc::channel();
    let checker = thread::spawn({
        let store = store.clone();
        move || sender.send(store.check()).unwrap()
    });
    // While the writer thread is busy.
    let report = report.recv_timeout(Duration::from_secs(20)).unwrap();
    let report = report.unwrap();
    assert!(!report.pages_verified && report.problems.is_empty());
    assert_eq!(report.entries, 203);
    end.send(()).unwrap();
    writer.join().unwrap().unwrap();
    checker.join().unwrap();
    let other = store.clone();
    assert!(other.check_every_page().unwrap().pages_verified);
}

#[test]
fn a_backup_that_would_take_the_reserve_is_refused_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.redb");
    let store = open(&path, FIRST).unwrap();
    fill(&store);
    drop(store);
    let options = Options {
        reserve_bytes: u64::MAX,
        migrations: FIRST,
        ..Options::default()
    };
    let store = Store::open(&path, options).unwrap();
    let copy = folder.path().join("copy.redb");
    assert!(matches!(store.backup(&copy), Err(Error::Full { .. })));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn a_migration_runs_once_and_a_failed_one_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.redb");
    const FAILS: &[Migration] = &[Migration {
        number: 1,
        name: "fails half-way",
        run: |tx| {
            tx.insert(&COUNTS, &5, &5)?;
            Err(Error::Closed)
        },
    }];
    assert!(open(&path, FAILS).is_err());
    let store = open(&path, FIRST).unwrap();
    assert_eq!(store.snapshot().unwrap().get(&COUNTS, &5).unwrap(), None);
    store.write(|tx: &Tx| tx.insert(&COUNTS, &0, &2)).unwrap();
    drop(store);
    let store = open(&path, FIRST).unwrap();
    assert_eq!(store.snapshot().unwrap().get(&COUNTS, &0).unwrap(), Some(2));
}

/// The file that the first version of this crate wrote. Never make it anew: it is the proof that
/// later versions open what the first one left.
const OF_THE_FIRST_VERSION: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/v1.redb");

#[test]
fn a_file_of_the_first_version_opens_and_migrates() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("v1.redb");
    fs::copy(OF_THE_FIRST_VERSION, &path).unwrap();
    let store = open(&path, SECOND).unwrap();
    assert_filled(&store);
    assert_eq!(store.snapshot().unwrap().len(&LENGTHS).unwrap(), 200);
    drop(store);
    // And the version before opens it again: migrations only add.
    assert_filled(&open(&path, FIRST).unwrap());
}

#[test]
#[ignore = "made the fixture once, in the first version"]
fn makes_the_fixture() {
    let path = Path::new(OF_THE_FIRST_VERSION);
    assert!(!path.exists());
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder.path().join("a.redb"), FIRST).unwrap();
    fill(&store);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    store.backup(path).unwrap();
}
