//! Logs of identities and groups that documents depend on. Each is a log of its own in this store: whoever follows a document with a
//! peer asks it for the logs that the document leads to, and what of them is durable here is given to the documents.
//!
//! Architecture Invariant: nobody makes this node keep a log but whoever may grant in a log that it holds, and of each document at
//! most [`pistol_acl::limits::LOGS_MAX`] are looked for.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use pistol_acl::{Charter, Need};
use pistol_core::genesis::Kind;
use pistol_core::id::DocumentId;
use pistol_sync::node::NodeId;

use super::Engine;
use crate::documents::lock;
use crate::effect::Effect;
use crate::input::ConnectionId;
use crate::limits;
use crate::recent::Recent;
use crate::replica::Members;

/// Which documents depend on which logs.
#[derive(Debug)]
pub(super) struct Logs {
    /// Of each log the documents that depend on it and were open since: of one that was closed, what it needs is read when it is
    /// opened.
    dependents: BTreeMap<DocumentId, BTreeSet<Dependent>>,
    /// What was named as one kind of log and is another: which. It is not asked for again until something names it so.
    kinds: Recent<DocumentId, Kind>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Dependent {
    document: DocumentId,
    need: Need,
}

impl Default for Logs {
    fn default() -> Self {
        Logs { dependents: BTreeMap::new(), kinds: Recent::up_to(limits::UNFIT_LOGS_MAX) }
    }
}

impl Logs {
    /// A document is gone.
    pub(super) fn forget(&mut self, document: &DocumentId) {
        self.dependents.retain(|_, dependents| {
            dependents.retain(|dependent| dependent.document != *document);
            !dependents.is_empty()
        });
    }

    /// What a log is that was named as something else.
    pub(super) fn is_of_kind(&mut self, log: DocumentId, kind: Kind) {
        self.kinds.insert(log, kind);
    }

    fn of(&self, log: &DocumentId) -> impl Iterator<Item = &Dependent> {
        self.dependents.get(log).into_iter().flatten()
    }
}

impl Engine {
    /// Looks for the logs that a document leads to, if its operations say something new of that, and takes in what is here.
    pub(super) fn depend(&mut self, document: DocumentId, effects: &mut Vec<Effect>) {
        // What is taken in may lead to more.
        while let Some(needs) = self.new_needs(&document) {
            for need in needs {
                self.depend_on(document, need, effects);
            }
        }
    }

    fn new_needs(&self, document: &DocumentId) -> Option<Vec<Need>> {
        let replica = self.documents.replica(document)?;
        lock(&replica).members_mut()?.new_needs()
    }

    fn depend_on(&mut self, document: DocumentId, need: Need, effects: &mut Vec<Effect>) {
        let is_new = self.logs.dependents.entry(need.log).or_default().insert(Dependent { document, need });
        let is_durable = self.catalog.log(&need.log).is_some_and(|log| log.is_durable);
        if is_durable && self.documents.is_open(&need.log) {
            self.give(&need.log, document);
        } else if is_durable && !self.is_taken(&need.log, &document) {
            // It is given when it is open.
            self.load(need.log, effects);
        }
        if is_new {
            let followers: Vec<NodeId> = self.followers_of(&document).collect();
            followers.into_iter().for_each(|node| self.declare_interest(node, need.log, effects));
        }
    }

    fn is_taken(&self, log: &DocumentId, document: &DocumentId) -> bool {
        let replica = self.documents.replica(document);
        replica.is_some_and(|replica| lock(&replica).members().is_some_and(|members| members.taken_of(log).is_some()))
    }

    fn followers_of(&self, document: &DocumentId) -> impl Iterator<Item = NodeId> {
        let follows = |peer: &&super::Peer| {
            let state = peer.topic_of(document).and_then(|topic| peer.topics.get(&topic));
            state.is_some_and(|state| state.is_following)
        };
        self.peers.values().filter(follows).map(|peer| peer.node)
    }

    /// Something of a log is durable, or it was opened: the documents that depend on it take in what is new to them.
    pub(super) fn give_to_dependents(&mut self, log: &DocumentId, effects: &mut Vec<Effect>) {
        let dependents: Vec<DocumentId> = self.logs.of(log).map(|dependent| dependent.document).collect();
        for document in dependents {
            self.give(log, document);
            self.depend(document, effects);
        }
    }

    /// Gives a document what is durable of a log. What waited for it is looked at when the tick ends.
    fn give(&mut self, log: &DocumentId, document: DocumentId) {
        let (Some(from), Some(to)) = (self.documents.replica(log), self.documents.replica(&document)) else { return };
        let is_meant = self.logs.of(log).any(|dependent| {
            dependent.document == document && self.catalog.log(log).is_some_and(|log| fits(log.kind, dependent.need))
        });
        let Some(taken) = lock(&to).members().map(|members| members.taken_of(log).unwrap_or_default()) else { return };
        if !is_meant {
            return;
        }
        let from = lock(&from);
        let Some(members) = from.members() else { return };
        // Of one whose rows were put in order they may be fewer, and others.
        let taken = if taken > members.durable() { 0 } else { taken };
        let genesis = Arc::clone(from.history().genesis());
        let new: Vec<_> = members.durable_from(taken).map(|(_, signed)| signed.clone()).collect();
        drop(from);
        if let Some(members) = lock(&to).members_mut()
            && members.take_other(&genesis, taken, &new)
        {
            self.inbox.entry(document).or_default();
            self.touch_space(&document);
        }
    }

    /// Whether a log is looked for that this store does not hold.
    pub(super) fn is_wanted(&self, log: &DocumentId) -> bool {
        let is_named_so = |need: Need| self.logs.kinds.find(log).is_none_or(|kind| fits(*kind, need));
        let is_needed = || {
            let mut dependents = self.logs.of(log);
            dependents.any(|dependent| is_named_so(dependent.need) && self.documents.is_open(&dependent.document))
        };
        !self.catalog.holds(log) && is_needed()
    }

    /// Whether a peer follows a document that depends on a log: then both tell each other of the log.
    pub(super) fn shares_dependent(&self, node: &NodeId, log: &DocumentId) -> bool {
        self.logs.of(log).any(|dependent| self.followers_of(&dependent.document).any(|follower| follower == *node))
    }

    /// A document is followed on a connection: so are the logs that it depends on.
    pub(super) fn follow_needs(&mut self, connection: ConnectionId, document: &DocumentId, effects: &mut Vec<Effect>) {
        let Some(node) = self.peers.get(&connection).map(|peer| peer.node) else { return };
        let Some(replica) = self.documents.replica(document) else { return };
        let needs = lock(&replica).members().map(Members::needs).unwrap_or_default();
        needs.into_iter().for_each(|need| self.declare_interest(node, need.log, effects));
    }

    /// Whether documents depend on a log that is what its genesis begins.
    pub(super) fn is_log_meant(&self, log: DocumentId, kind: Kind) -> bool {
        self.logs.of(&log).any(|dependent| fits(kind, dependent.need))
    }
}

/// Whether what a genesis begins is what a grant names.
pub(crate) fn fits(kind: Kind, need: Need) -> bool {
    Charter::kind_of(kind) == Some(need.kind) && !kind.is_document()
}
