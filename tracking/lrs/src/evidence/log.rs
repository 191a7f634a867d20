//! The evidence's only way to the log: [`walk`], [`head`], and how hashes are made. How the log lies on disk is the log's
//! own matter.

use jiff::Timestamp;
use uuid::Uuid;

use crate::body::{AUTHORITIES, Body, authority_number};
use crate::entry::Entry;
use crate::error::Error;
use crate::log::{self, BLOCKS, Line};
use crate::lrs::Lrs;

/// Blocks read from one snapshot: a walk over years must not keep the store from reusing its pages.
const FROM_ONE_SNAPSHOT: usize = 256;

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
    /// Of the body, see [`WalkedBody::Here`]
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
    /// As it was received. Its hash is the SHA-256 of salt (16 bytes), flags (1), the first half of the SHA-256 of the
    /// authority (16) and the text.
    Here {
        /// What makes its hash say nothing once it is erased
        salt: [u8; 16],
        /// 1: came under xAPI 2.0; 2: from one who may define Activities
        flags: u8,
        /// Who vouched for it, as JSON
        authority: String,
        /// The text
        raw: String,
    },
    /// It was erased
    Erased,
    /// It was left out here, so nothing is said about it
    LeftOut,
}

/// The hash of a body as entries name it.
pub(crate) fn body_hash(salt: &[u8; 16], flags: u8, authority: &str, raw: &str) -> [u8; 32] {
    let (version, defines) = Body::read_flags(flags);
    let body = Body {
        version,
        defines,
        authority: authority_number(authority),
        salt: *salt,
        raw: raw.to_owned(),
    };
    body.hash()
}

/// The link of an entry: the SHA-256 of a byte 1 (the format), the sequence (8 bytes, big endian), the id (16), `stored`
/// (microseconds since 1970, 8 bytes, big endian), the body's hash (32), the link before (32), and the credential.
pub(crate) fn link(entry: &Walked) -> [u8; 32] {
    let plain = Entry {
        sequence: entry.sequence,
        id: entry.id,
        stored: entry.stored,
        credential: entry.credential.clone(),
        defines: false,
    };
    plain.link(&entry.body_hash, &entry.previous)
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
    lrs.settle();
    let mut next = from;
    loop {
        let snapshot = lrs.store().snapshot().map_err(Error::from)?;
        let mut blocks = 0;
        let mut authority = (0, String::new());
        for row in snapshot.range(&BLOCKS, next..).map_err(Error::from)? {
            let (first, packed) = row.map_err(Error::from)?;
            let block = log::decode(first, &packed).map_err(Error::from)?;
            // What the block says, not what follows from it: a difference is for the verifier to find.
            let mut previous = block.previous;
            let lines = block.lines();
            let end = lines.len();
            for (index, line) in lines.into_iter().enumerate() {
                if let Some(body) = &line.body
                    && body.authority != authority.0
                {
                    let json = snapshot
                        .get(&AUTHORITIES, &body.authority)
                        .map_err(Error::from)?;
                    authority = (body.authority, json.unwrap_or_default());
                }
                let link = if index + 1 == end {
                    block.last
                } else {
                    line.link
                };
                next = line.entry.sequence.saturating_add(1);
                visit(walked(line, previous, link, &authority.1))?;
                previous = link;
            }
            blocks += 1;
            if blocks == FROM_ONE_SNAPSHOT {
                break;
            }
        }
        if blocks < FROM_ONE_SNAPSHOT {
            return Ok(());
        }
    }
}

fn walked(line: Line, previous: [u8; 32], link: [u8; 32], authority: &str) -> Walked {
    Walked {
        sequence: line.entry.sequence,
        id: line.entry.id,
        stored: line.entry.stored,
        credential: line.entry.credential,
        body_hash: line.body_hash,
        previous,
        link,
        body: match line.body {
            None => WalkedBody::Erased,
            Some(body) => WalkedBody::Here {
                salt: body.salt,
                flags: body.flags(),
                authority: authority.to_owned(),
                raw: body.raw,
            },
        },
    }
}

/// The end of the log: sequence, link and `stored` of the last durable entry.
pub(crate) fn head(lrs: &Lrs) -> Result<Option<(u64, [u8; 32], Timestamp)>, Error> {
    lrs.settle();
    let last = log::last_block(&lrs.store().snapshot()?)?;
    Ok(last.and_then(|block| {
        let entry = block.entry(block.end())?;
        Some((entry.sequence, block.last, entry.stored))
    }))
}
