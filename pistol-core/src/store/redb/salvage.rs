//! Saving what can be read of a damaged file into a new one. A damaged file is not written to: its own account of which
//! pages are free may be wrong.

use std::path::{Path, PathBuf};

use super::copy::{Copied, copy_rows};
use super::create::fill_beside;
use super::{RedbOptions, RedbStore};
use crate::store::{Batch, Store, StoreError, Table, files, schema};

/// What was saved of a damaged file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Salvaged {
    /// Rows in the new file.
    pub rows: u64,
    /// Rows that were found and are not what was written there.
    pub lost: Vec<(Table, Vec<u8>)>,
    /// Tables of which a part could not be read at all.
    pub unreadable: Vec<Table>,
    /// Where the damaged file lies now.
    pub kept: PathBuf,
}

/// Makes a new store of what can be read of the damaged one at `path`, and puts it in its place; the damaged file is kept
/// beside it. Rows of `first` are written first: those that are read take their place. Rows that `is_wanted` refuses stay
/// behind.
///
/// # Errors
/// [`StoreError`] if nothing of the file can be read or the new one cannot be written; then all is as before.
pub fn salvage(
    path: &Path,
    options: RedbOptions,
    first: &Batch,
    is_wanted: impl Fn(Table, &[u8]) -> bool,
) -> Result<Salvaged, StoreError> {
    let unchecked = RedbOptions { checked_bytes_max: 0, ..options };
    let damaged = RedbStore::open_unwritten(path, unchecked)?;
    let kept = files::unused(|number| {
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".damaged-{number}"));
        name.into()
    })?;
    let unnamed = fill_beside(path, options, first)?;
    let saved = save(&damaged, &unnamed, unchecked, &is_wanted).and_then(|copied| {
        if copied.rows == 0 {
            return Err(StoreError::Damaged { reason: "nothing of it can be read".to_owned() });
        }
        files::link(path, &kept)?;
        files::name(&unnamed, path)?;
        Ok(Salvaged { rows: copied.rows, lost: copied.damaged, unreadable: copied.unreadable, kept })
    });
    if saved.is_err() {
        // It would take room for nothing.
        files::remove(&unnamed)?;
    }
    saved
}

fn save(
    damaged: &RedbStore,
    unnamed: &Path,
    options: RedbOptions,
    is_wanted: &impl Fn(Table, &[u8]) -> bool,
) -> Result<Copied, StoreError> {
    let mut store = RedbStore::open(unnamed, options)?;
    let mut next_log = 0;
    let copied = copy_rows(damaged, &mut store, is_wanted, |table, key| {
        next_log = next_log.max(log_of(table, key).map_or(0, |log| log.saturating_add(1)));
    })?;
    let mut batch = Batch::default();
    batch.put(Table::Meta, schema::NEXT_LOG_KEY, schema::next_log_value(next_log));
    store.commit(&batch)?;
    Ok(copied)
}

/// The number of the log that a row is of.
fn log_of(table: Table, key: &[u8]) -> Option<u32> {
    let is_of_log = matches!(table, Table::Logs | Table::Envelopes | Table::Tail | Table::Ends | Table::Operations);
    key.first_chunk().filter(|_| is_of_log).map(|log| u32::from_be_bytes(*log))
}
