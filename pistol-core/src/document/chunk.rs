//! Many changes at once: an Automerge document in its column form, written from validated changes.
//!
//! The form is Automerge's document chunk, as <https://automerge.org/automerge-binary-format-spec/> describes it:
//! actors, heads, columns of changes, columns of operations, places of the heads. Operations stand in the order of the
//! document, not of the history: by object, in a map by key, in a sequence by element; what is deleted or replaced
//! names its successors, and a deletion is nothing else than to be one.
//!
//! To open such a chunk Automerge makes each change anew from the columns and compares the hashes of the heads with those
//! that were computed here from the changes themselves. So it refuses a chunk in which an operation is missing, wrong or
//! in another change. It does *not* notice rows in a wrong order, which would be a silent difference between replicas:
//! the tests compare whole chunks with what Automerge itself saves, byte for byte.
//!
//! Architecture Invariant: only chunks that this module wrote are opened, never one that came from elsewhere.

mod actors;
mod changes;
mod columns;
mod operations;
mod order;
mod value;

use automerge::{Automerge, ChangeHash};

use super::backlog::Backlog;
use super::hashes::Hashes;
use super::names::Names;
use super::{Document, apply};
use crate::validate::{Accepted, History, Ordinal};
use actors::Actors;
use changes::{Changes, Entry};
use columns::{Columns, Kind};
use operations::Operations;

/// From how many changes on a document is written as a chunk; fewer are applied as fast.
const CHANGES_LEAST: usize = 2_000;
/// Changes in a chunk at most; later ones are applied. While Automerge opens a chunk it takes a kilobyte for each change,
/// since it makes all of them anew, to hash them.
const CHANGES_MOST: usize = 175_000;

impl Document {
    /// Opens the document from a chunk, if nothing but the skeleton is projected yet and much waits; what is left in the
    /// backlog is then to be applied. Otherwise, and if Automerge does not take the chunk, nothing is changed.
    pub(super) fn project_in_bulk(&mut self, backlog: &mut Backlog) -> bool {
        let is_fresh = self.hashes.len() == 1;
        if backlog.len() < CHANGES_LEAST || !is_fresh || self.is_followed() {
            return false;
        }
        let rest = backlog.rest();
        let is_opened = self.open_chunk(backlog, CHANGES_MOST).is_some();
        if !is_opened {
            backlog.rewind(rest);
        }
        is_opened
    }

    /// Opens the first changes. The names are those of all changes, so that the others can be applied.
    fn open_chunk(&mut self, backlog: &mut Backlog, most: usize) -> Option<()> {
        let names = Names::of(&self.history);
        let chunk = Chunk::write(&self.history, &names, &backlog.take(&self.history, most))?;
        let automerge = apply::contained(|| Automerge::load(&chunk.bytes)).ok()?;
        (self.automerge, self.names, self.hashes) = (automerge, names, Hashes::new(chunk.hashes));
        Some(())
    }
}

/// A document in column form.
pub(super) struct Chunk {
    pub(super) bytes: Vec<u8>,
    /// The hash of each change, by ordinal; none for a skeleton without operations.
    pub(super) hashes: Vec<Option<ChangeHash>>,
}

impl Chunk {
    /// Writes the document that the skeleton and the first accepted changes make. `None` if some are missing.
    pub(super) fn write(history: &History, names: &Names, accepted: &[Accepted]) -> Option<Self> {
        let (actors, entries) = Actors::of(history, names, all(history, accepted)?)?;
        let operations = Operations::read(history, &entries)?;
        let changes = Changes::of(&actors, &entries, &operations)?;
        let mut content = Vec::new();
        actors.write(&mut content);
        changes.write_heads(&mut content);
        let change_columns = changes.columns(&entries)?;
        let mut operation_columns = Columns::default();
        operations.write_ordered(&mut operation_columns, &order::rows(&operations));
        change_columns.write_lengths(&mut content);
        operation_columns.write_lengths(&mut content);
        content.extend(change_columns.bytes());
        content.extend(operation_columns.bytes());
        changes.write_head_places(&mut content);
        let hashes = changes.into_hashes(entries.len() == accepted.len());
        Some(Chunk { bytes: columns::framed(Kind::Document, &content), hashes })
    }
}

/// The skeleton, if it has operations, and the accepted changes; these must be numbered from 1 on.
fn all<'a>(history: &'a History, accepted: &'a [Accepted]) -> Option<impl Iterator<Item = Entry<'a>> + Clone> {
    let is_in_order = (1..).zip(accepted).all(|(ordinal, accepted): (Ordinal, _)| accepted.ordinal == ordinal);
    let skeleton = &history.genesis().terms().skeleton;
    let skeleton = (!skeleton.is_empty()).then(|| Entry::skeleton(skeleton));
    is_in_order.then(|| skeleton.into_iter().chain(accepted.iter().map(Entry::change)))
}

#[cfg(test)]
pub(super) mod tests;
