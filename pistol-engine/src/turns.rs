//! Whose turn it is. What connections sent waits in a queue for each, and they take turns; after its turn a connection
//! rests a multiple of the time that it took, as long as others are active. So a flood slows down itself: whoever sends
//! little waits for one turn of each of the others at most, and finds the node at rest most of the time.
//!
//! What others lose by a turn is how often it comes times how long they then wait. So a turn twice as long rests eight
//! times as long, until such turns take so little of the time that hardly anything of others' meets one.
//!
//! Time comes as an argument, in microseconds that only ever grow.

use std::collections::{BTreeMap, VecDeque};

use crate::input::ConnectionId;
use crate::limits::{
    ACTIVE_US, BULK_WAITING, CARRIED_BYTES_A_US, CARRIED_US, DIALLED_SHORT_TURN_US, LITTLE_RESTS, LITTLE_SHORT_TURN_US,
    NEWCOMERS_REST_US, REST_MOST_US, RESTS_MOST, RESTS_MOST_DIALLED, SHORT_TURN_US, TURN_US, TURNS_REST,
    TURNS_REST_DIALLED,
};

/// What waits, and whose turn is next.
#[derive(Debug)]
pub struct Turns<T> {
    lines: BTreeMap<ConnectionId, Line<T>>,
    /// Connections with something waiting, the one that waited longest for a turn first.
    ring: VecDeque<ConnectionId>,
    /// Until when this node's own application counts as active.
    active_until_us: u64,
    /// Until when newcomers rest, since others like them left without having paid.
    unpaid_us: u64,
}

#[derive(Debug)]
struct Line<T> {
    waiting: VecDeque<T>,
    /// Whether this node dialled: then somebody here wants what comes.
    is_dialled: bool,
    rests_until_us: u64,
    /// The same while little of it waits.
    little_rests_until_us: u64,
    /// When all its turns are paid for by rest; as those are that bring little; and all its long ones.
    paid_us: u64,
    little_paid_us: u64,
    long_paid_us: u64,
    active_until_us: u64,
    /// Until when it counts as bringing much: it had a long turn, and had much more waiting. Nobody rests for its sake.
    bulk_until_us: u64,
    /// How long what came may be handled in its next turn, so that all that follows from it is done within a turn too.
    patience_us: u64,
}

/// What a turn took, in microseconds.
#[derive(Clone, Copy, Debug, Default)]
pub struct Turn {
    /// To handle what came.
    pub handled_us: u64,
    /// That, and all that followed from it.
    pub took_us: u64,
    /// What it had cost other threads to bring it: [`carried_us`] of each frame.
    pub carried_us: u64,
}

/// What it costs other threads to bring a frame of so many bytes: packets are decrypted, tasks woken. A frame that is known
/// costs the engine next to nothing, and a hundred thousand of them in a second all other threads.
pub fn carried_us(bytes: usize) -> u64 {
    CARRIED_US + bytes as u64 / CARRIED_BYTES_A_US
}

impl<T> Line<T> {
    fn new(rests_until_us: u64) -> Self {
        Line {
            waiting: VecDeque::new(),
            is_dialled: false,
            rests_until_us,
            little_rests_until_us: rests_until_us,
            paid_us: 0,
            little_paid_us: 0,
            long_paid_us: 0,
            active_until_us: 0,
            bulk_until_us: 0,
            patience_us: TURN_US,
        }
    }

    /// Until when it rests. Whoever waits for an answer before it says the next thing may have half of the time: somebody who
    /// types fills no queue, however fast, and must not rest as a flood does, beside one.
    fn rests_until_us(&self) -> u64 {
        if self.waiting.len() < BULK_WAITING { self.little_rests_until_us } else { self.rests_until_us }
    }

    /// A turn ended: what the next one costs in rest. Short turns may be had in a row now and then, and so may two long
    /// ones; what comes steadily rests after each.
    fn took(&mut self, now_us: u64, Turn { took_us, carried_us, .. }: Turn) {
        let (least, most) =
            if self.is_dialled { (TURNS_REST_DIALLED, RESTS_MOST_DIALLED) } else { (TURNS_REST, RESTS_MOST) };
        let begun_us = now_us.saturating_sub(took_us);
        let cost_us = took_us.saturating_add(carried_us);
        let paid_us = |before_us: u64, rest| before_us.max(begun_us).saturating_add(cost_us.saturating_mul(rest + 1));
        self.paid_us = paid_us(self.paid_us, least);
        self.little_paid_us = paid_us(self.little_paid_us, LITTLE_RESTS);
        let mut rests_until_us = self.paid_us.saturating_sub(SHORT_TURN_US * least);
        let mut little_rests_until_us = self.little_paid_us.saturating_sub(SHORT_TURN_US * LITTLE_RESTS);
        // Whoever waits for answers is not held up because another program had the processor in its turn.
        let usual_us = if self.is_dialled { DIALLED_SHORT_TURN_US } else { SHORT_TURN_US };
        let short_us = if self.waiting.len() < BULK_WAITING { usual_us.max(LITTLE_SHORT_TURN_US) } else { usual_us };
        if took_us > short_us {
            let square = took_us.saturating_mul(took_us).saturating_mul(least);
            let multiple = (square / (usual_us * usual_us)).clamp(least, most);
            rests_until_us = rests_until_us.max(self.long_paid_us);
            little_rests_until_us = little_rests_until_us.max(self.long_paid_us);
            self.long_paid_us = self.long_paid_us.max(begun_us).saturating_add(took_us.saturating_mul(multiple + 1));
            if self.waiting.len() >= BULK_WAITING {
                self.bulk_until_us = now_us.saturating_add(2 * ACTIVE_US);
            }
        }
        let most_us = now_us.saturating_add(REST_MOST_US);
        self.rests_until_us = rests_until_us.min(most_us);
        self.little_rests_until_us = little_rests_until_us.min(most_us);
        self.active_until_us = now_us.saturating_add(ACTIVE_US);
    }
}

impl<T> Default for Turns<T> {
    fn default() -> Self {
        Turns { lines: BTreeMap::new(), ring: VecDeque::new(), active_until_us: 0, unpaid_us: 0 }
    }
}

impl<T> Turns<T> {
    /// Something came on a connection.
    pub fn push(&mut self, connection: ConnectionId, item: T) {
        let line = self.lines.entry(connection).or_insert_with(|| Line::new(self.unpaid_us));
        if line.waiting.is_empty() {
            self.ring.push_back(connection);
        }
        line.waiting.push_back(item);
    }

    /// This node dialled a connection: what comes on it is wanted here, and rests less for long turns. A peer that passes
    /// on what many wrote must not fall behind for one of them.
    pub fn dialled(&mut self, connection: ConnectionId) {
        let line = self.lines.entry(connection).or_insert_with(|| Line::new(0));
        (line.is_dialled, line.rests_until_us, line.little_rests_until_us) = (true, 0, 0);
    }

    /// Begins the next turn, if anybody may have one now: the first that waits of its connection.
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

    /// What else a connection may have handled in its turn, that has handled, and been carried, for so long.
    pub fn more(&mut self, connection: ConnectionId, handled_us: u64) -> Option<T> {
        let line = self.lines.get_mut(&connection).filter(|line| handled_us < line.patience_us)?;
        let item = line.waiting.pop_front()?;
        if line.waiting.is_empty() {
            self.ring.retain(|waiting| *waiting != connection);
        }
        Some(item)
    }

    /// A turn ended.
    pub fn took(&mut self, connection: ConnectionId, now_us: u64, turn: Turn) {
        if let Some(line) = self.lines.get_mut(&connection) {
            line.took(now_us, turn);
            let part_us = |us: u64| us.saturating_add(turn.carried_us);
            line.patience_us = (TURN_US * part_us(turn.handled_us) / part_us(turn.took_us).max(1)).min(TURN_US);
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

    /// A connection ended: nothing more comes from it. What it sent before still has its turn. If it had long turns that
    /// are not paid for, newcomers rest a little: it may come again under another name.
    pub fn ended(&mut self, connection: ConnectionId, now_us: u64) {
        if self.lines.get(&connection).is_none_or(|line| !line.waiting.is_empty()) {
            return;
        }
        let line = self.lines.remove(&connection).filter(|line| !line.is_dialled);
        let long_paid_us = line.map_or(0, |line| line.long_paid_us);
        self.unpaid_us = self.unpaid_us.max(long_paid_us.min(now_us.saturating_add(NEWCOMERS_REST_US)));
    }

    /// When a connection may have its turn: after its rest, or as soon as nobody else is active. Of those that bring much
    /// none rests for another: to take turns is all that they can wish for.
    fn due_us(&self, connection: ConnectionId) -> u64 {
        let is_other = |(other, line): &(&ConnectionId, &Line<T>)| {
            **other != connection && line.bulk_until_us <= line.active_until_us
        };
        let others = self.lines.iter().filter(is_other);
        let is_one_waiting = others.clone().any(|(_, line)| !line.waiting.is_empty());
        let active_until_us = others.map(|(_, line)| line.active_until_us).fold(self.active_until_us, u64::max);
        let rests_until_us = self.lines.get(&connection).map_or(0, Line::rests_until_us);
        if is_one_waiting { rests_until_us } else { rests_until_us.min(active_until_us) }
    }
}

#[cfg(test)]
mod tests;
