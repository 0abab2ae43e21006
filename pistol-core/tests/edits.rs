//! An edit that is made is good everywhere; one that cannot be is refused before anything is seen of it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "a test fails by panicking"
)]

#[path = "support/hand.rs"]
mod hand;
#[path = "support/replica.rs"]
mod support;

use hand::{Hand, op, text};
use pistol_core::change::{Place, Reference};
use pistol_core::document::{Edit, EditError, Value};
use pistol_core::envelope::{Envelope, Verified};
use pistol_core::genesis::Limits;
use pistol_core::key::Verifier;
use pistol_core::limits;
use support::{Dice, Replica, genesis, genesis_with};

/// Brings what was edited to a fresh replica, as bytes.
fn deliver(from: &mut Replica, to: &mut Replica) {
    let made = from.commit();
    for change in made {
        let id = from.document.history().genesis().id();
        let bytes = Verified::seal(id, &[change]).to_bytes();
        let envelope = Envelope::from_bytes(id, &bytes).unwrap();
        to.receive(envelope.verify(&mut Verifier::default()).unwrap().changes());
    }
    assert!(to.rejected.is_empty() && to.waiting.is_empty(), "{:?}", to.rejected);
}

fn extreme_edit(edit: &mut Edit, dice: &mut Dice) {
    let (text, list, map) = (edit.text("body"), edit.list("list"), edit.map("map"));
    let key =
        ["", "a", "\u{0}", &"k".repeat(limits::KEY_BYTES_MAX), &"\u{1f980}".repeat(257)][dice.below(5)].to_owned();
    let exact = i64::try_from(limits::EXACT_MAX).unwrap();
    match dice.below(16) {
        0 => map.put(&key, f64::NAN),
        1 => map.put(&key, Value::Counter([exact, -exact, exact + 1, i64::MIN][dice.below(4)])),
        2 => map.increment(&key, [limits::INCREMENT_MAX, -limits::INCREMENT_MAX, i64::MIN][dice.below(3)]),
        3 => (0..70).fold(map.map(&key), |map, _| map.map("deeper")).put("x", 1),
        4 => text.insert(dice.below(text.len() + 1), "e\u{301}\u{1f469}\u{200d}\u{1f467}\u{0}"),
        5 => text.delete(dice.below(text.len() + 1), dice.below(4)),
        6 => text.set(["", "\u{1f980}", "e\u{301}e", "\u{fffc}\u{200d}"][dice.below(4)]),
        7 => text.push(""),
        8 => list.insert(dice.below(list.len() + 2), vec![0xffu8; dice.below(3) * 1000]),
        9 => list.set(dice.below(list.len() + 1), Value::Timestamp(i64::MIN)),
        10 => list.insert_text(0).set("\u{1f980}\u{301}"),
        11 => list.insert_map(0).put(&key, u64::MAX),
        12 => (0..dice.below(300)).for_each(|_| list.push(i64::MIN)),
        13 => list.delete(dice.below(list.len() + 1)),
        14 => map.put(&key, Value::Object(pistol_core::change::Kind::Map)),
        _ => map.delete(&key),
    }
}

#[test]
fn an_edit_that_was_made_is_accepted_by_all_and_one_that_was_not_left_no_trace() {
    let genesis = genesis();
    let mut made = 0;
    for seed in 0..12 {
        let mut dice = Dice(seed);
        let mut authors = [Replica::new(&genesis, 1, 1), Replica::new(&genesis, 2, 1)];
        for _ in 0..40 {
            let [one, other] = &mut authors;
            let before = one.picture();
            let times = dice.below(3);
            match one.edit(|edit| (0..=times).for_each(|_| extreme_edit(edit, &mut dice))) {
                Ok(()) => made += 1,
                Err(EditError::Refused(rule)) => panic!("seed {seed}: {rule:?}"),
                Err(EditError::Failed(why)) => panic!("seed {seed}: {why}"),
                Err(_) => assert_eq!(one.picture(), before, "seed {seed}"),
            }
            if dice.below(3) == 0 {
                deliver(one, other);
                deliver(other, one);
                assert_eq!(one.picture(), other.picture(), "seed {seed}");
            }
            authors.swap(0, dice.below(2));
        }
    }
    assert!(made > 100, "{made}");
}

#[test]
fn an_edit_over_the_work_of_too_many_is_to_be_made_in_parts() {
    let genesis = genesis();
    let mut one = Replica::new(&genesis, 1, 1);
    for session in 0..1100 {
        let letter = op(Some(Reference::Skeleton(0)), Place::After(None), text("x"), &[]);
        one.receive(&[Hand::new(genesis.id(), 2, session).write(&[], &[], vec![letter])]);
    }
    one.document.project().unwrap();
    let before = one.picture();
    assert_eq!(one.edit(|edit| edit.text("body").delete(0, 1100)), Err(EditError::TooLarge));
    assert_eq!(one.picture().1, before.1);
    one.edit(|edit| edit.text("body").delete(0, 1000)).unwrap();
    one.edit(|edit| edit.text("body").delete(0, 100)).unwrap();
    assert_eq!(one.document.content().text("body").to_string(), "");
    // The merges of heads that the failed edit made are not lost: the later changes stand on them.
    let mut fresh = Replica::new(&genesis, 9, 1);
    for session in 0..1100 {
        let letter = op(Some(Reference::Skeleton(0)), Place::After(None), text("x"), &[]);
        fresh.receive(&[Hand::new(genesis.id(), 2, session).write(&[], &[], vec![letter])]);
    }
    fresh.receive(&one.commit());
    assert_eq!(fresh.picture(), one.picture());
}

#[test]
fn an_edit_larger_than_a_change_may_be_is_told_to_be_too_large() {
    let mut small = Replica::new(&genesis_with(Limits { change_bytes: 300, ..Limits::default() }), 1, 1);
    assert_eq!(small.edit(|edit| edit.text("body").push(&"x".repeat(200))), Err(EditError::TooLarge));
    small.edit(|edit| edit.text("body").push("x")).unwrap();
}

#[test]
fn heads_are_merged_before_they_are_more_than_the_document_allows() {
    for deps in [3, 4, 64] {
        let genesis = genesis_with(Limits { deps, ..Limits::default() });
        let mut one = Replica::new(&genesis, 1, 1);
        one.edit(|edit| edit.map("map").put("first", 1)).unwrap();
        for session in 0..70 {
            one.receive(&[Hand::new(genesis.id(), 2, session).write(&[], &[], vec![])]);
        }
        one.edit(|edit| edit.map("map").put("second", 2)).unwrap();
        assert_eq!(one.document.history().heads().len(), 1, "{deps}");
        deliver_all(&mut one, &genesis);
    }
}

fn deliver_all(one: &mut Replica, genesis: &std::sync::Arc<pistol_core::genesis::Genesis>) {
    let mut fresh = Replica::new(genesis, 9, 1);
    for session in 0..70 {
        fresh.receive(&[Hand::new(genesis.id(), 2, session).write(&[], &[], vec![])]);
    }
    fresh.receive(&one.commit());
    assert_eq!(one.picture(), fresh.picture());
}

#[test]
fn a_value_reads_as_people_write_it() {
    for (value, words) in [
        (Value::Null, "null"),
        (Value::from(true), "true"),
        (Value::from(-7), "-7"),
        (Value::from(u64::MAX), "18446744073709551615"),
        (Value::from(1.5), "1.5"),
        (Value::from("a b"), "a b"),
        (Value::Bytes(vec![0, 255]), "00ff"),
        (Value::Counter(3), "3"),
        (Value::Object(pistol_core::change::Kind::List), "a list"),
    ] {
        assert_eq!(value.to_string(), words);
    }
}
