//! Numbered migrations: each runs once, in a transaction with the note that it ran. They only
//! add, so that the version before can still open the file (A/B roll-back); a number this
//! version does not know was run by a later one and is left alone.

use serde::{Deserialize, Serialize};

use crate::{Error, Store, Table, Tx, json_record};

/// One step from an older file to this version's. Never change or renumber a released one.
#[derive(Debug, Clone, Copy)]
pub struct Migration {
    /// Its place, from 1.
    pub number: u32,
    /// What it does, for the log and for `doctor`.
    pub name: &'static str,
    /// Adds what is new; may not take away what the version before reads.
    pub run: fn(&Tx<'_>) -> Result<(), Error>,
}

/// What was run on this file.
const MIGRATIONS: Table<u32, Ran> = Table::new("store.migrations");

#[derive(Serialize, Deserialize)]
struct Ran {
    name: String,
}
json_record!(Ran);

pub(crate) fn run(store: &Store, migrations: &'static [Migration]) -> Result<(), Error> {
    let snapshot = store.snapshot()?;
    for migration in migrations {
        if snapshot.contains(&MIGRATIONS, &migration.number)? {
            continue;
        }
        // A box that was updated on a full disk must start all the same, so that room can be made.
        store.write_making_room(move |tx| {
            (migration.run)(tx)?;
            let name = migration.name.to_owned();
            tx.insert(&MIGRATIONS, &migration.number, &Ran { name })?;
            Ok::<(), Error>(())
        })?;
        tracing::info!(
            event = "store.migrated",
            number = migration.number,
            name = migration.name
        );
    }
    Ok(())
}
