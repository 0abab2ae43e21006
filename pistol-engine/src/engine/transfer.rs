//! Envelopes on their way: out in order and within a window, in once they were checked.

use std::collections::BTreeMap;

use pistol_core::envelope::{Verified, VerifiedChange};
use pistol_core::id::{ChangeId, DocumentId};
use pistol_core::store::{Row, Table, schema};
use pistol_core::validate::{Ordinal, Rule};
use pistol_sync::limits::REFUSED_TOLD_MAX;
use pistol_sync::proto::message::{Acknowledge, Message, Topic};

use super::peer::send;
use super::records::Verdict;
use super::topic::TopicState;
use super::{Engine, load};
use crate::documents::lock;
use crate::effect::Effect;
use crate::input::{ConnectionId, Unreadable};
use crate::limits;
use crate::replica::{Replica, Sealed, Source, StoredRow};

/// What a change counts in the window beside its bytes: a keystroke is a byte on its way and some hundred in the memory of
/// the peer, until the peer has stored it.
const CHANGE_ROOM: usize = 256;

/// Changes that came in during a tick, and from where.
pub(super) type Inbox = Vec<(VerifiedChange, Source)>;

/// For whom rows are read, and where they lay when they were asked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted {
    connection: ConnectionId,
    topic: Topic,
    table: Table,
}

impl Engine {
    /// Reads the next rows for a topic, if its window has room.
    pub(super) fn pump(&mut self, connection: ConnectionId, topic: Topic, effects: &mut Vec<Effect>) {
        self.send_operations(connection, topic, effects);
        let Some(peer) = self.peers.get_mut(&connection) else { return };
        let has_room = peer.has_room();
        let Some(state) = peer.topics.get_mut(&topic).filter(|state| has_room && state.wants_rows()) else {
            return self.refresh(connection, topic, effects);
        };
        let Some(replica) = self.documents.replica(&state.document) else { return };
        let replica = lock(&replica);
        let row = state.queue.front().and_then(|(from, _)| replica.rows().holding(*from));
        let Some((first, _, StoredRow { table, .. })) = row else { return };
        let (key, end) = schema::envelopes_from(replica.log(), first);
        drop(replica);
        state.is_reading = true;
        self.read_to_send(Wanted { connection, topic, table }, (table, key, end), effects);
        self.refresh(connection, topic, effects);
    }

    pub(super) fn pump_all(&mut self, effects: &mut Vec<Effect>) {
        let now = self.now.steady_ms;
        let mut waiting = Vec::new();
        for (connection, peer) in &mut self.peers {
            for (topic, state) in &mut peer.topics {
                state.read_again_ms = state.read_again_ms.filter(|at| *at > now);
                if state.wants_rows() {
                    waiting.push((*connection, *topic));
                }
            }
        }
        for (connection, topic) in waiting {
            self.pump(connection, topic, effects);
        }
    }

    /// Rows that a topic asked for. Whole rows go out as they rest; of others only what is wanted.
    pub(super) fn send_rows(&mut self, wanted: Wanted, rows: Result<Vec<Row>, Unreadable>, effects: &mut Vec<Effect>) {
        let Wanted { connection, topic, table } = wanted;
        let Some(state) = self.topic_mut(connection, topic) else { return };
        state.is_reading = false;
        let document = state.document;
        let mut failure = rows.as_ref().err().map(|error| error.reason().to_owned());
        let unread = std::mem::replace(&mut state.unread, failure.clone());
        let Some(replica) = self.documents.replica(&document) else { return };
        if unread.is_some() && lock(&replica).state.store_failure == unread {
            // It may be read again.
            lock(&replica).state.store_failure = self.commits.failure().cloned();
        }
        // Whether anything was done that brings this here again.
        let mut is_sent = false;
        let is_damaged = matches!(rows, Err(Unreadable::Damaged { .. }));
        let wants_first = self.topic_mut(connection, topic).and_then(|state| state.queue.front().copied());
        let is_absent = rows.as_ref().is_ok_and(|rows| !lies_in(&lock(&replica), rows, wants_first));
        if is_damaged || is_absent {
            let last = rows.as_ref().err().and_then(|error| last_damaged(table, error));
            let lost = wants_first.map(|(first, _)| (first, last.unwrap_or(first).max(first)));
            self.rows_are_damaged(document, lost, effects);
        }
        for (key, value) in rows.unwrap_or_default() {
            // What was read and does not fit the window is read again when it does: thousands of keystrokes are one read.
            if !self.has_room(connection) {
                is_sent = true;
                break;
            }
            let Ok((_, first)) = schema::envelope_position(&key) else { continue };
            let Some((from, to)) = self.topic_mut(connection, topic).and_then(|s| s.queue.front().copied()) else {
                break;
            };
            // The rows may have been sealed into larger ones since they were asked for: then they are asked for again.
            let row = lock(&replica).rows().holding(from).filter(|row| row.2.table == table);
            let Some((row_first, row_end, row)) = row.filter(|(row_first, ..)| first <= *row_first) else { break };
            if first < row_first {
                continue;
            }
            let bytes = if schema::row_digest(&value) != row.digest {
                // No peer is given what is not what was checked: it would count as this node's fault.
                Err("a row of the store is not what was written there".to_owned())
            } else if from == row_first && to >= row_end {
                Ok(value)
            } else {
                part_of(document, &value, row_first, (from, to), &mut self.verifier)
            };
            match bytes {
                Ok(bytes) => self.send_changes(connection, topic, (from, row_end.min(to)), bytes, effects),
                Err(reason) => {
                    self.rows_are_damaged(document, Some((from, from)), effects);
                    failure = Some(reason);
                    break;
                }
            }
            is_sent = true;
        }
        if let Some(reason) = failure {
            lock(&replica).state.store_failure = Some(reason);
        }
        let read_again_ms = self.now.steady_ms + limits::READ_AGAIN_MS;
        if let Some(state) = self.topic_mut(connection, topic).filter(|state| !is_sent && !state.queue.is_empty()) {
            state.read_again_ms = Some(read_again_ms);
        }
        self.pump(connection, topic, effects);
    }

    fn has_room(&self, connection: ConnectionId) -> bool {
        self.peers.get(&connection).is_some_and(super::Peer::has_room)
    }

    /// Sends changes, which the peer will then hold.
    fn send_changes(
        &mut self,
        connection: ConnectionId,
        topic: Topic,
        (from, to): (Ordinal, Ordinal),
        bytes: Vec<u8>,
        effects: &mut Vec<Effect>,
    ) {
        let Some(document) = self.topic_mut(connection, topic).map(|state| state.document) else { return };
        let Some(replica) = self.documents.replica(&document) else { return };
        let Some(state) = self.topic_mut(connection, topic) else { return };
        state.sent(lock(&replica).history(), from, to);
        let changes = usize::try_from(to.saturating_sub(from)).unwrap_or(usize::MAX);
        let room = bytes.len().saturating_add(changes.saturating_mul(CHANGE_ROOM));
        self.send_envelope(connection, topic, (bytes, room), effects);
    }

    fn send_envelope(
        &mut self,
        connection: ConnectionId,
        topic: Topic,
        (bytes, room): (Vec<u8>, usize),
        effects: &mut Vec<Effect>,
    ) {
        let Some(peer) = self.peers.get_mut(&connection) else { return };
        let Some(state) = peer.topics.get_mut(&topic) else { return };
        state.under_way.push_back(room);
        peer.under_way_bytes += room;
        effects.push(send(connection, &Message::Envelope(topic, bytes)));
    }

    /// What became durable goes to everybody who follows and lacks it.
    pub(super) fn push(&mut self, sealed: &Sealed, effects: &mut Vec<Effect>) {
        let following = |(id, peer): (&ConnectionId, &super::Peer)| Some((*id, peer.topic_of(&sealed.document)?));
        let following: Vec<_> = self.peers.iter().filter_map(following).collect();
        let Some(replica) = self.documents.replica(&sealed.document) else { return };
        for (connection, topic) in following {
            self.send_operations(connection, topic, effects);
            let Some(peer) = self.peers.get_mut(&connection) else { continue };
            let has_room = peer.has_room();
            let Some(state) = peer.topics.get_mut(&topic).filter(|state| state.has_heads) else { continue };
            state.read_again_ms = None;
            let is_caught_up = has_room && state.may_send_changes() && state.queue.is_empty() && !state.is_reading;
            let is_all_lacked = {
                let replica = lock(&replica);
                let ordinals = (sealed.first..).zip(&sealed.changes);
                state.became_durable(
                    replica.history(),
                    ordinals.map(|(ordinal, (_, from))| (ordinal, *from == Some(connection))),
                )
            };
            if is_caught_up && is_all_lacked {
                for (first, count, bytes) in sealed.envelopes() {
                    self.send_changes(connection, topic, (first, first + count), bytes.as_ref().clone(), effects);
                }
            }
            self.pump(connection, topic, effects);
        }
    }

    /// Takes in everything that arrived during the tick: one projection for each document.
    pub(super) fn admit_inbox(&mut self, effects: &mut Vec<Effect>) {
        let now = self.now.steady_ms;
        for document in self.due_again() {
            self.inbox.entry(document).or_default();
        }
        for (document, changes) in std::mem::take(&mut self.inbox) {
            let Some(replica) = self.documents.replica(&document) else { continue };
            self.documents.touch(&document);
            let mut replica = lock(&replica);
            let admission = replica.admit(now, changes, &mut self.room);
            let is_resting = replica.look_again_ms().is_some();
            drop(replica);
            if is_resting {
                self.to_look_again.insert(document);
            } else {
                self.to_look_again.remove(&document);
            }
            if admission.is_to_show {
                self.unshown.insert(document);
            }
            if admission.is_to_store || self.has_holes(&document) {
                self.documents.mark_dirty(document);
            }
            self.tell_refused(&document, admission.refused, effects);
            self.make_room();
            for connection in admission.released {
                if let Some(topic) = self.peers.get(&connection).and_then(|peer| peer.topic_of(&document)) {
                    self.commits.acknowledge_when_stored(connection, topic);
                }
            }
            self.show_standing(&document, effects);
        }
    }

    /// Documents of which something rested for long enough.
    fn due_again(&self) -> Vec<DocumentId> {
        let now = self.now.steady_ms;
        self.to_look_again
            .iter()
            .filter(|document| self.look_again_ms_of(document).is_some_and(|at| at <= now))
            .copied()
            .collect()
    }

    /// When the first of what rests is to be looked at again.
    pub(super) fn look_again_ms(&self) -> Option<u64> {
        self.to_look_again.iter().filter_map(|document| self.look_again_ms_of(document)).min()
    }

    fn look_again_ms_of(&self, document: &DocumentId) -> Option<u64> {
        self.documents.replica(document).and_then(|replica| lock(&replica).look_again_ms())
    }

    /// Shows readers what is due.
    pub(super) fn show_due(&mut self, effects: &mut Vec<Effect>) {
        for document in self.unshown.clone() {
            let (is_complete, is_gathering) = (self.is_complete(&document), self.is_gathering(&document));
            if let Some(replica) = self.documents.replica(&document) {
                let mut replica = lock(&replica);
                replica.show(self.now.steady_ms, is_complete, is_gathering);
                self.typed_walk += replica.take_typed_walk();
            }
            self.tell_shown(document, effects);
        }
    }

    /// Shows everything of a document now.
    pub(super) fn show_all(&mut self, document: DocumentId, effects: &mut Vec<Effect>) {
        if !self.unshown.contains(&document) {
            return;
        }
        if let Some(replica) = self.documents.replica(&document) {
            lock(&replica).show_all(self.now.steady_ms);
        }
        self.tell_shown(document, effects);
    }

    fn tell_shown(&mut self, document: DocumentId, effects: &mut Vec<Effect>) {
        let Some(replica) = self.documents.replica(&document) else { return };
        let authors: Vec<_> = lock(&replica).shown().into_iter().collect();
        if lock(&replica).has_nothing_to_show() {
            // What came is masked, or was seen before.
            self.unshown.remove(&document);
        }
        if !authors.is_empty() {
            self.unshown.remove(&document);
            if lock(&replica).is_snapshot_due() {
                self.documents.mark_dirty(document);
            }
            effects.push(Effect::Changed { document, authors, is_own: false });
        }
    }

    /// Whether all came of which connected peers have told. A peer that was asked is waited for; who came by itself and
    /// tells nothing keeps nobody waiting.
    fn is_complete(&self, document: &DocumentId) -> bool {
        let topics = self.peers.values().flat_map(|peer| peer.topics.values());
        let mut of_it = topics.filter(|state| state.document == *document && (state.is_asked || state.has_heads));
        of_it.all(TopicState::has_all)
    }

    /// Whether a peer that this node dialled has more of it that is to come.
    fn is_gathering(&self, document: &DocumentId) -> bool {
        let dialled = self.peers.values().filter(|peer| peer.is_dialled());
        let mut of_it = dialled.filter_map(|peer| peer.topics.get(&peer.topic_of(document)?));
        of_it.any(|state| state.is_asked && !state.has_all())
    }

    pub(super) fn show_at_ms(&self) -> Option<u64> {
        let at = |document| self.documents.replica(document).and_then(|replica| lock(&replica).show_at_ms());
        self.unshown.iter().filter_map(at).min()
    }

    pub(super) fn plan_to_ask_again(&mut self, connection: ConnectionId, document: &DocumentId) {
        let now = self.now.steady_ms;
        let Some(peer) = self.peers.get_mut(&connection) else { return };
        let state = peer.topic_of(document).and_then(|topic| peer.topics.get_mut(&topic));
        if let Some(state) = state.filter(|state| state.ask_again_ms.is_none()) {
            state.ask_again_ms = Some(now + (limits::ASK_AGAIN_MS << state.drops));
            state.drops = (state.drops + 1).min(limits::ASK_AGAIN_DOUBLED);
        }
    }

    fn tell_refused(
        &mut self,
        document: &DocumentId,
        refused: Vec<(Source, ChangeId, Rule)>,
        effects: &mut Vec<Effect>,
    ) {
        let mut by_connection: BTreeMap<ConnectionId, Rule> = BTreeMap::new();
        for (Source { connection, record, .. }, id, rule) in refused {
            self.records.insert(record, Verdict::Refused(rule.to_string()));
            let Some(peer) = self.peers.get_mut(&connection) else { continue };
            let state = peer.topic_of(document).and_then(|topic| peer.topics.get_mut(&topic));
            if let Some(state) = state.filter(|state| state.refused.len() < REFUSED_TOLD_MAX) {
                state.refused.push((id.0, rule.code()));
            }
            by_connection.insert(connection, rule);
        }
        for (connection, rule) in by_connection {
            self.blame(connection, &rule.to_string(), effects);
        }
    }

    /// What may be acknowledged of a topic once all that was accepted is durable.
    pub(super) fn acknowledgement(&mut self, connection: ConnectionId, topic: Topic) -> Option<Acknowledge> {
        let state = self.topic_mut(connection, topic)?;
        let (count, dropped) = (state.received, usize::from(state.ask_again_ms.is_some()) + state.unreadable);
        let (document, refused) = (state.document, std::mem::take(&mut state.refused));
        let replica = self.documents.replica(&document)?;
        let waiting = lock(&replica).waiting_from(connection).saturating_add(dropped);
        Some(Acknowledge { topic, count, waiting: u32::try_from(waiting).unwrap_or(u32::MAX), refused })
    }

    pub(super) fn send_acknowledgement(
        &mut self,
        connection: ConnectionId,
        acknowledge: Acknowledge,
        effects: &mut Vec<Effect>,
    ) {
        if self.topic_mut(connection, acknowledge.topic).is_some() {
            effects.push(send(connection, &Message::Acknowledge(acknowledge)));
        }
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
        state.waiting_there = acknowledge.waiting;
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

/// Whether the row that holds the first wanted change is among those that were read, or was moved meanwhile.
fn lies_in(replica: &Replica, rows: &[Row], wanted: Option<(Ordinal, Ordinal)>) -> bool {
    let Some((first, _, row)) = wanted.and_then(|(from, _)| replica.rows().holding(from)) else { return true };
    let key = schema::envelope_key(replica.log(), first);
    row.table == Table::Tail || rows.iter().any(|(found, _)| *found == key)
}

/// Some changes of a row, as an envelope of their own.
fn part_of(
    document: DocumentId,
    row: &[u8],
    row_first: Ordinal,
    (from, to): (Ordinal, Ordinal),
    verifier: &mut pistol_core::key::Verifier,
) -> Result<Vec<u8>, String> {
    let changes = load::verified(document, row, verifier)?;
    let index = |ordinal: Ordinal| usize::try_from(ordinal.saturating_sub(row_first)).unwrap_or(usize::MAX);
    let part = changes.get(index(from)..index(to).min(changes.len())).ok_or("a row is shorter than it was")?;
    Ok(Verified::seal(document, part).to_bytes())
}

/// Up to which row a read found nothing but damage: those of a pack are lost together, and the last of them is told of.
fn last_damaged(table: Table, error: &Unreadable) -> Option<Ordinal> {
    let Unreadable::Damaged { key: Some(key), .. } = error else { return None };
    schema::envelope_position(key).ok().filter(|_| table == Table::Envelopes).map(|(_, last)| last)
}
