//! Who is reached, and who is not.

use std::net::UdpSocket;

use iroh::endpoint::presets;
use pistol_sync::net::{BindError, ConnectError, Profile};
use pistol_sync::node::NodeId;

use crate::peers::{SHORT, bind, connected, endpoint, limited, opened, patient, soon};

#[tokio::test]
async fn each_side_knows_the_other_and_who_dialled() {
    let (a, b) = (endpoint(1).await, endpoint(2).await);
    let (dialled, accepted) = connected(&a, &b).await;
    assert_eq!((dialled.peer(), accepted.peer()), (b.id(), a.id()));
    assert_eq!((dialled.is_dialler(), accepted.is_dialler()), (true, false));
}

#[tokio::test]
async fn both_sides_export_the_same_key_and_no_two_connections_do() {
    let (a, b) = (endpoint(1).await, endpoint(2).await);
    let (first, first_there) = connected(&a, &b).await;
    let (second, second_there) = connected(&a, &b).await;
    assert_eq!(first.exported_key(), first_there.exported_key());
    assert_eq!(second.exported_key(), second_there.exported_key());
    assert_ne!(first.exported_key(), second.exported_key());
}

#[tokio::test]
async fn traffic_counts_what_was_sent_and_received() {
    let (a, b) = (endpoint(1).await, endpoint(2).await);
    let (dialled, accepted) = connected(&a, &b).await;
    let ((mut sender, _), (_, mut receiver)) = opened(&dialled, &accepted).await;
    let before = (dialled.traffic(), accepted.traffic());
    soon(sender.send(&vec![1; 50_000])).await.unwrap();
    soon(receiver.receive()).await.unwrap();
    let after = (dialled.traffic(), accepted.traffic());
    assert!(after.0.sent_bytes >= before.0.sent_bytes + 50_000);
    assert!(after.1.received_bytes >= before.1.received_bytes + 50_000);
    assert!(after.0.round_trip.is_some() && after.1.round_trip.is_some());
    assert!(after.0.sent_packets > before.0.sent_packets && after.1.received_packets > before.1.received_packets);
}

#[tokio::test]
async fn a_dial_that_nobody_answers_ends_after_its_limit() {
    let silent = UdpSocket::bind("127.0.0.1:0").unwrap();
    let (node, other) = (limited(1, |limits| limits.dial = SHORT).await, endpoint(2).await);
    let error = soon(node.connect(other.id(), &[silent.local_addr().unwrap()])).await.unwrap_err();
    assert_eq!(error, ConnectError::TimedOut { limit: SHORT });
}

#[tokio::test]
async fn a_dial_that_makes_no_sense_says_why() {
    let (node, other) = (endpoint(1).await, endpoint(2).await);
    let no_point = NodeId([2; 32]);
    for (id, addresses, expected) in [
        (node.id(), node.addresses(), ConnectError::Own),
        (no_point, other.addresses(), ConnectError::NotANode(no_point)),
        (other.id(), Vec::new(), ConnectError::NoAddress),
    ] {
        assert_eq!(soon(node.connect(id, &addresses)).await.unwrap_err(), expected);
    }
}

#[tokio::test]
async fn a_node_with_another_key_than_the_one_dialled_is_not_connected_to() {
    let (node, other) = (endpoint(1).await, endpoint(2).await);
    let dialled = endpoint(3).await.id();
    assert_eq!(soon(node.connect(dialled, &other.addresses())).await.unwrap_err(), ConnectError::Unproved);
}

#[tokio::test]
async fn a_node_that_speaks_another_protocol_is_not_connected_to() {
    let node = endpoint(1).await;
    let stranger = iroh::Endpoint::builder(presets::Minimal).clear_ip_transports().alpns(vec![b"other/1".to_vec()]);
    let stranger = stranger.bind_addr("127.0.0.1:0").unwrap().bind().await.unwrap();
    let (id, addresses) = (NodeId(*stranger.id().as_bytes()), stranger.bound_sockets());
    let accepting = async {
        while let Some(incoming) = stranger.accept().await {
            assert!(incoming.await.is_err());
        }
    };
    let dial = soon(node.connect(id, &addresses));
    tokio::select! {
        () = accepting => panic!("the stranger stays"),
        outcome = dial => assert_eq!(outcome.unwrap_err(), ConnectError::OtherProtocol),
    }
}

#[tokio::test]
async fn a_taken_port_is_an_error_that_says_so() {
    let taken = UdpSocket::bind("127.0.0.1:0").unwrap();
    let outcome = bind(1, &taken.local_addr().unwrap().to_string(), Profile::Default, patient()).await;
    assert!(matches!(outcome.unwrap_err(), BindError::Socket(_)));
}

#[tokio::test]
async fn an_endpoint_without_listed_addresses_can_be_dialled_at_those_it_tells() {
    let everywhere = |secret| bind(secret, "", Profile::Battery, patient());
    let (a, b) = (everywhere(1).await.unwrap(), everywhere(2).await.unwrap());
    assert!((1..=8).contains(&b.addresses().len()));
    connected(&a, &b).await;
    soon(b.network_change()).await;
}

#[tokio::test]
async fn several_addresses_can_be_listened_on_and_one_twice_cannot() {
    let several = bind(1, "127.0.0.1:0 127.0.0.2:0", Profile::Default, patient()).await.unwrap();
    assert_eq!(several.addresses().len(), 2);
    let twice = bind(2, "127.0.0.1:0 127.0.0.1:0", Profile::Default, patient()).await;
    assert!(matches!(twice.unwrap_err(), BindError::Address { .. }));
}
