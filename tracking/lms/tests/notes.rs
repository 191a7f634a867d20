//! Readings are written down at once and for good, whatever else the store is busy with.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use jiff::Timestamp;
use lectern_lms::{Lms, Reading};
use lectern_store::testing::{CrashDisk, Loss};
use lectern_store::{Options, Store};
use std::collections::BTreeMap;
use std::sync::mpsc::channel;
use std::time::Duration;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn reading(on: &str) -> Reading {
    Reading {
        on: on.to_owned(),
        resource: "xapi/statements".to_owned(),
        filters: "verb=x".to_owned(),
    }
}

fn open(disk: &CrashDisk) -> Option<(Store, Lms)> {
    let options = Options {
        reserve_bytes: 1 << 20,
        ..Options::default()
    };
    let store = Store::open_on(Box::new(disk.clone()), options).ok()?;
    let lms = Lms::open(store.clone()).ok()?;
    Some((store, lms))
}

/// How often each record was read, by the audit log.
fn read(lms: &Lms) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for entry in lms.audit_list(None, 500).unwrap().items {
        *counts.entry(entry.on.unwrap()).or_default() += 1;
    }
    counts
}

#[test]
fn a_reading_does_not_wait_for_what_is_being_written() {
    let (store, lms) = open(&CrashDisk::new()).unwrap();
    let (begun, has_begun) = channel();
    let (done, is_done) = channel();
    let is_done = std::sync::Mutex::new(is_done);
    let writer = std::thread::spawn(move || {
        store.write(move |_| {
            begun.send(()).unwrap();
            // Fails, and with it the test, when the reading waits for this.
            let noted = is_done
                .lock()
                .unwrap()
                .recv_timeout(Duration::from_secs(10));
            Ok::<_, lectern_store::Error>(noted.is_ok())
        })
    });
    has_begun.recv().unwrap();
    lms.audit_readings("credential:a", vec![reading("ada")], at(0))
        .unwrap();
    done.send(()).unwrap();
    assert!(writer.join().unwrap().unwrap());
    assert_eq!(read(&lms), BTreeMap::from([("ada".to_owned(), 1)]));
}

#[test]
fn many_at_once_are_each_written_down_once() {
    let (_store, lms) = open(&CrashDisk::new()).unwrap();
    let readers: Vec<_> = (0..8)
        .map(|reader| {
            let lms = lms.clone();
            std::thread::spawn(move || {
                for n in 0..40 {
                    // Half of them are read by everybody at once, with one credential.
                    let on = match n % 2 {
                        0 => format!("{n}"),
                        _ => format!("{reader} {n}"),
                    };
                    lms.audit_readings("credential:a", vec![reading(&on)], at(n))
                        .unwrap();
                }
            })
        })
        .collect();
    for reader in readers {
        reader.join().unwrap();
    }
    let counts = read(&lms);
    assert_eq!(counts.len(), 20 + 8 * 20);
    assert!(counts.values().all(|count| *count == 1), "{counts:?}");
}

#[test]
fn power_lost_at_any_sync_forgets_no_reading_that_was_answered() {
    for n in 1..60 {
        let disk = CrashDisk::new();
        let mut answered = Vec::new();
        if let Some((_store, lms)) = open(&disk) {
            disk.freeze_at_sync(disk.syncs() + n);
            for person in 0..30 {
                let on = person.to_string();
                if lms
                    .audit_readings("credential:a", vec![reading(&on)], at(person))
                    .is_err()
                {
                    break;
                }
                answered.push(on);
                if person % 10 == 9 {
                    let _ = lms.settle();
                }
            }
        }
        for loss in [Loss::Everything, Loss::Nothing, Loss::Some(n)] {
            let after = CrashDisk::with_image(disk.after_power_cut(loss));
            // Twice: what the journal has is not taken in again.
            for _ in 0..2 {
                let (store, lms) = open(&after).unwrap();
                let counts = read(&lms);
                for on in &answered {
                    assert_eq!(counts.get(on), Some(&1), "sync {n}, {loss:?}: {on}");
                }
                lms.close();
                store.close();
            }
        }
    }
}

#[test]
fn a_full_disk_keeps_nobody_from_reading() {
    let disk = CrashDisk::new();
    let (_store, lms) = open(&disk).unwrap();
    disk.set_free_bytes(1 << 20);
    lms.audit_readings("credential:a", vec![reading("ada")], at(0))
        .unwrap();
    // Not even the reserve is left: what cannot be written down is not answered.
    disk.set_free_bytes(0);
    assert!(
        lms.audit_readings("credential:a", vec![reading("bob")], at(0))
            .is_err()
    );
    disk.set_free_bytes(1 << 30);
    lms.audit_readings("credential:a", vec![reading("eve")], at(0))
        .unwrap();
    let counts = read(&lms);
    assert_eq!((counts["ada"], counts["eve"]), (1, 1));
}
