//! How much of the time floods get, and how long others wait for them.

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
