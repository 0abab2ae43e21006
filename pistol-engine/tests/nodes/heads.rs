//! Documents with more chains than one message can tell of.

use pistol_core::id::DocumentId;
use pistol_sync::limits::HEADS_MAX;
use pistol_sync::proto::message::{Head, Heads, Message};

use crate::machine::{Machine, exchange, pair};
use crate::stranger::Stranger;

/// Chains that fit two messages, but not one.
const CHAINS: u64 = HEADS_MAX as u64 + 500;

/// A node whose document has many chains, a new one beside it, and the document.
fn crowded() -> (Machine, Machine, DocumentId) {
    let (mut one, _, document) = pair();
    let stranger = Stranger::new(7, document);
    // There is more to come, so nothing is shown yet, and chains need not come with rests.
    let more = Head { author: [9; 32], session: 1, seq: 1, link: [7; 32] };
    one.receive(1, &Message::Heads(0, Heads::all(vec![more])));
    for begin in (0..CHAINS).step_by(250) {
        one.receive(1, &stranger.chains(begin..CHAINS.min(begin + 250)));
        one.sync();
    }
    one.sent(1);
    assert_eq!(one.heads(document).len() as u64, CHAINS);
    let third = Machine::new(3);
    (one, third, document)
}

fn connect(connection: u64, one: &mut Machine, other: &mut Machine) -> Vec<Message> {
    let mut told = Vec::new();
    one.connected(connection, other, false);
    other.connected(connection, one, true);
    for _ in 0..200 {
        let sent = exchange(connection, one, other);
        one.sync();
        other.sync();
        if sent.is_empty() {
            break;
        }
        told.extend(sent);
    }
    told
}

fn count(told: &[Message], is_one: impl Fn(&Message) -> bool) -> usize {
    told.iter().filter(|message| is_one(message)).count()
}

#[test]
fn a_document_with_more_chains_than_fit_one_message_is_synced_and_then_told_apart_in_parts() {
    let (mut one, mut third, document) = crowded();
    third.join(document, &one);
    let told = connect(2, &mut one, &mut third);
    assert_eq!(
        third.heads(document).len(),
        one.heads(document).len(),
        "{:?}",
        third.engine.documents().look(&document, |i| i.state.clone())
    );
    assert!(third.heads(document) == one.heads(document));
    assert!(count(&told, |message| matches!(message, Message::MoreHeads(..))) > 0);
    // Both hold the same now: nothing but heads is told, and only once by each.
    let told = connect(3, &mut one, &mut third);
    let is_part = |message: &Message| matches!(message, Message::Heads(_, heads) if heads.ends.len() == HEADS_MAX);
    assert_eq!(count(&told, |message| matches!(message, Message::Envelope(..))), 0);
    assert!(
        count(&told, is_part) + count(&told, |message| matches!(message, Message::Follow(_))) <= 2,
        "{}",
        told.len()
    );
    assert_eq!(count(&told, |message| matches!(message, Message::Settled(..))), 2);
}

#[test]
fn heads_that_promise_more_for_ever_end_the_connection_and_late_ones_are_passed_over() {
    let (mut one, mut other, document) = pair();
    let head = |number: u8| Head { author: [number; 32], session: 1, seq: 1, link: [7; 32] };
    let heads = |after, numbers: &[u8], has_more| {
        let ends = numbers.iter().map(|number| head(*number)).collect();
        Message::Heads(0, Heads { after, ends, has_more })
    };
    one.receive(1, &heads(Some(head(9)), &[10], true));
    assert!(!one.sent(1).iter().any(|message| matches!(message, Message::MoreHeads(..))), "nothing was asked");
    one.receive(1, &heads(None, &[1, 2], true));
    assert_eq!(one.sent(1), [Message::MoreHeads(0, Some(head(2)))]);
    one.receive(1, &heads(Some(head(1)), &[3], true));
    assert_eq!(one.sent(1), [], "an answer to what was asked before");
    one.receive(1, &heads(Some(head(2)), &[3], false));
    one.write(document, "mine");
    one.sync();
    exchange(1, &mut one, &mut other);
    assert_eq!(other.text(document), "mine");
    for endless in [heads(None, &[], true), heads(None, &[2, 1], true), heads(None, &[1, 1], true)] {
        let (mut one, _, _) = pair();
        one.receive(1, &endless);
        assert!(one.has_closed(1), "{endless:?}");
    }
}

#[test]
fn a_peer_that_tells_more_heads_than_are_remembered_is_asked_again_only_when_those_have_come() {
    let (mut one, mut other, document) = pair();
    let head = |number: u32| {
        let mut author = [0xff; 32];
        author[..4].copy_from_slice(&number.to_be_bytes());
        Head { author, session: 1, seq: 1, link: [7; 32] }
    };
    let heads: Vec<Head> = (0..3 * u32::try_from(HEADS_MAX).unwrap()).map(head).collect();
    let mut after = None;
    for part in heads.chunks(HEADS_MAX) {
        let has_more = part.last() != heads.last();
        one.receive(1, &Message::Heads(0, Heads { after, ends: part.to_vec(), has_more }));
        after = part.last().copied();
        let asked: Vec<Message> =
            one.sent(1).into_iter().filter(|sent| matches!(sent, Message::MoreHeads(..))).collect();
        let expected = has_more.then_some(Message::MoreHeads(0, after));
        assert_eq!(asked, Vec::from_iter(expected), "a liar is not asked for ever");
    }
    one.write(document, "mine");
    one.sync();
    exchange(1, &mut one, &mut other);
    assert_eq!(other.text(document), "mine");
}
