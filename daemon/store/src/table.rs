//! A table's name and the types of its keys and values.

use std::marker::PhantomData;

use crate::error::{Corrupt, Error};
use crate::{Key, Record};

/// Keys longer than this are refused: a key is copied into branch pages.
pub(crate) const MAX_KEY_BYTES: usize = 2048;
/// Values longer than this are refused; larger things are blobs, not records.
pub(crate) const MAX_VALUE_BYTES: usize = 64 << 20;

/// A table. Name it once, as a constant; the name is the file's, the types are ours: redb sees
/// bytes on both sides, so that a changed type never keeps a file from opening.
pub struct Table<K, V> {
    name: &'static str,
    types: PhantomData<fn() -> (K, V)>,
}

impl<K, V> Table<K, V> {
    /// The table called `name`.
    pub const fn new(name: &'static str) -> Self {
        Self {
            name,
            types: PhantomData,
        }
    }

    /// Its name in the file.
    pub const fn name(&self) -> &'static str {
        self.name
    }
}

impl<K: Key, V: Record> Table<K, V> {
    pub(crate) fn value(&self, bytes: &[u8]) -> Result<V, Error> {
        V::decode(bytes).map_err(|Corrupt(detail)| Error::corrupt(self.name, detail))
    }

    pub(crate) fn entry(name: &str, key: &[u8], value: &[u8]) -> Result<(K, V), Error> {
        let mut rest = key;
        let key = K::read(&mut rest)
            .filter(|_| rest.is_empty())
            .ok_or_else(|| Error::corrupt(name, "a key that is not of the table's type"))?;
        let value = V::decode(value).map_err(|Corrupt(detail)| Error::corrupt(name, detail))?;
        Ok((key, value))
    }
}

/// The table as redb sees it.
pub(crate) type Raw<'name> = redb::TableDefinition<'name, &'static [u8], &'static [u8]>;
