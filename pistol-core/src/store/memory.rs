//! A store in memory: for the simulator, for tests, and for nodes that keep nothing.

use std::collections::BTreeMap;

use super::{Batch, Row, Store, StoreError, Table};

/// A store in memory. A commit is atomic and cannot be torn, so a clone is what a disk would hold after a power cut.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MemoryStore {
    tables: BTreeMap<Table, BTreeMap<Vec<u8>, Vec<u8>>>,
}

impl MemoryStore {
    /// Makes an empty store.
    pub fn new() -> MemoryStore {
        MemoryStore::default()
    }
}

impl Store for MemoryStore {
    fn commit(&mut self, batch: &Batch) -> Result<(), StoreError> {
        for write in &batch.writes {
            let table = self.tables.entry(write.table).or_default();
            match &write.value {
                Some(value) => table.insert(write.key.clone(), value.clone()),
                None => table.remove(&write.key),
            };
        }
        // Two stores with the same rows are equal, whatever was written and removed on the way.
        self.tables.retain(|_, rows| !rows.is_empty());
        Ok(())
    }

    fn read(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.tables.get(&table).and_then(|rows| rows.get(key)).cloned())
    }

    fn frozen(&self) -> Result<super::Frozen, StoreError> {
        Ok(Box::new(self.clone()))
    }

    fn range(&self, table: Table, from: &[u8], to: &[u8], bytes_max: usize) -> Result<Vec<Row>, StoreError> {
        let Some(rows) = self.tables.get(&table).filter(|_| from < to) else {
            return Ok(Vec::new());
        };
        let mut page = super::Page::new(bytes_max);
        for (key, value) in rows.range::<[u8], _>((std::ops::Bound::Included(from), std::ops::Bound::Excluded(to))) {
            if !page.push(key, value) {
                break;
            }
        }
        Ok(page.into_rows())
    }
}

#[cfg(test)]
mod tests {
    use super::MemoryStore;
    use crate::store::{Batch, Store, Table, conformance};

    #[test]
    fn the_memory_store_keeps_the_contract_of_a_store() {
        conformance::check(&mut || Box::new(MemoryStore::new()));
    }

    #[test]
    fn a_clone_is_a_snapshot_that_later_commits_leave_alone() {
        let mut store = MemoryStore::new();
        let snapshot = store.clone();
        let mut batch = Batch::default();
        batch.put(Table::Names, b"notes", b"1");
        store.commit(&batch).unwrap();
        assert_eq!(snapshot.read(Table::Names, b"notes").unwrap(), None);
        let mut undo = Batch::default();
        undo.remove(Table::Names, b"notes");
        store.commit(&undo).unwrap();
        assert_eq!(store, snapshot);
    }
}
