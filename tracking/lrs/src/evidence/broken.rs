//! Every way in which evidence does not hold, as a sentence that names the record or head and says what it means.

use super::{Fingerprint, Hex};

/// What does not fit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Broken {
    /// A number is missing in the log.
    #[error(
        "record {expected} is not where its number says: record {found} stands there. A record was removed, or two were \
         swapped."
    )]
    RecordMissing {
        /// The number that follows
        expected: u64,
        /// The number that stands there
        found: u64,
    },
    /// An entry does not name the one before.
    #[error(
        "record {0} does not name the hash of the record before it: one of the two was changed, removed or put there \
         later."
    )]
    RecordBefore(u64),
    /// An entry is not what its link says.
    #[error(
        "record {0} is not what its own hash says: its id, time, credential or body's hash was changed."
    )]
    RecordChanged(u64),
    /// `stored` goes back.
    #[error("record {0} was stored before the record before it: a record was changed or moved.")]
    RecordOrder(u64),
    /// A body does not fit its hash.
    #[error("the body of record {0} is not the one that was received: the statement was changed.")]
    Body(u64),
    /// The log at a head is not what was signed.
    #[error(
        "record {sequence} is not the one that head {head} was signed over: a record up to there was changed after it \
         was signed."
    )]
    NotAsSigned {
        /// The head
        head: u64,
        /// Its entry
        sequence: u64,
    },
    /// The log ends below a signed head.
    #[error(
        "the log ends with record {reaches}, but head {head} was signed over record {sequence}: records at the end were \
         cut off."
    )]
    CutOff {
        /// The first head whose entry is not there
        head: u64,
        /// Its entry
        sequence: u64,
        /// The last entry there is
        reaches: u64,
    },
    /// A number is missing among the heads.
    #[error(
        "head {expected} is missing: head {found} follows the one before it. A head was removed."
    )]
    HeadMissing {
        /// The number that follows
        expected: u64,
        /// The number that stands there
        found: u64,
    },
    /// The last heads are missing.
    #[error("head {expected} is missing: {found} heads are here. The last heads were removed.")]
    HeadsEnd {
        /// The number of the last that was signed
        expected: u64,
        /// How many there are
        found: u64,
    },
    /// A head does not name the one before.
    #[error(
        "head {0} does not name the head before it: one of the two was changed or signed anew."
    )]
    HeadBefore(u64),
    /// A head signs no more than the one before.
    #[error("head {0} covers no more than the head before it: it was changed or signed anew.")]
    HeadOrder(u64),
    /// A head names another key.
    #[error(
        "head {head} is signed with the key {found}, not with the box's key {expected}: it was signed anew."
    )]
    HeadKey {
        /// The head
        head: u64,
        /// Whose it is
        found: Fingerprint,
        /// Whose it must be
        expected: Fingerprint,
    },
    /// A signature is wrong.
    #[error(
        "the signature of head {0} is not of the box's key: the head was changed, or signed with another key."
    )]
    HeadSignature(u64),
    /// There are heads and no key.
    #[error("there are signed heads, but the box's public key is not with them: it was removed.")]
    NoKey,
    /// The key is not the one that was asked for.
    #[error(
        "this evidence is signed with the key {found}, not with {expected}: it comes from another box, or was made anew."
    )]
    OtherKey {
        /// Whose it is
        found: Fingerprint,
        /// Whose it must be
        expected: Fingerprint,
    },
    /// A key was asked for, and nothing is signed.
    #[error("nothing here is signed, so that it is by the key {0} cannot be shown.")]
    Unsigned(Fingerprint),
    /// The head that somebody kept is not there.
    #[error(
        "no head here has the hash {0}: the evidence is older than that head, or heads and records were made anew since."
    )]
    OtherHead(Hex<32>),
    /// The private key that lies beside the records is not that of the heads.
    #[error(
        "the evidence key in this backup is {found}, but the records name {expected}: one of the two was replaced."
    )]
    KeyBeside {
        /// In the folder `keys`
        found: Fingerprint,
        /// In the records
        expected: Fingerprint,
    },
    /// An export that is damaged as a file.
    #[error("line {line} of the export {what}.")]
    Line {
        /// From 1
        line: u64,
        /// What is wrong
        what: String,
    },
}

impl Broken {
    /// The record that it is about.
    pub fn record(&self) -> Option<u64> {
        match self {
            Self::RecordMissing { found, .. } => Some(*found),
            Self::RecordBefore(record)
            | Self::RecordChanged(record)
            | Self::RecordOrder(record)
            | Self::Body(record) => Some(*record),
            Self::NotAsSigned { sequence, .. } | Self::CutOff { sequence, .. } => Some(*sequence),
            _ => None,
        }
    }
}
