//! Where each side's chains end, told part by part, and where they fork.

use pistol_core::chain::ChainId;
use pistol_core::id::Session;
use pistol_core::key::AuthorId;
use pistol_sync::limits::LOCATES_UNDER_WAY_MAX;
use pistol_sync::proto::heads::{self, Comparison, HeadsError};
use pistol_sync::proto::message::{Head, Heads, Locate, Message, Topic};

use super::TopicState;
use crate::documents::lock;
use crate::effect::Effect;
use crate::engine::Engine;
use crate::engine::peer::send;
use crate::input::ConnectionId;
use crate::replica::Replica;

impl TopicState {
    /// All of the peer's heads were compared with what is here.
    fn compared(&mut self, replica: &Replica, comparison: Comparison) {
        self.forked = comparison.forked(replica.history());
        self.locates_under_way = 0;
        self.held = comparison.held;
        self.unknown = comparison.unknown;
        self.has_more_unknown = comparison.has_more_unknown;
        // It is told again when both are equal: what was dropped here or there may have come.
        (self.is_owed, self.is_settled) = (false, false);
        // What waited there or was dropped is lacking by these heads: it is sent again, and answered for again.
        self.waiting_there = 0;
        // What is accepted but not durable goes out with its commit.
        self.plan(replica);
        self.has_heads = true;
    }

    /// Asks where chains fork, a bounded number of them at a time.
    fn ask_where_forked(
        &mut self,
        (connection, topic): (ConnectionId, Topic),
        replica: &Replica,
        effects: &mut Vec<Effect>,
    ) {
        while self.locates_under_way < LOCATES_UNDER_WAY_MAX {
            let Some(chain) = self.forked.pop() else { return };
            let samples = heads::samples(replica.history(), &chain, replica.rows().end());
            let (author, session) = (*chain.author.as_bytes(), chain.session.0);
            let locate = Locate { topic, author, session, samples, is_reply: false };
            effects.push(send(connection, &Message::Locate(locate)));
            self.locates_under_way += 1;
        }
    }

    /// Whether the peer is to tell its heads again, because all that are remembered have come and it told of more.
    pub(super) fn wants_heads_again(&mut self) -> bool {
        let is_due = self.has_more_unknown && self.unknown.is_empty();
        if is_due {
            (self.has_more_unknown, self.has_heads) = (false, false);
        }
        is_due
    }
}

impl Engine {
    /// Tells where the chains of a topic end: the first of them, or what comes after one.
    pub(in crate::engine) fn send_heads(
        &mut self,
        connection: ConnectionId,
        topic: Topic,
        after: Option<Head>,
        effects: &mut Vec<Effect>,
    ) {
        let state = self.topic_mut(connection, topic).filter(|state| state.is_following);
        let Some(document) = state.map(|state| state.document) else { return };
        let Some(replica) = self.documents.replica(&document) else { return };
        let replica = lock(&replica);
        // What follows a first part that told of no more than lies in whole rows tells of no more either.
        let is_of_whole = after.is_some() && !replica.holes().is_empty();
        let end = if is_of_whole { replica.whole_before() } else { replica.rows().end() };
        let heads = heads::part(&heads::heads_of(replica.history(), end), after);
        drop(replica);
        effects.push(send(connection, &Message::Heads(topic, heads)));
    }

    /// Where the peer's chains end. When all parts were told, what it lacks is planned, and forks are looked into.
    pub(in crate::engine) fn took_heads(
        &mut self,
        connection: ConnectionId,
        topic: Topic,
        told: &Heads,
        effects: &mut Vec<Effect>,
    ) {
        let Some(peer) = self.peers.get_mut(&connection) else { return };
        let Some(state) = peer.topics.get_mut(&topic).filter(|state| state.is_following) else { return };
        let Some(replica) = self.documents.replica(&state.document) else { return };
        if told.after.is_none() {
            state.comparison = Some(Comparison::default());
        }
        let Some(mut comparison) = state.comparison.take() else { return };
        let replica = lock(&replica);
        match comparison.add(replica.history(), told) {
            Ok(None) => state.compared(&replica, comparison),
            Ok(after) => {
                state.comparison = Some(comparison);
                return effects.push(send(connection, &Message::MoreHeads(topic, after)));
            }
            // What is under way goes on.
            Err(HeadsError::Elsewhere) => return state.comparison = Some(comparison),
            Err(error @ HeadsError::OutOfOrder) => {
                drop(replica);
                return self.hang_up(connection, &error.to_string(), effects);
            }
        }
        state.ask_where_forked((connection, topic), &replica, effects);
        drop(replica);
        self.ask_for_holes(connection, topic, effects);
        self.pump(connection, topic, effects);
    }

    /// The peer asks or tells where a branch parts from ours.
    pub(in crate::engine) fn locate(&mut self, connection: ConnectionId, locate: &Locate, effects: &mut Vec<Effect>) {
        let Some(peer) = self.peers.get_mut(&connection) else { return };
        let Some(state) = peer.topics.get_mut(&locate.topic).filter(|state| state.is_following) else { return };
        let Some(replica) = self.documents.replica(&state.document) else { return };
        let Ok(author) = AuthorId::from_bytes(&locate.author) else { return };
        let chain = ChainId { author, session: Session(locate.session) };
        let replica = lock(&replica);
        let history = replica.history();
        state.held.locate(history, &chain, &locate.samples);
        state.plan(&replica);
        if locate.is_reply {
            state.locates_under_way = state.locates_under_way.saturating_sub(1);
            state.ask_where_forked((connection, locate.topic), &replica, effects);
        } else {
            let samples = heads::samples(history, &chain, replica.rows().end());
            let reply = Locate { samples, is_reply: true, ..locate.clone() };
            effects.push(send(connection, &Message::Locate(reply)));
        }
        drop(replica);
        self.pump(connection, locate.topic, effects);
    }

    /// Sends heads again where something was dropped or differs.
    pub(in crate::engine) fn ask_again(&mut self, effects: &mut Vec<Effect>) {
        let now = self.now.steady_ms;
        let mut due = Vec::new();
        for (connection, peer) in &mut self.peers {
            for (topic, state) in &mut peer.topics {
                if state.ask_again_ms.is_some_and(|at| at <= now) {
                    state.ask_again_ms = None;
                    due.push((*connection, *topic));
                }
            }
        }
        for (connection, topic) in due {
            self.send_log_heads(connection, topic, effects);
            self.send_heads(connection, topic, None, effects);
        }
    }
}
