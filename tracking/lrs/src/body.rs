//! Bodies: what was received, letter by letter, with its salt; beside the log, so that they can be erased. And the
//! authorities that vouch for them, each kept once.

use lectern_store::{Corrupt, Error, Record, Snapshot, Table, Tx};
use lectern_xapi::{Statement, Version};
use sha2::{Digest, Sha256};

use crate::entry::{Entry, IDS, LOG, take};

/// Sequence number to body.
pub(crate) const BODIES: Table<u64, Body> = Table::new("lrs.bodies");
/// Number of an authority (the first bytes of its hash) to its JSON.
pub(crate) const AUTHORITIES: Table<u64, String> = Table::new("lrs.authorities");

/// A statement as received and what was known of it then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Body {
    /// Under which version's rules it was read.
    pub version: Version,
    /// Whether its sender may say what Activities are.
    pub defines: bool,
    /// Who vouches for it, in [`AUTHORITIES`].
    pub authority: u64,
    /// Makes the hash in the entry say nothing once this is erased.
    pub salt: [u8; 16],
    /// The text.
    pub raw: String,
}

const FORMAT: u8 = 1;
const IS_2_0: u8 = 1;
const DEFINES: u8 = 2;

impl Body {
    /// What the entry holds of it.
    pub fn hash(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update(self.salt);
        hash.update(self.raw.as_bytes());
        hash.finalize().into()
    }

    /// It as a statement, with what the entry knows.
    fn statement(&self, entry: &Entry) -> Option<Statement> {
        match lectern_xapi::parse_stored(&self.raw, self.version) {
            Ok(mut statement) => {
                complete(&mut statement, entry);
                Some(statement)
            }
            Err(invalid) => {
                tracing::error!(event = "lrs.stored_statement_unreadable", sequence = entry.sequence, %invalid);
                None
            }
        }
    }
}

/// Gives a statement what the log knows of it.
pub(crate) fn complete(statement: &mut Statement, entry: &Entry) {
    statement.id = Some(entry.id);
    statement.stored = Some(entry.stored);
    statement.timestamp.get_or_insert(entry.stored);
}

/// The number under which an authority is kept.
pub(crate) fn authority_number(json: &str) -> u64 {
    let hash: [u8; 32] = Sha256::digest(json.as_bytes()).into();
    hash.first_chunk()
        .map_or(0, |head| u64::from_be_bytes(*head))
}

impl Record for Body {
    fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(26 + self.raw.len());
        out.push(FORMAT);
        let version = if self.version == Version::V2_0_0 {
            IS_2_0
        } else {
            0
        };
        out.push(version | if self.defines { DEFINES } else { 0 });
        out.extend_from_slice(&self.authority.to_be_bytes());
        out.extend_from_slice(&self.salt);
        out.extend_from_slice(self.raw.as_bytes());
        out
    }

    fn decode(bytes: &[u8]) -> Result<Self, Corrupt> {
        let mut rest = bytes;
        let [format, flags] = take(&mut rest)?;
        if format != FORMAT {
            return Err(Corrupt(format!("a body of unknown format {format}")));
        }
        Ok(Self {
            version: if flags & IS_2_0 == 0 {
                Version::V1_0_3
            } else {
                Version::V2_0_0
            },
            defines: flags & DEFINES != 0,
            authority: u64::from_be_bytes(take(&mut rest)?),
            salt: take(&mut rest)?,
            raw: String::from_utf8(rest.to_vec())
                .map_err(|_| Corrupt("a body that is not UTF-8".to_owned()))?,
        })
    }
}

/// What can be read from inside a transaction and from a snapshot alike.
pub(crate) trait Read {
    fn entry(&self, sequence: u64) -> Result<Option<Entry>, Error>;
    fn body(&self, sequence: u64) -> Result<Option<Body>, Error>;
    fn authority(&self, number: u64) -> Result<Option<String>, Error>;
    fn sequence_of(&self, id: uuid::Uuid) -> Result<Option<u64>, Error>;

    /// The statement at `sequence` with all that the log knows of it; `None` when there is none (any more).
    fn statement(&self, sequence: u64) -> Result<Option<Statement>, Error> {
        let (Some(entry), Some(body)) = (self.entry(sequence)?, self.body(sequence)?) else {
            return Ok(None);
        };
        let mut statement = body.statement(&entry);
        if let Some(statement) = &mut statement {
            statement.authority = self
                .authority(body.authority)?
                .and_then(|json| lectern_xapi::parse_authority(&json).ok());
        }
        Ok(statement)
    }
}

macro_rules! reads {
    ($($reader:ty),*) => {$(
        impl Read for $reader {
            fn entry(&self, sequence: u64) -> Result<Option<Entry>, Error> {
                self.get(&LOG, &sequence)
            }
            fn body(&self, sequence: u64) -> Result<Option<Body>, Error> {
                self.get(&BODIES, &sequence)
            }
            fn authority(&self, number: u64) -> Result<Option<String>, Error> {
                self.get(&AUTHORITIES, &number)
            }
            fn sequence_of(&self, id: uuid::Uuid) -> Result<Option<u64>, Error> {
                self.get(&IDS, &id)
            }
        }
    )*};
}
reads!(Tx<'_>, Snapshot);
