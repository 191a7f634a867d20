//! What to ask one source for next, and what to make of what came. Pure: time and chance are arguments.
//!
//! The cursor is a time, not a `more`: those expire. It stands a little before the newest statement that was taken, because
//! a statement may become visible after one that was stored later, and several may share a `stored`. What lies in between
//! is seen again whenever a list is begun anew; who takes a page in knows what it has seen.

use jiff::{SignedDuration, Timestamp};

use crate::remote::{Backoff, Unavailable};

/// Statements asked for at once.
const FULL_LIMIT: usize = 500;
/// The cursor stands so long before the newest statement, or before what the source says it is consistent through.
const OVERLAP: SignedDuration = SignedDuration::from_secs(2);
/// A source that claims to be further behind than this is not believed.
const LONGEST_OVERLAP: SignedDuration = SignedDuration::from_hours(1);
/// The pause of one who follows a source, after something new came; each further pause is twice as long.
const FIRST_REST: SignedDuration = SignedDuration::from_secs(5);
const LONGEST_REST: SignedDuration = SignedDuration::from_mins(1);
/// Pages in a row that may bring nothing new and lead no further.
const IDLE_PAGES: u32 = 1_000;

/// A `more` longer than this is not asked for.
const MAX_MORE_BYTES: usize = 16 * 1024;

/// What to ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Ask {
    /// A list, from a time on.
    Begin {
        since: Option<Timestamp>,
        limit: usize,
        /// Whether the bytes of attachments come with it; else each statement that has some is asked for alone.
        attachments: bool,
    },
    /// The list's next page: its `more` as it came.
    More(String),
}

/// What the machine needs to know of a page.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Facts {
    pub count: usize,
    /// `stored` of the first and of the last.
    pub first: Option<Timestamp>,
    pub last: Option<Timestamp>,
    /// Whether no statement was stored before the one it follows.
    pub ascends: bool,
    /// `X-Experience-API-Consistent-Through`.
    pub through: Option<Timestamp>,
    /// `None` at the end of the list.
    pub more: Option<String>,
}

/// Why there is no page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Trouble {
    /// It is longer than what is read at once.
    TooLarge,
    /// The source does not know (any more) what was asked for.
    Unknown(Unavailable),
    /// It failed over it, or took too long.
    Failed(Unavailable),
    /// It is not there, asks to come later, or gives nothing until a person changes something.
    Unavailable(Unavailable),
}

/// What to do now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// Ask again at once.
    GoOn,
    /// Nothing new until then.
    Rest { until: Timestamp },
    /// All there was is here.
    Done,
    /// Try again then.
    Wait { until: Timestamp, reason: String },
}

/// The state of reading one source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Machine {
    /// Whether the end of the list is the end of it all.
    once: bool,
    /// From when on a list begins.
    cursor: Option<Timestamp>,
    /// The newest `stored` that was taken.
    newest: Option<Timestamp>,
    /// The next page of the list under way.
    more: Option<String>,
    /// `stored` of the last statement of the list under way.
    reached: Option<Timestamp>,
    /// Statements asked for at once.
    limit: usize,
    /// Whether attachments come with the list.
    attachments: bool,
    /// Whether the list was begun anew because its next page was not known any more, and nothing came since.
    rewound: bool,
    /// Whether the list under way brought anything.
    found: bool,
    /// Pages without anything new in a row.
    idle: u32,
    /// The next pause.
    rest: SignedDuration,
    backoff: Backoff,
}

impl Machine {
    /// Goes on from `cursor`; whether it ends where the list ends.
    pub fn new(once: bool, cursor: Option<Timestamp>, newest: Option<Timestamp>) -> Self {
        Self {
            once,
            cursor,
            newest,
            more: None,
            reached: None,
            limit: FULL_LIMIT,
            attachments: true,
            rewound: false,
            found: false,
            idle: 0,
            rest: FIRST_REST,
            backoff: Backoff::default(),
        }
    }

    /// Where a list begins that is begun now.
    pub fn cursor(&self) -> Option<Timestamp> {
        self.cursor
    }

    /// The newest `stored` that was taken.
    pub fn newest(&self) -> Option<Timestamp> {
        self.newest
    }

    /// Whether attachments come with the list that is under way, or is begun now.
    pub fn attachments(&self) -> bool {
        self.attachments
    }

    pub fn ask(&self) -> Ask {
        match &self.more {
            Some(more) => Ask::More(more.clone()),
            None => Ask::Begin {
                since: self.cursor,
                limit: self.limit,
                attachments: self.attachments,
            },
        }
    }

    /// Whether a page may be taken in. One that is out of order may not: the cursor would go past what never came.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn admits(&self, page: &Facts) -> Result<(), &'static str> {
        if page.count > 0 && page.last.is_none() {
            return Err(
                "its statements do not say when they were stored, so there is no way to go on where one was",
            );
        }
        let falls_back =
            matches!((self.reached, page.first), (Some(reached), Some(first)) if first < reached);
        if !page.ascends || falls_back {
            return Err(
                "it does not give statements in the order in which it stored them (ascending=true), so there is no way to go on where one was",
            );
        }
        if page
            .more
            .as_ref()
            .is_some_and(|more| more.len() > MAX_MORE_BYTES)
        {
            return Err("the address of its list's next page is too long");
        }
        if page.more.is_some() && page.more == self.more {
            return Err("the next page of its list is the page itself");
        }
        Ok(())
    }

    /// A page was taken in and is durable; `fresh` of its statements were never seen before.
    pub fn took(&mut self, page: Facts, fresh: usize, now: Timestamp, chance: f64) -> Step {
        let leads_on = page.last.is_some() && page.last > self.reached;
        self.idle = if fresh > 0 || leads_on {
            0
        } else {
            self.idle + 1
        };
        if self.idle >= IDLE_PAGES {
            self.begin_anew();
            self.idle = 0;
            let reason = "its list has no end, and nothing new in it".to_owned();
            return self.wait(reason, None, now, chance);
        }
        self.backoff.succeed();
        self.rewound = false;
        self.found |= fresh > 0;
        if let Some(last) = page.last {
            self.newest = self.newest.max(Some(last));
            self.reached = Some(last);
            let sure = page.through.map_or(last, |through| through.min(last));
            let cursor = earlier(sure, OVERLAP).max(earlier(last, LONGEST_OVERLAP));
            self.cursor = self.cursor.max(Some(cursor));
        }
        self.more = page.more;
        if self.more.is_some() {
            return Step::GoOn;
        }
        let found = self.found;
        self.begin_anew();
        self.attachments = true;
        self.limit = (self.limit * 2).min(FULL_LIMIT);
        if self.once {
            return Step::Done;
        }
        if found {
            self.rest = FIRST_REST;
        }
        let until = now.checked_add(self.rest).unwrap_or(Timestamp::MAX);
        self.rest = (self.rest * 2).min(LONGEST_REST);
        Step::Rest { until }
    }

    /// There is no page.
    pub fn failed(&mut self, trouble: Trouble, now: Timestamp, chance: f64) -> Step {
        let why = match trouble {
            Trouble::TooLarge if self.attachments => {
                self.attachments = false;
                self.begin_anew();
                return Step::GoOn;
            }
            Trouble::TooLarge if self.limit > 1 => {
                self.limit /= 2;
                self.begin_anew();
                return Step::GoOn;
            }
            Trouble::TooLarge => {
                self.begin_anew();
                Unavailable {
                    reason: "a single statement there is larger than what is read at once"
                        .to_owned(),
                    retry_after: None,
                }
            }
            Trouble::Unknown(_) if self.more.is_some() && !self.rewound => {
                self.rewound = true;
                self.begin_anew();
                return Step::GoOn;
            }
            Trouble::Failed(why) => {
                // The second failure in a row is worth finding out whether less at once is better.
                if self.backoff.has_failed() {
                    self.limit = (self.limit / 2).max(1);
                    self.begin_anew();
                }
                why
            }
            Trouble::Unknown(why) | Trouble::Unavailable(why) => why,
        };
        self.wait(why.reason, why.retry_after, now, chance)
    }

    /// What came cannot be used; the list is begun anew later.
    pub fn turned_down(&mut self, reason: &str, now: Timestamp, chance: f64) -> Step {
        self.begin_anew();
        self.wait(reason.to_owned(), None, now, chance)
    }

    fn begin_anew(&mut self) {
        self.more = None;
        self.reached = None;
        self.found = false;
    }

    fn wait(
        &mut self,
        reason: String,
        asked: Option<SignedDuration>,
        now: Timestamp,
        chance: f64,
    ) -> Step {
        Step::Wait {
            until: self.backoff.fail(asked, now, chance),
            reason,
        }
    }
}

fn earlier(than: Timestamp, by: SignedDuration) -> Timestamp {
    than.checked_sub(by).unwrap_or(Timestamp::MIN)
}

#[cfg(test)]
mod tests;
