//! The projection is a function of the accepted set, and nothing honest is refused.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "a test fails by panicking"
)]

#[path = "support/replica.rs"]
mod support;

use pistol_core::chain::ChainId;
use pistol_core::document::{EditAs, UNJUDGED};
use pistol_core::envelope::VerifiedChange;
use pistol_core::id::Session;
use support::{Dice, Replica, any_edit, genesis};

/// Lets authors edit apart, exchange at random, and returns all changes in the order they were made.
fn history(replicas: &mut [Replica], dice: &mut Dice, edits: usize) -> Vec<VerifiedChange> {
    let mut all: Vec<VerifiedChange> = Vec::new();
    for _ in 0..edits {
        let index = dice.below(replicas.len());
        let replica = &mut replicas[index];
        replica.edit(|edit| any_edit(edit, dice)).unwrap();
        all.extend(replica.commit());
        if dice.below(4) == 0 {
            let known = all[dice.below(all.len())..].to_vec();
            replicas[dice.below(3)].receive(&known);
        }
    }
    all
}

#[test]
fn the_same_changes_give_the_same_document_in_any_order() {
    let genesis = genesis();
    for seed in 0..60 {
        let mut dice = Dice(seed);
        let mut replicas: Vec<_> = (1..4).map(|number| Replica::new(&genesis, number, 7)).collect();
        let mut all = history(&mut replicas, &mut dice, 40);
        for replica in &mut replicas {
            dice.shuffle(&mut all);
            replica.receive(&all);
        }
        let expected = replicas[0].picture();
        for replica in &mut replicas {
            assert_eq!(replica.picture(), expected, "seed {seed}");
            assert!(replica.waiting.is_empty() && replica.rejected.is_empty(), "seed {seed}: {:?}", replica.rejected);
        }
        let mut fresh = Replica::new(&genesis, 9, 1);
        for change in &all {
            fresh.receive(std::slice::from_ref(change));
            if dice.below(5) == 0 {
                fresh.document.project().unwrap();
            }
        }
        assert_eq!(fresh.picture(), expected, "seed {seed}, one by one");
    }
}

#[test]
fn a_forked_session_merges_and_every_replica_shows_the_same() {
    let genesis = genesis();
    let mut forked = 0;
    for seed in 0..60 {
        let mut dice = Dice(seed + 1000);
        // The same key and session twice: a copied profile. The third author builds on both.
        let mut replicas =
            vec![Replica::new(&genesis, 1, 7), Replica::new(&genesis, 1, 7), Replica::new(&genesis, 2, 7)];
        let mut all = Vec::new();
        for round in 0..30 {
            let index = dice.below(3);
            let replica = &mut replicas[index];
            let chain = ChainId { author: replica.key.id(), session: replica.session };
            if replica.document.history().branches_of(&chain).len() > 1 {
                replica.session = Session(100 + round * 3 + index as u64);
            }
            replica.edit(|edit| any_edit(edit, &mut dice)).unwrap();
            let made = replica.commit();
            if index < 2 && round < 8 {
                replicas[1 - index].waiting.clear();
            }
            all.extend(made);
            if round > 8 && dice.below(3) == 0 {
                let known = all.clone();
                replicas[dice.below(3)].receive(&known);
            }
        }
        for replica in &mut replicas {
            dice.shuffle(&mut all);
            replica.receive(&all);
        }
        let mut fresh = Replica::new(&genesis, 9, 1);
        for change in &all {
            fresh.receive(std::slice::from_ref(change));
            if dice.below(5) == 0 {
                fresh.document.project().unwrap();
            }
        }
        replicas.push(fresh);
        let expected = replicas[0].picture();
        for replica in &mut replicas {
            assert_eq!(replica.picture(), expected, "seed {seed}");
            assert!(replica.waiting.is_empty() && replica.rejected.is_empty(), "seed {seed}: {:?}", replica.rejected);
        }
        let chain = ChainId { author: support::author(1).id(), session: Session(7) };
        forked += usize::from(replicas[0].document.history().branches_of(&chain).len() > 1);
    }
    assert!(forked > 50, "only {forked} of 60 histories have a fork");
}

#[test]
fn an_edit_whose_closure_panics_leaves_no_trace() {
    let mut replica = Replica::new(&genesis(), 1, 1);
    replica.edit(|edit| edit.text("body").push("before")).unwrap();
    let before = replica.picture();
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        replica.edit(|edit| {
            edit.text("body").push("never");
            panic!("the application's own");
        })
    }));
    assert!(panicked.is_err());
    assert_eq!(replica.picture(), before);
    replica.edit(|edit| edit.text("body").push("!")).unwrap();
    assert!(replica.picture().1.starts_with("before!"));
}

#[test]
fn the_first_failure_of_an_edit_is_told_and_nothing_is_changed() {
    let mut replica = Replica::new(&genesis(), 1, 1);
    let before = replica.picture();
    let result = replica.edit(|edit| {
        edit.text("body").push("one");
        edit.text("body").delete(2, 5);
        edit.text("map").push("two");
    });
    assert_eq!(result, Err(pistol_core::document::EditError::OutOfBounds { at: 7, length: 3 }));
    assert_eq!(replica.picture(), before);
    assert!(replica.commit().is_empty());
}

#[test]
fn an_edit_that_changes_nothing_makes_no_change() {
    let mut replica = Replica::new(&genesis(), 1, 1);
    replica.edit(|edit| edit.map("map").delete("nothing")).unwrap();
    assert!(replica.commit().is_empty());
}

#[test]
fn an_edit_past_the_limits_of_a_change_fails_before_it_is_made() {
    let mut replica = Replica::new(&genesis(), 1, 1);
    let long = "x".repeat(100_000);
    assert_eq!(replica.edit(|edit| edit.text("body").push(&long)), Err(pistol_core::document::EditError::TooLarge));
    replica.edit(|edit| edit.text("body").push(&long[..30_000])).unwrap();
    assert_eq!(replica.commit().len(), 1);
}

#[test]
fn a_hundred_heads_are_merged_before_an_edit() {
    let genesis = genesis();
    let mut reader = Replica::new(&genesis, 200, 1);
    for number in 1..=100 {
        let mut one = Replica::new(&genesis, number, 1);
        one.edit(|edit| edit.text("body").push("x")).unwrap();
        reader.receive(&one.commit());
    }
    reader.edit(|edit| edit.text("body").push("!")).unwrap();
    assert_eq!(reader.document.history().heads().len(), 1);
    let made = reader.commit();
    assert_eq!(made.len(), 2, "one merge and the edit");
    assert!(reader.document.content().text("body").to_string().ends_with('!'));
}

#[test]
fn an_author_has_one_actor_until_the_session_forks() {
    let genesis = genesis();
    let mut one = Replica::new(&genesis, 1, 7);
    let mut other = Replica::new(&genesis, 1, 7);
    one.edit(|edit| edit.text("body").push("a")).unwrap();
    let first = one.commit();
    other.receive(&first);
    let heads_before = {
        one.picture();
        one.document.projected_heads()
    };
    assert_eq!(heads_before, other.picture().0);
    one.edit(|edit| edit.text("body").push("b")).unwrap();
    other.edit(|edit| edit.text("body").push("c")).unwrap();
    let (left, right) = (one.commit(), other.commit());
    one.receive(&right);
    other.receive(&left);
    assert_eq!(one.picture(), other.picture());
    assert_eq!(one.document.content().text("body").len(), 3);
}

#[test]
fn who_follows_a_text_misses_nothing_when_an_edit_fails() {
    let genesis = genesis();
    let (mut one, mut other) = (Replica::new(&genesis, 1, 7), Replica::new(&genesis, 2, 7));
    one.document.follow(|content| content.text("body")).unwrap();
    other.edit(|edit| edit.text("body").push("a")).unwrap();
    one.receive(&other.commit());
    assert!(one.edit(|edit| edit.text("body").delete(5, 5)).is_err());
    assert_eq!(one.document.project().unwrap().len(), 1);
}

#[test]
fn who_follows_a_text_sees_what_is_there_though_somebody_overwrites_it() {
    let genesis = genesis();
    let (mut one, mut other) = (Replica::new(&genesis, 1, 7), Replica::new(&genesis, 2, 7));
    let body = one.document.follow(|content| content.text("body")).unwrap();
    other.edit(|edit| edit.put("body", 1)).unwrap();
    one.receive(&other.commit());
    one.document.project().unwrap();
    let splice = std::iter::once((0, 0, "x"));
    let by = EditAs {
        chain: ChainId { author: one.key.id(), session: Session(9) },
        time_ms: 0,
        message: None,
        authority: &[],
        judge: UNJUDGED,
    };
    let made = one.document.edit_followed(&by, &body, splice).unwrap();
    assert_eq!(made.patches.len(), 1);
    assert_eq!(one.document.followed_text(&body).unwrap(), "x");
}
