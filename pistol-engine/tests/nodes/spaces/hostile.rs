//! Peers that lie about the documents of a space.

use pistol_core::genesis::Policy;
use pistol_core::id::DocumentId;
use pistol_sync::proto::message::{Listed, Message, Refusal, Topic};

use super::{add, add_citing, connect, create_space, join, settle, space_key, team, text};
use crate::machine::Machine;

/// The topic by which two nodes call a space on a connection, as the one that asked for it says.
fn topic_of_space(machines: &mut Vec<Machine>, space: DocumentId) -> (Topic, u64) {
    machines.push(Machine::new(9));
    let at = machines.len() - 1;
    let [late, owner] = machines.get_disjoint_mut([at, 0]).unwrap();
    join(late, space, Some(space_key()), owner);
    connect(machines, (9, at, 0));
    let mut topics = machines[at].effects.iter().filter_map(|effect| match effect {
        pistol_engine::Effect::Send { frame, .. } => match Message::from_frame(frame) {
            Ok(Some(Message::Interest(interest))) => Some(interest.topic),
            _ => None,
        },
        _ => None,
    });
    let topic = topics.next_back().unwrap();
    settle(machines, &[(9, at, 0)]);
    (topic, 9)
}

fn interests(sent: &[Message]) -> Vec<Topic> {
    let interest = |message: &Message| match message {
        Message::Interest(interest) => Some(interest.topic),
        _ => None,
    };
    sent.iter().filter_map(interest).collect()
}

#[test]
fn documents_that_a_peer_tells_of_and_does_not_have_are_asked_for_a_few_at_a_time_and_once() {
    let (mut machines, space) = team();
    let (topic, connection) = topic_of_space(&mut machines, space);
    let ids = (0..1000_u32).map(|number| std::array::from_fn(|at| number.to_be_bytes()[at % 4])).collect();
    machines[0].receive(connection, &Message::Listed(topic, Listed { ids, has_more: Some(false) }));
    let mut asked = 0;
    loop {
        machines[0].sync();
        let sent = interests(&machines[0].sent(connection));
        assert!(sent.len() <= 64, "{}", sent.len());
        if sent.is_empty() {
            break;
        }
        asked += sent.len();
        for topic in sent {
            machines[0].receive(connection, &Message::Refused(topic, Refusal::NotStored));
        }
    }
    assert_eq!(asked, 1000);
    machines[0].now_ms += 60_000;
    machines[0].give(pistol_engine::Input::Wake);
    assert_eq!(interests(&machines[0].sent(connection)).len(), 0, "it tells again when it has them");
    // The others go on.
    let document = add(&mut machines[1], space, 1);
    settle(&mut machines, &super::TO_OWNER);
    assert_eq!(text(&mut machines[2], document), Some(String::new()));
}

#[test]
fn more_than_may_be_queued_is_asked_for_again_and_not_kept() {
    let (mut machines, space) = team();
    let (topic, connection) = topic_of_space(&mut machines, space);
    for part in 0..6_u32 {
        let id = |number: u32| std::array::from_fn(|at| (part << 24 | number).to_be_bytes()[at % 4]);
        let ids = (0..16_384).map(id).collect();
        machines[0].receive(connection, &Message::Listed(topic, Listed { ids, has_more: None }));
    }
    let mut asked = 0;
    let is_list = |message: &Message| matches!(message, Message::MoreListed(..));
    loop {
        let sent = machines[0].sent(connection);
        let topics = interests(&sent);
        asked += topics.len();
        if topics.is_empty() {
            assert!(sent.iter().any(is_list));
            break;
        }
        for topic in topics {
            machines[0].receive(connection, &Message::Refused(topic, Refusal::NotStored));
        }
    }
    assert!(asked < 5 * 16_384, "{asked}");
}

#[test]
fn a_document_of_another_space_or_without_a_place_is_not_kept() {
    let (mut machines, space) = team();
    let connection = (7, 3, 0);
    machines.push(Machine::new(8));
    // It says that a space of its own is this one, and adds what it may not to this one.
    let [liar, owner] = machines.get_disjoint_mut([3, 0]).unwrap();
    join(liar, space, Some(space_key()), owner);
    connect(&mut machines, connection);
    settle(&mut machines, &[connection]);
    let other = create_space(&mut machines[3], Policy::Members);
    let strays = [add(&mut machines[3], other, 1), add_citing(&mut machines[3], space, 2, vec![])];
    let topic = 0;
    let ids = strays.iter().map(|id| id.0).collect();
    machines[0].receive(connection.0, &Message::Listed(topic, Listed { ids, has_more: None }));
    settle(&mut machines, &[connection]);
    for stray in strays {
        assert_eq!(text(&mut machines[0], stray), None);
    }
    // Where it belongs, it is taken all the same.
    let [owner, liar] = machines.get_disjoint_mut([0, 3]).unwrap();
    join(owner, other, Some(space_key()), liar);
    settle(&mut machines, &[connection]);
    assert_eq!(strays.map(|stray| text(&mut machines[0], stray)), [Some(String::new()), None]);
}

#[test]
fn who_has_no_key_of_the_space_is_told_nothing_and_may_not_tell() {
    let (mut machines, space) = team();
    machines.push(Machine::new(8));
    let connection = (7, 3, 0);
    let [stranger, owner] = machines.get_disjoint_mut([3, 0]).unwrap();
    join(stranger, space, None, owner);
    connect(&mut machines, connection);
    settle(&mut machines, &[connection]);
    assert_eq!(text(&mut machines[3], space), None);
    for _ in 0..100 {
        let listed = Listed { ids: vec![[7; 32]], has_more: None };
        machines[0].receive(connection.0, &Message::Listed(0, listed));
    }
    assert!(machines[0].has_closed(connection.0));
}
