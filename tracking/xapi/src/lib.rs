//! xAPI 1.0.3 and 2.0.0 statements: types, strict validation, comparison, the forms they are served in, and the
//! Video Profile. Pure: no socket, no disk, no clock.
//!
//! Clauses are named `Data x.y` and `Comm x.y` after 1.0.3's Parts 2 and 3, whose numbers everyone knows; where 2.0
//! (IEEE 9274.1.1) differs, `2.0 4.x.y`.
#![forbid(unsafe_code)]

mod activity;
mod actor;
mod attachment;
mod batch;
mod context;
mod duration;
mod equivalence;
pub mod form;
mod invalid;
mod iri;
pub mod json;
mod language;
mod languages;
mod limits;
pub mod multipart;
mod result;
mod signature;
mod statement;
mod timestamp;
mod verb;
mod version;
pub mod video;

pub use activity::{Activity, Component, Definition, Interaction, InteractionKind};
pub use actor::{Actor, Agent, Group, Ifi};
pub use attachment::{Attachment, SIGNATURE_USAGE};
pub use batch::{
    Parsed, parse_agent, parse_authority, parse_batch, parse_statement, parse_stored, parse_uuid,
    read_stored,
};
pub use context::{Context, ContextActivities, ContextAgent, ContextGroup};
pub use duration::Duration;
pub use equivalence::equivalent;
pub use invalid::{Invalid, Path};
pub use iri::is_iri;
pub use language::{LanguageMap, is_language_tag};
pub use limits::Limits;
pub use result::{Outcome, Score};
pub use signature::check_signature;
pub use statement::{Object, Statement, SubStatement};
pub use timestamp::{parse_timestamp, print_timestamp};
pub use verb::Verb;
pub use version::{UnknownVersion, Version};

/// Extensions by their IRI. Their values are never judged (Data 4.1), so they stay JSON.
pub type Extensions = std::collections::BTreeMap<String, serde_json::Value>;
