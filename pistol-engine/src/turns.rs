//! Whose turn it is. What connections sent waits in a queue for each, and they take turns; after its turn a connection
//! rests a multiple of the time that it took, as long as others are active. So a flood slows down itself: whoever sends
//! little waits for one turn of each of the others at most, and finds the node at rest most of the time.
//!
//! Time comes as an argument, in microseconds that only ever grow.

use std::collections::{BTreeMap, VecDeque};

use crate::input::ConnectionId;

/// Rest after a turn, as a multiple of what the turn took: a fifth of the time at most goes to one connection.
const RESTS: u64 = 4;
/// The longest rest.
const REST_MOST_US: u64 = 1_000_000;
/// For so long after its turn a connection counts as active, and others rest for its sake.
const ACTIVE_US: u64 = 1_000_000;

/// What waits, and whose turn is next.
#[derive(Debug)]
pub struct Turns<T> {
    lines: BTreeMap<ConnectionId, Line<T>>,
    /// Connections with something waiting, the one that waited longest for a turn first.
    ring: VecDeque<ConnectionId>,
    /// Until when this node's own application counts as active.
    active_until_us: u64,
}

#[derive(Debug)]
struct Line<T> {
    waiting: VecDeque<T>,
    rests_until_us: u64,
    active_until_us: u64,
}

impl<T> Default for Turns<T> {
    fn default() -> Self {
        Turns { lines: BTreeMap::new(), ring: VecDeque::new(), active_until_us: 0 }
    }
}

impl<T> Turns<T> {
    /// Something came on a connection.
    pub fn push(&mut self, connection: ConnectionId, item: T) {
        let line = self.lines.entry(connection).or_insert_with(|| Line {
            waiting: VecDeque::new(),
            rests_until_us: 0,
            active_until_us: 0,
        });
        if line.waiting.is_empty() {
            self.ring.push_back(connection);
        }
        line.waiting.push_back(item);
    }

    /// Takes the next turn, if anybody may have one now.
    pub fn next(&mut self, now_us: u64) -> Option<(ConnectionId, T)> {
        let index = self.ring.iter().position(|connection| self.due_us(*connection) <= now_us)?;
        let connection = self.ring.remove(index)?;
        let line = self.lines.get_mut(&connection)?;
        let item = line.waiting.pop_front()?;
        if !line.waiting.is_empty() {
            self.ring.push_back(connection);
        }
        Some((connection, item))
    }

    /// A turn ended, and took so long.
    pub fn took(&mut self, connection: ConnectionId, now_us: u64, took_us: u64) {
        if let Some(line) = self.lines.get_mut(&connection) {
            line.rests_until_us = now_us.saturating_add(took_us.saturating_mul(RESTS).min(REST_MOST_US));
            line.active_until_us = now_us.saturating_add(ACTIVE_US);
        }
    }

    /// This node's own application wrote something: connections rest for its sake too.
    pub fn wrote(&mut self, now_us: u64) {
        self.active_until_us = now_us.saturating_add(ACTIVE_US);
    }

    /// When the next turn may be taken; none if nothing waits.
    pub fn due_next_us(&self) -> Option<u64> {
        self.ring.iter().map(|connection| self.due_us(*connection)).min()
    }

    /// A connection ended: nothing more comes from it. What it sent before still has its turn.
    pub fn ended(&mut self, connection: ConnectionId) {
        if self.lines.get(&connection).is_some_and(|line| line.waiting.is_empty()) {
            self.lines.remove(&connection);
        }
    }

    /// When a connection may have its turn: after its rest, or as soon as nobody else is active.
    fn due_us(&self, connection: ConnectionId) -> u64 {
        let others = self.lines.iter().filter(|(other, _)| **other != connection);
        let is_one_waiting = others.clone().any(|(_, line)| !line.waiting.is_empty());
        let active_until_us = others.map(|(_, line)| line.active_until_us).fold(self.active_until_us, u64::max);
        let rests_until_us = self.lines.get(&connection).map_or(0, |line| line.rests_until_us);
        if is_one_waiting { rests_until_us } else { rests_until_us.min(active_until_us) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOSTILE: ConnectionId = 1;
    const HONEST: ConnectionId = 2;

    #[test]
    fn whoever_sends_little_waits_for_one_turn_of_each_of_the_others_at_most() {
        let mut turns = Turns::default();
        for hostile in 10..30 {
            (0..1000).for_each(|_| turns.push(hostile, ()));
        }
        turns.push(HONEST, ());
        let before = std::iter::from_fn(|| turns.next(0)).take_while(|(who, ())| *who != HONEST).count();
        assert_eq!(before, 20);
    }

    #[test]
    fn a_flood_leaves_four_fifths_of_the_time_to_others() {
        let (mut turns, mut now_us, mut busy_us) = (Turns::default(), 0, 0);
        for _ in 0..1000 {
            (0..10).for_each(|_| turns.push(HOSTILE, 900));
            turns.push(HONEST, 10);
            let until_us = now_us + 10_000;
            while now_us < until_us {
                let Some((who, took_us)) = turns.next(now_us) else {
                    now_us = turns.due_next_us().unwrap_or(until_us).min(until_us);
                    continue;
                };
                now_us += took_us;
                busy_us += if who == HOSTILE { took_us } else { 0 };
                turns.took(who, now_us, took_us);
            }
        }
        assert!((now_us / 6..=now_us / 5 + 900).contains(&busy_us), "{busy_us} of {now_us}");
    }

    #[test]
    fn nobody_rests_while_nobody_else_is_active() {
        let mut turns = Turns::default();
        (0..3).for_each(|number| turns.push(HOSTILE, number));
        for number in 0..3 {
            assert_eq!(turns.next(number), Some((HOSTILE, number)));
            turns.took(HOSTILE, number, 1_000_000);
        }
        assert_eq!(turns.due_next_us(), None);
    }

    #[test]
    fn what_a_connection_sent_before_it_ended_still_has_its_turn() {
        let mut turns = Turns::default();
        turns.push(HOSTILE, "last");
        turns.ended(HOSTILE);
        assert_eq!(turns.next(0), Some((HOSTILE, "last")));
        turns.ended(HOSTILE);
        assert!(turns.lines.is_empty());
    }
}
