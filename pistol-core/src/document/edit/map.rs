//! Changing a map.

use automerge::transaction::Transactable;
use automerge::{ObjId, ObjType, ReadDoc};

use super::{EditError, ListEdit, Shared, TextEdit, check_depth, failed, object_at};
use crate::document::content::{self, Value};
use crate::limits;

/// A map, within an edit.
#[derive(Clone)]
pub struct MapEdit {
    shared: Shared,
    object: Option<ObjId>,
}

impl MapEdit {
    pub(super) fn new(shared: Shared, object: Option<ObjId>) -> Self {
        MapEdit { shared, object }
    }

    /// The text at a key, made if nothing is there. Two people who make it apart make two, of which readers see one:
    /// shared texts belong into the document's creation.
    pub fn text(&self, key: &str) -> TextEdit {
        TextEdit::new(self.shared.clone(), self.child(key, ObjType::Text))
    }

    /// The map at a key, made if nothing is there.
    pub fn map(&self, key: &str) -> MapEdit {
        MapEdit::new(self.shared.clone(), self.child(key, ObjType::Map))
    }

    /// The list at a key, made if nothing is there.
    pub fn list(&self, key: &str) -> ListEdit {
        ListEdit::new(self.shared.clone(), self.child(key, ObjType::List))
    }

    fn child(&self, key: &str, kind: ObjType) -> Option<ObjId> {
        let object = self.object.as_ref()?;
        self.check_key(key);
        self.shared.step(|transaction| {
            if let Some(found) = object_at(transaction, object, key, kind)? {
                Ok(found)
            } else {
                check_depth(transaction, object)?;
                transaction.put_object(object, key, kind).map_err(failed)
            }
        })
    }

    fn check_key(&self, key: &str) {
        self.shared.spend(key.len());
        if key.len() > limits::KEY_BYTES_MAX {
            self.shared.fail(EditError::Bounds);
        }
    }

    /// Sets a value. A container is made by [`MapEdit::text`], [`MapEdit::map`] or [`MapEdit::list`].
    pub fn put(&self, key: &str, value: impl Into<Value>) {
        let Some(object) = &self.object else { return };
        let value = value.into();
        self.check_key(key);
        self.shared.spend_on(&value);
        self.shared.step(|transaction| transaction.put(object, key, content::scalar(value)).map_err(failed));
    }

    /// Removes a key. Removing what is not there does nothing.
    pub fn delete(&self, key: &str) {
        let Some(object) = &self.object else { return };
        self.check_key(key);
        self.shared.step(|transaction| match transaction.get(object, key).map_err(failed)? {
            None => Ok(()),
            Some(_) => transaction.delete(object, key).map_err(failed),
        });
    }

    /// Adds to the counter at a key, made at 0 if nothing is there.
    pub fn increment(&self, key: &str, by: i64) {
        let Some(object) = &self.object else { return };
        self.check_key(key);
        if by.unsigned_abs() > limits::INCREMENT_MAX.unsigned_abs() {
            self.shared.fail(EditError::Bounds);
        }
        self.shared.step(|transaction| {
            let at = || key.to_owned();
            let values = transaction.get_all(object, key).map_err(failed)?;
            match values.as_slice() {
                [] => transaction.put(object, key, automerge::ScalarValue::counter(0)).map_err(failed)?,
                [(value, _)] if content::is_counter(value) => {}
                [_] => return Err(EditError::OtherKind { at: at() }),
                _ => return Err(EditError::Rivals { at: at() }),
            }
            transaction.increment(object, key, by).map_err(failed)
        });
    }

    /// The value at a key, as this edit has left it.
    pub fn value(&self, key: &str) -> Option<Value> {
        let object = self.object.as_ref()?;
        self.shared.look(|transaction| content::value_at(transaction, object, key)).flatten()
    }

    /// The keys, sorted.
    pub fn keys(&self) -> Vec<String> {
        let keys = |object| self.shared.look(|transaction| transaction.keys(object).collect());
        self.object.as_ref().and_then(keys).unwrap_or_default()
    }
}
