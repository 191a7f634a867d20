//! Analytics: views over the statement log that are kept current as statements arrive.
//!
//! One fold so far, *watching*: how often each second of a video version was seen, by how many, how often it went by in a
//! hidden tab; and for each learner what they played, where they are, whether that counts as completed.
//!
//! - The definitions in words are `docs/definitions.md`; the law is `docs/contract.md`, *Retention*.
//! - Pure: `span` (arithmetic), `passes` (a registration's seconds), `track` (what is new in a list), `session`
//!   (plausibility), `record` (one registration), `rule` (watched, completed), `observation` (what a statement says).
//! - Shell: `fold` (in the append's transaction), `read` (snapshots).
//!
//! And `days`: statements as Parquet, for everybody else's views.
//!
//! Invariants: the counters are always the sum over the records, so a fold built anew from the log gives the same; a
//! retention curve is read in time proportional to the video's length, whatever the number of statements; nothing here
//! knows a name, only actors.
#![forbid(unsafe_code)]

mod chunk;
mod days;
mod fold;
mod observation;
mod passes;
mod read;
mod record;
mod rule;
mod session;
mod span;
mod track;
mod wire;

#[cfg(test)]
mod laws;

pub use days::write_day;
pub use lectern_store::Error;
pub use read::{Analytics, Progress, Retention, Summary, Viewer, Viewers};
pub use rule::Rule;
