//! The evidence of one box: its heads in the store, its key, and the verification under way.

use std::io::{self, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use jiff::civil::Date;
use lectern_store::{Snapshot, Table};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use super::export::{self, Exported, Making};
use super::head::{date, is_due};
use super::{
    Fingerprint, Head, Hex, PublicKey, Report, SigningKey, Trust, Unfinished, Verifier, log, walk,
};
use crate::lrs::Lrs;

/// The heads, by number; only ever added to.
const HEADS: Table<u64, Head> = Table::new("lrs.heads");
/// Facts, as text: see the constants below.
const FACTS: Table<String, String> = Table::new("lrs.evidence");
/// The public key, as 64 digits.
const KEY: &str = "public_key";
/// How many heads were signed: the last one cannot be lost unseen by accident.
const SIGNED: &str = "heads";
/// The last verification on this box, as JSON.
const VERIFIED: &str = "verified";

lectern_store::json_record!(Head);

/// Why the evidence could not be made or does not hold.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// It does not hold.
    #[error(transparent)]
    Broken(#[from] Box<Unfinished>),
    /// The private key is not here.
    #[error(
        "The box's evidence key is not here, so nothing can be signed. Put keys/evidence.key back from a backup and restart."
    )]
    NoKey,
    /// Somebody asked it to end.
    #[error("the verification was stopped")]
    Stopped,
    /// The record store failed.
    #[error(transparent)]
    Lrs(#[from] crate::Error),
    /// The file cannot be read or written.
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl From<lectern_store::Error> for Error {
    fn from(error: lectern_store::Error) -> Self {
        Self::Lrs(error.into())
    }
}

/// The last verification on this box.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verified {
    /// When it ended
    pub at: Timestamp,
    /// What was found
    pub report: Report,
    /// Why it does not hold
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// A verification under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Entries looked at
    pub done: u64,
    /// Entries there were when it began
    pub total: u64,
}

/// How the evidence stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Standing {
    /// Entries in the log
    pub entries: u64,
    /// The last head
    pub last: Option<Head>,
    /// Fingerprint of the box's key
    pub key: Option<Fingerprint>,
    /// Whether the box can sign
    pub can_sign: bool,
    /// The last verification
    pub verified: Option<Verified>,
    /// The one under way
    pub verifying: Option<Progress>,
}

/// The evidence. Clones are the same one.
#[derive(Clone)]
pub struct Evidence {
    inner: Arc<Inner>,
}

struct Inner {
    lrs: Lrs,
    key: Option<SigningKey>,
    /// One head at a time: each names the one before.
    signing: Mutex<()>,
    /// Set from when a verification is asked for until it has ended: entries in all.
    verifying: Mutex<Option<u64>>,
    looked_at: AtomicU64,
    /// Ticks when somebody asks for a verification.
    asked: watch::Sender<u64>,
}

/// The public key that the store names; `None` when nothing was ever signed in it.
///
/// # Errors
/// The store fails.
pub fn known_key(lrs: &Lrs) -> Result<Option<PublicKey>, Error> {
    key_in(&lrs.store().snapshot()?)
}

fn key_in(snapshot: &Snapshot) -> Result<Option<PublicKey>, Error> {
    let text = snapshot.get(&FACTS, &KEY.to_owned())?;
    Ok(text.and_then(|text| text.parse().ok().map(PublicKey)))
}

/// Judges the evidence in a store: every head, every entry, every body that is there. Blocking. `looked_at` is told the
/// entries so far, and ends it by an error.
///
/// # Errors
/// [`Error::Broken`], the store fails, or what `looked_at` answers.
pub fn verify_store(
    lrs: &Lrs,
    expected: Option<Fingerprint>,
    head: Option<Hex<32>>,
    looked_at: &mut dyn FnMut(u64) -> Result<(), Error>,
) -> Result<Report, Error> {
    let snapshot = lrs.store().snapshot()?;
    let heads = heads_in(&snapshot)?;
    let signed = snapshot.get(&FACTS, &SIGNED.to_owned())?;
    let trust = Trust {
        key: key_in(&snapshot)?,
        expected,
        head,
        heads: signed.and_then(|text| text.parse().ok()),
    };
    drop(snapshot);
    let mut verifier = Verifier::new(heads, &trust)?;
    walk(lrs, 1, |entry| {
        verifier.entry(&entry)?;
        looked_at(entry.sequence)
    })?;
    Ok(verifier.finish()?)
}

fn heads_in(snapshot: &Snapshot) -> Result<Vec<Head>, Error> {
    let rows = snapshot.range(&HEADS, ..)?;
    let heads = rows.map(|row| row.map(|(_, head)| head));
    Ok(heads.collect::<Result<_, _>>()?)
}

impl Evidence {
    /// Joins log and key. A store that knows another key, or one when there is none here, is only read: nothing is signed
    /// under a name that is not the box's.
    ///
    /// # Errors
    /// The store fails.
    pub fn open(lrs: Lrs, key: Option<SigningKey>) -> Result<Self, Error> {
        let known = known_key(&lrs)?;
        let key = key.filter(|key| known.is_none_or(|known| known == key.public()));
        if let (None, Some(key)) = (known, &key) {
            let text = key.public().0.to_string();
            lrs.store()
                .write_making_room(move |tx| tx.insert(&FACTS, &KEY.to_owned(), &text).map(drop))?;
        }
        Ok(Self {
            inner: Arc::new(Inner {
                lrs,
                key,
                signing: Mutex::default(),
                verifying: Mutex::default(),
                looked_at: AtomicU64::new(0),
                asked: watch::Sender::new(0),
            }),
        })
    }

    /// Whether the box's key is here.
    pub fn can_sign(&self) -> bool {
        self.inner.key.is_some()
    }

    /// Signs a head now; `None` when nothing was stored since the last. Blocking.
    ///
    /// # Errors
    /// [`Error::NoKey`], the store fails.
    pub fn sign(&self, now: Timestamp) -> Result<Option<Head>, Error> {
        self.sign_as(None, now, |last, newest| {
            last.is_none_or(|last| newest > last.sequence)
        })
    }

    /// Signs the day's head when it is due. Blocking.
    ///
    /// # Errors
    /// As [`Evidence::sign`].
    pub fn sign_when_due(&self, now: Timestamp) -> Result<Option<Head>, Error> {
        self.sign_as(Some(date(now)), now, |last, newest| {
            is_due(last, newest, now)
        })
    }

    fn sign_as(
        &self,
        day: Option<Date>,
        now: Timestamp,
        is_wanted: impl FnOnce(Option<&Head>, u64) -> bool,
    ) -> Result<Option<Head>, Error> {
        let key = self.inner.key.as_ref().ok_or(Error::NoKey)?;
        let guard = &self.inner.signing;
        let _turn = guard.lock().unwrap_or_else(PoisonError::into_inner);
        let last = self.last_head()?;
        let Some(end) = log::head(&self.inner.lrs)? else {
            return Ok(None);
        };
        if !is_wanted(last.as_ref(), end.0) {
            return Ok(None);
        }
        let head = Head::sign(key, last.as_ref(), day, end, now);
        let row = head.clone();
        // A head is small and shows what is there already: it may use the reserve.
        self.inner.lrs.store().write_making_room(move |tx| {
            tx.insert(&HEADS, &row.number, &row)?;
            tx.insert(&FACTS, &SIGNED.to_owned(), &row.number.to_string())
                .map(drop)
        })?;
        Ok(Some(head))
    }

    /// The last head.
    ///
    /// # Errors
    /// The store fails.
    pub fn last_head(&self) -> Result<Option<Head>, Error> {
        let snapshot = self.inner.lrs.store().snapshot()?;
        let last = snapshot.range(&HEADS, ..)?.next_back().transpose()?;
        Ok(last.map(|(_, head)| head))
    }

    /// How it stands.
    ///
    /// # Errors
    /// The store fails.
    pub fn standing(&self) -> Result<Standing, Error> {
        let entries = log::head(&self.inner.lrs)?.map_or(0, |(sequence, ..)| sequence);
        let snapshot = self.inner.lrs.store().snapshot()?;
        let verified = snapshot.get(&FACTS, &VERIFIED.to_owned())?;
        let verifying = *self.verifying();
        Ok(Standing {
            entries,
            last: self.last_head()?,
            key: key_in(&snapshot)?.map(|key| key.fingerprint()),
            can_sign: self.can_sign(),
            verified: verified.and_then(|json| serde_json::from_str(&json).ok()),
            verifying: verifying.map(|total| Progress {
                done: self.inner.looked_at.load(Ordering::Relaxed),
                total,
            }),
        })
    }

    /// Writes an export; memory does not grow with the log. Blocking.
    ///
    /// # Errors
    /// [`Error::NoKey`], the store fails, or `to` does.
    pub fn export(
        &self,
        identity: &str,
        bodies: bool,
        now: Timestamp,
        to: &mut dyn Write,
    ) -> Result<Exported, Error> {
        let key = self.inner.key.as_ref().ok_or(Error::NoKey)?;
        let heads = heads_in(&self.inner.lrs.store().snapshot()?)?;
        let making = Making {
            key,
            heads: &heads,
            identity,
            bodies,
            now,
        };
        export::write(&self.inner.lrs, &making, to)
    }

    /// Judges all of it, and keeps no note of that. Blocking.
    ///
    /// # Errors
    /// As [`verify_store`].
    pub fn verify(&self) -> Result<Report, Error> {
        verify_store(&self.inner.lrs, None, None, &mut |_| Ok(()))
    }

    /// Asks [`super::run`] for a verification; `false` when one is under way.
    ///
    /// # Errors
    /// The store fails.
    pub fn ask_for_verification(&self) -> Result<bool, Error> {
        let total = log::head(&self.inner.lrs)?.map_or(0, |(sequence, ..)| sequence);
        let mut verifying = self.verifying();
        if verifying.is_some() {
            return Ok(false);
        }
        *verifying = Some(total);
        self.inner.looked_at.store(0, Ordering::Relaxed);
        drop(verifying);
        self.inner.asked.send_modify(|count| *count += 1);
        Ok(true)
    }

    pub(super) fn asked(&self) -> watch::Receiver<u64> {
        self.inner.asked.subscribe()
    }

    pub(super) fn is_asked(&self) -> bool {
        self.verifying().is_some()
    }

    /// Carries out what was asked for, and notes what was found. Blocking.
    pub(super) fn verify_as_asked(
        &self,
        is_stopped: &dyn Fn() -> bool,
        clock: &dyn Fn() -> Timestamp,
    ) -> Result<Verified, Error> {
        let found = verify_store(&self.inner.lrs, None, None, &mut |entry| {
            self.inner.looked_at.store(entry, Ordering::Relaxed);
            match is_stopped() {
                true => Err(Error::Stopped),
                false => Ok(()),
            }
        });
        let verified = found
            .map(|report| (report, None))
            .or_else(|error| match error {
                Error::Broken(found) => Ok((found.report, Some(found.broken.to_string()))),
                other => Err(other),
            });
        let noted = verified.and_then(|(report, error)| {
            let verified = Verified {
                at: clock(),
                report,
                error,
            };
            let json = serde_json::to_string(&verified).map_err(io::Error::other)?;
            self.inner.lrs.store().write_making_room(move |tx| {
                tx.insert(&FACTS, &VERIFIED.to_owned(), &json).map(drop)
            })?;
            Ok(verified)
        });
        *self.verifying() = None;
        noted
    }

    fn verifying(&self) -> std::sync::MutexGuard<'_, Option<u64>> {
        let verifying = &self.inner.verifying;
        verifying.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
