//! One document on one connection: what each side holds, what is on its way, and when both are equal.

mod comparing;

use std::collections::VecDeque;

use pistol_core::chain::ChainId;
use pistol_core::id::DocumentId;
use pistol_core::validate::{History, Ordinal};
use pistol_sync::proto::heads::{self, Comparison, Held};
use pistol_sync::proto::message::{Head, LogHeads, Message, Topic};

use super::Engine;
use super::operations::LogState;
use super::peer::send;
use super::spaces::{Directory, Early};
use crate::documents::lock;
use crate::effect::Effect;
use crate::input::ConnectionId;
use crate::replica::{PeerState, Replica};

/// The state of a topic.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own: who asked, and what was said")]
pub(super) struct TopicState {
    pub(super) document: DocumentId,
    /// Whether this node asked.
    pub(super) is_asked: bool,
    /// Whether the peer asked.
    pub(super) is_wanted: bool,
    pub(super) wants_genesis: bool,
    /// Whether both agreed.
    pub(super) is_following: bool,
    pub(super) has_heads: bool,
    held: Held,
    /// Ordinals to send, from and to, in order.
    pub(super) queue: VecDeque<(Ordinal, Ordinal)>,
    pub(super) is_reading: bool,
    /// When to read again after a read that gave nothing to send.
    pub(super) read_again_ms: Option<u64>,
    /// Why rows could not be read last.
    pub(super) unread: Option<String>,
    /// Sizes of the envelopes sent and not acknowledged.
    pub(super) under_way: VecDeque<usize>,
    pub(super) acknowledged: u64,
    /// How many changes the peer could not take in yet, as they wait for others there.
    pub(super) waiting_there: u32,
    /// Envelopes received.
    pub(super) received: u64,
    /// Changes that were refused since the last acknowledgement.
    pub(super) refused: Vec<([u8; 32], u8)>,
    /// The peer's heads, while they are told part by part.
    comparison: Option<Comparison>,
    /// Heads of the peer that are not here yet.
    unknown: Vec<Head>,
    /// Whether it told of more of these than are remembered.
    has_more_unknown: bool,
    /// Chains of which the peer is still to be asked where they fork.
    forked: Vec<ChainId>,
    /// Of how many it was asked without an answer.
    locates_under_way: usize,
    pub(super) was_equal: bool,
    pub(super) is_settled: bool,
    /// When to ask again for what was dropped.
    pub(super) ask_again_ms: Option<u64>,
    /// Whether something that the peer sent could not be kept, and its heads were not compared since.
    pub(super) is_owed: bool,
    /// How often something was dropped since both were equal.
    pub(super) drops: u32,
    /// Whether the peer was asked for what lies in damaged rows here.
    pub(super) is_asked_for_holes: bool,
    /// Envelopes and operations of a later version, which cannot be read here.
    pub(super) unreadable: usize,
    /// Of a document with members, what is known of its log there.
    pub(super) log: Option<LogState>,
    /// What the peer told of its log before it let us follow.
    pub(super) early_log: Option<LogHeads>,
    /// What it told of the documents of a space before that: their digest, or that there is one to be asked for.
    pub(super) early_catalogue: Option<Early>,
    /// Whether the peer may read all of it: a log is also told to who may read what depends on it.
    pub(super) is_reader: bool,
    /// Of a space, what is known of the documents there.
    pub(super) directory: Option<Directory>,
}

impl TopicState {
    fn new(document: DocumentId) -> Self {
        TopicState {
            document,
            is_asked: false,
            is_wanted: false,
            wants_genesis: false,
            is_following: false,
            has_heads: false,
            held: Held::default(),
            queue: VecDeque::new(),
            is_reading: false,
            read_again_ms: None,
            unread: None,
            under_way: VecDeque::new(),
            acknowledged: 0,
            waiting_there: 0,
            received: 0,
            refused: Vec::new(),
            comparison: None,
            unknown: Vec::new(),
            has_more_unknown: false,
            forked: Vec::new(),
            locates_under_way: 0,
            was_equal: false,
            is_settled: false,
            ask_again_ms: None,
            is_owed: false,
            drops: 0,
            is_asked_for_holes: false,
            unreadable: 0,
            log: None,
            early_log: None,
            early_catalogue: None,
            is_reader: false,
            directory: None,
        }
    }

    /// This node asked.
    pub(super) fn asked(document: DocumentId) -> Self {
        TopicState { is_asked: true, ..TopicState::new(document) }
    }

    /// The peer asked, and may read all of it or not.
    pub(super) fn wanted(document: DocumentId, wants_genesis: bool, is_reader: bool) -> Self {
        TopicState { is_wanted: true, wants_genesis, is_reader, ..TopicState::new(document) }
    }

    /// Whether everything here was sent and acknowledged, and everything the peer told of is here.
    pub(super) fn is_equal(&self) -> bool {
        let is_space_equal = |directory: &Directory| directory.has_all() && directory.has_sent_all();
        self.has_sent_all() && self.has_all() && self.directory.as_ref().is_none_or(is_space_equal)
    }

    /// Whether both hold the same, have said so, and neither waits for anything: the document need not be open.
    pub(super) fn is_at_rest(&self) -> bool {
        let waits = self.ask_again_ms.is_some() || self.read_again_ms.is_some();
        let is_clean = self.unreadable == 0 && self.refused.is_empty() && !self.is_owed;
        let is_compared = self.comparison.is_none() && self.forked.is_empty() && self.locates_under_way == 0;
        self.is_following && self.is_equal() && self.is_settled && is_clean && is_compared && !waits
    }

    /// Whether the peer told what it has, and everything is here.
    pub(super) fn has_all(&self) -> bool {
        let has_log = self.log.as_ref().is_none_or(LogState::has_all);
        self.has_heads && self.unknown.is_empty() && !self.has_more_unknown && has_log
    }

    pub(super) fn has_sent_all(&self) -> bool {
        self.may_send_changes()
            && self.queue.is_empty()
            && !self.is_reading
            && self.under_way.is_empty()
            && self.waiting_there == 0
    }

    /// Notes which heads of the peer have come in the meantime; whether there were any.
    fn note_known(&mut self, history: &History) -> bool {
        let before = self.unknown.len();
        let held = &mut self.held;
        self.unknown.retain(|head| match heads::find_head(history, head) {
            Some(ordinal) => {
                held.found(history, head, ordinal);
                false
            }
            None => true,
        });
        before != self.unknown.len()
    }

    /// Plans to send everything durable that the peer lacks, but for chains of which that is not known yet.
    fn plan(&mut self, replica: &Replica) {
        self.queue.clear();
        let lacking = self.held.lacking(replica.history());
        let durable = lacking.into_iter().take_while(|ordinal| *ordinal < replica.rows().end());
        durable.for_each(|ordinal| self.enqueue(ordinal));
    }

    fn enqueue(&mut self, ordinal: Ordinal) {
        match self.queue.back_mut() {
            Some((_, to)) if *to == ordinal => *to += 1,
            _ => self.queue.push_back((ordinal, ordinal + 1)),
        }
    }

    /// Some changes were sent: they go off the queue, and the peer will hold them.
    pub(super) fn sent(&mut self, history: &History, from: Ordinal, to: Ordinal) {
        (from..to).for_each(|ordinal| self.held.add_path(history, ordinal));
        match self.queue.front_mut() {
            Some((next, end)) if to < *end => *next = to.max(*next),
            _ => drop(self.queue.pop_front()),
        }
    }

    /// Changes became durable, some of them sent by the peer: those that it lacks are planned. Whether it lacks all.
    pub(super) fn became_durable(&mut self, history: &History, changes: impl Iterator<Item = (Ordinal, bool)>) -> bool {
        let mut is_all_lacked = true;
        for (ordinal, is_from_peer) in changes {
            if is_from_peer {
                self.held.add_path(history, ordinal);
            }
            let is_lacked = !self.held.holds(history, ordinal) && !self.held.is_unclear(history, ordinal);
            if is_lacked {
                self.enqueue(ordinal);
            }
            is_all_lacked &= is_lacked;
        }
        is_all_lacked
    }

    /// Whether the peer has, or will have before, all operations that changes may cite.
    pub(super) fn may_send_changes(&self) -> bool {
        self.log.as_ref().is_none_or(LogState::has_sent_all)
    }

    /// Whether there is something to send and nothing is being read for it.
    pub(super) fn wants_rows(&self) -> bool {
        self.may_send_changes() && !self.queue.is_empty() && !self.is_reading && self.read_again_ms.is_none()
    }
}

impl Engine {
    /// Tells how a document stands with a peer, and says so to the peer when all is sent.
    pub(super) fn refresh(&mut self, connection: ConnectionId, topic: Topic, effects: &mut Vec<Effect>) {
        let Some(peer) = self.peers.get_mut(&connection) else { return };
        let node = peer.node;
        let Some(state) = peer.topics.get_mut(&topic).filter(|state| state.is_following) else { return };
        let document = state.document;
        let Some(replica) = self.documents.replica(&document) else { return };
        let replica = lock(&replica);
        if let (Some(log), Some(members)) = (&mut state.log, replica.members()) {
            log.note_known(members);
        }
        if state.note_known(replica.history()) {
            state.plan(&replica);
        }
        if state.wants_heads_again() {
            effects.push(send(connection, &Message::MoreHeads(topic, None)));
        }
        let is_equal = state.is_equal() && replica.is_durable();
        state.was_equal |= is_equal;
        let is_paid = is_equal && !state.is_owed;
        let view = if is_equal {
            PeerState::Same
        } else if state.has_sent_all() && replica.is_durable() {
            PeerState::Receiving
        } else {
            PeerState::Sending(state.under_way.len() as u64)
        };
        if is_equal && !state.is_settled {
            state.is_settled = true;
            let digest = replica.digest();
            effects.push(send(connection, &Message::Settled(topic, digest)));
        }
        let was_equal = state.was_equal;
        drop(replica);
        if is_paid {
            self.pay(document, node);
        }
        self.show(&document, node, view, was_equal);
    }

    /// The peer has nothing more to send. If it differs although nothing is on its way, both compare again.
    pub(super) fn took_settled(&mut self, connection: ConnectionId, topic: Topic, digest: [u8; 32]) {
        let Some(peer) = self.peers.get_mut(&connection) else { return };
        let node = peer.node;
        let Some(state) = peer.topics.get_mut(&topic) else { return };
        let (document, is_equal) = (state.document, state.is_equal());
        let Some(replica) = self.documents.replica(&document) else { return };
        let own = lock(&replica).digest();
        if own == digest {
            (state.is_owed, state.drops) = (false, 0);
            self.pay(document, node);
        } else if is_equal {
            self.plan_to_ask_again(connection, &document);
        }
    }

    /// Shows with which peers that could not be reached a document that was opened is shared.
    pub(super) fn show_unreached(&self, document: &DocumentId) {
        for node in self.contacts.sharing(document).filter(|node| !self.is_connected(node)) {
            if let Some(state) = self.contacts.unreached(&node) {
                self.show(document, node, state, false);
            }
        }
    }

    /// Shows how a document that was opened again stands with the peers that follow it.
    pub(super) fn show_standing(&mut self, document: &DocumentId, effects: &mut Vec<Effect>) {
        let of = |(id, peer): (&ConnectionId, &super::peer::Peer)| Some((*id, peer.topic_of(document)?));
        let topics: Vec<_> = self.peers.iter().filter_map(of).collect();
        for (connection, topic) in topics {
            self.refresh(connection, topic, effects);
        }
    }

    /// Whether a document is equal with any connected peer's, as far as both have told.
    pub(super) fn is_equal_with_any(&mut self, document: &DocumentId) -> bool {
        let is_durable = self.documents.replica(document).is_some_and(|replica| lock(&replica).is_durable());
        if !is_durable || self.inbox.contains_key(document) {
            return false;
        }
        let mut topics = self.peers.values().flat_map(|peer| peer.topics.values());
        topics.any(|state| state.document == *document && state.is_equal())
    }
}
