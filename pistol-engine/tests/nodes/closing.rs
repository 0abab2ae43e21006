//! Documents that nobody uses are closed when those in memory take too much, and nothing is lost by it.

use pistol_core::id::DocumentId;
use pistol_core::store::Table;
use pistol_engine::{Command, Effect, Input, PeerState, Reply};
use pistol_sync::limits::HEADS_MAX;
use pistol_sync::proto::message::{Head, Heads, Message};

use super::machine::{Machine, exchange};

/// No document fits: whatever may be closed is.
const NONE: usize = 0;

fn documents(machine: &mut Machine, count: u8) -> Vec<DocumentId> {
    let make = |number| {
        let document = machine.create_with([number; 16]);
        machine.sync();
        document
    };
    (0..count).map(make).collect()
}

/// As many as one likes, made at once.
fn many(machine: &mut Machine, count: u16) -> Vec<DocumentId> {
    let make = |number: u16| {
        let mut nonce = [0; 16];
        nonce[..2].copy_from_slice(&number.to_be_bytes());
        machine.create_with(nonce)
    };
    let all = (0..count).map(make).collect();
    machine.sync();
    all
}

fn is_open(machine: &Machine, document: DocumentId) -> bool {
    machine.engine.documents().is_open(&document)
}

fn open(machine: &mut Machine, document: DocumentId) {
    machine.effects.clear();
    machine.command(Command::Open(document));
    let is_open = |effect: &Effect| matches!(effect, Effect::Reply { reply: Ok(Reply::Document(_)), .. });
    assert!(machine.effects.iter().any(is_open), "{:?}", machine.effects);
}

/// Writes into a document while a handle is on it, and lets go of the handle when it is durable.
fn write(machine: &mut Machine, document: DocumentId, text: &str) {
    let pin = machine.engine.documents().pin(document);
    open(machine, document);
    machine.write(document, text);
    machine.sync();
    drop(pin);
    machine.give(Input::Wake);
}

fn read(machine: &mut Machine, document: DocumentId) -> String {
    let _pin = machine.engine.documents().pin(document);
    open(machine, document);
    machine.text(document)
}

#[test]
fn of_documents_that_nobody_holds_those_are_closed_first_that_were_not_used_for_longest() {
    // Room for two empty ones.
    let mut machine = Machine::with_memory(1, 40 << 10);
    let all = documents(&mut machine, 3);
    assert_eq!(all.iter().map(|id| is_open(&machine, *id)).collect::<Vec<_>>(), [false, true, true]);
    open(&mut machine, all[1]);
    machine.text(all[1]);
    open(&mut machine, all[0]);
    assert_eq!(all.iter().map(|id| is_open(&machine, *id)).collect::<Vec<_>>(), [true, true, false]);
}

#[test]
fn a_document_is_not_closed_while_a_handle_is_on_it() {
    let mut machine = Machine::with_memory(1, NONE);
    let document = documents(&mut machine, 1)[0];
    assert!(!is_open(&machine, document));
    let (pin, again) = (machine.engine.documents().pin(document), machine.engine.documents().pin(document));
    open(&mut machine, document);
    drop(pin);
    machine.give(Input::Wake);
    assert!(is_open(&machine, document));
    drop(again);
    machine.give(Input::Wake);
    assert!(!is_open(&machine, document));
}

#[test]
fn a_document_is_not_closed_before_all_of_it_is_durable() {
    let mut machine = Machine::with_memory(1, NONE);
    let document = machine.create();
    assert!(is_open(&machine, document), "it is not in the store yet");
    machine.sync();
    let pin = machine.engine.documents().pin(document);
    open(&mut machine, document);
    machine.write(document, "one ");
    // A second edit waits while the first is on its way.
    machine.write(document, "two");
    drop(pin);
    machine.give(Input::Wake);
    assert!(is_open(&machine, document));
    machine.sync();
    assert!(!is_open(&machine, document));
    assert_eq!(read(&mut machine, document), "one two");
}

#[test]
fn a_document_that_was_closed_is_opened_the_same_and_goes_on_in_its_session() {
    let (mut small, mut large) = (Machine::with_memory(1, NONE), Machine::new(1));
    let document = documents(&mut small, 1)[0];
    assert_eq!(documents(&mut large, 1)[0], document);
    for number in 0..35 {
        write(&mut small, document, &format!("{number} "));
        write(&mut large, document, &format!("{number} "));
        // It is closed when its picture is stored, if one is due.
        small.sync();
        assert!(!is_open(&small, document) && is_open(&large, document));
    }
    let text = read(&mut large, document);
    assert_eq!(read(&mut small, document), text);
    let sessions = |machine: &mut Machine| {
        let _pin = machine.engine.documents().pin(document);
        open(machine, document);
        machine.heads(document).len()
    };
    assert_eq!((sessions(&mut small), sessions(&mut large)), (1, 1));
    assert_eq!(small.rows(Table::Sessions).len(), 1);
}

/// Two nodes that share a document and hold the same; the first has no memory to spare.
fn pair() -> (Machine, Machine, DocumentId) {
    let (mut one, mut other) = (Machine::with_memory(1, NONE), Machine::new(2));
    let document = other.create();
    other.sync();
    one.join(document, &other);
    one.connected(1, &other, true);
    other.connected(1, &one, false);
    settle(&mut one, &mut other);
    (one, other, document)
}

fn settle(one: &mut Machine, other: &mut Machine) {
    for _ in 0..4 {
        exchange(1, one, other);
        one.sync();
        other.sync();
    }
}

#[test]
fn a_closed_document_follows_its_peers_and_its_listeners_are_told() {
    let (mut one, mut other, document) = pair();
    assert!(!is_open(&one, document), "both hold the same, and nobody uses it");
    other.write(document, "hello");
    other.sync();
    one.effects.clear();
    settle(&mut one, &mut other);
    let is_told = |effect: &Effect| matches!(effect, Effect::Changed { document: of, .. } if *of == document);
    assert!(one.effects.iter().any(is_told));
    assert!(!is_open(&one, document));
    assert_eq!(read(&mut one, document), "hello");
    let state = other.engine.documents().look(&document, |insight| insight.state.peers[&one.node].state.clone());
    assert_eq!(state.unwrap(), PeerState::Same);
}

#[test]
fn an_edit_of_a_document_that_was_closed_reaches_its_peers() {
    let (mut one, mut other, document) = pair();
    for text in ["one ", "two ", "three"] {
        write(&mut one, document, text);
        settle(&mut one, &mut other);
        assert!(!is_open(&one, document));
    }
    assert_eq!(other.text(document), "one two three");
    let _pin = one.engine.documents().pin(document);
    open(&mut one, document);
    let state = one.engine.documents().look(&document, |insight| insight.state.peers[&other.node].state.clone());
    assert_eq!(state.unwrap(), PeerState::Same, "how it stands is known again when it is open");
}

#[test]
fn a_closed_document_is_served_to_a_peer_that_comes() {
    let mut machine = Machine::with_memory(1, NONE);
    let document = documents(&mut machine, 1)[0];
    write(&mut machine, document, "here");
    let mut reader = Machine::new(2);
    reader.join(document, &machine);
    reader.connected(1, &machine, true);
    machine.connected(1, &reader, false);
    settle(&mut reader, &mut machine);
    assert_eq!(reader.text(document), "here");
    assert!(!is_open(&machine, document));
}

#[test]
fn a_document_is_not_closed_while_its_picture_is_on_its_way_to_the_disk() {
    let mut machine = Machine::with_memory(1, NONE);
    let document = documents(&mut machine, 1)[0];
    let pin = machine.engine.documents().pin(document);
    open(&mut machine, document);
    for _ in 0..20 {
        machine.write(document, "word ");
        machine.sync_once();
    }
    drop(pin);
    machine.give(Input::Wake);
    while machine.rows(Table::Snapshots).is_empty() {
        assert!(is_open(&machine, document));
        assert!(machine.sync_once(), "no picture is stored");
    }
    machine.sync();
    assert!(!is_open(&machine, document));
    assert_eq!(read(&mut machine, document), "word ".repeat(20));
}

#[test]
fn what_waits_for_a_document_to_be_opened_is_dealt_with_in_order_and_bounded() {
    let (mut one, mut other, document) = pair();
    one.is_slow = true;
    let mut told = Vec::new();
    for number in 0..40 {
        other.write(document, &format!("{number} "));
        other.sync();
        told.extend(other.sent(1));
    }
    told.iter().for_each(|message| one.receive(1, message));
    assert!(!is_open(&one, document));
    one.read_all();
    settle(&mut one, &mut other);
    assert_eq!(read(&mut one, document), other.text(document));

    one.is_slow = true;
    one.give(Input::Wake);
    assert!(!is_open(&one, document));
    let topic = told.iter().find_map(|message| match message {
        Message::Envelope(topic, _) => Some(*topic),
        _ => None,
    });
    let head = Head { author: [1; 32], session: 1, seq: 1, link: [1; 32] };
    let heads = Message::Heads(topic.unwrap(), Heads::all(vec![head; HEADS_MAX]));
    let most = (8 << 20) / (HEADS_MAX * size_of::<Head>());
    for _ in 0..most {
        one.receive(1, &heads);
        assert!(!one.has_closed(1));
    }
    one.receive(1, &heads);
    assert!(one.has_closed(1));
}

#[test]
fn thousands_of_documents_are_listed_and_found_by_name_without_one_being_read() {
    let mut machine = Machine::with_memory(1, NONE);
    let all = many(&mut machine, 2000);
    machine.command(Command::Name(all[7], "the eighth".to_owned()));
    machine.sync();
    let mut again = machine.restarted();
    again.is_slow = true;
    again.give(Input::Wake);
    let mut listed: Vec<DocumentId> = again.engine.catalog().list().iter().map(|entry| entry.id).collect();
    listed.sort_unstable();
    let mut made = all.clone();
    made.sort_unstable();
    assert_eq!(listed, made);
    assert_eq!(again.engine.catalog().named("the eighth"), Some(all[7]));
    assert_eq!((again.reads_waiting(), again.engine.documents().open_bytes()), (0, 0));
}

#[test]
fn of_the_documents_that_a_peer_shares_some_are_opened_at_a_time() {
    let mut machine = Machine::with_memory(1, NONE);
    let other = Machine::new(2);
    for document in documents(&mut machine, 100) {
        machine.join(document, &other);
        machine.sync();
    }
    let mut again = machine.restarted();
    again.is_slow = true;
    again.connected(1, &other, true);
    assert_eq!(again.reads_waiting(), 32);
    again.read_all();
    let asked = again.sent(1).iter().filter(|message| matches!(message, Message::Interest(_))).count();
    assert_eq!(asked, 100, "all are opened in the end");
}
