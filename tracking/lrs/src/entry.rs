//! A log entry: what is chained. It holds no word of the statement, so that a person's bodies can be erased and the
//! chain stays valid.

use jiff::Timestamp;
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// SHA-256.
pub(crate) type Hash = [u8; 32];

/// One statement's place in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its number, from 1, without holes.
    pub sequence: u64,
    /// The statement's id.
    pub id: Uuid,
    /// When it was accepted; strictly increases with the sequence.
    pub stored: Timestamp,
    /// Which credential wrote it.
    pub credential: String,
    /// Whether that one may say what Activities are; chained with the body, and not known any more once that is erased.
    pub defines: bool,
}

const FORMAT: u8 = 1;

impl Entry {
    /// This entry's link of the chain: SHA-256 of the format byte, sequence, id, `stored` in microseconds (both
    /// big-endian), the hash of the body, the link of the entry before (zeros for the first), and the credential.
    pub fn link(&self, body_hash: &Hash, previous: &Hash) -> Hash {
        let mut hash = Sha256::new();
        hash.update([FORMAT]);
        hash.update(self.sequence.to_be_bytes());
        hash.update(self.id.as_bytes());
        hash.update(self.stored.as_microsecond().to_be_bytes());
        hash.update(body_hash);
        hash.update(previous);
        hash.update(self.credential.as_bytes());
        hash.finalize().into()
    }
}
