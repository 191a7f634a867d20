//! What a closure given to `write` sees: the store with everything written before it in the same
//! group, and its own writes.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::ops::{Bound, RangeBounds};

use redb::{ReadableTable, ReadableTableMetadata, WriteTransaction};

use crate::scan::{self, Bounds};
use crate::table::{MAX_KEY_BYTES, MAX_VALUE_BYTES, Raw};
use crate::{Error, Key, Record, Table, key};

type Open<'tx> = redb::Table<'tx, &'static [u8], &'static [u8]>;

/// One write transaction, shared by the closures of a group, one after the other.
pub struct Tx<'tx> {
    transaction: &'tx WriteTransaction,
    /// Opening a table costs a look-up in the file; a group uses the same few again and again.
    tables: RefCell<HashMap<&'static str, Open<'tx>>>,
    /// Whether the closure that runs now has changed anything.
    wrote: Cell<bool>,
    /// An upper estimate of what the group will add to the file, in bytes.
    spent: Cell<u64>,
    /// What it may add before the reserve would be touched.
    budget: u64,
    /// For the refusal's message.
    reserve_bytes: u64,
    /// The first failure of the file itself: nothing of the group can be kept then.
    failure: RefCell<Option<Error>>,
}

/// Pages that one insert or removal may rewrite besides its own bytes: a path of the tree.
const PAGES_PER_CHANGE: u64 = 4 * 4096;
/// Entries fetched at a time by a scan inside a transaction.
const SCAN_CHUNK: usize = 64;

impl<'tx> Tx<'tx> {
    pub(crate) fn new(transaction: &'tx WriteTransaction, budget: u64, reserve_bytes: u64) -> Self {
        Self {
            transaction,
            tables: RefCell::default(),
            wrote: Cell::new(false),
            spent: Cell::new(0),
            budget,
            reserve_bytes,
            failure: RefCell::new(None),
        }
    }

    /// The value under `key`.
    ///
    /// # Errors
    /// [`Error::Corrupt`], [`Error::Io`].
    pub fn get<K: Key, V: Record>(&self, table: &Table<K, V>, key: &K) -> Result<Option<V>, Error> {
        let bytes = key::to_bytes(key);
        self.with(table.name(), |raw| {
            let found = raw.get(bytes.as_slice())?;
            found.map(|guard| table.value(guard.value())).transpose()
        })
    }

    /// Whether there is a value under `key`, without decoding it.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn contains<K: Key, V: Record>(&self, table: &Table<K, V>, key: &K) -> Result<bool, Error> {
        let bytes = key::to_bytes(key);
        self.with(table.name(), |raw| Ok(raw.get(bytes.as_slice())?.is_some()))
    }

    /// Writes `value` under `key`; true when one was there before.
    ///
    /// # Errors
    /// [`Error::Full`], [`Error::TooLarge`], [`Error::Io`].
    pub fn insert<K: Key, V: Record>(
        &self,
        table: &Table<K, V>,
        key: &K,
        value: &V,
    ) -> Result<bool, Error> {
        let key = key::to_bytes(key);
        let value = value.encode();
        let limits = [
            ("key", key.len(), MAX_KEY_BYTES),
            ("value", value.len(), MAX_VALUE_BYTES),
        ];
        for (what, bytes, limit) in limits {
            if bytes > limit {
                return Err(Error::TooLarge {
                    what,
                    table: table.name(),
                    bytes,
                    limit,
                });
            }
        }
        self.spend(key.len() + value.len())?;
        self.wrote.set(true);
        self.with(table.name(), |raw| {
            Ok(raw.insert(key.as_slice(), value.as_slice())?.is_some())
        })
    }

    /// Removes the value under `key`; true when there was one.
    ///
    /// # Errors
    /// [`Error::Full`] (a removal rewrites pages, too), [`Error::Io`].
    pub fn remove<K: Key, V: Record>(&self, table: &Table<K, V>, key: &K) -> Result<bool, Error> {
        let key = key::to_bytes(key);
        self.spend(0)?;
        self.wrote.set(true);
        self.with(table.name(), |raw| {
            Ok(raw.remove(key.as_slice())?.is_some())
        })
    }

    /// The entries whose keys lie in `range`, in order; from behind with `.rev()`. The table may
    /// be written to between two steps; the scan then sees what lies ahead of it.
    ///
    /// # Errors
    /// [`Error::Corrupt`], [`Error::Io`], in each step.
    pub fn range<K: Key, V: Record>(
        &self,
        table: &Table<K, V>,
        range: impl RangeBounds<K>,
    ) -> Result<TxEntries<'_, 'tx, K, V>, Error> {
        Ok(self.scan(table, scan::of_range(&range)))
    }

    /// The entries whose keys begin with `prefix`: the leading part of a tuple.
    ///
    /// # Errors
    /// As [`Self::range`].
    pub fn prefix<K: Key, V: Record>(
        &self,
        table: &Table<K, V>,
        prefix: &impl Key,
    ) -> Result<TxEntries<'_, 'tx, K, V>, Error> {
        Ok(self.scan(table, scan::of_prefix(prefix)))
    }

    /// How many entries the table has.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn len<K, V>(&self, table: &Table<K, V>) -> Result<u64, Error> {
        self.with(table.name(), |raw| Ok(raw.len()?))
    }

    /// Whether the table has no entry.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn is_empty<K, V>(&self, table: &Table<K, V>) -> Result<bool, Error> {
        self.len(table).map(|len| len == 0)
    }

    /// Removes every entry of a table: for a fold that is built anew.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn clear<K, V>(&self, table: &Table<K, V>) -> Result<(), Error> {
        self.spend(0)?;
        self.wrote.set(true);
        // A table that is open for writing cannot be deleted.
        self.tables.borrow_mut().remove(table.name());
        let deleted = self.transaction.delete_table(Raw::new(table.name()));
        self.note(deleted.map(|_| ()).map_err(Error::from))
    }

    fn scan<K, V>(&self, table: &Table<K, V>, bounds: Bounds) -> TxEntries<'_, 'tx, K, V> {
        TxEntries {
            tx: self,
            table: table.name(),
            bounds,
            ahead: Vec::new(),
            behind: Vec::new(),
            types: std::marker::PhantomData,
        }
    }

    fn spend(&self, bytes: usize) -> Result<(), Error> {
        // Copy on write: the bytes once in their leaf, and the leaf's neighbours with them.
        let spent = self.spent.get() + 2 * bytes as u64 + PAGES_PER_CHANGE;
        if spent > self.budget {
            return Err(Error::Full {
                free_bytes: self.budget + self.reserve_bytes,
                reserve_bytes: self.reserve_bytes,
            });
        }
        self.spent.set(spent);
        Ok(())
    }

    fn with<T>(
        &self,
        name: &'static str,
        work: impl FnOnce(&mut Open<'tx>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let mut tables = self.tables.borrow_mut();
        let result = match tables.entry(name) {
            Entry::Occupied(open) => work(open.into_mut()),
            Entry::Vacant(slot) => match self.transaction.open_table(Raw::new(name)) {
                Ok(table) => work(slot.insert(table)),
                Err(error) => Err(error.into()),
            },
        };
        drop(tables);
        self.note(result)
    }

    fn note<T>(&self, result: Result<T, Error>) -> Result<T, Error> {
        if let Err(error) = &result
            && error.needs_reopen()
        {
            self.failure
                .borrow_mut()
                .get_or_insert_with(|| error.clone());
        }
        result
    }

    /// A closure begins: whether anything was written is asked of it alone.
    pub(crate) fn begin_closure(&self) {
        self.wrote.set(false);
    }

    pub(crate) fn closure_wrote(&self) -> bool {
        self.wrote.get()
    }

    pub(crate) fn spent(&self) -> u64 {
        self.spent.get()
    }

    /// Ends the group; the failure of the file, if there was one.
    pub(crate) fn finish(self) -> Result<(), Error> {
        match self.failure.into_inner() {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }
}

/// Entries of a table in order of their keys, inside a write transaction.
pub struct TxEntries<'a, 'tx, K, V> {
    tx: &'a Tx<'tx>,
    table: &'static str,
    bounds: Bounds,
    /// Fetched, nearest last, from the front.
    ahead: Vec<(Vec<u8>, Vec<u8>)>,
    /// Fetched, nearest last, from the back.
    behind: Vec<(Vec<u8>, Vec<u8>)>,
    types: std::marker::PhantomData<fn() -> (K, V)>,
}

impl<K: Key, V: Record> TxEntries<'_, '_, K, V> {
    fn fetch(&mut self, from_back: bool) -> Result<(), Error> {
        if scan::is_empty(&self.bounds) {
            return Ok(());
        }
        let bounds = &self.bounds;
        let mut chunk = self.tx.with(self.table, |raw| {
            let mut range = raw.range::<&[u8]>(scan::as_slices(bounds))?;
            let mut chunk = Vec::new();
            while chunk.len() < SCAN_CHUNK {
                let entry = match from_back {
                    true => range.next_back(),
                    false => range.next(),
                };
                let Some(entry) = entry else { break };
                let (key, value) = entry?;
                chunk.push((key.value().to_vec(), value.value().to_vec()));
            }
            Ok(chunk)
        })?;
        if let Some((last, _)) = chunk.last() {
            let bound = Bound::Excluded(last.clone());
            match from_back {
                true => self.bounds.1 = bound,
                false => self.bounds.0 = bound,
            }
        }
        chunk.reverse();
        match from_back {
            true => self.behind = chunk,
            false => self.ahead = chunk,
        }
        Ok(())
    }

    fn step(&mut self, from_back: bool) -> Option<Result<(K, V), Error>> {
        let mine = |scan: &Self| match from_back {
            true => scan.behind.is_empty(),
            false => scan.ahead.is_empty(),
        };
        if mine(self)
            && let Err(error) = self.fetch(from_back)
        {
            return Some(Err(error));
        }
        let (own, other) = match from_back {
            true => (&mut self.behind, &mut self.ahead),
            false => (&mut self.ahead, &mut self.behind),
        };
        // When nothing lies between any more, the rest is what the other end has fetched.
        let (key, value) = match own.pop() {
            Some(entry) => entry,
            None if other.is_empty() => return None,
            None => other.remove(0),
        };
        Some(Table::<K, V>::entry(self.table, &key, &value))
    }
}

impl<K: Key, V: Record> Iterator for TxEntries<'_, '_, K, V> {
    type Item = Result<(K, V), Error>;
    fn next(&mut self) -> Option<Self::Item> {
        self.step(false)
    }
}

impl<K: Key, V: Record> DoubleEndedIterator for TxEntries<'_, '_, K, V> {
    fn next_back(&mut self) -> Option<Self::Item> {
        self.step(true)
    }
}
