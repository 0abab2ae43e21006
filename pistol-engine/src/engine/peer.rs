//! One connection: hello, and what is said after it.

mod interest;

use std::collections::{BTreeMap, BTreeSet};

use pistol_core::id::DocumentId;
use pistol_sync::limits::{FRAME_BYTES_MAX, TOPICS_MAX, UNDER_WAY_BYTES_MAX};
use pistol_sync::node::NodeId;
use pistol_sync::proto::keys::KNOWS_NAMED_KEYS;
use pistol_sync::proto::message::{Hello, Message, Topic, VERSIONS};
use pistol_sync::proto::proof::{Binding, Role};

use super::Engine;
use super::keys::Keys;
use super::topic::TopicState;
use crate::documents::lock;
use crate::effect::Effect;
use crate::input::ConnectionId;
use crate::limits;
use crate::recent::Recent;
use crate::replica::{PeerState, PeerView};

/// The other end of a connection.
#[derive(Debug)]
pub(super) struct Peer {
    pub(super) node: NodeId,
    role: Role,
    pub(super) binding: Binding,
    is_greeted: bool,
    hello_deadline_ms: u64,
    faults: u32,
    /// When the connection came to stand.
    since_ms: u64,
    pub(super) topics: BTreeMap<Topic, TopicState>,
    by_document: BTreeMap<DocumentId, Topic>,
    /// Topics in which the peer was asked for what is new here, and did not answer yet.
    new_asked: BTreeSet<Topic>,
    /// Topics of spaces whose documents both sides tell each other of.
    pub(super) spaces: BTreeSet<Topic>,
    /// Topics that this node ended: what is still said in them is no fault.
    pub(super) ended: Recent<Topic, ()>,
    next_topic: Topic,
    /// Documents that the peer did not have, and when to ask for them again.
    ask_later: BTreeMap<DocumentId, u64>,
    /// Bytes of envelopes sent and not yet acknowledged.
    pub(super) under_way_bytes: usize,
    pub(super) keys: Keys,
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
        self.spaces.remove(&topic);
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
            spaces: BTreeSet::new(),
            ended: Recent::up_to(TOPICS_MAX),
            next_topic: u32::from(!is_dialler),
            ask_later: BTreeMap::new(),
            under_way_bytes: 0,
            keys: Keys::default(),
        };
        self.peers.insert(connection, peer);
        self.room.came(node);
        let hello = Hello {
            versions: VERSIONS.to_vec(),
            epoch: self.epoch,
            cursor: None,
            features: KNOWS_NAMED_KEYS,
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
        let Some(peer) = self.peers.remove(&connection) else { return };
        self.parked.went(connection);
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

    pub(super) fn received(&mut self, connection: ConnectionId, frame: Vec<u8>, effects: &mut Vec<Effect>) {
        let Some(peer) = self.peers.get_mut(&connection) else { return };
        let is_greeted = peer.is_greeted;
        let Ok(frame) = peer.keys.whole(frame) else {
            return self.hang_up(connection, "it named a key that it had not told", effects);
        };
        match Message::from_frame(&frame) {
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
            peer.keys.greeted(hello.features);
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
            Message::Redeem(redeem) => self.took_redeem(connection, &redeem, effects),
            Message::Redeemed(topic, outcome) => self.was_redeemed(connection, topic, outcome, effects),
            Message::Leave(topic) => self.was_left(connection, topic, effects),
            Message::Ping(number) => effects.push(send(connection, &Message::Pong(number))),
            Message::Pong(_) | Message::Hello(_) => {}
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
