//! The key tables of connections.

use pistol_core::id::DocumentId;
use pistol_core::key::AuthorKey;
use pistol_engine::{Effect, Input};
use pistol_sync::limits::FRAME_BYTES_MAX;
use pistol_sync::node::NodeId;
use pistol_sync::proto::keys::{KNOWS_NAMED_KEYS, KeysHeard, KeysTold, NAMED_KEYS};
use pistol_sync::proto::message::{Heads, Hello, Interest, Message, Scope, VERSIONS};

use crate::machine::{Machine, pair};

/// The frames that wait to be sent on a connection, as they are.
fn frames(machine: &mut Machine, on: u64) -> Vec<Vec<u8>> {
    let frame = |effect: &Effect| match effect {
        Effect::Send { connection, frame } if *connection == on => Some(frame.clone()),
        _ => None,
    };
    let frames = machine.effects.iter().filter_map(frame).collect();
    machine.effects.clear();
    frames
}

fn holds(frames: &[Vec<u8>], key: &[u8; 32]) -> usize {
    let count = |frame: &Vec<u8>| frame.windows(32).filter(|window| window == key).count();
    frames.iter().map(count).sum()
}

/// A peer with these features asks for a document of a node, and hears all of it.
fn follow(machine: &mut Machine, document: DocumentId, features: u64) -> Vec<Vec<u8>> {
    let peer = NodeId([9; 32]);
    machine.give(Input::Connected { connection: 7, peer, is_dialler: false, exported: [0; 32] });
    let frame_bytes_max = u32::try_from(FRAME_BYTES_MAX).unwrap();
    let (versions, epoch) = (VERSIONS.to_vec(), [9; 16]);
    let hello = Hello { versions, epoch, cursor: None, features, frame_bytes_max, extensions: vec![] };
    machine.receive(7, &Message::Hello(hello));
    let scope = Scope::Document(document.0);
    let interest = Interest { topic: 0, scope, proof: None, wants_genesis: true, extensions: vec![] };
    machine.receive(7, &Message::Interest(interest));
    machine.receive(7, &Message::Heads(0, Heads::all(vec![])));
    frames(machine, 7)
}

fn written() -> (Machine, DocumentId, [u8; 32]) {
    let (mut one, other, document) = pair();
    one.write(document, "hello");
    one.sync();
    one.effects.clear();
    drop(other);
    let author = *AuthorKey::from_seed(&one.node.0).id().as_bytes();
    (one, document, author)
}

#[test]
fn a_key_is_sent_once_on_a_connection() {
    let (mut one, document, author) = written();
    let mut all = follow(&mut one, document, KNOWS_NAMED_KEYS);
    assert!(all.iter().any(|frame| frame[0] == NAMED_KEYS));
    one.write(document, " again");
    one.sync();
    all.extend(frames(&mut one, 7));
    assert_eq!(holds(&all, &author), 1);
    let mut heard = KeysHeard::default();
    let plain: Vec<_> = all.into_iter().map(|frame| heard.whole(frame).unwrap()).collect();
    // In the heads, and in each envelope.
    assert_eq!(holds(&plain, &author), 3);
    assert!(plain.iter().all(|frame| matches!(Message::from_frame(frame), Ok(Some(_)))));
}

#[test]
fn a_peer_that_does_not_take_numbers_gets_keys() {
    let (mut one, document, author) = written();
    let all = follow(&mut one, document, 0);
    assert!(all.iter().all(|frame| frame[0] != NAMED_KEYS));
    assert_eq!(holds(&all, &author), 2);
}

#[test]
fn a_peer_that_names_a_key_which_it_had_not_told_is_hung_up_on() {
    let (mut one, mut other, document) = pair();
    one.write(document, "hello");
    one.sync();
    let mut told = KeysTold::default();
    let envelope = one.sent(1).pop().unwrap();
    told.named(envelope.to_frame());
    other.give(Input::Received { connection: 1, frame: told.named(envelope.to_frame()) });
    assert!(other.has_closed(1));
}

/// Carries frames as they are until nothing more is said; gives how often a key lay in them.
fn carry(on: u64, one: &mut Machine, other: &mut Machine, key: &[u8; 32]) -> usize {
    let mut found = 0;
    loop {
        let (from_one, from_other) = (frames(one, on), frames(other, on));
        if from_one.is_empty() && from_other.is_empty() {
            return found;
        }
        found += holds(&from_one, key);
        from_one.into_iter().for_each(|frame| other.give(Input::Received { connection: on, frame }));
        from_other.into_iter().for_each(|frame| one.give(Input::Received { connection: on, frame }));
        one.sync();
        other.sync();
    }
}

#[test]
fn each_connection_has_a_table_of_its_own() {
    let (mut one, mut other, document) = pair();
    let author = *AuthorKey::from_seed(&one.node.0).id().as_bytes();
    for connection in 2..5 {
        let before = connection - 1;
        one.give(Input::Disconnected { connection: before, reason: String::new() });
        other.give(Input::Disconnected { connection: before, reason: String::new() });
        one.connected(connection, &other, true);
        other.connected(connection, &one, false);
        let mut found = carry(connection, &mut one, &mut other, &author);
        for text in ["x", "y"] {
            one.write(document, text);
            one.sync();
            found += carry(connection, &mut one, &mut other, &author);
        }
        assert_eq!(found, 1, "on connection {connection}");
    }
    assert_eq!(other.text(document), "xyxyxy");
}
