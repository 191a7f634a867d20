//! Video on demand: probe, ladder, encode, CMAF, HLS and DASH, storyboard, captions.
//!
//! Two halves. The *pure* one (package, ladder, manifests, captions, the worker's protocol) touches
//! no file, no clock and no GStreamer, and is what the daemon and the web use. The *worker* half runs
//! only inside `lecternd worker`, in a sandbox: it is the only place where hostile media is decoded.
//!
//! Invariants: nothing here knows a learner; the daemon never calls the worker half; what a package
//! has listed never changes.

pub mod captions;
pub mod chapters;
pub mod dash;
pub mod hardware;
pub mod hls;
pub mod ladder;
pub mod manifest;
pub mod names;
pub mod package;
pub mod protocol;
pub mod report;
pub mod spawn;
pub mod speech;
pub mod worker;

#[cfg(test)]
mod testing;
