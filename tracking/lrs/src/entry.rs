//! A log entry: what is chained. It holds no word of the statement, so that a person's bodies can be erased and the
//! chain stays valid.

use jiff::Timestamp;
use lectern_store::{Corrupt, Record, Table};
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// The log: sequence number, from 1 without holes, to entry.
pub(crate) const LOG: Table<u64, Entry> = Table::new("lrs.log");
/// Statement id to sequence number.
pub(crate) const IDS: Table<Uuid, u64> = Table::new("lrs.ids");

/// One statement's place in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its number, from 1.
    pub sequence: u64,
    /// The statement's id.
    pub id: Uuid,
    /// When it was accepted; strictly increases with the sequence.
    pub stored: Timestamp,
    /// Which credential wrote it.
    pub credential: String,
    /// SHA-256 of salt and body as received.
    pub body_hash: [u8; 32],
    /// [`Entry::hash`] of the entry before; zeros for the first.
    pub previous: [u8; 32],
}

const FORMAT: u8 = 1;
/// Format byte, sequence, id, stored, two hashes.
const FIXED_BYTES: usize = 1 + 8 + 16 + 8 + 32 + 32;

impl Entry {
    /// What the next entry names as `previous`: the SHA-256 of this one as it lies in the file.
    pub fn hash(&self) -> [u8; 32] {
        Sha256::digest(self.encode()).into()
    }
}

impl Record for Entry {
    fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(FIXED_BYTES + self.credential.len());
        out.push(FORMAT);
        out.extend_from_slice(&self.sequence.to_be_bytes());
        out.extend_from_slice(self.id.as_bytes());
        out.extend_from_slice(&self.stored.as_microsecond().to_be_bytes());
        out.extend_from_slice(&self.body_hash);
        out.extend_from_slice(&self.previous);
        out.extend_from_slice(self.credential.as_bytes());
        out
    }

    fn decode(bytes: &[u8]) -> Result<Self, Corrupt> {
        let mut rest = bytes;
        let [format] = take::<1>(&mut rest)?;
        if format != FORMAT {
            return Err(Corrupt(format!("a log entry of unknown format {format}")));
        }
        let sequence = u64::from_be_bytes(take(&mut rest)?);
        let id = Uuid::from_bytes(take(&mut rest)?);
        let stored = Timestamp::from_microsecond(i64::from_be_bytes(take(&mut rest)?))
            .map_err(|error| Corrupt(error.to_string()))?;
        let body_hash = take(&mut rest)?;
        let previous = take(&mut rest)?;
        let credential = String::from_utf8(rest.to_vec())
            .map_err(|_| Corrupt("a credential's id that is not UTF-8".to_owned()))?;
        Ok(Self {
            sequence,
            id,
            stored,
            credential,
            body_hash,
            previous,
        })
    }
}

pub(crate) fn take<const N: usize>(bytes: &mut &[u8]) -> Result<[u8; N], Corrupt> {
    let (head, rest) = bytes
        .split_first_chunk()
        .ok_or_else(|| Corrupt("a record that is too short".to_owned()))?;
    *bytes = rest;
    Ok(*head)
}
