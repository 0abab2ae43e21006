//! Refused, pending, owed: what is kept of others' changes that cannot be taken in, for how long, and at whose cost.

use pistol_core::change::{Action, Op, Place, Scalar};
use pistol_core::document::Document;
use pistol_core::id::{ChangeId, DocumentId};
use pistol_engine::{DocumentState, Input};
use pistol_sync::proto::message::{Heads, Interest, Message, Scope};

use crate::machine::{Machine, exchange, pair};
use crate::stranger::Stranger;

const NOWHERE: ChangeId = ChangeId([0xee; 32]);

fn state(machine: &Machine, document: DocumentId) -> DocumentState {
    machine.engine.documents().look(&document, |insight| insight.state.clone()).unwrap()
}

fn is_known(machine: &Machine, document: DocumentId, id: &ChangeId) -> bool {
    let look = |insight: pistol_engine::Insight<'_>| insight.document.history().ordinal(id).is_some();
    machine.engine.documents().look(&document, look).unwrap()
}

/// A node whose document two peers follow, on connections 1 and 2.
fn served() -> (Machine, DocumentId, [Machine; 2]) {
    let (one, mut other, document) = pair();
    let third = Machine::new(3);
    other.connected(2, &third, false);
    let scope = Scope::Document(document.0);
    let interest = Interest { topic: 0, scope, proof: None, wants_genesis: false, extensions: vec![] };
    let hello = one_hello(&mut Machine::new(3));
    for message in [hello, Message::Interest(interest), Message::Heads(0, Heads::all(vec![]))] {
        other.receive(2, &message);
    }
    (other, document, [one, third])
}

fn one_hello(machine: &mut Machine) -> Message {
    let peer = Machine::new(4);
    machine.connected(9, &peer, true);
    machine.sent(9).remove(0)
}

/// Gives a node chains of 1,000 changes each, which all wait for one that nobody has.
fn flood(machine: &mut Machine, connection: u64, stranger: &Stranger, chains: u64) {
    for session in 0..chains {
        machine.receive(connection, &stranger.honest(&stranger.chain(session, 1000, vec![NOWHERE])));
    }
}

#[test]
fn a_bad_signature_under_a_good_id_keeps_nobody_out() {
    let (mut one, _, document) = pair();
    let stranger = Stranger::new(7, document);
    let change = stranger.chain(1, 1, vec![]);
    for _ in 0..3 {
        one.receive(1, &stranger.record(stranger.root(1), &change, |tip| tip.signature.0[0] ^= 1));
    }
    assert!(!is_known(&one, document, &change[0].id()));
    one.receive(1, &stranger.honest(&change));
    assert!(is_known(&one, document, &change[0].id()));
}

#[test]
fn a_refused_record_counts_again_each_time_it_is_sent() {
    let (mut one, _, document) = pair();
    let stranger = Stranger::new(7, document);
    let bad = stranger.record(stranger.root(1), &stranger.chain(1, 1, vec![]), |tip| tip.signature.0[0] ^= 1);
    for count in 1..=32 {
        assert!(!one.has_closed(1));
        one.receive(1, &bad);
        assert_eq!(state(&one, document).refusals.values().sum::<u64>(), count);
    }
    assert!(one.has_closed(1));
}

#[test]
fn a_record_sent_for_another_document_is_not_refused_in_its_own() {
    let (mut one, mut other, document) = pair();
    let second = other.create();
    other.sync();
    one.join(second, &other);
    exchange(1, &mut one, &mut other);
    let stranger = Stranger::new(7, document);
    let change = stranger.chain(1, 1, vec![]);
    let Message::Envelope(_, bytes) = stranger.honest(&change) else { unreachable!() };
    one.receive(1, &Message::Envelope(2, bytes.clone()));
    assert!(!is_known(&one, document, &change[0].id()));
    one.receive(1, &Message::Envelope(0, bytes));
    assert!(is_known(&one, document, &change[0].id()));
}

#[test]
fn dependents_of_a_refused_change_are_refused_whichever_came_first() {
    for is_first_last in [false, true] {
        let (mut one, _, document) = pair();
        let stranger = Stranger::new(7, document);
        let mut bad = stranger.chain(1, 1, vec![]).remove(0);
        bad.time_ms = u64::MAX;
        let dependent = stranger.chain(2, 1, vec![bad.id()]);
        let mut records = [stranger.honest(&[bad]), stranger.honest(&dependent)];
        records.rotate_left(usize::from(is_first_last));
        records.iter().for_each(|record| one.receive(1, record));
        assert_eq!(state(&one, document).refusals.len(), 2, "{:?}", state(&one, document).refusals);
        assert_eq!(state(&one, document).waiting, 0);
    }
}

#[test]
fn a_flood_of_changes_that_wait_takes_nothing_from_another_peer() {
    let (mut node, document, _) = served();
    let honest = Stranger::new(8, document);
    let [first, second] = honest.chain(1, 2, vec![]).try_into().unwrap();
    let later = honest.record(honest.root(1).then(&first.id()), std::slice::from_ref(&second), |_| {});
    node.receive(2, &later);
    flood(&mut node, 1, &Stranger::new(7, document), 12);
    let waiting = state(&node, document).waiting;
    assert!((5_000..=10_001).contains(&waiting), "{waiting}");
    node.receive(2, &honest.honest(&[first]));
    assert!(is_known(&node, document, &second.id()), "what the honest peer sent was pushed out");
}

#[test]
fn what_a_flooder_sent_first_and_pushes_out_stays_in_the_share_of_who_sent_it_too() {
    let (mut node, document, _) = served();
    let honest = Stranger::new(8, document);
    let changes = honest.chain(1, 900, vec![]);
    let later = honest.record(honest.root(1).then(&changes[0].id()), &changes[1..], |_| {});
    node.receive(1, &later);
    node.receive(2, &later);
    flood(&mut node, 1, &Stranger::new(7, document), 40);
    node.receive(2, &honest.honest(&changes[..1]));
    assert!(is_known(&node, document, &changes[899].id()), "what the honest peer sent was pushed out");
}

#[test]
fn the_state_says_what_is_waited_for() {
    let (mut one, _, document) = pair();
    let stranger = Stranger::new(7, document);
    one.receive(1, &stranger.honest(&stranger.chain(1, 1, vec![NOWHERE])));
    one.receive(1, &stranger.honest(&stranger.chain(2, 1, vec![NOWHERE])));
    assert_eq!((state(&one, document).waiting, state(&one, document).waits_for), (2, vec![(NOWHERE, 2)]));
}

#[test]
fn what_had_no_room_is_owed_across_a_restart_until_both_hold_the_same() {
    let (mut node, document, [mut peer, _]) = served();
    flood(&mut node, 1, &Stranger::new(7, document), 12);
    node.sync();
    assert_eq!(state(&node, document).owed, [peer.node].into());
    let mut node = node.restarted();
    peer.give(Input::Disconnected { connection: 1, reason: String::new() });
    node.connected(3, &peer, false);
    let told = node.sent(3);
    assert!(told.iter().any(|message| matches!(message, Message::Interest(_))), "{told:?}");
    peer.connected(3, &node, true);
    told.iter().for_each(|message| peer.receive(3, message));
    exchange(3, &mut node, &mut peer);
    node.sync();
    assert!(state(&node, document).owed.is_empty());
    assert!(!node.restarted().asks_by_itself(&peer), "the row is still there");
}

#[test]
fn a_record_of_a_later_version_is_owed_and_nobody_is_blamed() {
    let (mut one, other, document) = pair();
    for number in 0..100 {
        one.receive(1, &Message::Envelope(0, vec![2, number]));
    }
    one.sync();
    assert!(!one.has_closed(1));
    assert_eq!(state(&one, document).owed, [other.node].into());
    let waiting = |message: &Message| match message {
        Message::Acknowledge(acknowledge) => Some((acknowledge.count, acknowledge.waiting)),
        _ => None,
    };
    assert_eq!(one.sent(1).iter().filter_map(waiting).next_back(), Some((100, 100)));
}

/// A thousand changes at one place of one chain, one after the other, into a document of many changes.
#[test]
fn forks_that_come_one_at_a_time_are_taken_in_together() {
    let (_, mut one, document) = pair();
    let stranger = Stranger::new(7, document);
    (0..5).for_each(|session| one.receive(1, &stranger.honest(&stranger.chain(session, 1000, vec![]))));
    one.sync();
    let mut rebuilds = 0;
    let rebuilt = |one: &Machine| one.engine.documents().look(&document, |i| i.document.rebuilt()).unwrap();
    let mut before = rebuilt(&one);
    for number in 0..1000 {
        let mut fork = stranger.chain(0, 1, vec![]);
        fork[0].time_ms = 2 + number;
        one.receive(1, &stranger.honest(&fork));
        one.sync();
        one.now_ms += 1;
        rebuilds += usize::from(rebuilt(&one) != before);
        before = rebuilt(&one);
    }
    assert!((1..=3).contains(&rebuilds), "everything was made anew {rebuilds} times");
    assert!(state(&one, document).branches_waiting > 0);
    let mut rounds = 0;
    while state(&one, document).branches_waiting > 0 {
        one.now_ms = one.engine.deadline_ms().unwrap().max(one.now_ms + 1);
        one.give(Input::Wake);
        rounds += 1;
    }
    assert!((30..100).contains(&rounds), "{rounds} times some were taken in");
    let changes = one.engine.documents().look(&document, |insight| insight.document.history().next()).unwrap();
    assert_eq!(changes, 6001);
}

/// Thousands of authors, or sessions of one, with a change each.
#[test]
fn chains_that_come_in_crowds_are_taken_in_together_and_those_of_who_sends_little_first() {
    let (mut served, document, [mut honest, _]) = served();
    let stranger = Stranger::new(7, document);
    let chains = |one: &Machine| one.heads(document).len();
    for begin in (0..1000).step_by(10) {
        served.receive(2, &stranger.chains(begin..begin + 10));
        served.sync();
        served.now_ms += 1;
    }
    let taken = chains(&served);
    assert!((5..300).contains(&taken), "{taken} chains were taken in within 100 ms");
    assert!(state(&served, document).branches_waiting > 700);
    // Who comes now and then is taken in with the next ones, before thousands that came earlier.
    honest.write(document, "mine");
    honest.sync();
    exchange(1, &mut honest, &mut served);
    let author = honest.heads(document)[0].author;
    let is_taken = |served: &Machine| served.heads(document).iter().any(|head| head.author == author);
    let mut rounds = 0;
    while state(&served, document).branches_waiting > 0 {
        served.sync();
        let before = chains(&served);
        served.now_ms = served.engine.deadline_ms().unwrap().max(served.now_ms + 1);
        served.give(Input::Wake);
        assert!(chains(&served) - before <= 32);
        rounds += 1;
        assert!(is_taken(&served), "it waits in round {rounds}");
    }
    assert_eq!(chains(&served), 1001);
    assert_eq!(served.text(document), "mine");
}

/// A change of its own chain that puts so many values into the document's own map.
fn puts(stranger: &Stranger, session: u64, count: usize) -> Message {
    let mut change = stranger.chain(session, 1, vec![]);
    let put = |number: usize| Op {
        object: None,
        place: Place::Key(format!("{session}")),
        action: Action::Put(Scalar::Uint(number as u64)),
        pred: vec![],
    };
    change[0].ops = (0..count).map(put).collect();
    stranger.honest(&change)
}

fn is_shown(machine: &Machine, document: DocumentId, session: u64) -> bool {
    machine.engine.documents().read(&document, |content| content.values(&session.to_string()).len()).unwrap() > 0
}

#[test]
fn a_change_costs_a_walk_of_what_it_touches_and_not_of_the_document() {
    let (mut one, _, document) = pair();
    one.write(document, &"x".repeat(30_000));
    one.sync();
    let walk = |document: &Document| document.walked() - document.rebuilt();
    let walked = |one: &Machine| one.engine.documents().look(&document, |i| walk(i.document)).unwrap();
    let before = walked(&one);
    one.receive(1, &puts(&Stranger::new(7, document), 1, 1));
    assert!(is_shown(&one, document, 1));
    assert!((1..10).contains(&(walked(&one) - before)), "{}", walked(&one) - before);
}

#[test]
fn many_operations_at_once_keep_no_later_change_from_being_shown() {
    let (mut one, _, document) = pair();
    let stranger = Stranger::new(7, document);
    one.write(document, "text");
    one.sync();
    one.receive(1, &puts(&stranger, 1, 30_000));
    assert!(is_shown(&one, document, 1));
    assert_eq!(one.engine.take_typed_us(), 0, "whoever sent it rests for it");
    one.receive(1, &puts(&stranger, 2, 1));
    assert!(is_shown(&one, document, 2), "it waits for what a flood cost");
}

#[test]
fn few_operations_in_a_large_object_are_shown_with_rests() {
    let (mut one, _, document) = pair();
    let stranger = Stranger::new(7, document);
    one.write(document, "text");
    one.sync();
    one.receive(1, &puts(&stranger, 1, 30_000));
    one.receive(1, &puts(&stranger, 2, 1));
    assert_eq!(one.engine.take_typed_us(), 6_000, "30,000 operations are walked in 6 ms");
    one.receive(1, &puts(&stranger, 3, 1));
    assert!(!is_shown(&one, document, 3));
    assert_eq!(one.engine.deadline_ms(), Some(one.now_ms + 24));
    one.now_ms += 24;
    one.give(Input::Wake);
    assert!(is_shown(&one, document, 3));
}

#[test]
fn a_stranger_who_follows_and_tells_nothing_keeps_no_new_document_from_being_shown() {
    for tells in [false, true] {
        let (mut one, mut other, document) = pair();
        let stranger = Machine::new(9);
        other.connected(2, &stranger, false);
        let scope = Scope::Document(document.0);
        let interest = Interest { topic: 0, scope, proof: None, wants_genesis: false, extensions: vec![] };
        other.receive(2, &one_hello(&mut Machine::new(9)));
        other.receive(2, &Message::Interest(interest));
        if tells {
            other.receive(2, &Message::Heads(0, Heads::all(vec![])));
        }
        one.write(document, "at once");
        one.sync();
        exchange(1, &mut one, &mut other);
        assert_eq!(other.text(document), "at once", "the stranger tells its heads: {tells}");
    }
}
