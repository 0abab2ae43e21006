//! Spaces, node by node: their documents come with them, and row 47 of the catalogue of access.

mod hostile;

use std::sync::Arc;

use pistol_acl::Place;
use pistol_acl::record::{Action, Heads, Keep, Mode, Role, Subject};
use pistol_core::genesis::{Genesis, Kind, Limits, Policy, Read, ReadKey, Terms};
use pistol_core::id::{AuthorityId, DocumentId};
use pistol_core::key::{AuthorId, AuthorKey};
use pistol_engine::{Command, Effect, Input, OperateError, ReplyError, places};
use pistol_sync::proto::message::Message;
use pistol_sync::ticket::Ticket;

use crate::machine::{Machine, exchange};
use crate::wires::{connect, part, settle};

/// The key of the space in these tests.
fn space_key() -> ReadKey {
    ReadKey([9; 32])
}

fn key_of(machine: &Machine) -> AuthorKey {
    AuthorKey::from_seed(&machine.node.0)
}

fn author(machine: &Machine) -> AuthorId {
    key_of(machine).id()
}

fn terms(key: &AuthorKey, kind: Kind, policy: Policy) -> Terms {
    Terms {
        kind,
        roots: vec![key.id()],
        creator: 0,
        policy,
        limits: Limits::default(),
        read: Read::Public,
        skeleton: vec![],
        space: None,
        authority: vec![],
        app: uuid::Uuid::nil(),
        predecessor: None,
        nonce: [0; 16],
    }
}

fn create(machine: &mut Machine, terms: Terms, read_key: Option<ReadKey>) -> DocumentId {
    let read = read_key.as_ref().map_or(Read::Public, |key| Read::Key(key.commitment()));
    let genesis = Arc::new(Genesis::sign(&key_of(machine), Terms { read, ..terms }).unwrap());
    let id = genesis.id();
    machine.command(Command::Create { genesis, read_key });
    machine.sync();
    id
}

/// A space with readers of its own, and who may add documents to it.
fn create_space(machine: &mut Machine, policy: Policy) -> DocumentId {
    let terms = terms(&key_of(machine), Kind::Space, policy);
    create(machine, terms, Some(space_key()))
}

fn path_to_add(machine: &Machine, space: DocumentId) -> Option<Vec<AuthorityId>> {
    let of = author(machine);
    machine.engine.documents().look(&space, |insight| insight.access.unwrap().path_to_add(&of)).unwrap()
}

/// A document of anyone's, in a space, for its readers.
fn add(machine: &mut Machine, space: DocumentId, number: u8) -> DocumentId {
    let authority = path_to_add(machine, space).unwrap();
    add_citing(machine, space, number, authority)
}

fn add_citing(machine: &mut Machine, space: DocumentId, number: u8, authority: Vec<AuthorityId>) -> DocumentId {
    let nonce = [number; 16];
    let terms = terms(&key_of(machine), Kind::Document, Policy::WorldWritable);
    let key = space_key().of_document(&nonce);
    create(machine, Terms { space: Some(space), authority, nonce, ..terms }, Some(key))
}

fn operate(machine: &mut Machine, log: DocumentId, action: Action) -> Result<AuthorityId, OperateError> {
    let operated = machine.engine.documents().operate(&log, |_| Ok(action));
    machine.give(Input::Wake);
    machine.sync();
    operated
}

fn grant(to: &Machine, role: Role) -> Action {
    Action::Grant { to: Subject::Key(author(to)), role }
}

fn revoke(who: &Machine) -> Action {
    Action::Revoke { who: Subject::Key(author(who)), mode: Mode::Endorsed, cascade: false, keep: Keep::default() }
}

fn write(machine: &mut Machine, document: DocumentId, text: &str) {
    machine.write(document, text);
    machine.sync();
}

fn join(machine: &mut Machine, document: DocumentId, key: Option<ReadKey>, other: &Machine) {
    machine.command(Command::Join(Ticket::new(document, key, other.node, &[])));
}

fn place(machine: &Machine, space: DocumentId, document: DocumentId) -> Option<Place> {
    let catalog = machine.engine.catalog();
    let found = machine.engine.documents().look(&space, |insight| places(&catalog, insight.access.unwrap(), &space));
    found.unwrap().into_iter().find(|(id, _)| *id == document).map(|(_, place)| place)
}

fn open(machine: &mut Machine, document: DocumentId) {
    machine.command(Command::Open(document));
    machine.sync();
}

/// Whether a node and a peer hold the same of a space, its documents included.
fn is_equal(machine: &mut Machine, space: DocumentId) -> bool {
    machine.effects.clear();
    machine.command(Command::Synced { document: space, within_ms: 1000 });
    machine.effects.iter().any(|effect| matches!(effect, Effect::Reply { reply: Ok(_), .. }))
}

/// What a node shows of a document, if it holds it.
fn text(machine: &mut Machine, document: DocumentId) -> Option<String> {
    machine.engine.catalog().entry(&document)?;
    open(machine, document);
    Some(machine.text(document))
}

fn acknowledge(document: DocumentId) -> Action {
    Action::Checkpoint(Heads { document, heads: vec![], tips: vec![] })
}

const TO_OWNER: [(u64, usize, usize); 2] = [(1, 1, 0), (2, 2, 0)];

/// The owner of a space and two writers of it, each connected with the owner alone. All hold the space.
fn team() -> (Vec<Machine>, DocumentId) {
    let mut machines = vec![Machine::new(1), Machine::new(2), Machine::new(3)];
    let space = create_space(&mut machines[0], Policy::Members);
    for at in [1, 2] {
        let granted = grant(&machines[at], Role::Writer);
        operate(&mut machines[0], space, granted).unwrap();
    }
    for connection in TO_OWNER {
        let [member, owner] = machines.get_disjoint_mut([connection.1, 0]).unwrap();
        join(member, space, Some(space_key()), owner);
        connect(&mut machines, connection);
    }
    settle(&mut machines, &TO_OWNER);
    (machines, space)
}

#[test]
fn whoever_joins_a_space_gets_its_documents_and_what_becomes_of_them() {
    let (mut machines, space) = team();
    let mut documents = vec![add(&mut machines[0], space, 1)];
    write(&mut machines[0], documents[0], "the owner's");
    settle(&mut machines, &TO_OWNER);
    documents.push(add(&mut machines[1], space, 2));
    write(&mut machines[1], documents[1], "a member's");
    settle(&mut machines, &TO_OWNER);
    for machine in &mut machines {
        let texts = documents.iter().map(|document| text(machine, *document).unwrap()).collect::<Vec<_>>();
        assert_eq!(texts, ["the owner's", "a member's"]);
    }
    for machine in &mut machines {
        assert!(is_equal(machine, space));
    }
    let document = documents[1];
    write(&mut machines[2], document, ", and mine");
    settle(&mut machines, &TO_OWNER);
    for machine in &mut machines {
        assert_eq!(text(machine, document).unwrap().len(), "a member's, and mine".len());
        assert_eq!(place(machine, space, document), Some(Place::Here));
    }
}

#[test]
fn what_was_made_and_edited_apart_comes_when_nodes_meet_again_also_after_a_restart() {
    let (mut machines, space) = team();
    let early = add(&mut machines[1], space, 1);
    settle(&mut machines, &TO_OWNER);
    TO_OWNER.into_iter().for_each(|connection| part(&mut machines, connection));
    write(&mut machines[1], early, "edited apart");
    let mine = add(&mut machines[1], space, 2);
    write(&mut machines[1], mine, "made apart");
    let theirs = add(&mut machines[2], space, 3);
    write(&mut machines[2], theirs, "also apart");
    let mut machines: Vec<Machine> = machines.into_iter().map(Machine::restarted).collect();
    let again = [(3, 1, 0), (4, 2, 0)];
    again.into_iter().for_each(|connection| connect(&mut machines, connection));
    settle(&mut machines, &again);
    for machine in &mut machines {
        let shown = [early, mine, theirs].map(|document| text(machine, document));
        assert_eq!(shown, ["edited apart", "made apart", "also apart"].map(|text| Some(text.to_owned())));
    }
}

#[test]
fn where_both_hold_the_same_documents_nothing_is_listed() {
    let (mut machines, space) = team();
    for number in 1..=5 {
        add(&mut machines[0], space, number);
    }
    settle(&mut machines, &TO_OWNER);
    part(&mut machines, TO_OWNER[0]);
    let again = (3, 1, 0);
    connect(&mut machines, again);
    let mut sent = Vec::new();
    loop {
        machines.iter_mut().for_each(Machine::sync);
        let [one, other] = machines.get_disjoint_mut([1, 0]).unwrap();
        let messages = exchange(3, one, other);
        if messages.is_empty() {
            break;
        }
        sent.extend(messages);
    }
    let is_list = |message: &&Message| matches!(message, Message::Listed(..) | Message::MoreListed(..));
    assert_eq!(sent.iter().filter(is_list).count(), 0);
    assert_eq!(sent.iter().filter(|message| matches!(message, Message::Catalogue(..))).count(), 2);
}

#[test]
fn anyone_adds_documents_to_an_open_space_and_only_its_roots_to_an_owned_one() {
    for (policy, may_add) in [(Policy::WorldWritable, true), (Policy::Owned, false), (Policy::Members, false)] {
        let mut machines = vec![Machine::new(1), Machine::new(2)];
        let space = create_space(&mut machines[0], policy);
        let [owner, stranger] = machines.get_disjoint_mut([0, 1]).unwrap();
        join(stranger, space, Some(space_key()), owner);
        connect(&mut machines, (1, 1, 0));
        settle(&mut machines, &[(1, 1, 0)]);
        assert_eq!(path_to_add(&machines[1], space).is_some(), may_add);
        // It pays no heed to that.
        let document = add_citing(&mut machines[1], space, 1, vec![]);
        settle(&mut machines, &[(1, 1, 0)]);
        assert_eq!(text(&mut machines[0], document).is_some(), may_add, "{policy:?}");
        assert_eq!(place(&machines[1], space, document) == Some(Place::Here), may_add);
    }
}

#[test]
fn row_47_the_documents_of_a_revoked_author_leave_the_space_and_keep_their_content() {
    let (mut machines, space) = team();
    let document = add(&mut machines[1], space, 1);
    write(&mut machines[1], document, "kept");
    settle(&mut machines, &TO_OWNER);
    let revoked = revoke(&machines[1]);
    let revocation = operate(&mut machines[0], space, revoked).unwrap();
    settle(&mut machines, &TO_OWNER);
    for machine in &mut machines {
        assert_eq!(place(machine, space, document), Some(Place::Masked(revocation)));
        assert_eq!(text(machine, document).unwrap(), "kept");
    }
    // Who joins later is not told of it.
    machines.push(Machine::new(4));
    let [late, owner] = machines.get_disjoint_mut([3, 0]).unwrap();
    join(late, space, Some(space_key()), owner);
    connect(&mut machines, (3, 3, 0));
    settle(&mut machines, &[(1, 1, 0), (2, 2, 0), (3, 3, 0)]);
    assert_eq!(text(&mut machines[3], document), None);
    assert!(machines[3].engine.catalog().entry(&space).is_some());
}

#[test]
fn row_47_a_document_that_another_member_acknowledged_stays() {
    let (mut machines, space) = team();
    let document = add(&mut machines[1], space, 1);
    settle(&mut machines, &TO_OWNER);
    operate(&mut machines[2], space, acknowledge(document)).unwrap();
    settle(&mut machines, &TO_OWNER);
    let revoked = revoke(&machines[1]);
    operate(&mut machines[0], space, revoked).unwrap();
    settle(&mut machines, &TO_OWNER);
    for machine in &machines {
        assert_eq!(place(machine, space, document), Some(Place::Here));
    }
    // A document that is added now has no place, whatever its author cites.
    let authority = {
        let of = machines[1].engine.documents();
        of.look(&space, |insight| insight.access.unwrap().heads(&space)).unwrap()
    };
    let late = add_citing(&mut machines[1], space, 2, authority[..1].to_vec());
    settle(&mut machines, &TO_OWNER);
    assert_eq!(text(&mut machines[0], late), None);
}

#[test]
fn who_edits_anothers_document_first_speaks_for_it_once() {
    let (mut machines, space) = team();
    let document = add(&mut machines[1], space, 1);
    settle(&mut machines, &TO_OWNER);
    let count = |machine: &Machine| {
        machine.engine.documents().look(&space, |insight| insight.access.unwrap().operation_count(&space)).unwrap()
    };
    let before = count(&machines[0]);
    open(&mut machines[2], document);
    write(&mut machines[1], document, "the creator's own edits say nothing");
    settle(&mut machines, &TO_OWNER);
    assert_eq!(count(&machines[0]), before);
    (0..3).for_each(|_| write(&mut machines[2], document, "a friend's do"));
    settle(&mut machines, &TO_OWNER);
    assert_eq!(count(&machines[0]), before + 1);
    open(&mut machines[0], document);
    write(&mut machines[0], document, "and one is enough");
    settle(&mut machines, &TO_OWNER);
    assert_eq!(count(&machines[2]), before + 1);
    let revoked = revoke(&machines[1]);
    operate(&mut machines[0], space, revoked).unwrap();
    settle(&mut machines, &TO_OWNER);
    assert_eq!(place(&machines[2], space, document), Some(Place::Here));
}

#[test]
fn a_document_that_the_owner_removed_is_told_to_nobody_until_the_space_is_released() {
    let (mut machines, space) = team();
    let document = add(&mut machines[1], space, 1);
    settle(&mut machines, &TO_OWNER);
    assert!(matches!(
        operate(&mut machines[2], space, Action::RemoveDocument { document }),
        Err(OperateError::Power(_))
    ));
    let removal = operate(&mut machines[0], space, Action::RemoveDocument { document }).unwrap();
    settle(&mut machines, &TO_OWNER);
    assert_eq!(place(&machines[2], space, document), Some(Place::Removed(removal)));
    machines.push(Machine::new(4));
    let [late, owner] = machines.get_disjoint_mut([3, 0]).unwrap();
    join(late, space, Some(space_key()), owner);
    let all = [(1, 1, 0), (2, 2, 0), (3, 3, 0)];
    connect(&mut machines, all[2]);
    settle(&mut machines, &all);
    assert_eq!(text(&mut machines[3], document), None);
    operate(&mut machines[0], space, Action::Release).unwrap();
    settle(&mut machines, &all);
    assert_eq!(text(&mut machines[3], document), Some(String::new()));
}

#[test]
fn a_documents_members_may_be_those_of_its_space_and_its_readers_see_who_they_are_but_no_other_document() {
    let (mut machines, space) = team();
    let nonce = [1; 16];
    let key = space_key().of_document(&nonce);
    let authority = path_to_add(&machines[0], space).unwrap();
    let made =
        Terms { space: Some(space), authority, nonce, ..terms(&key_of(&machines[0]), Kind::Document, Policy::Members) };
    let document = create(&mut machines[0], made, Some(key.clone()));
    let of_space = Action::Grant { to: Subject::Space(space), role: Role::Writer };
    operate(&mut machines[0], document, of_space).unwrap();
    let other = add(&mut machines[0], space, 2);
    settle(&mut machines, &TO_OWNER);
    open(&mut machines[1], document);
    write(&mut machines[1], document, "a member of the space");
    settle(&mut machines, &TO_OWNER);
    assert_eq!(text(&mut machines[0], document).unwrap(), "a member of the space");
    // A reader of the document alone.
    machines.push(Machine::new(4));
    let [reader, owner] = machines.get_disjoint_mut([3, 0]).unwrap();
    join(reader, document, Some(key), owner);
    let all = [(1, 1, 0), (2, 2, 0), (3, 3, 0)];
    connect(&mut machines, all[2]);
    settle(&mut machines, &all);
    assert_eq!(text(&mut machines[3], document).unwrap(), "a member of the space");
    assert_eq!(text(&mut machines[3], other), None);
    // Revoked in the space, revoked in the document.
    let revoked = revoke(&machines[1]);
    operate(&mut machines[0], space, revoked).unwrap();
    settle(&mut machines, &all);
    assert_eq!(text(&mut machines[3], document).unwrap(), "");
}

#[test]
fn a_space_is_forgotten_with_all_that_is_in_it_and_no_document_of_it_alone() {
    let (mut machines, space) = team();
    let documents = [add(&mut machines[0], space, 1), add(&mut machines[1], space, 2)];
    settle(&mut machines, &TO_OWNER);
    // Another space has nothing to do with it.
    let other = create_space(&mut machines[2], Policy::Members);
    let reply = |machine: &mut Machine, document| {
        machine.effects.clear();
        machine.command(Command::Forget(document));
        (0..50).for_each(|_| machine.sync());
        let reply = machine.effects.iter().find_map(|effect| match effect {
            Effect::Reply { reply, .. } => Some(reply.clone()),
            _ => None,
        });
        reply.unwrap()
    };
    assert_eq!(reply(&mut machines[2], documents[0]), Err(ReplyError::InSpace));
    assert!(reply(&mut machines[2], space).is_ok());
    assert_eq!(machines[2].engine.catalog().len(), 1);
    settle(&mut machines, &TO_OWNER);
    assert_eq!(machines[2].engine.catalog().len(), 1);
    assert!(reply(&mut machines[2], other).is_ok());
    let mut again = machines.pop().unwrap().restarted();
    assert!(again.engine.catalog().is_empty());
    // It can be joined again.
    join(&mut again, space, Some(space_key()), &machines[0]);
    machines.push(again);
    let connections = [(1, 1, 0), (3, 2, 0)];
    connect(&mut machines, connections[1]);
    settle(&mut machines, &connections);
    assert_eq!(documents.map(|document| text(&mut machines[2], document)), [Some(String::new()), Some(String::new())]);
}
