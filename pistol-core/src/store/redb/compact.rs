//! Giving room in the file back to the system.

use super::failure::{contained, from_redb};
use super::{RedbStore, close, open_database};
use crate::store::StoreError;

impl RedbStore {
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
