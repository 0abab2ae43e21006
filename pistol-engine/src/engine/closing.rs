//! Closing documents that nobody uses when those in memory take too much, the least recently used first.
//!
//! Architecture Invariant: a document is closed only when nothing would be lost: it is all durable and shown, no handle
//! of the application is on it, and nothing of it is on its way anywhere. Opened again it is the same.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use pistol_core::id::DocumentId;
use pistol_sync::proto::message::{Message, Topic};

use super::topic::TopicState;
use super::{Engine, answer};
use crate::documents::lock;
use crate::effect::{Effect, Reply};
use crate::input::{ConnectionId, Token};
use crate::limits;

/// What peers said of documents that have to be opened first, in order.
#[derive(Debug, Default)]
pub(super) struct Parked {
    messages: BTreeMap<DocumentId, VecDeque<(ConnectionId, Message)>>,
    bytes: BTreeMap<ConnectionId, usize>,
}

impl Parked {
    /// Keeps a message. `false` if a connection has too many: it sends more than its window.
    fn push(&mut self, document: DocumentId, connection: ConnectionId, message: Message) -> bool {
        let bytes = self.bytes.entry(connection).or_default();
        *bytes = bytes.saturating_add(size(&message));
        let has_room = *bytes <= limits::PARKED_BYTES_MAX;
        self.messages.entry(document).or_default().push_back((connection, message));
        has_room
    }

    fn take(&mut self, document: &DocumentId) -> VecDeque<(ConnectionId, Message)> {
        let messages = self.messages.remove(document).unwrap_or_default();
        for (connection, message) in &messages {
            if let Some(bytes) = self.bytes.get_mut(connection) {
                *bytes = bytes.saturating_sub(size(message));
            }
        }
        messages
    }

    fn has(&self, document: &DocumentId) -> bool {
        self.messages.contains_key(document)
    }

    /// A connection ended.
    pub(super) fn went(&mut self, connection: ConnectionId) {
        self.bytes.remove(&connection);
        for messages in self.messages.values_mut() {
            messages.retain(|(from, _)| *from != connection);
        }
        self.messages.retain(|_, messages| !messages.is_empty());
    }
}

/// What a message takes while it waits; a small one is not free.
fn size(message: &Message) -> usize {
    let bytes = match message {
        Message::Envelope(_, bytes) => bytes.len(),
        Message::Operations(_, operations) => operations.iter().map(|bytes| bytes.len().saturating_add(24)).sum(),
        Message::LogHeads(_, heads) => 32 * heads.heads.len().saturating_add(heads.samples.len()),
        Message::Heads(_, heads) => size_of_val(heads.ends.as_slice()),
        Message::Locate(locate) => size_of_val(locate.samples.as_slice()),
        Message::Acknowledge(acknowledge) => size_of_val(acknowledge.refused.as_slice()),
        _ => 0,
    };
    bytes.saturating_add(limits::PARKED_MESSAGE_BYTES)
}

impl Engine {
    /// Closes what was not used for longest until the rest fits. Of those that must stay only a few are looked at each
    /// time, and count as used then.
    pub(super) fn close_unused(&mut self) {
        if self.documents.open_bytes() <= self.open_bytes_max {
            return;
        }
        let on_its_way = self.on_its_way();
        for document in self.documents.unused_longest(limits::CLOSED_AT_ONCE) {
            if self.documents.open_bytes() <= self.open_bytes_max {
                return;
            }
            if !on_its_way.contains(&document) && self.may_close(&document) {
                self.rest_or_close(document);
            } else {
                self.documents.touch(&document);
            }
        }
    }

    /// A document of which many changes are in no picture is closed when they are.
    fn rest_or_close(&mut self, document: DocumentId) {
        let Some(replica) = self.documents.replica(&document) else { return };
        if lock(&replica).rest() {
            self.documents.mark_dirty(document);
        } else {
            self.close(&document);
        }
    }

    /// The node is about to end: pictures are taken that are worth it.
    pub(super) fn rest(&mut self, token: Token) {
        for replica in self.documents.all_open() {
            let mut replica = lock(&replica);
            if replica.rest() {
                self.documents.mark_dirty(replica.id());
            }
        }
        self.resting.push(token);
    }

    /// Answers those who wait for the last pictures: when they are stored, or the disk does not take them.
    pub(super) fn check_resting(&mut self, effects: &mut Vec<Effect>) {
        if self.resting.is_empty() {
            return;
        }
        let is_saving = || self.documents.all_open().iter().any(|replica| lock(replica).is_saving());
        let is_over = self.commits.failure().is_some() || self.commits.is_idle() && !is_saving();
        if is_over {
            let resting = std::mem::take(&mut self.resting);
            effects.extend(resting.into_iter().map(|token| answer(token, Ok(Reply::Done))));
        }
    }

    pub(super) fn close(&mut self, document: &DocumentId) {
        if let Some(replica) = self.documents.replica(document) {
            self.catalog.continues(document, lock(&replica).stored_session());
        }
        self.documents.close(document);
    }

    fn may_close(&self, document: &DocumentId) -> bool {
        let is_touched = self.documents.pins(document) > 0
            || self.documents.is_dirty(document)
            || self.inbox.contains_key(document)
            || self.unshown.contains(document)
            || self.to_look_again.contains(document)
            || self.syncs.iter().any(|sync| sync.document == *document)
            || self.commits.concerns(document)
            || self.parked.has(document)
            || !self.catalog.log(document).is_some_and(|log| log.is_durable);
        !is_touched && self.documents.replica(document).is_some_and(|replica| lock(&replica).may_close())
    }

    /// Documents of which something is on its way to a peer or from one, or is to be acknowledged.
    fn on_its_way(&self) -> BTreeSet<DocumentId> {
        let topics =
            self.peers.iter().flat_map(|(connection, peer)| peer.topics.iter().map(move |of| (*connection, of)));
        let is_busy =
            |connection, topic, state: &TopicState| !state.is_at_rest() || self.commits.acknowledges(connection, topic);
        let busy = topics.filter(|(connection, (topic, state))| is_busy(*connection, **topic, state));
        busy.map(|(_, (_, state))| state.document).collect()
    }

    /// Keeps what a peer said of a document that is closed until it is open. Gives the message back if it may be dealt
    /// with now.
    pub(super) fn park(
        &mut self,
        connection: ConnectionId,
        message: Message,
        effects: &mut Vec<Effect>,
    ) -> Option<Message> {
        let topics = self.peers.get(&connection).map(|peer| &peer.topics);
        let state = topic_of(&message).zip(topics).and_then(|(topic, topics)| topics.get(&topic));
        let document = state.filter(|state| state.is_following).map(|state| state.document);
        let is_closed = |document: &DocumentId| !self.documents.is_open(document) && self.catalog.holds(document);
        let Some(document) = document.filter(is_closed) else { return Some(message) };
        if self.load(document, effects).is_none() {
            return Some(message);
        }
        if !self.parked.push(document, connection, message) {
            self.hang_up(connection, "it sent more than may wait", effects);
        }
        None
    }

    /// A document is open: what peers said of it meanwhile is dealt with.
    pub(super) fn unpark(&mut self, document: &DocumentId, effects: &mut Vec<Effect>) {
        for (connection, message) in self.parked.take(document) {
            // What the peer said of a document that either side let go of since is no fault of its.
            let is_there = topic_of(&message).is_none_or(|topic| self.topic_mut(connection, topic).is_some());
            if is_there {
                self.told(connection, message, effects);
            }
        }
    }

    /// A document cannot be opened.
    pub(super) fn drop_parked(&mut self, document: &DocumentId) {
        drop(self.parked.take(document));
    }
}

/// The topic of a message that only an open document can answer.
fn topic_of(message: &Message) -> Option<Topic> {
    match message {
        Message::Heads(topic, _)
        | Message::MoreHeads(topic, _)
        | Message::Envelope(topic, _)
        | Message::LogHeads(topic, _)
        | Message::Operations(topic, _)
        | Message::Settled(topic, _) => Some(*topic),
        Message::Locate(locate) => Some(locate.topic),
        Message::Acknowledge(acknowledge) => Some(acknowledge.topic),
        _ => None,
    }
}
