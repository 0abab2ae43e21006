//! Marks and blocks of a text.

use std::ops::Range;

use automerge::marks::{ExpandMark, Mark};
use automerge::transaction::{OwnedTransaction, Transactable};
use automerge::{ObjId, ObjType, ReadDoc};

use super::text::TextEdit;
use super::{EditError, MapEdit, check_depth, failed, object_at};
use crate::document::content::{self, Value};
use crate::document::rich::Expand;
use crate::limits;

/// What a mark takes beyond other operations.
const MARK_BYTES_MOST: usize = 16;

impl TextEdit {
    /// Marks a stretch, for example as bold or as a link. Of marks of one name a character has the one that came last.
    /// Names may have 1,024 bytes; values are neither counters, containers nor NaN. An empty stretch is not marked.
    pub fn mark(&self, range: Range<usize>, name: &str, value: impl Into<Value>, expand: Expand) {
        let Some(object) = &self.object else { return };
        let value = value.into();
        let is_value = match &value {
            Value::Float(value) => !value.is_nan(),
            Value::Counter(_) | Value::Object(_) => false,
            _ => true,
        };
        if !is_value || name.len() > limits::KEY_BYTES_MAX {
            return self.shared.fail(EditError::Bounds);
        }
        self.shared.spend(name.len() + MARK_BYTES_MOST);
        self.shared.spend_on(&value);
        self.shared.step(|transaction| {
            let length = transaction.length(object);
            if range.end > length || range.start > range.end {
                return Err(EditError::OutOfBounds { at: range.start.max(range.end), length });
            }
            if range.is_empty() {
                return Ok(());
            }
            let mark = Mark::new(name.to_owned(), content::scalar(value), range.start, range.end);
            transaction.mark(object, mark, expanded(expand)).map_err(failed)
        });
    }

    /// Takes the marks of a name away from a stretch.
    pub fn unmark(&self, range: Range<usize>, name: &str, expand: Expand) {
        self.mark(range, name, Value::Null, expand);
    }

    /// Begins a block at a position: it counts as one character, and says in a map what follows it.
    pub fn split_block(&self, at: usize) -> MapEdit {
        self.block_by(|transaction, object| {
            let length = transaction.length(object);
            if at > length {
                return Err(EditError::OutOfBounds { at, length });
            }
            check_depth(transaction, object)?;
            transaction.split_block(object, at).map_err(failed)
        })
    }

    /// The block at a position.
    pub fn block(&self, at: usize) -> MapEdit {
        self.block_by(|transaction, object| block_at(transaction, object, at))
    }

    /// Removes the block at a position: what follows it goes on with what is before.
    pub fn join_block(&self, at: usize) {
        let Some(object) = &self.object else { return };
        self.shared.step(|transaction| {
            block_at(transaction, object, at)?;
            transaction.join_block(object, at).map_err(failed)
        });
    }

    /// Puts a new block in the place of the one at a position.
    pub fn replace_block(&self, at: usize) -> MapEdit {
        self.block_by(|transaction, object| {
            block_at(transaction, object, at)?;
            transaction.replace_block(object, at).map_err(failed)
        })
    }

    fn block_by(&self, step: impl FnOnce(&mut OwnedTransaction, &ObjId) -> Result<ObjId, EditError>) -> MapEdit {
        let object = self.object.as_ref();
        let block = object.and_then(|object| self.shared.step(|transaction| step(transaction, object)));
        MapEdit::new(self.shared.clone(), block)
    }
}

fn block_at(transaction: &OwnedTransaction, object: &ObjId, at: usize) -> Result<ObjId, EditError> {
    object_at(transaction, object, at, ObjType::Map)?.ok_or_else(|| EditError::Missing { at: at.to_string() })
}

fn expanded(expand: Expand) -> ExpandMark {
    match expand {
        Expand::None => ExpandMark::None,
        Expand::Before => ExpandMark::Before,
        Expand::After => ExpandMark::After,
        Expand::Both => ExpandMark::Both,
    }
}
