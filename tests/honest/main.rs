//! Whatever honest people do with a document, no other node refuses any of it, and all come to hold the same.

#![allow(missing_docs, unreachable_pub)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "a test fails by panicking"
)]

mod edits;
#[path = "../hostile/machine.rs"]
#[allow(dead_code, reason = "shared with the tests of hostile input")]
mod machine;
mod rich;
#[path = "../../pistol-core/tests/support/replica.rs"]
mod support;

use std::collections::BTreeSet;

use machine::Machine;
use pistol_core::delta::{self, Delta};
use pistol_core::document::{Cursor, EditError};
use pistol_engine::Screen;
use proptest::prelude::*;
use rich::Rich;
use support::{Dice, genesis};

/// What somebody does.
#[derive(Clone, Debug)]
enum Step {
    /// One edit of several parts, at numbers that are taken modulo what is there.
    Edit { who: usize, parts: Vec<(u8, usize, usize, String)> },
    /// Types on a screen that counts as its editor does.
    Type { who: usize, at: usize, length: usize, text: String, counts_in_utf16: bool },
    /// Makes a cursor, which all keep.
    Place { who: usize, at: usize, is_after: bool },
    /// Everything durable goes from one to another, in any order and in any parts.
    Exchange { from: usize, to: usize, order: u64 },
    /// What was written becomes durable.
    Flush { who: usize },
    /// The power goes.
    Crash { who: usize, is_kept: bool },
}

const PEOPLE: usize = 3;

fn step() -> impl Strategy<Value = Step> {
    let who = || 0..PEOPLE;
    let text = || "[a-c\u{e9}\u{1f980}\u{301}\u{200d}\\x00]{0,4}";
    let part = (0..edits::KINDS, 0..100usize, 0..100usize, text());
    let edit = (who(), proptest::collection::vec(part, 1..4)).prop_map(|(who, parts)| Step::Edit { who, parts });
    let typed = (who(), 0..60usize, 0..4usize, text(), any::<bool>());
    let typed = typed.prop_map(|(who, at, length, text, counts_in_utf16)| Step::Type {
        who,
        at,
        length,
        text,
        counts_in_utf16,
    });
    prop_oneof![
        6 => edit,
        2 => typed,
        2 => (who(), 0..60usize, any::<bool>()).prop_map(|(who, at, is_after)| Step::Place { who, at, is_after }),
        3 => (who(), who(), any::<u64>()).prop_map(|(from, to, order)| Step::Exchange { from, to, order }),
        2 => who().prop_map(|who| Step::Flush { who }),
        1 => (who(), any::<bool>()).prop_map(|(who, is_kept)| Step::Crash { who, is_kept }),
    ]
}

/// Somebody with a node and an editor open.
struct Person {
    machine: Machine,
    screen: Screen,
    shown: String,
}

impl Person {
    fn new(number: u8) -> Self {
        let machine = Machine::new(number, &genesis());
        let (screen, shown) = machine.open_screen();
        Person { machine, screen, shown }
    }

    fn edit(&mut self, parts: &[(u8, usize, usize, String)]) {
        let before = (self.machine.picture(), self.machine.saved());
        let edited = self.machine.edit(|edit| {
            for (kind, one, other, text) in parts {
                edits::make(edit, *kind, (*one, *other), text);
            }
        });
        match edited {
            Ok(()) => {}
            Err(error @ (EditError::Refused(_) | EditError::Failed(_))) => panic!("{parts:?}: {error}"),
            Err(error) => {
                assert_eq!(self.machine.picture(), before.0, "{error} left a trace of {parts:?}");
                assert_eq!(self.machine.saved(), before.1, "{error} left a trace of {parts:?}");
            }
        }
    }

    fn typed(&mut self, (at, length): (usize, usize), text: &str, counts_in_utf16: bool) {
        let position = |at| if counts_in_utf16 { delta::code_points(&self.shown, at) } else { Some(at) };
        let Some((from, to)) = position(at).zip(position(at + length)) else { return };
        let typed = Delta::splice(from, to - from, text);
        match self.machine.edit_screen(self.screen, &typed) {
            Ok(rest) => {
                let after = typed.apply(&self.shown).expect("what was typed is on the screen");
                self.shown = rest.apply(&after).expect("the rest fits the screen");
                assert_eq!(self.shown, self.machine.text(), "the screen shows the document");
            }
            Err(EditError::OutOfBounds { .. } | EditError::Missing { .. } | EditError::OtherKind { .. }) => {}
            Err(error) => panic!("{typed:?}: {error}"),
        }
    }

    fn crash(&mut self, is_kept: bool) {
        self.machine.crash(is_kept);
        (self.screen, self.shown) = self.machine.open_screen();
    }
}

fn exchange(people: &mut [Person], (from, to): (usize, usize), order: u64) {
    let mut dice = Dice(order);
    let mut envelopes = people[from].machine.envelopes();
    dice.shuffle(&mut envelopes);
    let mut rest = envelopes.as_slice();
    while !rest.is_empty() {
        let (batch, after) = rest.split_at((1 + dice.below(5)).min(rest.len()));
        people[to].machine.receive(batch.iter().map(Vec::as_slice));
        if dice.below(3) == 0 {
            people[to].machine.sync();
        }
        rest = after;
    }
}

fn check(steps: Vec<Step>) {
    let mut people: Vec<_> = (101..).take(PEOPLE).map(Person::new).collect();
    let mut cursors = Vec::new();
    for step in steps {
        match step {
            Step::Place { who, at, is_after } => cursors.extend(rich::cursor(&people[who].machine, at, is_after)),
            Step::Edit { who, parts } => people[who].edit(&parts),
            Step::Type { who, at, length, text, counts_in_utf16 } => {
                people[who].typed((at, length), &text, counts_in_utf16);
            }
            Step::Exchange { from, to, order } => exchange(&mut people, (from, to), order),
            Step::Flush { who } => people[who].machine.sync(),
            Step::Crash { who, is_kept } => people[who].crash(is_kept),
        }
    }
    for round in 0..2 {
        for (from, to) in (0..PEOPLE).flat_map(|from| (0..PEOPLE).map(move |to| (from, to))) {
            people[from].machine.sync();
            exchange(&mut people, (from, to), round);
            people[to].machine.sync();
        }
    }
    check_alike(&mut people, &cursors);
}

fn check_alike(people: &mut [Person], cursors: &[Cursor]) {
    let first = people[0].machine.picture();
    let rich = Rich::of(&people[0].machine);
    rich.check_history(&first.accepted);
    let places: Vec<_> = cursors.iter().map(|cursor| rich::position(&people[0].machine, cursor)).collect();
    for (cursor, place) in cursors.iter().zip(&places) {
        // What was not durable may be gone with its author's machine.
        assert_eq!(place.is_some(), rich::knows(&people[0].machine, cursor), "{cursor}");
    }
    assert_eq!(first.forks, BTreeSet::new());
    for person in people {
        assert!(person.machine.refused.is_empty(), "{:?}", person.machine.refused);
        assert_eq!(person.machine.waiting(), 0);
        assert_eq!(person.machine.picture(), first);
        assert_eq!(Rich::of(&person.machine), rich);
        person.machine.crash(true);
        assert_eq!(person.machine.picture(), first, "after a start");
        assert_eq!(Rich::of(&person.machine), rich);
        let there = cursors.iter().map(|cursor| rich::position(&person.machine, cursor));
        assert_eq!(there.collect::<Vec<_>>(), places, "{cursors:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn no_sequence_of_honest_edits_is_refused_by_another_node(steps in proptest::collection::vec(step(), 1..40)) {
        check(steps);
    }
}

#[test]
fn every_kind_of_edit_can_be_made() {
    for kind in 0..edits::KINDS {
        let mut machine = Machine::new(1, &genesis());
        let whole = |edit: &mut pistol_core::document::Edit| {
            edit.text("body").push("abc");
            edit.text("body").split_block(1);
            (0..3).for_each(|_| edit.list("list").push(1));
            edit.map("map").put("count", pistol_core::document::Value::Counter(1));
            edit.list("list").insert_map(0);
            edit.list("list").insert_list(1);
            edit.list("list").insert_text(2);
            for key in ["a", "b", ""] {
                edit.put(key, 1);
                edit.map("map").put(key, 1);
            }
        };
        machine.edit(whole).unwrap();
        let before = machine.picture();
        let made = (0..100)
            .filter(|number| machine.edit(|edit| edits::make(edit, kind, (*number, number + 1), "words")).is_ok());
        assert!(made.count() > 0 && machine.picture() != before, "kind {kind}");
    }
}
