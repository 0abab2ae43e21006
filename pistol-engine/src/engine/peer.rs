//! One connection: hello, what is asked for, and who may have it.

use std::collections::{BTreeMap, BTreeSet};

use pistol_core::genesis::ReadKey;
use pistol_core::id::DocumentId;
use pistol_sync::limits::{FRAME_BYTES_MAX, TOPICS_MAX, UNDER_WAY_BYTES_MAX};
use pistol_sync::node::NodeId;
use pistol_sync::proto::heads;
use pistol_sync::proto::message::{Follow, Hello, Interest, Message, Refusal, Scope, Topic, VERSIONS};
use pistol_sync::proto::proof::{Binding, Role};

use super::Engine;
use super::topic::TopicState;
use crate::documents::lock;
use crate::effect::{Effect, ReplyError};
use crate::input::ConnectionId;
use crate::limits;
use crate::recent::Recent;
use crate::replica::{PeerState, PeerView};

/// The other end of a connection.
#[derive(Debug)]
pub(super) struct Peer {
    pub(super) node: NodeId,
    role: Role,
    binding: Binding,
    is_greeted: bool,
    hello_deadline_ms: u64,
    faults: u32,
    /// When the connection came to stand.
    since_ms: u64,
    pub(super) topics: BTreeMap<Topic, TopicState>,
    by_document: BTreeMap<DocumentId, Topic>,
    /// Topics in which the peer was asked for what is new here, and did not answer yet.
    new_asked: BTreeSet<Topic>,
    /// Topics that this node ended: what is still said in them is no fault.
    pub(super) ended: Recent<Topic, ()>,
    next_topic: Topic,
    /// Documents that the peer did not have, and when to ask for them again.
    ask_later: BTreeMap<DocumentId, u64>,
    /// Bytes of envelopes sent and not yet acknowledged.
    pub(super) under_way_bytes: usize,
}

impl Peer {
    pub(super) fn deadline_ms(&self) -> Option<u64> {
        let asking = self.topics.values().flat_map(|topic| [topic.ask_again_ms, topic.read_again_ms]).flatten();
        let asking = asking.chain(self.ask_later.values().copied());
        asking.chain((!self.is_greeted).then_some(self.hello_deadline_ms)).min()
    }

    /// When both sides ask for a document at the same time, the dialler's interest is the one that is answered; unless
    /// the listener had no such document when it asked, for then the dialler answers it; what it has got since from somebody
    /// else changes nothing of that.
    fn is_settled_by_own(&self, document: &DocumentId, wants_genesis: bool) -> bool {
        let own = self.topic_of(document).and_then(|topic| self.topics.get(&topic));
        let is_asked = own.is_some_and(|state| state.is_asked) && self.role == Role::Dialler;
        !wants_genesis && (is_asked || self.is_asked_for_new(document))
    }

    /// Whether this node listened, asked for a document that it did not have, and waits for the answer.
    fn is_asked_for_new(&self, document: &DocumentId) -> bool {
        self.role == Role::Listener && self.topic_of(document).is_some_and(|topic| self.new_asked.contains(&topic))
    }

    /// Ends a topic. What was on its way in it takes no more of the window.
    pub(super) fn forget(&mut self, topic: Topic) -> Option<TopicState> {
        let state = self.topics.remove(&topic)?;
        self.new_asked.remove(&topic);
        if self.topic_of(&state.document) == Some(topic) {
            self.by_document.remove(&state.document);
        }
        self.under_way_bytes = self.under_way_bytes.saturating_sub(state.under_way.iter().sum());
        Some(state)
    }

    fn begin(&mut self, topic: Topic, state: TopicState) {
        self.by_document.insert(state.document, topic);
        self.topics.insert(topic, state);
    }

    /// Whether this node dialled.
    pub(super) fn is_dialled(&self) -> bool {
        self.role == Role::Dialler
    }

    /// Whether more may be sent before something is acknowledged.
    pub(super) fn has_room(&self) -> bool {
        self.under_way_bytes < UNDER_WAY_BYTES_MAX
    }

    /// Whether this node ended a topic.
    pub(super) fn has_ended(&self, topic: Topic) -> bool {
        self.ended.find(&topic).is_some()
    }

    pub(super) fn topic_of(&self, document: &DocumentId) -> Option<Topic> {
        self.by_document.get(document).copied()
    }
}

pub(super) fn send(connection: ConnectionId, message: &Message) -> Effect {
    Effect::Send { connection, frame: message.to_frame() }
}

impl Engine {
    pub(super) fn connected(
        &mut self,
        connection: ConnectionId,
        node: NodeId,
        is_dialler: bool,
        exported: [u8; 32],
        effects: &mut Vec<Effect>,
    ) {
        let role = if is_dialler { Role::Dialler } else { Role::Listener };
        let (dialler, listener) = if is_dialler { (self.node, node) } else { (node, self.node) };
        if !self.replaces(node, role, effects) {
            let reason = "another connection with this peer stays".to_owned();
            return effects.push(Effect::Close { connection, reason });
        }
        self.reached(&node);
        let peer = Peer {
            node,
            role,
            binding: Binding { dialler, listener, exported },
            is_greeted: false,
            hello_deadline_ms: self.now.steady_ms + limits::HELLO_MS,
            faults: 0,
            since_ms: self.now.steady_ms,
            topics: BTreeMap::new(),
            by_document: BTreeMap::new(),
            new_asked: BTreeSet::new(),
            ended: Recent::up_to(TOPICS_MAX),
            next_topic: u32::from(!is_dialler),
            ask_later: BTreeMap::new(),
            under_way_bytes: 0,
        };
        self.peers.insert(connection, peer);
        self.room.came(node);
        let hello = Hello {
            versions: VERSIONS.to_vec(),
            epoch: self.epoch,
            cursor: None,
            features: 0,
            frame_bytes_max: u32::try_from(FRAME_BYTES_MAX).unwrap_or(u32::MAX),
            extensions: Vec::new(),
        };
        effects.push(send(connection, &Message::Hello(hello)));
        for document in self.documents_of(&node) {
            self.declare_interest(node, document, effects);
        }
    }

    /// The documents that this node asks a peer for by itself.
    fn documents_of(&self, node: &NodeId) -> BTreeSet<DocumentId> {
        self.contacts.documents(node).into_iter().chain(self.owed.to(node)).collect()
    }

    /// Whether a new connection takes the place of the one that stands with the same peer. Of two that were dialled from
    /// both sides at the same time the lower node's stays; otherwise a second one means that the first is dead.
    fn replaces(&mut self, node: NodeId, role: Role, effects: &mut Vec<Effect>) -> bool {
        let Some((&old, peer)) = self.peers.iter().find(|(_, peer)| peer.node == node) else { return true };
        let is_dialled_by_lower = (role == Role::Dialler) == (self.node < node);
        let is_simultaneous = peer.role != role && self.now.steady_ms - peer.since_ms < limits::SIMULTANEOUS_MS;
        if is_simultaneous && !is_dialled_by_lower {
            return false;
        }
        self.disconnected(old, "another connection took its place");
        effects.push(Effect::Close { connection: old, reason: "another connection took its place".to_owned() });
        true
    }

    pub(super) fn disconnected(&mut self, connection: ConnectionId, reason: &str) {
        let Some(mut peer) = self.peers.remove(&connection) else { return };
        self.parked.went(connection);
        peer.topics.values_mut().for_each(|state| self.forget_directory(state));
        self.joins.note(peer.node, reason);
        let is_still_connected = self.is_connected(&peer.node);
        for document in peer.topics.values().filter(|topic| topic.log.is_some()).map(|topic| &topic.document) {
            if let Some(replica) = self.documents.replica(document)
                && let Some(members) = lock(&replica).members_mut()
            {
                members.went(connection);
            }
        }
        for topic in peer.topics.values().filter(|_| !is_still_connected) {
            let state = PeerState::NoPath { last_error: reason.to_owned(), next_try_ms: None };
            self.show(&topic.document, peer.node, state, topic.was_equal);
        }
        if !is_still_connected {
            self.room.went(peer.node);
            self.try_again(peer.node, reason);
        }
    }

    pub(super) fn is_connected(&self, node: &NodeId) -> bool {
        self.peers.values().any(|peer| peer.node == *node)
    }

    pub(super) fn close_silent_peers(&mut self, effects: &mut Vec<Effect>) {
        let now = self.now.steady_ms;
        let is_silent = |peer: &Peer| !peer.is_greeted && peer.hello_deadline_ms <= now;
        let silent: Vec<_> = self.peers.iter().filter(|(_, peer)| is_silent(peer)).map(|(id, _)| *id).collect();
        for connection in silent {
            self.hang_up(connection, "it did not say hello in time", effects);
        }
    }

    pub(super) fn hang_up(&mut self, connection: ConnectionId, reason: &str, effects: &mut Vec<Effect>) {
        self.disconnected(connection, reason);
        effects.push(Effect::Close { connection, reason: reason.to_owned() });
    }

    /// Counts something that the peer could have checked itself.
    pub(super) fn blame(&mut self, connection: ConnectionId, reason: &str, effects: &mut Vec<Effect>) {
        let Some(peer) = self.peers.get_mut(&connection) else { return };
        peer.faults += 1;
        if peer.faults >= limits::FAULTS_MAX {
            self.hang_up(connection, reason, effects);
        }
    }

    pub(super) fn received(&mut self, connection: ConnectionId, frame: &[u8], effects: &mut Vec<Effect>) {
        let Some(peer) = self.peers.get(&connection) else { return };
        let is_greeted = peer.is_greeted;
        match Message::from_frame(frame) {
            Err(error) => self.hang_up(connection, &error.to_string(), effects),
            Ok(None) => {}
            Ok(Some(Message::Hello(hello))) if !is_greeted => self.greeted(connection, &hello, effects),
            Ok(Some(Message::Hello(_))) => self.hang_up(connection, "it said hello twice", effects),
            Ok(Some(_)) if !is_greeted => self.hang_up(connection, "it did not say hello first", effects),
            Ok(Some(message)) => {
                if let Some(message) = self.park(connection, message, effects) {
                    self.told(connection, message, effects);
                }
            }
        }
    }

    fn greeted(&mut self, connection: ConnectionId, hello: &Hello, effects: &mut Vec<Effect>) {
        if !hello.versions.iter().any(|version| VERSIONS.contains(version)) {
            return self.hang_up(connection, "it speaks no version of the protocol that this node does", effects);
        }
        if let Some(peer) = self.peers.get_mut(&connection) {
            peer.is_greeted = true;
            self.contacts.greeted(&peer.node);
        }
    }

    pub(super) fn told(&mut self, connection: ConnectionId, message: Message, effects: &mut Vec<Effect>) {
        match message {
            Message::Interest(interest) => self.asked(connection, &interest, effects),
            Message::Follow(follow) => self.may_follow(connection, follow, effects),
            Message::Refused(topic, why) => self.was_refused(connection, topic, why, effects),
            Message::Heads(topic, heads) => self.took_heads(connection, topic, &heads, effects),
            Message::MoreHeads(topic, after) => self.send_heads(connection, topic, after, effects),
            Message::LogHeads(topic, heads) => self.took_log_heads(connection, topic, heads, effects),
            Message::Operations(topic, operations) => self.took_operations(connection, topic, &operations, effects),
            Message::Locate(locate) => self.locate(connection, &locate, effects),
            Message::Envelope(topic, bytes) => self.took_envelope(connection, topic, &bytes, effects),
            Message::Acknowledge(acknowledge) => self.took_acknowledgement(connection, &acknowledge, effects),
            Message::Settled(topic, digest) => self.took_settled(connection, topic, digest),
            Message::Catalogue(topic, digest) => self.took_catalogue(connection, topic, digest, effects),
            Message::Listed(topic, listed) => self.took_listed(connection, topic, &listed, effects),
            Message::MoreListed(topic, after) => self.tell_listed(connection, topic, after, effects),
            Message::Leave(topic) => {
                let state = self.peers.get_mut(&connection).and_then(|peer| peer.forget(topic));
                state.into_iter().for_each(|mut state| self.forget_directory(&mut state));
            }
            Message::Ping(number) => effects.push(send(connection, &Message::Pong(number))),
            Message::Pong(_) | Message::Hello(_) => {}
        }
    }

    /// Asks a connected peer for a document, once it is open here or if it is to be joined.
    pub(super) fn declare_interest(&mut self, node: NodeId, document: DocumentId, effects: &mut Vec<Effect>) {
        let joining = self.joins.get(&document).map(|join| join.read_key.clone());
        let read_key = match (joining, self.documents.replica(&document)) {
            (_, Some(replica)) => lock(&replica).read_key().cloned(),
            (Some(read_key), None) => read_key,
            (None, None) if self.is_wanted(&document) => {
                let space = self.spaces.wants(&document).and_then(|space| self.catalog.log(&space));
                space.and_then(|space| space.read_key)
            }
            (None, None) => {
                self.load(document, effects);
                return;
            }
        };
        let wants_genesis = self.documents.replica(&document).is_none();
        let is_joined = self.joins.get(&document).is_some();
        let again_ms = self.now.steady_ms + limits::ASK_AGAIN_MS;
        let Some((&connection, peer)) = self.peers.iter_mut().find(|(_, peer)| peer.node == node) else { return };
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
    fn asked(&mut self, connection: ConnectionId, interest: &Interest, effects: &mut Vec<Effect>) {
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
        let before = peer.topic_of(&document).and_then(|before| peer.forget(before));
        peer.begin(topic, TopicState::wanted(document, interest.wants_genesis, is_reader));
        before.into_iter().for_each(|mut before| self.forget_directory(&mut before));
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
    pub(super) fn document_is_open(&mut self, document: DocumentId, effects: &mut Vec<Effect>) {
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
    pub(super) fn withdraw(&mut self, document: DocumentId, effects: &mut Vec<Effect>) {
        self.drop_parked(&document);
        for (connection, peer) in &mut self.peers {
            let Some(topic) = peer.topic_of(&document) else { continue };
            peer.forget(topic);
            peer.ended.insert(topic, ());
            effects.push(send(*connection, &Message::Refused(topic, Refusal::NotStored)));
        }
    }

    /// The peer lets us follow: it must prove the read key too, and bring the genesis if it is new here.
    fn may_follow(&mut self, connection: ConnectionId, mut follow: Follow, effects: &mut Vec<Effect>) {
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
            wanted = match self.is_wanted(&document).then(|| self.read_wanted(document, &genesis, effects)) {
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

    /// Nobody waits for it any more, or it is not what it was named as.
    fn leave(&mut self, connection: ConnectionId, topic: Topic, effects: &mut Vec<Effect>) {
        let Some(state) = self.peers.get_mut(&connection).and_then(|peer| peer.forget(topic)) else { return };
        effects.push(send(connection, &Message::Leave(topic)));
        self.was_answered(connection, &state.document, effects);
    }

    fn was_refused(&mut self, connection: ConnectionId, topic: Topic, why: Refusal, effects: &mut Vec<Effect>) {
        let Some(peer) = self.peers.get_mut(&connection) else { return };
        let Some(mut state) = peer.forget(topic) else { return };
        let (node, document) = (peer.node, state.document);
        let is_told_of = self.spaces.wants(&document).is_some();
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
        self.forget_directory(&mut state);
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
    pub(super) fn ask_refusers(&mut self, effects: &mut Vec<Effect>) {
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

    pub(super) fn topic_mut(&mut self, connection: ConnectionId, topic: Topic) -> Option<&mut TopicState> {
        self.peers.get_mut(&connection)?.topics.get_mut(&topic)
    }

    /// Notes how a document stands with a peer.
    pub(super) fn show(&self, document: &DocumentId, node: NodeId, state: PeerState, was_equal: bool) {
        if let Some(replica) = self.documents.replica(document) {
            lock(&replica).state.note_peer(node, PeerView { state, was_equal });
        }
    }
}
