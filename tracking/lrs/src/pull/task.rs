//! Reads one source: asks the machine what to ask for, takes in what comes, keeps how far it is.

use std::collections::BTreeMap;
use std::time::Duration;

use http::header::CONTENT_TYPE;
use jiff::Timestamp;
use lectern_egress::{Egress, Response};
use lectern_store::Json;
use lectern_xapi::print_timestamp;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::machine::{Ask, Machine, Step, Trouble};
use super::page::{self, Attachments, Item, Page, Unreadable};
use super::progress::{self, Owed, PROGRESS, Progress, Taken};
use super::refused::Refusal;
use super::reply;
use super::sift::{New, Standing, sift};
use super::source::{Entered, ITSELF, is_itself};
use crate::caller::Caller;
use crate::error::Error;
use crate::intake::Taken as Intake;
use crate::lrs::Lrs;
use crate::remote::{self, Door, Failure, STORE_WAIT, Unavailable, chance, seal};

/// How long a source may take over a page.
const TIMEOUT: Duration = Duration::from_secs(60);
/// The longest page that is read.
const MAX_PAGE_BYTES: usize = 16 << 20;
/// The longest answer to a question for one statement: what may be posted here at once.
const MAX_ONE_BYTES: usize = 32 << 20;
/// After so many failures over one and the same statement, it is taken for one that the source cannot give.
const PATIENCE: u32 = 6;
/// Statements stored in one batch.
const BATCH: usize = 500;
/// How long until it is looked again whether a source is still this box itself.
const ITSELF_WAIT: Duration = Duration::from_secs(5 * 60);

/// One source's reading.
pub(super) struct Task {
    pub lrs: Lrs,
    pub egress: Egress,
    pub id: Uuid,
    pub entered: Entered,
    pub caller: Caller,
}

/// How it goes.
struct Line {
    door: Door,
    machine: Machine,
    standing: Standing,
    /// Pages taken in so far.
    pages: u64,
    /// Failures in a row over a statement that was asked for alone.
    failures: BTreeMap<Uuid, u32>,
    /// When the page before was taken in, or what was waited for was over.
    began: Instant,
}

/// Why a page is not taken in now.
enum Halt {
    /// The source's doing.
    Source(Trouble),
    /// Our own store.
    Own(Error),
}

impl<E: Into<Error>> From<E> for Halt {
    fn from(error: E) -> Self {
        Self::Own(error.into())
    }
}

impl Task {
    /// Reads until it is stopped.
    pub async fn run(self, stop: CancellationToken) {
        tokio::select! {
            () = stop.cancelled() => {}
            () = self.pull() => {}
        }
    }

    /// Only ever ends by being dropped; whatever it was doing is done again by the next.
    async fn pull(&self) {
        loop {
            match self.follow().await {
                // Done: there is nothing to do until somebody changes it.
                Ok(()) => return std::future::pending().await,
                Err(error) => self.trouble(&error).await,
            }
        }
    }

    async fn trouble(&self, error: &Error) {
        tracing::error!(event = "lrs.source_stopped", source = %self.id, %error);
        if let Error::Sealing(message) = error {
            let _ = self.note(message.clone(), None).await;
        }
        tokio::time::sleep(STORE_WAIT).await;
    }

    async fn follow(&self) -> Result<(), Error> {
        let Some(mut line) = self.line().await? else {
            return Ok(());
        };
        while is_itself(&self.lrs, &self.egress, &line.door).await {
            let until = self.lrs.now().checked_add(ITSELF_WAIT);
            self.note(ITSELF.to_owned(), until.ok()).await?;
            tokio::time::sleep(ITSELF_WAIT).await;
        }
        line.began = Instant::now();
        loop {
            let step = match self.turn(&mut line).await {
                Ok(step) => step,
                Err(Halt::Source(trouble)) => {
                    line.machine.failed(trouble, self.lrs.now(), chance())
                }
                Err(Halt::Own(error)) => return Err(error),
            };
            let until = match step {
                Step::GoOn => continue,
                Step::Done => return Ok(()),
                Step::Rest { until } => until,
                Step::Wait { until, reason } => {
                    self.note(reason, Some(until)).await?;
                    until
                }
            };
            let wait = until.duration_since(self.lrs.now());
            tokio::time::sleep(Duration::try_from(wait).unwrap_or_default()).await;
            line.began = Instant::now();
        }
    }

    /// Where it is; `None` when there is nothing left to do, or the source is gone.
    async fn line(&self) -> Result<Option<Line>, Error> {
        let entered = &self.entered;
        // What a task that was stopped had handed over is in the log before it is asked what the source has brought.
        self.lrs.appended().await?;
        let progress = loop {
            let Some(progress) = self.progress()? else {
                return Ok(None);
            };
            let Some(owed) = self.owed(&progress).await? else {
                break progress;
            };
            let id = self.id;
            let work = move |tx: &lectern_store::Tx<'_>| progress::recount(tx, id, &owed);
            self.lrs.store().write_async(work).await?;
        };
        if entered.is_done(&progress) {
            return Ok(None);
        }
        let key = self.lrs.sealing_key();
        let secret = seal::open(key.as_ref(), self.id, &entered.sealed_secret)?;
        Ok(Some(Line {
            door: Door {
                url: entered.url.clone(),
                headers: remote::headers(&entered.key, &secret, entered.version())?,
                reach: entered.reach(),
            },
            machine: Machine::new(!entered.follow, progress.cursor, progress.newest),
            standing: Standing {
                id: self.id,
                credential: self.caller.credential.clone(),
            },
            pages: progress.pages,
            failures: BTreeMap::new(),
            began: Instant::now(),
        }))
    }

    fn progress(&self) -> Result<Option<Progress>, Error> {
        let found = self.lrs.store().snapshot()?.get(&PROGRESS, &self.id)?;
        Ok(found.map(|Json(progress)| progress))
    }

    /// What the source brought and is not counted: whoever was doing it was stopped before it could say so. Reads the log
    /// from where it is counted; `None` when there is nothing.
    async fn owed(&self, progress: &Progress) -> Result<Option<Owed>, Error> {
        let head = self.settle().await?;
        let (counted, pages) = (progress.counted, progress.pages);
        if head <= counted {
            return Ok(None);
        }
        let (lrs, credential) = (self.lrs.clone(), self.caller.credential.clone());
        blocking(move || {
            let view = lrs.view()?;
            let mut stored = 0;
            for sequence in counted + 1..=head {
                let entry = view.entry(sequence)?;
                stored += u64::from(entry.is_some_and(|entry| entry.credential == credential));
            }
            Ok((stored > 0).then_some(Owed {
                stored,
                head,
                pages,
            }))
        })
        .await
    }

    /// Asks for a page and takes it in.
    async fn turn(&self, line: &mut Line) -> Result<Step, Halt> {
        let turn_down = |line: &mut Line, reason: &str| {
            line.machine.turned_down(reason, self.lrs.now(), chance())
        };
        let url = match line.machine.ask() {
            Ask::More(more) => {
                let list = format!("{}/statements", line.door.url);
                match lectern_egress::follow(&list, &more) {
                    Ok(url) => url,
                    Err(error) => {
                        let reason =
                            format!("the next page of its list cannot be asked for: {error}");
                        return Ok(turn_down(line, &reason));
                    }
                }
            }
            ask => first_page(&line.door.url, &ask),
        };
        let response = self.get(line, url, MAX_PAGE_BYTES).await?;
        let through = reply::through(&response);
        let version = self.entered.version();
        let read =
            blocking(move || Ok(Page::read(content_type(&response), &response.body, version)));
        let mut page = match read.await? {
            Ok(page) => page,
            Err(Unreadable::TooLarge) => return Err(Halt::Source(Trouble::TooLarge)),
            Err(Unreadable::Other(reason)) => return Ok(turn_down(line, &reason)),
        };
        page.facts.through = through;
        if let Err(reason) = line.machine.admits(&page.facts) {
            return Ok(turn_down(line, reason));
        }
        let (lrs, standing) = (self.lrs.clone(), line.standing.clone());
        let Page {
            items,
            attachments,
            facts,
        } = page;
        let sifted = blocking(move || sift(&lrs, &standing, items, &attachments)).await?;
        let mut refused = sifted.refused;
        let new = self.complete(line, sifted.new, &mut refused).await?;
        let (stored, known) = self.store(new, &mut refused).await?;
        let fresh = sifted.seen.len();
        let now = self.lrs.now();
        let step = line.machine.took(facts, fresh, now, chance());
        let end = match &step {
            Step::Done => Some(None),
            Step::Rest { until } => Some(Some(*until)),
            Step::GoOn | Step::Wait { .. } => None,
        };
        let head = self.settle().await?;
        let taken = Taken {
            stored,
            known: known + sifted.known,
            refused,
            seen: sifted.seen,
            head,
            cursor: line.machine.cursor(),
            newest: line.machine.newest(),
            pages: line.pages,
            seconds: line.began.elapsed().as_secs_f64(),
            at: now,
            end,
        };
        if !self.keep(taken).await? {
            return match self.line().await? {
                Some(anew) => {
                    *line = anew;
                    Ok(Step::GoOn)
                }
                None => Ok(Step::Done),
            };
        }
        line.pages += 1;
        line.failures.clear();
        line.began = Instant::now();
        Ok(step)
    }

    /// Adds what a list leaves out: attachments that did not come with it, and what a statement voids, which goes before it.
    async fn complete(
        &self,
        line: &mut Line,
        new: Vec<New>,
        refused: &mut Vec<Refusal>,
    ) -> Result<Vec<New>, Halt> {
        let came = line.machine.attachments();
        let mut whole = Vec::with_capacity(new.len());
        for mut one in new {
            if let Some(target) = one.voids
                && let Some((item, attachments)) =
                    self.one(line, "voidedStatementId", target).await?
            {
                whole.extend(self.voided(item, &attachments, refused));
            }
            if one.attachments.lack(&one.parsed, came)
                && let Some((_, found)) = self.one(line, "statementId", one.id).await?
            {
                one.attachments.add(&one.parsed, &found);
            }
            whole.push(one);
        }
        Ok(whole)
    }

    /// Stores what is new, in order: how many are stored, and how many somebody else stored this moment. Durable when it
    /// returns.
    async fn store(&self, new: Vec<New>, refused: &mut Vec<Refusal>) -> Result<(u64, u64), Error> {
        let mut good = Vec::with_capacity(new.len());
        for one in new {
            match one.fault() {
                Some(reason) => refused.push(self.refusal(&one, reason)),
                None => good.push(one),
            }
        }
        let (mut stored, mut known) = (0, 0);
        let runs = good.chunk_by(|a, b| a.version == b.version);
        for batch in runs.flat_map(|run| run.chunks(BATCH)) {
            let Some(first) = batch.first() else { continue };
            let texts = batch.iter().map(|one| one.parsed.raw.clone()).collect();
            // Each once, however many name it.
            let came: BTreeMap<_, _> = batch
                .iter()
                .flat_map(|one| &one.attachments.whole)
                .collect();
            let came = came.into_values().cloned().collect();
            let taken = self.lrs.take_in(&self.caller, first.version, texts, came);
            for (one, taken) in batch.iter().zip(taken.await?) {
                match taken {
                    Intake::Stored => stored += 1,
                    Intake::Known => known += 1,
                    Intake::Refused(reason) => refused.push(self.refusal(one, reason)),
                }
            }
        }
        Ok((stored, known))
    }

    fn refusal(&self, one: &New, reason: String) -> Refusal {
        one.refusal(reason, &self.lrs, &self.caller.credential)
    }

    /// A voided statement as one to be stored; `None` when it is older than what is wanted, or refused.
    fn voided(
        &self,
        item: Item,
        attachments: &Attachments,
        refused: &mut Vec<Refusal>,
    ) -> Option<New> {
        let is_old = matches!((item.stored, self.entered.since), (Some(stored), Some(since)) if stored <= since);
        if is_old {
            return None;
        }
        let parsed = match item.read {
            Ok(parsed) => parsed,
            Err((text, wrong)) => {
                refused.push(Refusal {
                    statement: Some(item.key),
                    stored: item.stored,
                    reason: wrong.to_string(),
                    text: Some(text),
                });
                return None;
            }
        };
        Some(New {
            attachments: attachments.named_by(&parsed),
            id: item.key,
            stored: item.stored,
            version: item.version,
            parsed,
            voids: None,
        })
    }

    /// Asks for one statement; `None` when the source does not have it, or cannot give it.
    async fn one(
        &self,
        line: &mut Line,
        by: &str,
        id: Uuid,
    ) -> Result<Option<(Item, Attachments)>, Halt> {
        let url = format!("{}/statements?{by}={id}&attachments=true", line.door.url);
        let response = match self.get(line, url, MAX_ONE_BYTES).await {
            Ok(response) => response,
            Err(Halt::Source(Trouble::Unknown(_) | Trouble::TooLarge)) => return Ok(None),
            Err(Halt::Source(Trouble::Failed(why))) => {
                let failures = line.failures.entry(id).or_default();
                *failures += 1;
                if *failures >= PATIENCE {
                    return Ok(None);
                }
                return Err(Halt::Source(Trouble::Failed(why)));
            }
            Err(other) => return Err(other),
        };
        let version = self.entered.version();
        let read = blocking(move || {
            let kind = content_type(&response);
            Ok(page::read_one(kind, &response.body, version))
        });
        match read.await? {
            Ok((item, attachments)) if item.key == id => Ok(Some((item, attachments))),
            Ok(_) | Err(Unreadable::TooLarge) => Ok(None),
            Err(Unreadable::Other(reason)) => {
                Err(Halt::Source(Trouble::Unavailable(Unavailable {
                    reason,
                    retry_after: None,
                })))
            }
        }
    }

    async fn get(&self, line: &Line, url: String, most: usize) -> Result<Response, Halt> {
        let mut request = line.door.get("");
        request.url = url;
        request.timeout = TIMEOUT;
        request.max_response_bytes = most;
        let answered = self.egress.send(request).await;
        reply::read(answered, self.lrs.now()).map_err(Halt::Source)
    }

    /// Waits until all that was stored is in the tables, so that no copy of the store has the progress without it; the end
    /// of the log then.
    async fn settle(&self) -> Result<u64, Error> {
        let lrs = self.lrs.clone();
        blocking(move || lrs.settled()).await
    }

    async fn keep(&self, taken: Taken) -> Result<bool, Error> {
        // One line a page, however many there are.
        if let Some(first) = taken.refused.first() {
            tracing::warn!(event = "lrs.source_refused", source = %self.id,
                count = taken.refused.len(), first = ?first.statement, reason = first.reason);
        }
        let id = self.id;
        let work = move |tx: &lectern_store::Tx<'_>| progress::take(tx, id, &taken);
        self.lrs.store().write_async(work).await
    }

    async fn note(&self, message: String, retry_at: Option<Timestamp>) -> Result<(), Error> {
        let id = self.id;
        let failure = Failure {
            at: self.lrs.now(),
            message,
            retry_at,
        };
        let work = move |tx: &lectern_store::Tx<'_>| progress::fail(tx, id, &failure);
        self.lrs.store().write_async(work).await
    }
}

/// Where a list begins.
fn first_page(endpoint: &str, ask: &Ask) -> String {
    let Ask::Begin {
        since,
        limit,
        attachments,
    } = ask
    else {
        return endpoint.to_owned();
    };
    let mut url =
        format!("{endpoint}/statements?ascending=true&attachments={attachments}&limit={limit}");
    if let Some(since) = since {
        url.push_str("&since=");
        url.push_str(&print_timestamp(*since));
    }
    url
}

fn content_type(response: &Response) -> &str {
    let header = response.headers.get(CONTENT_TYPE);
    header
        .and_then(|header| header.to_str().ok())
        .unwrap_or_default()
}

/// Runs what reads the store, or much text, off the async threads.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or(Err(Error::Store(lectern_store::Error::Panicked)))
}
