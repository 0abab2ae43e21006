//! Why a change is or is not part of the document: the rule, and the operations and changes that bear witness to it.

use std::fmt;

use pistol_core::id::{AuthorityId, ChangeId};

use crate::accept::{Basis, Node, Place};
use crate::access::Access;
use crate::charter::Policy;
use crate::path::Refusal;
use crate::rulings::Fault;

/// Why a change is in the state that it is in.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// Accepted: anyone may write.
    OpenToAll,
    /// Accepted: the author is a root of the genesis.
    Root,
    /// Accepted: what it cites counts.
    Granted(Vec<AuthorityId>),
    /// Accepted: the document was released.
    Released(AuthorityId),
    /// Accepted: somebody who may write has built on it.
    BuiltOn(ChangeId),
    /// Accepted: these operations adopt or keep it.
    Adopted(Vec<AuthorityId>),
    /// Masked: somebody it stands on was revoked or gave up, and no one who may write has built on it.
    Revoked(AuthorityId),
    /// Masked: an operation it stands on is not valid; why, and by what.
    Broken {
        /// The operation that it stands on.
        hop: AuthorityId,
        /// The revocation or relinquishment behind it.
        by: Option<AuthorityId>,
    },
    /// Masked: an `Exact` revocation purged it.
    Purged(AuthorityId),
    /// Masked: it builds on a change that was purged.
    Orphaned {
        /// The change.
        on: ChangeId,
        /// What purged that.
        by: Option<AuthorityId>,
    },
    /// Pending: this is not known.
    Missing([u8; 32]),
    /// Refused.
    Refused(Refusal),
    /// Nobody told of it.
    Unknown,
}

impl Access {
    /// Why a change is in its state, as of when things were last settled.
    pub fn explain(&self, change: &ChangeId) -> Reason {
        let Some(node) = self.node(change) else {
            return match (self.changes.refused.reason(change), self.changes.lacks(change)) {
                (Some(refusal), _) => Reason::Refused(refusal),
                (None, Some(missing)) => Reason::Missing(missing),
                (None, None) => Reason::Unknown,
            };
        };
        if node.is_accepted() { self.why_accepted(node) } else { self.why_masked(node) }
    }

    /// The same in words for people, who know authors and not the ids of operations.
    pub fn explain_to_people(&self, change: &ChangeId) -> String {
        let author = |id: &AuthorityId| {
            self.logs.find(id).map_or("somebody unknown".to_owned(), |entry| entry.op().author.to_string())
        };
        let authors = |ids: &[AuthorityId]| ids.iter().map(author).collect::<Vec<_>>().join(", ");
        let because = |by: &Option<AuthorityId>| by.as_ref().map_or(String::new(), |by| format!(", by {}", author(by)));
        match self.explain(change) {
            Reason::Granted(path) => format!("accepted: its author was granted a part by {}", authors(&path)),
            Reason::Released(by) => format!("accepted: {} opened the document to everybody for ever", author(&by)),
            Reason::Adopted(by) => format!("accepted: adopted or kept by {}", authors(&by)),
            Reason::Revoked(by) => {
                format!("masked: {} ended its author's part, and nobody who may write has built on it", author(&by))
            }
            Reason::Broken { hop, by } => {
                format!("masked: the part that {} gave does not count any more{}", author(&hop), because(&by))
            }
            Reason::Purged(by) => format!("masked: {} revoked its author and does not keep it", author(&by)),
            Reason::Orphaned { by, .. } => format!("masked: it builds on a change that was taken away{}", because(&by)),
            Reason::Missing(_) => "pending: what it needs has not come yet; connect to whoever made it".to_owned(),
            reason => reason.to_string(),
        }
    }

    /// Why a document has its place in this space or not, in words for people.
    pub fn explain_place(&self, place: &Place) -> String {
        let author = |id: &AuthorityId| {
            self.logs.find(id).map_or("somebody unknown".to_owned(), |entry| entry.op().author.to_string())
        };
        match place {
            Place::Here => "it is one of the space's".to_owned(),
            Place::Unknown => "what it says of itself is not known yet".to_owned(),
            Place::NoSpace => "it stands by itself".to_owned(),
            Place::Pending(_) => "what it names of the space has not come yet".to_owned(),
            Place::Refused(refusal) => format!("its author may not add documents: {refusal}"),
            Place::Masked(by) => format!("{} ended its author's part, and nothing keeps it", author(by)),
            Place::Removed(by) => format!("{} removed it", author(by)),
        }
    }

    fn why_accepted(&self, node: &Node) -> Reason {
        if let Some(release) = self.changes.released.and_then(|by| self.id(by)) {
            return Reason::Released(release);
        }
        if !node.is_active {
            return self.built_on(node).map_or(Reason::Unknown, Reason::BuiltOn);
        }
        let cited = self.changes.cited.get(node.cited as usize);
        match cited {
            Some(cited) if cited.is_active() => match &cited.basis {
                Basis::Standing(standing) if !standing.hops.is_empty() => Reason::Granted(self.ids(&standing.hops)),
                Basis::Standing(standing) if standing.level == 0 => Reason::Root,
                _ => Reason::OpenToAll,
            },
            _ => {
                let adopting = self.changes.named.get(&node.id).into_iter().flatten().copied().collect::<Vec<_>>();
                let keeping = cited.map_or(&[][..], |cited| &cited.revoked);
                Reason::Adopted(self.ids(if adopting.is_empty() { keeping } else { &adopting }))
            }
        }
    }

    fn why_masked(&self, node: &Node) -> Reason {
        if node.is_purged {
            return self.purged_by(node).map_or(Reason::Unknown, Reason::Purged);
        }
        let fault = self.changes.cited.get(node.cited as usize).and_then(|cited| cited.fault);
        if node.is_tainted && node.is_covered {
            return self
                .tainted_by(node)
                .map_or(Reason::Unknown, |on| Reason::Orphaned { on: on.id, by: self.purged_by(on) });
        }
        match fault {
            Some(Fault::Revoked(by) | Fault::Relinquished(by)) => self.id(by).map_or(Reason::Unknown, Reason::Revoked),
            Some(Fault::Hop(hop)) => self.broken(hop),
            None => Reason::Unknown,
        }
    }

    fn broken(&self, hop: u32) -> Reason {
        let mut at = hop;
        // Each step leads to an operation that was known before, so this ends.
        while let Some(Fault::Hop(next)) = self.rulings.fault_of(at) {
            at = next;
        }
        let by = match self.rulings.fault_of(at) {
            Some(Fault::Revoked(by) | Fault::Relinquished(by)) => self.id(by),
            Some(Fault::Hop(_)) | None => None,
        };
        self.id(hop).map_or(Reason::Unknown, |hop| Reason::Broken { hop, by })
    }

    /// An active change that has this one in its past.
    fn built_on(&self, node: &Node) -> Option<ChangeId> {
        let start = self.changes.ordinals.of(&node.id)?;
        let mut reached = std::collections::BTreeSet::from([start]);
        let later = self.changes.nodes.iter().enumerate().skip(start as usize + 1);
        for (at, node) in later {
            if node.deps.iter().any(|dep| reached.contains(dep)) {
                if node.is_active {
                    return Some(node.id);
                }
                reached.insert(crate::log::small(at));
            }
        }
        None
    }

    /// A purged change in the past of this one.
    fn tainted_by<'a>(&'a self, node: &'a Node) -> Option<&'a Node> {
        let mut at = node;
        while !at.is_purged {
            let mut deps = at.deps.iter().filter_map(|dep| self.changes.nodes.get(*dep as usize));
            at = deps.find(|dep| dep.is_tainted)?;
        }
        Some(at)
    }

    fn purged_by(&self, node: &Node) -> Option<AuthorityId> {
        let cited = self.changes.cited.get(node.cited as usize)?;
        let keeps = |by: &&u32| self.changes.keeps(&self.logs, **by, node);
        cited.purges.iter().find(|by| !keeps(by)).and_then(|by| self.id(*by))
    }

    fn id(&self, ordinal: u32) -> Option<AuthorityId> {
        self.logs.entry(ordinal).map(|entry| entry.signed.id())
    }

    fn ids(&self, ordinals: &[u32]) -> Vec<AuthorityId> {
        ordinals.iter().filter_map(|ordinal| self.id(*ordinal)).collect()
    }

    /// The document's place in its space, as of when things were last settled.
    pub fn place(&self) -> &Place {
        &self.changes.place
    }

    /// The document's policy, if its genesis is known.
    pub fn policy(&self) -> Option<Policy> {
        self.logs.charter(&self.changes.document).ok().map(|charter| charter.policy)
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |ids: &[AuthorityId]| ids.iter().map(|id| format!("{id:?}")).collect::<Vec<_>>().join(", ");
        let by = |by: &Option<AuthorityId>| by.map_or(String::new(), |by| format!(" because of {by:?}"));
        match self {
            Reason::OpenToAll => f.write_str("accepted: anyone may write here"),
            Reason::Root => f.write_str("accepted: its author is a root"),
            Reason::Granted(path) => write!(f, "accepted: its author was granted this by {}", list(path)),
            Reason::Released(release) => write!(f, "accepted: {release:?} opened this to everybody for ever"),
            Reason::BuiltOn(change) => write!(f, "accepted: {change:?}, by an author who may write, builds on it"),
            Reason::Adopted(by) => write!(f, "accepted: {} adopted it", list(by)),
            Reason::Revoked(by) => {
                write!(f, "masked: {by:?} ended its author's part, and nobody who may write has built on it")
            }
            Reason::Broken { hop, by: cause } => {
                write!(f, "masked: {hop:?}, which it cites, is not valid{}", by(cause))
            }
            Reason::Purged(by) => write!(f, "masked: {by:?} revoked its author and does not keep it"),
            Reason::Orphaned { on, by: cause } => {
                write!(f, "masked: it builds on {on:?}, which is purged{}", by(cause))
            }
            Reason::Missing(id) => {
                write!(f, "pending: {:?}, which it needs, is not known yet", AuthorityId(*id))
            }
            Reason::Refused(refusal) => write!(f, "refused: {refusal}"),
            Reason::Unknown => f.write_str("unknown here"),
        }
    }
}
