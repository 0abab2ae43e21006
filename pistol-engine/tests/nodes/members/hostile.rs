//! Operations and changes made by hand: in any order, forged, of another log, in floods; and changes that cite what nobody knows
//! (row 38 of the catalogue).

use pistol_acl::SignedOp;
use pistol_acl::record::{AclOp, Action, Keep, Mode, Role, Subject};
use pistol_core::change::Change;
use pistol_core::document::EditError;
use pistol_core::id::{AuthorityId, ChangeId, DocumentId};
use pistol_core::key::AuthorKey;
use pistol_engine::limits::OPERATIONS_WAITING_MAX;
use pistol_engine::{Input, Insight, OperateError};
use pistol_sync::proto::message::{LogHeads, Message};

use super::{author, grant, operate, settle, team, third};
use crate::machine::Machine;
use crate::stranger::Stranger;

pub(super) fn key(number: u8) -> AuthorKey {
    AuthorKey::from_seed(&[number; 32])
}

/// An operation by the key of a number, well signed.
pub(super) fn signed(
    by: u8,
    log: DocumentId,
    proof: Vec<AuthorityId>,
    mut prev: Vec<AuthorityId>,
    action: Action,
) -> SignedOp {
    prev.sort_unstable();
    SignedOp::sign(&key(by), &AclOp { log, author: key(by).id(), proof, prev, own: None, action }).unwrap()
}

pub(super) fn message(operations: &[SignedOp]) -> Message {
    Message::Operations(0, operations.iter().map(|signed| signed.bytes().to_vec()).collect())
}

/// A root and a writer as ever, and a peer of the root's on connection 3 that may send anything.
fn flooded() -> (Machine, Machine, DocumentId) {
    let (mut root, writer, document) = team();
    drop(third(&mut root, document, Role::Reader));
    (root, writer, document)
}

fn held(machine: &Machine, document: DocumentId) -> u32 {
    let look = |insight: Insight<'_>| insight.access.unwrap().operation_count(&document);
    machine.engine.documents().look(&document, look).unwrap()
}

fn is_known(machine: &Machine, document: DocumentId, id: &ChangeId) -> bool {
    machine.engine.documents().look(&document, |insight| insight.document.history().ordinal(id).is_some()).unwrap()
}

/// Grants by the root, each after the one before.
fn row_of_grants(machine: &Machine, document: DocumentId, count: u8) -> Vec<SignedOp> {
    let look = |insight: Insight<'_>| insight.access.unwrap().heads(&document);
    let mut prev = machine.engine.documents().look(&document, look).unwrap();
    let next = |number: u8| {
        let made = signed(1, document, vec![], std::mem::take(&mut prev), grant(key(100 + number).id(), Role::Reader));
        prev = vec![made.id()];
        made
    };
    (0..count).map(next).collect()
}

/// One line of a reader's operations, as many of it as are asked for each time.
fn line_of_witnesses(machine: &Machine, document: DocumentId) -> impl FnMut(usize) -> Vec<SignedOp> + use<> {
    let look = |insight: Insight<'_>| insight.access.unwrap().heads(&document);
    let granted = machine.engine.documents().look(&document, look).unwrap()[0];
    let mut prev = granted;
    let mut next = move || {
        let (log, author, own) = (document, key(3).id(), (prev != granted).then_some(0));
        let action = Action::Witness { names: vec![] };
        let op = AclOp { log, author, proof: vec![granted], prev: vec![prev], own, action };
        let made = SignedOp::sign(&key(3), &op).unwrap();
        prev = made.id();
        made
    };
    move |count| (0..count).map(|_| next()).collect()
}

/// A change that cites something.
fn citing(stranger: &Stranger, authority: Vec<AuthorityId>) -> Change {
    Change { authority, ..stranger.chain(1, 1, vec![]).remove(0) }
}

#[test]
fn operations_enter_in_whatever_order_they_come() {
    for seed in 0..20u64 {
        let (_, mut writer, document) = team();
        let mut row = row_of_grants(&writer, document, 6);
        let mut dice = seed;
        for at in (1..row.len()).rev() {
            dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            row.swap(at, usize::try_from(dice >> 33).unwrap() % (at + 1));
        }
        for signed in &row {
            writer.receive(1, &message(std::slice::from_ref(signed)));
        }
        assert_eq!(held(&writer, document), 7, "seed {seed}");
    }
}

#[test]
fn an_operation_that_waits_is_counted_in_the_acknowledgement_until_it_does_not() {
    let (_, mut writer, document) = team();
    let row = row_of_grants(&writer, document, 2);
    let waiting = |sent: Vec<Message>| {
        sent.into_iter().rev().find_map(|message| match message {
            Message::Acknowledge(acknowledge) => Some(acknowledge.waiting),
            _ => None,
        })
    };
    writer.receive(1, &message(&row[1..]));
    writer.sync();
    assert_eq!(waiting(writer.sent(1)), Some(1));
    writer.receive(1, &message(&row[..1]));
    writer.sync();
    assert_eq!(waiting(writer.sent(1)), Some(0));
}

#[test]
fn forged_operations_and_those_of_other_logs_do_not_enter_and_are_blamed() {
    let (mut root, _, document) = team();
    let [good] = row_of_grants(&root, document, 1).try_into().unwrap();
    let mut forged = good.bytes().to_vec();
    *forged.last_mut().unwrap() ^= 1;
    let other = signed(1, DocumentId([7; 32]), vec![], vec![], grant(key(9).id(), Role::Admin));
    let stranger = signed(9, document, vec![], vec![], grant(key(9).id(), Role::Admin));
    let forgeries = [forged, other.bytes().to_vec(), stranger.bytes().to_vec(), vec![], vec![9; 70], vec![1; 300_000]];
    for number in 0..40 {
        root.receive(1, &Message::Operations(0, vec![forgeries[number % forgeries.len()].clone()]));
    }
    assert!(root.has_closed(1), "a peer that could have checked them itself");
    assert_eq!(held(&root, document), 1);
    let (mut root, _, document) = team();
    root.receive(1, &Message::Operations(0, vec![forgeries[0].clone()]));
    root.receive(1, &message(&[good]));
    assert_eq!(held(&root, document), 2, "a bad signature under a good id keeps nobody out");
}

#[test]
fn who_tells_of_a_log_where_there_is_none_is_blamed() {
    let (mut one, _, _) = crate::machine::pair();
    for _ in 0..16 {
        one.receive(1, &Message::LogHeads(0, LogHeads { heads: vec![[1; 32]], samples: vec![] }));
        one.receive(1, &Message::Operations(0, vec![vec![1; 100]]));
    }
    assert!(one.has_closed(1));
}

#[test]
fn a_flood_of_operations_that_wait_is_bounded_and_owed_and_honest_ones_go_on() {
    let (mut root, mut writer, document) = flooded();
    let nowhere = AuthorityId([0xee; 32]);
    let flood = |number: u64| {
        let mut prev = [0xee; 32];
        prev[..8].copy_from_slice(&number.to_be_bytes());
        signed(9, document, vec![nowhere], vec![AuthorityId(prev)], grant(key(8).id(), Role::Admin))
    };
    let count = u64::try_from(OPERATIONS_WAITING_MAX).unwrap() + 50;
    for number in 0..count {
        root.receive(3, &message(&[flood(number)]));
    }
    assert!(root.engine.documents().look(&document, |insight| !insight.state.owed.is_empty()).unwrap());
    assert_eq!(held(&root, document), 2);
    operate(&mut root, document, grant(key(7).id(), Role::Writer)).unwrap();
    root.write(document, "goes on ");
    settle(1, &mut writer, &mut root);
    assert_eq!(writer.text(document), "root writer goes on ");
}

#[test]
fn row_38_a_change_that_cites_an_unknown_grant_waits_for_it() {
    let (mut root, _, document) = team();
    let stranger = Stranger::new(7, document);
    let [granted] = [signed(1, document, vec![], vec![], grant(key(7).id(), Role::Writer))];
    let change = citing(&stranger, vec![granted.id()]);
    root.receive(1, &stranger.honest(std::slice::from_ref(&change)));
    assert!(!is_known(&root, document, &change.id()));
    assert_eq!(root.engine.documents().look(&document, |insight| insight.state.waiting).unwrap(), 1);
    root.receive(1, &message(&[granted]));
    assert!(is_known(&root, document, &change.id()));
    assert_eq!(root.engine.documents().look(&document, |insight| insight.state.waiting).unwrap(), 0);
}

#[test]
fn changes_of_strangers_and_readers_are_refused_and_what_cites_a_refused_operation_is_too() {
    let (mut root, writer, document) = team();
    let stranger = Stranger::new(7, document);
    let granted = signed(1, document, vec![], vec![], grant(key(7).id(), Role::Reader));
    let of_writer = root
        .engine
        .documents()
        .look(&document, |insight| insight.access.unwrap().path_to_write(&author(&writer)).unwrap())
        .unwrap();
    let refused = signed(9, document, vec![], vec![], grant(key(7).id(), Role::Writer));
    root.receive(1, &message(std::slice::from_ref(&granted)));
    root.receive(1, &message(std::slice::from_ref(&refused)));
    for authority in [vec![], vec![granted.id()], of_writer, vec![refused.id()]] {
        let change = citing(&stranger, authority);
        root.receive(1, &stranger.honest(std::slice::from_ref(&change)));
        assert!(!is_known(&root, document, &change.id()));
        assert!(matches!(
            root.engine.documents().verdict(&document, &change.id()).unwrap(),
            pistol_engine::Verdict::Refused(_)
        ));
    }
}

#[test]
fn a_flood_of_changes_that_cite_what_nobody_knows_takes_no_more_than_its_share() {
    let (mut root, mut writer, document) = flooded();
    let stranger = Stranger::new(7, document);
    for number in 0..30u8 {
        let first = Change {
            authority: vec![AuthorityId([number; 32])],
            ..stranger.chain(u64::from(number), 1, vec![]).remove(0)
        };
        root.receive(3, &stranger.honest(&[first]));
    }
    assert_eq!(root.engine.documents().look(&document, |insight| insight.state.waiting).unwrap(), 30);
    assert_eq!(root.engine.waiting().map(|(_, count, _)| count).sum::<usize>(), 30, "it is the sender's room");
    root.write(document, "goes on ");
    settle(1, &mut writer, &mut root);
    assert_eq!(writer.text(document), "root writer goes on ");
}

#[test]
fn heads_of_a_log_that_nobody_has_harm_nothing() {
    let (mut root, mut writer, document) = team();
    let nobody = LogHeads { heads: vec![[0xee; 32]; 1024], samples: vec![[0xdd; 32]; 64] };
    root.receive(1, &Message::LogHeads(0, nobody));
    root.give(Input::Wake);
    operate(&mut root, document, Action::Grant { to: Subject::Key(key(8).id()), role: Role::Reader }).unwrap();
    root.write(document, "goes on ");
    settle(1, &mut writer, &mut root);
    assert_eq!(writer.text(document), "root writer goes on ");
}

#[test]
fn forks_without_end_by_a_reader_keep_no_operation_of_an_admin_from_anybody() {
    let (mut root, mut writer, document) = team();
    let granted = operate(&mut root, document, grant(key(3).id(), Role::Reader)).unwrap();
    settle(1, &mut writer, &mut root);
    super::part(1, &mut root, &mut writer);
    let mut reader = Machine::new(3);
    reader.join(document, &root);
    super::meet(3, &mut reader, &mut root);
    reader.join(document, &writer);
    super::meet(4, &mut reader, &mut writer);
    let resignation = |number: u8, prev: AuthorityId| {
        let keep = Keep { changes: vec![], operations: vec![AuthorityId([number; 32])] };
        let action = Action::Revoke { who: Subject::Key(key(3).id()), mode: Mode::Endorsed, cascade: false, keep };
        signed(3, document, vec![granted], vec![prev], action)
    };
    // Other forks for each, of two operations each, so that nobody else builds on the first ones.
    for number in 0..64 {
        for (machine, connection, first) in [(&mut root, 3, number), (&mut writer, 4, number + 100)] {
            let fork = resignation(first, granted);
            let on_it = resignation(first, fork.id());
            machine.receive(connection, &message(&[fork, on_it]));
        }
    }
    root.sync();
    writer.sync();
    super::part(3, &mut reader, &mut root);
    super::part(4, &mut reader, &mut writer);
    let later = operate(&mut root, document, grant(key(7).id(), Role::Writer)).unwrap();
    root.sync();
    super::meet(5, &mut writer, &mut root);
    for _ in 0..3 {
        for machine in [&mut root, &mut writer] {
            machine.now_ms += 60_000;
            machine.give(Input::Wake);
        }
        settle(5, &mut writer, &mut root);
    }
    let holds = |insight: Insight<'_>| insight.access.unwrap().holds(&later);
    assert!(writer.engine.documents().look(&document, holds).unwrap());
    // It is there after a restart, too.
    let again = super::restarted(&writer, document);
    assert_eq!(held(&again, document), held(&writer, document));
}

#[test]
fn what_waits_of_a_connection_takes_nobody_elses_room_and_goes_with_it() {
    let (mut root, mut writer, document) = flooded();
    let row = row_of_grants(&root, document, 3);
    for number in 0..=OPERATIONS_WAITING_MAX {
        let prev = AuthorityId(pistol_core::hash::hash(pistol_core::hash::Context::Row, &[&number.to_be_bytes()]));
        let action = Action::Grant { to: Subject::Key(key(7).id()), role: Role::Writer };
        root.receive(3, &message(&[signed(3, document, vec![], vec![prev], action)]));
    }
    // The last of a row waits for the others, whatever waits already.
    root.receive(1, &message(&row[2..]));
    let before = held(&root, document);
    root.give(Input::Disconnected { connection: 3, reason: String::new() });
    root.receive(1, &message(&row[..2]));
    assert_eq!(held(&root, document), before + 3);
    settle(1, &mut writer, &mut root);
}

#[test]
fn a_revocation_that_would_change_nothing_is_not_written() {
    let (mut root, mut writer, document) = team();
    operate(&mut root, document, grant(author(&writer), Role::Admin)).unwrap();
    settle(1, &mut writer, &mut root);
    let revocation = |who| {
        let keep = Keep { changes: vec![], operations: vec![] };
        Action::Revoke { who: Subject::Key(who), mode: Mode::Exact, cascade: false, keep }
    };
    let before = held(&writer, document);
    let senior = revocation(author(&root));
    assert_eq!(operate(&mut writer, document, senior), Err(OperateError::Senior));
    assert_eq!(operate(&mut writer, document, revocation(key(9).id())), Err(OperateError::NothingToRevoke));
    assert_eq!(held(&writer, document), before);
    let of_writer = revocation(author(&writer));
    assert!(operate(&mut root, document, of_writer.clone()).is_ok());
    assert_eq!(operate(&mut root, document, of_writer), Err(OperateError::NothingToRevoke), "once is enough");
}

#[test]
fn an_edit_between_a_revocation_and_the_end_of_the_tick_knows_of_it() {
    let (mut root, mut writer, document) = team();
    super::revoke(&mut root, document, author(&writer), Mode::Endorsed);
    root.sync();
    let revocation = root.engine.documents().look(&document, |insight| {
        let access = insight.access.unwrap();
        access.operations(&document, access.operation_count(&document) - 1).next().cloned().unwrap()
    });
    let frame = message(&[revocation.unwrap()]).to_frame();
    let mut effects = Vec::new();
    writer.engine.handle(Input::Received { connection: 1, frame }, pistol_engine::Now::default(), &mut effects);
    assert_eq!(super::edit(&writer, document), Err(EditError::Revoked));
}

#[test]
fn operations_without_end_are_judged_with_rests_in_between() {
    let (mut root, _, document) = flooded();
    let is_settled = |root: &Machine| {
        root.engine.documents().look(&document, |insight| insight.access.unwrap().is_settled()).unwrap()
    };
    let mut line = line_of_witnesses(&root, document);
    let mut send = |root: &mut Machine, count| root.receive(3, &message(&line(count)));
    (0..8).for_each(|_| send(&mut root, 60));
    assert_eq!(held(&root, document), 482);
    assert!(is_settled(&root), "to judge so many takes no time");
    send(&mut root, 60);
    assert!(is_settled(&root));
    send(&mut root, 1);
    assert!(!is_settled(&root));
    root.write(document, "goes on ");
    assert!(!is_settled(&root), "who types does not wait");
    let at_ms = root.engine.deadline_ms().unwrap();
    assert!(at_ms > root.now_ms);
    root.now_ms = at_ms;
    root.give(Input::Wake);
    assert!(is_settled(&root));
}

#[test]
fn what_came_during_a_rest_is_shown_when_it_is_judged_also_after_a_restart() {
    let (mut root, mut writer, document) = flooded();
    // A node that is yet to be granted a part, and a line of a reader's that makes judging take time.
    let mut member = Machine::new(4);
    member.join(document, &root);
    super::meet(2, &mut member, &mut root);
    let mut line = line_of_witnesses(&root, document);
    (0..9).for_each(|_| root.receive(3, &message(&line(60))));
    root.sync();
    settle(1, &mut writer, &mut root);
    settle(2, &mut member, &mut root);
    // Made on the root, which judges what it writes at once; the writer and the member rest meanwhile.
    operate(&mut root, document, grant(author(&member), Role::Writer)).unwrap();
    settle(2, &mut member, &mut root);
    member.now_ms = member.engine.deadline_ms().unwrap().max(member.now_ms + 1000);
    member.give(Input::Wake);
    member.write(document, "member ");
    member.sync();
    settle(2, &mut member, &mut root);
    super::revoke(&mut root, document, author(&writer), Mode::Exact);
    root.sync();
    settle(1, &mut writer, &mut root);
    let is_settled = |insight: Insight<'_>| insight.access.unwrap().is_settled();
    assert!(!writer.engine.documents().look(&document, is_settled).unwrap(), "it rests");
    let shown = root.text(document);
    assert_eq!(super::restarted(&writer, document).text(document), shown, "a restart judges everything");
    writer.now_ms = writer.engine.deadline_ms().unwrap();
    writer.give(Input::Wake);
    settle(1, &mut writer, &mut root);
    assert_eq!(writer.text(document), shown);
    assert_eq!(held(&writer, document), held(&root, document));
}
