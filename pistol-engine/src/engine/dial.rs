//! The peers that this node tries to reach, and when it tries again.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};

use pistol_core::codec::{Malformed, Reader, Writer};
use pistol_core::id::DocumentId;
use pistol_core::store::{Row, StoreError, Table, Write, schema};
use pistol_sync::node::NodeId;
use pistol_sync::ticket::ADDRESSES_MAX;

use super::Engine;
use crate::effect::Effect;
use crate::input::{Address, Now};
use crate::limits;
use crate::replica::PeerState;

/// A peer, as people see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contact {
    /// Who.
    pub node: NodeId,
    /// Where it may be reached.
    pub addresses: Vec<Address>,
    /// Whether there is a connection.
    pub is_connected: bool,
    /// What went wrong last.
    pub last_error: Option<String>,
    /// When it is tried next, by the steady clock.
    pub next_try_ms: Option<u64>,
}

#[derive(Debug, Default)]
struct Known {
    addresses: Vec<Address>,
    documents: BTreeSet<DocumentId>,
    attempts: u32,
    next_try_ms: Option<u64>,
    last_error: Option<String>,
}

/// Peers to be connected to, because a ticket named them.
#[derive(Debug, Default)]
pub(super) struct Contacts {
    known: BTreeMap<NodeId, Known>,
}

/// Whether a row of the table of peers can be read.
pub fn is_peer(row: &Row) -> bool {
    known_peer(row).is_ok()
}

fn known_peer((key, value): &Row) -> Result<(NodeId, Vec<Address>, BTreeSet<DocumentId>), StoreError> {
    let damaged = |_| StoreError::Damaged { reason: "a peer's addresses".to_owned() };
    let node = NodeId(key.as_slice().try_into().map_err(|_| damaged(Malformed::Short))?);
    let (addresses, documents) = read(&schema::peer_addresses(value)?).map_err(damaged)?;
    Ok((node, addresses, documents))
}

impl Contacts {
    pub(super) fn from_rows(rows: &[Row], now: Now) -> Result<Self, StoreError> {
        let mut contacts = Contacts::default();
        for row in rows {
            let (node, addresses, documents) = known_peer(row)?;
            let next_try_ms = Some(now.steady_ms);
            contacts.known.insert(node, Known { addresses, documents, next_try_ms, ..Known::default() });
        }
        Ok(contacts)
    }

    /// Notes that a peer holds a document; says what is to be written.
    pub(super) fn add(&mut self, node: NodeId, addresses: &[Address], document: DocumentId, now: Now) -> Write {
        let known = self.known.entry(node).or_default();
        known.documents.insert(document);
        known.addresses = addresses.iter().take(ADDRESSES_MAX).copied().collect();
        known.next_try_ms = Some(now.steady_ms);
        known.attempts = 0;
        let value = Some(schema::peer_value(&write(known)));
        Write { table: Table::Peers, key: node.0.to_vec(), value }
    }

    pub(super) fn documents(&self, node: &NodeId) -> Vec<DocumentId> {
        self.known.get(node).map(|known| known.documents.iter().copied().collect()).unwrap_or_default()
    }

    /// No peer shares a document any more, and those that share no other are not looked for again. Says what is to be
    /// written.
    pub(super) fn remove(&mut self, document: &DocumentId) -> Vec<Write> {
        let mut writes = Vec::new();
        self.known.retain(|node, known| {
            let is_shared = known.documents.remove(document);
            let is_last = is_shared && known.documents.is_empty();
            if is_shared {
                let value = (!is_last).then(|| schema::peer_value(&write(known)));
                writes.push(Write { table: Table::Peers, key: node.0.to_vec(), value });
            }
            !is_last
        });
        writes
    }

    /// The peers that are known to share a document.
    pub(super) fn sharing(&self, document: &DocumentId) -> impl Iterator<Item = NodeId> {
        self.known.iter().filter(|(_, known)| known.documents.contains(document)).map(|(node, _)| *node)
    }

    /// Whether a peer is known to share any document.
    pub(super) fn is_known(&self, node: &NodeId) -> bool {
        self.known.get(node).is_some_and(|known| !known.documents.is_empty())
    }

    /// Whether a peer is known to share a document.
    pub(super) fn shares(&self, node: &NodeId, document: &DocumentId) -> bool {
        self.known.get(node).is_some_and(|known| known.documents.contains(document))
    }

    /// Whether a peer that holds a document is being reached, and was not found absent.
    pub(super) fn is_being_reached(&self, document: &DocumentId) -> bool {
        self.known.values().any(|known| known.documents.contains(document) && known.attempts == 0)
    }

    pub(super) fn deadline_ms(&self) -> Option<u64> {
        self.known.values().filter_map(|known| known.next_try_ms).min()
    }

    pub(super) fn redial_now(&mut self, now: Now) {
        for known in self.known.values_mut().filter(|known| known.next_try_ms.is_some()) {
            known.next_try_ms = Some(now.steady_ms);
            known.attempts = 0;
        }
    }

    /// A peer answered: the next time it is tried without delay.
    pub(super) fn greeted(&mut self, node: &NodeId) {
        if let Some(known) = self.known.get_mut(node) {
            (known.attempts, known.last_error) = (0, None);
        }
    }

    pub(super) fn list(&self, connected: impl Iterator<Item = NodeId>) -> Vec<Contact> {
        let connected: BTreeSet<NodeId> = connected.collect();
        let contact = |node: &NodeId, known: Option<&Known>| Contact {
            node: *node,
            addresses: known.map(|known| known.addresses.clone()).unwrap_or_default(),
            is_connected: connected.contains(node),
            last_error: known.and_then(|known| known.last_error.clone()),
            next_try_ms: known.and_then(|known| known.next_try_ms),
        };
        let strangers = connected.iter().filter(|node| !self.known.contains_key(node)).map(|node| contact(node, None));
        self.known.iter().map(|(node, known)| contact(node, Some(known))).chain(strangers).collect()
    }

    /// How a peer that could not be reached stands with its documents.
    pub(super) fn unreached(&self, node: &NodeId) -> Option<PeerState> {
        let error = self.known.get(node)?.last_error.as_ref()?;
        Some(self.state(node, error))
    }

    /// How a peer that is not connected stands with its documents.
    fn state(&self, node: &NodeId, error: &str) -> PeerState {
        let next_try_ms = self.known.get(node).and_then(|known| known.next_try_ms);
        PeerState::NoPath { last_error: error.to_owned(), next_try_ms }
    }
}

fn write(known: &Known) -> Vec<u8> {
    let mut writer = Writer::new();
    writer.length(known.addresses.len());
    for address in &known.addresses {
        match address.ip() {
            IpAddr::V4(ip) => writer.bytes(&ip.octets()),
            IpAddr::V6(ip) => writer.bytes(&ip.octets()),
        }
        writer.raw(&address.port().to_le_bytes());
    }
    writer.length(known.documents.len());
    known.documents.iter().for_each(|document| writer.raw(document.as_bytes()));
    writer.into_bytes()
}

fn read(bytes: &[u8]) -> Result<(Vec<Address>, BTreeSet<DocumentId>), Malformed> {
    let mut reader = Reader::new(bytes);
    let count = reader.count(ADDRESSES_MAX, 7)?;
    let address = |reader: &mut Reader<'_>| {
        let ip = reader.bytes(16)?;
        let four: Result<[u8; 4], _> = ip.try_into();
        let ip = match (four, <[u8; 16]>::try_from(ip)) {
            (Ok(ip), _) => IpAddr::from(ip),
            (_, Ok(ip)) => IpAddr::from(ip),
            _ => return Err(Malformed::Tag),
        };
        Ok(SocketAddr::new(ip, u16::from_le_bytes(reader.array()?)))
    };
    let addresses = (0..count).map(|_| address(&mut reader)).collect::<Result<_, _>>()?;
    let count = reader.count(usize::MAX, 32)?;
    let documents = (0..count).map(|_| reader.array().map(DocumentId)).collect::<Result<_, _>>()?;
    reader.end()?;
    Ok((addresses, documents))
}

impl Engine {
    /// Tries every peer whose time has come.
    pub(super) fn dial_due(&mut self, effects: &mut Vec<Effect>) {
        let now = self.now.steady_ms;
        for (node, known) in &mut self.contacts.known {
            if known.next_try_ms.is_some_and(|at| at <= now) {
                known.next_try_ms = None;
                effects.push(Effect::Dial { peer: *node, addresses: known.addresses.clone() });
            }
        }
    }

    pub(super) fn dial_failed(&mut self, peer: NodeId, reason: &str, effects: &mut Vec<Effect>) {
        if self.is_connected(&peer) {
            // The peer came by itself in the meantime.
            return;
        }
        self.try_again(peer, reason);
        self.joins.note(peer, reason);
        self.check_syncs(effects);
    }

    /// Plans the next attempt to reach a peer, later each time, and not at the same moment as everybody else.
    pub(super) fn try_again(&mut self, peer: NodeId, reason: &str) {
        if let Some(known) = self.contacts.known.get_mut(&peer) {
            let wait = (limits::REDIAL_MS << known.attempts.min(16)).min(limits::REDIAL_MS_MAX);
            let jitter = self.entropy.number() % (wait / 2 + 1);
            known.attempts += 1;
            known.next_try_ms = Some(self.now.steady_ms + wait / 2 + jitter);
            known.last_error = Some(reason.to_owned());
        }
        let state = self.contacts.state(&peer, reason);
        for document in self.contacts.documents(&peer) {
            self.show(&document, peer, state.clone(), false);
        }
    }

    /// The connection to a peer stands: no more attempts.
    pub(super) fn reached(&mut self, peer: &NodeId) {
        if let Some(known) = self.contacts.known.get_mut(peer) {
            known.next_try_ms = None;
        }
    }

    /// What went wrong last on the way to a document's peers.
    pub(super) fn last_error(&self, document: &DocumentId) -> String {
        let mut of = self.contacts.known.values().filter(|known| known.documents.contains(document));
        let last = of.find_map(|known| known.last_error.clone());
        last.unwrap_or_else(|| "nobody is connected".to_owned())
    }
}
