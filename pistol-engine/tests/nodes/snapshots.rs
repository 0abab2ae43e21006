//! A document is opened from its snapshot, and a damaged snapshot costs time only.

use pistol_core::id::DocumentId;
use pistol_core::store::memory::MemoryStore;
use pistol_core::store::{Batch, Row, Store, Table};
use pistol_engine::{Command, Effect, Input, Reply, ReplyError};

use super::machine::{Machine, written};

/// A node on whose disk is a document of so many long texts, so that the first of them lie in full rows.
fn written_at_length(changes: usize) -> (Machine, DocumentId) {
    let mut machine = Machine::new(1);
    let document = machine.create();
    machine.sync();
    for number in 0..changes {
        machine.write(document, &format!("{number} ").repeat(2000));
        machine.sync();
    }
    (machine, document)
}

fn open(machine: &mut Machine, document: DocumentId) {
    machine.command(Command::Open(document));
    let is_open = |effect: &Effect| matches!(effect, Effect::Reply { reply: Ok(Reply::Document(_)), .. });
    assert!(machine.effects.iter().any(is_open));
    machine.sync();
}

fn is_from_snapshot(machine: &Machine, document: DocumentId) -> bool {
    machine.engine.documents().look(&document, |insight| insight.state.is_from_snapshot).unwrap()
}

fn put(store: &mut MemoryStore, table: Table, (key, value): Row) {
    let mut batch = Batch::default();
    batch.put(table, key, value);
    store.commit(&batch).unwrap();
}

fn check_same(again: &Machine, machine: &Machine, document: DocumentId) {
    assert_eq!(again.text(document), machine.text(document));
    assert_eq!(again.heads(document), machine.heads(document));
}

#[test]
fn a_document_is_opened_from_its_snapshot_and_from_the_rows_after_it() {
    for (changes, is_fast) in [(0, false), (9, false), (10, true), (25, true), (30, true), (57, true)] {
        let (machine, document) = written(changes);
        let mut again = machine.restarted_on(|_| ());
        open(&mut again, document);
        assert_eq!(is_from_snapshot(&again, document), is_fast, "{changes} changes");
        check_same(&again, &machine, document);
    }
}

#[test]
fn a_document_opened_from_its_snapshot_is_written_on_and_opened_again() {
    let (mut machine, document) = written(15);
    for round in 0..5 {
        let mut again = machine.restarted_on(|_| ());
        open(&mut again, document);
        assert!(is_from_snapshot(&again, document), "round {round}");
        check_same(&again, &machine, document);
        for _ in 0..7 {
            again.write(document, "on ");
            again.sync();
        }
        machine = again;
    }
}

#[test]
fn each_damaged_byte_of_a_snapshot_costs_time_only() {
    let (machine, document) = written(25);
    let (key, value) = machine.rows(Table::Snapshots)[0].clone();
    let flipped = (0..value.len()).map(|at| {
        let mut flipped = value.clone();
        flipped[at] ^= 1 << (at % 8);
        flipped
    });
    let cut = (0..value.len()).step_by(5).map(|length| value[..length].to_vec());
    for damaged in flipped.chain(cut) {
        let mut again = machine.restarted_on(|store| put(store, Table::Snapshots, (key.clone(), damaged)));
        open(&mut again, document);
        assert!(!is_from_snapshot(&again, document));
        check_same(&again, &machine, document);
    }
}

#[test]
fn a_snapshot_that_was_of_no_use_is_made_again() {
    let (machine, document) = written(25);
    let (key, _) = machine.rows(Table::Snapshots)[0].clone();
    let mut slow = machine.restarted_on(|store| put(store, Table::Snapshots, (key, vec![1, 2, 3])));
    open(&mut slow, document);
    let mut fast = slow.restarted_on(|_| ());
    open(&mut fast, document);
    assert!(is_from_snapshot(&fast, document));
    check_same(&fast, &machine, document);
}

#[test]
fn a_snapshot_of_other_rows_or_of_another_document_is_not_used() {
    let (machine, document) = written(25);
    let (other, _) = written(40);
    let snapshot = other.rows(Table::Snapshots)[0].clone();
    let mut again = machine.restarted_on(|store| put(store, Table::Snapshots, snapshot));
    open(&mut again, document);
    assert!(!is_from_snapshot(&again, document));
    check_same(&again, &machine, document);
}

#[test]
fn a_snapshot_may_speak_of_small_rows_that_are_put_into_full_ones_later() {
    let (machine, document) = written(15);
    let mut again = machine.restarted_on(|_| ());
    open(&mut again, document);
    assert!(again.rows(Table::Envelopes).is_empty());
    // Fewer than make the next snapshot due, and enough to fill a row.
    for number in 0..4 {
        again.write(document, &format!("{number} ").repeat(9000));
        again.sync();
    }
    assert_eq!(again.rows(Table::Snapshots), machine.rows(Table::Snapshots));
    assert!(!again.rows(Table::Envelopes).is_empty());
    let mut last = again.restarted_on(|_| ());
    open(&mut last, document);
    assert!(is_from_snapshot(&last, document));
    check_same(&last, &again, document);
}

#[test]
fn a_snapshot_whose_last_rows_are_gone_is_not_used_and_the_document_is_damaged() {
    let (machine, document) = written(10);
    let (last, _) = machine.rows(Table::Tail).pop().unwrap();
    let mut again = machine.restarted_on(|store| {
        let mut batch = Batch::default();
        batch.remove(Table::Tail, last);
        store.commit(&batch).unwrap();
    });
    again.command(Command::Open(document));
    let is_told = |effect: &Effect| matches!(effect, Effect::Reply { reply: Err(ReplyError::Damaged(_)), .. });
    assert!(again.effects.iter().any(is_told));
    assert!(!is_from_snapshot(&again, document));
}

#[test]
fn a_damaged_small_row_that_a_snapshot_speaks_of_is_told_and_no_other_document_is_shown() {
    let (machine, document) = written(12);
    let mut damaged = 0;
    for (key, value) in machine.rows(Table::Tail) {
        for at in 0..value.len() {
            let mut flipped = value.clone();
            flipped[at] ^= 1 << (at % 8);
            let mut again = machine.restarted_on(|store| put(store, Table::Tail, (key.clone(), flipped)));
            again.command(Command::Open(document));
            let told = |effect: &Effect| matches!(effect, Effect::Reply { reply: Err(ReplyError::Damaged(_)), .. });
            if again.effects.iter().any(told) {
                let is_whole = again.engine.documents().look(&document, |insight| insight.state.damage.is_none());
                assert!(!is_whole.unwrap_or(false), "byte {at}: only peers see what is left of it");
                damaged += 1;
            } else {
                // A guess that nothing was guessed by says nothing, whatever it is.
                check_same(&again, &machine, document);
            }
        }
    }
    assert!(damaged > 1000, "{damaged}");
}

#[test]
fn small_rows_of_another_history_are_not_taken_for_those_that_a_snapshot_speaks_of() {
    let (machine, document) = written(10);
    // The same node wrote something else, and its store was put back: all of it is signed as it should be.
    let (mut other, same) = written(9);
    other.write(same, "else ");
    other.sync();
    assert_eq!(document, same);
    let row = other.rows(Table::Tail).pop().unwrap();
    let mut again = machine.restarted_on(|store| put(store, Table::Tail, row));
    open(&mut again, document);
    assert!(!is_from_snapshot(&again, document));
    assert_eq!(again.text(document), other.text(document));
}

#[test]
fn a_row_that_is_damaged_after_the_document_was_opened_is_noticed_before_it_is_sent() {
    let (machine, document) = written_at_length(25);
    let mut again = machine.restarted_on(|_| ());
    open(&mut again, document);
    let (key, mut value) = machine.rows(Table::Envelopes)[0].clone();
    value[40] ^= 1;
    put(&mut again.store, Table::Envelopes, (key, value));
    let mut reader = Machine::new(2);
    reader.join(document, &again);
    reader.connected(1, &again, true);
    again.connected(1, &reader, false);
    super::machine::exchange(1, &mut reader, &mut again);
    reader.sync();
    super::machine::exchange(1, &mut reader, &mut again);
    let failure = again.engine.documents().look(&document, |insight| insight.state.store_failure.clone()).unwrap();
    assert_eq!(failure.as_deref(), Some("a row of the store is not what was written there"));
    assert_eq!(reader.text(document), "");
}

#[test]
fn a_node_that_ends_saves_a_picture_of_what_is_in_none() {
    let (machine, document) = written(13);
    let before = machine.rows(Table::Snapshots);
    let mut ending = machine.restarted_on(|_| ());
    open(&mut ending, document);
    ending.effects.clear();
    ending.command(Command::Rest);
    let is_answered = |machine: &Machine| {
        let is_answer = |effect: &Effect| matches!(effect, Effect::Reply { reply: Ok(Reply::Done), .. });
        machine.effects.iter().any(is_answer)
    };
    assert!(!is_answered(&ending), "not before the picture is stored");
    ending.sync();
    assert!(is_answered(&ending));
    assert_ne!(ending.rows(Table::Snapshots), before);
    // Once more there is nothing to save, and the answer comes at once.
    ending.effects.clear();
    ending.command(Command::Rest);
    assert!(is_answered(&ending));
    let mut again = ending.restarted_on(|_| ());
    open(&mut again, document);
    check_same(&again, &machine, document);
}

#[test]
fn the_picture_of_a_large_document_waits_until_nobody_types() {
    let mut machine = Machine::new(1);
    let document = machine.create();
    machine.sync();
    for _ in 0..10_100 {
        machine.write(document, "x");
    }
    machine.sync();
    let taken = machine.rows(Table::Snapshots);
    assert_eq!(taken.len(), 1, "too much is new to wait for longer");
    for _ in 0..400 {
        machine.write(document, "x");
    }
    machine.sync();
    assert_eq!(machine.rows(Table::Snapshots), taken);
    let at_ms = machine.engine.deadline_ms().unwrap();
    assert_eq!(at_ms, machine.now_ms + 300);
    machine.now_ms = at_ms;
    machine.give(Input::Wake);
    machine.sync();
    assert_ne!(machine.rows(Table::Snapshots), taken);
    assert!(machine.engine.deadline_ms().is_none_or(|at| at > at_ms));
}
