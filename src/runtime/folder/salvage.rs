//! Opening a store whose file is damaged: what can be read goes into a new one, so that the documents that are whole go on.

use std::path::Path;

use pistol_core::store::redb::{RedbOptions, RedbStore, Salvaged, salvage};
use pistol_core::store::{StoreError, Table, schema};

use super::{FolderError, Random, first_rows};

/// Opens a store; one that is damaged is saved into a new file first, and the damaged one is kept. Says what was wrong.
pub(super) fn open(path: &Path, random: Random) -> Result<(RedbStore, Option<String>), FolderError> {
    let options = RedbOptions::default();
    let error = match RedbStore::open(path, options) {
        Err(error @ (StoreError::Damaged { .. } | StoreError::DamagedRow { .. })) => error,
        opened => return Ok((opened?, None)),
    };
    let salvaged = match salvage(path, options, &first_rows(random)?, is_wanted) {
        // Where nothing can be read, what was found first says more than what was found after it.
        Err(StoreError::Damaged { .. } | StoreError::DamagedRow { .. }) => return Err(error.into()),
        salvaged => salvaged?,
    };
    Ok((RedbStore::open(path, options)?, Some(in_words(&salvaged))))
}

/// Saves what can be read of a damaged store into a new file, and opens that. Says what was wrong.
pub(crate) fn salvaged(path: &Path) -> Result<(RedbStore, String), FolderError> {
    let options = RedbOptions::default();
    let salvaged = salvage(path, options, &first_rows(&mut super::system_random)?, is_wanted)?;
    Ok((RedbStore::open(path, options)?, in_words(&salvaged)))
}

/// A new store has a format of its own. Without a fence its sessions begin anew, as those of a restored backup do: it may
/// have forgotten changes that left the node.
fn is_wanted(table: Table, key: &[u8]) -> bool {
    table != Table::Sessions && !(table == Table::Meta && [schema::FORMAT_KEY, schema::FENCE_KEY].contains(&key))
}

fn in_words(salvaged: &Salvaged) -> String {
    let Salvaged { rows, lost, unreadable, kept } = salvaged;
    let mut words = format!(
        "the file of the store was damaged: {rows} rows were saved into a new one, {} could not be read; the damaged file is \
         kept as {}",
        lost.len(),
        kept.display()
    );
    if !unreadable.is_empty() {
        let tables: Vec<String> = unreadable.iter().map(|table| format!("{table:?}")).collect();
        words = format!("{words}; parts of the tables {} could not be read at all", tables.join(", "));
    }
    words
}
