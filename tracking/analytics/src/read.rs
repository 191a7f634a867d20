//! Reading: retention in time proportional to the video's length, viewers and summary to their number, progress at once.

use crate::Error;
use crate::chunk::{Counts, SECONDS};
use crate::fold::{COMPLETED, COUNTERS, RECORDS, RecordKey, Watching, latest, record};
use crate::record::Record;
use crate::rule::{Rule, Watched, resume_ms};
use crate::span::{MAX_MS, Span};
use jiff::Timestamp;
use lectern_lrs::Fold;
use lectern_lrs::Lrs;
use lectern_store::Snapshot;
use lectern_xapi::Ifi;
use lectern_xapi::video::Segments;
use std::collections::HashMap;
use std::ops::Bound;
use std::sync::Arc;
use uuid::Uuid;

/// Longest page of viewers.
const MAX_PAGE: usize = 1_000;

/// The door of this room. Clones are the same one.
#[derive(Clone)]
pub struct Analytics {
    lrs: Lrs,
}

/// Passes per second of a video; each list has ceil(duration / 1 s) numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Retention {
    /// Passes seen.
    pub views: Vec<u32>,
    /// Distinct actors among them.
    pub viewers: Vec<u32>,
    /// Passes while the page was hidden.
    pub hidden_views: Vec<u32>,
}

/// One learner's watching of a version.
#[derive(Clone, Debug, PartialEq)]
pub struct Viewer {
    /// The actor's identifier, canonical (`Ifi::key`).
    pub actor: String,
    /// The registration.
    pub registration: Uuid,
    /// Seen at least once, in seconds of media time: in order, apart from one another.
    pub segments: Vec<[f64; 2]>,
    /// Seen at least twice.
    pub replayed: Vec<[f64; 2]>,
    /// Share of the runtime seen at least once, 0 to 1.
    pub watched: f64,
    /// Completed by the rule asked with.
    pub completed: bool,
    /// When a statement last came of this, never later than the box received it.
    pub last_seen: Timestamp,
    /// Time on the video.
    pub time_ms: u64,
    /// How many segments were implausible and are not counted.
    pub implausible: usize,
}

/// Viewers, and where the next page begins.
#[derive(Clone, Debug, PartialEq)]
pub struct Viewers {
    /// By actor and registration.
    pub items: Vec<Viewer>,
    /// Pass it back for the next page.
    pub next: Option<(Uuid, String)>,
}

/// A version's viewers in four numbers; people are distinct actors.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// People who played anything.
    pub started: u64,
    /// Of them, people who watched the share asked with.
    pub watched: u64,
    /// Of them, people who completed by the rule asked with.
    pub completed: u64,
    /// Median of the time on the video of those who started.
    pub median_ms: u64,
}

/// Where a learner stands, for the player to go on from.
#[derive(Clone, Debug, PartialEq)]
pub struct Progress {
    /// The version these are of.
    pub version: u32,
    /// `played-segments` so far, as counted.
    pub played_segments: String,
    /// Our `hidden-segments` so far.
    pub hidden_segments: String,
    /// Our `muted-segments` so far.
    pub muted_segments: String,
    /// Seen at least once, in seconds of media time: in order, apart from one another.
    pub segments: Vec<[f64; 2]>,
    /// Seen at least twice.
    pub replayed: Vec<[f64; 2]>,
    /// Where to go on.
    pub resume_ms: u32,
    /// Share of the runtime seen at least once, 0 to 1.
    pub watched: f64,
    /// Completed by the rule asked with.
    pub completed: bool,
    /// Whether anything was played.
    pub started: bool,
    /// Time on the video.
    pub time_ms: u64,
    /// When a statement last came of this, never later than the box received it.
    pub last_seen: Timestamp,
    /// How many segments were implausible and are not counted.
    pub implausible: usize,
}

impl Analytics {
    /// Reads what the fold wrote. Each reading has every statement in it that was answered before; it blocks for
    /// milliseconds while one is not counted yet.
    #[must_use]
    pub fn new(lrs: Lrs) -> Self {
        Self { lrs }
    }

    fn snapshot(&self) -> Result<Snapshot, Error> {
        self.lrs.settle();
        self.lrs.store().snapshot()
    }

    /// The fold to open the record store with.
    #[must_use]
    pub fn fold() -> Arc<dyn Fold> {
        Arc::new(Watching)
    }

    /// Passes per second.
    ///
    /// # Errors
    /// When the store fails.
    pub fn retention(
        &self,
        activity: &str,
        version: u32,
        duration_ms: u64,
    ) -> Result<Retention, Error> {
        let seconds = duration_ms.div_ceil(1000).min(u64::from(MAX_MS / 1000));
        let seconds = u32::try_from(seconds).unwrap_or(0);
        let mut counts = vec![Counts::default(); seconds as usize];
        let snapshot = self.snapshot()?;
        let place = |number| (activity.to_owned(), version, number);
        let chunks = snapshot.range(&COUNTERS, place(0)..place(seconds.div_ceil(SECONDS)))?;
        for entry in chunks {
            let ((_, _, number), chunk) = entry?;
            let from = (number * SECONDS) as usize;
            for (into, counted) in counts.iter_mut().skip(from).zip(chunk.0) {
                *into = counted;
            }
        }
        Ok(Retention {
            views: counts.iter().map(|second| second.views).collect(),
            viewers: counts.iter().map(|second| second.viewers).collect(),
            hidden_views: counts.iter().map(|second| second.hidden_views).collect(),
        })
    }

    /// Who watched, a page after `after`.
    ///
    /// # Errors
    /// When the store fails.
    pub fn viewers(
        &self,
        activity: &str,
        version: u32,
        duration_ms: Option<u64>,
        rule: Rule,
        after: Option<(Uuid, String)>,
        limit: usize,
    ) -> Result<Viewers, Error> {
        let limit = limit.clamp(1, MAX_PAGE);
        let duration_ms = length(duration_ms);
        let snapshot = self.snapshot()?;
        let mut items: Vec<Viewer> = Vec::new();
        for entry in records(&snapshot, activity, version, after)? {
            let ((_, actor, _, _, registration), record) = entry?;
            if items.len() == limit {
                let next = items
                    .last()
                    .map(|last| (last.registration, last.actor.clone()));
                return Ok(Viewers { items, next });
            }
            let watched = Watched::of(&record, duration_ms);
            items.push(Viewer {
                actor,
                registration,
                segments: pairs(&watched.segments),
                replayed: pairs(&watched.replayed),
                watched: watched.ratio,
                completed: watched.is_completed(rule),
                last_seen: Timestamp::from_millisecond(record.last_seen_ms).unwrap_or_default(),
                time_ms: watched.time_ms,
                implausible: record.played.refused.len(),
            });
        }
        Ok(Viewers { items, next: None })
    }

    /// Who watched, in numbers. `percent` is the share that counts as watched.
    ///
    /// # Errors
    /// When the store fails.
    pub fn summary(
        &self,
        activity: &str,
        version: u32,
        duration_ms: Option<u64>,
        rule: Rule,
        percent: u8,
    ) -> Result<Summary, Error> {
        let duration_ms = length(duration_ms);
        let snapshot = self.snapshot()?;
        // Somebody with several registrations is one person: what they did in any of them, and all their time.
        let mut people: HashMap<String, (bool, bool, u64)> = HashMap::new();
        for entry in records(&snapshot, activity, version, None)? {
            let ((_, actor, ..), record) = entry?;
            let watched = Watched::of(&record, duration_ms);
            if watched.is_started {
                let person = people.entry(actor).or_default();
                person.0 |= watched.has_watched(percent);
                person.1 |= watched.is_completed(rule);
                person.2 += watched.time_ms;
            }
        }
        let mut times: Vec<u64> = people.values().map(|person| person.2).collect();
        times.sort_unstable();
        let count = |which: fn(&(bool, bool, u64)) -> bool| {
            people.values().filter(|person| which(person)).count() as u64
        };
        Ok(Summary {
            started: people.len() as u64,
            watched: count(|person| person.0),
            completed: count(|person| person.1),
            median_ms: median(&times),
        })
    }

    /// Where a learner (`Ifi::account(identity, registration.actor)`) stands; `None` when no statement came yet.
    /// Without `version`, of the one last watched.
    ///
    /// # Errors
    /// When the store fails.
    pub fn progress(
        &self,
        activity: &str,
        version: Option<u32>,
        registration: Uuid,
        actor: &Ifi,
        duration_ms: Option<u64>,
        rule: Rule,
    ) -> Result<Option<Progress>, Error> {
        let snapshot = self.snapshot()?;
        let actor = actor.key();
        let version = match version {
            Some(version) => version,
            None => match latest(&snapshot, activity, registration, &actor)? {
                Some(version) => version,
                None => return Ok(None),
            },
        };
        let found = record(&snapshot, activity, version, registration, &actor)?;
        let duration_ms = length(duration_ms);
        Ok(found.map(|(_, record)| {
            let watched = Watched::of(&record, duration_ms);
            Progress {
                version,
                played_segments: print(&record.played.counted),
                hidden_segments: print(&record.hidden.counted),
                muted_segments: print(&record.muted.counted),
                segments: pairs(&watched.segments),
                replayed: pairs(&watched.replayed),
                resume_ms: resume_ms(&record, duration_ms),
                watched: watched.ratio,
                completed: watched.is_completed(rule),
                started: watched.is_started,
                time_ms: watched.time_ms,
                last_seen: Timestamp::from_millisecond(record.last_seen_ms).unwrap_or_default(),
                implausible: record.played.refused.len(),
            }
        }))
    }

    /// Whether a player said `completed` in this registration, of whatever version: it is said once (Video
    /// Profile 1.0). What *completed* means here is decided by the rule, not by this.
    ///
    /// # Errors
    /// When the store fails.
    pub fn has_said_completed(
        &self,
        activity: &str,
        registration: Uuid,
        actor: &Ifi,
    ) -> Result<bool, Error> {
        let place = (activity.to_owned(), registration, actor.key());
        self.snapshot()?.contains(&COMPLETED, &place)
    }
}

type RecordEntry = Result<(RecordKey, Record), lectern_store::Error>;

/// The records of a version by actor and registration, after the one named. Those of other versions lie between them.
fn records(
    snapshot: &Snapshot,
    activity: &str,
    version: u32,
    after: Option<(Uuid, String)>,
) -> Result<impl Iterator<Item = RecordEntry>, Error> {
    let from = match after {
        Some((registration, actor)) => {
            match record(snapshot, activity, version, registration, &actor)? {
                Some((key, _)) => Bound::Excluded(key),
                // It was erased meanwhile.
                None => Bound::Included((activity.to_owned(), actor, version, false, registration)),
            }
        }
        None => Bound::Included((activity.to_owned(), String::new(), 0, false, Uuid::nil())),
    };
    let rows = snapshot.range(&RECORDS, (from, Bound::Unbounded))?;
    let activity = activity.to_owned();
    let of_video =
        rows.take_while(move |row| row.as_ref().map_or(true, |(key, _)| key.0 == activity));
    Ok(of_video.filter(move |row| row.as_ref().map_or(true, |(key, _)| key.2 == version)))
}

fn length(duration_ms: Option<u64>) -> Option<u32> {
    duration_ms
        .filter(|length| *length > 0)
        .map(|length| u32::try_from(length).unwrap_or(MAX_MS).min(MAX_MS))
}

fn pairs(spans: &[Span]) -> Vec<[f64; 2]> {
    let seconds = |ms: u32| f64::from(ms) / 1000.0;
    spans
        .iter()
        .map(|span| [seconds(span.from), seconds(span.to)])
        .collect()
}

fn print(spans: &[Span]) -> String {
    let segments: Segments = spans
        .iter()
        .map(|span| (u64::from(span.from), u64::from(span.to)))
        .collect();
    segments.to_string()
}

fn median(sorted: &[u64]) -> u64 {
    let middle = sorted.len() / 2;
    match sorted {
        [] => 0,
        _ if sorted.len() % 2 == 1 => sorted[middle],
        _ => u64::midpoint(sorted[middle - 1], sorted[middle]),
    }
}
