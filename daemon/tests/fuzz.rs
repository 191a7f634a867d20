//! Every parser of outside bytes, thrown random bytes at: the files of its corpus, then what becomes of
//! them when bits flip, pieces move and words of its language fall in (`fuzz/driver.rs`).
//!
//! `cargo test` does a short, always equal run of each. `make fuzz` gives each target
//! `LECTERN_FUZZ_SECONDS`, from a seed that it prints. A find is written to `target/fuzz/`; mend the
//! parser, then put the file into the target's corpus under a name that says what it is.
//!
//! Here, because only this crate may know all rooms. Not cargo-fuzz: it needs a nightly compiler, and
//! the box is built with stable.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout)] // of tests: clippy.toml allows it in `#[test]` functions alone

#[path = "fuzz/driver.rs"]
mod driver;
#[path = "fuzz/media.rs"]
mod media;
#[path = "fuzz/records.rs"]
mod records;
