//! The verifier: heads and entries in, a verdict out. Knows no store, no file and no clock.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::log::{body_hash, link};
use super::{Broken, Fingerprint, Head, Hex, PublicKey, Walked, WalkedBody};

/// Whom and what the verifier believes.
#[derive(Debug, Clone, Copy, Default)]
pub struct Trust {
    /// The public key that lies with the evidence
    pub key: Option<PublicKey>,
    /// The key that it must be, when somebody kept its fingerprint
    pub expected: Option<Fingerprint>,
    /// The hash of a head that must be among them, when somebody kept one
    pub head: Option<Hex<32>>,
    /// How many heads the box says it signed, where it says so
    pub heads: Option<u64>,
}

/// What was found, as far as was looked.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// Entries looked at
    pub entries: u64,
    /// Entries whose body is erased
    pub erased: u64,
    /// Bodies that were there and fit
    pub bodies: u64,
    /// Heads
    pub heads: u64,
    /// The last entry under a head; 0 without one
    pub last_signed: u64,
    /// The day of the last head
    pub last_signed_day: Option<Date>,
    /// Entries after it
    pub unsigned: u64,
    /// Hash of the last head: whoever keeps it can ask for it later
    pub last_head: Option<Hex<32>>,
    /// Fingerprint of the key
    pub key: Option<Fingerprint>,
}

/// It does not hold: why, and what was found before.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{broken}")]
pub struct Unfinished {
    /// What does not fit
    pub broken: Broken,
    /// What was found until then
    pub report: Report,
}

/// Takes the heads, then every entry from the first on, then says whether all fits.
#[derive(Debug)]
pub struct Verifier {
    heads: Vec<Head>,
    /// The head whose entry comes next.
    next: usize,
    link: [u8; 32],
    stored: Option<Timestamp>,
    report: Report,
}

impl Verifier {
    /// Holds the heads against each other and against whom to trust.
    ///
    /// # Errors
    /// A head is missing, changed, by another key, or is not among them.
    pub fn new(heads: Vec<Head>, trust: &Trust) -> Result<Self, Box<Unfinished>> {
        let report = Report {
            heads: heads.len() as u64,
            last_signed: heads.last().map_or(0, |head| head.sequence),
            last_signed_day: heads.last().map(Head::stands_for),
            last_head: heads.last().map(Head::hash),
            key: trust.key.map(|key| key.fingerprint()),
            ..Report::default()
        };
        match hold_together(&heads, trust) {
            Err(broken) => Err(Box::new(Unfinished { broken, report })),
            Ok(()) => Ok(Self {
                heads,
                next: 0,
                link: [0; 32],
                stored: None,
                report,
            }),
        }
    }

    /// The next entry.
    ///
    /// # Errors
    /// It does not fit; nothing more is to be learnt from those behind it.
    pub fn entry(&mut self, entry: &Walked) -> Result<(), Box<Unfinished>> {
        match self.fits(entry) {
            Ok(()) => Ok(()),
            Err(broken) => Err(self.unfinished(broken)),
        }
    }

    /// There is no further entry.
    ///
    /// # Errors
    /// A head covers more than there is.
    pub fn finish(self) -> Result<Report, Box<Unfinished>> {
        match self.heads.get(self.next) {
            None => Ok(self.report),
            Some(head) => Err(self.unfinished(Broken::CutOff {
                head: head.number,
                sequence: head.sequence,
                reaches: self.report.entries,
            })),
        }
    }

    /// What was found so far.
    pub fn report(&self) -> &Report {
        &self.report
    }

    /// It ends here, for a reason that the caller found.
    pub fn unfinished(&self, broken: Broken) -> Box<Unfinished> {
        Box::new(Unfinished {
            broken,
            report: self.report.clone(),
        })
    }

    fn fits(&mut self, entry: &Walked) -> Result<(), Broken> {
        let sequence = entry.sequence;
        let expected = self.report.entries + 1;
        if sequence != expected {
            return Err(Broken::RecordMissing {
                expected,
                found: sequence,
            });
        }
        if entry.previous != self.link {
            return Err(Broken::RecordBefore(sequence));
        }
        if link(entry) != entry.link {
            return Err(Broken::RecordChanged(sequence));
        }
        if self.stored.is_some_and(|before| before >= entry.stored) {
            return Err(Broken::RecordOrder(sequence));
        }
        match &entry.body {
            WalkedBody::LeftOut => {}
            WalkedBody::Erased => self.report.erased += 1,
            WalkedBody::Here {
                salt,
                flags,
                authority,
                raw,
            } if body_hash(salt, *flags, authority, raw) == entry.body_hash => {
                self.report.bodies += 1;
            }
            WalkedBody::Here { .. } => return Err(Broken::Body(sequence)),
        }
        if let Some(head) = self.heads.get(self.next)
            && head.sequence == sequence
        {
            if head.link.0 != entry.link || head.stored != entry.stored {
                return Err(Broken::NotAsSigned {
                    head: head.number,
                    sequence,
                });
            }
            self.next += 1;
        }
        self.report.entries = sequence;
        self.report.unsigned = sequence.saturating_sub(self.report.last_signed);
        self.link = entry.link;
        self.stored = Some(entry.stored);
        Ok(())
    }
}

/// The heads among themselves.
fn hold_together(heads: &[Head], trust: &Trust) -> Result<(), Broken> {
    match (trust.expected, trust.key) {
        (Some(expected), Some(key)) if key.fingerprint() != expected => {
            return Err(Broken::OtherKey {
                found: key.fingerprint(),
                expected,
            });
        }
        (Some(expected), _) if heads.is_empty() => return Err(Broken::Unsigned(expected)),
        _ => {}
    }
    let mut before: Option<&Head> = None;
    for head in heads {
        let Some(key) = trust.key else {
            return Err(Broken::NoKey);
        };
        let expected = before.map_or(1, |before| before.number + 1);
        if head.number != expected {
            return Err(Broken::HeadMissing {
                expected,
                found: head.number,
            });
        }
        if head.key != key.fingerprint() {
            return Err(Broken::HeadKey {
                head: head.number,
                found: head.key,
                expected: key.fingerprint(),
            });
        }
        if !head.is_signed_by(&key) {
            return Err(Broken::HeadSignature(head.number));
        }
        if head.previous != before.map_or(Hex([0; 32]), Head::hash) {
            return Err(Broken::HeadBefore(head.number));
        }
        if head.sequence <= before.map_or(0, |before| before.sequence) {
            return Err(Broken::HeadOrder(head.number));
        }
        before = Some(head);
    }
    let found = heads.len() as u64;
    if let Some(expected) = trust.heads
        && expected > found
    {
        return Err(Broken::HeadsEnd { expected, found });
    }
    match trust.head {
        Some(kept) if !heads.iter().any(|head| head.hash() == kept) => Err(Broken::OtherHead(kept)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
