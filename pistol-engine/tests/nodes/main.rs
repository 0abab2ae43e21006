//! Two nodes, step by step: what each says at the moments that chance rarely meets.

#![allow(missing_docs, unreachable_pub)]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod closing;
mod damage;
mod forgetting;
mod heads;
mod invites;
mod keys;
mod logs;
mod machine;
mod members;
mod orders;
mod snapshots;
mod spaces;
mod states;
mod stranger;
mod unread;
mod wires;

use machine::{Machine, exchange, pair};
use pistol_core::change::Change;
use pistol_core::id::{ChangeId, DocumentId, Link};
use pistol_engine::{Command, Effect, Input, Now, PeerState};
use pistol_sync::proto::message::{Acknowledge, Head, Heads, Interest, Message, Scope};
use stranger::Stranger;

fn envelopes(messages: &[Message]) -> usize {
    messages.iter().filter(|message| matches!(message, Message::Envelope(..))).count()
}

#[test]
fn an_edit_on_one_node_is_read_on_the_other() {
    let (mut one, mut other, document) = pair();
    one.write(document, "hello");
    one.sync();
    exchange(1, &mut one, &mut other);
    assert_eq!(other.text(document), "hello");
    other.sync();
    exchange(1, &mut one, &mut other);
    let state = one.engine.documents().look(&document, |insight| insight.state.peers[&other.node].state.clone());
    assert_eq!(state.unwrap(), PeerState::Same);
}

#[test]
fn an_edit_is_neither_sent_nor_told_of_before_it_is_durable() {
    let (mut one, mut other, document) = pair();
    one.give(Input::Disconnected { connection: 1, reason: String::new() });
    other.give(Input::Disconnected { connection: 1, reason: String::new() });
    one.write(document, "not yet");
    one.connected(2, &other, true);
    other.connected(2, &one, false);
    let told = exchange(2, &mut one, &mut other);
    assert_eq!(envelopes(&told), 0);
    let is_told = |message: &Message| matches!(message, Message::Heads(_, heads) if !heads.ends.is_empty());
    assert!(!told.iter().any(is_told), "{told:?}");
    one.sync();
    assert_eq!(envelopes(&exchange(2, &mut one, &mut other)), 1);
    assert_eq!(other.text(document), "not yet");
}

#[test]
fn a_document_is_not_served_before_it_is_durable() {
    let (mut one, mut other) = (Machine::new(1), Machine::new(2));
    let document = other.create();
    one.join(document, &other);
    one.connected(1, &other, true);
    other.connected(1, &one, false);
    let is_follow = |message: &Message| matches!(message, Message::Follow(_));
    assert!(!exchange(1, &mut one, &mut other).iter().any(is_follow));
    other.sync();
    assert!(exchange(1, &mut one, &mut other).iter().any(is_follow));
}

#[test]
fn when_both_sides_ask_for_a_document_it_is_followed_once() {
    let (mut one, mut other, document) = pair();
    other.join(document, &one);
    other.sync();
    one.give(Input::Disconnected { connection: 1, reason: String::new() });
    other.give(Input::Disconnected { connection: 1, reason: String::new() });
    one.connected(2, &other, true);
    other.connected(2, &one, false);
    let told = exchange(2, &mut one, &mut other);
    assert_eq!(told.iter().filter(|message| matches!(message, Message::Interest(_))).count(), 2);
    assert_eq!(told.iter().filter(|message| matches!(message, Message::Follow(_))).count(), 1);
    one.write(document, "once");
    one.sync();
    assert_eq!(envelopes(&exchange(2, &mut one, &mut other)), 1);
}

#[test]
fn an_acknowledgement_tells_of_changes_that_wait_for_others() {
    let (mut one, mut other, document) = pair();
    one.write(document, "first ");
    one.sync();
    one.write(document, "second");
    one.sync();
    let sent = one.sent(1);
    assert_eq!(envelopes(&sent), 2);
    let waiting = |messages: Vec<Message>| {
        messages.into_iter().find_map(|message| match message {
            Message::Acknowledge(acknowledge) => Some((acknowledge.count, acknowledge.waiting)),
            _ => None,
        })
    };
    other.receive(1, &sent[1]);
    other.sync();
    assert_eq!(waiting(other.sent(1)), Some((1, 1)));
    other.receive(1, &sent[0]);
    other.sync();
    assert_eq!(waiting(other.sent(1)), Some((2, 0)));
    assert_eq!(other.text(document), "first second");
}

#[test]
fn heads_told_again_end_what_was_said_to_wait() {
    let (mut one, other, document) = pair();
    one.write(document, "text");
    one.sync();
    let sent = one.sent(1);
    assert_eq!(envelopes(&sent), 1);
    let acknowledge = Acknowledge { topic: 0, count: 1, waiting: 1, refused: vec![] };
    one.receive(1, &Message::Acknowledge(acknowledge));
    let state = |one: &Machine| {
        one.engine.documents().look(&document, |insight| insight.state.peers[&other.node].state.clone()).unwrap()
    };
    assert!(matches!(state(&one), PeerState::Sending(_)), "{:?}", state(&one));
    let heads = one.heads(document);
    one.receive(1, &Message::Heads(0, Heads::all(heads)));
    assert_eq!(state(&one), PeerState::Same);
}

/// Makes a text large, and lets the other rest from showing it.
fn write_much(one: &mut Machine, other: &mut Machine, document: DocumentId) {
    for _ in 0..5 {
        one.write(document, &"large ".repeat(2000));
        one.sync();
        exchange(1, one, other);
    }
    for _ in 0..2 {
        other.now_ms += 1000;
        other.give(Input::Wake);
    }
    other.effects.clear();
}

/// Both write before either hears of the other.
fn write_apart(one: &mut Machine, other: &mut Machine, document: DocumentId, text: &str) {
    for machine in [&mut *one, &mut *other] {
        machine.write(document, text);
        machine.sync();
    }
    exchange(1, one, other);
}

#[test]
fn what_is_typed_at_the_same_time_into_a_large_text_is_shown_with_rests_in_between() {
    let (mut one, mut other, document) = pair();
    write_much(&mut one, &mut other, document);
    assert_eq!(other.text(document).len(), 60_000);
    write_apart(&mut one, &mut other, document, "a");
    assert!(other.text(document).ends_with("aa"));
    write_apart(&mut one, &mut other, document, "b");
    assert!(!other.text(document).ends_with("bb"), "it is shown without a rest");
    let due_ms = other.engine.deadline_ms().unwrap();
    assert!((2010..3000).contains(&due_ms), "{due_ms}");
    other.now_ms = due_ms;
    other.give(Input::Wake);
    assert!(other.text(document).ends_with("bb"));
}

#[test]
fn a_keystroke_into_a_large_text_is_shown_at_once() {
    let (mut one, mut other, document) = pair();
    write_much(&mut one, &mut other, document);
    for letter in ["x", "y", "z"] {
        one.write(document, letter);
        one.sync();
        exchange(1, &mut one, &mut other);
        assert!(other.text(document).ends_with(letter));
        let is_changed = |effect: &Effect| matches!(effect, Effect::Changed { is_own: false, .. });
        assert!(other.effects.iter().any(is_changed));
        other.effects.clear();
    }
}

#[test]
fn a_document_that_is_new_is_shown_whole() {
    let (mut one, mut other) = (Machine::new(1), Machine::new(2));
    let document = other.create();
    (0..3).for_each(|_| other.write(document, "text "));
    other.sync();
    one.join(document, &other);
    one.connected(1, &other, true);
    other.connected(1, &one, false);
    let mut waits = 0;
    for _ in 0..20 {
        for message in one.sent(1) {
            other.receive(1, &message);
        }
        for message in other.sent(1) {
            one.receive(1, &message);
            let shown = one.engine.documents().read(&document, |content| content.text("text").to_string());
            waits += usize::from(shown.as_deref() == Ok(""));
            assert!(matches!(shown.as_deref().unwrap_or(""), "" | "text text text "));
        }
        one.sync();
    }
    assert!(waits > 0);
    assert_eq!(one.text(document), "text text text ");
}

#[test]
fn heads_of_chains_that_nobody_has_change_nothing_whether_their_authors_are_keys_or_not() {
    let (mut one, mut other, document) = pair();
    let head = |number: u16| {
        let author =
            std::array::from_fn(|at| if at % 2 == 0 { number.to_le_bytes()[0] } else { number.to_le_bytes()[1] });
        Head { author, session: 1, seq: u64::MAX, link: [7; 32] }
    };
    one.receive(1, &Message::Heads(0, Heads::all((0..8192).map(head).collect())));
    assert!(one.sent(1).iter().all(|message| !matches!(message, Message::Locate(_))));
    let heads = other.heads(document);
    one.receive(1, &Message::Heads(0, Heads::all(heads)));
    one.write(document, "mine");
    one.sync();
    exchange(1, &mut one, &mut other);
    assert_eq!(other.text(document), "mine");
}

#[test]
fn a_topic_that_is_left_gives_its_share_of_the_window_back() {
    let (_one, mut other, document) = pair();
    let mut noise = 1u64;
    for number in 0..6 {
        let mut next = || {
            noise = noise.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            noise.to_be_bytes()[0]
        };
        let bytes: Vec<u8> = (0..900_000).map(|_| next()).collect();
        let now = pistol_engine::Now { steady_ms: 0, wall_ms: 0 };
        other.engine.documents().edit(&document, now, None, |edit| edit.put(&number.to_string(), bytes)).unwrap();
        other.give(Input::Wake);
        other.sync();
    }
    let sent = envelopes(&other.sent(1));
    assert!((1..6).contains(&sent), "the window let {sent} through");
    let scope = Scope::Document(document.0);
    let interest = Interest { topic: 2, scope, proof: None, wants_genesis: false, extensions: vec![] };
    for message in [Message::Leave(0), Message::Interest(interest), Message::Heads(2, Heads::all(vec![]))] {
        other.receive(1, &message);
    }
    assert_eq!(envelopes(&other.sent(1)), sent);
}

#[test]
fn a_dial_that_fails_after_the_peer_came_by_itself_changes_nothing() {
    let (mut one, other, document) = pair();
    let peer = other.node;
    one.give(Input::DialFailed { peer, reason: "late".to_owned() });
    let state = one.engine.documents().look(&document, |insight| insight.state.peers[&peer].state.clone());
    assert_eq!(state.unwrap(), PeerState::Same);
    assert_eq!(one.engine.deadline_ms(), None);
}

#[test]
fn of_two_connections_dialled_at_the_same_time_the_lower_nodes_stays() {
    let (mut one, other, _) = pair();
    one.connected(2, &other, false);
    assert!(one.has_closed(2) && !one.has_closed(1));
}

#[test]
fn a_connection_that_stood_long_gives_way_to_a_new_one() {
    let (mut one, other, _) = pair();
    one.now_ms = 60_000;
    one.connected(2, &other, false);
    assert!(one.has_closed(1) && !one.has_closed(2));
}

#[test]
fn a_connected_peer_that_did_not_have_a_document_is_asked_again() {
    let (mut one, mut other, document) = pair();
    let mut third = Machine::new(3);
    one.join(document, &third);
    one.connected(3, &third, true);
    third.connected(3, &one, false);
    exchange(3, &mut one, &mut third);
    third.join(document, &other);
    third.connected(4, &other, true);
    other.connected(4, &third, false);
    exchange(4, &mut third, &mut other);
    third.sync();
    exchange(4, &mut third, &mut other);
    one.now_ms = one.engine.deadline_ms().unwrap();
    one.give(Input::Wake);
    let told = exchange(3, &mut one, &mut third);
    assert!(told.iter().any(|message| matches!(message, Message::Follow(_))), "{told:?}");
}

/// A change of one author's after an unknown one, once at its right place of the chain and once at a wrong one.
#[test]
fn a_waiting_change_at_a_wrong_place_does_not_keep_the_right_one_out() {
    let (mut one, _, document) = pair();
    let stranger = Stranger::new(7, document);
    let [first, second] = stranger.chain(1, 2, vec![]).try_into().unwrap();
    let root = stranger.root(1);
    let record = |base: Link, change: &Change| stranger.record(base, std::slice::from_ref(change), |_| {});
    one.receive(1, &record(Link([7; 32]), &second));
    one.receive(1, &record(root.then(&first.id()), &second));
    one.receive(1, &record(root, &first));
    let is_known = |id: &ChangeId| {
        one.engine.documents().look(&document, |insight| insight.document.history().ordinal(id).is_some()).unwrap()
    };
    assert!(is_known(&first.id()));
    assert!(is_known(&second.id()), "the right record was not kept");
}

/// So many heads that an edit merges some first; then the edit fails, and somebody else's change comes in.
#[test]
fn merges_made_for_an_edit_that_failed_are_stored_in_their_place() {
    for is_sealed_between in [false, true] {
        let (mut one, _, document) = pair();
        let stranger = Stranger::new(7, document);
        for session in 1..=70 {
            one.receive(1, &stranger.honest(&stranger.chain(session, 1, vec![])));
            one.sync();
        }
        let failed =
            one.engine.documents().edit(&document, Now::default(), None, |edit| edit.text("body").delete(5, 1));
        assert!(failed.is_err());
        if is_sealed_between {
            one.give(Input::Wake);
            one.sync();
        }
        one.receive(1, &stranger.honest(&stranger.chain(71, 1, vec![])));
        one.write(document, "x");
        one.sync();
        let heads = one.heads(document);
        let mut again = one.restarted();
        again.command(Command::Open(document));
        again.sync();
        assert_eq!(again.text(document), "x");
        assert_eq!(again.heads(document), heads);
    }
}

#[test]
fn a_change_tells_the_second_and_nothing_of_how_fast_somebody_types() {
    let (mut one, _, document) = pair();
    for now_ms in [5000, 5099, 5237, 5999, 6000, 7401] {
        one.now_ms = now_ms;
        one.write(document, "x");
        one.sync();
    }
    let times =
        |insight: pistol_engine::Insight<'_>| insight.document.log().iter().map(|entry| entry.time_ms).collect();
    let told: Vec<u64> = one.engine.documents().look(&document, times).unwrap();
    assert_eq!(told, [5000, 5000, 5000, 5000, 6000, 7000]);
}
