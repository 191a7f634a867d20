//! The learning record store: the statement log and its folds, queries, documents, credentials, forwarding to other
//! record stores and reading from them.
//!
//! Knows no HTTP and no people: the caller comes in as a [`Caller`], already authenticated, and answers are values.
//! The log is append-only; whatever else is kept about statements is a [`Fold`] over it and can be dropped and built
//! anew.
#![forbid(unsafe_code)]

mod append;
mod appender;
mod attachments;
mod body;
mod caller;
mod chain;
mod core;
mod credentials;
mod definitions;
mod documents;
mod entry;
pub mod erasure;
mod error;
pub mod evidence;
mod flush;
mod fold;
pub mod forward;
mod frame;
mod import;
mod index;
mod intake;
mod log;
mod lrs;
mod marks;
mod open;
pub mod pull;
mod query;
mod references;
mod remote;
mod resources;
mod tail;
mod view;

/// The extension of `/about` (Comm 2.8) in which a Lectern says what it is: `{version, instance}`.
pub const ABOUT_EXTENSION: &str = "https://lectern.invalid/xapi/extensions/lectern";

pub use append::{StatementId, StatementsBody};
pub use attachments::{AttachmentBytes, join as join_multipart};
pub use caller::{Bound, Caller, Scope, Scopes};
pub use chain::Verification;
pub use credentials::{Credential, Credentials, NewCredential};
pub use documents::{
    Conditions, Document, DocumentIds, DocumentPlace, DocumentRequest, MAX_DOCUMENT_BYTES, Resource,
};
pub use entry::Entry;
pub use erasure::Erased;
pub use error::Error;
pub use fold::Fold;
pub use import::{ImportError, Imported, Problem};
pub use intake::Taken;
pub use lrs::{Clock, Lrs, Options};
pub use marks::Mark;
pub use query::{Exported, Found, MORE_PATH, StatementsAnswer, Stored};
pub use remote::{Failure, Trial};
