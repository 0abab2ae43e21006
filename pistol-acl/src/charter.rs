//! What a genesis says about access: the ground that every verdict stands on, fixed for ever.

use pistol_core::genesis::{self, Genesis};
use pistol_core::id::AuthorityId;
use pistol_core::key::AuthorId;

use crate::record::LogId;

/// What a log belongs to. Proofs lead from the greater to the lesser, so no two logs can decide about each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A person or organisation: certificates of devices.
    Identity,
    /// A group of keys, identities and groups.
    Group,
    /// Documents, members and names of one application.
    Space,
    /// A document.
    Document,
}

/// Who may write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policy {
    /// The roots, and devices of an identity that is a root.
    Owned,
    /// Anyone.
    WorldWritable,
    /// Anyone adds; the rules for entries are the validator's.
    FirstWriter {
        /// Whether a role is needed to add.
        members_only: bool,
    },
    /// Whoever was granted a role.
    Members,
}

impl Policy {
    /// Whether anyone may write.
    pub fn is_open(self) -> bool {
        matches!(self, Policy::WorldWritable | Policy::FirstWriter { members_only: false })
    }
}

/// What a genesis says about access.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Charter {
    /// The log: the hash of the genesis.
    pub log: LogId,
    /// What it belongs to.
    pub kind: Kind,
    /// The keys it belongs to.
    pub roots: Vec<AuthorId>,
    /// The root that signed the genesis.
    pub creator: AuthorId,
    /// Who may write; in a space, who may add documents.
    pub policy: Policy,
    /// Whether its roots may open it for ever.
    pub is_releasable: bool,
    /// For a document in a space: the space, and the creator's path there.
    pub space: Option<(LogId, Vec<AuthorityId>)>,
}

impl Charter {
    /// What a genesis says; `None` for a policy of a later version.
    pub fn of(genesis: &Genesis) -> Option<Charter> {
        let terms = genesis.terms();
        let kind = Charter::kind_of(terms.kind)?;
        let policy = match terms.policy {
            genesis::Policy::Owned => Policy::Owned,
            genesis::Policy::WorldWritable => Policy::WorldWritable,
            genesis::Policy::FirstWriter { .. } => Policy::FirstWriter { members_only: false },
            genesis::Policy::Members => Policy::Members,
            _ => return None,
        };
        Some(Charter {
            log: genesis.id(),
            kind,
            roots: terms.roots.clone(),
            creator: genesis.creator(),
            policy,
            is_releasable: terms.limits.is_releasable,
            space: terms.space.map(|space| (space, terms.authority.clone())),
        })
    }

    /// What a genesis of a kind begins a log of.
    pub fn kind_of(kind: genesis::Kind) -> Option<Kind> {
        match kind {
            genesis::Kind::Document => Some(Kind::Document),
            genesis::Kind::Identity => Some(Kind::Identity),
            genesis::Kind::Group => Some(Kind::Group),
            genesis::Kind::Space => Some(Kind::Space),
            _ => None,
        }
    }

    /// Whether a key is one of the genesis's roots.
    pub fn is_root(&self, key: &AuthorId) -> bool {
        self.roots.contains(key)
    }
}
