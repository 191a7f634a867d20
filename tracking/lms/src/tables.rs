//! This room's tables in `records.redb`, in one place so that no name is used twice. Records are JSON: fields are added
//! with `#[serde(default)]`, never renamed.

use crate::audit::AuditEntry;
use crate::keeping::Keeping;
use crate::person::{Person, PersonId};
use crate::registration::{DeviceRecord, RegistrationRecord};
use crate::secret::Hash;
use crate::session::SessionRecord;
use crate::settings::Settings;
use crate::token::TokenRecord;
use crate::viewing::{MediaGrant, ViewingGrant};
use lectern_store::Table;
use uuid::Uuid;

lectern_store::json_record!(
    AuditEntry,
    DeviceRecord,
    Keeping,
    MediaGrant,
    Person,
    RegistrationRecord,
    SessionRecord,
    Settings,
    TokenRecord,
    ViewingGrant,
);

/// Who there is.
pub const PEOPLE: Table<PersonId, Person> = Table::new("lms.people");
/// Sign-in name, case folded, to person.
pub const NAMES: Table<String, PersonIdRecord> = Table::new("lms.names");
/// Password hashes, apart from the people so that no listing touches them.
pub const PASSWORDS: Table<PersonId, String> = Table::new("lms.passwords");
/// Actor to whom it points: removed when a person is erased.
pub const ACTORS: Table<String, WhoRecord> = Table::new("lms.actors");
/// Session by the hash of its token.
pub const SESSIONS: Table<Hash, SessionRecord> = Table::new("lms.sessions");
/// Sessions of a person.
pub const SESSIONS_OF: Table<(PersonId, Hash), ()> = Table::new("lms.sessions_of");
/// API token by its hash.
pub const TOKENS: Table<Hash, TokenRecord> = Table::new("lms.tokens");
/// API tokens of a person.
pub const TOKENS_OF: Table<(PersonId, Hash), ()> = Table::new("lms.tokens_of");
/// Viewing token by its hash.
pub const VIEWINGS: Table<Hash, ViewingGrant> = Table::new("lms.viewings");
/// Media token by its hash.
pub const MEDIA: Table<Hash, MediaGrant> = Table::new("lms.media_tokens");
/// What ends when (Unix seconds), in order, so that sweeping looks only at what has ended.
pub const ENDINGS: Table<(i64, u8, Hash), ()> = Table::new("lms.endings");
/// Devices that watch without signing in, by the hash of their id.
pub const DEVICES: Table<Hash, DeviceRecord> = Table::new("lms.devices");
/// Registration by viewer and video.
pub const REGISTRATIONS: Table<(Vec<u8>, String), RegistrationRecord> =
    Table::new("lms.registrations");
/// Viewer and video by registration.
pub const REGISTERED: Table<Uuid, RegistrationRecord> = Table::new("lms.registered");
/// One settings record, key 0.
pub const SETTINGS: Table<u32, Settings> = Table::new("lms.settings");
/// How long statements are kept, key 0.
pub const KEEPING: Table<u32, Keeping> = Table::new("lms.keeping");
/// `box_id`, `identity`, `identity_fixed`, `last_backup`.
pub const BOX: Table<String, String> = Table::new("lms.box");
/// Who did what, by number; only ever added to.
pub const AUDIT: Table<u64, AuditEntry> = Table::new("lms.audit");
/// Readings by the hash of reader, whose record, and of what, to when one was last written down (Unix seconds); swept by
/// [`ENDINGS`] once they are repeated anyway.
pub const READINGS: Table<Hash, u64> = Table::new("lms.recent_readings");
/// The newest note of a reading that is in [`AUDIT`], key 0.
pub const NOTED: Table<u32, u64> = Table::new("lms.noted");

/// Kinds in [`ENDINGS`].
pub const ENDS_SESSION: u8 = 1;
/// See [`ENDS_SESSION`].
pub const ENDS_VIEWING: u8 = 2;
/// See [`ENDS_SESSION`].
pub const ENDS_MEDIA: u8 = 3;
/// See [`ENDS_SESSION`].
pub const ENDS_READING: u8 = 4;

/// A person's id as a value.
#[derive(Clone, Copy, Debug, serde::Serialize, serde::Deserialize)]
pub struct PersonIdRecord {
    /// Which person.
    pub person: PersonId,
}

/// Where an actor points.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WhoRecord {
    /// To a person.
    Person(PersonId),
    /// To a device that nobody signed in on.
    Device,
}

lectern_store::json_record!(PersonIdRecord, WhoRecord);
