//! Changing a text. Positions are Unicode code points.

use std::fmt;

use automerge::transaction::Transactable;
use automerge::{ObjId, ReadDoc};

use super::{EditError, Shared, failed};

/// A text, within an edit. [`ToString`] gives what it says.
#[derive(Clone)]
pub struct TextEdit {
    pub(super) shared: Shared,
    pub(super) object: Option<ObjId>,
}

impl TextEdit {
    pub(super) fn new(shared: Shared, object: Option<ObjId>) -> Self {
        TextEdit { shared, object }
    }

    /// How many code points there are.
    pub fn len(&self) -> usize {
        let length = |object| self.shared.look(|transaction| transaction.length(object));
        self.object.as_ref().and_then(length).unwrap_or(0)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Adds text at the end.
    pub fn push(&self, text: &str) {
        self.splice(self.len(), 0, text);
    }

    /// Adds text at a position.
    pub fn insert(&self, at: usize, text: &str) {
        self.splice(at, 0, text);
    }

    /// Removes `length` code points from a position on.
    pub fn delete(&self, at: usize, length: usize) {
        self.splice(at, length, "");
    }

    /// Replaces `length` code points from a position on.
    pub fn splice(&self, at: usize, length: usize, text: &str) {
        let Some(object) = &self.object else { return };
        self.shared.spend(text.len());
        self.shared.step(|transaction| {
            let there = transaction.length(object);
            let end = at.checked_add(length).filter(|end| *end <= there);
            let Some(_) = end else {
                return Err(EditError::OutOfBounds { at: at.saturating_add(length), length: there });
            };
            let deleted = isize::try_from(length).map_err(|_| EditError::Bounds)?;
            transaction.splice_text(object, at, deleted, text).map_err(failed)
        });
    }

    /// Replaces the whole text, by the smallest edit that turns what was there into `text`.
    pub fn set(&self, text: &str) {
        let Some(object) = &self.object else { return };
        self.shared.spend(text.len());
        self.shared.step(|transaction| transaction.update_text(object, text).map_err(failed));
    }
}

impl fmt::Display for TextEdit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |object| self.shared.look(|transaction| transaction.text(object).unwrap_or_default());
        f.write_str(&self.object.as_ref().and_then(text).unwrap_or_default())
    }
}
