//! When a picture of a document is saved, so that it opens without projecting all its changes again.
//!
//! A picture is taken when a document's changes are sealed, saved outside the document's lock, and stored by a later commit.
//! So a stored snapshot never speaks of a change that the store does not hold.

use pistol_core::document::Picture;
use pistol_core::id::DocumentId;
use pistol_core::stamp::StampKey;
use pistol_core::store::schema::{LogNumber, Snapshot};
use pistol_core::store::{Table, Write};
use pistol_core::validate::Ordinal;

use super::Replica;
use crate::input::Now;
use crate::limits;

/// What is written of a document to open it fast.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Written {
    /// Changes after which a snapshot is worth its cost.
    every: u32,
    /// The number after the last change of the last snapshot.
    end: Ordinal,
    /// A picture is being saved.
    is_saving: bool,
    /// Nothing more is to be written for a while.
    is_at_rest: bool,
}

/// A picture that is to be saved: work of some milliseconds for each 10,000 changes, which no document waits for.
#[derive(Clone, Debug)]
pub struct Saving {
    document: DocumentId,
    log: LogNumber,
    key: StampKey,
    picture: Picture,
    /// The number after the last change that was known when it was taken.
    end: Ordinal,
}

impl Saving {
    /// Of this document.
    pub fn document(&self) -> DocumentId {
        self.document
    }

    /// Saves it; `None` if Automerge fails.
    pub fn save(&self) -> Option<Saved> {
        let (end, heads) = (self.end, self.picture.heads().to_vec());
        let value = Snapshot { end, heads, save: self.picture.save()? }.to_value(&self.document, &self.key);
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
    /// A snapshot is there of the changes before `end`; of none if that is 1.
    pub(crate) fn up_to(every: u32, end: Ordinal) -> Self {
        Written { every, end, is_saving: false, is_at_rest: false }
    }

    /// Something that the last snapshot shows counts no more, or the other way round: it is renewed soon.
    pub(super) fn is_stale(&mut self) {
        self.end = 1;
    }

    /// The number after the last change that the last snapshot speaks of.
    pub(super) fn end(&self) -> Ordinal {
        self.end
    }

    fn is_due(&self, next: Ordinal) -> bool {
        let new = next.saturating_sub(self.end);
        let is_due_at_rest = new >= (self.every / limits::REST_PART).max(self.end / limits::REST_SHARE).max(1);
        !self.is_saving && (new >= self.least() || self.is_at_rest && is_due_at_rest)
    }

    /// Whether a due snapshot is to wait until nobody edits, for taking it would keep them waiting.
    fn is_patient(&self, next: Ordinal) -> bool {
        let is_late = next.saturating_sub(self.end) >= self.least().saturating_mul(2);
        !self.is_at_rest && !is_late && next > limits::CALM_CHANGES
    }

    /// New changes after which a snapshot is due.
    fn least(&self) -> u32 {
        self.every.max(self.end / limits::SNAPSHOT_SHARE)
    }
}

impl Replica {
    /// Whether so much was accepted since the last snapshot that the next one is worth its cost.
    pub(crate) fn is_snapshot_due(&self) -> bool {
        // The one of before the damage may be all that is left of what was lost.
        let is_damaged = self.state.damage.is_some_and(|damage| !damage.is_accepted);
        !is_damaged && self.written.is_due(self.history().next())
    }

    /// Nothing more is to be written for a while. Returns whether a snapshot is due for that reason.
    pub(crate) fn rest(&mut self) -> bool {
        self.written.is_at_rest = true;
        let is_due = self.is_snapshot_due();
        self.written.is_at_rest = is_due;
        is_due
    }

    /// Whether a picture is being saved.
    pub(crate) fn is_saving(&self) -> bool {
        self.written.is_saving
    }

    /// When a snapshot that is due is to be taken: a large document's when nobody has edited it for a moment.
    pub(crate) fn snapshot_at_ms(&self) -> Option<u64> {
        let is_patient = self.written.is_patient(self.history().next());
        self.is_snapshot_due().then(|| if is_patient { self.edited_ms.saturating_add(limits::CALM_MS) } else { 0 })
    }

    /// Takes a picture, if one is due and nothing accepted is still to be shown.
    pub(super) fn picture_if_due(&mut self, now: Now) -> Option<Saving> {
        let is_due = self.snapshot_at_ms().is_some_and(|at| at <= now.steady_ms);
        self.written.is_at_rest = false;
        let picture = if is_due { self.document.picture() } else { None }?;
        self.written.is_saving = true;
        let (document, end) = (self.id(), self.history().next());
        Some(Saving { document, log: self.log, key: self.key.stamp_key(), picture, end })
    }

    /// A picture was saved, or could not be: then it is tried again when as much is new.
    pub(crate) fn saved(&mut self, saved: Option<&Saved>) {
        self.written.is_saving = false;
        self.written.end = saved.map_or(self.history().next(), |saved| saved.end);
    }
}
