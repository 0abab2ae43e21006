//! Catalogue rows 22 to 26: one key that writes two histories, or a thousand.

use std::collections::BTreeSet;

use pistol_core::change::{Place, Reference};
use pistol_core::envelope::{Verified, VerifiedChange};
use pistol_core::validate::Rule;

use super::hand::{self, Hand, op, text};
use super::machine::Machine;
use super::scene::Verdict::{Accepted, Refused};
use super::stage::{Stage, TEXT};
use super::support::{Dice, Replica, genesis};

const ORDERS: u64 = 100;

fn letter(letter: &str) -> Vec<pistol_core::change::Op> {
    vec![op(TEXT, Place::After(None), text(letter), &[])]
}

/// A letter after an operation.
fn after(reference: Reference) -> pistol_core::change::Op {
    op(TEXT, Place::After(Some(reference)), text("z"), &[])
}

fn forked(numbers: &[u8]) -> BTreeSet<pistol_core::key::AuthorId> {
    numbers.iter().map(|number| hand::key(*number).id()).collect()
}

#[test]
fn row_22_a_late_fork_from_the_first_change_takes_nothing_from_the_others_work() {
    let mut stage = Stage::new();
    let root = stage.stranger();
    let mut trunk = root.clone();
    let begun = trunk.write(&[], &[], letter("1"));
    stage.give("the first change, that all build on", Accepted, &begun);
    let mut reader = Hand::new(stage.genesis.id(), 3, 1);
    for (place, number) in (0..20).zip(b'a'..) {
        let (others, table): (&[_], &[_]) =
            if place == 0 { (&[begun.id()], &[begun.id()]) } else { (&[], &[begun.id()]) };
        let typed = op(TEXT, Place::After(Some(Reference::Entry(0, 0))), text(&char::from(number).to_string()), &[]);
        let change = reader.write(others, table, vec![typed]);
        stage.give("a year of work", Accepted, &change);
    }
    let mut late = trunk.clone();
    stage.give("her next", Accepted, &trunk.write(&[], &[], letter("2")));
    stage.give("another next, a year later", Accepted, &late.write(&[], &[], letter("3")));
    let mut again = root;
    stage.give("another first, a year later", Accepted, &again.write(&[], &[], letter("4")));
    let picture = stage.check(60);
    assert_eq!(picture.forks, forked(&[1, 9]));
    assert!(picture.shown.contains("1tsrqponmlkjihgfedcba"), "{}", picture.shown);
    assert!("234".chars().all(|letter| picture.shown.contains(letter)), "{}", picture.shown);
}

#[test]
fn row_23_a_split_view_on_which_honest_authors_built_is_merged() {
    let mut stage = Stage::new();
    let mut sides = [stage.stranger(), stage.stranger()];
    sides[1] = sides[0].clone();
    for (side, (name, hand)) in sides.iter_mut().zip([("left", 3), ("right", 4)]) {
        let shown = side.write(&[], &[], letter(&name[..1]));
        stage.give(name, Accepted, &shown);
        let mut honest = Hand::new(stage.genesis.id(), hand, 1);
        for number in 0..4 {
            let others: &[_] = if number == 0 { &[shown.id()] } else { &[] };
            let change = honest.write(others, &[shown.id()], vec![after(Reference::Entry(0, 0))]);
            stage.give("honest work on one side", Accepted, &change);
        }
    }
    let picture = stage.check(ORDERS);
    assert_eq!(picture.forks, forked(&[1, 9]));
    assert!(picture.shown.contains("lzzzz") && picture.shown.contains("rzzzz"), "{}", picture.shown);
}

/// Forks inside forks: each change has two children, and the chain goes on from the second.
fn forks_of_forks(stage: &mut Stage, depth: usize) {
    let mut trunk = stage.stranger();
    for _ in 0..depth {
        let mut other = trunk.clone();
        let side = other.write(&[], &[], letter("s"));
        stage.give("a side", Accepted, &side);
        let next = trunk.write(&[], &[], letter("t"));
        stage.give("the trunk", Accepted, &next);
    }
}

#[test]
fn row_24_forks_of_forks_show_the_same_in_every_order() {
    let mut stage = Stage::new();
    forks_of_forks(&mut stage, 6);
    stage.check(ORDERS);
}

#[test]
fn row_24_forks_far_deeper_than_anybody_nests_them_do_no_harm() {
    let mut stage = Stage::new();
    forks_of_forks(&mut stage, 40);
    let picture = stage.check(8);
    let count = |letter| picture.shown.matches(letter).count();
    assert!(count('s') >= 40 && count('t') >= 40, "{}", picture.shown);
}

#[test]
fn row_25_a_reference_means_the_operation_of_the_branch_that_it_names() {
    let mut stage = Stage::new();
    let (left, right) = (stage.left.last.unwrap(), stage.right.last.unwrap());
    let stranger = stage.stranger();
    // Both branches have an operation 8; only the entry says which.
    for (name, side) in [("the left", left), ("the right", right)] {
        let change = stranger.sign(stranger.draft(&[side], &[side], vec![after(Reference::Entry(0, 8))]));
        stage.give(name, Accepted, &change);
    }
    let both = vec![after(Reference::Entry(0, 8)), after(Reference::Entry(1, 8))];
    let change = stranger.sign(stranger.draft(&[left, right], &[left, right], both));
    stage.give("one and the other", Accepted, &change);
    let change = stranger.sign(stranger.draft(&[left], &[right], vec![after(Reference::Entry(0, 8))]));
    stage.give("the side that was not seen", Refused(Rule::Reference), &change);
    let change = stage.left.sign(stage.left.draft(&[], &[right], vec![after(Reference::Entry(0, 8))]));
    stage.give("the own chain's other side, not seen", Refused(Rule::Reference), &change);
    let picture = stage.check(ORDERS);
    assert!(picture.shown.contains("lzz") && picture.shown.contains("rzz"), "{}", picture.shown);
}

#[test]
fn row_26_a_thousand_forks_by_one_key_are_merged_and_honest_work_goes_on() {
    let genesis = genesis();
    let mallory = Hand::new(genesis.id(), 9, 1);
    let mut all: Vec<VerifiedChange> =
        (0..1000).map(|number| mallory.clone().write(&[], &[], letter(&number.to_string()))).collect();
    let mut honest = Replica::new(&genesis, 2, 1);
    honest.edit(|edit| edit.text("body").push("honest")).unwrap();
    let mine = honest.commit();
    let mut pictures = Vec::new();
    for number in 101..104 {
        let mut machine = Machine::new(number, &genesis);
        Dice(u64::from(number)).shuffle(&mut all);
        for (at, part) in all.chunks(50).enumerate() {
            let bytes = Verified::seal(genesis.id(), part).to_bytes();
            machine.receive([bytes.as_slice()]);
            if at == 10 {
                machine.sync();
                machine.crash(true);
                let bytes = Verified::seal(genesis.id(), &mine).to_bytes();
                machine.receive([bytes.as_slice()]);
            }
            machine.sync();
        }
        // Forks that waited when the power went come again, as nobody was told that they are kept.
        machine.picture();
        for part in all.chunks(50) {
            let bytes = Verified::seal(genesis.id(), part).to_bytes();
            machine.receive([bytes.as_slice()]);
            machine.sync();
        }
        let picture = machine.picture();
        assert_eq!(picture.accepted.len(), 1001);
        assert_eq!(picture.forks, forked(&[9]));
        machine.edit(|edit| edit.map("map").put("still", "here")).unwrap();
        assert!(machine.picture().shown.contains("honest"));
        pictures.push(picture);
    }
    assert!(pictures.iter().all(|picture| *picture == pictures[0]));
}
