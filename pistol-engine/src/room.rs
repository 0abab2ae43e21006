//! The room for changes that wait for others: bounded for each peer and in all, so that a flood from one peer takes
//! nothing from another.
//!
//! What must go for want of room is the newest of the peer that holds most; first of those that are not connected, since
//! a thousand names that come and go hold nothing that one could be asked for again.

use std::collections::{BTreeMap, BTreeSet};

use pistol_core::id::{ChangeId, DocumentId, Link};
use pistol_sync::node::NodeId;

use crate::limits;

/// A change at a place of its chain, by the link before it. Its author may sign it at a wrong place too, and that must
/// not keep the right one out.
pub(crate) type Record = (ChangeId, Link);

/// Room taken by a record, in the share of the peer that sent it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    node: NodeId,
    number: u64,
}

#[derive(Debug, Default)]
pub(crate) struct Room {
    shares: BTreeMap<NodeId, Share>,
    /// Whether a peer is gone, and what it holds: the last is the first to lose something.
    by_weight: BTreeSet<(bool, usize, NodeId)>,
    connected: BTreeSet<NodeId>,
    bytes: usize,
    next: u64,
}

/// What one peer's records take.
#[derive(Debug, Default)]
struct Share {
    bytes: usize,
    records: BTreeMap<u64, Held>,
}

#[derive(Debug)]
struct Held {
    document: DocumentId,
    record: Record,
    bytes: usize,
}

impl Room {
    /// Takes room for a record; `None` if the peer's share is used up. A peer with nothing here gets room for one record
    /// of any size.
    pub(crate) fn take(&mut self, node: NodeId, document: DocumentId, record: Record, bytes: usize) -> Option<Place> {
        let (held, count) = self.shares.get(&node).map_or((0, 0), |share| (share.bytes, share.records.len()));
        let has_room = held.saturating_add(bytes) <= limits::WAITING_BYTES_A_PEER && count < limits::WAITING_A_PEER;
        if count > 0 && !has_room {
            return None;
        }
        let number = self.next;
        self.next += 1;
        self.change(node, |share| {
            share.bytes += bytes;
            share.records.insert(number, Held { document, record, bytes });
        });
        Some(Place { node, number })
    }

    /// A record takes more than it did.
    pub(crate) fn grow(&mut self, place: Place, bytes: usize) {
        self.change(place.node, |share| {
            if let Some(held) = share.records.get_mut(&place.number) {
                held.bytes += bytes;
                share.bytes += bytes;
            }
        });
    }

    pub(crate) fn give_back(&mut self, place: Place) {
        self.change(place.node, |share| {
            if let Some(held) = share.records.remove(&place.number) {
                share.bytes -= held.bytes.min(share.bytes);
            }
        });
    }

    pub(crate) fn came(&mut self, node: NodeId) {
        self.connected.insert(node);
        self.change(node, |_| {});
    }

    pub(crate) fn went(&mut self, node: NodeId) {
        self.connected.remove(&node);
        self.change(node, |_| {});
    }

    /// What must go, if there is less room than is taken.
    pub(crate) fn excess(&self) -> Option<(DocumentId, Record)> {
        if self.bytes <= limits::WAITING_BYTES_IN_ALL {
            return None;
        }
        let (_, _, heaviest) = self.by_weight.last()?;
        let (_, newest) = self.shares.get(heaviest)?.records.last_key_value()?;
        Some((newest.document, newest.record))
    }

    fn change(&mut self, node: NodeId, change: impl FnOnce(&mut Share)) {
        let mut share = self.shares.remove(&node).unwrap_or_default();
        for is_gone in [false, true] {
            self.by_weight.remove(&(is_gone, share.bytes, node));
        }
        self.bytes -= share.bytes.min(self.bytes);
        change(&mut share);
        self.bytes += share.bytes;
        if !share.records.is_empty() {
            self.by_weight.insert((!self.connected.contains(&node), share.bytes, node));
            self.shares.insert(node, share);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCUMENT: DocumentId = DocumentId([1; 32]);

    fn record(number: u64) -> Record {
        let mut id = [0; 32];
        id[..8].copy_from_slice(&number.to_be_bytes());
        (ChangeId(id), Link([0; 32]))
    }

    fn node(number: u64) -> NodeId {
        NodeId(record(number).0.0)
    }

    /// A peer takes all that it gets, in records of this size; how many it got.
    fn fill(room: &mut Room, peer: u64, bytes: usize) -> usize {
        (0..u64::MAX).take_while(|number| room.take(node(peer), DOCUMENT, record(*number), bytes).is_some()).count()
    }

    #[test]
    fn a_peer_gets_its_share_and_no_more() {
        let mut room = Room::default();
        assert_eq!(fill(&mut room, 1, 1 << 20), limits::WAITING_BYTES_A_PEER >> 20);
        assert_eq!(fill(&mut room, 2, 1), limits::WAITING_A_PEER);
        assert!(room.take(node(3), DOCUMENT, record(1), 2 * limits::WAITING_BYTES_A_PEER).is_some(), "one of any size");
        assert!(room.take(node(3), DOCUMENT, record(2), 1).is_none());
    }

    #[test]
    fn what_was_given_back_can_be_taken_again() {
        let mut room = Room::default();
        let places: Vec<_> = (0..8).map(|number| room.take(node(1), DOCUMENT, record(number), 100).unwrap()).collect();
        room.grow(places[0], 50);
        places.into_iter().for_each(|place| room.give_back(place));
        assert_eq!((room.bytes, room.shares.len(), room.by_weight.len()), (0, 0, 0));
    }

    #[test]
    fn a_flood_of_many_peers_pushes_out_its_own() {
        let mut room = Room::default();
        room.came(node(0));
        let honest = room.take(node(0), DOCUMENT, record(7), 1000).unwrap();
        for peer in 1..100 {
            room.came(node(peer));
            fill(&mut room, peer, 300_000);
            while room.excess().is_some() {
                let heaviest = room.by_weight.last().unwrap().2;
                let number = *room.shares[&heaviest].records.last_key_value().unwrap().0;
                room.give_back(Place { node: heaviest, number });
            }
        }
        assert!(room.bytes <= limits::WAITING_BYTES_IN_ALL);
        assert!(room.shares[&node(0)].records.contains_key(&honest.number));
    }

    #[test]
    fn peers_that_are_gone_lose_theirs_before_those_that_are_here() {
        let mut room = Room::default();
        room.came(node(1));
        fill(&mut room, 1, 1 << 20);
        for peer in 2..40 {
            room.take(node(peer), DOCUMENT, record(peer), 2 << 20).unwrap();
        }
        assert_ne!(room.by_weight.last().unwrap().2, node(1));
        room.went(node(1));
        assert_eq!(room.by_weight.last().unwrap().2, node(1));
    }
}
