//! What a stranger cannot have more of.

use pistol_sync::net::{ConnectError, Endpoint, OpenError};

use crate::peers::{SHORT, connected, endpoint, limited, opened, raw, soon};

#[tokio::test]
async fn a_connection_has_one_stream() {
    let (a, b) = (endpoint(1).await, endpoint(2).await);
    let (dialled, accepted) = connected(&a, &b).await;
    let _halves = opened(&dialled, &accepted).await;
    assert_eq!(soon(dialled.open()).await.unwrap_err(), OpenError::AlreadyOpen);
    assert_eq!(soon(accepted.open()).await.unwrap_err(), OpenError::AlreadyOpen);
}

#[tokio::test]
async fn a_peer_cannot_open_other_streams() {
    let node = endpoint(1).await;
    let (raw, accepted) = raw(&node, b"x").await;
    let (_sender, _receiver) = soon(accepted.open()).await.unwrap();
    assert!(tokio::time::timeout(SHORT, raw.connection.open_uni()).await.is_err());
    assert!(tokio::time::timeout(SHORT, raw.connection.open_bi()).await.is_err());
}

#[tokio::test]
async fn a_dialler_that_opens_no_stream_is_not_waited_for() {
    let (a, b) = (endpoint(1).await, limited(2, |limits| limits.open = SHORT).await);
    let (_dialled, accepted) = connected(&a, &b).await;
    assert_eq!(soon(accepted.open()).await.unwrap_err(), OpenError::TimedOut { limit: SHORT });
}

#[tokio::test]
async fn a_dial_beyond_the_limit_fails_until_a_connection_is_dropped() {
    let a = limited(1, |limits| limits.connections_dialled = 1).await;
    let (b, c) = (endpoint(2).await, endpoint(3).await);
    let (dialled, _accepted) = connected(&a, &b).await;
    let error = soon(a.connect(c.id(), &c.addresses())).await.unwrap_err();
    assert_eq!(error, ConnectError::TooMany { limit: 1 });
    drop(dialled);
    connected(&a, &c).await;
}

#[tokio::test]
async fn connections_beyond_the_limit_are_refused() {
    let node = limited(1, |limits| limits.connections_accepted = 1).await;
    let (b, c) = (endpoint(2).await, endpoint(3).await);
    let held = connected(&b, &node).await;
    assert_eq!(soon(c.connect(node.id(), &node.addresses())).await.unwrap_err(), ConnectError::Refused);
    drop(held);
    connected(&c, &node).await;
}

#[tokio::test]
async fn a_connection_that_nobody_takes_does_not_keep_the_next_from_its_handshake() {
    let node = limited(1, |limits| limits.handshakes = 2).await;
    let dialler = endpoint(2).await;
    let mut held = Vec::new();
    for _ in 0..2 {
        // The second has to prove its address first, as half of the places are taken.
        held.push(soon(dialler.connect(node.id(), &node.addresses())).await.unwrap());
    }
    assert_eq!(soon(dialler.connect(node.id(), &node.addresses())).await.unwrap_err(), ConnectError::Refused);
    soon(node.accept()).await.unwrap();
    soon(dialler.connect(node.id(), &node.addresses())).await.unwrap();
}

/// Begins a handshake with `to` that nobody will end: the first packet of a dial, sent on from a socket that never answers.
async fn begin_handshake(to: &Endpoint) -> tokio::net::UdpSocket {
    let silent = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let dialler = endpoint(9).await;
    let at = [silent.local_addr().unwrap()];
    let mut packet = [0; 2048];
    let length = soon(async {
        tokio::select! {
            _ = dialler.connect(to.id(), &at) => panic!("nobody answers"),
            length = silent.recv(&mut packet) => length.unwrap(),
        }
    });
    let length = length.await;
    silent.send_to(&packet[..length], to.addresses()[0]).await.unwrap();
    // The answer shows that the handshake has begun.
    soon(silent.recv_from(&mut packet)).await.unwrap();
    silent
}

#[tokio::test]
async fn a_handshake_that_never_ends_holds_up_nobody_else() {
    let (node, dialler) = (endpoint(1).await, endpoint(2).await);
    let _silent = begin_handshake(&node).await;
    connected(&dialler, &node).await;
}

#[tokio::test]
async fn a_handshake_that_never_ends_gives_its_place_back() {
    let node = limited(1, |limits| {
        limits.handshakes = 1;
        limits.handshake = SHORT;
    })
    .await;
    let dialler = endpoint(2).await;
    let _silent = begin_handshake(&node).await;
    soon(async { while dialler.connect(node.id(), &node.addresses()).await.is_err() {} }).await;
}
