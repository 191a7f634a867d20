//! Upstream forwarding: the log is the outbox. Each upstream has a cursor over it; statements go out in order, in
//! batches, at least once, and are idempotent by their id.
//!
//! [`machine`] decides and knows no socket and no clock; [`run`] is the shell around it. Whatever an upstream refuses
//! for good becomes a dead letter, which a person can read and send again, and never holds up the rest.

mod answer;
mod batch;
mod dead;
mod forget;
mod identifier;
mod identities;
mod letter;
mod machine;
mod run;
mod task;
mod trial;
mod upstream;

pub use dead::DeadLetter;
pub(crate) use forget::{Counting, forget, forget_people};
pub use identifier::{print_identifier, read_identifier};
pub use identities::{Identities, Unlisted};
pub use letter::Filter;
pub use run::run;
pub use upstream::{NewUpstream, Upstream, UpstreamChange, Upstreams};
