//! Envelopes on their way: out in order and within a window, in once they are checked.

use std::collections::BTreeMap;

use pistol_core::envelope::{Envelope, Verified, VerifiedChange};
use pistol_core::id::{ChangeId, DocumentId};
use pistol_core::store::{Row, schema};
use pistol_core::validate::{Ordinal, Rule};
use pistol_sync::limits::{REFUSED_TOLD_MAX, UNDER_WAY_BYTES_MAX};
use pistol_sync::proto::message::{Acknowledge, Message, Topic};

use super::peer::send;
use super::{Engine, load};
use crate::documents::lock;
use crate::effect::Effect;
use crate::input::ConnectionId;
use crate::limits;
use crate::replica::Sealed;

/// Changes that came in during a tick, and from where.
pub(super) type Inbox = Vec<(VerifiedChange, ConnectionId)>;

/// For whom rows are read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted {
    connection: ConnectionId,
    topic: Topic,
}

impl Engine {
    /// Reads the next rows for a topic, if its window has room.
    pub(super) fn pump(&mut self, connection: ConnectionId, topic: Topic, effects: &mut Vec<Effect>) {
        let Some(peer) = self.peers.get_mut(&connection) else { return };
        let has_room = peer.under_way_bytes < UNDER_WAY_BYTES_MAX;
        let Some(state) = peer.topics.get_mut(&topic) else { return };
        if let Some((from, _)) = state.queue.front().copied().filter(|_| has_room && !state.is_reading) {
            let Some(replica) = self.documents.replica(&state.document) else { return };
            let replica = lock(&replica);
            match replica.rows().holding(from) {
                Some((first, _, table)) => {
                    let (key, end) = schema::envelopes_from(replica.log(), first);
                    drop(replica);
                    state.is_reading = true;
                    self.read_to_send(Wanted { connection, topic }, (table, key, end), effects);
                }
                None => drop(state.queue.pop_front()),
            }
        }
        self.refresh(connection, topic, effects);
    }

    pub(super) fn pump_all(&mut self, effects: &mut Vec<Effect>) {
        let topics = |(id, peer): (&ConnectionId, &super::Peer)| {
            let waits = |state: &super::topic::TopicState| !state.queue.is_empty() && !state.is_reading;
            let topics: Vec<_> = peer.topics.iter().filter(|(_, state)| waits(state)).map(|(t, _)| (*id, *t)).collect();
            topics
        };
        let waiting: Vec<_> = self.peers.iter().flat_map(topics).collect();
        for (connection, topic) in waiting {
            self.pump(connection, topic, effects);
        }
    }

    /// Rows that a topic asked for. Whole rows go out as they rest; of others only what is wanted.
    pub(super) fn send_rows(&mut self, wanted: Wanted, rows: Vec<Row>, effects: &mut Vec<Effect>) {
        let Wanted { connection, topic } = wanted;
        let Some(state) = self.topic_mut(connection, topic) else { return };
        state.is_reading = false;
        let document = state.document;
        for (key, value) in rows {
            let Ok((_, first)) = schema::envelope_position(&key) else { continue };
            let Some((from, to)) = self.topic_mut(connection, topic).and_then(|s| s.queue.front().copied()) else {
                break;
            };
            let Some(replica) = self.documents.replica(&document) else { return };
            let row = lock(&replica).rows().holding(from);
            let Some((row_first, row_end, _)) = row.filter(|(row_first, ..)| *row_first == first) else { break };
            let bytes = if from == row_first && to >= row_end {
                Some(value)
            } else {
                part_of(document, &value, row_first, (from, to), &mut self.verifier)
            };
            self.advance(connection, topic, row_end.min(to));
            if let Some(bytes) = bytes {
                self.send_envelope(connection, topic, bytes, effects);
            }
        }
        self.pump(connection, topic, effects);
    }

    /// Takes what was sent off the queue.
    fn advance(&mut self, connection: ConnectionId, topic: Topic, sent: Ordinal) {
        let Some(state) = self.topic_mut(connection, topic) else { return };
        match state.queue.front_mut() {
            Some((from, to)) if sent < *to => *from = sent,
            _ => drop(state.queue.pop_front()),
        }
    }

    fn send_envelope(&mut self, connection: ConnectionId, topic: Topic, bytes: Vec<u8>, effects: &mut Vec<Effect>) {
        let Some(peer) = self.peers.get_mut(&connection) else { return };
        let Some(state) = peer.topics.get_mut(&topic) else { return };
        state.under_way.push_back(bytes.len());
        peer.under_way_bytes += bytes.len();
        effects.push(send(connection, &Message::Envelope(topic, bytes)));
    }

    /// What became durable goes to everybody who follows, except where it came from.
    pub(super) fn push(&mut self, sealed: &Sealed, effects: &mut Vec<Effect>) {
        let following = |(id, peer): (&ConnectionId, &super::Peer)| Some((*id, peer.topic_of(&sealed.document)?));
        let following: Vec<_> = self.peers.iter().filter_map(following).collect();
        for (connection, topic) in following {
            let is_from_there = |from: &Option<ConnectionId>| *from == Some(connection);
            let is_all_new = !sealed.changes.iter().any(|(_, from)| is_from_there(from));
            let Some(state) = self.topic_mut(connection, topic).filter(|state| state.has_heads) else { continue };
            let is_caught_up = state.queue.is_empty() && !state.is_reading;
            if is_all_new && is_caught_up {
                for (_, _, bytes) in &sealed.envelopes {
                    self.send_envelope(connection, topic, bytes.as_ref().clone(), effects);
                }
            } else {
                let ordinals = (sealed.first..).zip(&sealed.changes);
                let wanted = ordinals.filter(|(_, (_, from))| !is_from_there(from)).map(|(ordinal, _)| ordinal);
                state.enqueue(wanted);
            }
            self.pump(connection, topic, effects);
        }
    }

    /// An envelope: checked outside any document, then kept for the end of the tick.
    pub(super) fn took_envelope(
        &mut self,
        connection: ConnectionId,
        topic: Topic,
        bytes: &[u8],
        effects: &mut Vec<Effect>,
    ) {
        let Some(state) = self.topic_mut(connection, topic).filter(|state| state.is_following) else {
            return self.blame(connection, "it sent changes that nobody asked for", effects);
        };
        state.received += 1;
        let document = state.document;
        self.commits.acknowledge_when_stored(connection, topic);
        let outcome = self.verify(document, bytes);
        match outcome {
            Ok(changes) => {
                let inbox = self.inbox.entry(document).or_default();
                inbox.extend(changes.into_iter().map(|change| (change, connection)));
            }
            Err(reason) => {
                if let Some(replica) = self.documents.replica(&document) {
                    lock(&replica).state.refuse(&reason);
                }
                self.blame(connection, &reason, effects);
            }
        }
    }

    /// Duplicates are recognised before any signature is checked.
    fn verify(&mut self, document: DocumentId, bytes: &[u8]) -> Result<Vec<VerifiedChange>, String> {
        let envelope = Envelope::from_bytes(bytes).map_err(|error| format!("an envelope is malformed: {error}"))?;
        if envelope.document() != document {
            return Err("an envelope of another document was sent".to_owned());
        }
        let verified = envelope.verify(&mut self.verifier).map_err(|error| error.to_string())?;
        Ok(verified.into_changes())
    }

    /// Takes in everything that arrived during the tick: one projection for each document.
    pub(super) fn admit_inbox(&mut self, effects: &mut Vec<Effect>) {
        for (document, changes) in std::mem::take(&mut self.inbox) {
            let Some(replica) = self.documents.replica(&document) else { continue };
            let mut replica = lock(&replica);
            let admission = replica.admit(changes);
            if let Err(rule) = replica.project() {
                replica.state.refuse(&format!("Automerge failed on accepted changes: {rule}"));
            }
            drop(replica);
            if !admission.accepted.is_empty() {
                self.documents.mark_dirty(document);
                let authors = admission.accepted.into_iter().collect();
                effects.push(Effect::Changed { document, authors, is_own: false });
            }
            self.tell_refused(&document, admission.refused, effects);
            for connection in admission.dropped {
                self.plan_to_ask_again(connection, &document);
            }
            self.refresh_all(&document, effects);
        }
    }

    fn plan_to_ask_again(&mut self, connection: ConnectionId, document: &DocumentId) {
        let at = self.now.steady_ms + limits::ASK_AGAIN_MS;
        let Some(peer) = self.peers.get_mut(&connection) else { return };
        if let Some(state) = peer.topic_of(document).and_then(|topic| peer.topics.get_mut(&topic)) {
            state.ask_again_ms.get_or_insert(at);
        }
    }

    fn refresh_all(&mut self, document: &DocumentId, effects: &mut Vec<Effect>) {
        let of = |(id, peer): (&ConnectionId, &super::Peer)| Some((*id, peer.topic_of(document)?));
        let topics: Vec<_> = self.peers.iter().filter_map(of).collect();
        for (connection, topic) in topics {
            self.refresh(connection, topic, effects);
        }
    }

    fn tell_refused(
        &mut self,
        document: &DocumentId,
        refused: Vec<(ConnectionId, ChangeId, Rule)>,
        effects: &mut Vec<Effect>,
    ) {
        let mut by_connection: BTreeMap<ConnectionId, Rule> = BTreeMap::new();
        for (connection, id, rule) in refused {
            let Some(peer) = self.peers.get_mut(&connection) else { continue };
            if let Some(state) = peer.topic_of(document).and_then(|topic| peer.topics.get_mut(&topic)) {
                if state.refused.len() < REFUSED_TOLD_MAX {
                    state.refused.push((id.0, rule.code()));
                }
            }
            by_connection.insert(connection, rule);
        }
        for (connection, rule) in by_connection {
            self.blame(connection, &rule.to_string(), effects);
        }
    }

    /// How many envelopes of a topic were received.
    pub(super) fn received_count(&self, connection: ConnectionId, topic: Topic) -> Option<u64> {
        Some(self.peers.get(&connection)?.topics.get(&topic)?.received)
    }

    pub(super) fn send_acknowledgement(
        &mut self,
        connection: ConnectionId,
        topic: Topic,
        count: u64,
        effects: &mut Vec<Effect>,
    ) {
        let Some(state) = self.topic_mut(connection, topic) else { return };
        let refused = std::mem::take(&mut state.refused);
        effects.push(send(connection, &Message::Acknowledge(Acknowledge { topic, count, refused })));
    }

    pub(super) fn took_acknowledgement(
        &mut self,
        connection: ConnectionId,
        acknowledge: &Acknowledge,
        effects: &mut Vec<Effect>,
    ) {
        let topic = acknowledge.topic;
        let Some(peer) = self.peers.get_mut(&connection) else { return };
        let Some(state) = peer.topics.get_mut(&topic) else { return };
        if acknowledge.count > state.acknowledged + state.under_way.len() as u64 {
            return self.hang_up(connection, "it acknowledged what was never sent", effects);
        }
        while state.acknowledged < acknowledge.count {
            state.acknowledged += 1;
            peer.under_way_bytes -= state.under_way.pop_front().unwrap_or(0).min(peer.under_way_bytes);
        }
        let (document, node) = (state.document, peer.node);
        if let Some(replica) = self.documents.replica(&document).filter(|_| !acknowledge.refused.is_empty()) {
            let mut replica = lock(&replica);
            for (_, code) in &acknowledge.refused {
                let why =
                    Rule::of_code(*code).map_or_else(|| "a rule unknown here".to_owned(), |rule| rule.to_string());
                replica.state.refuse(&format!("refused by peer {node:?}: {why}"));
            }
        }
        self.pump(connection, topic, effects);
    }
}

/// Some changes of a row, as an envelope of their own.
fn part_of(
    document: DocumentId,
    row: &[u8],
    row_first: Ordinal,
    (from, to): (Ordinal, Ordinal),
    verifier: &mut pistol_core::key::Verifier,
) -> Option<Vec<u8>> {
    let changes = load::verified(document, row, verifier).ok()?;
    let index = |ordinal: Ordinal| usize::try_from(ordinal.saturating_sub(row_first)).unwrap_or(usize::MAX);
    let part = changes.get(index(from)..index(to).min(changes.len()))?;
    Some(Verified::seal(document, part).to_bytes())
}
