//! The newest statements, in memory: those that are in the journal and not in the tables yet, and the index of those
//! that fill no run yet.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use jiff::Timestamp;
use lectern_xapi::Statement;
use tokio::sync::oneshot;

use crate::error::Error;
use crate::index::filter::Filter;
use crate::index::runs::Run;
use crate::index::segment::Segment;
use crate::log::Line;

/// What was appended to the journal in one go.
pub(crate) struct Group {
    /// In order; never empty.
    pub held: Vec<Held>,
    /// Those who are answered when it is in the tables.
    pub waiting: Mutex<Vec<oneshot::Sender<Result<(), Error>>>>,
    /// Bytes of text.
    pub bytes: usize,
}

/// A statement on its way into the tables.
pub(crate) struct Held {
    pub line: Arc<Line>,
    /// With all that the log knows of it.
    pub statement: Statement,
    /// JSON
    pub authority: Arc<str>,
}

impl Group {
    pub fn new(held: Vec<Held>) -> Self {
        let text = |held: &Held| held.line.body.as_ref().map_or(0, |body| body.raw.len());
        Self {
            bytes: held.iter().map(text).sum(),
            held,
            waiting: Mutex::default(),
        }
    }

    pub fn first(&self) -> u64 {
        self.held.first().map_or(0, |held| held.line.entry.sequence)
    }

    pub fn end(&self) -> u64 {
        self.held.last().map_or(0, |held| held.line.entry.sequence)
    }

    pub fn get(&self, sequence: u64) -> Option<&Held> {
        let index = usize::try_from(sequence.checked_sub(self.first())?).ok()?;
        self.held.get(index)
    }
}

/// See the module.
#[derive(Default)]
pub(crate) struct Tail {
    /// The newest statement that is durable.
    pub head: u64,
    /// The newest one that is in the tables.
    pub in_tables: u64,
    /// In order, without holes, from `in_tables` on.
    pub groups: VecDeque<Arc<Group>>,
    /// In order, without holes, from the end of the last run on.
    pub segments: VecDeque<Arc<Segment>>,
    /// One for each run.
    pub filters: Vec<(Run, Arc<Filter>)>,
    /// When the group that is being appended began: nothing of it is stored earlier.
    pub appending: Option<Timestamp>,
    /// Bytes of text in `groups`.
    pub bytes: usize,
}

impl Tail {
    /// Takes in a group that is durable now. `hashes` are each statement's: of its id, and its terms'.
    pub fn push(&mut self, group: Arc<Group>, hashes: &[(u64, Vec<u64>)], run: u64) {
        for (held, (id, terms)) in group.held.iter().zip(hashes) {
            self.index(held.line.entry.sequence, *id, terms, run);
        }
        self.head = group.end();
        self.bytes += group.bytes;
        self.groups.push_back(group);
    }

    /// Adds a statement to the newest segment, or begins another.
    pub fn index(&mut self, sequence: u64, id: u64, terms: &[u64], run: u64) {
        let number = (sequence - 1) / run;
        if self
            .segments
            .back()
            .is_none_or(|last| last.number != number)
        {
            self.segments.push_back(Arc::new(Segment::new(number, run)));
        }
        if let Some(segment) = self.segments.back() {
            segment.add(sequence, id, terms);
        }
    }

    /// `stored` of the oldest statement that is not in the tables yet.
    pub fn oldest(&self) -> Option<Timestamp> {
        let group = self.groups.front()?;
        group.held.first().map(|held| held.line.entry.stored)
    }
}
