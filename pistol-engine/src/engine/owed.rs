//! What a peer sent and could not be kept: for want of room, or since a later version wrote it. That it is to be asked
//! for again survives a restart.

use std::collections::{BTreeMap, BTreeSet};

use pistol_core::id::DocumentId;
use pistol_core::store::schema::{self, LogNumber};
use pistol_core::store::{Row, StoreError, Table, Write};
use pistol_sync::node::NodeId;

use super::Engine;
use crate::catalog::Catalog;
use crate::documents::lock;
use crate::input::ConnectionId;
use crate::limits;

#[derive(Debug, Default)]
pub(super) struct Owed(BTreeMap<DocumentId, BTreeSet<NodeId>>);

impl Owed {
    pub(super) fn from_rows(rows: &[Row], catalog: &Catalog) -> Result<Self, StoreError> {
        let mut owed = Owed::default();
        for row in rows {
            let (log, node) = schema::owed(row)?;
            // A row of no log says nothing.
            if let Some(document) = catalog.numbered(log) {
                owed.0.entry(document).or_default().insert(NodeId(node));
            }
        }
        Ok(owed)
    }

    pub(super) fn of(&self, document: &DocumentId) -> BTreeSet<NodeId> {
        self.0.get(document).cloned().unwrap_or_default()
    }

    pub(super) fn to(&self, node: &NodeId) -> Vec<DocumentId> {
        self.0.iter().filter(|(_, nodes)| nodes.contains(node)).map(|(document, _)| *document).collect()
    }

    /// A document is removed; says what is to be written.
    pub(super) fn remove(&mut self, document: &DocumentId, log: LogNumber) -> Vec<Write> {
        let nodes = self.0.remove(document).unwrap_or_default();
        let row = |node: NodeId| Write { table: Table::Owed, key: schema::owed_row(log, node.0).0, value: None };
        nodes.into_iter().map(row).collect()
    }

    pub(super) fn has(&self, document: &DocumentId, node: &NodeId) -> bool {
        self.0.get(document).is_some_and(|nodes| nodes.contains(node))
    }
}

impl Engine {
    /// A peer sent something of a document that could not be kept.
    fn owe(&mut self, document: DocumentId, node: NodeId) {
        let is_stranger = !self.contacts.is_known(&node);
        let nodes = self.owed.0.entry(document).or_default();
        if (is_stranger && nodes.len() >= limits::OWED_STRANGERS_MAX) || !nodes.insert(node) {
            return;
        }
        self.write_owed(document, node, true);
    }

    /// A peer and this node hold the same again.
    pub(super) fn pay(&mut self, document: DocumentId, node: NodeId) {
        if !self.owed.has(&document, &node) {
            return;
        }
        if let Some(nodes) = self.owed.0.get_mut(&document) {
            nodes.remove(&node);
            if nodes.is_empty() {
                self.owed.0.remove(&document);
            }
        }
        self.write_owed(document, node, false);
    }

    fn write_owed(&mut self, document: DocumentId, node: NodeId, is_owed: bool) {
        if let Some(log) = self.catalog.log(&document) {
            let (key, value) = schema::owed_row(log.number, node.0);
            self.commits.write(Write { table: Table::Owed, key, value: is_owed.then_some(value) });
        }
        self.tell_owed(&document);
    }

    /// Notes in a document's state who is to be asked again.
    pub(super) fn tell_owed(&self, document: &DocumentId) {
        if let Some(replica) = self.documents.replica(document) {
            lock(&replica).state.owed = self.owed.of(document);
        }
    }

    /// What had no room: its senders are asked again, later each time.
    pub(super) fn dropped(&mut self, document: DocumentId, connection: ConnectionId, node: NodeId) {
        self.not_kept(document, connection, node);
        self.plan_to_ask_again(connection, &document);
    }

    /// What came on a connection was not kept.
    pub(super) fn not_kept(&mut self, document: DocumentId, connection: ConnectionId, node: NodeId) {
        let topics = self.peers.get_mut(&connection).map(|peer| &mut peer.topics);
        for state in topics.into_iter().flat_map(|topics| topics.values_mut()) {
            state.is_owed |= state.document == document;
        }
        self.owe(document, node);
    }

    /// Lets go of what waits until the rest has room.
    pub(super) fn make_room(&mut self) {
        let mut senders = BTreeSet::new();
        while let Some((document, record)) = self.room.excess_of_one() {
            let Some(replica) = self.documents.replica(&document) else { break };
            let mut replica = lock(&replica);
            if !replica.hand_over(&record, &mut self.room) {
                let from = replica.drop_waiting(&record, &mut self.room);
                senders.extend(from.iter().map(|source| (document, source.connection, source.node)));
            }
        }
        while let Some((document, record)) = self.room.excess_of_all() {
            let Some(replica) = self.documents.replica(&document) else { break };
            let from = lock(&replica).drop_waiting(&record, &mut self.room);
            senders.extend(from.iter().map(|source| (document, source.connection, source.node)));
        }
        for (document, connection, node) in senders {
            self.dropped(document, connection, node);
        }
    }
}
