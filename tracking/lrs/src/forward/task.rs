//! Sends to one upstream: asks the log for a batch and the machine for a step, and keeps how far it is.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use http::Method;
use http::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use jiff::{SignedDuration, Timestamp};
use lectern_egress::{Egress, Request};
use lectern_store::Json;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::batch::{self, Batch, Next, Plan};
use super::identities::Rewriting;
use super::machine::{Answer, Found, Machine, Sent, Step};
use super::upstream::{Entered, PROGRESS, progress};
use super::{answer, dead, letter};
use crate::attachments::{AttachmentBytes, Gathered, join};
use crate::error::Error;
use crate::lrs::Lrs;
use crate::remote::{self, Failure, STORE_WAIT, chance, seal};

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
            let mut line = match self.line() {
                Ok(line) => line,
                Err(error) => {
                    self.trouble(&error).await;
                    continue;
                }
            };
            loop {
                commits.mark_unchanged();
                match self.turn(&mut line).await {
                    Ok(Some(wait)) => tokio::time::sleep(wait).await,
                    Ok(None) => {}
                    Err(Idle::Nothing) => {
                        let changed = commits.changed();
                        let changed = match line.letters_rest_until {
                            None => Ok(changed.await),
                            Some(end) => tokio::time::timeout_at(end, changed).await,
                        };
                        if let Ok(Err(_)) = changed {
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

    fn line(&self) -> Result<Line, Error> {
        let found = self.lrs.store().snapshot()?.get(&PROGRESS, &self.id)?;
        let cursor = found.map_or(1, |Json(progress)| progress.cursor.max(1));
        let sealing_key = self.lrs.sealing_key();
        let sealed = self.entered.sealed_pseudonym_key.as_ref();
        let key = sealed.map(|sealed| seal::open(sealing_key.as_ref(), self.id, sealed));
        let key = key.transpose()?;
        Ok(Line {
            plan: Arc::new(Plan {
                rewriting: Rewriting::new(&self.entered.identities, key.as_deref())?,
                entered: self.entered.clone(),
            }),
            log: Machine::new(cursor),
            ahead: None,
            letters: Machine::new(1),
            letters_rest_until: None,
        })
    }

    /// Sends one batch, or one dead letter that a person wants sent. `Some` is how long to wait.
    async fn turn(&self, line: &mut Line) -> Result<Option<Duration>, Idle> {
        let secret = seal::open(
            self.lrs.sealing_key().as_ref(),
            self.id,
            &self.entered.sealed_secret,
        )?;
        let entered = &self.entered;
        let headers = remote::headers(&entered.key, &secret, entered.version())?;
        let snapshot = self.lrs.store().snapshot().map_err(Error::from)?;
        let letter = dead::waiting(&snapshot, self.id)?;
        drop(snapshot);
        if line.letters_may_go(letter.is_some())
            && let Some(n) = letter
        {
            self.again(n, &headers, line).await?;
            return Ok(None);
        }
        let machine = &mut line.log;
        let erased = || self.lrs.core_arc().erased.load(Ordering::SeqCst);
        // A text that was erased since is not sent.
        let ahead = line.ahead.take().filter(|(when, _)| *when == erased());
        let made = erased();
        let next = match ahead {
            Some((_, batch)) => Next::Batch(batch),
            None => {
                let (from, window) = (machine.cursor(), machine.window());
                self.next(&line.plan, from, window).await?
            }
        };
        let batch = match next {
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
        // While that one is under way the one behind it is made.
        let (answer, ahead) = tokio::join!(
            self.post(&batch.texts, &batch.attachments, &headers),
            self.next(&line.plan, batch.sent.next, machine.window())
        );
        let mut step = machine.take(answer, batch.sent, self.lrs.now(), chance());
        if let Step::Compare { sequence } = step {
            let found = self.compare(sequence, &batch.texts, &headers).await?;
            step = machine.compared(found, batch.sent, self.lrs.now(), chance());
        }
        match step {
            Step::Advance => {
                if let Ok(Next::Batch(ahead)) = ahead
                    && ahead.sent.count <= machine.window()
                {
                    line.ahead = Some((made, ahead));
                }
                self.delivered(batch.sequences, machine.cursor()).await?;
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

    /// Makes a batch, off the async threads.
    async fn next(&self, plan: &Arc<Plan>, from: u64, window: usize) -> Result<Next, Error> {
        let (lrs, plan) = (self.lrs.clone(), Arc::clone(plan));
        tokio::task::spawn_blocking(move || batch::next(&lrs, &plan, from, window))
            .await
            .unwrap_or(Err(Error::Store(lectern_store::Error::Panicked)))
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
        let began = Instant::now();
        let answered = self.egress.send(request).await;
        let took = SignedDuration::try_from(began.elapsed()).unwrap_or(SignedDuration::MAX);
        answer::read(answered, texts.len(), took, self.lrs.now())
    }

    /// What the upstream has under the id of the one statement in `texts`.
    async fn compare(
        &self,
        sequence: u64,
        texts: &[String],
        headers: &HeaderMap,
    ) -> Result<Found, Error> {
        let entry = self.lrs.view()?.entry(sequence)?;
        let (Some(entry), Some(text)) = (entry, texts.first()) else {
            return Ok(Found::Failed("the statement is gone".to_owned()));
        };
        let url = format!("{}/statements?statementId={}", self.entered.url, entry.id);
        let mut request = Request::new(Method::GET, url, self.entered.reach());
        request.headers = headers.clone();
        request.timeout = TIMEOUT;
        let answered = self.egress.send(request).await;
        Ok(answer::found(answered, text, self.lrs.now()))
    }

    /// Sends a dead letter once more. What says nothing about the letter (no connection, a full upstream) leaves it
    /// waiting; meanwhile the log goes on.
    async fn again(&self, n: u64, headers: &HeaderMap, line: &mut Line) -> Result<(), Error> {
        let view = self.lrs.view()?;
        let text = match (view.entry(n)?, view.body(n)?) {
            (Some(entry), Some(body)) => {
                letter::write(&entry, &body, self.entered.version(), &line.plan.rewriting)?
            }
            _ => Err("the statement is gone".to_owned()),
        };
        let mut attachments = Gathered::default();
        if let Ok(text) = &text {
            batch::gather(&view, n, text, &mut attachments)?;
        }
        let attachments = attachments.into_vec();
        drop(view);
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
                return self.put_back(n, reason).await;
            }
        };
        let texts = [text];
        let answer = self.post(&texts, &attachments, headers).await;
        // A person asked for this try: what the upstream fails over now is refused now.
        if let Answer::Failed(reason) = answer {
            return self.put_back(n, reason).await;
        }
        let machine = &mut line.letters;
        let mut step = machine.take(answer, sent, self.lrs.now(), chance());
        if let Step::Compare { sequence } = step {
            step = match self.compare(sequence, &texts, headers).await? {
                Found::Failed(reason) => return self.put_back(n, reason).await,
                found => machine.compared(found, sent, self.lrs.now(), chance()),
            };
        }
        match step {
            Step::Advance => {
                let (id, now) = (self.id, self.lrs.now());
                self.write(move |tx| {
                    dead::delivered(tx, id, n)?;
                    progress(tx, id, |progress| {
                        progress.delivered += 1;
                        progress.last_success = Some(now);
                        progress.last_error = None;
                    })
                })
                .await
            }
            Step::SetAside { reason, .. } => self.put_back(n, reason).await,
            Step::Wait { until, reason } => {
                let wait = Duration::try_from(until.duration_since(self.lrs.now()));
                line.letters_rest_until = Some(Instant::now() + wait.unwrap_or_default());
                self.note(None, Some((reason, Some(until)))).await
            }
            Step::Narrow | Step::Compare { .. } => Ok(()),
        }
    }

    async fn put_back(&self, n: u64, reason: String) -> Result<(), Error> {
        let (id, now) = (self.id, self.lrs.now());
        self.write(move |tx| {
            dead::set_aside(tx, id, n, &reason, now)?;
            progress(tx, id, |progress| {
                progress.last_error = Some(refusal(&reason, now));
            })
        })
        .await
    }

    async fn delivered(&self, sequences: Vec<u64>, cursor: u64) -> Result<(), Error> {
        let (id, now, replays) = (self.id, self.lrs.now(), self.entered.replays);
        self.write(move |tx| {
            dead::delivered_all(tx, id, &sequences)?;
            progress(tx, id, |progress| {
                progress.go_on(cursor, replays);
                progress.delivered += sequences.len() as u64;
                progress.last_success = Some(now);
                progress.last_error = None;
            })
        })
        .await
    }

    async fn set_aside(&self, sequence: u64, cursor: u64, reason: String) -> Result<(), Error> {
        tracing::warn!(event = "lrs.upstream_refused", upstream = %self.id, sequence, reason);
        let (id, now, replays) = (self.id, self.lrs.now(), self.entered.replays);
        self.write(move |tx| {
            dead::set_aside(tx, id, sequence, &reason, now)?;
            progress(tx, id, |progress| {
                progress.go_on(cursor, replays);
                progress.last_error = Some(refusal(&reason, now));
            })
        })
        .await
    }

    async fn note(
        &self,
        cursor: Option<u64>,
        error: Option<(String, Option<Timestamp>)>,
    ) -> Result<(), Error> {
        let (id, now, replays) = (self.id, self.lrs.now(), self.entered.replays);
        let error = error.map(|(message, retry_at)| Failure {
            at: now,
            message,
            retry_at,
        });
        self.write(move |tx| {
            progress(tx, id, |progress| {
                if let Some(cursor) = cursor {
                    progress.go_on(cursor, replays);
                }
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

/// What one upstream is sent, and how it goes.
struct Line {
    plan: Arc<Plan>,
    /// The log.
    log: Machine,
    /// The batch at the cursor, when it was made while the one before was under way.
    /// With how much was erased before.
    ahead: Option<(u64, Batch)>,
    /// Dead letters that a person wants sent again, one at a time: their waits are their own, and what becomes of them
    /// says nothing about the cursor.
    letters: Machine,
    /// When the next of them may go.
    letters_rest_until: Option<Instant>,
}

impl Line {
    /// Whether a dead letter may go now. Once none `is_waiting`, the rest is over.
    fn letters_may_go(&mut self, is_waiting: bool) -> bool {
        let rests = self
            .letters_rest_until
            .is_some_and(|end| Instant::now() < end);
        if !is_waiting || !rests {
            self.letters_rest_until = None;
        }
        !rests
    }
}

/// A statement was refused; nothing waits for it.
fn refusal(reason: &str, now: Timestamp) -> Failure {
    Failure {
        at: now,
        message: reason.to_owned(),
        retry_at: None,
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
