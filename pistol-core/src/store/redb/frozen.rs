//! A store as it was when a read of it began: redb keeps the pages of a read that goes on, whatever is committed meanwhile.

use redb::{Database, ReadTransaction};

use super::failure::contained;
use super::{begin, range, read};
use crate::store::{Batch, Frozen, Row, Store, StoreError, Table};

pub(super) struct FrozenRedb(std::sync::Arc<ReadTransaction>);

impl FrozenRedb {
    pub(super) fn of(database: &Database) -> Result<Self, StoreError> {
        Ok(FrozenRedb(std::sync::Arc::new(begin(database)?)))
    }
}

impl Store for FrozenRedb {
    fn commit(&mut self, _batch: &Batch) -> Result<(), StoreError> {
        Err(std::io::Error::from(std::io::ErrorKind::ReadOnlyFilesystem).into())
    }

    fn read(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        contained(|| read(&self.0, table, key))
    }

    fn frozen(&self) -> Result<Frozen, StoreError> {
        Ok(Box::new(FrozenRedb(std::sync::Arc::clone(&self.0))))
    }

    fn range(&self, table: Table, from: &[u8], to: &[u8], bytes_max: usize) -> Result<Vec<Row>, StoreError> {
        if from >= to {
            return Ok(Vec::new());
        }
        contained(|| range(&self.0, table, from, to, bytes_max))
    }
}
