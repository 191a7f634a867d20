//! Reads one source: asks for a page, takes in what it holds, writes down how far it was read.

use std::collections::HashSet;
use std::time::Duration;

use http::Method;
use http::header::{CONTENT_TYPE, HeaderMap};
use jiff::{SignedDuration, Timestamp};
use lectern_egress::{Egress, Request, Response};
use lectern_store::Json;
use lectern_xapi::Ifi;
use rand::Rng;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::page::{self, Offered, Page};
use super::source::{Entered, PROGRESS, Progress, note};
use crate::caller::{Caller, Scope, Scopes};
use crate::error::Error;
use crate::forward::{UpstreamError, basic, reason, retry_after};
use crate::intake::Taken;
use crate::lrs::Lrs;
use crate::seal;

/// Statements asked for at once, first and at most.
const FIRST_LIMIT: usize = 100;
const FULL_LIMIT: usize = 500;
/// The largest page; a store that has a larger one is asked for fewer statements.
const MAX_PAGE_BYTES: usize = 24 << 20;
/// How long a source may take over a page.
const TIMEOUT: Duration = Duration::from_secs(60);
/// A source that was read to its end is asked again after this.
const POLL: Duration = Duration::from_secs(30);
/// The first wait after a failure; each further one is twice as long, up to the longest.
const FIRST_WAIT: SignedDuration = SignedDuration::from_secs(1);
const LONGEST_WAIT: SignedDuration = SignedDuration::from_mins(5);
/// The longest wait that a source may ask for.
const LONGEST_ASKED: SignedDuration = SignedDuration::from_hours(1);
/// Pages in a row without anything new: a store that goes on so has no end.
const MAX_EMPTY_PAGES: u32 = 1_000;

/// One source's reading.
pub(super) struct Task {
    pub lrs: Lrs,
    pub egress: Egress,
    pub identity: String,
    pub id: Uuid,
    pub entered: Entered,
}

/// Why it waits.
enum Pause {
    /// The source.
    Theirs {
        reason: String,
        retry_after: Option<SignedDuration>,
    },
    /// The answer was too large.
    TooLarge,
    /// Our own store.
    Ours(Error),
}

impl From<Error> for Pause {
    fn from(error: Error) -> Self {
        Self::Ours(error)
    }
}

impl From<String> for Pause {
    fn from(reason: String) -> Self {
        Self::Theirs {
            reason,
            retry_after: None,
        }
    }
}

/// How a source is asked, and how that went.
struct Line {
    headers: HeaderMap,
    caller: Caller,
    limit: usize,
    /// Failures in a row.
    failures: u32,
}

impl Task {
    /// Reads until it is stopped.
    pub async fn run(self, stop: CancellationToken) {
        tokio::select! {
            () = stop.cancelled() => {}
            () = self.read() => {}
        }
    }

    async fn read(&self) {
        let mut line = match self.line() {
            Ok(line) => line,
            Err(error) => {
                tracing::error!(event = "lrs.pulling_stopped", source = %self.id, %error);
                self.fail(error.to_string(), None).await;
                return std::future::pending().await;
            }
        };
        loop {
            let wait = match self.walk(&mut line).await {
                Ok(()) if !self.entered.follow => return std::future::pending().await,
                Ok(()) => POLL,
                Err(Pause::TooLarge) => continue,
                Err(Pause::Theirs {
                    reason,
                    retry_after,
                }) => {
                    line.failures = line.failures.saturating_add(1);
                    self.wait(reason, retry_after, line.failures).await
                }
                Err(Pause::Ours(error)) => {
                    tracing::error!(event = "lrs.pulling_stopped", source = %self.id, %error);
                    line.failures = line.failures.saturating_add(1);
                    self.wait(error.to_string(), None, line.failures).await
                }
            };
            tokio::time::sleep(wait).await;
        }
    }

    fn line(&self) -> Result<Line, Error> {
        let sealing_key = self.lrs.sealing_key();
        let secret = seal::open(sealing_key.as_ref(), self.id, &self.entered.sealed_secret)?;
        let name = format!("source:{}", self.id);
        Ok(Line {
            headers: basic(&self.entered.key, &secret, self.entered.version())?,
            caller: Caller {
                authority: Ifi::account(self.identity.clone(), name.clone()).to_value(),
                credential: name,
                scopes: Scopes::from_iter([Scope::StatementsWrite, Scope::Define]),
                bound: None,
            },
            limit: FIRST_LIMIT,
            failures: 0,
        })
    }

    /// From where it was read to its end.
    async fn walk(&self, line: &mut Line) -> Result<(), Pause> {
        let progress = self.progress()?;
        if progress.is_through && !self.entered.follow {
            return Ok(());
        }
        let mut url = self.first(&progress, line.limit);
        let mut empty = 0;
        loop {
            let page = match self.page(&url, line).await {
                Ok(page) => page,
                Err(Pause::TooLarge) if line.limit > 1 => {
                    line.limit = (line.limit / 4).max(1);
                    return Err(Pause::TooLarge);
                }
                Err(Pause::TooLarge) => {
                    self.pass_over(line).await?;
                    return Err(Pause::TooLarge);
                }
                Err(pause) => return Err(pause),
            };
            line.failures = 0;
            let more = page.more.clone();
            let is_new = self.take(page, line).await?;
            empty = if is_new { 0 } else { empty + 1 };
            if empty > MAX_EMPTY_PAGES {
                return Err("it has no end: page after page came without anything new"
                    .to_owned()
                    .into());
            }
            match more {
                Some(more) => url = page::next(&self.entered.url, &more)?,
                None => break,
            }
            line.limit = (line.limit * 2).min(FULL_LIMIT);
        }
        let now = self.lrs.now();
        self.write(Vec::new(), move |progress| {
            progress.is_through = true;
            progress.last_success = Some(now);
            progress.last_error = None;
        })
        .await?;
        Ok(())
    }

    fn progress(&self) -> Result<Progress, Error> {
        let found = self.lrs.store().snapshot()?.get(&PROGRESS, &self.id)?;
        Ok(found.map_or_else(Progress::default, |Json(progress)| progress))
    }

    /// The first page from where it was read. `since` is exclusive (Data 2.1.3), and statements of one moment may lie on both
    /// sides of the end of a page: what was stored there at that moment is asked for again.
    fn first(&self, progress: &Progress, limit: usize) -> String {
        let again = |edge: Timestamp| {
            edge.checked_sub(SignedDuration::from_millis(1))
                .unwrap_or(edge)
        };
        let since = progress.edge.map(again).or(self.entered.since);
        let since = since.map_or_else(String::new, |since| {
            format!(
                "&since={}",
                lectern_xapi::print_timestamp(since).replace(':', "%3A")
            )
        });
        format!(
            "{}/statements?ascending=true&attachments=true&limit={limit}{since}",
            self.entered.url
        )
    }

    async fn page(&self, url: &str, line: &Line) -> Result<Page, Pause> {
        let response = self.ask(url, line).await?;
        if response.status.as_u16() != 200 {
            return Err(self.refusal(&response));
        }
        Ok(page::read(content_type(&response), &response.body)?)
    }

    async fn ask(&self, url: &str, line: &Line) -> Result<Response, Pause> {
        let mut request = Request::new(Method::GET, url, self.entered.reach());
        request.headers = line.headers.clone();
        request.timeout = TIMEOUT;
        request.max_response_bytes = MAX_PAGE_BYTES;
        self.egress
            .send(request)
            .await
            .map_err(|error| match error {
                lectern_egress::Error::TooLarge { .. } => Pause::TooLarge,
                error => error.to_string().into(),
            })
    }

    fn refusal(&self, response: &Response) -> Pause {
        Pause::Theirs {
            reason: match response.status.as_u16() {
                401 => "the key or the secret is wrong".to_owned(),
                403 => "this key may not read all statements there".to_owned(),
                404 => "there is no record store at this address".to_owned(),
                _ => format!("it answered {}", reason(response)),
            },
            retry_after: retry_after(response, self.lrs.now()),
        }
    }

    /// Takes in a page; whether it held something that was not read before.
    async fn take(&self, page: Page, line: &Line) -> Result<bool, Pause> {
        let before = self.progress()?;
        let read: HashSet<Uuid> = before.edge_ids.iter().copied().collect();
        let was_read = |one: &Offered| {
            one.stored
                .zip(before.edge)
                .is_some_and(|(at, edge)| at <= edge)
                && one.id.is_some_and(|id| read.contains(&id))
        };
        let mut attachments = page.attachments;
        let mut offered: Vec<Offered> = Vec::new();
        for one in page.statements.into_iter().filter(|one| !was_read(one)) {
            // A list leaves out what was taken back (Data 2.3.2); whoever moves wants that, too.
            if let Some(target) = one.voids
                && let Some(taken_back) = self.taken_back(target, line).await?
            {
                attachments.extend(taken_back.attachments);
                offered.extend(taken_back.statements);
            }
            offered.push(one);
        }
        let is_new = !offered.is_empty();
        let texts = offered.iter().map(|one| one.text.clone()).collect();
        let version = self.entered.version();
        let taken = self
            .lrs
            .take_in(&line.caller, version, texts, attachments)
            .await?;
        let mut refused = Vec::new();
        let (mut stored, mut known) = (0, 0);
        for (one, taken) in offered.iter().zip(taken) {
            match taken {
                Taken::Stored => stored += 1,
                Taken::Known => known += 1,
                Taken::Refused(reason) => refused.push((one.id, one.stored, reason)),
            }
        }
        let edge = offered.iter().filter_map(|one| one.stored).max();
        let edge = edge.max(before.edge);
        let at_edge = offered.iter().filter(|one| one.stored == edge);
        let mut edge_ids: Vec<Uuid> = at_edge.filter_map(|one| one.id).collect();
        if edge == before.edge {
            edge_ids.extend(&before.edge_ids);
        }
        let now = self.lrs.now();
        self.write(refused, move |progress| {
            progress.edge = edge;
            progress.edge_ids.clone_from(&edge_ids);
            progress.stored += stored;
            progress.known += known;
            progress.last_success = Some(now);
            progress.last_error = None;
        })
        .await?;
        Ok(is_new)
    }

    /// A statement that was taken back there and is not here; `None` when the source does not give it.
    async fn taken_back(&self, target: Uuid, line: &Line) -> Result<Option<Page>, Pause> {
        if self
            .lrs
            .view()?
            .sequence_of(target)
            .map_err(Error::from)?
            .is_some()
        {
            return Ok(None);
        }
        let url = format!(
            "{}/statements?voidedStatementId={target}&attachments=true",
            self.entered.url
        );
        let response = self.ask(&url, line).await?;
        match response.status.as_u16() {
            200 => Ok(page::read_one(content_type(&response), &response.body).ok()),
            400 | 404 => Ok(None),
            _ => Err(self.refusal(&response)),
        }
    }

    /// A single statement whose attachments are larger than a page may be: it is named, and gone past.
    async fn pass_over(&self, line: &Line) -> Result<(), Pause> {
        let url = self.first(&self.progress()?, 1);
        let url = url.replace("attachments=true", "attachments=false");
        let mut page = self.page(&url, line).await?;
        page.attachments.clear();
        page.more = None;
        self.take(page, line).await.map(drop)
    }

    async fn wait(
        &self,
        reason: String,
        retry_after: Option<SignedDuration>,
        failures: u32,
    ) -> Duration {
        let doubled = FIRST_WAIT * 2_i32.saturating_pow(failures.saturating_sub(1).min(16));
        let own = doubled.min(LONGEST_WAIT);
        let wait = retry_after.map_or(own, |asked| asked.clamp(own, LONGEST_ASKED));
        let wait = Duration::try_from(wait).unwrap_or_default();
        // So that many boxes do not come back at once.
        let wait = wait.mul_f64(rand::rng().random_range(0.8..1.2));
        let until = SignedDuration::try_from(wait).ok();
        let until = until.and_then(|wait| self.lrs.now().checked_add(wait).ok());
        self.fail(reason, until).await;
        wait
    }

    async fn fail(&self, message: String, retry_at: Option<Timestamp>) {
        let at = self.lrs.now();
        let error = UpstreamError {
            at,
            message,
            retry_at,
        };
        let written = self.write(Vec::new(), move |progress| {
            progress.last_error = Some(error.clone());
        });
        if let Err(error) = written.await {
            tracing::error!(event = "lrs.pulling_stopped", source = %self.id, %error);
        }
    }

    async fn write(
        &self,
        refused: Vec<(Option<Uuid>, Option<Timestamp>, String)>,
        change: impl Fn(&mut Progress) + Send + 'static,
    ) -> Result<(), Error> {
        let id = self.id;
        let work = move |tx: &lectern_store::Tx<'_>| note(tx, id, &refused, &change);
        self.lrs.store().write_async(work).await
    }
}

fn content_type(response: &Response) -> &str {
    let found = response.headers.get(CONTENT_TYPE);
    found
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
}
