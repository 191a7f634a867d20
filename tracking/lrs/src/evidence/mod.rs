//! The evidence: that no record was changed, removed or added unseen, shown to whoever does not trust the box.
//!
//! The log is a chain ([`log`]); a *head* names its end and is signed with the box's key, once a day and when somebody
//! asks ([`Head`]). [`Verifier`] holds both against each other; it is pure and takes heads and entries as values, so that
//! the store, a backup's store and an export ([`export`]) are judged by the same lines. [`run`] is the shell.
//!
//! What it cannot show: that whoever has the key and the file did not make both anew. Against that stands what left the
//! box before: a fingerprint or the hash of a head that somebody kept (`lecternd verify --key`, `--head`).

mod broken;
mod export;
mod head;
mod hex;
mod keeper;
mod key;
mod log;
mod run;
mod verify;

pub use broken::Broken;
pub use export::{Exported, verify_export};
pub use head::Head;
pub use hex::Hex;
pub use keeper::{Error, Evidence, Progress, Standing, Verified, known_key, verify_store};
pub use key::{Fingerprint, KeyRefused, PublicKey, SigningKey};
pub use log::{Walked, WalkedBody};
pub use run::run;
pub use verify::{Report, Trust, Unfinished, Verifier};

pub(crate) use log::walk;
