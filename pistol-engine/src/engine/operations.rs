//! The log of a document with members on one connection: what each side holds of it, and what is on its way. Operations go out
//! before the changes that cite them.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use pistol_acl::record::{OpError, SignedOp};
use pistol_core::id::AuthorityId;
use pistol_sync::limits::{LOG_HEADS_MAX, LOG_SAMPLES_MAX, OPERATIONS_BYTES_AIM, OPERATIONS_MAX};
use pistol_sync::proto::message::{LogHeads, Message, Topic};

use super::Engine;
use super::peer::send;
use crate::documents::lock;
use crate::effect::Effect;
use crate::input::ConnectionId;
use crate::limits;
use crate::replica::{Members, Took};

/// What is known of the log on the other side of a topic.
#[derive(Debug, Default)]
pub(super) struct LogState {
    /// Whether the peer told what it holds.
    is_told: bool,
    /// Heads of the peer's that are not here.
    unknown: BTreeSet<AuthorityId>,
    /// Operations to send, by their numbers here.
    queue: VecDeque<u32>,
    /// Those before this number were looked at: the peer holds them, or they were put into the queue.
    planned: u32,
    /// What came from the peer and is not durable here.
    came: BTreeSet<AuthorityId>,
}

impl LogState {
    /// Whether the peer told what it has, and everything is here.
    pub(super) fn has_all(&self) -> bool {
        self.is_told && self.unknown.is_empty()
    }

    /// Whether nothing is left to send.
    pub(super) fn has_sent_all(&self) -> bool {
        self.is_told && self.queue.is_empty()
    }

    /// Notes which heads of the peer's have come in the meantime.
    pub(super) fn note_known(&mut self, members: &Members) {
        self.unknown.retain(|id| !members.access().holds(id));
    }

    /// The peer told what it holds: plans to send the rest.
    fn told(&mut self, members: &Members, told: &LogHeads) {
        let numbers: BTreeMap<AuthorityId, (u32, &SignedOp)> =
            members.durable_from(0).map(|(number, signed)| (signed.id(), (number, signed))).collect();
        let mut held = BTreeSet::new();
        let mut next: Vec<AuthorityId> = told.heads.iter().chain(&told.samples).map(|id| AuthorityId(*id)).collect();
        while let Some(id) = next.pop() {
            // What the peer has and this node has not says nothing of what to send.
            let Some((number, signed)) = numbers.get(&id) else { continue };
            if held.insert(*number) {
                // What an operation cites is of this log too, or it is no matter of this log.
                next.extend(signed.op().prev.iter().chain(&signed.op().proof));
            }
        }
        self.is_told = true;
        self.unknown = told.heads.iter().map(|id| AuthorityId(*id)).filter(|id| !members.access().holds(id)).collect();
        self.planned = members.durable();
        let lacks = |(number, signed): &(u32, &SignedOp)| !held.contains(number) && !self.came.contains(&signed.id());
        self.queue = members.durable_from(0).filter(lacks).map(|(number, _)| number).collect();
        self.came.retain(|id| !numbers.contains_key(id));
    }

    /// Plans to send what became durable.
    fn plan(&mut self, members: &Members) {
        if !self.is_told {
            return;
        }
        for (number, signed) in members.durable_from(self.planned) {
            if !self.came.remove(&signed.id()) {
                self.queue.push_back(number);
            }
        }
        self.planned = members.durable();
    }

    /// The next operations to be sent, as many as one message holds.
    fn next_message(&mut self, members: &Members) -> Vec<Vec<u8>> {
        let (mut operations, mut bytes) = (Vec::new(), 0);
        while let Some(number) = self.queue.front().filter(|_| operations.len() < OPERATIONS_MAX) {
            let Some((_, signed)) = members.durable_from(*number).next() else { break };
            bytes += signed.bytes().len();
            if bytes > OPERATIONS_BYTES_AIM && !operations.is_empty() {
                break;
            }
            operations.push(signed.bytes().to_vec());
            self.queue.pop_front();
        }
        operations
    }
}

/// What is told of a log.
fn log_heads(members: &Members) -> LogHeads {
    let heads = members.heads().iter().map(|id| id.0).take(LOG_HEADS_MAX).collect();
    let mut samples = Vec::new();
    let mut step = 1;
    while let Some(number) = members.durable().checked_sub(1 + step).filter(|_| samples.len() < LOG_SAMPLES_MAX) {
        samples.extend(members.durable_from(number).next().map(|(_, signed)| signed.id().0));
        step = step.saturating_mul(2);
    }
    samples.extend(members.durable_from(0).next().map(|(_, signed)| signed.id().0));
    samples.truncate(LOG_SAMPLES_MAX);
    LogHeads { heads, samples }
}

impl Engine {
    /// A topic is followed from now on. If the document has members, the peer is told what is held of its log.
    pub(super) fn follow_log(&mut self, connection: ConnectionId, topic: Topic, effects: &mut Vec<Effect>) {
        let Some(state) = self.topic_mut(connection, topic) else { return };
        let document = state.document;
        if self.documents.replica(&document).is_some_and(|replica| lock(&replica).members().is_some()) {
            let mut early = None;
            if let Some(state) = self.topic_mut(connection, topic) {
                state.log = Some(LogState::default());
                early = state.early_log.take();
            }
            self.send_log_heads(connection, topic, effects);
            if let Some(told) = early {
                self.took_log_heads(connection, topic, told, effects);
            }
            self.follow_needs(connection, &document, effects);
            self.redeem(&document, effects);
        }
    }

    /// Tells a peer what is held of a document's log, if it has one.
    pub(super) fn send_log_heads(&mut self, connection: ConnectionId, topic: Topic, effects: &mut Vec<Effect>) {
        let Some(state) = self.topic_mut(connection, topic).filter(|state| state.log.is_some()) else { return };
        let document = state.document;
        let Some(replica) = self.documents.replica(&document) else { return };
        let replica = lock(&replica);
        let heads = replica.members().map(log_heads);
        effects.extend(heads.map(|heads| send(connection, &Message::LogHeads(topic, heads))));
    }

    /// What the peer holds of a document's log.
    pub(super) fn took_log_heads(
        &mut self,
        connection: ConnectionId,
        topic: Topic,
        told: LogHeads,
        effects: &mut Vec<Effect>,
    ) {
        let Some(peer) = self.peers.get_mut(&connection) else { return };
        if peer.has_ended(topic) {
            return;
        }
        let Some(state) = peer.topics.get_mut(&topic).filter(|state| state.is_following || state.is_asked) else {
            return self.blame(connection, "it told of a log that nobody asked for", effects);
        };
        if !state.is_following {
            // It is told once, and without it nothing is ever sent to the peer.
            state.early_log = Some(told);
            return;
        }
        let replica = self.documents.replica(&state.document);
        let (Some(log), Some(replica)) = (&mut state.log, replica) else {
            return self.blame(connection, "it told of the log of a document that has none", effects);
        };
        if let Some(members) = lock(&replica).members() {
            log.told(members, &told);
        }
        // What waited there or was dropped is lacking by these heads: it is sent again, and answered for again.
        (state.waiting_there, state.is_settled) = (0, false);
        self.pump(connection, topic, effects);
    }

    /// Sends operations as far as the window has room. Whether none are left.
    pub(super) fn send_operations(&mut self, connection: ConnectionId, topic: Topic, effects: &mut Vec<Effect>) {
        let Some(peer) = self.peers.get_mut(&connection) else { return };
        let Some(state) = peer.topics.get_mut(&topic).filter(|state| state.is_following) else { return };
        let Some(log) = &mut state.log else { return };
        let Some(replica) = self.documents.replica(&state.document) else { return };
        let replica = lock(&replica);
        let Some(members) = replica.members() else { return };
        log.plan(members);
        while peer.under_way_bytes < pistol_sync::limits::UNDER_WAY_BYTES_MAX {
            let operations = log.next_message(members);
            if operations.is_empty() {
                return;
            }
            let bytes: usize = operations.iter().map(|bytes| bytes.len().saturating_add(limits::OPERATION_ROOM)).sum();
            state.under_way.push_back(bytes);
            peer.under_way_bytes += bytes;
            effects.push(send(connection, &Message::Operations(topic, operations)));
        }
    }

    /// Operations of a document's log: checked, and taken in at once; what cites them is looked at when the tick ends.
    pub(super) fn took_operations(
        &mut self,
        connection: ConnectionId,
        topic: Topic,
        operations: &[Vec<u8>],
        effects: &mut Vec<Effect>,
    ) {
        let Some(peer) = self.peers.get_mut(&connection) else { return };
        if peer.has_ended(topic) {
            return;
        }
        let Some(state) = peer.topics.get_mut(&topic).filter(|state| state.is_following && state.log.is_some()) else {
            return self.blame(connection, "it sent operations that nobody asked for", effects);
        };
        state.received += 1;
        let document = state.document;
        self.commits.acknowledge_when_stored(connection, topic);
        self.inbox.entry(document).or_default();
        for bytes in operations {
            if self.peers.contains_key(&connection) {
                self.took_operation(connection, topic, bytes, effects);
            }
        }
    }

    fn took_operation(&mut self, connection: ConnectionId, topic: Topic, bytes: &[u8], effects: &mut Vec<Effect>) {
        let Some(state) = self.topic_mut(connection, topic) else { return };
        let document = state.document;
        let Some(replica) = self.documents.replica(&document) else { return };
        let Some(node) = self.peers.get(&connection).map(|peer| peer.node) else { return };
        let known = SignedOp::id_of(bytes)
            .filter(|id| lock(&replica).members().is_some_and(|members| members.access().holds(id)));
        // What is here costs a hash and no signature.
        let signed = match known {
            Some(_) => return,
            None => SignedOp::verify(bytes, &mut self.verifier),
        };
        let signed = match signed {
            Ok(signed) if signed.op().log == document => signed,
            Ok(_) => return self.blame(connection, "it sent an operation of another document's log", effects),
            Err(error @ OpError::Version) => {
                if let Some(state) = self.topic_mut(connection, topic) {
                    state.unreadable += 1;
                }
                lock(&replica).state.refuse(&error.to_string());
                return self.not_kept(document, connection, node);
            }
            Err(error) => {
                lock(&replica).state.refuse(&error.to_string());
                return self.blame(connection, &error.to_string(), effects);
            }
        };
        let took = lock(&replica).members_mut().map(|members| members.take_operation(&signed, connection));
        match took {
            Some(Took::Entered) => {
                if let Some(log) = self.topic_mut(connection, topic).and_then(|state| state.log.as_mut()) {
                    log.came.insert(signed.id());
                }
            }
            Some(Took::Waiting) | None => {}
            Some(Took::Dropped) => self.dropped(document, connection, node),
            Some(Took::Refused(refusal)) => {
                lock(&replica).state.refuse(&refusal.to_string());
                self.blame(connection, &refusal.to_string(), effects);
            }
        }
    }
}
