//! Logs of identities and groups, node by node: rows 37 and 38 of the catalogue of access, and one person on two devices.

mod hostile;
mod orders;

use std::sync::Arc;

use pistol_acl::State;
use pistol_acl::record::{Action, Keep, Mode, Role, Subject};
use pistol_core::document::EditError;
use pistol_core::genesis::{Genesis, Kind, Limits, Policy, Read, Terms};
use pistol_core::id::{AuthorityId, ChangeId, DocumentId};
use pistol_core::key::{AuthorId, AuthorKey};
use pistol_core::store::{Batch, Store, Table};
use pistol_engine::export::{Exported, export};
use pistol_engine::{Command, Input, Now, OperateError};

use crate::machine::{Machine, exchange};
use crate::wires::{connect, part, settle};

fn author(machine: &Machine) -> AuthorId {
    AuthorKey::from_seed(&machine.node.0).id()
}

/// A key that no node has.
fn root_key() -> AuthorKey {
    AuthorKey::from_seed(&[77; 32])
}

fn log_genesis(kind: Kind, key: &AuthorKey) -> Genesis {
    let terms = Terms {
        kind,
        roots: vec![key.id()],
        creator: 0,
        policy: Policy::Members,
        limits: Limits { is_releasable: false, ..Limits::default() },
        read: Read::Public,
        skeleton: vec![],
        space: None,
        authority: vec![],
        app: uuid::Uuid::nil(),
        predecessor: None,
        nonce: [0; 16],
    };
    Genesis::sign(key, terms).unwrap()
}

fn create_log(machine: &mut Machine, kind: Kind, key: &AuthorKey) -> DocumentId {
    let genesis = Arc::new(log_genesis(kind, key));
    let id = genesis.id();
    machine.command(Command::Create { genesis, read_key: None });
    machine.sync();
    id
}

fn operate_as(machine: &mut Machine, log: DocumentId, key: &AuthorKey, action: Action) -> AuthorityId {
    let operated = machine.engine.documents().operate_as(&log, Some(key), |_| Ok(action)).unwrap();
    machine.give(Input::Wake);
    machine.sync();
    operated
}

fn operate(machine: &mut Machine, log: DocumentId, action: Action) -> Result<AuthorityId, OperateError> {
    let operated = machine.engine.documents().operate(&log, |_| Ok(action));
    machine.give(Input::Wake);
    machine.sync();
    operated
}

fn grant(to: Subject, role: Role) -> Action {
    Action::Grant { to, role }
}

fn revoke(who: Subject) -> Action {
    Action::Revoke { who, mode: Mode::Endorsed, cascade: false, keep: Keep::default() }
}

fn state(machine: &Machine, document: DocumentId, change: &ChangeId) -> State {
    machine.engine.documents().look(&document, |insight| insight.access.unwrap().state(change)).unwrap()
}

fn identity_of(machine: &Machine, document: DocumentId, change: &ChangeId) -> Option<DocumentId> {
    machine.engine.documents().look(&document, |insight| insight.access.unwrap().identity_of(change)).unwrap()
}

fn edit(machine: &Machine, document: DocumentId) -> Result<(), EditError> {
    machine.engine.documents().edit(&document, Now::default(), None, |edit| edit.text("text").push("x")).map(|_| ())
}

fn write(machine: &mut Machine, document: DocumentId, text: &str) -> ChangeId {
    machine.write(document, text);
    let last = machine.engine.documents().look(&document, |insight| {
        let history = insight.document.history();
        history.id(history.next() - 1).unwrap()
    });
    machine.sync();
    last.unwrap()
}

fn restarted(machine: &Machine, document: DocumentId) -> Machine {
    let mut again = machine.restarted_on(|_| ());
    again.command(Command::Open(document));
    again.sync();
    again
}

const TEAM: [(u64, usize, usize); 2] = [(1, 1, 0), (2, 2, 0)];

/// The owner of a document, and a person with two devices, of which neither is named there: their identity is. Device 1 made the
/// identity with a key that lies on paper. All are connected with the owner alone.
struct Team {
    machines: Vec<Machine>,
    document: DocumentId,
    identity: DocumentId,
    certificates: [AuthorityId; 2],
}

fn team() -> Team {
    let mut machines = vec![Machine::new(1), Machine::new(2), Machine::new(3)];
    let identity = create_log(&mut machines[1], Kind::Identity, &root_key());
    let devices = [author(&machines[1]), author(&machines[2])];
    let certificates = devices
        .map(|device| operate_as(&mut machines[1], identity, &root_key(), grant(Subject::Key(device), Role::Admin)));
    let document = machines[0].create_of(Policy::Members, [0; 16]);
    machines[0].sync();
    operate(&mut machines[0], document, grant(Subject::Identity(identity), Role::Writer)).unwrap();
    for device in [1, 2] {
        let [owner, device] = machines.get_disjoint_mut([0, device]).unwrap();
        device.join(document, owner);
    }
    TEAM.into_iter().for_each(|connection| connect(&mut machines, connection));
    settle(&mut machines, &TEAM);
    Team { machines, document, identity, certificates }
}

#[test]
fn one_person_on_two_devices_is_one_author_and_nobody_was_told_of_the_devices() {
    let Team { mut machines, document, identity, .. } = team();
    let written: Vec<ChangeId> = [1, 2]
        .into_iter()
        .map(|device| {
            let change = write(&mut machines[device], document, "mine ");
            settle(&mut machines, &TEAM);
            change
        })
        .collect();
    let again = restarted(&machines[0], document);
    for machine in machines.iter().chain([&again]) {
        assert_eq!(machine.text(document), "mine mine ");
        for change in &written {
            assert_eq!(state(machine, document, change), State::Accepted);
            assert_eq!(identity_of(machine, document, change), Some(identity));
        }
    }
    let state = again.engine.documents().look(&document, |insight| insight.state.damage.is_some());
    assert_eq!(state, Ok(false));
}

#[test]
fn row_37_a_device_revoked_in_its_identity_writes_no_more_in_a_document_that_never_named_it() {
    let Team { mut machines, document, identity, .. } = team();
    write(&mut machines[1], document, "kept ");
    settle(&mut machines, &TEAM);
    let stolen = author(&machines[2]);
    part(&mut machines, TEAM[1]);
    let tail = write(&mut machines[2], document, "stolen ");
    operate_as(&mut machines[1], identity, &root_key(), revoke(Subject::Key(stolen)));
    settle(&mut machines, &TEAM[..1]);
    connect(&mut machines, (4, 2, 0));
    settle(&mut machines, &[TEAM[0], (4, 2, 0)]);
    let again: Vec<Machine> = machines.iter().map(|machine| restarted(machine, document)).collect();
    for machine in machines.iter().chain(&again) {
        assert_eq!(machine.text(document), "kept ");
        assert_eq!(state(machine, document, &tail), State::Masked);
    }
    assert_eq!(edit(&machines[2], document), Err(EditError::Revoked));
    write(&mut machines[1], document, "still");
    settle(&mut machines, &[TEAM[0], (4, 2, 0)]);
    assert_eq!(machines[2].text(document), "kept still");
}

#[test]
fn row_37_a_revocation_reaches_a_document_that_is_closed_when_it_is_opened() {
    let Team { mut machines, document, identity, .. } = team();
    let tail = write(&mut machines[2], document, "stolen ");
    settle(&mut machines, &TEAM);
    let stolen = author(&machines[2]);
    let mut owner = machines[0].restarted_on(|_| ());
    owner.command(Command::Open(identity));
    part(&mut machines, TEAM[0]);
    operate_as(&mut machines[1], identity, &root_key(), revoke(Subject::Key(stolen)));
    owner.join(identity, &machines[1]);
    machines[0] = owner;
    connect(&mut machines, (5, 0, 1));
    settle(&mut machines, &[(5, 0, 1)]);
    machines[0].command(Command::Open(document));
    assert_eq!(state(&machines[0], document, &tail), State::Masked);
}

#[test]
fn row_38_what_cites_an_unknown_certificate_waits_and_is_accepted_when_it_comes() {
    let Team { mut machines, document, identity, certificates } = team();
    let change = write(&mut machines[1], document, "early ");
    let messages = machines[1].sent(1);
    let mut late = Machine::new(9);
    late.join(document, &machines[1]);
    machines.push(late);
    connect(&mut machines, (9, 3, 1));
    // The device says everything of the document, and nothing of its identity yet.
    let is_of_identity = |machine: &Machine| machine.engine.catalog().entry(&identity).is_some();
    for _ in 0..4 {
        machines[3].sync();
        for message in machines[3].sent(9) {
            let is_about_log = matches!(&message, pistol_sync::proto::message::Message::Interest(interest)
                if interest.scope == pistol_sync::proto::message::Scope::Document(identity.0));
            if !is_about_log {
                machines[1].receive(9, &message);
            }
        }
        machines[1].sync();
        for message in machines[1].sent(9) {
            machines[3].receive(9, &message);
        }
    }
    assert!(!is_of_identity(&machines[3]));
    assert_eq!(state(&machines[3], document, &change), State::Unknown, "it waits in the peer's room");
    let waiting = machines[3].engine.documents().look(&document, |insight| insight.state.waiting).unwrap();
    assert_eq!(waiting, 1);
    // Whoever meets the owner, who holds the identity, hears the rest.
    assert!(!messages.is_empty());
    for message in messages {
        machines[0].receive(1, &message);
    }
    machines[0].sync();
    let owner = machines[0].restarted_on(|_| ());
    machines[3].join(document, &owner);
    connect(&mut machines, (10, 3, 0));
    settle(&mut machines, &[(10, 3, 0)]);
    assert!(is_of_identity(&machines[3]));
    assert_eq!(state(&machines[3], document, &change), State::Accepted);
    assert_eq!(machines[3].text(document), "early ");
    let holds = |id: &AuthorityId| {
        machines[3].engine.documents().look(&document, |insight| insight.access.unwrap().holds(id)).unwrap()
    };
    assert!(certificates.iter().all(holds));
}

#[test]
fn a_member_of_a_group_writes_by_way_of_their_identity_and_no_more_when_the_group_lets_them_go() {
    let Team { mut machines, identity, .. } = team();
    let group_root = AuthorKey::from_seed(&machines[0].node.0);
    let group = create_log(&mut machines[0], Kind::Group, &group_root);
    operate(&mut machines[0], group, grant(Subject::Identity(identity), Role::Admin)).unwrap();
    let other = machines[0].create_of(Policy::Members, [1; 16]);
    machines[0].sync();
    operate(&mut machines[0], other, grant(Subject::Group(group), Role::Writer)).unwrap();
    let [owner, device] = machines.get_disjoint_mut([0, 2]).unwrap();
    device.join(other, owner);
    settle(&mut machines, &TEAM);
    write(&mut machines[2], other, "by way of three ");
    settle(&mut machines, &TEAM);
    assert_eq!(machines[0].text(other), "by way of three ");
    assert_eq!(restarted(&machines[2], other).text(other), "by way of three ");
    operate(&mut machines[0], group, revoke(Subject::Identity(identity))).unwrap();
    settle(&mut machines, &TEAM);
    assert_eq!(edit(&machines[2], other), Err(EditError::Revoked));
    assert_eq!(restarted(&machines[0], other).text(other), "");
}

#[test]
fn an_admin_by_way_of_an_identity_grants_and_both_logs_survive_a_restart() {
    let Team { mut machines, document, identity, .. } = team();
    operate(&mut machines[0], document, grant(Subject::Identity(identity), Role::Admin)).unwrap();
    settle(&mut machines, &TEAM);
    let friend = AuthorKey::from_seed(&[5; 32]).id();
    let granted = operate(&mut machines[2], document, grant(Subject::Key(friend), Role::Writer)).unwrap();
    settle(&mut machines, &TEAM);
    for machine in &machines {
        let again = restarted(machine, document);
        let holds = |machine: &Machine| {
            machine.engine.documents().look(&document, |insight| insight.access.unwrap().is_valid(&granted)).unwrap()
        };
        assert!(holds(machine) && holds(&again));
    }
}

#[test]
fn a_device_of_an_identity_whose_root_key_is_made_a_root_grants_and_writes_as_one() {
    let Team { mut machines, document, identity, .. } = team();
    let friend = grant(Subject::Key(AuthorKey::from_seed(&[5; 32]).id()), Role::Writer);
    assert!(operate(&mut machines[2], document, friend.clone()).is_err(), "a writer grants nothing");
    let added = operate(&mut machines[0], document, Action::AddRoot { key: root_key().id() }).unwrap();
    settle(&mut machines, &TEAM);
    let granted = operate(&mut machines[2], document, friend).unwrap();
    let change = write(&mut machines[2], document, "a root's ");
    settle(&mut machines, &TEAM);
    let again = restarted(&machines[0], document);
    for machine in machines.iter().chain([&again]) {
        let is_granted = |insight: pistol_engine::Insight<'_>| {
            let access = insight.access.unwrap();
            let op = access.operations(&document, 0).find(|signed| signed.id() == granted).unwrap();
            access.is_valid(&granted) && op.op().proof.first() == Some(&added)
        };
        assert_eq!(machine.engine.documents().look(&document, is_granted), Ok(true));
        assert_eq!(state(machine, document, &change), State::Accepted);
        assert_eq!(identity_of(machine, document, &change), Some(identity));
    }
}

#[test]
fn nothing_is_written_into_a_log_of_its_own() {
    let Team { machines, identity, .. } = team();
    let edited = machines[1].engine.documents().edit(&identity, Now::default(), None, |edit| edit.put("key", 1));
    assert_eq!(edited.map(|_| ()), Err(EditError::NoContent));
}

#[test]
fn a_log_is_not_removed_while_documents_may_depend_on_it() {
    let Team { mut machines, document, identity, .. } = team();
    let is_needed = |machine: &mut Machine| {
        machine.effects.clear();
        machine.command(Command::Forget(identity));
        machine.sync();
        machine.effects.iter().any(|effect| {
            matches!(effect, pistol_engine::Effect::Reply { reply: Err(pistol_engine::ReplyError::Needed), .. })
        })
    };
    assert!(is_needed(&mut machines[0]));
    machines[0].command(Command::Forget(document));
    machines[0].sync();
    assert!(!is_needed(&mut machines[0]));
    assert!(machines[0].engine.catalog().entry(&identity).is_none());
}

#[test]
fn a_file_of_a_document_carries_the_logs_that_it_depends_on() {
    let Team { mut machines, document, identity, .. } = team();
    let change = write(&mut machines[2], document, "in a file ");
    settle(&mut machines, &TEAM);
    let file = export(&machines[0].store, &document).unwrap();
    assert!(file.starts_with(b"pistol document 3\n"));
    let read = || Exported::read(&file).unwrap();
    assert_eq!(read().logs(), [identity]);
    let mut elsewhere = Machine::new(7);
    elsewhere.command(Command::Import(read()));
    elsewhere.sync();
    for machine in [&elsewhere, &restarted(&elsewhere, document)] {
        assert_eq!(machine.text(document), "in a file ");
        assert_eq!(identity_of(machine, document, &change), Some(identity));
    }
    // The identity is a log of its own there too; what is here already is kept.
    elsewhere.command(Command::Open(identity));
    elsewhere.command(Command::Import(read()));
    elsewhere.sync();
    assert_eq!(elsewhere.rows(Table::Operations).len(), machines[0].rows(Table::Operations).len());
    let again = export(&elsewhere.store, &document).unwrap();
    assert_eq!(Exported::read(&again).unwrap().changes(), 1);
    for at in 0..file.len() {
        let mut altered = file.clone();
        altered[at] ^= 1;
        assert!(Exported::read(&altered).is_err(), "byte {at}");
    }
}

#[test]
fn an_identity_is_a_file_of_its_own() {
    let Team { machines, identity, .. } = team();
    let file = export(&machines[0].store, &identity).unwrap();
    let mut elsewhere = Machine::new(7);
    elsewhere.command(Command::Import(Exported::read(&file).unwrap()));
    elsewhere.sync();
    assert_eq!(elsewhere.rows(Table::Operations).len(), 2);
}

#[test]
fn rows_of_a_document_that_are_put_in_order_stand_on_the_logs_of_the_store() {
    let Team { mut machines, document, .. } = team();
    write(&mut machines[2], document, "one ");
    settle(&mut machines, &TEAM);
    // The last row of changes is damaged: what is left is put in order, and nothing of the log is lost.
    let mut owner = machines[0].restarted_on(|store| {
        let tail = store.range(Table::Tail, b"", &[0xff; 64], usize::MAX).unwrap();
        let mut batch = Batch::default();
        batch.put(Table::Tail, tail[0].0.as_slice(), b"nothing".as_slice());
        store.commit(&batch).unwrap();
    });
    let operations = owner.rows(Table::Operations);
    owner.command(Command::Open(document));
    owner.sync();
    assert_eq!(owner.text(document), "");
    assert_eq!(owner.rows(Table::Operations), operations);
    machines[0] = owner;
    machines[1] = restarted(&machines[1], document);
    connect(&mut machines, (6, 1, 0));
    settle(&mut machines, &[(6, 1, 0)]);
    assert_eq!(machines[0].text(document), "one ");
}
