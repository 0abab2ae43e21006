//! Opening a document from its snapshot: the history from its stretches, the projection from its picture. Whatever is
//! wrong with them costs time only: then the document is opened from its rows alone, and the snapshot made again.

use std::collections::BTreeSet;
use std::sync::Arc;

use pistol_core::document::Document;
use pistol_core::genesis::Genesis;
use pistol_core::key::AuthorId;
use pistol_core::stamp::{Stamp, StampKey};
use pistol_core::store::schema::{self, Snapshot};
use pistol_core::store::{Row, Table};
use pistol_core::validate::{History, Ordinal, Restoring};

use crate::replica::{Rows, StoredRow};

/// A snapshot of which the stretches are being read.
#[derive(Debug)]
pub(super) struct Restore {
    snapshot: Snapshot,
    restoring: Restoring,
    stretch: Stamp,
}

/// The snapshot cannot be used.
pub(super) struct Unusable;

/// What a snapshot gave.
pub(super) struct Restored {
    pub(super) document: Document,
    pub(super) rows: Rows,
    pub(super) forks: BTreeSet<AuthorId>,
    pub(super) snapshot: Snapshot,
}

impl Restore {
    /// Begins with the snapshot's row, if there is one.
    pub(super) fn begin(rows: &[Row], genesis: &Arc<Genesis>, key: &StampKey) -> Result<Self, Unusable> {
        let (_, value) = rows.first().ok_or(Unusable)?;
        let snapshot = Snapshot::from_value(value, &genesis.id(), key).ok_or(Unusable)?;
        let restoring = Restoring::new(Arc::clone(genesis)).map_err(|_| Unusable)?;
        Ok(Restore { snapshot, restoring, stretch: Stamp::default() })
    }

    /// The number of the next change that a stretch must begin with; `None` if all are read.
    pub(super) fn wants(&self) -> Option<Ordinal> {
        Some(self.restoring.next()).filter(|next| *next < self.snapshot.end)
    }

    /// Takes rows of stretches in.
    pub(super) fn take(&mut self, rows: &[Row], document: &Genesis, key: &StampKey) -> Result<(), Unusable> {
        for (position, value) in rows {
            let (_, first) = schema::envelope_position(position).map_err(|_| Unusable)?;
            // What was written for a snapshot that did not come about may lie between.
            let Some(next) = self.wants().filter(|next| *next <= first) else { continue };
            let stretch = schema::stretch(value, &self.stretch, &document.id(), key).filter(|_| first == next);
            let (stamp, bytes) = stretch.ok_or(Unusable)?;
            self.restoring.read(bytes).map_err(|_| Unusable)?;
            self.stretch = stamp;
        }
        if rows.is_empty() { Err(Unusable) } else { Ok(()) }
    }

    /// Makes the document.
    pub(super) fn finish(self) -> Result<Restored, Unusable> {
        let Restore { snapshot, restoring, stretch } = self;
        if restoring.next() != snapshot.end || stretch != snapshot.stretch {
            return Err(Unusable);
        }
        let history = restoring.finish(&snapshot.heads).map_err(|_| Unusable)?;
        let forks = forks(&history);
        let document = Document::open_picture(history, &snapshot.save).ok_or(Unusable)?;
        let mut rows = Rows::default();
        for row in &snapshot.rows {
            let stored = StoredRow { count: row.count, table: Table::Envelopes, digest: row.digest };
            rows.set(rows.end(), Some(stored));
        }
        let snapshot = Snapshot { save: Vec::new(), ..snapshot };
        Ok(Restored { document, rows, forks, snapshot })
    }
}

/// The authors whose sessions forked.
fn forks(history: &History) -> BTreeSet<AuthorId> {
    let chains = history.branches().iter().filter_map(pistol_core::validate::Branch::chain);
    chains.filter(|chain| history.branches_of(chain).len() > 1).map(|chain| chain.author).collect()
}
