//! What an author does in a log.

use super::{Author, ChangeId, LogId, OperationId};

/// What a grant allows, the least first. A role allows what lesser ones allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Stores and forwards.
    Relay,
    /// Reads.
    Reader,
    /// Writes.
    Writer,
    /// Grants and revokes.
    Admin,
}

/// Whom a grant or a revocation names. A grant to a key in an identity's log is the certificate of a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// One key.
    Key(Author),
    /// Every device of an identity.
    Identity(LogId),
    /// Every member of a group.
    Group(LogId),
    /// Every member of a space.
    Space(LogId),
}

/// What a revocation does to work that nobody else has built on, and to work that somebody has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// What others built on stays.
    Endorsed,
    /// What is not kept goes, with everything built on it.
    Exact,
}

/// What a revocation keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// A change and its past.
    Change(ChangeId),
    /// An operation and its past.
    Operation(OperationId),
    /// A document in a space.
    Document(LogId),
}

/// The end of everything that was granted to a subject in this log, as far as it is junior.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revocation {
    /// Whom.
    pub who: Subject,
    /// What happens to work.
    pub mode: Mode,
    /// What stays.
    pub keep: Vec<Kept>,
    /// Whether operations fall that the revoker had seen.
    pub cascade: bool,
}

/// What an operation does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Gives a subject a role.
    Grant {
        /// To whom.
        to: Subject,
        /// Which.
        role: Role,
    },
    /// Takes roles back.
    Revoke(Revocation),
    /// Vouches for changes of a document, and in a space for the document.
    Checkpoint {
        /// The document.
        document: LogId,
        /// The changes, each with its past.
        heads: Vec<ChangeId>,
    },
    /// Makes a key a root.
    AddRoot {
        /// The key.
        key: Author,
    },
    /// Gives up being a root.
    Relinquish,
    /// Opens the log for ever.
    Release,
    /// Removes a document from a space.
    RemoveDocument {
        /// The document.
        document: LogId,
    },
    /// Says in a space that one edited a document that another author put there.
    Acknowledge {
        /// The document.
        document: LogId,
    },
    /// Claims a name in a space.
    Name {
        /// Which; it stands for a text.
        name: u32,
        /// What it names.
        target: LogId,
    },
    /// Confirms claims of names.
    Witness {
        /// The claims.
        names: Vec<OperationId>,
    },
}

/// A signed entry of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation {
    /// Its id, which does not cover the signature.
    pub id: OperationId,
    /// The log it belongs to.
    pub log: LogId,
    /// Who signed it.
    pub author: Author,
    /// The path it cites: from a root to its author.
    pub proof: Vec<OperationId>,
    /// The operations of the same log that it follows on.
    pub prev: Vec<OperationId>,
    /// What it does.
    pub action: Action,
    /// How many bytes it takes.
    pub bytes: u64,
    /// Whether the signature verifies.
    pub is_well_signed: bool,
}

impl Operation {
    /// The revocation that this is, if it is one.
    pub fn revocation(&self) -> Option<&Revocation> {
        match &self.action {
            Action::Revoke(revocation) => Some(revocation),
            _ => None,
        }
    }

    /// Whom it grants something to, and what, if it is a grant.
    pub fn grant(&self) -> Option<(Subject, Role)> {
        match self.action {
            Action::Grant { to, role } => Some((to, role)),
            _ => None,
        }
    }
}
