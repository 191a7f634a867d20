//! Sends to one upstream: asks the log for a batch and the machine for a step, and keeps how far it is.

use std::time::Duration;

use bytes::Bytes;
use http::Method;
use http::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use jiff::Timestamp;
use lectern_egress::{Egress, Request};
use lectern_store::Json;
use lectern_xapi::equivalent;
use rand::Rng;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::batch::{self, Next};
use super::machine::{Answer, Machine, Sent, Step};
use super::upstream::{Entered, PROGRESS, UpstreamError, progress};
use super::{answer, dead, letter, seal, trial};
use crate::attachments::{AttachmentBytes, Gathered, join};
use crate::body::Read;
use crate::error::Error;
use crate::lrs::Lrs;

/// After a failure of our own store.
pub(super) const STORE_WAIT: Duration = Duration::from_secs(5);
/// How long an upstream may take over a batch.
const TIMEOUT: Duration = Duration::from_secs(60);

/// One upstream's forwarding.
pub(super) struct Task {
    pub lrs: Lrs,
    pub egress: Egress,
    pub id: Uuid,
    pub entered: Entered,
}

impl Task {
    /// Forwards until it is stopped.
    pub async fn run(self, stop: CancellationToken) {
        tokio::select! {
            () = stop.cancelled() => {}
            () = self.forward() => {}
        }
    }

    /// Only ever ends by being dropped; whatever it was doing is done again by the next.
    async fn forward(&self) {
        let mut commits = self.lrs.store().commits();
        loop {
            let mut machine = match self.machine() {
                Ok(machine) => machine,
                Err(error) => {
                    self.trouble(&error).await;
                    continue;
                }
            };
            loop {
                commits.mark_unchanged();
                match self.turn(&mut machine).await {
                    Ok(Some(wait)) => tokio::time::sleep(wait).await,
                    Ok(None) => {}
                    Err(Idle::Nothing) => {
                        if commits.changed().await.is_err() {
                            // The store is closed; so is everything soon.
                            return std::future::pending().await;
                        }
                    }
                    Err(Idle::Trouble(error)) => {
                        self.trouble(&error).await;
                        break;
                    }
                }
            }
        }
    }

    async fn trouble(&self, error: &Error) {
        tracing::error!(event = "lrs.forwarding_stopped", upstream = %self.id, %error);
        if let Error::Sealing(message) = error {
            let _ = self.note(None, Some((message.clone(), None))).await;
        }
        tokio::time::sleep(STORE_WAIT).await;
    }

    fn machine(&self) -> Result<Machine, Error> {
        let found = self.lrs.store().snapshot()?.get(&PROGRESS, &self.id)?;
        Ok(Machine::new(
            found.map_or(1, |Json(progress)| progress.cursor.max(1)),
        ))
    }

    /// Sends one batch, or one dead letter that a person wants sent. `Some` is how long to wait.
    async fn turn(&self, machine: &mut Machine) -> Result<Option<Duration>, Idle> {
        let secret = seal::open(
            self.lrs.options().sealing_key.as_ref(),
            self.id,
            &self.entered.sealed_secret,
        )?;
        let headers = trial::headers(&self.entered, &secret)?;
        let snapshot = self.lrs.store().snapshot().map_err(Error::from)?;
        if let Some(n) = dead::waiting(&snapshot, self.id)? {
            drop(snapshot);
            return Ok(self.again(n, &headers).await?);
        }
        drop(snapshot);
        let batch = match batch::next(&self.lrs, &self.entered, machine)? {
            Next::Batch(batch) => batch,
            Next::Unfit { sequence, reason } => {
                machine.skip_to(sequence + 1);
                self.set_aside(sequence, sequence + 1, reason).await?;
                return Ok(None);
            }
            Next::Further { next } => {
                machine.skip_to(next);
                self.note(Some(next), None).await?;
                return Ok(None);
            }
            Next::Nothing { next } => {
                if next > machine.cursor() {
                    machine.skip_to(next);
                    self.note(Some(next), None).await?;
                }
                return Err(Idle::Nothing);
            }
        };
        let answer = self.post(&batch.texts, &batch.attachments, &headers).await;
        let chance = rand::rng().random::<f64>();
        let mut step = machine.take(answer, batch.sent, self.lrs.now(), chance);
        if let Step::Compare { sequence } = step {
            let same = self.compare(sequence, &batch.texts, &headers).await?;
            step = machine.compared(same, batch.sent);
        }
        match step {
            Step::Advance => {
                self.delivered(machine.cursor()).await?;
                Ok(None)
            }
            Step::Narrow | Step::Compare { .. } => Ok(None),
            Step::SetAside { sequence, reason } => {
                self.set_aside(sequence, machine.cursor(), reason).await?;
                Ok(None)
            }
            Step::Wait { until, reason } => {
                self.note(None, Some((reason, Some(until)))).await?;
                let wait = until.duration_since(self.lrs.now());
                Ok(Some(Duration::try_from(wait).unwrap_or_default()))
            }
        }
    }

    async fn post(
        &self,
        texts: &[String],
        attachments: &[AttachmentBytes],
        headers: &HeaderMap,
    ) -> Answer {
        let url = format!("{}/statements", self.entered.url);
        let mut request = Request::new(Method::POST, url, self.entered.reach());
        request.headers = headers.clone();
        let json = format!("[{}]", texts.join(","));
        let (content_type, body) = if attachments.is_empty() {
            ("application/json".to_owned(), json.into_bytes())
        } else {
            join(json.as_bytes(), attachments)
        };
        if let Ok(content_type) = HeaderValue::try_from(content_type) {
            request.headers.insert(CONTENT_TYPE, content_type);
        }
        request.body = Bytes::from(body);
        request.timeout = TIMEOUT;
        answer::read(self.egress.send(request).await, texts.len())
    }

    /// Whether what the upstream has under the id of the one statement in `texts` is that statement.
    async fn compare(
        &self,
        sequence: u64,
        texts: &[String],
        headers: &HeaderMap,
    ) -> Result<Option<bool>, Error> {
        let snapshot = self.lrs.store().snapshot()?;
        let (Some(entry), Some(text)) = (snapshot.entry(sequence)?, texts.first()) else {
            return Ok(None);
        };
        let url = format!("{}/statements?statementId={}", self.entered.url, entry.id);
        let mut request = Request::new(Method::GET, url, self.entered.reach());
        request.headers = headers.clone();
        request.timeout = TIMEOUT;
        let Ok(response) = self.egress.send(request).await else {
            return Ok(None);
        };
        let theirs = std::str::from_utf8(&response.body).ok();
        Ok(theirs
            .filter(|_| response.status.as_u16() == 200)
            .map(|theirs| equivalent(theirs, text)))
    }

    /// Sends a dead letter once more.
    async fn again(&self, n: u64, headers: &HeaderMap) -> Result<Option<Duration>, Error> {
        let snapshot = self.lrs.store().snapshot()?;
        let text = match (snapshot.entry(n)?, snapshot.body(n)?) {
            (Some(entry), Some(body)) => letter::write(&entry, &body, self.entered.version())?,
            _ => Err("the statement is gone".to_owned()),
        };
        let mut attachments = Gathered::default();
        if let Ok(text) = &text {
            batch::gather(&snapshot, n, text, &mut attachments)?;
        }
        let attachments = attachments.into_vec();
        drop(snapshot);
        let (sent, text) = match text {
            Ok(text) => (
                Sent {
                    count: 1,
                    first: n,
                    next: n + 1,
                },
                text,
            ),
            Err(reason) => {
                self.put_back(n, reason).await?;
                return Ok(None);
            }
        };
        let texts = [text];
        let answer = self.post(&texts, &attachments, headers).await;
        // A machine of its own: what becomes of this letter says nothing about the cursor.
        let mut machine = Machine::new(n);
        let mut step = machine.take(answer, sent, self.lrs.now(), rand::rng().random::<f64>());
        if let Step::Compare { sequence } = step {
            let same = self.compare(sequence, &texts, headers).await?;
            step = machine.compared(same, sent);
        }
        match step {
            Step::Advance => {
                let (id, now) = (self.id, self.lrs.now());
                self.write(move |tx| {
                    dead::delivered(tx, id, n)?;
                    progress(tx, id, |progress| progress.last_success = Some(now))
                })
                .await?;
            }
            Step::SetAside { reason, .. } | Step::Wait { reason, .. } => {
                self.put_back(n, reason).await?
            }
            Step::Narrow | Step::Compare { .. } => {}
        }
        Ok(None)
    }

    async fn put_back(&self, n: u64, reason: String) -> Result<(), Error> {
        let (id, now) = (self.id, self.lrs.now());
        self.write(move |tx| dead::set_aside(tx, id, n, &reason, now))
            .await
    }

    async fn delivered(&self, cursor: u64) -> Result<(), Error> {
        let (id, now) = (self.id, self.lrs.now());
        self.write(move |tx| {
            progress(tx, id, |progress| {
                progress.cursor = cursor;
                progress.last_success = Some(now);
                progress.last_error = None;
            })
        })
        .await
    }

    async fn set_aside(&self, sequence: u64, cursor: u64, reason: String) -> Result<(), Error> {
        tracing::warn!(event = "lrs.upstream_refused", upstream = %self.id, sequence, reason);
        let (id, now) = (self.id, self.lrs.now());
        self.write(move |tx| {
            dead::set_aside(tx, id, sequence, &reason, now)?;
            progress(tx, id, |progress| progress.cursor = cursor)
        })
        .await
    }

    async fn note(
        &self,
        cursor: Option<u64>,
        error: Option<(String, Option<Timestamp>)>,
    ) -> Result<(), Error> {
        let (id, now) = (self.id, self.lrs.now());
        let error = error.map(|(message, retry_at)| UpstreamError {
            at: now,
            message,
            retry_at,
        });
        self.write(move |tx| {
            progress(tx, id, |progress| {
                progress.cursor = cursor.unwrap_or(progress.cursor);
                if error.is_some() {
                    progress.last_error.clone_from(&error);
                }
            })
        })
        .await
    }

    async fn write(
        &self,
        work: impl FnMut(&lectern_store::Tx<'_>) -> Result<(), Error> + Send + 'static,
    ) -> Result<(), Error> {
        self.lrs.store().write_async(work).await
    }
}

/// Why there is nothing to do now.
enum Idle {
    Nothing,
    Trouble(Error),
}

impl From<Error> for Idle {
    fn from(error: Error) -> Self {
        Self::Trouble(error)
    }
}
