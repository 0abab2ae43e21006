//! Whether a document's snapshot is what this node wrote.

use std::sync::Arc;

use pistol_core::document::Opened;
use pistol_core::genesis::Genesis;
use pistol_core::id::DocumentId;
use pistol_core::key::Verifier;
use pistol_core::stamp::StampKey;
use pistol_core::store::scan::scan;
use pistol_core::store::schema::{self, LogNumber};
use pistol_core::store::{Batch, Row, Store, StoreError, Table};

use super::restore::{Restore, Restored, Unusable};
use crate::replica::Rows;

/// What was found of a snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CacheState {
    /// There is none; the document is opened from its rows.
    Absent,
    /// It is what was written, and speaks of the rows that are there.
    Good,
    /// It is what was written, and rows that it speaks of are damaged or lost: it is all that is left of them.
    Alone,
    /// It is of no use: these removals make room, and the document is opened from its rows.
    Damaged(Batch),
}

/// Checks the snapshot of a log: its stamps, that it makes the document, and that its rows are in the store.
///
/// # Errors
/// [`StoreError`] other than damage, which is what is looked for.
pub fn inspect_cache(
    store: &impl Store,
    log: LogNumber,
    genesis: &Arc<Genesis>,
    key: &StampKey,
) -> Result<CacheState, StoreError> {
    let snapshots = read(store, Table::Snapshots, log.range())?;
    let stretches = read(store, Table::Index, schema::envelopes_from(log, 0))?;
    if snapshots.is_absent() {
        return Ok(CacheState::Absent);
    }
    let restored = || {
        let (mut restore, save) = Restore::begin(&snapshots.rows, genesis, key)?;
        restore.picture(Opened::load(&save).ok_or(Unusable)?);
        if restore.wants().is_some() {
            restore.take(&stretches.rows, genesis, key)?;
        }
        restore.finish()
    };
    if let Ok(Restored { rows, .. }) = restored() {
        let Some(stored) = stored(store, log, genesis.id(), &rows)? else { return Ok(CacheState::Alone) };
        if stored {
            return Ok(CacheState::Good);
        }
    }
    let mut batch = Batch::default();
    batch.remove(Table::Snapshots, log.key());
    for key in stretches.rows.into_iter().map(|(key, _)| key).chain(stretches.damaged) {
        batch.remove(Table::Index, key);
    }
    Ok(CacheState::Damaged(batch))
}

struct Read {
    rows: Vec<Row>,
    damaged: Vec<Vec<u8>>,
    has_holes: bool,
}

impl Read {
    fn is_absent(&self) -> bool {
        self.rows.is_empty() && self.damaged.is_empty() && !self.has_holes
    }
}

fn read(store: &impl Store, table: Table, (from, to): (Vec<u8>, Vec<u8>)) -> Result<Read, StoreError> {
    let mut rows = Vec::new();
    let found = scan(store, table, (&from, &to), &mut |read| {
        rows.extend(read);
        Ok(())
    })?;
    Ok(Read { rows, damaged: found.damaged, has_holes: found.has_holes })
}

/// Whether each row that the snapshot speaks of is in the store, as it was; none if one is damaged or lost.
fn stored(store: &impl Store, log: LogNumber, document: DocumentId, rows: &Rows) -> Result<Option<bool>, StoreError> {
    let mut verifier = Verifier::default();
    let mut are_same = true;
    for (first, row) in rows.iter() {
        let value = match store.read(Table::Envelopes, &schema::envelope_key(log, first)) {
            Err(StoreError::Damaged { .. } | StoreError::DamagedRow { .. }) => None,
            read => read?,
        };
        let is_same = value.as_ref().is_some_and(|value| schema::row_digest(value) == row.digest);
        if !is_same && value.is_none_or(|value| super::verified(document, &value, &mut verifier).is_err()) {
            return Ok(None);
        }
        are_same &= is_same;
    }
    Ok(Some(are_same))
}
