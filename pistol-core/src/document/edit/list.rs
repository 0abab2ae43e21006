//! Changing a list.

use automerge::transaction::Transactable;
use automerge::{ObjId, ObjType, ReadDoc};

use super::{EditError, MapEdit, Shared, TextEdit, check_depth, failed};
use crate::document::content::{self, Value};

/// A list, within an edit.
#[derive(Clone)]
pub struct ListEdit {
    shared: Shared,
    object: Option<ObjId>,
}

impl ListEdit {
    pub(super) fn new(shared: Shared, object: Option<ObjId>) -> Self {
        ListEdit { shared, object }
    }

    /// How many elements there are.
    pub fn len(&self) -> usize {
        let length = |object| self.shared.look(|transaction| transaction.length(object));
        self.object.as_ref().and_then(length).unwrap_or(0)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Adds a value at the end.
    pub fn push(&self, value: impl Into<Value>) {
        self.insert(self.len(), value);
    }

    /// Adds a value before the element at `at`, or at the end if `at` is the length.
    pub fn insert(&self, at: usize, value: impl Into<Value>) {
        let Some(object) = self.place(at, self.len()) else {
            return;
        };
        let value = value.into();
        self.shared.spend_on(&value);
        self.shared.step(|transaction| transaction.insert(object, at, content::scalar(value)).map_err(failed));
    }

    /// Replaces the element at `at`.
    pub fn set(&self, at: usize, value: impl Into<Value>) {
        let Some(object) = self.element(at) else { return };
        let value = value.into();
        self.shared.spend_on(&value);
        self.shared.step(|transaction| transaction.put(object, at, content::scalar(value)).map_err(failed));
    }

    /// Removes the element at `at`.
    pub fn delete(&self, at: usize) {
        let Some(object) = self.element(at) else { return };
        self.shared.step(|transaction| transaction.delete(object, at).map_err(failed));
    }

    /// Adds an empty map before the element at `at`.
    pub fn insert_map(&self, at: usize) -> MapEdit {
        MapEdit::new(self.shared.clone(), self.insert_object(at, ObjType::Map))
    }

    /// Adds an empty list before the element at `at`.
    pub fn insert_list(&self, at: usize) -> ListEdit {
        ListEdit::new(self.shared.clone(), self.insert_object(at, ObjType::List))
    }

    /// Adds an empty text before the element at `at`.
    pub fn insert_text(&self, at: usize) -> TextEdit {
        TextEdit::new(self.shared.clone(), self.insert_object(at, ObjType::Text))
    }

    fn insert_object(&self, at: usize, kind: ObjType) -> Option<ObjId> {
        let object = self.place(at, self.len())?;
        self.shared.step(|transaction| {
            check_depth(transaction, object)?;
            transaction.insert_object(object, at, kind).map_err(failed)
        })
    }

    /// The map that is the element at `at`.
    pub fn map(&self, at: usize) -> MapEdit {
        MapEdit::new(self.shared.clone(), self.child(at, ObjType::Map))
    }

    /// The list that is the element at `at`.
    pub fn list(&self, at: usize) -> ListEdit {
        ListEdit::new(self.shared.clone(), self.child(at, ObjType::List))
    }

    /// The text that is the element at `at`.
    pub fn text(&self, at: usize) -> TextEdit {
        TextEdit::new(self.shared.clone(), self.child(at, ObjType::Text))
    }

    fn child(&self, at: usize, kind: ObjType) -> Option<ObjId> {
        let object = self.element(at)?;
        self.shared.step(|transaction| {
            super::object_at(transaction, object, at, kind)?.ok_or(EditError::Missing { at: at.to_string() })
        })
    }

    /// The element at `at`, as this edit has left it.
    pub fn value(&self, at: usize) -> Option<Value> {
        let object = self.object.as_ref()?;
        self.shared.look(|transaction| content::value_at(transaction, object, at)).flatten()
    }

    fn element(&self, at: usize) -> Option<&ObjId> {
        self.place(at.saturating_add(1), self.len())
    }

    fn place(&self, at: usize, length: usize) -> Option<&ObjId> {
        if at > length {
            self.shared.fail(EditError::OutOfBounds { at, length });
            return None;
        }
        self.object.as_ref()
    }
}
