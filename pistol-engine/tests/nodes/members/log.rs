//! How the log of a document travels, and what rests of it in the store.

use pistol_acl::SignedOp;
use pistol_acl::record::{AclOp, Action, Role};
use pistol_core::key::{AuthorKey, Verifier};
use pistol_core::store::schema::{LogNumber, OPERATIONS_ASIDE, operation_key};
use pistol_core::store::{Batch, Store, Table};
use pistol_engine::{Command, Input, Insight, PeerState};
use pistol_sync::proto::message::Message;

use super::{Role::Writer, author, grant, meet, operate, part, restarted, settle, state, team, third, write};
use crate::machine::{Machine, exchange};

fn operations(messages: &[Message]) -> usize {
    let count = |message: &Message| match message {
        Message::Operations(_, operations) => operations.len(),
        _ => 0,
    };
    messages.iter().map(count).sum()
}

fn held(machine: &Machine, document: pistol_core::id::DocumentId) -> u32 {
    let look = |insight: Insight<'_>| insight.access.unwrap().operation_count(&document);
    machine.engine.documents().look(&document, look).unwrap()
}

#[test]
fn an_operation_is_neither_sent_nor_told_of_before_it_is_durable() {
    let (mut root, mut writer, document) = team();
    operate(&mut root, document, grant(author(&Machine::new(9)), Role::Reader)).unwrap();
    assert_eq!(operations(&root.sent(1)), 0);
    part(1, &mut root, &mut writer);
    root.connected(2, &writer, true);
    writer.connected(2, &root, false);
    assert_eq!(operations(&exchange(2, &mut root, &mut writer)), 0);
    assert_eq!(held(&writer, document), 1);
    settle(2, &mut root, &mut writer);
    assert_eq!(held(&writer, document), 2);
}

#[test]
fn a_log_of_many_operations_comes_in_order_and_only_what_is_lacking_comes_again() {
    let (mut root, mut writer, document) = team();
    part(1, &mut root, &mut writer);
    for number in 0..200 {
        let role = if number % 2 == 0 { Role::Reader } else { Role::Writer };
        operate(&mut root, document, grant(author(&Machine::new(10 + number)), role)).unwrap();
    }
    root.sync();
    root.connected(2, &writer, true);
    writer.connected(2, &root, false);
    let told = exchange(2, &mut root, &mut writer);
    assert_eq!(operations(&told), 200);
    settle(2, &mut root, &mut writer);
    assert_eq!(held(&writer, document), 201);
    part(2, &mut root, &mut writer);
    for machine in [&mut root, &mut writer] {
        machine.write(document, "more ");
        machine.sync();
    }
    operate(&mut root, document, grant(author(&Machine::new(9)), Role::Reader)).unwrap();
    root.sync();
    root.connected(3, &writer, true);
    writer.connected(3, &root, false);
    assert_eq!(operations(&exchange(3, &mut root, &mut writer)), 1);
    settle(3, &mut root, &mut writer);
    assert_eq!(root.text(document), writer.text(document));
}

/// Each wrote operations that the other lacks; what both had they know of by what is told beside the heads.
#[test]
fn two_logs_that_went_apart_join_with_what_each_lacks() {
    let (mut root, mut writer, document) = team();
    let mut admin = third(&mut root, document, Role::Admin);
    settle(1, &mut writer, &mut root);
    part(3, &mut root, &mut admin);
    for number in 0..5 {
        operate(&mut root, document, grant(author(&Machine::new(20 + number)), Role::Reader)).unwrap();
        operate(&mut admin, document, grant(author(&Machine::new(40 + number)), Role::Reader)).unwrap();
    }
    root.sync();
    admin.sync();
    root.connected(4, &admin, true);
    admin.connected(4, &root, false);
    let told = exchange(4, &mut root, &mut admin);
    assert!((10..16).contains(&operations(&told)), "{}", operations(&told));
    settle(4, &mut root, &mut admin);
    assert_eq!([held(&root, document), held(&admin, document)], [12; 2]);
    let peers = root.engine.documents().look(&document, |insight| insight.state.peers[&admin.node].state.clone());
    assert_eq!(peers.unwrap(), PeerState::Same);
}

#[test]
fn what_a_third_node_needs_is_passed_on_with_the_operations_it_cites_before_it() {
    let (mut root, mut writer, document) = team();
    let mut third = Machine::new(3);
    third.join(document, &writer);
    third.connected(5, &writer, true);
    writer.connected(5, &third, false);
    let mut told = Vec::new();
    for _ in 0..6 {
        told.extend(exchange(5, &mut third, &mut writer));
        third.sync();
        writer.sync();
    }
    let first = |is_it: fn(&Message) -> bool| told.iter().position(is_it).unwrap();
    let operations = first(|message| matches!(message, Message::Operations(..)));
    assert!(operations < first(|message| matches!(message, Message::Envelope(..))));
    assert_eq!(third.text(document), "root writer ");
    assert_eq!(third.engine.documents().look(&document, |insight| insight.state.waiting).unwrap(), 0);
    // And what comes later passes the node in the middle.
    operate(&mut root, document, grant(author(&third), Writer)).unwrap();
    settle(1, &mut writer, &mut root);
    settle(5, &mut third, &mut writer);
    third.write(document, "third ");
    settle(5, &mut third, &mut writer);
    settle(1, &mut writer, &mut root);
    assert_eq!(root.text(document), "root writer third ");
}

#[test]
fn operations_are_stored_no_later_than_the_changes_that_cite_them() {
    let (mut root, mut writer) = (Machine::new(1), Machine::new(2));
    let document = root.create_of(pistol_core::genesis::Policy::Members, [0; 16]);
    root.sync();
    writer.join(document, &root);
    meet(1, &mut writer, &mut root);
    operate(&mut root, document, grant(author(&writer), Writer)).unwrap();
    settle(1, &mut writer, &mut root);
    let change = write(&mut writer, document, "cites");
    writer.sync();
    // The root takes the operation and the change in at once, and stops after each commit.
    for message in writer.sent(1) {
        root.receive(1, &message);
    }
    while root.sync_once() {
        let again = restarted(&root, document);
        assert!(again.text(document).is_empty() || state(&again, document, &change) == pistol_acl::State::Accepted);
    }
    assert_eq!(restarted(&root, document).text(document), "cites");
}

#[test]
fn a_closed_document_is_opened_by_an_operation_that_comes() {
    let (mut root, mut writer, document) = team();
    part(1, &mut root, &mut writer);
    let mut writer = writer.restarted();
    writer.connected(2, &root, true);
    root.connected(2, &writer, false);
    settle(2, &mut writer, &mut root);
    operate(&mut root, document, grant(author(&Machine::new(9)), Role::Reader)).unwrap();
    settle(2, &mut writer, &mut root);
    writer.command(Command::Open(document));
    assert_eq!(held(&writer, document), 2);
}

/// A node whose first operation was damaged while it was stopped.
fn with_first_operation_damaged(root: &Machine) -> Machine {
    let (key, mut value) = root.rows(Table::Operations).remove(0);
    value[40] ^= 1;
    root.restarted_on(|store| {
        let mut batch = Batch::default();
        batch.put(Table::Operations, key, value);
        store.commit(&batch).unwrap();
    })
}

/// The row of an operation is damaged: what cites it is set aside until a peer sends both again.
#[test]
fn a_lost_operation_and_what_cites_it_come_back_from_a_peer() {
    let (mut root, mut writer, document) = team();
    part(1, &mut root, &mut writer);
    let mut again = with_first_operation_damaged(&root);
    again.command(Command::Open(document));
    again.sync();
    assert_eq!(held(&again, document), 0);
    meet(2, &mut writer, &mut again);
    assert_eq!(held(&again, document), 1);
    assert_eq!(again.text(document), "root writer ");
    let damage = again.engine.documents().look(&document, |insight| insight.state.damage).unwrap();
    assert_eq!(damage, None, "it is whole again");
    assert_eq!(restarted(&again, document).text(document), "root writer ");
}

#[test]
fn an_operation_that_this_node_alone_holds_is_kept_while_one_before_it_is_missing() {
    let (mut root, mut writer, document) = team();
    part(1, &mut root, &mut writer);
    operate(&mut root, document, grant(author(&Machine::new(9)), Role::Reader)).unwrap();
    operate(&mut root, document, grant(author(&Machine::new(8)), Role::Reader)).unwrap();
    root.sync();
    let mut again = with_first_operation_damaged(&root);
    for _ in 0..2 {
        again.command(Command::Open(document));
        again.sync();
        assert_eq!((held(&again, document), again.rows(Table::Operations).len()), (0, 2), "they are set aside");
        again = again.restarted_on(|_| ());
    }
    again.command(Command::Open(document));
    again.sync();
    meet(2, &mut writer, &mut again);
    assert_eq!([held(&again, document), held(&writer, document)], [3; 2]);
    assert_eq!(again.rows(Table::Operations).len(), 3, "they lie in their places");
    let damage = again.engine.documents().look(&document, |insight| insight.state.damage).unwrap();
    assert_eq!(damage, None, "it is whole again");
    assert_eq!(held(&restarted(&again, document), document), 3);
}

#[test]
fn an_operation_that_was_set_aside_and_is_refused_in_the_end_goes() {
    let (mut root, mut writer, document) = team();
    part(1, &mut root, &mut writer);
    let first = SignedOp::verify(&root.rows(Table::Operations)[0].1, &mut Verifier::default()).unwrap();
    let stranger = AuthorKey::from_seed(&[77; 32]);
    let (author, prev, action) = (stranger.id(), vec![first.id()], grant(stranger.id(), Role::Admin));
    let op = AclOp { log: document, author, proof: vec![], prev, own: None, action };
    let log = LogNumber::from_key(&root.rows(Table::Logs)[0].0).unwrap();
    let again = with_first_operation_damaged(&root);
    let mut again = again.restarted_on(|store| {
        let mut batch = Batch::default();
        let key = operation_key(log, OPERATIONS_ASIDE);
        batch.put(Table::Operations, key, SignedOp::sign(&stranger, &op).unwrap().bytes());
        store.commit(&batch).unwrap();
    });
    again.command(Command::Open(document));
    again.sync();
    assert_eq!((held(&again, document), again.rows(Table::Operations).len()), (0, 1));
    meet(2, &mut writer, &mut again);
    assert_eq!((held(&again, document), again.rows(Table::Operations).len()), (1, 1));
}

#[test]
fn that_the_last_operation_is_missing_is_noticed_though_nothing_is_damaged() {
    let (mut root, mut writer, document) = team();
    operate(&mut root, document, grant(author(&Machine::new(9)), Role::Reader)).unwrap();
    settle(1, &mut writer, &mut root);
    part(1, &mut root, &mut writer);
    let (key, _) = root.rows(Table::Operations).remove(1);
    let mut again = root.restarted_on(|store| {
        let mut batch = Batch::default();
        batch.remove(Table::Operations, key);
        store.commit(&batch).unwrap();
    });
    again.command(Command::Open(document));
    again.sync();
    let damage =
        |machine: &Machine| machine.engine.documents().look(&document, |insight| insight.state.damage).unwrap();
    assert!(damage(&again).is_some());
    assert_eq!(held(&again, document), 1);
    meet(2, &mut writer, &mut again);
    assert_eq!((held(&again, document), damage(&again)), (2, None));
}

#[test]
fn nothing_of_a_log_is_left_of_a_document_that_is_forgotten() {
    let (mut root, _, document) = team();
    root.command(Command::Forget(document));
    root.sync();
    for table in [Table::Operations, Table::Logs, Table::Envelopes, Table::Tail] {
        assert!(root.rows(table).is_empty(), "{table:?}");
    }
}

#[test]
fn what_was_edited_while_the_disk_failed_is_stored_in_its_place() {
    let (mut root, mut writer, document) = team();
    operate(&mut root, document, grant(author(&Machine::new(9)), Role::Reader)).unwrap();
    root.write(document, "one ");
    root.fail_once();
    let released = operate(&mut root, document, Action::Witness { names: vec![] });
    assert!(released.is_ok());
    root.write(document, "two ");
    root.now_ms = 1000;
    root.give(Input::Wake);
    settle(1, &mut writer, &mut root);
    assert_eq!(writer.text(document), "root writer one two ");
    assert_eq!(restarted(&root, document).text(document), "root writer one two ");
    assert_eq!([held(&writer, document), held(&restarted(&root, document), document)], [3; 2]);
}

/// No connection turns messages round; but what is told of a log is told once, and nothing is sent before it.
#[test]
fn what_a_peer_tells_of_its_log_counts_also_before_it_lets_us_follow() {
    let (mut root, mut reader) = (Machine::new(1), Machine::new(3));
    let document = root.create_of(pistol_core::genesis::Policy::Members, [0; 16]);
    root.sync();
    operate(&mut root, document, grant(author(&reader), Role::Writer)).unwrap();
    root.sync();
    reader.join(document, &root);
    reader.connected(3, &root, true);
    root.connected(3, &reader, false);
    for _ in 0..2 {
        reader.sent(3).iter().for_each(|message| root.receive(3, message));
    }
    let mut told = root.sent(3);
    let at = |told: &[Message], is_it: fn(&Message) -> bool| told.iter().position(is_it).unwrap();
    let follow = at(&told, |message| matches!(message, Message::Follow(_)));
    let log = at(&told, |message| matches!(message, Message::LogHeads(..)));
    told.swap(follow, log);
    told.iter().for_each(|message| reader.receive(3, message));
    settle(3, &mut reader, &mut root);
    reader.write(document, "sent ");
    settle(3, &mut reader, &mut root);
    assert_eq!(root.text(document), "sent ");
    let state = reader.engine.documents().look(&document, |insight| insight.state.peers[&root.node].state.clone());
    assert_eq!(state.unwrap(), pistol_engine::PeerState::Same);
}
