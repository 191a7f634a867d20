//! The learning management side of the records machine: people and what they may be, how they sign in, which
//! registration they watch under, what the box was told about itself, and who looked at whom.
//!
//! Statements know none of this: they name an opaque actor and a registration. Only here does an actor point at a
//! person, so that erasing the person leaves statements that point at no one (`docs/contract.md`, *A video's
//! statements*). No HTTP and no cookie here; [`Lms`] blocks (argon2, fsync), so async callers use a blocking thread.
//!
//! Every secret is at least 128 random bits and lies in the store as its SHA-256 only (`secret`); passwords as argon2id
//! (`password`). The clock is an argument.
#![forbid(unsafe_code)]

mod audit;
mod backups;
mod erasure;
mod error;
mod identifiers;
mod identity;
mod import;
mod keeping;
mod lms;
mod network;
mod notes;
mod pace;
mod password;
mod people;
mod person;
mod registration;
mod secret;
mod session;
mod settings;
mod setup;
mod sign_in;
mod tables;
mod throttle;
mod token;
mod viewing;

pub use audit::{AuditEntry, AuditEvent, AuditPage, Reading, Whose};
pub use erasure::{Erasing, Whom};
pub use error::{Error, SignInError};

pub use identity::IdentityFold;
pub use import::{ImportError, ImportReport, MAX_CSV_BYTES};
pub use keeping::Keeping;
pub use lms::Lms;
pub use network::Network;
pub use people::PeoplePage;
pub use person::{NewPerson, Person, PersonId, PersonPatch, Role};
pub use registration::{Registration, Viewer, Who};
pub use secret::DeviceId;
pub use session::Session;
pub use settings::{
    CompletionRule, EgressPrice, PlainHttp, PrepareHours, Settings, SettingsPatch, TimeOfDay,
};
pub use throttle::Throttle;
pub use viewing::{MediaGrant, NewViewing, Viewing, ViewingGrant};
