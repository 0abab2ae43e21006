//! Invitations, node by node: used once, by who signs for it, and void in a store that was put back.

use pistol_acl::record::Role;
use pistol_core::genesis::Policy;
use pistol_core::id::DocumentId;
use pistol_core::key::AuthorKey;
use pistol_core::store::Table;
use pistol_engine::{Command, Effect, ReplyError};
use pistol_sync::proto::message::{Message, Redeem, Redeemed};
use pistol_sync::ticket::Ticket;

use crate::machine::{Machine, exchange};

const SECRET: [u8; 16] = [7; 16];

/// A node with a document with members into which it invited somebody.
fn inviting() -> (Machine, DocumentId) {
    let mut ann = Machine::new(1);
    let document = ann.create_of(Policy::Members, [0; 16]);
    ann.sync();
    ann.command(Command::Invite { document, secret: SECRET, role: Role::Writer, not_after_ms: 0 });
    ann.sync();
    (ann, document)
}

fn join(bob: &mut Machine, ann: &mut Machine, document: DocumentId, connection: u64) -> Result<(), ReplyError> {
    let mut ticket = Ticket::new(document, None, ann.node, &[]);
    ticket.secret = Some(SECRET);
    bob.effects.clear();
    bob.command(Command::Join(ticket));
    bob.connected(connection, ann, true);
    ann.connected(connection, bob, false);
    let mut replies = Vec::new();
    for _ in 0..4 {
        exchange(connection, bob, ann);
        ann.sync();
        bob.sync();
        replies.extend(bob.effects.iter().filter_map(|effect| match effect {
            Effect::Reply { reply, .. } => Some(reply.clone().map(|_| ())),
            _ => None,
        }));
        bob.effects.retain(|effect| !matches!(effect, Effect::Reply { .. }));
    }
    let [reply] = replies.try_into().unwrap();
    reply
}

/// A node that follows the document on connection 1, and has no part in it.
fn followed(ann: &mut Machine, document: DocumentId) -> Machine {
    let mut bob = Machine::new(2);
    bob.join(document, ann);
    bob.connected(1, ann, true);
    ann.connected(1, &bob, false);
    for _ in 0..3 {
        exchange(1, &mut bob, ann);
        bob.sync();
    }
    bob
}

fn opened(machine: &mut Machine, document: DocumentId) -> &Machine {
    machine.command(Command::Open(document));
    machine.sync();
    machine
}

fn members(machine: &Machine, document: DocumentId) -> usize {
    machine.engine.documents().look(&document, |insight| insight.access.unwrap().members().len()).unwrap()
}

#[test]
fn an_invitation_is_used_once_also_by_two_who_have_it() {
    let (mut ann, document) = inviting();
    assert_eq!(ann.rows(Table::Invites).len(), 1);
    let (mut bob, mut eve) = (Machine::new(2), Machine::new(3));
    assert_eq!(join(&mut bob, &mut ann, document, 1), Ok(()));
    assert_eq!(ann.rows(Table::Invites).len(), 0);
    assert!(matches!(join(&mut eve, &mut ann, document, 2), Err(ReplyError::Refused(why)) if why.contains("used")));
    assert_eq!([members(&ann, document), members(&bob, document), members(&eve, document)], [1; 3]);
}

#[test]
fn an_invitation_outlives_a_restart_and_not_a_store_that_was_put_back() {
    let (ann, document) = inviting();
    let mut put_back = ann.put_back();
    let mut again = ann.restarted();
    let mut bob = Machine::new(2);
    assert_eq!(join(&mut bob, &mut again, document, 1), Ok(()));
    put_back.give(pistol_engine::Input::Wake);
    put_back.sync();
    assert_eq!(put_back.rows(Table::Invites).len(), 0);
    let mut eve = Machine::new(3);
    assert!(matches!(join(&mut eve, &mut put_back, document, 2), Err(ReplyError::Refused(_))));
}

#[test]
fn nobody_shows_an_invitation_for_who_did_not_sign_or_on_another_connection() {
    let (mut ann, document) = inviting();
    let _bob = followed(&mut ann, document);
    let key = AuthorKey::from_seed(&[9; 32]);
    let sign = |exported: [u8; 32]| {
        let message = [b"pistol/redeem/1\0".as_slice(), &exported, document.as_bytes(), &SECRET].concat();
        let signature = key.sign(&message).0;
        let half = |from: usize| signature[from..from + 32].try_into().unwrap();
        (half(0), half(32))
    };
    let mut shown = |author: [u8; 32], signature| {
        ann.receive(1, &Message::Redeem(Redeem { topic: 0, secret: SECRET, author, signature }));
        ann.sync();
        let of = |message: &Message| match message {
            Message::Redeemed(_, outcome) => Some(*outcome),
            _ => None,
        };
        ann.sent(1).iter().find_map(of)
    };
    let author = *key.id().as_bytes();
    assert_eq!(shown(author, sign([2; 32])), None, "signed for another connection");
    assert_eq!(shown(*AuthorKey::from_seed(&[8; 32]).id().as_bytes(), sign([1; 32])), None, "signed by another");
    assert_eq!(shown([0; 32], sign([1; 32])), None, "no key");
    assert_eq!(shown(author, sign([1; 32])), Some(Redeemed::Granted));
    assert_eq!(shown(author, sign([1; 32])), Some(Redeemed::Used));
}

#[test]
fn nobody_is_told_of_a_grant_before_it_is_durable_and_a_crash_leaves_the_invitation() {
    let (mut ann, document) = inviting();
    let mut bob = followed(&mut ann, document);
    let mut ticket = Ticket::new(document, None, ann.node, &[]);
    ticket.secret = Some(SECRET);
    bob.command(Command::Join(ticket));
    let shown: Vec<Message> = bob.sent(1);
    shown.iter().for_each(|message| ann.receive(1, message));
    assert!(shown.iter().any(|message| matches!(message, Message::Redeem(_))));
    assert_eq!(ann.sent(1), []);
    // The power goes before the disk took it: it can be used again.
    let mut again = ann.restarted();
    assert_eq!((members(opened(&mut again, document), document), again.rows(Table::Invites).len()), (0, 1));
    assert_eq!(join(&mut Machine::new(3), &mut again, document, 2), Ok(()));
}

#[test]
fn whoever_tries_secrets_is_hung_up_on() {
    let (mut ann, document) = inviting();
    let _bob = followed(&mut ann, document);
    let key = AuthorKey::from_seed(&[9; 32]);
    for number in 0..40 {
        let secret = [number; 16];
        if secret == SECRET {
            continue;
        }
        let message = [b"pistol/redeem/1\0".as_slice(), &[1; 32], document.as_bytes(), &secret].concat();
        let signature = key.sign(&message).0;
        let half = |from: usize| signature[from..from + 32].try_into().unwrap();
        let redeem = Redeem { topic: 0, secret, author: *key.id().as_bytes(), signature: (half(0), half(32)) };
        ann.receive(1, &Message::Redeem(redeem));
    }
    assert!(ann.has_closed(1));
    ann.sync();
    assert_eq!(members(&ann, document), 0);
}

#[test]
fn a_node_that_answers_for_an_invitation_that_nobody_showed_is_blamed() {
    let (mut ann, document) = inviting();
    let mut bob = followed(&mut ann, document);
    for _ in 0..40 {
        bob.receive(1, &Message::Redeemed(0, Redeemed::Granted));
    }
    assert!(bob.has_closed(1));
}
