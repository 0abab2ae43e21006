//! A document is removed from a store with all its rows, whatever happens meanwhile, and can come again.

use pistol_core::id::DocumentId;
use pistol_core::store::Table;
use pistol_engine::{Command, Effect, Input, Reply, ReplyError};
use pistol_sync::proto::message::{Message, Refusal};

use super::machine::{Machine, exchange};

/// A node with two documents of some changes, of which one is to be removed.
fn two() -> (Machine, DocumentId, DocumentId) {
    let mut machine = Machine::new(1);
    let [kept, removed] = [1, 2].map(|number| {
        let document = machine.create_with([number; 16]);
        machine.sync();
        for number in 0..25 {
            machine.write(document, &format!("{number} "));
            machine.sync();
        }
        machine.command(Command::Name(document, format!("document {number}")));
        machine.sync();
        document
    });
    machine.effects.clear();
    (machine, kept, removed)
}

fn rows(machine: &Machine) -> usize {
    Table::ALL.iter().map(|table| machine.rows(*table).len()).sum()
}

fn replies(machine: &Machine) -> Vec<Result<Reply, ReplyError>> {
    let reply = |effect: &Effect| match effect {
        Effect::Reply { reply, .. } => Some(reply.clone()),
        _ => None,
    };
    machine.effects.iter().filter_map(reply).collect()
}

#[test]
fn a_removed_document_leaves_no_row_and_others_go_on() {
    let (mut machine, kept, removed) = two();
    let (text, before) = (machine.text(kept), rows(&machine));
    machine.command(Command::Forget(removed));
    machine.sync();
    assert_eq!(replies(&machine), [Ok(Reply::Done)]);
    assert_eq!(rows(&machine), before / 2);
    assert!(machine.engine.catalog().entry(&removed).is_none());
    assert_eq!(machine.engine.catalog().named("document 2"), None);
    let mut again = machine.restarted();
    again.command(Command::Open(removed));
    assert_eq!(replies(&again), [Err(ReplyError::NotFound)]);
    again.command(Command::Open(kept));
    assert_eq!(again.text(kept), text);
}

#[test]
fn a_document_that_is_held_or_not_there_is_not_removed() {
    let (mut machine, _, removed) = two();
    let pin = machine.engine.documents().pin(removed);
    machine.command(Command::Forget(removed));
    drop(pin);
    machine.command(Command::Forget(removed));
    machine.command(Command::Forget(removed));
    machine.sync();
    assert_eq!(replies(&machine), [Err(ReplyError::InUse), Err(ReplyError::NotFound), Ok(Reply::Done)]);
}

#[test]
fn a_removal_that_a_crash_cuts_short_goes_on_when_the_store_is_opened_again() {
    for commits in 0.. {
        let (mut machine, kept, removed) = two();
        let before = rows(&machine);
        machine.command(Command::Forget(removed));
        let is_done = (0..commits).all(|_| machine.sync_once());
        let mut again = machine.restarted();
        again.give(Input::Wake);
        again.sync();
        let is_there = again.engine.catalog().entry(&removed).is_some();
        assert_eq!(is_there, commits == 0, "after {commits} commits");
        assert_eq!(rows(&again), if is_there { before } else { before / 2 }, "after {commits} commits");
        again.command(Command::Open(kept));
        assert!(again.text(kept).ends_with("24 "));
        if !is_done {
            return assert!(commits > 4, "{commits} commits");
        }
    }
}

#[test]
fn what_is_on_its_way_to_the_disk_of_a_removed_document_goes_too() {
    let (mut machine, _, removed) = two();
    let before = rows(&machine);
    machine.write(removed, "under way");
    machine.write(removed, "not stored");
    machine.command(Command::Forget(removed));
    machine.sync();
    assert_eq!(rows(&machine), before / 2);
}

#[test]
fn a_peer_is_told_that_a_removed_document_is_not_there_and_it_can_be_joined_again() {
    let (mut machine, _, removed) = two();
    let mut peer = with_peer(&mut machine, removed);
    let text = peer.text(removed);
    assert!(text.ends_with("24 "));
    machine.command(Command::Forget(removed));
    machine.sync();
    let is_refusal = |message: &Message| matches!(message, Message::Refused(_, Refusal::NotStored));
    assert!(exchange(1, &mut peer, &mut machine).iter().any(is_refusal));
    machine.join(removed, &peer);
    settle(&mut peer, &mut machine);
    assert_eq!(machine.text(removed), text);
}

/// The document of `machine` is known to a peer that holds all of it.
fn with_peer(machine: &mut Machine, document: DocumentId) -> Machine {
    let mut peer = Machine::new(2);
    peer.join(document, machine);
    peer.connected(1, machine, true);
    machine.connected(1, &peer, false);
    settle(&mut peer, machine);
    peer
}

fn settle(one: &mut Machine, other: &mut Machine) {
    for _ in 0..4 {
        exchange(1, one, other);
        one.sync();
        other.sync();
    }
}

#[test]
fn a_document_that_is_joined_again_while_its_former_rows_are_on_their_way_to_the_disk_is_another() {
    let (mut machine, _, removed) = two();
    let mut peer = with_peer(&mut machine, removed);
    let text = peer.text(removed);
    machine.write(removed, "on its way, and lost");
    machine.command(Command::Forget(removed));
    machine.join(removed, &peer);
    for _ in 0..4 {
        // The disk of the first stays busy.
        exchange(1, &mut peer, &mut machine);
        peer.sync();
    }
    settle(&mut peer, &mut machine);
    assert_eq!((machine.text(removed), peer.text(removed)), (text.clone(), text.clone()));
    let mut again = machine.restarted();
    again.command(Command::Open(removed));
    assert_eq!(again.text(removed), text);
}

#[test]
fn who_waits_for_a_removal_is_told_that_the_disk_failed_and_it_goes_on_later() {
    let (mut machine, _, removed) = two();
    let before = rows(&machine);
    machine.command(Command::Forget(removed));
    machine.fail_once();
    assert_eq!(replies(&machine), [Err(ReplyError::Store("the disk failed".to_owned()))]);
    machine.now_ms += 1000;
    machine.give(Input::Wake);
    machine.sync();
    assert_eq!(rows(&machine), before / 2);
    assert_eq!(replies(&machine).len(), 1, "nobody is answered twice");
}

#[test]
fn a_removal_whose_rows_cannot_be_read_goes_on_when_the_store_is_opened_again() {
    let (mut machine, _, removed) = two();
    let before = rows(&machine);
    machine.command(Command::Forget(removed));
    machine.failing_read = Some(0);
    machine.sync();
    assert!(matches!(replies(&machine).as_slice(), [Err(ReplyError::Store(_))]));
    let mut again = machine.restarted();
    again.give(Input::Wake);
    again.sync();
    assert_eq!(rows(&again), before / 2);
}

#[test]
fn what_a_peer_sends_of_a_removed_document_is_no_fault() {
    let (mut machine, _, removed) = two();
    let mut peer = with_peer(&mut machine, removed);
    for number in 0..40 {
        peer.write(removed, &format!("more {number} "));
        peer.sync();
    }
    let sent = peer.sent(1);
    assert!(sent.iter().filter(|message| matches!(message, Message::Envelope(..))).count() >= 32);
    machine.command(Command::Forget(removed));
    sent.iter().for_each(|message| machine.receive(1, message));
    machine.sync();
    assert!(!machine.has_closed(1));
}

#[test]
fn a_peer_with_which_no_document_is_shared_any_more_is_not_looked_for() {
    let mut peer = Machine::new(2);
    let document = peer.create();
    peer.sync();
    let mut machine = Machine::new(1);
    machine.join(document, &peer);
    machine.connected(1, &peer, true);
    peer.connected(1, &machine, false);
    settle(&mut machine, &mut peer);
    assert_eq!(machine.engine.peers().len(), 1);
    machine.command(Command::Forget(document));
    machine.sync();
    machine.give(Input::Disconnected { connection: 1, reason: "gone".to_owned() });
    assert_eq!((machine.engine.peers(), machine.rows(Table::Peers)), (vec![], vec![]));
    assert_eq!(machine.engine.deadline_ms(), None);
}
