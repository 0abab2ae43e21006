//! A store that keeps bytes in redb and does nothing else: each commit synced, in two phases, with quick repair, as
//! Pistol's are.

use std::path::Path;

use redb::{Database, Durability, TableDefinition};

use crate::Outcome;

const TABLE: TableDefinition<'static, &[u8], &[u8]> = TableDefinition::new("changes");

/// An open file.
pub(crate) struct RawRedb {
    database: Database,
    next: u64,
}

impl RawRedb {
    pub(crate) fn create(path: &Path) -> Outcome<RawRedb> {
        let database = Database::builder().set_cache_size(32 << 20).create(path)?;
        Ok(RawRedb { database, next: 0 })
    }

    /// Makes rows durable in one commit, after those that are there.
    pub(crate) fn commit<'a>(&mut self, values: impl Iterator<Item = &'a [u8]>) -> Outcome<()> {
        let mut transaction = self.database.begin_write()?;
        transaction.set_durability(Durability::Immediate)?;
        transaction.set_two_phase_commit(true);
        transaction.set_quick_repair(true);
        {
            let mut table = transaction.open_table(TABLE)?;
            for value in values {
                table.insert(self.next.to_be_bytes().as_slice(), value)?;
                self.next += 1;
            }
        }
        Ok(transaction.commit()?)
    }
}
