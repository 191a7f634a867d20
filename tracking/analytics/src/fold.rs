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
use lectern_store::{Error, Snapshot, Table, Tx};
use lectern_xapi::Statement;
use std::collections::BTreeSet;
use std::ops::Range;
use uuid::Uuid;

/// Activity, actor, version, whether it is [beyond those that are told apart](MAX_REGISTRATIONS), registration. All that
/// an actor watched of a video lies together.
pub type RecordKey = (String, String, u32, bool, Uuid);

/// One record for each registration and actor of a version.
pub const RECORDS: Table<RecordKey, Record> = Table::new("analytics.records");
/// Activity, version and number of the chunk to counters.
pub const COUNTERS: Table<(String, u32, u32), Chunk> = Table::new("analytics.counters");
/// Activity, registration and actor to the version last watched, where there is a record of more than one: see [`latest`].
const LATEST: Table<(String, Uuid, String), u64> = Table::new("analytics.latest");
/// Activity, registration and actor whose player said `completed`, of whatever version.
pub const COMPLETED: Table<(String, Uuid, String), ()> = Table::new("analytics.completed");

/// So many registrations of one actor are told apart when distinct actors are counted; the watching in any beyond adds
/// views, and no viewer.
const MAX_REGISTRATIONS: usize = 64;
/// Records of one actor and video that are looked through for a registration's other versions.
const MAX_LOOKED_THROUGH: usize = 1_000;

/// Retention, viewers and progress, from the statement log.
pub struct Watching;

impl Fold for Watching {
    fn name(&self) -> &'static str {
        "analytics.watching.3"
    }

    fn apply(&self, tx: &Tx<'_>, entry: &Entry, statement: &Statement) -> Result<(), Error> {
        let Some(observation) = Observation::of(statement, entry) else {
            return Ok(());
        };
        let place = Place::find(tx, &observation)?;
        let mut after = place.before.clone();
        let taken = after.take(&observation);
        if taken.is_doubted {
            Mark::Implausible.set(tx, entry.sequence)?;
        }
        for sequence in taken.cleared {
            Mark::Implausible.remove(tx, sequence)?;
        }
        for seconds in taken.seconds {
            place.count(tx, &after, seconds)?;
        }
        tx.insert(&RECORDS, &place.key, &after)?;
        let (activity, actor, version, _, registration) = place.key;
        let watching = (activity, registration, actor);
        let latest = tx.get(&LATEST, &watching)?;
        let is_another = match latest {
            Some(latest) => latest != u64::from(version),
            None => place.is_second_version,
        };
        if is_another {
            tx.insert(&LATEST, &watching, &u64::from(version))?;
        }
        if observation.verb == Verb::Completed && !tx.contains(&COMPLETED, &watching)? {
            tx.insert(&COMPLETED, &watching, &())?;
        }
        Ok(())
    }

    /// What an actor watched of a video depends on nobody else: it is taken out whole, and what is left is told again.
    fn forget(&self, tx: &Tx<'_>, erased: &Erased<'_>) -> Result<(), Error> {
        let mut touched: BTreeSet<(String, String)> = BTreeSet::new();
        for (entry, statement) in erased.statements() {
            Mark::Implausible.remove(tx, entry.sequence)?;
            if let Some(observation) = Observation::of(statement, entry) {
                touched.insert((observation.activity, observation.actor));
            }
        }
        for (activity, actor) in touched {
            let mut left = Vec::new();
            for (entry, statement) in erased.left(&actor, &activity)? {
                if let Some(observation) = Observation::of(&statement, &entry)
                    && observation.actor == actor
                    && observation.activity == activity
                {
                    Mark::Implausible.remove(tx, entry.sequence)?;
                    left.push((entry, statement));
                }
            }
            take_out(tx, activity, actor)?;
            for (entry, statement) in &left {
                self.apply(tx, entry, statement)?;
            }
        }
        Ok(())
    }

    fn clear(&self, tx: &Tx<'_>) -> Result<(), Error> {
        tx.clear(&RECORDS)?;
        tx.clear(&COUNTERS)?;
        tx.clear(&LATEST)?;
        tx.clear(&COMPLETED)?;
        Mark::Implausible.clear(tx)
    }
}

/// The version that was last watched in a registration. Where [`LATEST`] says nothing it is the only one.
///
/// # Errors
/// When the store fails.
pub fn latest(
    snapshot: &Snapshot,
    activity: &str,
    registration: Uuid,
    actor: &str,
) -> Result<Option<u32>, Error> {
    let watching = (activity.to_owned(), registration, actor.to_owned());
    if let Some(version) = snapshot.get(&LATEST, &watching)? {
        return Ok(u32::try_from(version).ok());
    }
    let records = snapshot.prefix(&RECORDS, &(activity.to_owned(), actor.to_owned()))?;
    for record in records.take(MAX_LOOKED_THROUGH) {
        let ((_, _, version, _, of), _) = record?;
        if of == registration {
            return Ok(Some(version));
        }
    }
    Ok(None)
}

/// Where a registration's watching of a version is kept.
///
/// # Errors
/// When the store fails.
pub fn record(
    snapshot: &Snapshot,
    activity: &str,
    version: u32,
    registration: Uuid,
    actor: &str,
) -> Result<Option<(RecordKey, Record)>, Error> {
    for is_beyond in [false, true] {
        let (activity, actor) = (activity.to_owned(), actor.to_owned());
        let key = (activity, actor, version, is_beyond, registration);
        if let Some(record) = snapshot.get(&RECORDS, &key)? {
            return Ok(Some((key, record)));
        }
    }
    Ok(None)
}

/// Removes an actor's records of an Activity, and what they add to the counters.
fn take_out(tx: &Tx<'_>, activity: String, actor: String) -> Result<(), Error> {
    let kept = tx.prefix(&RECORDS, &(activity, actor))?;
    let kept: Vec<RecordKey> = kept
        .map(|entry| entry.map(|(key, _)| key))
        .collect::<Result<_, _>>()?;
    for key in kept {
        let place = Place::at(tx, key)?;
        let tracks = [&place.before.played, &place.before.hidden];
        let spans = tracks.iter().flat_map(|track| &track.counted);
        let end = spans.map(|span| seconds_of(*span).end).max().unwrap_or(0);
        place.count(tx, &Record::default(), 0..end)?;
        tx.remove(&RECORDS, &place.key)?;
        let (activity, actor, _, _, registration) = place.key;
        let watching = (activity, registration, actor);
        tx.remove(&LATEST, &watching)?;
        tx.remove(&COMPLETED, &watching)?;
    }
    Ok(())
}

/// A record's place, what is there, and what counting must know of its neighbours.
struct Place {
    key: RecordKey,
    is_new: bool,
    before: Record,
    /// The same actor's other registrations of this version, when this one is told apart from them.
    others: Vec<Record>,
    /// It is new, and there is a record of another version.
    is_second_version: bool,
}

impl Place {
    /// Where what is said belongs; there may be nothing yet.
    fn find(tx: &Tx<'_>, observation: &Observation) -> Result<Self, Error> {
        let key = |is_beyond| {
            (
                observation.activity.clone(),
                observation.actor.clone(),
                observation.version,
                is_beyond,
                Uuid::from_bytes(observation.registration),
            )
        };
        let mut place = Self::at(tx, key(false))?;
        if !place.is_new {
            return Ok(place);
        }
        if place.others.len() >= MAX_REGISTRATIONS {
            place = Self::at(tx, key(true))?;
            if !place.is_new {
                return Ok(place);
            }
        }
        let (activity, actor, version, _, registration) = &place.key;
        let all = tx.prefix(&RECORDS, &(activity.clone(), actor.clone()))?;
        for entry in all.take(MAX_LOOKED_THROUGH) {
            let ((_, _, of, _, other), _) = entry?;
            place.is_second_version |= of != *version && other == *registration;
        }
        Ok(place)
    }

    fn at(tx: &Tx<'_>, key: RecordKey) -> Result<Self, Error> {
        let (activity, actor, version, is_beyond, registration) = &key;
        let mut before = None;
        let mut others = Vec::new();
        if *is_beyond {
            before = tx.get(&RECORDS, &key)?;
        } else {
            let told_apart = (activity.clone(), actor.clone(), *version, false);
            for entry in tx.prefix(&RECORDS, &told_apart)? {
                let ((_, _, _, _, of), record) = entry?;
                match of == *registration {
                    true => before = Some(record),
                    false => others.push(record),
                }
            }
        }
        Ok(Self {
            key,
            is_new: before.is_none(),
            before: before.unwrap_or_default(),
            others,
            is_second_version: false,
        })
    }

    /// Counts what becomes of these seconds of the record when it is `after`.
    fn count(&self, tx: &Tx<'_>, after: &Record, seconds: Range<u32>) -> Result<(), Error> {
        let old = passes_of(&self.before, seconds.clone());
        let new = passes_of(after, seconds.clone());
        if old == new {
            return Ok(());
        }
        let (activity, _, version, is_beyond, _) = &self.key;
        // Where the same actor is a viewer already by another registration.
        let mut is_elsewhere = vec![*is_beyond; new.len()];
        for other in &self.others {
            let passes = passes_of(other, seconds.clone());
            for (flag, second) in is_elsewhere.iter_mut().zip(passes) {
                *flag |= second.visible > 0;
            }
        }
        let mut chunk: Option<(u32, Chunk)> = None;
        let put = |chunk: Option<(u32, Chunk)>| -> Result<(), Error> {
            if let Some((number, chunk)) = chunk {
                let place = (activity.clone(), *version, number);
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
                let stored = tx.get(&COUNTERS, &(activity.clone(), *version, number))?;
                chunk = Some((number, stored.unwrap_or_default()));
            }
            if let Some((_, chunk)) = &mut chunk
                && let Some(counts) = chunk.0.get_mut((second % SECONDS) as usize)
            {
                let is_viewer =
                    |passes: Passes| u32::from(passes.visible > 0 || is_elsewhere[index]);
                *counts = Counts {
                    views: moved(counts.views, old.visible, new.visible),
                    viewers: moved(counts.viewers, is_viewer(old), is_viewer(new)),
                    hidden_views: moved(counts.hidden_views, old.hidden, new.hidden),
                };
            }
        }
        put(chunk)
    }
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
