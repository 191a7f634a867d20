//! A disk in memory that breaks when it is told to: it stops at the n-th sync and says what a
//! power cut there would have left, fails one call, or is full. For tests of every room that
//! stands on a store (feature `testing`).

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use redb::{Builder, Database, StorageBackend};

use crate::{Disk, Error, JournalFile};

/// The disk. Clones are the same one.
#[derive(Debug, Clone)]
pub struct CrashDisk {
    image: Arc<Mutex<Image>>,
    /// Which of the files this handle reads and writes.
    file: usize,
}

/// The store's, and those of its journals.
const FILES: usize = 1 + 4;

/// The bytes of every file: the store's, and two of each journal.
pub type Files = [Vec<u8>; FILES];

/// What a power cut leaves of the writes since the last sync.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loss {
    /// None of them.
    Everything,
    /// All of them.
    Nothing,
    /// Some, by this seed; one of them torn.
    Some(u64),
}

#[derive(Debug, Default)]
struct Image {
    files: [Content; FILES],
    /// Of all files together.
    syncs: u64,
    /// The sync that never returns.
    freeze_at: Option<u64>,
    /// What the next write or sync fails with, once.
    fail_next: Option<io::ErrorKind>,
    free_bytes: u64,
}

#[derive(Debug, Default)]
struct Content {
    /// What the process sees.
    live: Vec<u8>,
    /// What the last sync left for certain.
    durable: Vec<u8>,
    /// What was done since.
    unsynced: Vec<Change>,
}

#[derive(Debug)]
enum Change {
    Length(usize),
    Bytes(usize, Vec<u8>),
}

/// The smallest piece a disk writes whole.
const SECTOR: usize = 512;

impl CrashDisk {
    /// A disk with a terabyte free and an empty store on it ([`crate::FileDisk`] gives a new file
    /// its name only when it is whole, so no power cut meets redb's first steps).
    pub fn new() -> Self {
        let disk = Self::with_image(Files::default());
        // A disk in memory that nobody told to fail does not.
        let made = disk.open(&Builder::new()).map(Database::close);
        debug_assert!(matches!(made, Ok(Ok(()))), "an empty store in memory");
        Self::with_image(disk.after_power_cut(Loss::Nothing))
    }

    /// A disk that holds what [`Self::after_power_cut`] said.
    pub fn with_image(files: Files) -> Self {
        let files = files.map(|bytes| Content {
            live: bytes.clone(),
            durable: bytes,
            unsynced: Vec::new(),
        });
        Self {
            image: Arc::new(Mutex::new(Image {
                files,
                free_bytes: 1 << 40,
                ..Image::default()
            })),
            file: 0,
        }
    }

    /// Everything from the `n`-th sync on (from 1, counted since the disk was made) fails, as in
    /// a machine without power.
    pub fn freeze_at_sync(&self, n: u64) {
        self.image().freeze_at = Some(n);
    }

    /// Whether it has come to that.
    pub fn is_frozen(&self) -> bool {
        self.image().is_frozen()
    }

    /// Syncs so far.
    pub fn syncs(&self) -> u64 {
        self.image().syncs
    }

    /// The next write or sync fails with `kind`, those after it do not.
    pub fn fail_next(&self, kind: io::ErrorKind) {
        self.image().fail_next = Some(kind);
    }

    /// What the file system says is free.
    pub fn set_free_bytes(&self, bytes: u64) {
        self.image().free_bytes = bytes;
    }

    /// The bytes a power cut now would leave.
    pub fn after_power_cut(&self, loss: Loss) -> Files {
        let image = self.image();
        let mut random = match loss {
            Loss::Everything => return image.files.each_ref().map(|file| file.durable.clone()),
            Loss::Nothing => return image.files.each_ref().map(|file| file.live.clone()),
            Loss::Some(seed) => Random(seed | 1),
        };
        image.files.each_ref().map(|file| file.left(&mut random))
    }

    fn image(&self) -> MutexGuard<'_, Image> {
        self.image.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for CrashDisk {
    fn default() -> Self {
        Self::new()
    }
}

impl Disk for CrashDisk {
    fn open(&self, builder: &Builder) -> Result<Database, Error> {
        Ok(builder.create_with_backend(self.clone())?)
    }

    fn reopen(&self, builder: &Builder) -> Result<Database, Error> {
        self.open(builder)
    }

    fn free_bytes(&self) -> Result<u64, Error> {
        Ok(self.image().free_bytes)
    }

    fn file_bytes(&self) -> Result<u64, Error> {
        Ok(self.image().files[0].live.len() as u64)
    }

    fn journal(&self, slot: usize) -> Result<Box<dyn JournalFile>, Error> {
        Ok(Box::new(Self {
            image: Arc::clone(&self.image),
            file: (1 + slot).min(FILES - 1),
        }))
    }
}

impl JournalFile for CrashDisk {
    fn read(&self) -> io::Result<Vec<u8>> {
        let image = self.image();
        image.powered()?;
        Ok(image.files[self.file].live.clone())
    }

    fn write(&self, at: u64, bytes: &[u8]) -> io::Result<()> {
        let end = at + bytes.len() as u64;
        if StorageBackend::len(self)? < end {
            self.set_len(end)?;
        }
        StorageBackend::write(self, at, bytes)
    }

    fn sync(&self) -> io::Result<()> {
        self.sync_data()
    }
}

impl Content {
    /// What a power cut that loses some of it leaves.
    fn left(&self, random: &mut Random) -> Vec<u8> {
        let mut left = self.durable.clone();
        for change in &self.unsynced {
            match change {
                // File systems keep the length of a file in order with its data.
                Change::Length(len) => left.resize(*len, 0),
                Change::Bytes(at, bytes) => {
                    for (n, sector) in bytes.chunks(SECTOR).enumerate() {
                        if random.next().is_multiple_of(2) {
                            put(&mut left, at + n * SECTOR, sector);
                        }
                    }
                }
            }
        }
        left
    }

    fn settle(&mut self) {
        for change in std::mem::take(&mut self.unsynced) {
            match change {
                Change::Length(len) => self.durable.resize(len, 0),
                Change::Bytes(at, bytes) => put(&mut self.durable, at, &bytes),
            }
        }
    }
}

impl Image {
    fn is_frozen(&self) -> bool {
        self.freeze_at.is_some_and(|n| self.syncs >= n)
    }

    fn powered(&self) -> io::Result<()> {
        match self.is_frozen() {
            true => Err(io::Error::other("no power")),
            false => Ok(()),
        }
    }

    fn writable(&mut self) -> io::Result<()> {
        self.powered()?;
        match self.fail_next.take() {
            Some(kind) => Err(kind.into()),
            None => Ok(()),
        }
    }
}

impl StorageBackend for CrashDisk {
    fn len(&self) -> io::Result<u64> {
        Ok(self.image().files[self.file].live.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let image = self.image();
        image.powered()?;
        let bytes = usize::try_from(offset)
            .ok()
            .and_then(|at| {
                image.files[self.file]
                    .live
                    .get(at..at.checked_add(out.len())?)
            })
            .ok_or(io::ErrorKind::UnexpectedEof)?;
        out.copy_from_slice(bytes);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let len = usize::try_from(len).map_err(io::Error::other)?;
        let mut image = self.image();
        image.writable()?;
        let file = &mut image.files[self.file];
        file.live.resize(len, 0);
        file.unsynced.push(Change::Length(len));
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut image = self.image();
        image.writable()?;
        image.syncs += 1;
        image.powered()?;
        image.files[self.file].settle();
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let at = usize::try_from(offset).map_err(io::Error::other)?;
        let mut image = self.image();
        image.writable()?;
        let file = &mut image.files[self.file];
        put(&mut file.live, at, data);
        file.unsynced.push(Change::Bytes(at, data.to_vec()));
        Ok(())
    }
}

/// Writes what fits: a file that shrank afterwards takes no more.
fn put(target: &mut [u8], at: usize, bytes: &[u8]) {
    let end = target.len().min(at + bytes.len());
    if let Some(place) = target.get_mut(at..end) {
        place.copy_from_slice(&bytes[..place.len()]);
    }
}

/// Xorshift: the same losses for the same seed.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
}
