//! When a document's history and a picture of it are written, so that it opens without reading all its changes again.
//!
//! The history goes first, a stretch with each commit, for it only grows: none is ever written twice. When it is written
//! as far as the document goes, a picture is taken, which is saved outside the document's lock and stored by a later
//! commit. So a stored snapshot never speaks of a change or a stretch that the store does not hold.

use pistol_core::document::Picture;
use pistol_core::id::DocumentId;
use pistol_core::stamp::{Stamp, StampKey};
use pistol_core::store::schema::{self, LogNumber, SealedRow, Snapshot};
use pistol_core::store::{Table, Write};
use pistol_core::validate::Ordinal;

use super::Replica;
use super::publish::Sealed;
use super::rows::Rows;
use crate::limits;

/// What is written of a document to open it fast.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Written {
    /// Changes after which a snapshot is worth its cost.
    every: u32,
    /// The number after the last change of the last snapshot.
    end: Ordinal,
    /// The number after the last change in a stretch.
    index_end: Ordinal,
    /// The stamp of the last stretch.
    stretch: Stamp,
    /// A picture is being saved.
    is_saving: bool,
}

/// A picture that is to be saved: work of some milliseconds for each 10,000 changes, which no document waits for.
#[derive(Clone, Debug)]
pub struct Saving {
    document: DocumentId,
    log: LogNumber,
    key: StampKey,
    picture: Picture,
    stretch: Stamp,
    rows: Vec<SealedRow>,
}

impl Saving {
    /// Of this document.
    pub fn document(&self) -> DocumentId {
        self.document
    }

    /// Saves it; `None` if Automerge fails.
    pub fn save(&self) -> Option<Saved> {
        let (end, heads) = (self.picture.end(), self.picture.heads().to_vec());
        let (stretch, rows, save) = (self.stretch, self.rows.clone(), self.picture.save()?);
        let value = Snapshot { end, heads, stretch, rows, save }.to_value(&self.document, &self.key);
        Some(Saved { end, write: Write { table: Table::Snapshots, key: self.log.key(), value: Some(value) } })
    }
}

/// A saved picture, to be stored.
#[derive(Clone, Debug)]
pub struct Saved {
    pub(crate) end: Ordinal,
    pub(crate) write: Write,
}

impl Written {
    /// Nothing is written.
    pub(crate) fn nothing(every: u32) -> Self {
        Written { every, end: 1, index_end: 1, stretch: Stamp::default(), is_saving: false }
    }

    /// A snapshot is there.
    pub(crate) fn up_to(every: u32, snapshot: &Snapshot) -> Self {
        let (end, stretch) = (snapshot.end, snapshot.stretch);
        Written { every, end, index_end: end, stretch, is_saving: false }
    }

    pub(super) fn is_saving(&self) -> bool {
        self.is_saving
    }

    /// The picture speaks of rows that are written anew; the stretches are right as they are.
    pub(crate) fn without_picture(before: &Written) -> Self {
        Written { end: 1, ..*before }
    }

    fn is_due(&self, next: Ordinal) -> bool {
        let new = next.saturating_sub(self.end);
        !self.is_saving && new >= self.every.max(self.end / limits::SNAPSHOT_SHARE)
    }
}

impl Replica {
    /// Whether so much was accepted since the last snapshot that the next one is worth its cost.
    pub(crate) fn is_snapshot_due(&self) -> bool {
        self.written.is_due(self.document.history().next())
    }

    /// Writes the next stretch and, if that was the last, takes a picture.
    pub(super) fn write_snapshot(&mut self, sealed: &mut Sealed) {
        if !self.is_snapshot_due() {
            return;
        }
        let history = self.document.history();
        if self.written.index_end < history.next() {
            let changes_most = usize::try_from(self.written.every).unwrap_or(usize::MAX).saturating_mul(4);
            let stretch = history.stretch(self.written.index_end, changes_most);
            let (document, before) = (self.id(), self.written.stretch);
            let (stamp, value) = schema::stretch_value(&stretch.bytes, &before, &document, &self.key.stamp_key());
            let key = schema::envelope_key(self.log, stretch.first);
            sealed.writes.push(Write { table: Table::Index, key, value: Some(value) });
            (self.written.index_end, self.written.stretch) = (stretch.end, stamp);
        }
        if self.written.index_end < self.document.history().next() {
            return sealed.goes_on = true;
        }
        let Some(picture) = self.document.picture() else { return };
        let mut rows = self.rows.clone();
        sealed.apply_rows(&mut rows);
        sealed.saving = Some(self.saving(picture, &rows));
        self.written.is_saving = true;
    }

    fn saving(&self, picture: Picture, rows: &Rows) -> Saving {
        let (document, log, stretch) = (self.id(), self.log, self.written.stretch);
        // Only sealed rows never change, so it speaks of no others.
        Saving { document, log, key: self.key.stamp_key(), picture, stretch, rows: rows.sealed() }
    }

    /// A picture was saved, or could not be: then it is tried again when as much is new.
    pub(crate) fn saved(&mut self, saved: Option<&Saved>) {
        self.written.is_saving = false;
        self.written.end = saved.map_or(self.document.history().next(), |saved| saved.end);
    }
}
