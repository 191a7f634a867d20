//! The evidence's only way to the log: [`walk`], [`head`], and how a [`link`] is made. How the log lies on disk is the
//! log's own matter.

use jiff::Timestamp;
use lectern_store::Record;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::body::BODIES;
use crate::entry::{Entry, LOG};
use crate::error::Error;
use crate::lrs::Lrs;

/// Entries read from one snapshot: a walk over years must not keep the store from reusing its pages.
const FROM_ONE_SNAPSHOT: usize = 4096;

/// One entry of the log, and its body as long as it is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Walked {
    /// Its number, from 1
    pub sequence: u64,
    /// The statement's id
    pub id: Uuid,
    /// When it was accepted
    pub stored: Timestamp,
    /// Which credential wrote it
    pub credential: String,
    /// SHA-256 of salt and body
    pub body_hash: [u8; 32],
    /// The link of the entry before; zeros for the first
    pub previous: [u8; 32],
    /// The hash of all that stands above
    pub link: [u8; 32],
    /// What was received
    pub body: WalkedBody,
}

/// A body, letter by letter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WalkedBody {
    /// As it was received
    Here {
        /// What makes its hash say nothing once it is erased
        salt: [u8; 16],
        /// The text
        raw: String,
    },
    /// It was erased
    Erased,
    /// It was left out here, so nothing is said about it
    LeftOut,
}

/// SHA-256 of a body as entries name it.
pub(crate) fn body_hash(salt: &[u8; 16], raw: &str) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(salt);
    hash.update(raw.as_bytes());
    hash.finalize().into()
}

/// The link of an entry: the SHA-256 of a byte 1 (the format), the sequence (8 bytes, big endian), the id (16), `stored`
/// (microseconds since 1970, 8 bytes, big endian), the body's hash (32), the link before (32), and the credential.
pub(crate) fn link(entry: &Walked) -> [u8; 32] {
    let entry = Entry {
        sequence: entry.sequence,
        id: entry.id,
        stored: entry.stored,
        credential: entry.credential.clone(),
        body_hash: entry.body_hash,
        previous: entry.previous,
    };
    Sha256::digest(entry.encode()).into()
}

/// Hands every entry from `from` on to `visit`, in order; what is appended meanwhile may be among them.
///
/// # Errors
/// The store fails, or what `visit` answers.
pub(crate) fn walk<E: From<Error>>(
    lrs: &Lrs,
    from: u64,
    mut visit: impl FnMut(Walked) -> Result<(), E>,
) -> Result<(), E> {
    let mut next = from;
    loop {
        let snapshot = lrs.store().snapshot().map_err(Error::from)?;
        let mut bodies = snapshot
            .range(&BODIES, next..)
            .map_err(Error::from)?
            .peekable();
        let mut walked = 0;
        for row in snapshot.range(&LOG, next..).map_err(Error::from)? {
            let (sequence, entry) = row.map_err(Error::from)?;
            while bodies
                .next_if(|row| matches!(row, Ok((of, _)) if *of < sequence))
                .is_some()
            {}
            let body = match bodies.next_if(|row| !matches!(row, Ok((of, _)) if *of != sequence)) {
                None => WalkedBody::Erased,
                Some(row) => {
                    let (_, body) = row.map_err(Error::from)?;
                    WalkedBody::Here {
                        salt: body.salt,
                        raw: body.raw,
                    }
                }
            };
            visit(Walked {
                // The row's own key: a number inside that differs is another link.
                sequence,
                link: entry.hash(),
                id: entry.id,
                stored: entry.stored,
                credential: entry.credential,
                body_hash: entry.body_hash,
                previous: entry.previous,
                body,
            })?;
            next = sequence.saturating_add(1);
            walked += 1;
            if walked == FROM_ONE_SNAPSHOT {
                break;
            }
        }
        if walked < FROM_ONE_SNAPSHOT {
            return Ok(());
        }
    }
}

/// The end of the log: sequence, link and `stored` of the last durable entry.
pub(crate) fn head(lrs: &Lrs) -> Result<Option<(u64, [u8; 32], Timestamp)>, Error> {
    let snapshot = lrs.store().snapshot()?;
    let newest = snapshot.range(&LOG, ..)?.next_back().transpose()?;
    Ok(newest.map(|(sequence, entry)| (sequence, entry.hash(), entry.stored)))
}
