//! Reading another record store's statements, to follow it or to move away from it: in the order in which it stored them,
//! page by page, each page durable before the cursor goes past it.
//!
//! [`machine`] decides what to ask for and [`page`] reads what comes; neither knows a socket or a clock. [`sift`] says
//! what is new here, [`run`] is the shell. What is refused is listed with its reason and never holds up the rest; a source
//! that does not behave is asked again later, and loses nothing by it. Documents (State, profiles) are not read: xAPI has
//! no way to list whose there are.

mod forget;
mod machine;
mod page;
mod progress;
mod refused;
mod reply;
mod run;
mod sift;
mod source;
mod task;

pub(crate) use forget::{forget_before, forget_people};
pub use refused::RefusedStatement;
pub use run::run;
pub use source::{NewSource, Source, SourceAddress, SourceChange, SourceState, Sources};
