//! The fold: keeps records and counters current in the transaction that appends a statement.
//!
//! A statement changes one registration's record. What that registration adds to each second is computed before and
//! after (`passes`), and the difference goes into the counters: so nothing is ever counted that a record does not hold,
//! and hiding that is told late is taken back from the views. The work is bounded by the seconds that the new segments
//! touch, never by how many have watched.

use crate::chunk::{Chunk, Counts, SECONDS};
use crate::observation::{Observation, Verb};
use crate::passes::{Passes, passes, seconds_of};
use crate::record::Record;
use lectern_lrs::{Entry, Erased, Fold, Mark};
use lectern_store::{Error, Table, Tx};
use lectern_xapi::Statement;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use uuid::Uuid;

/// Activity, version, registration, actor.
pub type RecordKey = (String, u32, Uuid, String);

/// One record for each registration and actor of a version.
pub const RECORDS: Table<RecordKey, Record> = Table::new("analytics.records");
/// Activity, version and number of the chunk to counters.
pub const COUNTERS: Table<(String, u32, u32), Chunk> = Table::new("analytics.counters");
/// Activity, version and actor to the actor's registrations, 16 bytes each.
const ACTORS: Table<(String, u32, String), Vec<u8>> = Table::new("analytics.actors");
/// Activity, registration and actor to the version last watched.
pub const LATEST: Table<(String, Uuid, String), u64> = Table::new("analytics.latest");
/// Activity, registration and actor whose player said `completed`, of whatever version.
pub const COMPLETED: Table<(String, Uuid, String), ()> = Table::new("analytics.completed");

/// So many registrations of one actor are told apart when distinct actors are counted; the watching in any beyond adds
/// views, and no viewer.
const MAX_REGISTRATIONS: usize = 64;

/// Retention, viewers and progress, from the statement log.
pub struct Watching;

impl Fold for Watching {
    fn name(&self) -> &'static str {
        "analytics.watching.2"
    }

    fn apply(&self, tx: &Tx<'_>, entry: &Entry, statement: &Statement) -> Result<(), Error> {
        let Some(observation) = Observation::of(statement, entry) else {
            return Ok(());
        };
        let registration = Uuid::from_bytes(observation.registration);
        let Observation {
            activity,
            version,
            actor,
            ..
        } = &observation;
        let key = (activity.clone(), *version, registration, actor.clone());
        let before = tx.get(&RECORDS, &key)?.unwrap_or_default();
        let mut after = before.clone();
        let taken = after.take(&observation);
        if taken.is_doubted {
            Mark::Implausible.set(tx, entry.sequence)?;
        }
        for sequence in taken.cleared {
            Mark::Implausible.remove(tx, sequence)?;
        }
        let others = others_of(tx, &key)?;
        for seconds in taken.seconds {
            count(tx, &key, &before, &after, &others, seconds)?;
        }
        tx.insert(&RECORDS, &key, &after)?;
        let latest = (activity.clone(), registration, actor.clone());
        if tx.get(&LATEST, &latest)? != Some(u64::from(*version)) {
            tx.insert(&LATEST, &latest, &u64::from(*version))?;
        }
        if observation.verb == Verb::Completed && !tx.contains(&COMPLETED, &latest)? {
            tx.insert(&COMPLETED, &latest, &())?;
        }
        Ok(())
    }

    /// What an actor watched of a video depends on nobody else: it is taken out whole, and what is left is told again.
    fn forget(&self, tx: &Tx<'_>, erased: &Erased<'_>) -> Result<(), Error> {
        let mut touched: BTreeMap<(String, String), BTreeSet<(u32, Uuid)>> = BTreeMap::new();
        for (entry, statement) in erased.statements() {
            Mark::Implausible.remove(tx, entry.sequence)?;
            if let Some(observation) = Observation::of(statement, entry) {
                let place = (
                    observation.version,
                    Uuid::from_bytes(observation.registration),
                );
                touched
                    .entry((observation.activity, observation.actor))
                    .or_default()
                    .insert(place);
            }
        }
        for ((activity, actor), mut places) in touched {
            let mut left = Vec::new();
            for (entry, statement) in erased.left(&actor, &activity)? {
                if let Some(observation) = Observation::of(&statement, &entry)
                    && observation.actor == actor
                    && observation.activity == activity
                {
                    let registration = Uuid::from_bytes(observation.registration);
                    places.insert((observation.version, registration));
                    Mark::Implausible.remove(tx, entry.sequence)?;
                    left.push((entry, statement));
                }
            }
            take_out(tx, &activity, &actor, &places)?;
            for (entry, statement) in &left {
                self.apply(tx, entry, statement)?;
            }
        }
        Ok(())
    }

    fn clear(&self, tx: &Tx<'_>) -> Result<(), Error> {
        tx.clear(&RECORDS)?;
        tx.clear(&COUNTERS)?;
        tx.clear(&ACTORS)?;
        tx.clear(&LATEST)?;
        tx.clear(&COMPLETED)?;
        Mark::Implausible.clear(tx)
    }
}

/// Removes an actor's records of an Activity, by version and registration, and what they add to the counters.
fn take_out(
    tx: &Tx<'_>,
    activity: &str,
    actor: &str,
    places: &BTreeSet<(u32, Uuid)>,
) -> Result<(), Error> {
    for (version, registration) in places {
        let list = (activity.to_owned(), *version, actor.to_owned());
        let known = registrations(&tx.get(&ACTORS, &list)?.unwrap_or_default());
        let others = match known.contains(registration) {
            true => Others::Known(
                known
                    .into_iter()
                    .filter(|one| one != registration)
                    .collect(),
            ),
            false => Others::TooMany,
        };
        let key = (
            activity.to_owned(),
            *version,
            *registration,
            actor.to_owned(),
        );
        if let Some(record) = tx.get(&RECORDS, &key)? {
            let spans = record.played.counted.iter().chain(&record.hidden.counted);
            let end = spans.map(|span| seconds_of(*span).end).max().unwrap_or(0);
            count(tx, &key, &record, &Record::default(), &others, 0..end)?;
            tx.remove(&RECORDS, &key)?;
        }
        let latest = (activity.to_owned(), *registration, actor.to_owned());
        tx.remove(&LATEST, &latest)?;
        tx.remove(&COMPLETED, &latest)?;
    }
    for (version, _) in places {
        tx.remove(&ACTORS, &(activity.to_owned(), *version, actor.to_owned()))?;
    }
    Ok(())
}

fn registrations(list: &[u8]) -> Vec<Uuid> {
    list.chunks_exact(16)
        .filter_map(|bytes| Uuid::from_slice(bytes).ok())
        .collect()
}

/// The same actor's other registrations of this version.
enum Others {
    /// These.
    Known(Vec<Uuid>),
    /// There are too many to look at.
    TooMany,
}

/// Looks them up, and adds this one to them when it is new.
fn others_of(tx: &Tx<'_>, key: &RecordKey) -> Result<Others, Error> {
    let (activity, version, registration, actor) = key;
    let place = (activity.clone(), *version, actor.clone());
    let mut list = tx.get(&ACTORS, &place)?.unwrap_or_default();
    let known = registrations(&list);
    if !known.contains(registration) {
        if known.len() >= MAX_REGISTRATIONS {
            return Ok(Others::TooMany);
        }
        list.extend_from_slice(registration.as_bytes());
        tx.insert(&ACTORS, &place, &list)?;
    }
    Ok(Others::Known(
        known
            .into_iter()
            .filter(|other| other != registration)
            .collect(),
    ))
}

fn count(
    tx: &Tx<'_>,
    key: &RecordKey,
    before: &Record,
    after: &Record,
    others: &Others,
    seconds: Range<u32>,
) -> Result<(), Error> {
    let old = passes_of(before, seconds.clone());
    let new = passes_of(after, seconds.clone());
    if old == new {
        return Ok(());
    }
    // Where the same actor is a viewer already by another registration.
    let mut is_elsewhere = vec![matches!(others, Others::TooMany); new.len()];
    if let Others::Known(registrations) = others {
        for registration in registrations {
            let other = (key.0.clone(), key.1, *registration, key.3.clone());
            let Some(record) = tx.get(&RECORDS, &other)? else {
                continue;
            };
            for (flag, second) in is_elsewhere
                .iter_mut()
                .zip(passes_of(&record, seconds.clone()))
            {
                *flag |= second.visible > 0;
            }
        }
    }
    let mut chunk: Option<(u32, Chunk)> = None;
    let put = |chunk: Option<(u32, Chunk)>| -> Result<(), Error> {
        if let Some((number, chunk)) = chunk {
            let place = (key.0.clone(), key.1, number);
            // One that counts nothing any more is as if nobody had been there.
            if chunk == Chunk::default() {
                tx.remove(&COUNTERS, &place)?;
            } else {
                tx.insert(&COUNTERS, &place, &chunk)?;
            }
        }
        Ok(())
    };
    for (index, second) in seconds.take(new.len()).enumerate() {
        let (old, new) = (old[index], new[index]);
        if old == new {
            continue;
        }
        let number = second / SECONDS;
        if chunk.as_ref().is_none_or(|(open, _)| *open != number) {
            put(chunk.take())?;
            let stored = tx.get(&COUNTERS, &(key.0.clone(), key.1, number))?;
            chunk = Some((number, stored.unwrap_or_default()));
        }
        if let Some((_, chunk)) = &mut chunk
            && let Some(counts) = chunk.0.get_mut((second % SECONDS) as usize)
        {
            let is_viewer = |passes: Passes| u32::from(passes.visible > 0 || is_elsewhere[index]);
            *counts = Counts {
                views: moved(counts.views, old.visible, new.visible),
                viewers: moved(counts.viewers, is_viewer(old), is_viewer(new)),
                hidden_views: moved(counts.hidden_views, old.hidden, new.hidden),
            };
        }
    }
    put(chunk)
}

fn passes_of(record: &Record, seconds: Range<u32>) -> Vec<Passes> {
    passes(
        &record.played.counted,
        &record.hidden.counted,
        record.length_ms,
        seconds,
    )
}

fn moved(count: u32, old: u32, new: u32) -> u32 {
    count.saturating_sub(old).saturating_add(new)
}
