//! The control socket: how a `lecternd` command reaches the running daemon.
//!
//! redb locks its file to one process, so while the daemon runs every command goes through `lecternd.sock` in the
//! state folder; peer credentials decide who may (the daemon's own user and root). One request a connection:
//! the client writes a frame with the request and then, raw, what the command reads (a video); the daemon answers
//! with data frames (a backup) and one reply frame.

mod client;
mod frame;
mod server;
mod socket;

pub use client::Client;
pub use server::serve;

/// What a command answers: a JSON object, or a sentence that says what happened and what to do.
pub type Reply = Result<serde_json::Value, String>;
