//! How applications change a document: handles into one Automerge transaction.
//!
//! The handles are cheap and owned. The first thing that goes wrong is kept, the rest of the edit does nothing, and the
//! edit as a whole fails and leaves no trace.

mod list;
mod map;
mod rich;
mod text;

use std::cell::RefCell;
use std::rc::Rc;

use automerge::transaction::{OwnedTransaction, Transactable};
use automerge::{Automerge, AutomergeError, ObjId, ObjType, ROOT, ReadDoc};

pub use list::ListEdit;
pub use map::MapEdit;
pub use text::TextEdit;

use super::content::Value;
use crate::key::AuthorId;
use crate::limits;
use crate::validate::Rule;

/// An edit was not made; the document is as before.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EditError {
    /// Another kind of value is there.
    #[error("there is another kind of value at `{at}`; delete it first, or use another name")]
    OtherKind {
        /// The key or position.
        at: String,
    },
    /// A position is past the end.
    #[error("position {at} is past the end ({length}); read the length in the same edit")]
    OutOfBounds {
        /// The position.
        at: usize,
        /// The length there is.
        length: usize,
    },
    /// Nothing is there.
    #[error("there is nothing at `{at}`; put a value there first")]
    Missing {
        /// The key or position.
        at: String,
    },
    /// The counter holds rival values.
    #[error("two people set the counter at `{at}` at the same time; put the value you want, then increment it")]
    Rivals {
        /// The key.
        at: String,
    },
    /// A key is too long, a number too large, an object too deep.
    #[error(
        "a key or value is outside its bounds (keys {} bytes, increments 2^31, counters 2^53)",
        limits::KEY_BYTES_MAX
    )]
    Bounds,
    /// The edit does not fit one change.
    #[error("the edit is too large for one change; make it in parts")]
    TooLarge,
    /// The document cannot take more changes.
    #[error("{0}")]
    Refused(Rule),
    /// It is somebody else's.
    #[error("{what}")]
    NotYours {
        /// What it is, whose, and what that means, in words.
        what: String,
        /// Whose it is; none if nobody may write there.
        owner: Option<AuthorId>,
    },
    /// An identity or a group holds operations and nothing else.
    #[error("this is an identity or a group: it says who is in it and has no content; make a document")]
    NoContent,
    /// Nothing in the document's log lets this author write.
    #[error("you have no part in this document that lets you write; ask an admin or root of it to grant you one")]
    NotAMember,
    /// What let this author write counts no more.
    #[error(
        "your part in this document was ended, so you cannot change it; what was shown of your work stays as its members \
         decide; ask an admin or root of it for a new grant"
    )]
    Revoked,
    /// Another edit of this document is going on in this thread.
    #[error("an edit inside an edit was refused; finish the outer one first")]
    Nested,
    /// The disk does not keep up.
    #[error("the disk does not keep up with the edits; flush, then try again")]
    Busy,
    /// The document is not open.
    #[error("the document is not open; open it again")]
    Closed,
    /// The closure of the edit panicked, or Automerge failed.
    #[error("the edit was rolled back because it failed inside ({0}); the document is as before")]
    Failed(String),
}

/// The transaction that all handles of one edit share.
pub(super) struct Open {
    transaction: Option<OwnedTransaction>,
    error: Option<EditError>,
    /// Bytes of texts, keys and values written.
    bytes: usize,
}

/// Operations of fixed size, so that an edit fails before it is committed rather than after.
const OPERATION_BYTES_MOST: usize = 24;
/// Room for everything in a change but its operations.
const HEADER_BYTES_MOST: usize = 48 << 10;

/// The handle on an edit: the document's root map.
pub struct Edit {
    root: MapEdit,
    shared: Shared,
}

impl std::ops::Deref for Edit {
    type Target = MapEdit;

    fn deref(&self) -> &MapEdit {
        &self.root
    }
}

#[derive(Clone)]
pub(super) struct Shared(Rc<RefCell<Open>>);

impl Edit {
    pub(super) fn begin(transaction: OwnedTransaction) -> (Edit, Shared) {
        let shared = Shared(Rc::new(RefCell::new(Open { transaction: Some(transaction), error: None, bytes: 0 })));
        (Edit { root: MapEdit::new(shared.clone(), Some(ROOT)), shared: shared.clone() }, shared)
    }

    pub(super) fn text_of(&self, object: ObjId) -> TextEdit {
        TextEdit::new(self.shared.clone(), Some(object))
    }
}

impl Shared {
    /// Ends the edit: handles that outlive it do nothing.
    pub(super) fn finish(&self) -> (Option<OwnedTransaction>, Result<(), EditError>) {
        let mut open = self.0.borrow_mut();
        let result = open.error.take().map_or(Ok(()), Err);
        open.error = Some(EditError::Nested);
        (open.transaction.take(), result)
    }

    /// Runs one step of the edit, unless an earlier one failed.
    fn step<T>(&self, step: impl FnOnce(&mut OwnedTransaction) -> Result<T, EditError>) -> Option<T> {
        let mut open = self.0.try_borrow_mut().ok()?;
        let open = &mut *open;
        if open.error.is_some() {
            return None;
        }
        let transaction = open.transaction.as_mut()?;
        match step(transaction) {
            Ok(done) => {
                let size = transaction.pending_ops() * OPERATION_BYTES_MOST + open.bytes + HEADER_BYTES_MOST;
                if size > limits::CHANGE_BYTES_MAX {
                    open.error = Some(EditError::TooLarge);
                    return None;
                }
                Some(done)
            }
            Err(error) => {
                open.error = Some(error);
                None
            }
        }
    }

    /// Reads within the edit.
    fn look<T>(&self, look: impl FnOnce(&OwnedTransaction) -> T) -> Option<T> {
        let open = self.0.try_borrow().ok()?;
        open.transaction.as_ref().map(look)
    }

    /// Counts bytes before they are written.
    fn spend(&self, bytes: usize) {
        if let Ok(mut open) = self.0.try_borrow_mut() {
            open.bytes = open.bytes.saturating_add(bytes);
            if open.bytes > limits::CHANGE_BYTES_MAX && open.error.is_none() {
                open.error = Some(EditError::TooLarge);
            }
        }
    }

    fn fail(&self, error: EditError) {
        if let Ok(mut open) = self.0.try_borrow_mut() {
            open.error.get_or_insert(error);
        }
    }

    fn spend_on(&self, value: &Value) {
        match value {
            Value::Text(text) => self.spend(text.len()),
            Value::Bytes(bytes) => self.spend(bytes.len()),
            Value::Counter(start) if start.unsigned_abs() > limits::EXACT_MAX => self.fail(EditError::Bounds),
            Value::Object(_) => self.fail(EditError::Bounds),
            _ => {}
        }
    }
}

fn failed(error: AutomergeError) -> EditError {
    EditError::Failed(error.to_string())
}

/// Refuses to nest objects deeper than readers may walk.
fn check_depth(transaction: &OwnedTransaction, object: &ObjId) -> Result<(), EditError> {
    let depth = transaction.parents(object).map_err(failed)?.count();
    if depth + 1 >= usize::from(limits::OBJECT_DEPTH_MAX) { Err(EditError::Bounds) } else { Ok(()) }
}

/// The object at a place if there is one of this kind, none if nothing is there.
fn object_at<P: Into<automerge::Prop> + ToString + Clone>(
    transaction: &OwnedTransaction,
    object: &ObjId,
    at: P,
    kind: ObjType,
) -> Result<Option<ObjId>, EditError> {
    match transaction.get(object, at.clone()).map_err(failed)? {
        None => Ok(None),
        Some((automerge::Value::Object(found), id)) if found == kind => Ok(Some(id)),
        Some(_) => Err(EditError::OtherKind { at: at.to_string() }),
    }
}

/// Takes a document back out of a transaction that is given up.
pub(super) fn rolled_back(transaction: Option<OwnedTransaction>) -> Option<Automerge> {
    transaction.map(|transaction| transaction.rollback().0)
}
