//! A reader's view: everything as it was at one commit, however long the reader takes.

use std::ops::RangeBounds;
use std::sync::Arc;

use redb::{ReadOnlyTable, ReadTransaction, ReadableTableMetadata, TableError};

use crate::scan::{self, Bounds};
use crate::store::ReaderCount;
use crate::table::Raw;
use crate::{Error, Key, Record, Table, key};

/// The store as it was at one commit. Cheap to take, cheap to clone; drop it when the request is
/// answered. [`Error::Reopened`] means: the file had to be opened anew, take another one.
#[derive(Clone)]
pub struct Snapshot {
    transaction: Arc<ReadTransaction>,
    count: Arc<ReaderCount>,
}

impl Snapshot {
    pub(crate) fn new(transaction: ReadTransaction, count: Arc<ReaderCount>) -> Self {
        Self {
            transaction: Arc::new(transaction),
            count,
        }
    }

    /// A view of a database that no store has open.
    pub(crate) fn of(database: &redb::Database) -> Result<Self, Error> {
        let transaction = redb::ReadableDatabase::begin_read(database)?;
        Ok(Self::new(transaction, Arc::new(ReaderCount)))
    }

    /// The value under `key`.
    ///
    /// # Errors
    /// [`Error::Corrupt`], [`Error::Io`], [`Error::Reopened`].
    pub fn get<K: Key, V: Record>(&self, table: &Table<K, V>, key: &K) -> Result<Option<V>, Error> {
        let Some(raw) = self.open(table.name())? else {
            return Ok(None);
        };
        let found = raw.get(key::to_bytes(key).as_slice())?;
        found.map(|guard| table.value(guard.value())).transpose()
    }

    /// Whether there is a value under `key`, without decoding it.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Reopened`].
    pub fn contains<K: Key, V: Record>(&self, table: &Table<K, V>, key: &K) -> Result<bool, Error> {
        let Some(raw) = self.open(table.name())? else {
            return Ok(false);
        };
        Ok(raw.get(key::to_bytes(key).as_slice())?.is_some())
    }

    /// The entries whose keys lie in `range`, in order; from behind with `.rev()`.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Reopened`]; each entry [`Error::Corrupt`] besides.
    pub fn range<K: Key, V: Record>(
        &self,
        table: &Table<K, V>,
        range: impl RangeBounds<K>,
    ) -> Result<Entries<K, V>, Error> {
        self.scan(table, scan::of_range(&range))
    }

    /// The entries whose keys begin with `prefix`: the leading part of a tuple.
    ///
    /// # Errors
    /// As [`Self::range`].
    pub fn prefix<K: Key, V: Record>(
        &self,
        table: &Table<K, V>,
        prefix: &impl Key,
    ) -> Result<Entries<K, V>, Error> {
        self.scan(table, scan::of_prefix(prefix))
    }

    /// How many entries the table has.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Reopened`].
    pub fn len<K, V>(&self, table: &Table<K, V>) -> Result<u64, Error> {
        match self.open(table.name())? {
            Some(raw) => Ok(raw.len()?),
            None => Ok(0),
        }
    }

    /// Whether the table has no entry.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Reopened`].
    pub fn is_empty<K, V>(&self, table: &Table<K, V>) -> Result<bool, Error> {
        self.len(table).map(|len| len == 0)
    }

    fn scan<K: Key, V: Record>(
        &self,
        table: &Table<K, V>,
        bounds: Bounds,
    ) -> Result<Entries<K, V>, Error> {
        let range = match self.open(table.name())? {
            Some(raw) if !scan::is_empty(&bounds) => {
                Some(raw.range::<&[u8]>(scan::as_slices(&bounds))?)
            }
            _ => None,
        };
        Ok(Entries {
            table: table.name(),
            range,
            types: std::marker::PhantomData,
            _count: self.count.clone(),
        })
    }

    /// `None` when nothing was ever written to it.
    pub(crate) fn open(&self, name: &str) -> Result<Option<RawReader>, Error> {
        match self.transaction.open_table(Raw::new(name)) {
            Ok(table) => Ok(Some(table)),
            Err(TableError::TableDoesNotExist(_)) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Every table's name.
    pub(crate) fn tables(&self) -> Result<Vec<String>, Error> {
        let handles = self.transaction.list_tables()?;
        Ok(handles
            .map(|handle| redb::TableHandle::name(&handle).to_owned())
            .collect())
    }
}

/// A table as redb reads it.
type RawReader = ReadOnlyTable<&'static [u8], &'static [u8]>;

/// Entries of a table in order of their keys.
pub struct Entries<K, V> {
    table: &'static str,
    range: Option<redb::Range<'static, &'static [u8], &'static [u8]>>,
    types: std::marker::PhantomData<fn() -> (K, V)>,
    // Keeps an integrity check waiting until the reader is done.
    _count: Arc<ReaderCount>,
}

type RawEntry = Result<
    (
        redb::AccessGuard<'static, &'static [u8]>,
        redb::AccessGuard<'static, &'static [u8]>,
    ),
    redb::StorageError,
>;

impl<K: Key, V: Record> Entries<K, V> {
    fn decode(&self, entry: RawEntry) -> Result<(K, V), Error> {
        let (key, value) = entry?;
        Table::<K, V>::entry(self.table, key.value(), value.value())
    }
}

impl<K: Key, V: Record> Iterator for Entries<K, V> {
    type Item = Result<(K, V), Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let entry = self.range.as_mut()?.next()?;
        Some(self.decode(entry))
    }
}

impl<K: Key, V: Record> DoubleEndedIterator for Entries<K, V> {
    fn next_back(&mut self) -> Option<Self::Item> {
        let entry = self.range.as_mut()?.next_back()?;
        Some(self.decode(entry))
    }
}
