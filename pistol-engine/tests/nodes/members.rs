//! Documents with members, node by node: rows 30 to 36, 38, 41 and 49 of the catalogue of access, and what rests in the store.

mod hostile;
mod log;
mod many;
mod rows;

use pistol_acl::record::{Action, Heads, Keep, Mode, Role, Subject};
use pistol_acl::{Reason, State};
use pistol_core::document::EditError;
use pistol_core::genesis::Policy;
use pistol_core::id::{AuthorityId, ChangeId, DocumentId};
use pistol_core::key::{AuthorId, AuthorKey};
use pistol_engine::{Command, Input, Insight, Now, OperateError};

use crate::machine::{Machine, exchange};

fn author(machine: &Machine) -> AuthorId {
    AuthorKey::from_seed(&machine.node.0).id()
}

fn operate(machine: &mut Machine, document: DocumentId, action: Action) -> Result<AuthorityId, OperateError> {
    let operated = machine.engine.documents().operate(&document, |_| Ok(action));
    machine.give(Input::Wake);
    operated
}

fn grant(to: AuthorId, role: Role) -> Action {
    Action::Grant { to: Subject::Key(to), role }
}

/// A revocation that keeps what its author sees.
fn revoke(machine: &mut Machine, document: DocumentId, who: AuthorId, mode: Mode) -> AuthorityId {
    let action = |insight: Insight<'_>| {
        let history = insight.document.history();
        let mut heads: Vec<ChangeId> = history.heads().filter_map(|head| history.id(head)).collect();
        heads.sort_unstable();
        let changes = if heads.is_empty() { vec![] } else { vec![Heads { document, heads, tips: vec![] }] };
        let keep = Keep { changes, operations: vec![] };
        Ok(Action::Revoke { who: Subject::Key(who), mode, cascade: false, keep })
    };
    let revoked = machine.engine.documents().operate(&document, action).unwrap();
    machine.give(Input::Wake);
    revoked
}

/// Carries everything between two nodes on a connection, and to their disks, until nothing moves.
fn settle(connection: u64, one: &mut Machine, other: &mut Machine) {
    loop {
        one.sync();
        other.sync();
        if exchange(connection, one, other).is_empty() {
            return;
        }
    }
}

fn part(connection: u64, one: &mut Machine, other: &mut Machine) {
    for machine in [one, other] {
        machine.give(Input::Disconnected { connection, reason: String::new() });
    }
}

fn meet(connection: u64, one: &mut Machine, other: &mut Machine) {
    one.connected(connection, other, true);
    other.connected(connection, one, false);
    settle(connection, one, other);
}

/// What a node knows of a change of a document with members.
fn state(machine: &Machine, document: DocumentId, change: &ChangeId) -> State {
    machine.engine.documents().look(&document, |insight| insight.access.unwrap().state(change)).unwrap()
}

fn reason(machine: &Machine, document: DocumentId, change: &ChangeId) -> Reason {
    machine.engine.documents().look(&document, |insight| insight.access.unwrap().explain(change)).unwrap()
}

/// Writes, and says which change that was.
fn write(machine: &mut Machine, document: DocumentId, text: &str) -> ChangeId {
    machine.write(document, text);
    let last = |insight: Insight<'_>| {
        let history = insight.document.history();
        history.id(history.next() - 1).unwrap()
    };
    machine.engine.documents().look(&document, last).unwrap()
}

fn edit(machine: &Machine, document: DocumentId) -> Result<(), EditError> {
    machine.engine.documents().edit(&document, Now::default(), None, |edit| edit.text("text").push("x")).map(|_| ())
}

/// A root and a writer who share a document on connection 1, all durable. Each wrote something.
fn team() -> (Machine, Machine, DocumentId) {
    let (mut root, mut writer) = (Machine::new(1), Machine::new(2));
    let document = root.create_of(Policy::Members, [0; 16]);
    root.sync();
    writer.join(document, &root);
    meet(1, &mut writer, &mut root);
    operate(&mut root, document, grant(author(&writer), Role::Writer)).unwrap();
    root.write(document, "root ");
    settle(1, &mut writer, &mut root);
    writer.write(document, "writer ");
    settle(1, &mut writer, &mut root);
    assert_eq!([root.text(document), writer.text(document)], ["root writer "; 2]);
    (root, writer, document)
}

/// A third node that holds the document, after the root granted it a role.
fn third(root: &mut Machine, document: DocumentId, role: Role) -> Machine {
    let mut third = Machine::new(3);
    operate(root, document, grant(author(&third), role)).unwrap();
    root.sync();
    third.join(document, root);
    meet(3, &mut third, root);
    third
}

fn restarted(machine: &Machine, document: DocumentId) -> Machine {
    let mut again = machine.restarted_on(|_| ());
    again.command(Command::Open(document));
    again.sync();
    again
}

#[test]
fn whoever_has_no_part_cannot_write_and_whoever_is_granted_one_can() {
    let (mut root, mut stranger) = (Machine::new(1), Machine::new(2));
    let document = root.create_of(Policy::Members, [0; 16]);
    root.sync();
    stranger.join(document, &root);
    meet(1, &mut stranger, &mut root);
    assert_eq!(edit(&stranger, document), Err(EditError::NotAMember));
    operate(&mut root, document, grant(author(&stranger), Role::Reader)).unwrap();
    settle(1, &mut stranger, &mut root);
    assert_eq!(edit(&stranger, document), Err(EditError::Revoked), "a reader reads");
    operate(&mut root, document, grant(author(&stranger), Role::Writer)).unwrap();
    settle(1, &mut stranger, &mut root);
    stranger.write(document, "now");
    settle(1, &mut stranger, &mut root);
    assert_eq!(root.text(document), "now");
}

#[test]
fn row_30_a_backdated_tail_that_nobody_built_on_is_shown_nowhere() {
    let (mut root, mut writer, document) = team();
    part(1, &mut root, &mut writer);
    let tail = write(&mut writer, document, "tail ");
    writer.sync();
    let who = author(&writer);
    let revocation = revoke(&mut root, document, who, Mode::Endorsed);
    root.sync();
    meet(2, &mut writer, &mut root);
    for machine in [&root, &writer, &restarted(&root, document), &restarted(&writer, document)] {
        assert_eq!(machine.text(document), "root writer ");
        assert_eq!(state(machine, document, &tail), State::Masked);
        assert_eq!(reason(machine, document, &tail), Reason::Revoked(revocation));
    }
    assert_eq!(edit(&writer, document), Err(EditError::Revoked));
    let state = writer.engine.documents().look(&document, |insight| insight.state.peers[&root.node].state.clone());
    assert_eq!(state.unwrap(), pistol_engine::PeerState::Same, "what is masked is held by both");
}

/// A writer whose tail a member built on before both heard of its revocation, which the root wrote apart. All have met since.
fn endorsed(mode: Mode) -> (Vec<Machine>, DocumentId, [ChangeId; 2], AuthorityId) {
    let (mut root, mut writer, document) = team();
    let mut member = third(&mut root, document, Role::Writer);
    part(3, &mut root, &mut member);
    part(1, &mut root, &mut writer);
    let tail = write(&mut writer, document, "tail ");
    writer.sync();
    member.join(document, &writer);
    meet(5, &mut member, &mut writer);
    let built = write(&mut member, document, "built ");
    member.sync();
    let who = author(&writer);
    let revocation = revoke(&mut root, document, who, mode);
    root.sync();
    meet(6, &mut writer, &mut root);
    assert_eq!((root.text(document).as_str(), state(&root, document, &tail)), ("root writer ", State::Masked));
    meet(7, &mut member, &mut root);
    settle(6, &mut writer, &mut root);
    settle(5, &mut member, &mut writer);
    (vec![root, writer, member], document, [tail, built], revocation)
}

/// The nodes, and what they are when they are started again.
fn and_again(machines: Vec<Machine>, document: DocumentId) -> Vec<Machine> {
    let again: Vec<Machine> = machines.iter().map(|machine| restarted(machine, document)).collect();
    machines.into_iter().chain(again).collect()
}

#[test]
fn row_30_a_tail_that_a_member_built_on_stays() {
    let (machines, document, [tail, built], _) = endorsed(Mode::Endorsed);
    for machine in and_again(machines, document) {
        assert_eq!(machine.text(document), "root writer tail built ");
        assert_eq!(reason(&machine, document, &tail), Reason::BuiltOn(built));
    }
}

#[test]
fn row_31_an_exact_revocation_takes_a_tail_away_and_what_was_built_on_it() {
    let (mut machines, document, [tail, built], revocation) = endorsed(Mode::Exact);
    for machine in &machines {
        assert_eq!(machine.text(document), "root writer ");
        assert_eq!(reason(machine, document, &tail), Reason::Purged(revocation));
        assert_eq!(reason(machine, document, &built), Reason::Orphaned { on: tail, by: Some(revocation) });
    }
    // Whose work was orphaned goes on in a session of its own, on what is shown.
    let [root, _, member] = machines.as_mut_slice() else { panic!("three nodes") };
    member.write(document, "again ");
    settle(7, member, root);
    for machine in and_again(machines, document).into_iter().filter(|machine| machine.node.0[0] != 2) {
        assert_eq!(machine.text(document), "root writer again ");
    }
}

#[test]
fn row_32_who_is_granted_a_part_again_goes_on_and_what_was_masked_stays_masked() {
    let (mut root, mut writer, document) = team();
    part(1, &mut root, &mut writer);
    let tail = write(&mut writer, document, "tail ");
    writer.sync();
    let who = author(&writer);
    revoke(&mut root, document, who, Mode::Endorsed);
    root.sync();
    meet(2, &mut writer, &mut root);
    assert_eq!(edit(&writer, document), Err(EditError::Revoked));
    operate(&mut root, document, grant(who, Role::Writer)).unwrap();
    settle(2, &mut writer, &mut root);
    writer.write(document, "again ");
    settle(2, &mut writer, &mut root);
    for machine in and_again(vec![root, writer], document) {
        assert_eq!(machine.text(document), "root writer again ");
        assert_eq!(state(&machine, document, &tail), State::Masked);
    }
}

#[test]
fn masked_work_comes_back_when_an_admin_adopts_it() {
    let (mut root, mut writer, document) = team();
    part(1, &mut root, &mut writer);
    let tail = write(&mut writer, document, "tail ");
    writer.sync();
    let who = author(&writer);
    revoke(&mut root, document, who, Mode::Endorsed);
    root.sync();
    meet(2, &mut writer, &mut root);
    let adopted = Action::Checkpoint(Heads { document, heads: vec![tail], tips: vec![] });
    let checkpoint = operate(&mut root, document, adopted).unwrap();
    assert_eq!(root.text(document), "root writer tail ", "the author of the operation sees it at once");
    settle(2, &mut writer, &mut root);
    for machine in and_again(vec![root, writer], document) {
        assert_eq!(machine.text(document), "root writer tail ");
        assert_eq!(reason(&machine, document, &tail), Reason::Adopted(vec![checkpoint]));
    }
}

#[test]
fn row_33_a_revocation_beats_a_grant_made_at_the_same_time_and_not_one_made_after_it() {
    let (mut root, writer, document) = team();
    let mut admin = third(&mut root, document, Role::Admin);
    part(3, &mut root, &mut admin);
    let who = author(&writer);
    revoke(&mut root, document, who, Mode::Endorsed);
    operate(&mut admin, document, grant(who, Role::Writer)).unwrap();
    root.sync();
    admin.sync();
    meet(4, &mut admin, &mut root);
    let has_part = |machine: &Machine| {
        let look = |insight: Insight<'_>| insight.access.unwrap().path_to_write(&who).is_some();
        machine.engine.documents().look(&document, look).unwrap()
    };
    assert!(!has_part(&root) && !has_part(&admin));
    operate(&mut admin, document, grant(who, Role::Writer)).unwrap();
    settle(4, &mut admin, &mut root);
    assert!(has_part(&root) && has_part(&admin) && has_part(&restarted(&root, document)));
}

#[test]
fn row_39_after_a_release_everybody_writes_and_no_revocation_counts() {
    let (mut root, mut writer, document) = team();
    let mut stranger = Machine::new(4);
    stranger.join(document, &root);
    meet(4, &mut stranger, &mut root);
    part(1, &mut root, &mut writer);
    let tail = write(&mut writer, document, "tail ");
    writer.sync();
    let who = author(&writer);
    revoke(&mut root, document, who, Mode::Exact);
    root.sync();
    meet(2, &mut writer, &mut root);
    assert_eq!(state(&writer, document, &tail), State::Masked);
    assert_eq!(operate(&mut writer, document, Action::Release), Err(OperateError::Power(pistol_acl::NoPower::Role)));
    operate(&mut root, document, Action::Release).unwrap();
    settle(2, &mut writer, &mut root);
    settle(4, &mut stranger, &mut root);
    stranger.write(document, "stranger ");
    settle(4, &mut stranger, &mut root);
    settle(2, &mut writer, &mut root);
    writer.write(document, "writer again ");
    settle(2, &mut writer, &mut root);
    settle(4, &mut stranger, &mut root);
    for machine in and_again(vec![root, writer, stranger], document) {
        assert_eq!(machine.text(document), "root writer tail stranger writer again ");
    }
}

#[test]
fn a_document_without_members_takes_no_operation() {
    let (mut one, _, document) = crate::machine::pair();
    let action = grant(author(&one), Role::Admin);
    assert_eq!(operate(&mut one, document, action), Err(OperateError::NoMembers));
}

/// Documents are small here, and a snapshot is made of each after ten changes.
#[test]
fn a_snapshot_that_shows_what_is_masked_since_is_not_shown() {
    let (mut root, mut writer, document) = team();
    let shows = |machine: &Machine| {
        let again = restarted(machine, document);
        let look = |insight: Insight<'_>| insight.state.is_from_snapshot;
        (again.engine.documents().look(&document, look).unwrap(), again.text(document))
    };
    for number in 0..12 {
        write(&mut writer, document, &format!("{number} "));
        settle(1, &mut writer, &mut root);
    }
    let whole = root.text(document);
    assert_eq!(shows(&root), (true, whole.clone()));
    part(1, &mut root, &mut writer);
    for number in 0..3 {
        write(&mut writer, document, &format!("tail {number} "));
        writer.sync();
    }
    assert!(shows(&writer).0);
    let who = author(&writer);
    revoke(&mut root, document, who, Mode::Endorsed);
    root.sync();
    let stale = writer.rows(pistol_core::store::Table::Snapshots);
    meet(2, &mut writer, &mut root);
    assert_eq!(shows(&root), (true, whole.clone()));
    assert_eq!(writer.text(document), whole);
    // The snapshot of before is put back in place of the one that was made since.
    let again = writer.restarted_on(|store| {
        let mut batch = pistol_core::store::Batch::default();
        stale
            .iter()
            .for_each(|(key, value)| batch.put(pistol_core::store::Table::Snapshots, key.clone(), value.clone()));
        pistol_core::store::Store::commit(store, &batch).unwrap();
    });
    assert_eq!(restarted(&again, document).text(document), whole);
}

#[test]
fn an_editor_follows_a_text_that_is_made_anew() {
    let (mut root, mut writer, document) = team();
    part(1, &mut root, &mut writer);
    let (screen, shown) = writer.engine.documents().open_screen(&document, |content| content.text("text")).unwrap();
    let mut text: Vec<char> = shown.chars().collect();
    write(&mut writer, document, "tail ");
    writer.sync();
    let who = author(&writer);
    revoke(&mut root, document, who, Mode::Endorsed);
    root.write(document, "on ");
    root.sync();
    meet(2, &mut writer, &mut root);
    let unseen = writer.engine.documents().take_screen(&document, screen).unwrap();
    for splice in unseen.splices() {
        text.splice(splice.at..splice.at + splice.length, splice.text.chars());
    }
    assert_eq!(
        (text.into_iter().collect::<String>(), writer.text(document)),
        (root.text(document), root.text(document))
    );
}
