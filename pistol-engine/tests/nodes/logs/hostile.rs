//! What somebody may try with logs of their own.

use pistol_core::codec::Writer;
use pistol_core::hash::{Context, hash};
use pistol_sync::proto::message::{Follow, Heads, Message, Refusal, Scope};

use super::*;

/// The logs that a node asks for on a connection, with the topics.
fn asked(messages: &[Message]) -> Vec<(u32, DocumentId)> {
    let of = |message: &Message| match message {
        Message::Interest(interest) => match interest.scope {
            Scope::Document(id) => Some((interest.topic, DocumentId(id))),
            _ => None,
        },
        _ => None,
    };
    messages.iter().filter_map(of).collect()
}

/// An owner and a reader of one document, on connection 1, who told each other everything.
fn two() -> (Vec<Machine>, DocumentId) {
    let mut machines = vec![Machine::new(1), Machine::new(2)];
    let document = machines[0].create_of(Policy::Members, [0; 16]);
    machines[0].sync();
    let [owner, reader] = machines.get_disjoint_mut([0, 1]).unwrap();
    reader.join(document, owner);
    connect(&mut machines, (1, 1, 0));
    settle(&mut machines, &[(1, 1, 0)]);
    (machines, document)
}

fn name(machines: &mut [Machine], document: DocumentId, subjects: impl Iterator<Item = Subject>) {
    for subject in subjects {
        let granted = machines[0].engine.documents().operate(&document, |_| Ok(grant(subject, Role::Writer)));
        granted.unwrap();
    }
    machines[0].give(Input::Wake);
    machines[0].sync();
}

fn nobody(number: u16) -> DocumentId {
    DocumentId(std::array::from_fn(|at| number.to_le_bytes()[at % 2]))
}

#[test]
fn of_hundreds_of_logs_that_nobody_has_a_few_are_asked_for_at_a_time_and_the_document_goes_on() {
    let (mut machines, document) = two();
    name(&mut machines, document, (0..200).map(|number| Subject::Identity(nobody(number))));
    for message in machines[0].sent(1) {
        machines[1].receive(1, &message);
    }
    machines[1].sync();
    let sent = machines[1].sent(1);
    let asked_first = asked(&sent).len();
    assert!((1..=64).contains(&asked_first), "{asked_first}");
    for message in &sent {
        machines[0].receive(1, message);
    }
    settle(&mut machines, &[(1, 1, 0)]);
    write(&mut machines[0], document, "goes on");
    settle(&mut machines, &[(1, 1, 0)]);
    assert_eq!(machines[1].text(document), "goes on");
    // Who said no is asked again, not at once and never all together.
    let mut asked_again = 0;
    for _ in 0..20 {
        machines[1].now_ms =
            machines[1].engine.deadline_ms().unwrap_or(machines[1].now_ms + 1000).max(machines[1].now_ms);
        machines[1].give(Input::Wake);
        let sent = machines[1].sent(1);
        assert!(asked(&sent).len() <= 64, "{}", asked(&sent).len());
        asked_again += asked(&sent).len();
        for (topic, _) in asked(&sent) {
            machines[1].receive(1, &Message::Refused(topic, Refusal::NotStored));
        }
    }
    assert!(asked_again > 0);
    assert_eq!(machines[1].engine.catalog().len(), 1);
}

#[test]
fn more_logs_than_nodes_look_for_are_not_named() {
    let (mut machines, document) = two();
    let most = u16::try_from(pistol_acl::limits::LOGS_MAX).unwrap();
    name(&mut machines, document, (0..most).map(|number| Subject::Group(nobody(number))));
    let one_more = operate(&mut machines[0], document, grant(Subject::Group(nobody(most)), Role::Writer));
    assert_eq!(one_more, Err(OperateError::TooManyLogs));
    assert!(operate(&mut machines[0], document, grant(Subject::Group(nobody(0)), Role::Admin)).is_ok());
}

#[test]
fn groups_that_name_each_other_are_followed_once_and_open() {
    let (mut machines, document) = two();
    let keys = [8, 9].map(|seed| AuthorKey::from_seed(&[seed; 32]));
    let groups = [0, 1].map(|at| create_log(&mut machines[0], Kind::Group, &keys[at]));
    for at in [0, 1] {
        operate_as(&mut machines[0], groups[at], &keys[at], grant(Subject::Group(groups[1 - at]), Role::Admin));
        operate_as(&mut machines[0], groups[at], &keys[at], grant(Subject::Group(groups[at]), Role::Admin));
    }
    let reader = author(&machines[1]);
    operate_as(&mut machines[0], groups[1], &keys[1], grant(Subject::Key(reader), Role::Writer));
    operate(&mut machines[0], document, grant(Subject::Group(groups[0]), Role::Writer)).unwrap();
    settle(&mut machines, &[(1, 1, 0)]);
    write(&mut machines[1], document, "through both");
    settle(&mut machines, &[(1, 1, 0)]);
    for machine in &machines {
        let mut again = restarted(machine, document);
        assert_eq!(again.text(document), "through both");
        for group in groups {
            again.command(Command::Open(group));
            assert!(again.engine.documents().is_open(&group));
        }
    }
}

#[test]
fn a_document_that_is_named_as_a_group_is_not_taken_for_one() {
    let (mut machines, document) = two();
    let other = machines[0].create_of(Policy::Members, [3; 16]);
    machines[0].sync();
    name(&mut machines, document, [Subject::Group(other), Subject::Identity(other)].into_iter());
    settle(&mut machines, &[(1, 1, 0)]);
    assert_eq!(machines[1].engine.catalog().len(), 1);
    write(&mut machines[0], document, "goes on");
    settle(&mut machines, &[(1, 1, 0)]);
    assert_eq!([0, 1].map(|at| machines[at].text(document)), ["goes on", "goes on"]);
    assert_eq!(restarted(&machines[0], document).text(document), "goes on");
}

#[test]
fn an_identity_that_is_named_as_a_group_gives_its_devices_nothing() {
    let (mut machines, document) = two();
    let identity = create_log(&mut machines[0], Kind::Identity, &root_key());
    let device = author(&machines[1]);
    operate_as(&mut machines[0], identity, &root_key(), grant(Subject::Key(device), Role::Admin));
    name(&mut machines, document, [Subject::Group(identity)].into_iter());
    settle(&mut machines, &[(1, 1, 0)]);
    assert_eq!(edit(&machines[1], document), Err(EditError::NotAMember));
    assert!(machines[1].engine.catalog().entry(&identity).is_none());
}

#[test]
fn who_answers_with_another_genesis_is_hung_up_on_and_nothing_is_kept() {
    let (mut machines, document) = two();
    let (wanted, other) = (nobody(1), log_genesis(Kind::Identity, &root_key()));
    name(&mut machines, document, [Subject::Identity(wanted)].into_iter());
    for message in machines[0].sent(1) {
        machines[1].receive(1, &message);
    }
    machines[1].sync();
    let topic = asked(&machines[1].sent(1)).into_iter().find(|(_, log)| *log == wanted).unwrap().0;
    let genesis = Some(other.bytes().to_vec());
    machines[1].receive(1, &Message::Follow(Follow { topic, proof: None, genesis, heads: Heads::all(vec![]) }));
    assert!(machines[1].has_closed(1));
    assert_eq!(machines[1].engine.catalog().len(), 1);
}

#[test]
fn nobody_is_sent_a_log_that_nothing_here_names() {
    let (mut machines, document) = two();
    let strange = log_genesis(Kind::Identity, &root_key());
    let genesis = Some(strange.bytes().to_vec());
    machines[1].receive(1, &Message::Follow(Follow { topic: 90, proof: None, genesis, heads: Heads::all(vec![]) }));
    assert!(machines[1].has_closed(1) && machines[1].engine.catalog().len() == 1);
    assert!(machines[1].engine.documents().is_open(&document));
}

#[test]
fn however_a_node_ends_what_is_stored_stands_on_what_is_stored() {
    let Team { mut machines, document, identity, .. } = team();
    for round in 0..6 {
        let device = 1 + round % 2;
        machines[device].write(document, "more ");
        let friend = AuthorKey::from_seed(&[u8::try_from(100 + round).unwrap(); 32]).id();
        let certified = grant(Subject::Key(friend), Role::Writer);
        machines[1].engine.documents().operate(&identity, |_| Ok(certified)).unwrap();
        machines[1].give(Input::Wake);
        let mut is_any = true;
        while is_any {
            is_any = machines.iter_mut().filter_map(|machine| machine.sync_once().then_some(())).count() > 0;
            for (connection, one, other) in TEAM {
                let [one, other] = machines.get_disjoint_mut([one, other]).unwrap();
                is_any |= !exchange(connection, one, other).is_empty();
            }
            for machine in &machines {
                let again = restarted(machine, document);
                let damage = again.engine.documents().look(&document, |insight| insight.state.damage.is_some());
                assert_eq!(damage, Ok(false));
            }
        }
    }
    let texts: Vec<String> = machines.iter().map(|machine| machine.text(document)).collect();
    assert_eq!(texts, vec!["more ".repeat(6); 3]);
}

/// The owner of a document, a reader who is an admin there for a while, and somebody with an identity of their own.
#[test]
fn who_named_logs_without_end_keeps_no_other_from_being_found_when_they_are_out() {
    let mut machines = vec![Machine::new(1), Machine::new(2), Machine::new(3)];
    let document = machines[0].create_of(Policy::Members, [0; 16]);
    machines[0].sync();
    let (admin, device) = (Subject::Key(author(&machines[1])), Subject::Key(author(&machines[2])));
    operate(&mut machines[0], document, grant(admin, Role::Admin)).unwrap();
    for at in [1, 2] {
        let [owner, other] = machines.get_disjoint_mut([0, at]).unwrap();
        other.join(document, owner);
    }
    TEAM.into_iter().for_each(|connection| connect(&mut machines, connection));
    settle(&mut machines, &TEAM);
    for number in 0..u16::try_from(pistol_acl::limits::LOGS_MAX).unwrap() {
        let named = grant(Subject::Group(nobody(number)), Role::Writer);
        machines[1].engine.documents().operate(&document, |_| Ok(named)).unwrap();
    }
    machines[1].give(Input::Wake);
    settle(&mut machines, &TEAM);
    let out = Action::Revoke { who: admin, mode: Mode::Exact, cascade: true, keep: Keep::default() };
    operate(&mut machines[0], document, out).unwrap();
    let identity = create_log(&mut machines[2], Kind::Identity, &root_key());
    operate_as(&mut machines[2], identity, &root_key(), grant(device, Role::Admin));
    operate(&mut machines[0], document, grant(Subject::Identity(identity), Role::Writer)).unwrap();
    settle(&mut machines, &TEAM);
    write(&mut machines[2], document, "found");
    settle(&mut machines, &TEAM);
    for at in [0, 2] {
        assert_eq!(machines[at].text(document), "found");
        let again = restarted(&machines[at], document);
        let damage = again.engine.documents().look(&document, |insight| insight.state.damage.is_some());
        assert_eq!((again.text(document).as_str(), damage), ("found", Ok(false)), "machine {at}");
    }
}

#[test]
fn what_was_named_as_another_kind_before_is_found_by_who_names_it_rightly() {
    for is_same_document in [true, false] {
        let (mut machines, document) = two();
        let identity = create_log(&mut machines[0], Kind::Identity, &root_key());
        let device = author(&machines[1]);
        operate_as(&mut machines[0], identity, &root_key(), grant(Subject::Key(device), Role::Admin));
        name(&mut machines, document, [Subject::Group(identity)].into_iter());
        settle(&mut machines, &[(1, 1, 0)]);
        assert_eq!(edit(&machines[1], document), Err(EditError::NotAMember));
        let other = if is_same_document { document } else { machines[0].create_of(Policy::Members, [9; 16]) };
        machines[0].sync();
        name(&mut machines, other, [Subject::Identity(identity)].into_iter());
        if !is_same_document {
            let [owner, reader] = machines.get_disjoint_mut([0, 1]).unwrap();
            reader.join(other, owner);
        }
        settle(&mut machines, &[(1, 1, 0)]);
        write(&mut machines[1], other, "found");
        settle(&mut machines, &[(1, 1, 0)]);
        for machine in &machines {
            assert_eq!(machine.text(other), "found");
            assert_eq!(restarted(machine, other).text(other), "found");
        }
        let file = Exported::read(&export(&machines[0].store, &other).unwrap()).unwrap();
        assert_eq!((file.logs(), file.changes()), (vec![identity], 1));
    }
}

/// A file as `docs/storage.md` has it, of the third version.
fn file(genesis: &[u8], operations: &[Vec<u8>], others: &[(&[u8], &[Vec<u8>])]) -> Vec<u8> {
    let mut writer = Writer::new();
    let write_all = |writer: &mut Writer, operations: &[Vec<u8>]| {
        writer.length(operations.len());
        operations.iter().for_each(|operation| writer.bytes(operation));
    };
    writer.raw(b"pistol document 3\n");
    writer.bytes(genesis);
    write_all(&mut writer, operations);
    writer.length(others.len());
    for (genesis, operations) in others {
        writer.bytes(genesis);
        write_all(&mut writer, operations);
    }
    writer.length(0);
    let hash = hash(Context::Export, &[writer.as_bytes()]);
    writer.raw(&hash);
    writer.into_bytes()
}

#[test]
fn in_a_file_each_operation_lies_in_its_own_log_after_what_it_follows_on() {
    let (mut machines, document) = two();
    let mut logs = Vec::new();
    for (seed, kind) in [(8, Kind::Identity), (9, Kind::Group)] {
        let key = AuthorKey::from_seed(&[seed; 32]);
        let log = create_log(&mut machines[0], kind, &key);
        for role in [Role::Admin, Role::Writer] {
            operate_as(&mut machines[0], log, &key, grant(Subject::Key(key.id()), role));
        }
        logs.push((log, log_genesis(kind, &key)));
    }
    let named = [Subject::Identity(logs[0].0), Subject::Group(logs[1].0)];
    name(&mut machines, document, named.into_iter());
    let genesis = machines[0].engine.documents().look(&document, |insight| insight.held.genesis().bytes().to_vec());
    let (genesis, own) = (genesis.unwrap(), operations(&machines[0], document));
    let all = [0, 1].map(|at: usize| operations(&machines[0], logs[at].0));
    let (both, reversed): (Vec<_>, Vec<_>) = (all.concat(), all[0].iter().rev().cloned().collect());
    let bytes = |at: usize| logs[at].1.bytes();
    let right = file(&genesis, &own, &[(bytes(0), &all[0]), (bytes(1), &all[1])]);
    assert_eq!(Exported::read(&right).unwrap().logs(), [logs[0].0, logs[1].0]);
    for wrong in [
        file(&genesis, &own, &[(bytes(0), &both), (bytes(1), &[])]),
        file(&genesis, &[own.clone(), all[0].clone()].concat(), &[(bytes(0), &all[0]), (bytes(1), &all[1])]),
        file(&genesis, &own, &[(bytes(0), &all[0]), (bytes(1), &all[1]), (bytes(1), &all[1])]),
        file(&genesis, &own, &[(bytes(0), &reversed), (bytes(1), &all[1])]),
    ] {
        assert!(Exported::read(&wrong).is_err());
    }
}

/// What is held of a log.
fn operations(machine: &Machine, log: DocumentId) -> Vec<Vec<u8>> {
    let of = |insight: pistol_engine::Insight<'_>| {
        insight.access.unwrap().operations(&log, 0).map(|signed| signed.bytes().to_vec()).collect()
    };
    machine.engine.documents().look(&log, of).unwrap()
}
