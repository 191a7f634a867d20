//! A reader's view: every statement that was durable when it was taken, whether it is in the tables yet or not, and
//! none that came later. Keep one only as long as a request.

use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use jiff::Timestamp;
use lectern_store::{Error, Snapshot};
use lectern_xapi::Statement;
use lectern_xapi::json::Json;
use uuid::Uuid;

use crate::body::{AUTHORITIES, Authority, Body, unreadable};
use crate::core::Core;
use crate::entry::Entry;
use crate::index::filter::Filter;
use crate::index::runs::{self, Run};
use crate::index::segment::Segment;
use crate::index::{Kind, id_hash};
use crate::log::block::Block;
use crate::log::{self, BLOCKS, Packed};
use crate::tail::Group;

/// See the module.
pub(crate) struct View {
    snapshot: Snapshot,
    run: u64,
    head: u64,
    groups: Vec<Arc<Group>>,
    segments: Vec<Arc<Segment>>,
    filters: Vec<(Run, Arc<Filter>)>,
    runs: OnceCell<Vec<Run>>,
    /// Blocks read last, newest last.
    blocks: RefCell<Vec<Arc<Block>>>,
    /// Authorities asked for: most statements share a few.
    authorities: RefCell<HashMap<u128, Option<Arc<Authority>>>>,
}

/// Blocks kept: a page of statements one beside the other needs one, a walk along references a few.
const KEPT_BLOCKS: usize = 8;

impl View {
    /// # Errors
    /// As [`lectern_store::Store::snapshot`].
    pub fn new(core: &Core) -> Result<Self, Error> {
        // First what is in memory: what leaves it meanwhile is in the snapshot.
        let (head, groups, segments, filters) = {
            let tail = core.tail();
            (
                tail.head,
                tail.groups.iter().cloned().collect(),
                tail.segments.iter().cloned().collect(),
                tail.filters.clone(),
            )
        };
        Ok(Self {
            snapshot: core.store.snapshot()?,
            run: core.run,
            head,
            groups,
            segments,
            filters,
            runs: OnceCell::new(),
            blocks: RefCell::default(),
            authorities: RefCell::default(),
        })
    }

    pub fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    /// The newest statement.
    pub fn head(&self) -> u64 {
        self.head
    }

    /// Statements in the smallest run.
    pub fn run(&self) -> u64 {
        self.run
    }

    /// The runs, the oldest statements first.
    pub fn runs(&self) -> Result<&[Run], Error> {
        if let Some(runs) = self.runs.get() {
            return Ok(runs);
        }
        let runs = runs::all(&self.snapshot, self.run)?;
        Ok(self.runs.get_or_init(|| runs))
    }

    /// Behind the statements that are in runs.
    pub fn runs_end(&self) -> Result<u64, Error> {
        Ok(self.runs()?.last().map_or(0, |last| last.end(self.run)))
    }

    /// The sequence numbers under a hash among the newest statements, appended in order.
    pub fn newest(&self, kind: Kind, hash: u64, into: &mut Vec<u64>) {
        for segment in &self.segments {
            segment.list(kind, hash, self.head, into);
        }
    }

    /// Where the statement with this id is.
    pub fn sequence_of(&self, id: Uuid) -> Result<Option<u64>, Error> {
        let hash = id_hash(id);
        let mut found = Vec::new();
        self.newest(Kind::Ids, hash, &mut found);
        if let Some(sequence) = self.first_with(id, &found)? {
            return Ok(Some(sequence));
        }
        let perhaps = |run: &Run| {
            let filter = self.filters.iter().find(|(of, _)| of == run);
            filter.is_none_or(|(_, filter)| filter.may_have(hash))
        };
        for one in self.runs()?.iter().rev().filter(|run| perhaps(run)) {
            let found = runs::list(
                &self.snapshot,
                Kind::Ids,
                *one,
                self.run,
                (hash, u64::MAX),
                false,
            )?;
            if let Some(sequence) = self.first_with(id, &found)? {
                return Ok(Some(sequence));
            }
        }
        Ok(None)
    }

    /// Whether a statement with this id is certainly not there: without looking into the file.
    pub fn is_new(&self, id: Uuid) -> bool {
        let hash = id_hash(id);
        !self
            .segments
            .iter()
            .any(|segment| segment.may_have_id(hash))
            && !self.filters.iter().any(|(_, filter)| filter.may_have(hash))
    }

    /// The last sequence number that was stored at `time` or before; 0 when none was.
    pub fn up_to(&self, time: Timestamp) -> Result<u64, Error> {
        // `stored` rises with the sequence, so halving finds it: first among what is in memory, then among the blocks.
        let held = self.groups.iter().flat_map(|group| &group.held);
        let newest = held
            .take_while(|held| held.line.entry.stored <= time)
            .last();
        if let Some(held) = newest {
            return Ok(held.line.entry.sequence);
        }
        let (mut low, mut high) = (
            0,
            self.groups
                .first()
                .map_or(self.head, |group| group.first() - 1),
        );
        while low < high {
            let middle = high - (high - low) / 2;
            let row = self.snapshot.range(&BLOCKS, ..=middle)?.next_back();
            let Some((first, Packed(bytes))) = row.transpose()? else {
                return Ok(0);
            };
            if Block::first_stored(&bytes).map_err(runs::damaged)? > time {
                high = first - 1;
                continue;
            }
            let Some(block) = self.block(middle)? else {
                return Ok(low);
            };
            let end = block.end().min(high);
            let before = (first..=end).rev().find(|sequence| {
                block
                    .entry(*sequence)
                    .is_some_and(|entry| entry.stored <= time)
            });
            match before {
                Some(sequence) if sequence == end => low = end,
                Some(sequence) => return Ok(sequence),
                None => high = first - 1,
            }
        }
        Ok(low)
    }

    /// Entries and what is left of their bodies, in order.
    pub fn lines(
        &self,
        sequences: Range<u64>,
    ) -> impl Iterator<Item = Result<(Entry, Option<Body>), Error>> + '_ {
        let end = sequences.end.min(self.head + 1);
        (sequences.start.max(1)..end).filter_map(|sequence| self.line(sequence).transpose())
    }

    /// The entry at `sequence` and its body, unless that was erased.
    pub fn line(&self, sequence: u64) -> Result<Option<(Entry, Option<Body>)>, Error> {
        if sequence == 0 || sequence > self.head {
            return Ok(None);
        }
        let held = |held: &crate::tail::Held| (held.line.entry.clone(), held.line.body.clone());
        if let Some(line) = self.held(sequence, held) {
            return Ok(Some(line));
        }
        let block = self.block(sequence)?;
        Ok(block.and_then(|block| Some((block.entry(sequence)?, block.body(sequence)))))
    }

    /// The entry at `sequence`.
    pub fn entry(&self, sequence: u64) -> Result<Option<Entry>, Error> {
        if sequence == 0 || sequence > self.head {
            return Ok(None);
        }
        if let Some(entry) = self.held(sequence, |held| held.line.entry.clone()) {
            return Ok(Some(entry));
        }
        Ok(self
            .block(sequence)?
            .and_then(|block| block.entry(sequence)))
    }

    /// Its body, unless that was erased.
    pub fn body(&self, sequence: u64) -> Result<Option<Body>, Error> {
        if sequence == 0 || sequence > self.head {
            return Ok(None);
        }
        if let Some(body) = self.held(sequence, |held| held.line.body.clone()) {
            return Ok(body);
        }
        Ok(self.block(sequence)?.and_then(|block| block.body(sequence)))
    }

    /// Who vouches for statements under this number.
    pub fn authority(&self, number: u128) -> Result<Option<Arc<Authority>>, Error> {
        if let Some(known) = self.authorities.borrow().get(&number) {
            return Ok(known.clone());
        }
        let json = self.snapshot.get(&AUTHORITIES, &number)?.or_else(|| {
            let mut held = self.groups.iter().flat_map(|group| &group.held);
            let is_it = |held: &&crate::tail::Held| {
                let body = held.line.body.as_ref();
                body.is_some_and(|body| body.authority == number)
            };
            held.find(is_it).map(|held| held.authority.to_string())
        });
        let found = json.map(|json| Arc::new(Authority::new(json)));
        self.authorities.borrow_mut().insert(number, found.clone());
        Ok(found)
    }

    /// The statement at `sequence` with all that the log knows of it; `None` when there is none (any more).
    pub fn statement(&self, sequence: u64) -> Result<Option<Statement>, Error> {
        if let Some(statement) = self.held(sequence, |held| held.statement.clone())
            && sequence <= self.head
        {
            return Ok(Some(statement));
        }
        match self.line(sequence)? {
            Some((entry, Some(body))) => self.complete(&entry, &body),
            _ => Ok(None),
        }
    }

    /// A body as a statement with all that the log knows of it.
    pub fn complete(&self, entry: &Entry, body: &Body) -> Result<Option<Statement>, Error> {
        match body.json() {
            Ok(json) => self.read(entry, body, &json),
            Err(invalid) => {
                unreadable(entry, &invalid);
                Ok(None)
            }
        }
    }

    /// [`Self::complete`], of a body that was read already.
    pub fn read(
        &self,
        entry: &Entry,
        body: &Body,
        json: &Json<'_>,
    ) -> Result<Option<Statement>, Error> {
        let mut statement = body.statement(entry, json);
        if let Some(statement) = &mut statement {
            let authority = self.authority(body.authority)?;
            statement.authority = authority.and_then(|authority| authority.actor.clone());
        }
        Ok(statement)
    }

    fn first_with(&self, id: Uuid, sequences: &[u64]) -> Result<Option<u64>, Error> {
        for sequence in sequences {
            if self.entry(*sequence)?.is_some_and(|entry| entry.id == id) {
                return Ok(Some(*sequence));
            }
        }
        Ok(None)
    }

    fn held<T>(&self, sequence: u64, what: impl FnOnce(&crate::tail::Held) -> T) -> Option<T> {
        let at = self.groups.partition_point(|group| group.end() < sequence);
        self.groups.get(at)?.get(sequence).map(what)
    }

    fn block(&self, sequence: u64) -> Result<Option<Arc<Block>>, Error> {
        let mut kept = self.blocks.borrow_mut();
        let known = kept
            .iter()
            .rev()
            .find(|block| block.first() <= sequence && sequence <= block.end());
        if let Some(block) = known {
            return Ok(Some(Arc::clone(block)));
        }
        let Some(block) = log::block_of(&self.snapshot, sequence)? else {
            return Ok(None);
        };
        let block = Arc::new(block);
        if kept.len() == KEPT_BLOCKS {
            kept.remove(0);
        }
        kept.push(Arc::clone(&block));
        Ok(Some(block))
    }
}
