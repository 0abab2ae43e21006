//! A change: one edit, as it is hashed.
//!
//! Its operations are those of Automerge, but written so that they mean the same in every past: an operation is named by
//! its place in a chain, never by a counter that hostile bytes could claim. `docs/protocol.md` gives the bytes.

mod encoding;

pub use encoding::{read_operation, write_operation};

use crate::codec::{Malformed, Reader, Writer};
use crate::hash::{Context, hash};
use crate::id::{AuthorityId, ChangeId, Session};
use crate::key::AuthorId;

/// One edit: operations with their author, place in a chain, and past.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// Whose chain it is in.
    pub author: AuthorId,
    /// Which of the author's chains.
    pub session: Session,
    /// Place in the chain, from 1.
    pub seq: u64,
    /// Direct dependencies, sorted. The author's own previous change is always one of them.
    pub deps: Vec<ChangeId>,
    /// What allows the author to write here; empty where no grant is needed.
    pub authority: Vec<AuthorityId>,
    /// Milliseconds since 1970 by the author's clock: for display only.
    pub time_ms: u64,
    /// What the author said of it.
    pub message: Option<String>,
    /// For each path of another chain that is referred to, the last change there in the author's past; sorted.
    pub table: Vec<ChangeId>,
    /// The operations, numbered along the chain.
    pub ops: Vec<Op>,
}

/// An operation of some change: named by place, not by content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reference {
    /// The n-th operation of this change's own chain, this change's own operations included.
    Own(u32),
    /// The n-th operation of the skeleton in the genesis.
    Skeleton(u32),
    /// The n-th operation along the chain path that ends in an entry of the change's table.
    Entry(u32, u32),
}

/// One operation.
#[derive(Clone, Debug, PartialEq)]
pub struct Op {
    /// The object it acts in; `None` is the root map.
    pub object: Option<Reference>,
    /// Where in the object.
    pub place: Place,
    /// What it does.
    pub action: Action,
    /// The operations it replaces, sorted.
    pub pred: Vec<Reference>,
}

/// A place in an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A key of a map.
    Key(String),
    /// A new element of a list or text, after an existing one, or first if `None`.
    After(Option<Reference>),
    /// An existing element of a list or text.
    At(Reference),
}

/// The kinds of objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Keys and values.
    Map,
    /// A sequence of values.
    List,
    /// A sequence of characters.
    Text,
}

/// What an operation does.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Makes an object.
    Make(Kind),
    /// Sets a value.
    Put(Scalar),
    /// Removes values.
    Delete,
    /// Adds to counters.
    Increment(i64),
    /// Begins a mark of a text. The operation after it ends the mark.
    MarkBegin(Box<Mark>),
    /// Ends the mark that the operation before it began.
    MarkEnd {
        /// Whether text that is inserted right after the mark belongs to it.
        expand: bool,
    },
}

/// A mark that begins. Few operations are, so it is kept apart: others would be twice as large.
#[derive(Clone, Debug, PartialEq)]
pub struct Mark {
    /// What is marked.
    pub name: String,
    /// How; nothing, to take marks of this name away.
    pub value: Scalar,
    /// Whether text that is inserted right before the mark belongs to it.
    pub expand: bool,
}

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub enum Scalar {
    /// Nothing.
    Null,
    /// True or false.
    Bool(bool),
    /// A signed number.
    Int(i64),
    /// An unsigned number.
    Uint(u64),
    /// The bits of a floating-point number.
    Float(u64),
    /// A text that is replaced as a whole.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
    /// Milliseconds since 1970.
    Timestamp(i64),
    /// A number that concurrent increments add up in.
    Counter(i64),
}

impl Change {
    /// The version of the canonical form. A change of another version waits for an upgrade; it is not refused.
    pub const VERSION: u8 = 1;

    /// The canonical bytes, which are hashed.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut writer = Writer::new();
        self.write(&mut writer);
        writer.into_bytes()
    }

    /// Writes the canonical bytes.
    pub fn write(&self, writer: &mut Writer) {
        encoding::write_change(self, writer);
    }

    /// Writes the canonical bytes part by part.
    pub(crate) fn write_in_parts(&self, writer: &mut Writer, take: impl FnMut(&[u8])) {
        encoding::write_in_parts(self, writer, take);
    }

    /// Reads canonical bytes.
    ///
    /// # Errors
    /// [`Malformed`] for any bytes that [`Change::to_bytes`] would not give.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(bytes);
        let change = encoding::read_change(&mut reader)?;
        reader.end()?;
        Ok(change)
    }

    /// The id: the hash of the canonical bytes.
    pub fn id(&self) -> ChangeId {
        ChangeId(hash(Context::Change, &[&self.to_bytes()]))
    }
}

impl Op {
    /// Whether it adds an element to a sequence.
    pub fn is_insert(&self) -> bool {
        matches!(self.place, Place::After(_))
    }
}
