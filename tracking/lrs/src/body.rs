//! Bodies: what was received, letter by letter, with its salt and what was known of it then; apart from the entry, so
//! that they can be erased. And the authorities that vouch for them, each kept once.

use lectern_store::Table;
use lectern_xapi::json::Json;
use lectern_xapi::{Actor, Invalid, Limits, Statement, Version};
use sha2::{Digest, Sha256};

use crate::entry::{Entry, Hash};

/// Who vouches for statements.
pub(crate) struct Authority {
    pub json: String,
    /// It, read.
    pub actor: Option<Actor>,
}

impl Authority {
    pub fn new(json: String) -> Self {
        let actor = lectern_xapi::parse_authority(&json).ok();
        Self { json, actor }
    }
}

/// Number of an authority to its JSON.
pub(crate) const AUTHORITIES: Table<u128, String> = Table::new("lrs.authorities");

/// A statement as received and what was known of it then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Body {
    /// Under which version's rules it was read.
    pub version: Version,
    /// Whether its sender may say what Activities are.
    pub defines: bool,
    /// Who vouches for it, in [`AUTHORITIES`].
    pub authority: u128,
    /// Makes the hash in the chain say nothing once this is erased.
    pub salt: [u8; 16],
    /// The text.
    pub raw: String,
}

const IS_2_0: u8 = 1;
const DEFINES: u8 = 2;

impl Body {
    /// What the chain holds of it: SHA-256 of salt, flags (1: xAPI 2.0, 2: may define), the authority's number
    /// (big-endian) and the text.
    pub fn hash(&self) -> Hash {
        let mut hash = Sha256::new();
        hash.update(self.salt);
        hash.update([self.flags()]);
        hash.update(self.authority.to_be_bytes());
        hash.update(self.raw.as_bytes());
        hash.finalize().into()
    }

    /// `version` and `defines` as one byte.
    pub fn flags(&self) -> u8 {
        let version = if self.version == Version::V2_0_0 {
            IS_2_0
        } else {
            0
        };
        version | if self.defines { DEFINES } else { 0 }
    }

    /// See [`Self::flags`]: the version, and whether it defines.
    pub fn read_flags(flags: u8) -> (Version, bool) {
        let version = if flags & IS_2_0 == 0 {
            Version::V1_0_3
        } else {
            Version::V2_0_0
        };
        (version, flags & DEFINES != 0)
    }

    /// The text as JSON.
    pub fn json(&self) -> Result<Json<'_>, Invalid> {
        Json::read(&self.raw, Limits::DEFAULT.depth)
    }

    /// It as a statement, with what the entry knows. `json` is [`Self::json`].
    pub fn statement(&self, entry: &Entry, json: &Json<'_>) -> Option<Statement> {
        match lectern_xapi::read_stored(json, self.version) {
            Ok(mut statement) => {
                complete(&mut statement, entry);
                Some(statement)
            }
            Err(invalid) => {
                unreadable(entry, &invalid);
                None
            }
        }
    }
}

/// Says that what was accepted once is not read any more.
pub(crate) fn unreadable(entry: &Entry, invalid: &Invalid) {
    tracing::error!(event = "lrs.stored_statement_unreadable", sequence = entry.sequence, %invalid);
}

/// Gives a statement what the log knows of it.
pub(crate) fn complete(statement: &mut Statement, entry: &Entry) {
    statement.id = Some(entry.id);
    statement.stored = Some(entry.stored);
    statement.timestamp.get_or_insert(entry.stored);
}

/// The number under which an authority is kept: the first half of its SHA-256.
pub(crate) fn authority_number(json: &str) -> u128 {
    let hash: Hash = Sha256::digest(json.as_bytes()).into();
    hash.first_chunk()
        .map_or(0, |head| u128::from_be_bytes(*head))
}
