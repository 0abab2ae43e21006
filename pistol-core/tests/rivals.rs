//! Nobody can make a key unwritable by putting thousands of values there.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

#[path = "support/hand.rs"]
mod hand;
#[path = "support/replica.rs"]
mod replica;

use hand::{Hand, at_key, op};
use pistol_core::change::{Action, Op, Scalar};
use pistol_core::document::{Edit, Value};
use pistol_core::envelope::VerifiedChange;
use replica::{Replica, genesis};

/// Values at `k` of the root: so many, from each of so many authors.
fn rivals(authors: u16, of_each: usize) -> Vec<VerifiedChange> {
    let put = |number: usize| op(None, at_key("k"), Action::Put(Scalar::Uint(number as u64)), &[]);
    let ops: Vec<Op> = (0..of_each).map(put).collect();
    let written = |author: u16| {
        // Many chains are many sessions of a few keys, which costs the same to name.
        let [low, high] = author.to_le_bytes();
        Hand::new(genesis().id(), low, u64::from(high)).write(&[], &[], ops.clone())
    };
    (0..authors).map(written).collect()
}

fn written_over(rivals: &[VerifiedChange], edit: impl FnOnce(&mut Edit)) -> (Replica, Replica) {
    let (mut honest, mut other) = (Replica::new(&genesis(), 100, 1), Replica::new(&genesis(), 101, 1));
    honest.receive(rivals);
    honest.edit(edit).unwrap();
    other.receive(rivals);
    other.receive(&honest.commit());
    assert!(other.waiting.is_empty() && other.rejected.is_empty());
    assert_eq!(honest.picture(), other.picture());
    (honest, other)
}

#[test]
fn a_key_with_thousands_of_rival_values_can_be_put_and_deleted() {
    for (authors, of_each) in [(1, 1001), (1, 5000), (2, 2500), (1100, 1)] {
        let rivals = rivals(authors, of_each);
        let (honest, _) = written_over(&rivals, |edit| edit.put("k", "mine"));
        assert_eq!(honest.document.content().values("k"), [Value::Text("mine".into())], "{authors} x {of_each}");
        let (honest, _) = written_over(&rivals, |edit| edit.delete("k"));
        assert!(honest.document.content().values("k").is_empty(), "{authors} x {of_each}");
    }
}

#[test]
fn what_else_is_in_the_edit_is_done_too_and_refers_to_the_right_things() {
    let (honest, mut other) = written_over(&rivals(1, 3000), |edit| {
        edit.text("body").push("before ");
        edit.put("k", "mine");
        edit.list("list").insert_text(0).push("in the list");
        edit.text("body").push("after");
    });
    assert_eq!(honest.document.content().text("body").to_string(), "before after");
    assert_eq!(honest.document.content().list("list").text(0).to_string(), "in the list");
    other.edit(|edit| edit.put("k", 1)).unwrap();
    assert_eq!(other.document.content().values("k"), [Value::Int(1)]);
}

#[test]
fn readers_of_a_text_see_what_was_typed_beside_a_removal_of_rivals() {
    let mut honest = Replica::new(&genesis(), 100, 1);
    honest.receive(&rivals(1, 2000));
    honest.document.project().unwrap();
    let body = honest.document.follow(|content| content.text("body")).unwrap();
    honest
        .edit(|edit| {
            edit.text("body").push("typed");
            edit.delete("k");
        })
        .unwrap();
    assert_eq!(honest.document.followed_text(&body).unwrap(), "typed");
    assert!(!honest.document.is_behind());
}
