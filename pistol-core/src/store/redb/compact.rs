//! Giving room in the file back to the system.

use redb::Database;

use super::failure::{contained, from_redb};
use super::{Access, RedbStore, close, open_database};
use crate::store::StoreError;

/// Larger files are not compacted without being asked for: it might take seconds.
const FILE_BYTES_MAX: u64 = 64 << 20;
/// What may be free besides a quarter of what is used: less is not worth the commits that it takes.
const FREE_BYTES: u64 = 128 << 10;

impl RedbStore {
    /// Makes the file, of so many bytes, as small as what it holds, if that is worth the commits: this store was written to,
    /// more than a fifth of the file is free, and it is small enough that nobody waits.
    ///
    /// # Errors
    /// As for a commit.
    pub fn compact_if_sparse(&mut self, file_bytes: u64) -> Result<(), StoreError> {
        if !self.is_written || file_bytes > FILE_BYTES_MAX {
            return Ok(());
        }
        let used_bytes = self.with_database(Access::Read, used_bytes)?;
        let is_sparse = file_bytes > used_bytes.saturating_add(used_bytes / 4).saturating_add(FREE_BYTES);
        if is_sparse { self.compact() } else { Ok(()) }
    }

    /// Makes the file as small as what it holds. Each step is a commit, so that a crash leaves the store whole.
    ///
    /// # Errors
    /// As for a commit.
    pub fn compact(&mut self) -> Result<(), StoreError> {
        let state = self.state.get_mut();
        let mut database = match state.database.take() {
            Some(database) if state.is_writable => database,
            unusable => {
                close(unusable);
                open_database(&self.opener, self.options, false)?
            }
        };
        state.is_writable = true;
        let compacted = contained(|| {
            // Each pass moves what it can; the last one finds nothing more.
            while database.compact().map_err(from_redb)? {}
            Ok(())
        });
        // Closed and opened again by whoever comes next, in whatever state it is.
        close(Some(database));
        compacted
    }
}

fn used_bytes(database: &Database) -> Result<u64, StoreError> {
    let transaction = database.begin_write().map_err(from_redb)?;
    let stats = transaction.stats().map_err(from_redb)?;
    transaction.abort().map_err(from_redb)?;
    Ok(stats.allocated_pages().saturating_mul(stats.page_size() as u64))
}
