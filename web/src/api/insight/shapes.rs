//! Figures and records as the API describes them.

use lectern_analytics::{Progress, Retention, Summary, Viewer};
use lectern_lms::{CompletionRule, Person, PersonId};
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::shapes::CompletionRuleShape;
use crate::api::time;

/// How often each second of a version was watched; each list has ceil(duration / 1 s) numbers
#[derive(Serialize, ToSchema)]
#[schema(as = Retention)]
pub(super) struct RetentionOut {
    /// Of which version
    version: u32,
    /// What one number stands for
    bucket_ms: u32,
    /// Passes that cover at least half of the second, playing and visible
    views: Vec<u32>,
    /// Distinct actors among them
    viewers: Vec<u32>,
    /// Passes while the page was hidden
    hidden_views: Vec<u32>,
}

impl RetentionOut {
    pub(super) fn new(version: u32, found: Retention) -> Self {
        Self {
            version,
            bucket_ms: 1000,
            views: found.views,
            viewers: found.viewers,
            hidden_views: found.hidden_views,
        }
    }
}

/// A version's viewers in numbers
#[derive(Serialize, ToSchema)]
#[schema(as = Summary)]
pub(super) struct SummaryOut {
    /// Of which version
    version: u32,
    /// People who played anything of it
    started: u64,
    /// Of them, who watched `watched_percent` of the distinct runtime while visible
    watched: u64,
    /// The share that counts as watched
    watched_percent: u8,
    /// Of them, who completed it by the rule
    completed: u64,
    /// Median time on the video of those who started; null when nobody did
    median_ms: Option<u64>,
    /// The rule
    #[schema(value_type = CompletionRuleShape)]
    rule: CompletionRule,
}

impl SummaryOut {
    pub(super) fn new(version: u32, found: Summary, rule: CompletionRule, percent: u8) -> Self {
        Self {
            version,
            started: found.started,
            watched: found.watched,
            watched_percent: percent,
            completed: found.completed,
            median_ms: (found.started > 0).then_some(found.median_ms),
            rule,
        }
    }
}

/// What one learner watched
#[derive(Serialize, ToSchema)]
#[schema(as = Viewer)]
pub(super) struct ViewerOut {
    /// The person's id; of others (devices without anybody signed in, actors from elsewhere, people
    /// who were erased) the actor
    pub id: String,
    /// The person's name; null where there is no person
    pub name: Option<String>,
    /// Seen at least once: seconds of media time, from and to
    #[schema(value_type = Vec<Vec<f64>>)]
    pub segments: Vec<[f64; 2]>,
    /// Seen at least twice
    #[schema(value_type = Vec<Vec<f64>>)]
    pub replayed: Vec<[f64; 2]>,
    /// Share of the runtime seen at least once, 0 to 1
    pub watched: f64,
    /// Whether that is completed by the box's rule
    pub completed: bool,
    /// When a statement last came
    #[schema(format = DateTime)]
    pub last_seen: String,
    /// Time on the video
    pub time_ms: u64,
    /// Segments that were implausible and are not counted
    pub implausible: usize,
    #[serde(skip)]
    person: Option<PersonId>,
}

impl ViewerOut {
    pub(super) fn new(viewer: Viewer, person: Option<Person>) -> Self {
        let (id, name, person) = match person {
            Some(person) => (
                person.id.to_string(),
                Some(person.display_name),
                Some(person.id),
            ),
            None => (viewer.actor, None, None),
        };
        Self {
            id,
            name,
            person,
            segments: viewer.segments,
            replayed: viewer.replayed,
            watched: viewer.watched,
            completed: viewer.completed,
            last_seen: time::text(viewer.last_seen),
            time_ms: viewer.time_ms,
            implausible: viewer.implausible,
        }
    }

    /// Whose record it is, when a person's.
    pub(super) fn person(&self) -> Option<PersonId> {
        self.person
    }
}

/// Where somebody stands in a version
#[derive(Serialize, ToSchema)]
#[schema(as = Progress)]
pub(super) struct ProgressOut {
    /// Of which version
    version: u32,
    /// What was played, as the Video Profile writes it
    played_segments: String,
    /// What of it was hidden
    hidden_segments: String,
    /// What of it was muted
    muted_segments: String,
    /// Seen at least once: seconds of media time, from and to
    #[schema(value_type = Vec<Vec<f64>>)]
    segments: Vec<[f64; 2]>,
    /// Seen at least twice
    #[schema(value_type = Vec<Vec<f64>>)]
    replayed: Vec<[f64; 2]>,
    /// Where to go on
    resume_ms: u32,
    /// Share of the runtime seen at least once, 0 to 1
    watched: f64,
    /// Whether that is completed by the box's rule
    completed: bool,
}

impl ProgressOut {
    pub(super) fn new(version: u32, found: Option<Progress>) -> Self {
        let Some(found) = found else {
            return Self {
                version,
                played_segments: String::new(),
                hidden_segments: String::new(),
                muted_segments: String::new(),
                segments: Vec::new(),
                replayed: Vec::new(),
                resume_ms: 0,
                watched: 0.0,
                completed: false,
            };
        };
        Self {
            version: found.version,
            played_segments: found.played_segments,
            hidden_segments: found.hidden_segments,
            muted_segments: found.muted_segments,
            segments: found.segments,
            replayed: found.replayed,
            resume_ms: found.resume_ms,
            watched: found.watched,
            completed: found.completed,
        }
    }
}
