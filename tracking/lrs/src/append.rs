//! Appending statements (Comm 2.1.1, 2.1.2): all of a batch or nothing, each id once, in one transaction with every
//! fold. The answer comes after the fsync.

use jiff::{SignedDuration, Timestamp};
use lectern_store::Tx;
use lectern_xapi::{Actor, Invalid, Limits, Parsed, Statement, Version, equivalent};
use rand::RngCore;
use uuid::Uuid;

use crate::attachments::{self, AttachmentBytes};
use crate::body::{AUTHORITIES, BODIES, Body, Read, authority_number, complete};
use crate::caller::{Caller, Scope};
use crate::entry::{Entry, IDS, LOG};
use crate::error::Error;
use crate::fold::Folds;
use crate::lrs::Lrs;

/// The id of a stored statement.
pub type StatementId = Uuid;

/// A body above this is parsed off the async threads.
const SMALL_BYTES: usize = 32 * 1024;
/// The smallest step between two `stored`.
const TICK: SignedDuration = SignedDuration::from_micros(1);

/// A request's body as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StatementsBody {
    /// `application/json`
    Json(Vec<u8>),
    /// `multipart/mixed`
    Multipart {
        /// The bytes.
        bytes: Vec<u8>,
        /// What stands between the parts.
        boundary: String,
    },
}

impl<T: Into<Vec<u8>>> From<T> for StatementsBody {
    fn from(json: T) -> Self {
        Self::Json(json.into())
    }
}

impl StatementsBody {
    fn len(&self) -> usize {
        match self {
            Self::Json(bytes) | Self::Multipart { bytes, .. } => bytes.len(),
        }
    }

    fn split(self) -> Result<(Vec<u8>, Vec<AttachmentBytes>), Invalid> {
        match self {
            Self::Json(bytes) => Ok((bytes, Vec::new())),
            Self::Multipart { bytes, boundary } => attachments::split(&bytes, &boundary),
        }
    }
}

impl Lrs {
    /// `POST /statements`: one statement or an array; the ids in order. A statement whose id is stored already is
    /// accepted again when it is the same and refused when it is another.
    ///
    /// # Errors
    /// [`Error::Invalid`], [`Error::Conflict`], [`Error::Forbidden`], [`Error::Store`]; nothing is stored then.
    pub async fn post_statements(
        &self,
        caller: &Caller,
        version: Version,
        body: impl Into<StatementsBody>,
    ) -> Result<Vec<StatementId>, Error> {
        let body = body.into();
        caller.must(&[Scope::StatementsWrite])?;
        let (parsed, came) = off_thread(body.len(), move || {
            let (json, came) = body.split()?;
            Ok((
                lectern_xapi::parse_batch(&json, version, Limits::DEFAULT)?,
                came,
            ))
        })
        .await?;
        self.append(caller, version, parsed, came).await
    }

    /// `PUT /statements?statementId=`: exactly one.
    ///
    /// # Errors
    /// As [`Lrs::post_statements`].
    pub async fn put_statement(
        &self,
        caller: &Caller,
        version: Version,
        statement_id: &str,
        body: impl Into<StatementsBody>,
    ) -> Result<(), Error> {
        let body = body.into();
        caller.must(&[Scope::StatementsWrite])?;
        let id = lectern_xapi::parse_uuid(statement_id)
            .ok_or_else(|| Error::parameter("statementId", "Comm 2.1.1", "is no UUID"))?;
        let (mut parsed, came) = off_thread(body.len(), move || {
            let (json, came) = body.split()?;
            Ok((
                lectern_xapi::parse_statement(&json, version, Limits::DEFAULT)?,
                came,
            ))
        })
        .await?;
        if parsed.statement.id.is_some_and(|own| own != id) {
            return Err(Error::parameter(
                "$.id",
                "Comm 2.1.1",
                "is not the statementId of the request",
            ));
        }
        parsed.statement.id = Some(id);
        self.append(caller, version, vec![parsed], came)
            .await
            .map(|_| ())
    }

    async fn append(
        &self,
        caller: &Caller,
        version: Version,
        parsed: Vec<Parsed>,
        came: Vec<AttachmentBytes>,
    ) -> Result<Vec<StatementId>, Error> {
        for one in &parsed {
            caller.may_write(&one.statement)?;
        }
        attachments::match_up(&parsed, &came)?;
        let authority = caller.authority.to_string();
        let mut batch = Batch {
            number: authority_number(&authority),
            actor: lectern_xapi::parse_authority(&authority)?,
            authority,
            credential: caller.credential.clone(),
            attachments: came,
            statements: parsed
                .into_iter()
                .map(|one| Pending::new(one, caller, version))
                .collect(),
        };
        for pending in &mut batch.statements {
            pending.body.authority = batch.number;
        }
        let ids = batch.statements.iter().map(|pending| pending.id).collect();
        let now = self.now();
        // Whatever this stores is stored after `now`; until it is visible, no reader is told otherwise.
        let in_flight = std::sync::Arc::new(self.in_flight(now));
        let held = std::sync::Arc::clone(&in_flight);
        let folds = self.folds();
        let hint = self.hint();
        let written = self
            .store()
            .write_async(move |tx| {
                // Held by the writer, too: a caller who goes away does not stop what is under way.
                let _held = &held;
                batch.write(tx, now, &folds, hint)
            })
            .await;
        in_flight.end();
        self.committed(written?);
        Ok(ids)
    }
}

async fn off_thread<T: Send + 'static>(
    bytes: usize,
    parse: impl FnOnce() -> Result<T, Invalid> + Send + 'static,
) -> Result<T, Error> {
    if bytes <= SMALL_BYTES {
        return Ok(parse()?);
    }
    match tokio::task::spawn_blocking(parse).await {
        Ok(parsed) => Ok(parsed?),
        Err(_) => Err(Error::Store(lectern_store::Error::Closed)),
    }
}

/// One request's statements on their way to the writer thread. `write` may run more than once, so it changes nothing
/// here but what it sets anew each time.
struct Batch {
    credential: String,
    authority: String,
    number: u64,
    actor: Actor,
    attachments: Vec<AttachmentBytes>,
    statements: Vec<Pending>,
}

struct Pending {
    id: Uuid,
    /// As sent: `None` is replaced by `stored`.
    timestamp: Option<Timestamp>,
    statement: Statement,
    body: Body,
    body_hash: [u8; 32],
}

impl Pending {
    fn new(parsed: Parsed, caller: &Caller, version: Version) -> Self {
        let mut salt = [0; 16];
        rand::rng().fill_bytes(&mut salt);
        let body = Body {
            version,
            defines: caller.scopes.any(&[Scope::Define]),
            authority: 0,
            salt,
            raw: parsed.raw,
        };
        Self {
            id: parsed.statement.id.unwrap_or_else(Uuid::now_v7),
            timestamp: parsed.statement.timestamp,
            statement: parsed.statement,
            body_hash: body.hash(),
            body,
        }
    }
}

impl Batch {
    fn write(
        &mut self,
        tx: &Tx<'_>,
        now: Timestamp,
        folds: &Folds,
        hint: u64,
    ) -> Result<u64, Error> {
        let mut last = last_entry(tx, hint)?;
        let mut authority_is_kept = false;
        for pending in &mut self.statements {
            if let Some(sequence) = tx.sequence_of(pending.id)? {
                same_or_conflict(tx, sequence, pending)?;
                continue;
            }
            if !authority_is_kept {
                if !tx.contains(&AUTHORITIES, &self.number)? {
                    tx.insert(&AUTHORITIES, &self.number, &self.authority)?;
                }
                authority_is_kept = true;
            }
            let entry = follow(last.as_ref(), pending, &self.credential, now);
            tx.insert(&LOG, &entry.sequence, &entry)?;
            tx.insert(&BODIES, &entry.sequence, &pending.body)?;
            tx.insert(&IDS, &entry.id, &entry.sequence)?;
            pending.statement.timestamp = pending.timestamp;
            pending.statement.authority = Some(self.actor.clone());
            complete(&mut pending.statement, &entry);
            for fold in folds.iter() {
                fold.apply(tx, &entry, &pending.statement)?;
            }
            last = Some(entry);
        }
        attachments::keep(tx, &self.attachments)?;
        Ok(last.map_or(0, |entry| entry.sequence))
    }
}

/// The last entry. `hint` is one that is known to be there, so that no more than what came since is looked through.
fn last_entry(tx: &Tx<'_>, hint: u64) -> Result<Option<Entry>, Error> {
    let newest = tx.range(&LOG, hint..)?.next_back().transpose()?;
    Ok(newest.map(|(_, entry)| entry))
}

/// The entry after `last`. `stored` is the clock, or a tick after the last one when the clock stands or jumped back.
fn follow(last: Option<&Entry>, pending: &Pending, credential: &str, now: Timestamp) -> Entry {
    let micros = Timestamp::from_microsecond(now.as_microsecond()).unwrap_or(now);
    let (sequence, previous, stored) = match last {
        None => (1, [0; 32], micros),
        Some(last) => (
            last.sequence + 1,
            last.hash(),
            micros.max(last.stored.checked_add(TICK).unwrap_or(Timestamp::MAX)),
        ),
    };
    Entry {
        sequence,
        id: pending.id,
        stored,
        credential: credential.to_owned(),
        body_hash: pending.body_hash,
        previous,
    }
}

fn same_or_conflict(tx: &Tx<'_>, sequence: u64, pending: &Pending) -> Result<(), Error> {
    let same = tx
        .body(sequence)?
        .is_some_and(|stored| equivalent(&stored.raw, &pending.body.raw));
    if same {
        return Ok(());
    }
    Err(Error::Conflict(format!(
        "another statement is stored under the id {}",
        pending.id
    )))
}
