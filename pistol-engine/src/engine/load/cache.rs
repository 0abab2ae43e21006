//! Whether a document's snapshot is what this node wrote.

use std::sync::Arc;

use pistol_core::document::Opened;
use pistol_core::genesis::Genesis;
use pistol_core::key::Verifier;
use pistol_core::stamp::StampKey;
use pistol_core::store::schema::LogNumber;
use pistol_core::store::{Batch, Store, StoreError, Table};

use super::under_way::{Load, Next};
use crate::limits;
use crate::other_log::catalog_for;

/// What was found of a snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CacheState {
    /// There is none, or its rows are damaged: nothing can be said of it, and nothing is opened from it.
    Absent,
    /// It is what was written, and speaks of the rows that are there.
    Good,
    /// It is of no use: this removal makes room, and the document is opened from its rows.
    Damaged(Batch),
}

/// Checks the snapshot of a log: its stamp, and that a document of its rows shows it.
///
/// # Errors
/// [`StoreError`] other than damage, which is what is looked for.
pub fn inspect_cache(
    store: &impl Store,
    log: LogNumber,
    genesis: &Arc<Genesis>,
    key: &StampKey,
) -> Result<CacheState, StoreError> {
    let mut damaged = Batch::default();
    damaged.remove(Table::Snapshots, log.key());
    match store.read(Table::Snapshots, &log.key()) {
        Ok(None) => return Ok(CacheState::Absent),
        Ok(Some(_)) => {}
        Err(StoreError::Damaged { .. } | StoreError::DamagedRow { .. }) => return Ok(CacheState::Damaged(damaged)),
        Err(error) => return Err(error),
    }
    let Some(mut load) = Load::new(Arc::clone(genesis)) else { return Ok(CacheState::Absent) };
    match opened(store, log, key, &mut load) {
        Ok(true) if load.pictured > 1 || load.is_picture_out_of_date => Ok(CacheState::Good),
        Ok(true) => Ok(CacheState::Damaged(damaged)),
        Ok(false) | Err(StoreError::Damaged { .. } | StoreError::DamagedRow { .. }) => Ok(CacheState::Absent),
        Err(error) => Err(error),
    }
}

/// Opens a document as a node does; `false` if its rows are not right.
fn opened(store: &impl Store, log: LogNumber, key: &StampKey, load: &mut Load) -> Result<bool, StoreError> {
    let mut verifier = Verifier::default();
    let catalog = catalog_for(store, log)?;
    while let Some((table, (from, to))) = load.wants(log) {
        let rows = store.range(table, &from, &to, limits::READ_BYTES)?;
        let is_right = match load.take(&rows, key, &mut verifier, &catalog) {
            Ok(Next::RowsAndPicture(save)) => load.take_picture(Opened::load(&save)).is_ok(),
            taken => taken.is_ok(),
        };
        if !is_right {
            return Ok(false);
        }
    }
    Ok(load.show_members().is_ok())
}
