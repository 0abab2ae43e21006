//! The documents of a space on one connection: which of them the other side holds too, and which it holds that are not here.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use pistol_core::id::DocumentId;
use pistol_sync::node::NodeId;
use pistol_sync::proto::listing;
use pistol_sync::proto::message::{Listed, Message, Topic};

use crate::effect::Effect;
use crate::engine::Engine;
use crate::engine::peer::send;
use crate::engine::topic::TopicState;
use crate::input::ConnectionId;
use crate::limits;

/// What is known of the documents on the other side of a space's topic.
#[derive(Debug, Default)]
pub(in crate::engine) struct Directory {
    /// Whether the peer was told what is here: what comes later is told one by one.
    is_begun: bool,
    /// Whether the peer told its digest: to compare takes a look at all documents here, and is done once.
    is_compared: bool,
    /// The peer's digest, until it is compared.
    digest: Option<Early>,
    /// Whether the peer told of all that it holds.
    is_told: bool,
    /// Documents here of which the peer did not say that it holds them.
    lacking: BTreeSet<DocumentId>,
    /// Documents of the peer's that are not here, to be asked for; no more than one message holds.
    queue: VecDeque<DocumentId>,
    /// Those that it was asked for.
    asked: BTreeSet<DocumentId>,
    /// All that it told of and that are not stored here yet: when they are, it is known to hold them.
    coming: BTreeSet<DocumentId>,
    /// Those that have no place here as things stand, and whether that is since something is missing: a document that was removed is
    /// one that the peer will come to leave out too.
    held_back: BTreeMap<DocumentId, bool>,
    /// The last one that it told of, while there are more.
    next_after: Option<[u8; 32]>,
}

/// What a peer told before both were ready to compare.
#[derive(Clone, Copy, Debug)]
pub(in crate::engine) enum Early {
    /// What it holds, by its digest.
    Digest([u8; 32]),
    /// Of some document: its list is to be asked for.
    List,
}

impl Directory {
    /// Whether the peer told of everything, and it is here.
    pub(in crate::engine) fn has_all(&self) -> bool {
        let is_any_pending = self.held_back.values().any(|is_pending| *is_pending);
        self.is_told && self.queue.is_empty() && self.asked.is_empty() && !is_any_pending
    }

    /// Whether the peer holds all that is here.
    pub(in crate::engine) fn has_sent_all(&self) -> bool {
        self.is_begun && self.lacking.is_empty()
    }

    /// Whether the peer is to be asked for the next part of its list.
    fn takes_next(&mut self) -> Option<[u8; 32]> {
        if self.queue.is_empty() && self.asked.is_empty() { self.next_after.take() } else { None }
    }
}

impl Engine {
    /// Documents of a space are told of on a connection from now on, once it is known which have their place.
    pub(in crate::engine) fn follow_space(&mut self, connection: ConnectionId, topic: Topic) {
        let Some(state) = self.topic_mut(connection, topic) else { return };
        let space = state.document;
        if state.is_reader && self.catalog.log(&space).is_some_and(|log| log.kind == pistol_core::genesis::Kind::Space)
        {
            if let Some(peer) = self.peers.get_mut(&connection)
                && let Some(state) = peer.topics.get_mut(&topic)
            {
                let early = state.early_catalogue.take();
                let directory = state.directory.get_or_insert_default();
                directory.digest = directory.digest.or(early);
                peer.spaces.insert(topic);
            }
            self.spaces.to_begin.insert((connection, space));
            self.spaces.stale.insert(space);
        }
    }

    pub(super) fn begin_directories(&mut self, effects: &mut Vec<Effect>) {
        for (connection, space) in std::mem::take(&mut self.spaces.to_begin) {
            let Some(topic) = self.peers.get(&connection).and_then(|peer| peer.topic_of(&space)) else { continue };
            let Some(here) = self.spaces.here(&space) else {
                self.spaces.to_begin.insert((connection, space));
                continue;
            };
            let (digest, lacking) = (listing::digest(here.iter()), here.clone());
            let Some(directory) = self.directory_mut(connection, topic) else { continue };
            directory.is_begun = true;
            directory.lacking = lacking;
            effects.push(send(connection, &Message::Catalogue(topic, digest)));
            self.compare(connection, topic, effects);
        }
    }

    /// What the peer's documents have in common.
    pub(in crate::engine) fn took_catalogue(
        &mut self,
        connection: ConnectionId,
        topic: Topic,
        digest: [u8; 32],
        effects: &mut Vec<Effect>,
    ) {
        if self.is_early(connection, topic, Early::Digest(digest)) {
            return;
        }
        let Some(directory) = self.directory_or_blame(connection, topic, effects) else { return };
        if directory.is_compared {
            return;
        }
        directory.digest = Some(Early::Digest(digest));
        self.compare(connection, topic, effects);
    }

    /// Where both hold the same documents, each is followed; else the peer is asked for its list.
    fn compare(&mut self, connection: ConnectionId, topic: Topic, effects: &mut Vec<Effect>) {
        let Some(directory) = self.directory_mut(connection, topic).filter(|directory| directory.is_begun) else {
            return;
        };
        let Some(digest) = directory.digest.take() else { return };
        directory.is_compared = true;
        let Some(space) = self.topic_mut(connection, topic).map(|state| state.document) else { return };
        let here: Vec<DocumentId> = self.spaces.here(&space).into_iter().flatten().copied().collect();
        if !matches!(digest, Early::Digest(digest) if digest == listing::digest(here.iter())) {
            return effects.push(send(connection, &Message::MoreListed(topic, None)));
        }
        if let Some(directory) = self.directory_mut(connection, topic) {
            directory.is_told = true;
            directory.lacking.clear();
        }
        self.follow_together(connection, topic, &here, effects);
        self.refresh(connection, topic, effects);
    }

    /// The peer asks which documents are here.
    pub(in crate::engine) fn tell_listed(
        &mut self,
        connection: ConnectionId,
        topic: Topic,
        after: Option<[u8; 32]>,
        effects: &mut Vec<Effect>,
    ) {
        if self.directory_or_blame(connection, topic, effects).is_none_or(|directory| !directory.is_begun) {
            return;
        }
        let Some(space) = self.topic_mut(connection, topic).map(|state| state.document) else { return };
        let Some(here) = self.spaces.here(&space) else { return };
        let listed = match after {
            None => listing::part(here.iter()),
            Some(after) => {
                use std::ops::Bound::{Excluded, Unbounded};
                listing::part(here.range((Excluded(DocumentId(after)), Unbounded)))
            }
        };
        effects.push(send(connection, &Message::Listed(topic, listed)));
    }

    /// Documents that the peer holds.
    pub(in crate::engine) fn took_listed(
        &mut self,
        connection: ConnectionId,
        topic: Topic,
        listed: &Listed,
        effects: &mut Vec<Effect>,
    ) {
        if self.is_early(connection, topic, Early::List)
            || self.directory_or_blame(connection, topic, effects).is_none()
        {
            return;
        }
        let Some(space) = self.topic_mut(connection, topic).map(|state| state.document) else { return };
        // What is held and has no place is on its way to the disk, or may come to have one.
        let (mut both, mut held, mut new) = (Vec::new(), Vec::new(), Vec::new());
        for id in listed.ids.iter().map(|id| DocumentId(*id)) {
            if self.spaces.here(&space).is_some_and(|here| here.contains(&id)) {
                both.push(id);
            } else if self.catalog.holds(&id) {
                held.push(id);
            } else if !self.spaces.is_unfit(space, id) {
                new.push(id);
            }
        }
        let Some(directory) = self.directory_mut(connection, topic) else { return };
        for id in &both {
            directory.lacking.remove(id);
        }
        directory.coming.extend(held);
        match listed.has_more {
            Some(true) => directory.next_after = listed.ids.last().copied(),
            Some(false) => directory.is_told = true,
            None => {}
        }
        for id in new {
            if directory.queue.len() >= limits::DOCUMENTS_QUEUED_MAX {
                // It told of more than was asked for: the list is asked for again, from its beginning.
                (directory.is_told, directory.next_after) = (false, Some([0; 32]));
                break;
            }
            directory.coming.insert(id);
            directory.queue.push_back(id);
        }
        self.follow_together(connection, topic, &both, effects);
        self.ask_for_documents(connection, topic, effects);
        self.refresh(connection, topic, effects);
    }

    /// Documents that both hold: the one that asked for the space asks for them, unless it does already.
    fn follow_together(
        &mut self,
        connection: ConnectionId,
        topic: Topic,
        both: &[DocumentId],
        effects: &mut Vec<Effect>,
    ) {
        let Some(peer) = self.peers.get(&connection) else { return };
        if !peer.topics.get(&topic).is_some_and(|state| state.is_asked) {
            return;
        }
        let node = peer.node;
        both.iter().for_each(|document| self.declare_interest(node, *document, effects));
    }

    /// Asks for the next of the documents that are not here.
    fn ask_for_documents(&mut self, connection: ConnectionId, topic: Topic, effects: &mut Vec<Effect>) {
        let Some(peer) = self.peers.get(&connection) else { return };
        let Some(state) = peer.topics.get(&topic) else { return };
        let (node, space) = (peer.node, state.document);
        loop {
            let Some(directory) = self.directory_mut(connection, topic) else { return };
            if directory.asked.len() >= limits::LOGS_ASKED_MAX {
                return;
            }
            let Some(document) = directory.queue.pop_front() else { break };
            if self.catalog.holds(&document) {
                continue;
            }
            if self.spaces.is_unfit(space, document) {
                if let Some(directory) = self.directory_mut(connection, topic) {
                    directory.coming.remove(&document);
                }
                continue;
            }
            if let Some(directory) = self.directory_mut(connection, topic) {
                directory.asked.insert(document);
            }
            self.declare_interest(node, document, effects);
        }
        let Some(directory) = self.directory_mut(connection, topic) else { return };
        if let Some(after) = directory.takes_next() {
            effects.push(send(connection, &Message::MoreListed(topic, Some(after))));
        }
    }

    /// The peer answered for a document that it was asked for, one way or the other: the next one has its turn.
    pub(in crate::engine) fn was_answered(
        &mut self,
        connection: ConnectionId,
        document: &DocumentId,
        effects: &mut Vec<Effect>,
    ) {
        let is_here = self.catalog.holds(document);
        for topic in self.peers.get(&connection).map(|peer| peer.spaces.clone()).unwrap_or_default() {
            let Some(directory) = self.directory_mut(connection, topic) else { continue };
            if directory.asked.remove(document) {
                if !is_here && !directory.held_back.contains_key(document) {
                    directory.coming.remove(document);
                }
                self.ask_for_documents(connection, topic, effects);
                self.refresh(connection, topic, effects);
            }
        }
    }

    /// The space for whose sake a peer was asked for a document that it told of.
    pub(in crate::engine) fn asked_for_space(
        &self,
        connection: ConnectionId,
        document: &DocumentId,
    ) -> Option<DocumentId> {
        let peer = self.peers.get(&connection)?;
        let states = peer.spaces.iter().filter_map(|topic| peer.topics.get(topic));
        let is_asked =
            |state: &&TopicState| state.directory.as_ref().is_some_and(|found| found.asked.contains(document));
        states.into_iter().find(is_asked).map(|state| state.document)
    }

    fn space_of(&self, document: &DocumentId) -> Option<DocumentId> {
        self.catalog.log(document)?.addition.map(|addition| addition.space)
    }

    /// A document of a space has no place there yet, as this node sees it: it is asked for again when more of the space is known.
    pub(super) fn hold_back(
        &mut self,
        connection: ConnectionId,
        space: &DocumentId,
        (document, is_pending): (DocumentId, bool),
    ) {
        let Some(topic) = self.peers.get(&connection).and_then(|peer| peer.topic_of(space)) else { return };
        if let Some(directory) = self.directory_mut(connection, topic) {
            directory.held_back.insert(document, is_pending);
        }
    }

    /// More of a space is known: what had no place may have one.
    pub(super) fn ask_for_held_back(&mut self, space: &DocumentId, effects: &mut Vec<Effect>) {
        for (connection, topic) in self.directories_of(space) {
            let Some(directory) = self.directory_mut(connection, topic) else { continue };
            let held_back = std::mem::take(&mut directory.held_back);
            if !held_back.is_empty() {
                directory.queue.extend(held_back.into_keys());
                self.ask_for_documents(connection, topic, effects);
            }
        }
    }

    /// Documents came to have their place in a space, or have it no more.
    pub(super) fn announce(
        &mut self,
        space: &DocumentId,
        come: &[DocumentId],
        gone: &[DocumentId],
        effects: &mut Vec<Effect>,
    ) {
        for (connection, topic) in self.directories_of(space) {
            let Some(directory) = self.directory_mut(connection, topic).filter(|directory| directory.is_begun) else {
                continue;
            };
            let (both, lacking): (Vec<DocumentId>, Vec<_>) = come.iter().partition(|id| directory.coming.remove(*id));
            directory.lacking.extend(lacking);
            for id in gone {
                directory.lacking.remove(id);
            }
            for part in come.chunks(pistol_sync::limits::LISTED_MAX) {
                let listed = Listed { ids: part.iter().map(|id| id.0).collect(), has_more: None };
                effects.push(send(connection, &Message::Listed(topic, listed)));
            }
            self.follow_together(connection, topic, &both, effects);
            self.leave_gone(connection, gone, effects);
            self.refresh(connection, topic, effects);
        }
    }

    /// What has no place in the space any more is not followed for its sake.
    fn leave_gone(&mut self, connection: ConnectionId, gone: &[DocumentId], effects: &mut Vec<Effect>) {
        for document in gone {
            let Some(peer) = self.peers.get_mut(&connection) else { return };
            if self.contacts.shares(&peer.node, document) {
                continue;
            }
            let Some(topic) =
                peer.topic_of(document).filter(|topic| peer.topics.get(topic).is_some_and(|t| t.is_asked))
            else {
                continue;
            };
            peer.forget(topic);
            peer.ended.insert(topic, ());
            effects.push(send(connection, &Message::Leave(topic)));
        }
    }

    /// Whether a document is one that this node follows with a peer because both follow its space.
    pub(in crate::engine) fn shares_space(&self, node: &NodeId, document: &DocumentId) -> bool {
        let Some(space) = self.space_of(document) else { return false };
        if !self.spaces.here(&space).is_some_and(|here| here.contains(document)) {
            return false;
        }
        self.peers.values().filter(|peer| peer.node == *node).any(|peer| {
            let state = peer.topic_of(&space).and_then(|topic| peer.topics.get(&topic));
            let directory = state.filter(|state| state.is_asked).and_then(|state| state.directory.as_ref());
            directory.is_some_and(|directory| directory.is_told && !directory.lacking.contains(document))
        })
    }

    fn directories_of(&self, space: &DocumentId) -> Vec<(ConnectionId, Topic)> {
        let of = |(connection, peer): (&ConnectionId, &crate::engine::Peer)| {
            let topic = peer.topic_of(space)?;
            peer.topics.get(&topic)?.directory.as_ref().map(|_| (*connection, topic))
        };
        self.peers.iter().filter_map(of).collect()
    }

    fn directory_mut(&mut self, connection: ConnectionId, topic: Topic) -> Option<&mut Directory> {
        self.topic_mut(connection, topic)?.directory.as_mut()
    }

    /// Notes what the peer told before it let us follow: it is told once.
    fn is_early(&mut self, connection: ConnectionId, topic: Topic, early: Early) -> bool {
        let state = self.topic_mut(connection, topic).filter(|state| state.is_asked && !state.is_following);
        let Some(state) = state else { return false };
        if !matches!(state.early_catalogue, Some(Early::List)) {
            state.early_catalogue = Some(early);
        }
        true
    }

    /// What a peer tells of documents is heard in a space that both follow.
    fn directory_or_blame(
        &mut self,
        connection: ConnectionId,
        topic: Topic,
        effects: &mut Vec<Effect>,
    ) -> Option<&mut Directory> {
        let peer = self.peers.get(&connection)?;
        if peer.has_ended(topic) {
            return None;
        }
        if peer.topics.get(&topic).is_none_or(|state| state.directory.is_none()) {
            self.blame(connection, "it spoke of documents of a space that it may not follow", effects);
            return None;
        }
        self.directory_mut(connection, topic)
    }
}
