//! What the oracle judges: logs, operations and changes as plain data with small numbers for ids.

mod log;
mod operation;
mod story;

use std::fmt;

pub use log::{Home, Insert, Kind, Limits, Log, Policy};
pub use operation::{Action, Kept, Mode, Operation, Revocation, Role, Subject};

use crate::first_writer::Write;
use crate::judgement::Judgement;

/// A key that signs: one device of one person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Author(pub u32);

/// A log of operations: that of a document, a space, an identity or a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LogId(pub u32);

/// An operation in a log. It stands for a hash: one id, one content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct OperationId(pub u32);

/// A change of a document. It stands for a hash: one id, one content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ChangeId(pub u32);

/// Who wrote a change, as ownership inside a document compares it: the identity of the cited certificate, else the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Person {
    /// A key that cited no certificate.
    Key(Author),
    /// The identity whose certificate the change cites.
    Identity(LogId),
}

/// One edit of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Its id.
    pub id: ChangeId,
    /// The document it belongs to.
    pub document: LogId,
    /// The key that signed it.
    pub author: Author,
    /// What it follows on.
    pub deps: Vec<ChangeId>,
    /// The path it cites: from the document's root to the author, or a release.
    pub authority: Vec<OperationId>,
    /// Whether it obeys the rules of structure, V1 to V6, once its past is known.
    pub is_structurally_valid: bool,
    /// What it does, as far as the rules of first writers look at it.
    pub writes: Vec<Write>,
}

/// A set of everything that is known: the order of these lists, and what is repeated in them, means nothing.
///
/// ```
/// use pistol_oracle::{Author, Change, ChangeId, Log, LogId, Policy, World};
///
/// let mut world = World::default();
/// world.logs.push(Log::document(LogId(0), Policy::Owned, Author(1)));
/// world.changes.push(Change {
///     id: ChangeId(7),
///     document: LogId(0),
///     author: Author(1),
///     deps: vec![],
///     authority: vec![],
///     is_structurally_valid: true,
///     writes: vec![],
/// });
/// assert!(world.judge().accepts(ChangeId(7)));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct World {
    /// The geneses that are known.
    pub logs: Vec<Log>,
    /// The operations that are known.
    pub operations: Vec<Operation>,
    /// The changes that are known.
    pub changes: Vec<Change>,
    /// The limits of the rules, small in tests.
    pub limits: Limits,
}

impl World {
    /// What the rules make of everything in this world.
    pub fn judge(&self) -> Judgement {
        Judgement::of(self)
    }
}

impl fmt::Display for Author {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "key {}", self.0)
    }
}

impl fmt::Display for LogId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "log {}", self.0)
    }
}

impl fmt::Display for OperationId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "operation {}", self.0)
    }
}

impl fmt::Display for ChangeId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "change {}", self.0)
    }
}
