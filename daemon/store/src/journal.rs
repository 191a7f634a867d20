//! A journal before the file: what must be durable at once and may go into the tables later, many at a time. One
//! sync an append, where a commit of redb costs two and a list of free pages that grows with the file.
//!
//! Two files take turns. Appending goes on behind the last frame of one; when the other holds nothing any more that is
//! not in the tables too, and this one has grown, the other is begun anew from its start. Bytes that are written over
//! need no new blocks from the file system, which makes the sync cheap.
//!
//! A frame is its length (u32), the turn (u64, one more each time a file is begun), a check (u64) and the payload. The
//! check covers turn and payload and begins with a number that belongs to this store, so neither a torn frame, nor one of
//! an earlier turn, nor another store's journal is ever taken for one.

use std::io;
use std::sync::Arc;

use xxhash_rust::xxh3::xxh3_64_with_seed;

use crate::store::Shared;
use crate::{Error, Store, Table};

/// One of the two files, as a disk gives it.
pub trait JournalFile: Send {
    /// Everything in it.
    ///
    /// # Errors
    /// The disk's.
    fn read(&self) -> io::Result<Vec<u8>>;
    /// Writes at a place, growing the file where that lies behind its end.
    ///
    /// # Errors
    /// The disk's.
    fn write(&self, at: u64, bytes: &[u8]) -> io::Result<()>;
    /// Returns when all that was written is durable.
    ///
    /// # Errors
    /// The disk's.
    fn sync(&self) -> io::Result<()>;
}

/// Which of a store's journals. Each has its own two files and one who appends to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JournalOf {
    /// What is appended to a log.
    Log,
    /// What was noted besides. It may use the store's reserve: on a full disk, too, what was done must be written down.
    Notes,
}

impl JournalOf {
    /// The first of its two slots ([`crate::Disk::journal`]).
    fn first_slot(self) -> usize {
        match self {
            Self::Log => 0,
            Self::Notes => 2,
        }
    }

    /// So that the frames of one journal are none in the other's files.
    fn identity(self, store: u64) -> u64 {
        store.wrapping_add(self.first_slot() as u64)
    }
}

/// This store's number, in its own table: made once.
const IDENTITY: Table<(), u64> = Table::new("store.journal");
/// A file that has grown this far gives way to the other one when it can.
const TURN_BYTES: u64 = 4 << 20;
/// Length, turn, check.
const HEAD_BYTES: usize = 4 + 8 + 8;
/// No frame is longer: what says so is no frame.
const MAX_FRAME_BYTES: usize = 256 << 20;

/// The journal of a store, in the hands of the one who appends.
pub struct Journal {
    shared: Arc<Shared>,
    identity: u64,
    may_use_reserve: bool,
    slots: [Slot; 2],
    active: usize,
    turn: u64,
    buffer: Vec<u8>,
}

struct Slot {
    file: Box<dyn JournalFile>,
    /// Where the next frame goes.
    end: u64,
    /// How far the file reached at most: until there, writing needs no room.
    length: u64,
    /// The mark of its last frame.
    mark: u64,
}

/// The mark of frames that were found at opening, until the next one comes.
const UNKNOWN: u64 = u64::MAX;

impl Store {
    /// Opens a journal and reads what it holds, oldest first. Only one [`Journal`] of each kind may be in use.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::Full`] for a store that never had one.
    pub fn journal(&self, of: JournalOf) -> Result<(Journal, Vec<Vec<u8>>), Error> {
        let store = match self.snapshot()?.get(&IDENTITY, &())? {
            Some(identity) => identity,
            None => {
                let fresh = uuid::Uuid::new_v4().as_u64_pair().0;
                self.write_making_room(move |tx| {
                    tx.insert(&IDENTITY, &(), &fresh)?;
                    Ok::<_, Error>(fresh)
                })?
            }
        };
        let identity = of.identity(store);
        let shared = Arc::clone(self.shared());
        let mut found = Vec::new();
        let mut slots = Vec::with_capacity(2);
        for slot in 0..2 {
            let file = shared.disk().journal(of.first_slot() + slot)?;
            let bytes = file.read()?;
            let (turn, frames, end) = frames(&bytes, identity);
            slots.push(Slot {
                file,
                end,
                length: bytes.len() as u64,
                mark: UNKNOWN,
            });
            found.push((turn, frames));
        }
        let Ok(mut slots) = <[Slot; 2]>::try_from(slots) else {
            return Err(Error::Closed);
        };
        let active = usize::from(found[1].0 > found[0].0);
        let turn = found[active].0;
        for (slot, (_, frames)) in slots.iter_mut().zip(&found) {
            if frames.is_empty() {
                slot.mark = 0;
            }
        }
        found.sort_by_key(|(turn, _)| *turn);
        let frames = found.into_iter().flat_map(|(_, frames)| frames).collect();
        let journal = Journal {
            shared,
            identity,
            may_use_reserve: of == JournalOf::Notes,
            slots,
            active,
            turn,
            buffer: Vec::new(),
        };
        Ok((journal, frames))
    }
}

impl Journal {
    /// Appends frames, all or none, durable when it returns. `mark` rises with every call and stands for everything
    /// appended so far; `in_tables` is the mark up to which the tables have it too.
    ///
    /// # Errors
    /// [`Error::Full`]: nothing was written. [`Error::Io`]: whether it is durable is unknown. [`Error::Closed`].
    pub fn append<'f>(
        &mut self,
        frames: impl IntoIterator<Item = &'f [u8]>,
        mark: u64,
        in_tables: u64,
    ) -> Result<(), Error> {
        if self.shared.is_closed() {
            return Err(Error::Closed);
        }
        for slot in &mut self.slots {
            if slot.mark == UNKNOWN {
                // What was found at opening came before this.
                slot.mark = mark.saturating_sub(1);
            }
        }
        let other = 1 - self.active;
        let is_free = self.slots[other].mark <= in_tables;
        if self.turn == 0 || (is_free && self.slots[self.active].end >= TURN_BYTES) {
            self.turn += 1;
            self.active = other;
            self.slots[other].end = 0;
        }
        self.buffer.clear();
        for payload in frames {
            let length = u32::try_from(payload.len()).unwrap_or(u32::MAX);
            self.buffer.extend_from_slice(&length.to_le_bytes());
            self.buffer.extend_from_slice(&self.turn.to_le_bytes());
            let check = check(payload, self.turn, self.identity);
            self.buffer.extend_from_slice(&check.to_le_bytes());
            self.buffer.extend_from_slice(payload);
        }
        let slot = &mut self.slots[self.active];
        let end = slot.end + self.buffer.len() as u64;
        if end > slot.length {
            let budget = self.shared.budget(self.may_use_reserve)?;
            if end - slot.length > budget {
                return Err(self.shared.full());
            }
        }
        // Before the attempt: a frame that may have reached the disk must not be written over.
        slot.mark = mark;
        slot.file.write(slot.end, &self.buffer)?;
        slot.length = slot.length.max(end);
        slot.file.sync()?;
        slot.end = end;
        if self.buffer.capacity() > TURN_BYTES as usize {
            self.buffer = Vec::new();
        }
        Ok(())
    }
}

/// Zeros written at a time.
const SCRUB_BYTES: usize = 64 << 10;

impl Journal {
    /// Writes zeros over everything in both files, durable when it returns: for text that must not stay. Only for one who
    /// knows that the tables have all that was appended. After a power cut or a failure in the middle each file holds some
    /// frames of before, or none; a turn begins, so none of those is ever taken for what comes behind.
    ///
    /// # Errors
    /// [`Error::Io`]: some of it may be left. [`Error::Closed`].
    pub fn scrub(&mut self) -> Result<(), Error> {
        if self.shared.is_closed() {
            return Err(Error::Closed);
        }
        self.buffer = Vec::new();
        if self.turn > 0 {
            self.turn += 1;
        }
        for slot in &mut self.slots {
            slot.end = 0;
            slot.mark = 0;
        }
        let zeros = vec![0; SCRUB_BYTES];
        for slot in &self.slots {
            let mut at = 0;
            while at < slot.length {
                let piece = zeros
                    .len()
                    .min(usize::try_from(slot.length - at).unwrap_or(zeros.len()));
                slot.file
                    .write(at, zeros.get(..piece).unwrap_or_default())?;
                at += piece as u64;
            }
            slot.file.sync()?;
        }
        Ok(())
    }
}

fn check(payload: &[u8], turn: u64, identity: u64) -> u64 {
    xxh3_64_with_seed(payload, identity ^ turn.rotate_left(32))
}

/// The turn of a file, its frames, and where they end.
fn frames(bytes: &[u8], identity: u64) -> (u64, Vec<Vec<u8>>, u64) {
    let (mut turn, mut frames, mut at) = (0, Vec::new(), 0);
    while let Some((frame_turn, payload)) = frame(bytes.get(at..).unwrap_or_default(), identity) {
        if frames.is_empty() {
            turn = frame_turn;
        } else if frame_turn != turn {
            break;
        }
        at += HEAD_BYTES + payload.len();
        frames.push(payload.to_vec());
    }
    (turn, frames, at as u64)
}

fn frame(bytes: &[u8], identity: u64) -> Option<(u64, &[u8])> {
    let (length, rest) = bytes.split_first_chunk()?;
    let (turn, rest) = rest.split_first_chunk()?;
    let (expected, rest) = rest.split_first_chunk()?;
    let length = u32::from_le_bytes(*length) as usize;
    if length > MAX_FRAME_BYTES {
        return None;
    }
    let (payload, turn) = (rest.get(..length)?, u64::from_le_bytes(*turn));
    let is_whole = turn > 0 && check(payload, turn, identity) == u64::from_le_bytes(*expected);
    is_whole.then_some((turn, payload))
}

#[cfg(test)]
mod tests {
    use crate::testing::{CrashDisk, Loss};
    use crate::{Error, JournalOf, Options, Store};

    fn open(disk: &CrashDisk) -> Option<Store> {
        let options = Options {
            reserve_bytes: 1 << 20,
            ..Options::default()
        };
        Store::open_on(Box::new(disk.clone()), options).ok()
    }

    #[test]
    fn what_was_appended_is_found_again_in_order() {
        let disk = CrashDisk::new();
        let store = open(&disk).unwrap();
        let (mut journal, found) = store.journal(JournalOf::Log).unwrap();
        assert!(found.is_empty());
        journal.append([&b"one"[..], b"two"], 2, 0).unwrap();
        journal.append([&b"three"[..]], 3, 0).unwrap();
        drop(journal);
        let (_, found) = store.journal(JournalOf::Log).unwrap();
        assert_eq!(found, [&b"one"[..], b"two", b"three"]);
    }

    #[test]
    fn files_take_turns_and_nothing_that_is_needed_is_written_over() {
        let disk = CrashDisk::new();
        let store = open(&disk).unwrap();
        let (mut journal, _) = store.journal(JournalOf::Log).unwrap();
        let piece = vec![7_u8; 1 << 20];
        let mut in_tables = 0;
        for mark in 1..=40_u64 {
            let payload = [&mark.to_le_bytes()[..], &piece].concat();
            journal
                .append([payload.as_slice()], mark, in_tables)
                .unwrap();
            if mark % 3 == 0 {
                in_tables = mark - 1;
            }
            let (_, found) = store.journal(JournalOf::Log).unwrap();
            let marks: Vec<u64> = found
                .iter()
                .map(|frame| u64::from_le_bytes(*frame.first_chunk().unwrap()))
                .collect();
            let first = *marks.first().unwrap();
            assert!(
                first <= in_tables + 1,
                "{marks:?} without {}",
                in_tables + 1
            );
            assert!(marks.iter().copied().eq(first..=mark), "{marks:?}");
        }
    }

    #[test]
    fn power_lost_at_any_sync_keeps_every_frame_that_was_answered() {
        for n in 1..40 {
            let disk = CrashDisk::new();
            disk.freeze_at_sync(n);
            let mut answered = 0;
            if let Some(store) = open(&disk)
                && let Ok((mut journal, _)) = store.journal(JournalOf::Log)
            {
                let piece = vec![3_u8; 700_000];
                for mark in 1..=20_u64 {
                    let payload = [&mark.to_le_bytes()[..], &piece].concat();
                    let in_tables = mark.saturating_sub(2);
                    if journal
                        .append([payload.as_slice()], mark, in_tables)
                        .is_err()
                    {
                        break;
                    }
                    answered = mark;
                }
            }
            for loss in [
                Loss::Everything,
                Loss::Nothing,
                Loss::Some(n),
                Loss::Some(n * 5 + 3),
            ] {
                let after = CrashDisk::with_image(disk.after_power_cut(loss));
                let found = open(&after).unwrap().journal(JournalOf::Log).unwrap().1;
                let last = found
                    .last()
                    .map_or(0, |frame| u64::from_le_bytes(*frame.first_chunk().unwrap()));
                assert!(last >= answered, "sync {n}, {loss:?}: {last} of {answered}");
            }
        }
    }

    #[test]
    fn files_take_turns_again_after_they_were_opened_with_frames_in_both() {
        let disk = CrashDisk::new();
        let store = open(&disk).unwrap();
        let (mut journal, _) = store.journal(JournalOf::Log).unwrap();
        let payload = vec![7_u8; 5 << 20];
        journal.append([payload.as_slice()], 1, 0).unwrap();
        journal.append([payload.as_slice()], 2, 1).unwrap();
        let (mut journal, found) = store.journal(JournalOf::Log).unwrap();
        assert_eq!(found.len(), 2);
        for mark in 3..=8 {
            journal
                .append([payload.as_slice()], mark, mark - 1)
                .unwrap();
        }
        let longest = journal.slots.iter().map(|slot| slot.length).max().unwrap();
        assert!(longest < 12 << 20, "{longest}");
    }

    #[test]
    fn a_scrubbed_journal_holds_no_text_and_goes_on() {
        let disk = CrashDisk::new();
        let store = open(&disk).unwrap();
        let (mut journal, _) = store.journal(JournalOf::Log).unwrap();
        let secret = b"ada@example.edu".repeat(80_000);
        for mark in 1..=9 {
            journal.append([secret.as_slice()], mark, mark - 1).unwrap();
        }
        // Also what was found at opening.
        for _ in 0..2 {
            journal.scrub().unwrap();
            for bytes in &disk.after_power_cut(Loss::Everything)[1..] {
                assert!(bytes.iter().all(|byte| *byte == 0));
            }
            journal.append([&b"next"[..]], 10, 9).unwrap();
            assert_eq!(store.journal(JournalOf::Log).unwrap().1, [&b"next"[..]]);
            (journal, _) = store.journal(JournalOf::Log).unwrap();
        }
    }

    #[test]
    fn power_lost_while_it_is_scrubbed_takes_nothing_that_comes_later() {
        let fill = |disk: &CrashDisk, then: bool| {
            let store = open(disk)?;
            let (mut journal, _) = store.journal(JournalOf::Log).ok()?;
            let piece = vec![3_u8; 700_000];
            let mut last = 0;
            for mark in 1..=20_u64 {
                let payload = [&mark.to_le_bytes()[..], &piece].concat();
                journal.append([payload.as_slice()], mark, mark - 1).ok()?;
                if mark == 12 && then {
                    // One that fails on the way must not leave a hole either.
                    let _ = journal.scrub();
                }
                last = mark;
            }
            Some(last)
        };
        let whole = CrashDisk::new();
        fill(&whole, true).unwrap();
        for n in 1..=whole.syncs() {
            for loss in [
                Loss::Everything,
                Loss::Nothing,
                Loss::Some(n),
                Loss::Some(n * 5 + 3),
            ] {
                let disk = CrashDisk::new();
                disk.freeze_at_sync(n);
                fill(&disk, true);
                let after = CrashDisk::with_image(disk.after_power_cut(loss));
                let store = open(&after).unwrap();
                let marks = |frames: &[Vec<u8>]| -> Vec<u64> {
                    let mark = |frame: &Vec<u8>| u64::from_le_bytes(*frame.first_chunk().unwrap());
                    frames.iter().map(mark).collect()
                };
                let (mut journal, found) = store.journal(JournalOf::Log).unwrap();
                assert!(
                    marks(&found).is_sorted(),
                    "sync {n}, {loss:?}: {:?}",
                    marks(&found)
                );
                journal
                    .append([&100_u64.to_le_bytes()[..]], 100, 99)
                    .unwrap();
                let found = marks(&store.journal(JournalOf::Log).unwrap().1);
                assert_eq!(found.last(), Some(&100), "sync {n}, {loss:?}: {found:?}");
            }
        }
    }

    #[test]
    fn another_stores_journal_and_a_torn_frame_are_none() {
        let disk = CrashDisk::new();
        let store = open(&disk).unwrap();
        let (mut journal, _) = store.journal(JournalOf::Log).unwrap();
        journal.append([&b"one"[..], b"two"], 2, 0).unwrap();
        let bytes = journal.slots[journal.active].file.read().unwrap();
        let (turn, whole, _) = super::frames(&bytes, journal.identity);
        assert_eq!((turn, whole.len()), (1, 2));
        assert_eq!(super::frames(&bytes, journal.identity + 1).1.len(), 0);
        for cut in 0..bytes.len() {
            assert!(super::frames(&bytes[..cut], journal.identity).1.len() < 2);
        }
        for at in 0..bytes.len() {
            let mut bent = bytes.clone();
            bent[at] ^= 1;
            assert!(super::frames(&bent, journal.identity).1.len() < 2);
        }
    }

    #[test]
    fn a_stores_journals_do_not_mix() {
        let disk = CrashDisk::new();
        let store = open(&disk).unwrap();
        let (mut log, _) = store.journal(JournalOf::Log).unwrap();
        let (mut notes, _) = store.journal(JournalOf::Notes).unwrap();
        log.append([&b"a statement"[..]], 1, 0).unwrap();
        notes.append([&b"a note"[..]], 1, 0).unwrap();
        let held = |of| store.journal(of).unwrap().1;
        assert_eq!(held(JournalOf::Log), [b"a statement"]);
        assert_eq!(held(JournalOf::Notes), [b"a note"]);
        let bytes = log.slots[log.active].file.read().unwrap();
        assert!(super::frames(&bytes, notes.identity).1.is_empty());
        log.scrub().unwrap();
        assert_eq!(held(JournalOf::Notes), [b"a note"]);
    }

    #[test]
    fn notes_may_use_the_reserve() {
        let disk = CrashDisk::new();
        let store = open(&disk).unwrap();
        let (mut log, _) = store.journal(JournalOf::Log).unwrap();
        let (mut notes, _) = store.journal(JournalOf::Notes).unwrap();
        disk.set_free_bytes(1 << 20);
        assert!(log.append([&b"a statement"[..]], 1, 0).is_err());
        notes.append([&b"a note"[..]], 1, 0).unwrap();
        disk.set_free_bytes(1 << 19);
        assert!(notes.append([&b"another"[..]], 2, 0).is_err());
    }

    #[test]
    fn a_full_disk_refuses_before_it_writes() {
        let disk = CrashDisk::new();
        let store = open(&disk).unwrap();
        let (mut journal, _) = store.journal(JournalOf::Log).unwrap();
        journal.append([&b"one"[..]], 1, 0).unwrap();
        disk.set_free_bytes(1 << 20);
        let refused = journal.append([&b"two"[..]], 2, 0).unwrap_err();
        assert!(matches!(refused, Error::Full { .. }));
        disk.set_free_bytes(1 << 30);
        journal.append([&b"three"[..]], 3, 0).unwrap();
        assert_eq!(
            store.journal(JournalOf::Log).unwrap().1,
            [&b"one"[..], b"three"]
        );
    }
}
