//! Giving room in the file back to the system: all rows are written into a new file, which then takes the old one's place.
//!
//! redb would move its pages within the file. But when a sync fails meanwhile, and the power goes later, a store is lost with
//! it: power cuts by number found that (`pistol-bench -- store --case crashes`). A new file puts nothing at risk, so there
//! redb may do it: what fails leaves a file without a name.

use std::path::Path;

use redb::Database;

use super::copy::copy_rows;
use super::create::fill_beside;
use super::failure::{contained, from_redb};
use super::{Access, RedbOptions, RedbStore};
use crate::store::{Batch, StoreError, files};

/// Larger files are not compacted without being asked for: it might take seconds.
const FILE_BYTES_MAX: u64 = 64 << 20;
/// Less than this is not worth the commits that it takes, whatever part of the file it is.
const FREE_BYTES: u64 = 112 << 10;
/// Envelopes in packs take less by about this part, of what people type.
const PACKED_GAIN: u64 = 4;

/// Makes the file of a store that nobody has open as small as what it holds. A crash leaves the old file or the new one.
///
/// # Errors
/// [`StoreError`]; the old file is then as it was. [`StoreError::Damaged`] if rows of it cannot be read.
pub fn compact(path: &Path, options: RedbOptions) -> Result<(), StoreError> {
    let store = RedbStore::open(path, options)?;
    let unnamed = fill_beside(path, options, &Batch::default())?;
    let copied = RedbStore::open(&unnamed, options).and_then(|to| store.copy_into(to));
    drop(store);
    let named = copied.and_then(|()| Ok(files::name(&unnamed, path)?));
    if named.is_err() {
        // It would take room for nothing.
        files::remove(&unnamed)?;
    }
    named
}

impl RedbStore {
    /// Whether it is worth the commits to compact its file, of so many bytes: this store was written to, more than a fifth of
    /// the file is free or will be when new envelopes are in packs, and it is small enough that nobody waits.
    ///
    /// # Errors
    /// As for a read.
    pub fn is_sparse(&self, file_bytes: u64) -> Result<bool, StoreError> {
        if !self.is_written || file_bytes > FILE_BYTES_MAX {
            return Ok(false);
        }
        let used_bytes = self.with_database(Access::Read, used_bytes)?;
        let gain = file_bytes.saturating_sub(used_bytes) + self.full_bytes / PACKED_GAIN;
        Ok(gain > FREE_BYTES.max(used_bytes / 4))
    }

    /// Lets redb move its pages to the beginning of the file, and cut off the end. Only for a file that has not got its name.
    pub(super) fn squeeze(&mut self) -> Result<(), StoreError> {
        let state = self.state.get_mut();
        let Some(mut database) = state.database.take() else { return Ok(()) };
        contained(|| database.compact().map_err(from_redb))?;
        state.database = Some(database);
        Ok(())
    }

    /// Writes all rows into another store, and closes it.
    ///
    /// # Errors
    /// [`StoreError`]; of kind `Damaged` if some of them cannot be read.
    pub fn copy_into(&self, mut to: RedbStore) -> Result<(), StoreError> {
        let copied = copy_rows(self, &mut to, &|_, _| true, |_, _| ())?;
        if copied.damaged.is_empty() && copied.unreadable.is_empty() {
            to.squeeze()?;
            return to.finish();
        }
        let reason = "rows of it cannot be read; run `pistol doctor --repair` first".to_owned();
        Err(StoreError::Damaged { reason })
    }
}

fn used_bytes(database: &Database) -> Result<u64, StoreError> {
    let transaction = database.begin_write().map_err(from_redb)?;
    let stats = transaction.stats().map_err(from_redb)?;
    transaction.abort().map_err(from_redb)?;
    Ok(stats.allocated_pages().saturating_mul(stats.page_size() as u64))
}
