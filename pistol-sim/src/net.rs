//! A simulated network: connections that deliver in order, late, or not at all once they were cut.

use std::collections::{BTreeMap, BTreeSet};

use pistol_engine::ConnectionId;

use crate::chance::Chance;

/// One end of a connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct End {
    pub(crate) node: usize,
    /// Which life of the node it belongs to.
    pub(crate) life: u64,
    /// Whether this end still believes in the connection.
    pub(crate) is_open: bool,
    /// When the last frame to this end arrives: frames keep their order.
    last_ms: u64,
}

impl End {
    /// Nothing arrives here before the connection stands.
    pub(crate) fn begins(&mut self, at_ms: u64) {
        self.last_ms = at_ms;
    }
}

#[derive(Debug)]
struct Connection {
    ends: [End; 2],
    /// From then on nothing arrives any more.
    dead_from_ms: Option<u64>,
    is_tampered: bool,
}

#[derive(Debug, Default)]
pub(crate) struct Net {
    connections: BTreeMap<ConnectionId, Connection>,
    next: ConnectionId,
    /// Pairs that cannot reach each other, the smaller node first.
    apart: BTreeSet<(usize, usize)>,
    latency_ms: u64,
    /// In how many of a hundred connections frames are repeated or swapped.
    pub(crate) tampered_percent: u64,
}

fn pair(one: usize, other: usize) -> (usize, usize) {
    (one.min(other), one.max(other))
}

impl Net {
    pub(crate) fn new(latency_ms: u64, tampered_percent: u64) -> Self {
        Net { latency_ms, tampered_percent, ..Net::default() }
    }

    pub(crate) fn delay(&self, chance: &mut Chance) -> u64 {
        1 + chance.below(self.latency_ms)
    }

    pub(crate) fn is_apart(&self, one: usize, other: usize) -> bool {
        self.apart.contains(&pair(one, other))
    }

    pub(crate) fn part(&mut self, one: usize, other: usize) {
        self.apart.insert(pair(one, other));
    }

    pub(crate) fn unite(&mut self) {
        self.apart.clear();
    }

    /// A connection from `dialler` to `listener`, each a node and its life; from `from_ms` on frames may arrive.
    pub(crate) fn connect(
        &mut self,
        dialler: (usize, u64),
        listener: (usize, u64),
        from_ms: u64,
        chance: &mut Chance,
    ) -> ConnectionId {
        let end = |(node, life)| End { node, life, is_open: true, last_ms: from_ms };
        let is_tampered = chance.percent(self.tampered_percent);
        let ends = [end(dialler), end(listener)];
        self.next += 1;
        self.connections.insert(self.next, Connection { ends, dead_from_ms: None, is_tampered });
        self.next
    }

    /// The end of a node, if that still believes in the connection.
    pub(crate) fn end(&mut self, connection: ConnectionId, node: usize) -> Option<&mut End> {
        let ends = &mut self.connections.get_mut(&connection)?.ends;
        ends.iter_mut().find(|end| end.node == node && end.is_open)
    }

    pub(crate) fn other_end(&self, connection: ConnectionId, node: usize) -> Option<End> {
        let ends = self.connections.get(&connection)?.ends;
        ends.into_iter().find(|end| end.node != node)
    }

    pub(crate) fn is_tampered(&self, connection: ConnectionId) -> bool {
        self.connections.get(&connection).is_some_and(|connection| connection.is_tampered)
    }

    /// When a frame that is sent now arrives at the other end, as often as it does.
    pub(crate) fn arrivals(
        &mut self,
        connection: ConnectionId,
        sender: usize,
        now_ms: u64,
        chance: &mut Chance,
    ) -> Vec<u64> {
        let delay = self.delay(chance);
        let is_calm = self.tampered_percent == 0;
        let Some(connection) = self.connections.get_mut(&connection) else { return Vec::new() };
        let Some(to) = connection.ends.iter_mut().find(|end| end.node != sender) else { return Vec::new() };
        let at = to.last_ms.max(now_ms + delay);
        let mut arrivals = vec![at];
        if connection.is_tampered && !is_calm && chance.percent(10) {
            arrivals.push(at + chance.below(30));
        }
        if connection.is_tampered && !is_calm && chance.percent(10) {
            arrivals = vec![at + chance.below(30)];
        } else {
            to.last_ms = at;
        }
        arrivals
    }

    /// Whether what arrives now still arrives.
    pub(crate) fn is_alive(&self, connection: ConnectionId, now_ms: u64) -> bool {
        let dead = self.connections.get(&connection).map(|connection| connection.dead_from_ms);
        dead.is_some_and(|dead| dead.is_none_or(|dead| now_ms < dead))
    }

    /// Cuts a connection: what is on its way beyond `dead_from_ms` is lost.
    pub(crate) fn cut(&mut self, connection: ConnectionId, dead_from_ms: u64) -> Option<[End; 2]> {
        let connection = self.connections.get_mut(&connection).filter(|cut| cut.dead_from_ms.is_none())?;
        connection.dead_from_ms = Some(dead_from_ms);
        Some(connection.ends)
    }

    /// Connections that carry frames and for which `wanted` holds of their ends' nodes.
    pub(crate) fn open(&self, wanted: impl Fn(usize, usize) -> bool) -> Vec<ConnectionId> {
        let is_wanted = |connection: &Connection| {
            let [one, other] = connection.ends;
            connection.dead_from_ms.is_none() && (one.is_open || other.is_open) && wanted(one.node, other.node)
        };
        self.connections.iter().filter(|(_, connection)| is_wanted(connection)).map(|(id, _)| *id).collect()
    }
}
