//! What this room's tests share: an empty box and people on it.
#![allow(dead_code, reason = "each test file uses its part")]

use jiff::Timestamp;
use lectern_lms::{Lms, NewPerson, Person, Role};
use lectern_store::{Options, Store};
use tempfile::TempDir;

/// An empty box, and the folder that must outlive it.
pub fn lms() -> (Lms, TempDir) {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(&dir.path().join("records.redb"), Options::default()).unwrap();
    (Lms::open(store).unwrap(), dir)
}

/// So many seconds after the epoch.
pub fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

/// Somebody without a password.
pub fn new(name: &str, roles: &[Role]) -> NewPerson {
    NewPerson {
        name: name.into(),
        roles: roles.iter().copied().collect(),
        ..NewPerson::default()
    }
}

/// A learner whose password is `a good password`.
pub fn learner(lms: &Lms, name: &str) -> Person {
    let new = NewPerson {
        password: Some("a good password".into()),
        ..new(name, &[Role::Learner])
    };
    lms.add_person(&new, at(0)).unwrap()
}
