//! What a genesis fixes: kind, policy, roots, and whether the log may ever be released.

use super::{Author, LogId, OperationId};

/// What a log belongs to. Lower kinds come first: authority in a log may rest on logs of lower kinds, never on higher ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A person's root and the devices it certifies.
    Identity,
    /// Keys, identities and groups under one name.
    Group,
    /// An application's documents, members and names.
    Space,
    /// One document.
    Document,
}

/// Where others may insert, in a document of first writers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Insert {
    /// In every list and text.
    Anywhere,
    /// In lists and texts of one's own.
    OwnObject,
}

/// Who writes; for a space, who adds documents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policy {
    /// The roots, and devices of an identity that is a root.
    Owned,
    /// Anyone.
    WorldWritable,
    /// Anyone adds; what one wrote is one's own.
    FirstWriter {
        /// Where others may insert.
        insert: Insert,
        /// Whether anybody may increment anybody's counters.
        shared_counters: bool,
        /// Whether only members write.
        members_only: bool,
        /// Whether the application opts out of W3, so that several may write to one key.
        shared_slots: bool,
    },
    /// Roles by grants, minus revocations.
    Members,
}

/// The limits that decide validity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// So many operations of one author may an operation have in its past.
    pub operations_of_one_author: usize,
    /// The same in the log of an identity.
    pub operations_of_one_author_in_identities: usize,
    /// So many bytes may the operations of one author take that an operation has in its past.
    pub bytes_of_one_author: u64,
    /// The same in the log of an identity.
    pub bytes_of_one_author_in_identities: u64,
}

/// A document's place in a space, as its genesis says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Home {
    /// The space.
    pub space: LogId,
    /// Who signed the genesis.
    pub creator: Author,
    /// The creator's path into the space.
    pub authority: Vec<OperationId>,
}

/// A genesis.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    /// Its id.
    pub id: LogId,
    /// What it belongs to.
    pub kind: Kind,
    /// Who writes.
    pub policy: Policy,
    /// The keys that it begins with.
    pub roots: Vec<Author>,
    /// Whether it may be released.
    pub is_releasable: bool,
    /// The space that a document belongs to.
    pub home: Option<Home>,
}

impl Log {
    /// A log of this kind with one root, for members, not releasable.
    pub fn new(id: LogId, kind: Kind, root: Author) -> Self {
        Self { id, kind, policy: Policy::Members, roots: vec![root], is_releasable: false, home: None }
    }

    /// A document that may be released, in no space.
    pub fn document(id: LogId, policy: Policy, root: Author) -> Self {
        Self { policy, is_releasable: true, ..Self::new(id, Kind::Document, root) }
    }
}

impl Policy {
    /// Whether anybody may write without a grant.
    pub fn needs_no_grant(self) -> bool {
        matches!(self, Self::WorldWritable | Self::FirstWriter { members_only: false, .. })
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            operations_of_one_author: 10_000,
            operations_of_one_author_in_identities: 500,
            bytes_of_one_author: 16 * 1024 * 1024,
            bytes_of_one_author_in_identities: 1024 * 1024,
        }
    }
}
