//! An operation of an access log: a grant, a revocation, a release, as it is signed and hashed.
//!
//! `docs/access.md` gives the bytes. Its id is the hash of all but the signature, so it cannot be altered or backdated
//! into another place of the log.

mod encoding;
mod signed;

use pistol_core::chain::{ChainId, Tip};
use pistol_core::id::{AuthorityId, ChangeId, DocumentId};
use pistol_core::key::AuthorId;

pub use signed::{OpError, SignedOp};

/// The log of a document, space, identity or group: the id of its genesis.
pub type LogId = DocumentId;

/// One operation of an access log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AclOp {
    /// The log it is part of.
    pub log: LogId,
    /// Who signs it.
    pub author: AuthorId,
    /// What allows its author to do this; empty for a root of the genesis.
    pub proof: Vec<AuthorityId>,
    /// The heads of the log as the author knew it, sorted.
    pub prev: Vec<AuthorityId>,
    /// Which of `prev` is the author's own previous operation in this log.
    pub own: Option<usize>,
    /// What it does.
    pub action: Action,
}

/// Whom a grant or a revocation names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// One key.
    Key(AuthorId),
    /// A person or organisation: the devices that its log certifies.
    Identity(LogId),
    /// The members of a group.
    Group(LogId),
    /// The members of a space.
    Space(LogId),
}

impl From<AuthorId> for Subject {
    fn from(key: AuthorId) -> Subject {
        Subject::Key(key)
    }
}

/// What a grant allows, from the least to the most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Stores and forwards.
    Relay,
    /// Reads.
    Reader,
    /// Writes.
    Writer,
    /// Writes, grants and revokes.
    Admin,
}

/// How far a revocation reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mode {
    /// What a still authorised author has built on stays.
    Endorsed,
    /// Everything goes but what the revocation keeps.
    Exact,
}

/// Heads of one document, with tips that prove them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heads {
    /// The document.
    pub document: DocumentId,
    /// The changes, sorted.
    pub heads: Vec<ChangeId>,
    /// Signatures under their chains, by chain; for nodes that hold the changes and lack the signatures.
    pub tips: Vec<(ChainId, Tip)>,
}

/// What a revocation leaves standing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Keep {
    /// Changes, by document.
    pub changes: Vec<Heads>,
    /// Operations of other logs, with their pasts; sorted.
    pub operations: Vec<AuthorityId>,
}

/// What an operation does. Code 10 is kept for epochs of read keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Gives a role; in the log of an identity it certifies a device.
    Grant {
        /// To whom.
        to: Subject,
        /// What.
        role: Role,
    },
    /// Takes away every junior grant to somebody, or gives up one's own.
    Revoke {
        /// Whose.
        who: Subject,
        /// How far it reaches into the past.
        mode: Mode,
        /// Whether operations that the subject wrote go with it.
        cascade: bool,
        /// What stays.
        keep: Keep,
    },
    /// Adopts changes, masked ones too; without heads it acknowledges a document in a space.
    Checkpoint(Heads),
    /// Makes a key a root.
    AddRoot {
        /// The key.
        key: AuthorId,
    },
    /// Gives up the powers of a root, but for adding roots and releasing.
    Relinquish,
    /// Opens the document or space to everybody for ever.
    Release,
    /// Takes a document out of the space.
    RemoveDocument {
        /// The document.
        document: DocumentId,
    },
    /// Claims a name in a space.
    Name {
        /// The name.
        name: String,
        /// What it names.
        target: DocumentId,
    },
    /// Confirms claims; without any it acknowledges the log as it is.
    Witness {
        /// The claims, sorted.
        names: Vec<AuthorityId>,
    },
    /// Names the document that continues this one.
    Successor {
        /// The document.
        document: DocumentId,
    },
}

impl Action {
    /// Whether it speaks of names alone: nobody's part and no document's place depend on it.
    pub fn is_of_names(&self) -> bool {
        match self {
            Action::Name { .. } | Action::Witness { .. } | Action::Successor { .. } => true,
            Action::Grant { .. }
            | Action::Revoke { .. }
            | Action::Checkpoint(_)
            | Action::AddRoot { .. }
            | Action::Relinquish
            | Action::Release
            | Action::RemoveDocument { .. } => false,
        }
    }
}

impl AclOp {
    /// The version of the canonical form. An operation of another version waits for an upgrade; it is not refused.
    pub const VERSION: u8 = 1;

    /// The author's own previous operation in this log.
    pub fn own_prev(&self) -> Option<AuthorityId> {
        self.prev.get(self.own?).copied()
    }
}
