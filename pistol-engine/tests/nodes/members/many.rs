//! Row 49 of the catalogue of access on whole nodes: thousands of changes by many authors, and one revocation.

use pistol_acl::record::{Mode, Role};
use pistol_acl::{Reason, State};
use pistol_core::document::EditError;
use pistol_core::genesis::Policy;
use pistol_core::id::{ChangeId, DocumentId};
use pistol_engine::{Input, Insight, PeerState};

use super::{Machine, author, edit, grant, meet, operate, part, reason, restarted, revoke, settle, state, write};

const AUTHORS: u8 = 12;
/// Changes that each author writes apart; the one who is revoked half as many more.
const EACH: usize = 250;

/// Many edits by one author, each a change of its own; the first and the last.
fn write_many(machine: &mut Machine, document: DocumentId, count: usize, word: &str) -> [ChangeId; 2] {
    let first = write(machine, document, word);
    (2..count).for_each(|_| machine.write(document, word));
    let last = write(machine, document, word);
    machine.sync();
    [first, last]
}

/// A root, and writers who each wrote a word on those of the writers before, and are apart now.
fn crowd() -> (Machine, Vec<Machine>, DocumentId) {
    let mut root = Machine::new(1);
    let document = root.create_of(Policy::Members, [0; 16]);
    root.sync();
    let mut writers: Vec<Machine> = (2..2 + AUTHORS).map(Machine::new).collect();
    for (connection, writer) in (1..).zip(&mut writers) {
        operate(&mut root, document, grant(author(writer), Role::Writer)).unwrap();
        root.sync();
        writer.join(document, &root);
        meet(connection, writer, &mut root);
        writer.write(document, "early ");
        settle(connection, writer, &mut root);
        part(connection, writer, &mut root);
    }
    (root, writers, document)
}

/// Two meet and part when they hold and show the same. Much comes at once, so time must pass.
fn meet_for_long(connection: u64, one: &mut Machine, other: &mut Machine, document: DocumentId) {
    meet(connection, one, other);
    let mut rounds = 0;
    while !(is_done(one, other, document) && is_done(other, one, document)) {
        for machine in [&mut *one, &mut *other] {
            machine.now_ms = machine.engine.deadline_ms().unwrap_or_default().max(machine.now_ms + 1);
            machine.give(Input::Wake);
        }
        settle(connection, one, other);
        rounds += 1;
        assert!(rounds < 100, "two do not come to show the same");
    }
    part(connection, one, other);
}

fn is_done(machine: &Machine, peer: &Machine, document: DocumentId) -> bool {
    let look = |insight: Insight<'_>| {
        let has_shown = insight.state.branches_waiting == 0 && !insight.document.is_behind();
        let is_same = insight.state.peers.get(&peer.node).is_some_and(|peer| peer.state == PeerState::Same);
        has_shown && is_same && insight.access.unwrap().is_settled()
    };
    machine.engine.documents().look(&document, look).unwrap()
}

/// How many changes are accepted, how many are masked, and how many words are shown.
fn counts(machine: &Machine, document: DocumentId) -> (usize, usize, usize) {
    let look = |insight: Insight<'_>| {
        let access = insight.access.unwrap();
        (access.accepted().count(), access.masked())
    };
    let (accepted, masked) = machine.engine.documents().look(&document, look).unwrap();
    (accepted, masked, machine.text(document).split_whitespace().count())
}

#[test]
fn row_49_of_thousands_of_changes_by_many_one_revocation_leaves_what_was_built_on() {
    let (mut root, mut writers, document) = crowd();
    let (revoked, rest) = writers.split_first_mut().unwrap();
    let (member, others) = rest.split_first_mut().unwrap();
    // Half of what the one writes who will be revoked a member builds on, before it is told of that.
    let built_on = write_many(revoked, document, EACH / 2, "seen ");
    member.join(document, revoked);
    meet_for_long(50, member, revoked, document);
    let built = write(member, document, "built ");
    member.sync();
    let lost = write_many(revoked, document, EACH, "lost ");
    write_many(member, document, EACH, "member ");
    for other in others {
        write_many(other, document, EACH, "other ");
    }
    let who = author(revoked);
    let revocation = revoke(&mut root, document, who, Mode::Endorsed);
    root.sync();
    for (connection, writer) in (60..).zip(&mut writers) {
        meet_for_long(connection, writer, &mut root, document);
    }
    let (mut revoked, last) = (writers.remove(0), writers.pop().unwrap());
    meet_for_long(100, &mut revoked, &mut root, document);
    let accepted = usize::from(AUTHORS) + EACH / 2 + 1 + usize::from(AUTHORS - 1) * EACH;
    let machines = [root, revoked, last];
    let again = machines.each_ref().map(|machine| restarted(machine, document));
    for (number, machine) in machines.iter().chain(&again).enumerate() {
        assert_eq!(counts(machine, document), (accepted, EACH, accepted), "node {number}");
        for change in built_on {
            assert_eq!(state(machine, document, &change), State::Accepted, "node {number}");
        }
        assert_eq!(reason(machine, document, &built_on[1]), Reason::BuiltOn(built), "node {number}");
        for change in lost {
            assert_eq!(reason(machine, document, &change), Reason::Revoked(revocation), "node {number}");
        }
    }
    let [root, revoked, last] = &again;
    assert_eq!([root, revoked, last].map(|machine| edit(machine, document)), [Ok(()), Err(EditError::Revoked), Ok(())]);
}
