//! Appending statements (Comm 2.1.1, 2.1.2): all of a batch or nothing, each id once. Here a request becomes a batch,
//! off the thread that appends; the answer comes when it is in the journal ([`crate::appender`]).

use std::sync::Arc;

use lectern_xapi::{Invalid, Limits, Parsed, Statement, Version};
use rand::RngCore;
use tokio::sync::oneshot;
use uuid::Uuid;

use crate::appender::Append;
use crate::attachments::{self, AttachmentBytes};
use crate::body::{Body, authority_number};
use crate::caller::{Caller, Scope};
use crate::entry::Hash;
use crate::error::Error;
use crate::index::{Term, id_hash, reference, terms};
use crate::lrs::Lrs;

/// The id of a stored statement.
pub type StatementId = Uuid;

/// A body above this is parsed off the async threads.
const SMALL_BYTES: usize = 32 * 1024;

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
        let caller = caller.clone();
        let (batch, came) = self
            .off_thread(body.len(), move || {
                let (json, came) = body.split()?;
                let parsed = lectern_xapi::parse_batch(&json, version, Limits::DEFAULT)?;
                Ok((Batch::new(parsed, &came, &caller, version)?, came))
            })
            .await?;
        self.append(batch, came).await
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
        let caller = caller.clone();
        let (batch, came) = self
            .off_thread(body.len(), move || {
                let (json, came) = body.split()?;
                let mut parsed = lectern_xapi::parse_statement(&json, version, Limits::DEFAULT)?;
                if parsed.statement.id.is_some_and(|own| own != id) {
                    return Err(Error::parameter(
                        "$.id",
                        "Comm 2.1.1",
                        "is not the statementId of the request",
                    ));
                }
                parsed.statement.id = Some(id);
                Ok((Batch::new(vec![parsed], &came, &caller, version)?, came))
            })
            .await?;
        self.append(batch, came).await.map(|_| ())
    }

    pub(crate) async fn append(
        &self,
        batch: Batch,
        came: Vec<AttachmentBytes>,
    ) -> Result<Vec<StatementId>, Error> {
        let ids = batch.statements.iter().map(|pending| pending.id).collect();
        let mut attaching = None;
        if !came.is_empty() {
            attaching = Some(Arc::clone(&self.core_arc().attaching).read_owned().await);
            // First: no statement is ever without its attachments. Bytes that no statement names in the end do no harm.
            self.store()
                .write_async(move |tx| attachments::keep(tx, &came).map_err(Error::from))
                .await?;
        }
        let closed = || Error::Store(lectern_store::Error::Closed);
        let (answer, answered) = oneshot::channel();
        let append = Append {
            batch,
            answer,
            attaching,
        };
        self.appender()
            .ok_or_else(closed)?
            .send(append)
            .await
            .map_err(|_| closed())?;
        // A caller who goes away does not stop what is under way.
        answered.await.map_err(|_| closed())??;
        Ok(ids)
    }

    /// Waits until whatever was handed over to be appended before has its place in the log, or was refused: also that of
    /// somebody who does not wait for it any more.
    pub(crate) async fn appended(&self) -> Result<(), Error> {
        let nothing = Batch {
            credential: String::new(),
            authority: "".into(),
            statements: Vec::new(),
            refers: false,
        };
        self.append(nothing, Vec::new()).await.map(drop)
    }

    /// Parses: what is large on a thread of its own, as many at a time as there are processors. More would take memory and
    /// gain nothing.
    pub(crate) async fn off_thread<T: Send + 'static>(
        &self,
        bytes: usize,
        parse: impl FnOnce() -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        if bytes <= SMALL_BYTES {
            return parse();
        }
        let closed = || Error::Store(lectern_store::Error::Closed);
        let turn = self.parsing().acquire_owned().await;
        let turn = turn.map_err(|_| closed())?;
        let parsed = tokio::task::spawn_blocking(move || {
            let parsed = parse();
            drop(turn);
            parsed
        });
        parsed.await.map_err(|_| closed())?
    }
}

/// One request's statements on their way to the thread that appends.
pub(crate) struct Batch {
    pub credential: String,
    /// JSON
    pub authority: Arc<str>,
    pub statements: Vec<Pending>,
    /// Whether one refers to another statement: its answer waits until the tables know.
    pub refers: bool,
}

/// A statement that has no place in the log yet.
pub(crate) struct Pending {
    pub id: Uuid,
    /// Whether the sender chose the id: then it may be known already.
    pub is_named: bool,
    /// With its authority; not yet with what the log gives it.
    pub statement: Statement,
    pub body: Body,
    pub body_hash: Hash,
    pub id_hash: u64,
    /// Of everything it is found by.
    pub hashes: Vec<u64>,
}

impl Batch {
    pub fn new(
        parsed: Vec<Parsed>,
        came: &[AttachmentBytes],
        caller: &Caller,
        version: Version,
    ) -> Result<Self, Error> {
        for one in &parsed {
            caller.may_write(&one.statement)?;
        }
        attachments::match_up(&parsed, came)?;
        let authority = caller.authority.to_string();
        let actor = lectern_xapi::parse_authority(&authority)?;
        let number = authority_number(&authority);
        let defines = caller.scopes.any(&[Scope::Define]);
        let mut salts = vec![0; parsed.len() * 16];
        rand::rng().fill_bytes(&mut salts);
        let mut refers = false;
        let mut statements = Vec::with_capacity(parsed.len());
        for (one, salt) in parsed.into_iter().zip(salts.as_chunks().0) {
            let mut statement = one.statement;
            statement.authority = Some(actor.clone());
            refers |= reference(&statement).is_some();
            let body = Body {
                version,
                defines,
                authority: number,
                salt: *salt,
                raw: one.raw,
            };
            // Version 4: clients of old (TinCanPython) refuse newer kinds of UUID, which the standard allows.
            let id = statement.id.unwrap_or_else(Uuid::new_v4);
            statements.push(Pending {
                id,
                is_named: statement.id.is_some(),
                hashes: hashes(&statement, &caller.credential),
                id_hash: id_hash(id),
                statement,
                body_hash: body.hash(),
                body,
            });
        }
        Ok(Self {
            credential: caller.credential.clone(),
            authority: authority.into(),
            statements,
            refers,
        })
    }
}

/// Of everything that a statement is found by, each once.
pub(crate) fn hashes(statement: &Statement, credential: &str) -> Vec<u64> {
    let mut hashes: Vec<u64> = terms(statement).iter().map(Term::hash).collect();
    hashes.push(Term::Credential(credential).hash());
    hashes.sort_unstable();
    hashes.dedup();
    hashes
}
