//! Who asks whom for which document, and who may have it.

use pistol_core::genesis::ReadKey;
use pistol_core::id::DocumentId;
use pistol_sync::limits::TOPICS_MAX;
use pistol_sync::node::NodeId;
use pistol_sync::proto::heads;
use pistol_sync::proto::message::{Follow, Interest, Message, Refusal, Scope, Topic};
use pistol_sync::proto::proof::Role;

use super::{Peer, send};
use crate::documents::lock;
use crate::effect::{Effect, ReplyError};
use crate::engine::Engine;
use crate::engine::topic::TopicState;
use crate::input::ConnectionId;
use crate::limits;
use crate::replica::PeerState;

impl Engine {
    /// Asks a connected peer for a document, once it is open here or if it is to be joined.
    pub(in crate::engine) fn declare_interest(
        &mut self,
        node: NodeId,
        document: DocumentId,
        effects: &mut Vec<Effect>,
    ) {
        let Some(connection) = self.peers.iter().find(|(_, peer)| peer.node == node).map(|(id, _)| *id) else { return };
        let joining = self.joins.get(&document).map(|join| join.read_key.clone());
        let space = self.asked_for_space(connection, &document).and_then(|space| self.catalog.log(&space));
        let read_key = match (joining, self.documents.replica(&document), space) {
            (_, Some(replica), _) => lock(&replica).read_key().cloned(),
            (Some(read_key), None, _) => read_key,
            // It comes without its key, which is drawn from the space's.
            (None, None, Some(space)) if !self.catalog.holds(&document) => space.read_key,
            (None, None, _) if self.is_wanted(&document) => None,
            (None, None, _) => {
                self.load(document, effects);
                return;
            }
        };
        let wants_genesis = self.documents.replica(&document).is_none();
        let is_joined = self.joins.get(&document).is_some();
        let again_ms = self.now.steady_ms + limits::ASK_AGAIN_MS;
        let Some(peer) = self.peers.get_mut(&connection) else { return };
        if peer.topic_of(&document).is_some() {
            return;
        }
        if wants_genesis && !is_joined && peer.new_asked.len() >= limits::LOGS_ASKED_MAX {
            peer.ask_later.insert(document, again_ms);
            return;
        }
        let topic = peer.next_topic;
        peer.next_topic += 2;
        peer.begin(topic, TopicState::asked(document));
        if wants_genesis {
            peer.new_asked.insert(topic);
        }
        let proof = read_key.map(|key| peer.binding.prove(&key, peer.role, &document));
        let scope = Scope::Document(document.0);
        let interest = Interest { topic, scope, proof, wants_genesis, extensions: Vec::new() };
        effects.push(send(connection, &Message::Interest(interest)));
        self.show(&document, node, PeerState::Connecting, false);
    }

    /// A peer asks for a document.
    pub(super) fn asked(&mut self, connection: ConnectionId, interest: &Interest, effects: &mut Vec<Effect>) {
        let topic = interest.topic;
        let refuse = |why| send(connection, &Message::Refused(topic, why));
        let Some(peer) = self.peers.get_mut(&connection) else { return };
        let is_theirs = topic % 2 == u32::from(peer.role == Role::Dialler);
        if !is_theirs || peer.topics.contains_key(&topic) {
            return self.hang_up(connection, "it used a number of ours, or one twice", effects);
        }
        if peer.topics.len() >= TOPICS_MAX {
            return effects.push(refuse(Refusal::Busy(1000)));
        }
        let Scope::Document(document) = interest.scope else {
            return effects.push(refuse(Refusal::NotSupported));
        };
        let document = DocumentId(document);
        let log = self.catalog.log(&document);
        // Who has no such document yet says so.
        if (log.is_some() || peer.role == Role::Dialler) && peer.is_settled_by_own(&document, interest.wants_genesis) {
            return;
        }
        // Neither had it, and the dialler answers if it has it by now. If it has not it asks again.
        if log.as_ref().is_some_and(|log| !log.kind.is_document()) && peer.is_asked_for_new(&document) {
            return effects.push(refuse(Refusal::Busy(u32::try_from(limits::ASK_AGAIN_MS).unwrap_or(u32::MAX))));
        }
        let Some(log) = log else {
            let node = peer.node;
            effects.push(refuse(Refusal::NotStored));
            // Who asks for more of it has it.
            if !interest.wants_genesis && self.is_wanted(&document) {
                self.declare_interest(node, document, effects);
            }
            return;
        };
        let (node, binding, role) = (peer.node, peer.binding, peer.role.other());
        let is_proof = |key: ReadKey| interest.proof.is_some_and(|p| binding.is_proved(&key, role, &document, &p));
        let is_reader = log.is_public
            || log.read_key.clone().is_some_and(is_proof)
            || self.key_of_space(&log).is_some_and(is_proof);
        // Whoever may read a document may read the logs on which its verdicts rest.
        if !is_reader && (log.kind.is_document() || !self.shares_dependent(&node, &document)) {
            return effects.push(refuse(Refusal::NotAllowed));
        }
        let Some(peer) = self.peers.get_mut(&connection) else { return };
        if let Some(before) = peer.topic_of(&document) {
            peer.forget(before);
        }
        peer.begin(topic, TopicState::wanted(document, interest.wants_genesis, is_reader));
        match (self.documents.replica(&document), log.is_durable) {
            (Some(_), true) => self.answer_interest(connection, topic, effects),
            (Some(_), false) => {}
            (None, _) => drop(self.load(document, effects)),
        }
    }

    fn answer_interest(&mut self, connection: ConnectionId, topic: Topic, effects: &mut Vec<Effect>) {
        let Some(peer) = self.peers.get_mut(&connection) else { return };
        let Some(state) = peer.topics.get_mut(&topic) else { return };
        let Some(replica) = self.documents.replica(&state.document) else { return };
        let replica = lock(&replica);
        let history = replica.history();
        let proof = replica.read_key().map(|key| peer.binding.prove(key, peer.role, &state.document));
        let genesis = state.wants_genesis.then(|| history.genesis().bytes().to_vec());
        let follow = Follow { topic, proof, genesis, heads: heads::part(&replica.heads(), None) };
        effects.push(send(connection, &Message::Follow(follow)));
        state.is_following = true;
        drop(replica);
        self.follow_log(connection, topic, effects);
        self.follow_space(connection, topic);
    }

    /// A document came into memory or into the store: peers that waited for it are answered and asked.
    pub(in crate::engine) fn document_is_open(&mut self, document: DocumentId, effects: &mut Vec<Effect>) {
        self.tell_owed(&document);
        let waits = |state: &TopicState| state.document == document && state.is_wanted && !state.is_following;
        let waiting = |(id, peer): (&ConnectionId, &Peer)| {
            let topics: Vec<_> = peer.topics.iter().filter(|(_, state)| waits(state)).map(|(t, _)| (*id, *t)).collect();
            topics
        };
        let waiting: Vec<_> = self.peers.iter().flat_map(waiting).collect();
        for (connection, topic) in waiting {
            self.answer_interest(connection, topic, effects);
        }
        let nodes: Vec<NodeId> = self.peers.values().map(|peer| peer.node).collect();
        for node in nodes {
            let is_shared = self.contacts.shares(&node, &document) || self.owed.has(&document, &node);
            if is_shared || self.shares_dependent(&node, &document) || self.shares_space(&node, &document) {
                self.declare_interest(node, document, effects);
            }
        }
        self.show_unreached(&document);
        self.show_standing(&document, effects);
        self.depend(document, effects);
        self.give_to_dependents(&document, effects);
        self.touch_space(&document);
        self.unpark(&document, effects);
    }

    /// A document is not served any more: peers are told.
    pub(in crate::engine) fn withdraw(&mut self, document: DocumentId, effects: &mut Vec<Effect>) {
        self.drop_parked(&document);
        for (connection, peer) in &mut self.peers {
            let Some(topic) = peer.topic_of(&document) else { continue };
            peer.forget(topic);
            peer.ended.insert(topic, ());
            effects.push(send(*connection, &Message::Refused(topic, Refusal::NotStored)));
        }
    }

    /// The peer lets us follow: it must prove the read key too, and bring the genesis if it is new here.
    pub(super) fn may_follow(&mut self, connection: ConnectionId, mut follow: Follow, effects: &mut Vec<Effect>) {
        let Some(peer) = self.peers.get_mut(&connection) else { return };
        peer.new_asked.remove(&follow.topic);
        let Some(state) = peer.topics.get(&follow.topic).filter(|state| state.is_asked && !state.is_following) else {
            return self.hang_up(connection, "it answered what was not asked", effects);
        };
        let (document, node, binding, role) = (state.document, peer.node, peer.binding, peer.role.other());
        let known = self.documents.replica(&document).map(|replica| lock(&replica).read_key().cloned());
        let is_new = known.is_none();
        let is_joined = self.joins.get(&document).is_some();
        let mut wanted = None;
        if is_new && !is_joined {
            let genesis = follow.genesis.take().unwrap_or_default();
            let is_wanted = self.is_wanted(&document) || self.asked_for_space(connection, &document).is_some();
            wanted = match is_wanted.then(|| self.read_wanted(connection, document, &genesis, effects)) {
                Some(Ok(wanted)) => wanted,
                Some(Err(_)) => {
                    return self.hang_up(connection, "it sent a genesis that is not what was asked", effects);
                }
                None => None,
            };
            if wanted.is_none() {
                return self.leave(connection, follow.topic, effects);
            }
        }
        let joining = self.joins.get(&document).map(|join| join.read_key.clone());
        let read_key = known.or(wanted.as_ref().map(|(_, key)| key.clone())).or(joining).flatten();
        let is_proved = match (&read_key, &follow.proof) {
            (None, _) => true,
            (Some(key), Some(proof)) => binding.is_proved(key, role, &document, proof),
            (Some(_), None) => false,
        };
        if !is_proved {
            self.joins.note(node, "the peer does not hold the document's read key");
            return self.hang_up(connection, "it does not hold the document's read key", effects);
        }
        let outcome = match wanted {
            Some((genesis, key)) => self.add_document(genesis, key),
            None if is_new => self.take_genesis(document, &follow.genesis.take().unwrap_or_default()),
            None => Ok(()),
        };
        self.end_join(&document, &outcome, effects);
        if outcome.is_err() {
            return self.hang_up(connection, "it sent a genesis that is not the document's", effects);
        }
        let is_public = self.catalog.log(&document).is_some_and(|log| log.is_public);
        if let Some(state) = self.topic_mut(connection, follow.topic) {
            (state.is_following, state.is_reader) = (true, is_public || read_key.is_some());
        }
        self.follow_log(connection, follow.topic, effects);
        self.follow_space(connection, follow.topic);
        self.send_heads(connection, follow.topic, None, effects);
        self.took_heads(connection, follow.topic, &follow.heads, effects);
        self.was_answered(connection, &document, effects);
    }

    /// The peer follows a document no longer. Who has that from its own ticket asks for it then.
    pub(super) fn was_left(&mut self, connection: ConnectionId, topic: Topic, effects: &mut Vec<Effect>) {
        let Some(peer) = self.peers.get_mut(&connection) else { return };
        let (node, left) = (peer.node, peer.forget(topic));
        let left = left.filter(|state| state.is_wanted && self.contacts.shares(&node, &state.document));
        if let Some(state) = left.filter(|state| self.catalog.holds(&state.document)) {
            self.declare_interest(node, state.document, effects);
        }
    }

    /// Nobody waits for it any more, or it is not what it was named as.
    fn leave(&mut self, connection: ConnectionId, topic: Topic, effects: &mut Vec<Effect>) {
        let Some(state) = self.peers.get_mut(&connection).and_then(|peer| peer.forget(topic)) else { return };
        effects.push(send(connection, &Message::Leave(topic)));
        self.was_answered(connection, &state.document, effects);
    }

    pub(super) fn was_refused(
        &mut self,
        connection: ConnectionId,
        topic: Topic,
        why: Refusal,
        effects: &mut Vec<Effect>,
    ) {
        let Some(peer) = self.peers.get_mut(&connection) else { return };
        let Some(state) = peer.forget(topic) else { return };
        let (node, document) = (peer.node, state.document);
        let is_told_of = self.asked_for_space(connection, &document).is_some();
        let wait_ms = match why {
            // It told of it, and tells of it again when it has it again.
            _ if is_told_of => None,
            Refusal::NotStored => Some(limits::ASK_LATER_MS),
            Refusal::Busy(wait_ms) => Some(u64::from(wait_ms).clamp(limits::ASK_AGAIN_MS, limits::ASK_LATER_MS)),
            Refusal::NotAllowed | Refusal::NotSupported => None,
        };
        if let (Some(wait_ms), Some(peer)) = (wait_ms, self.peers.get_mut(&connection)) {
            peer.ask_later.insert(document, self.now.steady_ms + wait_ms);
        }
        self.was_answered(connection, &document, effects);
        let reason = match why {
            Refusal::NotStored => "it does not hold the document",
            Refusal::NotAllowed => "the ticket's key does not open the document there",
            Refusal::Busy(_) => "it has too much to do",
            Refusal::NotSupported => "it is too old or too new for this kind of document",
        };
        self.show(&document, node, PeerState::Refused(reason.to_owned()), false);
        self.end_join(&document, &Err(ReplyError::Refused(reason.to_owned())), effects);
    }

    /// Asks again for documents that peers did not have.
    pub(in crate::engine) fn ask_refusers(&mut self, effects: &mut Vec<Effect>) {
        let now = self.now.steady_ms;
        let mut due = Vec::new();
        for peer in self.peers.values_mut() {
            let node = peer.node;
            due.extend(peer.ask_later.iter().filter(|(_, at)| **at <= now).map(|(document, _)| (node, *document)));
            peer.ask_later.retain(|_, at| *at > now);
        }
        for (node, document) in due {
            self.declare_interest(node, document, effects);
        }
    }
}
