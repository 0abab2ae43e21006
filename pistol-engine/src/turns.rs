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
    ACTIVE_US, BULK_WAITING, CARRIED_BYTES_A_US, CARRIED_US, LITTLE_RESTS, LITTLE_SHORT_TURN_US, NEWCOMERS_REST_US,
    REST_MOST_US, RESTS_MOST, RESTS_MOST_DIALLED, SHORT_TURN_US, TURN_US, TURNS_REST, TURNS_REST_DIALLED,
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
        let short_us = if self.waiting.len() < BULK_WAITING { LITTLE_SHORT_TURN_US } else { SHORT_TURN_US };
        if took_us > short_us {
            let square = took_us.saturating_mul(took_us).saturating_mul(least);
            let multiple = (square / (SHORT_TURN_US * SHORT_TURN_US)).clamp(least, most);
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
mod tests {
    use super::*;

    const HOSTILE: ConnectionId = 1;
    const HONEST: ConnectionId = 2;

    fn turn(took_us: u64) -> Turn {
        Turn { handled_us: took_us, took_us, carried_us: 0 }
    }

    /// A flood whose turns take so long each, beside somebody who types every ten milliseconds, for five minutes. The share of
    /// the time that the flood had, in ten thousandths, and the longest that the other waited.
    fn flooded(turn_us: u64, prepare: impl FnOnce(&mut Turns<u64>)) -> (u64, u64) {
        flooded_by(16, turn_us, prepare)
    }

    /// The same, by a flood that keeps so many frames waiting.
    fn flooded_by(frames: usize, turn_us: u64, prepare: impl FnOnce(&mut Turns<u64>)) -> (u64, u64) {
        let (mut turns, mut now_us, mut busy_us, mut waited_us) = (Turns::default(), 0, 0, 0);
        prepare(&mut turns);
        let (mut typed_us, end_us) = (0, 300_000_000);
        while now_us < end_us {
            if now_us >= typed_us + 10_000 {
                typed_us += 10_000;
                turns.push(HONEST, typed_us);
            }
            while turns.lines.get(&HOSTILE).is_none_or(|line| line.waiting.len() < frames) {
                turns.push(HOSTILE, 0);
            }
            let Some((who, at_us)) = turns.next(now_us) else {
                now_us = turns.due_next_us().unwrap_or(end_us).min(typed_us + 10_000).max(now_us + 1);
                continue;
            };
            let took_us = if who == HOSTILE { turn_us } else { 300 };
            now_us += took_us;
            match who {
                HOSTILE => busy_us += took_us,
                _ => waited_us = waited_us.max(now_us - at_us),
            }
            turns.took(who, now_us, turn(took_us));
        }
        (busy_us * 10_000 / now_us, waited_us)
    }

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
    fn a_flood_of_short_turns_leaves_nine_tenths_of_the_time_to_others() {
        let (share, waited_us) = flooded(900, |_| {});
        assert!((900..=1_020).contains(&share), "{share}");
        assert!(waited_us <= 10_000 + 900 + 300, "{waited_us}");
    }

    #[test]
    fn the_longer_the_turns_of_a_flood_the_less_of_the_time_it_has() {
        let shares: Vec<u64> =
            [2_000, 4_000, 8_000, 20_000, 50_000, 200_000].map(|turn_us| flooded(turn_us, |_| {}).0).into();
        assert!(shares[..4].is_sorted_by(|shorter, longer| shorter >= longer), "{shares:?}");
        assert!(shares[1] <= 300, "{shares:?}");
        assert!(shares[2..].iter().all(|share| *share <= 100), "{shares:?}");
    }

    #[test]
    fn a_flood_that_seems_to_wait_for_answers_has_half_of_the_time_in_short_turns_and_little_in_long_ones() {
        for (turn_us, most) in [(1_000, 5_100), (4_000, 5_100), (4_100, 300), (8_000, 100), (200_000, 100)] {
            let (share, waited_us) = flooded_by(BULK_WAITING - 1, turn_us, |_| {});
            assert!(share <= most, "{turn_us}: {share}");
            assert!(turn_us > LITTLE_SHORT_TURN_US || waited_us <= turn_us + 300, "{turn_us}: {waited_us}");
        }
    }

    #[test]
    fn a_stranger_who_comes_again_before_each_rest_has_a_fifth_of_the_time_at_most() {
        let (mut turns, mut now_us, mut busy_us) = (Turns::default(), 0, 0);
        for connection in 10..100 {
            for _ in 0..2 {
                turns.wrote(now_us);
                turns.push(connection, ());
                // The application writes all the time.
                while turns.next(now_us).is_none() {
                    now_us += 1_000;
                    turns.wrote(now_us);
                }
                now_us += 200_000;
                busy_us += 200_000;
                turns.took(connection, now_us, turn(200_000));
            }
            turns.ended(connection, now_us);
        }
        assert!(busy_us * 5 <= now_us, "{busy_us} of {now_us}");
    }

    #[test]
    fn frames_that_cost_only_to_be_brought_are_paid_for() {
        let mut turns = Turns::default();
        let (mut frames, mut now_us) = (0, 0);
        while now_us < 1_000_000 {
            turns.wrote(now_us);
            while turns.lines.get(&HOSTILE).is_none_or(|line| line.waiting.len() < 16) {
                turns.push(HOSTILE, ());
            }
            now_us = turns.due_next_us().unwrap().max(now_us + 1);
            let mut next = turns.next(now_us);
            while next.is_some() {
                frames += 1;
                turns.took(HOSTILE, now_us, Turn { carried_us: carried_us(300), ..turn(1) });
                next = turns.next(now_us);
            }
        }
        let at_most = 1_000_000 / (TURNS_REST + 1) / carried_us(300);
        assert!((at_most * 9 / 10..=at_most * 11 / 10).contains(&frames), "{frames} of {at_most}");
    }

    #[test]
    fn whom_this_node_dialled_rests_less() {
        for (turn_us, shares) in [(900, 1_800..=2_050), (50_000, 400..=520)] {
            let (share, _) = flooded(turn_us, |turns| turns.dialled(HOSTILE));
            assert!(shares.contains(&share), "{share}");
        }
    }

    #[test]
    fn a_turn_handles_no_more_than_its_consequences_allow() {
        let mut turns = Turns::default();
        (0..4).for_each(|number| turns.push(HOSTILE, number));
        assert_eq!(turns.next(0), Some((HOSTILE, 0)));
        assert_eq!(turns.more(HOSTILE, TURN_US - 1), Some(1));
        assert_eq!(turns.more(HOSTILE, TURN_US), None);
        // Storing and showing took nine times as long as taking it in.
        turns.took(HOSTILE, 0, Turn { handled_us: 100, ..turn(1_000) });
        assert_eq!(turns.more(HOSTILE, TURN_US / 10), None);
        assert_eq!(turns.more(HOSTILE, TURN_US / 10 - 1), Some(2));
        assert_eq!(turns.more(HOSTILE, 0), Some(3));
        assert_eq!((turns.more(HOSTILE, 0), turns.due_next_us()), (None, None));
    }

    #[test]
    fn nobody_rests_while_nobody_else_is_active() {
        let mut turns = Turns::default();
        (0..3).for_each(|number| turns.push(HOSTILE, number));
        for number in 0..3 {
            assert_eq!(turns.next(number), Some((HOSTILE, number)));
            turns.took(HOSTILE, number, turn(1_000_000));
        }
        assert_eq!(turns.due_next_us(), None);
    }

    #[test]
    fn those_that_bring_much_take_turns_without_rest() {
        let mut turns = Turns::default();
        for number in 0..100 {
            turns.push(HOSTILE, number);
            turns.push(HONEST, number);
        }
        for number in 0..198 {
            let (who, _) = turns.next(number * 7_000).unwrap();
            assert_eq!(who, if number % 2 == 0 { HOSTILE } else { HONEST });
            turns.took(who, number * 7_000, Turn { handled_us: 2_000, ..turn(7_000) });
        }
        turns.wrote(200 * 7_000);
        assert!(turns.next(200 * 7_000).is_none(), "they rest for others");
    }

    #[test]
    fn who_types_as_fast_as_it_is_answered_has_half_of_the_time_beside_a_flood() {
        let (mut turns, mut now_us, mut keys, mut busy_us) = (Turns::default(), 0, 0, 0);
        while now_us < 10_000_000 {
            while turns.lines.get(&HOSTILE).is_none_or(|line| line.waiting.len() < 16) {
                turns.push(HOSTILE, ());
            }
            if turns.lines.get(&HONEST).is_none_or(|line| line.waiting.is_empty()) {
                turns.push(HONEST, ());
            }
            now_us = now_us.max(turns.due_next_us().unwrap());
            let (who, ()) = turns.next(now_us).unwrap();
            let took_us = if who == HONEST { 700 } else { 1_000 };
            now_us += took_us;
            keys += u64::from(who == HONEST);
            busy_us += if who == HOSTILE { took_us } else { 0 };
            turns.took(who, now_us, turn(took_us));
        }
        assert!(keys * 700 >= now_us * 45 / 100, "{keys} keys");
        assert!(busy_us <= now_us * 11 / 100, "{busy_us}");
    }

    #[test]
    fn who_types_on_a_slow_machine_is_not_held_up_and_a_long_turn_is_paid_for_all_the_same() {
        let mut turns = Turns::default();
        let mut rest_us = |took_us: u64| {
            let mut now_us = 0;
            for _ in 0..50 {
                turns.wrote(now_us);
                turns.push(HONEST, ());
                now_us = now_us.max(turns.due_next_us().unwrap()) + took_us;
                turns.next(now_us).unwrap();
                turns.took(HONEST, now_us, turn(took_us));
            }
            turns = Turns::default();
            now_us / 50
        };
        assert!(rest_us(3_500) <= 7_100);
        assert!(rest_us(8_000) >= 800_000);
    }

    #[test]
    fn whoever_has_little_to_say_does_not_rest_beside_a_flood() {
        let mut turns = Turns::default();
        let mut now_us = 0;
        for number in 0..100 {
            turns.push(HOSTILE, 0);
            turns.push(HONEST, number);
            let (who, took) = std::iter::from_fn(|| turns.next(now_us)).find(|(who, _)| *who == HONEST).unwrap();
            assert_eq!((who, took), (HONEST, number));
            turns.took(HONEST, now_us, turn(300));
            now_us += 3_000;
        }
    }

    #[test]
    fn to_leave_and_come_again_pays_for_nothing() {
        let mut turns = Turns::default();
        turns.wrote(0);
        turns.push(HOSTILE, ());
        assert_eq!(turns.next(0), Some((HOSTILE, ())));
        turns.took(HOSTILE, 0, turn(200_000));
        turns.ended(HOSTILE, 0);
        turns.dialled(HONEST);
        turns.push(HONEST, ());
        turns.push(HOSTILE + 7, ());
        assert_eq!(turns.next(0), Some((HONEST, ())));
        turns.wrote(NEWCOMERS_REST_US - 1);
        assert_eq!(turns.next(NEWCOMERS_REST_US - 1), None);
        assert_eq!(turns.next(NEWCOMERS_REST_US), Some((HOSTILE + 7, ())));
    }

    #[test]
    fn what_a_connection_sent_before_it_ended_still_has_its_turn() {
        let mut turns = Turns::default();
        turns.push(HOSTILE, "last");
        turns.ended(HOSTILE, 0);
        assert_eq!(turns.next(0), Some((HOSTILE, "last")));
        turns.ended(HOSTILE, 0);
        assert!(turns.lines.is_empty());
    }
}
