//! The worker through its one door: a job in, messages and files out, as the daemon sees it. The files
//! it makes are read back by a stranger, ffprobe. Needs the example `worker` (built with the tests).

#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests are tests

mod chips;
mod failures;
mod kills;
mod kinds;
mod ladder;
mod loudness;
mod remux;
mod resume;
mod run;
mod sandbox;
mod source;
mod speech;
