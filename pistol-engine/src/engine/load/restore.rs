//! Opening a document from its snapshot: the history from its stretches, the projection from its picture, which another
//! thread loads meanwhile. Whatever is wrong with them costs time only: then the document is opened from its rows alone,
//! and the snapshot made again.

use std::collections::BTreeSet;
use std::sync::Arc;

use pistol_core::document::{Document, Opened};
use pistol_core::genesis::Genesis;
use pistol_core::key::AuthorId;
use pistol_core::stamp::{Stamp, StampKey};
use pistol_core::store::schema::{self, Snapshot};
use pistol_core::store::{Row, Table};
use pistol_core::validate::{History, Ordinal, Restoring};

use crate::replica::{Rows, StoredRow};

/// A snapshot of which the stretches are being read, and the picture is being loaded.
#[derive(Debug)]
pub(super) struct Restore {
    snapshot: Snapshot,
    /// While stretches are read.
    restoring: Option<Restoring>,
    /// When all are read.
    history: Option<History>,
    stretch: Stamp,
    opened: Option<Opened>,
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
    /// Begins with the snapshot's row, if there is one. Returns also what is to be loaded.
    pub(super) fn begin(rows: &[Row], genesis: &Arc<Genesis>, key: &StampKey) -> Result<(Self, Vec<u8>), Unusable> {
        let (_, value) = rows.first().ok_or(Unusable)?;
        let mut snapshot = Snapshot::from_value(value, &genesis.id(), key).ok_or(Unusable)?;
        let save = std::mem::take(&mut snapshot.save);
        let restoring = Restoring::new(Arc::clone(genesis)).map_err(|_| Unusable)?;
        let (restoring, stretch) = (Some(restoring), Stamp::default());
        let mut restore = Restore { snapshot, restoring, history: None, stretch, opened: None };
        restore.end_history()?;
        Ok((restore, save))
    }

    /// The number of the next change that a stretch must begin with; `None` if all are read.
    pub(super) fn wants(&self) -> Option<Ordinal> {
        self.restoring.as_ref().map(Restoring::next)
    }

    /// Takes rows of stretches in.
    pub(super) fn take(&mut self, rows: &[Row], document: &Genesis, key: &StampKey) -> Result<(), Unusable> {
        for (position, value) in rows {
            let (_, first) = schema::envelope_position(position).map_err(|_| Unusable)?;
            let Some(restoring) = &mut self.restoring else { break };
            // What was written for a snapshot that did not come about may lie between.
            let next = restoring.next();
            if next > first {
                continue;
            }
            let stretch = schema::stretch(value, &self.stretch, &document.id(), key).filter(|_| first == next);
            let (stamp, bytes) = stretch.ok_or(Unusable)?;
            restoring.read(bytes).map_err(|_| Unusable)?;
            self.stretch = stamp;
            self.end_history()?;
        }
        if rows.is_empty() { Err(Unusable) } else { Ok(()) }
    }

    /// The history is whole when it has come as far as the snapshot goes.
    fn end_history(&mut self) -> Result<(), Unusable> {
        let end = self.snapshot.end;
        let Some(restoring) = self.restoring.take_if(|restoring| restoring.next() >= end) else { return Ok(()) };
        if restoring.next() != end || self.stretch != self.snapshot.stretch {
            return Err(Unusable);
        }
        self.history = Some(restoring.finish(&self.snapshot.heads).map_err(|_| Unusable)?);
        Ok(())
    }

    /// The picture is loaded.
    pub(super) fn picture(&mut self, opened: Opened) {
        self.opened = Some(opened);
    }

    /// Whether both are there.
    pub(super) fn is_whole(&self) -> bool {
        self.opened.is_some() && self.history.is_some()
    }

    /// Makes the document.
    pub(super) fn finish(self) -> Result<Restored, Unusable> {
        let Restore { snapshot, history, opened, .. } = self;
        let (history, opened) = history.zip(opened).ok_or(Unusable)?;
        let forks = forks(&history);
        let document = Document::open_picture(history, opened).ok_or(Unusable)?;
        let mut rows = Rows::default();
        for row in &snapshot.rows {
            let stored = StoredRow { count: row.count, table: Table::Envelopes, digest: row.digest };
            rows.set(rows.end(), Some(stored));
        }
        Ok(Restored { document, rows, forks, snapshot })
    }
}

/// The authors whose sessions forked.
fn forks(history: &History) -> BTreeSet<AuthorId> {
    let chains = history.branches().iter().filter_map(pistol_core::validate::Branch::chain);
    chains.filter(|chain| history.branches_of(chain).len() > 1).map(|chain| chain.author).collect()
}
