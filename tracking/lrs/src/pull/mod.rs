//! Pulling statements out of other record stores over xAPI: to migrate from one, or to follow one.
//!
//! A *source* is read oldest first, a page at a time, with attachments. A page's statements are durable here before it is
//! written down how far the source was read, so whoever is interrupted reads a page again and finds it known. What another
//! store cannot give or this one cannot take is written down and holds up nothing.
//!
//! Statements keep their ids and what they say, letter by letter; `stored` and `authority` are this box's, as for whatever
//! is sent to it ([`crate::intake`]). State and profiles are not pulled: xAPI has no way to list them.

mod page;
mod run;
mod source;
mod task;

pub use run::run;
pub use source::{NewSource, Refusal, Source, SourceState, Sources};
