//! What one statement says about watching a video: the few facts that the folds need, taken from an xAPI statement.
//!
//! A statement of another shape than `docs/contract.md`, *A video's statements*, gives `None`: it stays in the log and
//! says nothing about a video. Which shape: a verb of the Video Profile, an activity that calls itself a video (by its
//! definition's type or by the profile's category), a registration, and a version in `context.revision`.

use crate::span::{Span, millis};
use jiff::Timestamp;
use lectern_lrs::Entry;
use lectern_xapi::video::{Segments, extension, iri};
use lectern_xapi::{Object, Statement};
use serde_json::Value;
use uuid::Uuid;

/// The Video Profile's verbs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the profile's own words")]
pub enum Verb {
    Initialized,
    Played,
    Paused,
    Seeked,
    Interacted,
    Completed,
    Terminated,
}

/// One statement about a video.
#[derive(Clone, Debug, PartialEq)]
pub struct Observation {
    /// `object.id`.
    pub activity: String,
    /// `context.revision`.
    pub version: u32,
    /// `context.registration`.
    pub registration: [u8; 16],
    /// The actor's identifier in its canonical form.
    pub actor: String,
    /// Extension `session-id`; nil when there is none.
    pub session: [u8; 16],
    /// What happened.
    pub verb: Verb,
    /// When, by the statement's timestamp, Unix milliseconds.
    pub at_ms: i64,
    /// When the box stored it, Unix milliseconds.
    pub received_ms: i64,
    /// Its number in the log.
    pub sequence: u64,
    /// Extension `length`.
    pub length_ms: Option<u32>,
    /// Extension `speed`.
    pub rate: Option<f32>,
    /// Where the learner is afterwards: `time` of `played`, `paused` and `completed`, `time-to` of a seek. What others
    /// say moves nobody: a tab that stood idle says `terminated` when it is closed at last.
    pub position_ms: Option<u32>,
    /// Extension `played-segments`.
    pub played: Option<Vec<Span>>,
    /// Our extension `hidden-segments`.
    pub hidden: Option<Vec<Span>>,
    /// Our extension `muted-segments`.
    pub muted: Option<Vec<Span>>,
}

/// Longest activity and actor that are looked at: both go into keys.
const MAX_ACTIVITY_BYTES: usize = 800;
const MAX_ACTOR_BYTES: usize = 400;

impl Observation {
    /// What a stored statement says, when it is one about a video.
    #[must_use]
    pub fn of(statement: &Statement, entry: &Entry) -> Option<Self> {
        let verb = Verb::of(&statement.verb.id)?;
        let Object::Activity(activity) = &statement.object else {
            return None;
        };
        let context = statement.context.as_ref()?;
        let definition = activity.definition.as_ref();
        let is_video = definition.and_then(|definition| definition.kind.as_deref())
            == Some(iri::ACTIVITY_TYPE)
            || context
                .activities
                .category
                .iter()
                .any(|category| category.id == iri::CATEGORY);
        let registration = context.registration?;
        let version = parse_version(context.revision.as_deref()?)?;
        let actor = statement.actor.ifi()?.key();
        if !is_video || activity.id.len() > MAX_ACTIVITY_BYTES || actor.len() > MAX_ACTOR_BYTES {
            return None;
        }
        let result = |iri: &str| statement.result_extension(iri);
        let around = |iri: &str| statement.context_extension(iri);
        let position = match verb {
            Verb::Seeked => result(iri::result::TIME_TO),
            Verb::Played | Verb::Paused | Verb::Completed => result(iri::result::TIME),
            Verb::Initialized | Verb::Interacted | Verb::Terminated => None,
        };
        let session = around(iri::context::SESSION_ID)
            .and_then(Value::as_str)
            .and_then(|text| Uuid::try_parse(text).ok());
        let received_ms = entry.stored.as_millisecond();
        Some(Self {
            activity: activity.id.clone(),
            version,
            registration: registration.into_bytes(),
            actor,
            session: session.map_or([0; 16], Uuid::into_bytes),
            verb,
            at_ms: statement
                .timestamp
                .map_or(received_ms, Timestamp::as_millisecond),
            received_ms,
            sequence: entry.sequence,
            length_ms: around(iri::context::LENGTH)
                .and_then(millis_of)
                .filter(|length| *length > 0),
            rate: around(iri::context::SPEED).and_then(rate_of),
            position_ms: position.and_then(millis_of),
            played: result(iri::result::PLAYED_SEGMENTS).and_then(spans_of),
            hidden: result(extension::HIDDEN_SEGMENTS).and_then(spans_of),
            muted: result(extension::MUTED_SEGMENTS).and_then(spans_of),
        })
    }
}

impl Verb {
    fn of(id: &str) -> Option<Self> {
        Some(match id {
            iri::verb::INITIALIZED => Self::Initialized,
            iri::verb::PLAYED => Self::Played,
            iri::verb::PAUSED => Self::Paused,
            iri::verb::SEEKED => Self::Seeked,
            iri::verb::INTERACTED => Self::Interacted,
            iri::verb::COMPLETED => Self::Completed,
            iri::verb::TERMINATED => Self::Terminated,
            _ => return None,
        })
    }
}

/// Versions count from 1 and are written without sign or zeros in front.
fn parse_version(text: &str) -> Option<u32> {
    let version: u32 = text.parse().ok()?;
    (version > 0 && version.to_string() == text).then_some(version)
}

/// Seconds as a number; older players send a text.
fn millis_of(value: &Value) -> Option<u32> {
    let seconds = value
        .as_f64()
        .or_else(|| value.as_str()?.trim().parse().ok())?;
    millis(seconds)
}

/// `1.5x`; older players send a number.
fn rate_of(value: &Value) -> Option<f32> {
    match value {
        Value::String(text) => text.trim().trim_end_matches(['x', 'X']).parse().ok(),
        // Rates are small numbers: rounding does not matter.
        #[allow(clippy::cast_possible_truncation)]
        number => number.as_f64().map(|rate| rate as f32),
    }
}

fn spans_of(value: &Value) -> Option<Vec<Span>> {
    let segments: Segments = value.as_str()?.parse().ok()?;
    let spans = segments.iter().filter_map(|segment| {
        let ms = |position: u64| u32::try_from(position).unwrap_or(u32::MAX);
        Span::new(ms(segment.from_ms), ms(segment.to_ms))
    });
    Some(spans.collect())
}
