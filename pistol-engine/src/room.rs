//! The room for changes that wait for others: bounded for each peer and in all, so that a flood from one peer takes
//! nothing from another.
//!
//! Everything that comes gets room at first; when all that came at once was looked at, what is too much goes. From a
//! share that is too large goes what is farthest from being ready, so that what is needed next stays. When all shares
//! together are too large, it goes from the peer that holds most; first from those that are not connected, since a
//! thousand names that come and go hold nothing that one could be asked for again.

use std::cmp::Reverse;
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
    pub(crate) node: NodeId,
    rank: Rank,
}

/// How many changes of its own chain are to be accepted first, and when it came: among those that are equally far, what
/// came last is more likely what the others wait for.
type Rank = (u64, Reverse<u64>);

#[derive(Debug, Default)]
pub(crate) struct Room {
    shares: BTreeMap<NodeId, Share>,
    /// Whether a peer is gone, and what it holds: the last is the first to lose something.
    by_weight: BTreeSet<(bool, usize, NodeId)>,
    /// Peers whose shares are too large.
    over: BTreeSet<NodeId>,
    connected: BTreeSet<NodeId>,
    bytes: usize,
    next: u64,
}

/// What one peer's records take.
#[derive(Debug, Default)]
struct Share {
    bytes: usize,
    records: BTreeMap<Rank, Held>,
}

impl Share {
    /// A peer has room for one record of any size.
    fn is_over(&self) -> bool {
        let count = self.records.len();
        count > 1 && (count > limits::WAITING_A_PEER || self.bytes > limits::WAITING_BYTES_A_PEER)
    }
}

/// A record that has room.
#[derive(Debug)]
pub(crate) struct Held {
    document: DocumentId,
    record: Record,
    bytes: usize,
}

impl Room {
    /// Takes room for a record in a peer's share, whether there is some or not: what came at once is in memory anyway.
    /// `distance`: how many changes of its chain are to be accepted first.
    pub(crate) fn take(
        &mut self,
        node: NodeId,
        document: DocumentId,
        record: Record,
        bytes: usize,
        distance: u64,
    ) -> Place {
        let rank = (distance, Reverse(self.next));
        self.next += 1;
        self.put(Place { node, rank }, Held { document, record, bytes })
    }

    fn put(&mut self, place: Place, held: Held) -> Place {
        self.change(place.node, |share| {
            share.bytes += held.bytes;
            share.records.insert(place.rank, held);
        });
        place
    }

    /// A record came again and is nearer than it was; its place then.
    pub(crate) fn nearer(&mut self, place: Place, distance: u64) -> Place {
        let (known, number) = place.rank;
        if distance >= known {
            return place;
        }
        let Some(held) = self.give_back(place) else { return place };
        self.put(Place { rank: (distance, number), ..place }, held)
    }

    /// Moves a record into the share of another peer, if it has room; its place then.
    pub(crate) fn hand_over(&mut self, place: Place, node: NodeId) -> Option<Place> {
        let bytes = self.shares.get(&place.node)?.records.get(&place.rank)?.bytes;
        let (held, count) = self.shares.get(&node).map_or((0, 0), |share| (share.bytes, share.records.len()));
        if held.saturating_add(bytes) > limits::WAITING_BYTES_A_PEER || count >= limits::WAITING_A_PEER {
            return None;
        }
        let held = self.give_back(place)?;
        Some(self.put(Place { node, ..place }, held))
    }

    /// A record takes more than it did.
    pub(crate) fn grow(&mut self, place: Place, bytes: usize) {
        self.change(place.node, |share| {
            if let Some(held) = share.records.get_mut(&place.rank) {
                held.bytes += bytes;
                share.bytes += bytes;
            }
        });
    }

    pub(crate) fn give_back(&mut self, place: Place) -> Option<Held> {
        let mut held = None;
        self.change(place.node, |share| {
            held = share.records.remove(&place.rank);
            share.bytes -= held.as_ref().map_or(0, |held| held.bytes).min(share.bytes);
        });
        held
    }

    pub(crate) fn came(&mut self, node: NodeId) {
        self.connected.insert(node);
        self.change(node, |_| {});
    }

    pub(crate) fn went(&mut self, node: NodeId) {
        self.connected.remove(&node);
        self.change(node, |_| {});
    }

    /// What must leave a share that is too large: another peer that sent it too may have room for it.
    pub(crate) fn excess_of_one(&self) -> Option<(DocumentId, Record)> {
        self.farthest(self.over.first()?)
    }

    /// What must go, if all shares together are too large.
    pub(crate) fn excess_of_all(&self) -> Option<(DocumentId, Record)> {
        let (_, _, heaviest) = self.by_weight.last().filter(|_| self.bytes > limits::WAITING_BYTES_IN_ALL)?;
        self.farthest(heaviest)
    }

    fn farthest(&self, node: &NodeId) -> Option<(DocumentId, Record)> {
        let (_, farthest) = self.shares.get(node)?.records.last_key_value()?;
        Some((farthest.document, farthest.record))
    }

    /// What each peer's records take: how many they are, and bytes.
    pub(crate) fn shares(&self) -> impl Iterator<Item = (NodeId, usize, usize)> + '_ {
        self.shares.iter().map(|(node, share)| (*node, share.records.len(), share.bytes))
    }

    fn change(&mut self, node: NodeId, change: impl FnOnce(&mut Share)) {
        let mut share = self.shares.remove(&node).unwrap_or_default();
        for is_gone in [false, true] {
            self.by_weight.remove(&(is_gone, share.bytes, node));
        }
        self.bytes -= share.bytes.min(self.bytes);
        change(&mut share);
        self.bytes += share.bytes;
        if share.is_over() {
            self.over.insert(node);
        } else {
            self.over.remove(&node);
        }
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

    fn take(room: &mut Room, peer: u64, number: u64, bytes: usize, distance: u64) -> Place {
        room.take(node(peer), DOCUMENT, record((peer << 32) + number), bytes, distance)
    }

    /// A peer sends records of this size; which stay.
    fn fill(room: &mut Room, peer: u64, bytes: usize, distances: impl IntoIterator<Item = u64>) -> Vec<u64> {
        for (number, distance) in (0..).zip(distances) {
            take(room, peer, number, bytes, distance);
        }
        make_room(room);
        let share = room.shares.get(&node(peer));
        share.into_iter().flat_map(|share| share.records.keys()).map(|(distance, _)| *distance).collect()
    }

    fn make_room(room: &mut Room) {
        while let Some((_, gone)) = room.excess_of_one().or_else(|| room.excess_of_all()) {
            let of = |(node, share): (&NodeId, &Share)| {
                let (rank, _) = share.records.iter().rev().find(|(_, held)| held.record == gone)?;
                Some(Place { node: *node, rank: *rank })
            };
            let place = room.shares.iter().find_map(of).unwrap();
            room.give_back(place).unwrap();
        }
    }

    #[test]
    fn a_peer_gets_its_share_and_no_more() {
        let mut room = Room::default();
        assert_eq!(fill(&mut room, 1, 1 << 20, 0..9).len(), limits::WAITING_BYTES_A_PEER >> 20);
        assert_eq!(fill(&mut room, 2, 1, 0..20_000).len(), limits::WAITING_A_PEER);
        assert_eq!(fill(&mut room, 3, 2 * limits::WAITING_BYTES_A_PEER, [7]), [7], "one of any size");
        assert_eq!(fill(&mut room, 3, 1, [8]), [7], "and no other");
    }

    #[test]
    fn what_is_farthest_goes_in_whatever_order_it_came() {
        let most = limits::WAITING_A_PEER as u64;
        for reversed in [false, true] {
            let mut distances: Vec<_> = (0..2 * most).collect();
            if reversed {
                distances.reverse();
            }
            assert_eq!(fill(&mut Room::default(), 1, 1, distances), (0..most).collect::<Vec<_>>());
        }
    }

    #[test]
    fn what_came_again_and_is_nearer_stays_longer() {
        let mut room = Room::default();
        let place = take(&mut room, 1, 90_000, 1, 90_000);
        let place = room.nearer(place, 1);
        fill(&mut room, 1, 1, 2..20_000);
        assert_eq!(room.give_back(place).map(|held| held.record), Some(record((1 << 32) + 90_000)));
    }

    #[test]
    fn a_record_is_handed_over_to_a_peer_with_room_only() {
        let mut room = Room::default();
        let place = take(&mut room, 1, 1, 1 << 20, 5);
        fill(&mut room, 2, 1, 0..20_000);
        assert_eq!(room.hand_over(place, node(2)), None);
        let moved = room.hand_over(place, node(3)).unwrap();
        assert_eq!((moved.node, room.shares.contains_key(&node(1))), (node(3), false));
    }

    #[test]
    fn what_was_given_back_can_be_taken_again() {
        let mut room = Room::default();
        let places: Vec<_> = (0..8).map(|number| take(&mut room, 1, number, 100, number)).collect();
        room.grow(places[0], 50);
        assert!(places.into_iter().all(|place| room.give_back(place).is_some()));
        assert_eq!((room.bytes, room.shares.len(), room.by_weight.len(), room.over.len()), (0, 0, 0, 0));
    }

    #[test]
    fn a_flood_of_many_peers_pushes_out_its_own() {
        let mut room = Room::default();
        room.came(node(0));
        let honest = take(&mut room, 0, 7, 1000, 1000);
        for peer in 1..100 {
            room.came(node(peer));
            fill(&mut room, peer, 300_000, 0..13);
        }
        assert!(room.bytes <= limits::WAITING_BYTES_IN_ALL);
        assert!(room.shares[&node(0)].records.contains_key(&honest.rank));
    }

    #[test]
    fn peers_that_are_gone_lose_theirs_before_those_that_are_here() {
        let mut room = Room::default();
        room.came(node(1));
        fill(&mut room, 1, 1 << 20, 0..9);
        for peer in 2..40 {
            take(&mut room, peer, peer, 2 << 20, 1);
        }
        assert_ne!(room.by_weight.last().unwrap().2, node(1));
        room.went(node(1));
        assert_eq!(room.by_weight.last().unwrap().2, node(1));
    }
}
