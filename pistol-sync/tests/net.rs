//! Two nodes on the loopback of one machine, and peers on the bare transport that break the rules.

use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;

use iroh::endpoint::{RecvStream, SendStream, presets};
use pistol_sync::limits::FRAME_BYTES_MAX;
use pistol_sync::net::{
    BindError, BindOptions, CloseReason, Closed, ConnectError, Connection, Endpoint, FrameReceiver, FrameSender,
    Limits, OpenError, Profile, ReceiveError, SendError,
};
use pistol_sync::node::NodeId;
use pistol_sync::proto::frame::{FrameError, encode};

/// A limit that is meant to be reached: the test waits for it.
const SHORT: Duration = Duration::from_millis(200);

/// What no test takes unless it hangs.
async fn soon<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(60), work)
        .await
        .expect("this should have ended long ago")
}

fn loopback() -> Vec<SocketAddr> {
    vec![SocketAddr::from(([127, 0, 0, 1], 0))]
}

/// Limits that a slow machine does not reach.
fn patient() -> Limits {
    let long = Duration::from_secs(120);
    Limits {
        dial: long,
        handshake: long,
        open: long,
        stall: long,
        ..Limits::default()
    }
}

async fn endpoint(secret: u8, limits: Limits) -> Endpoint {
    let options = BindOptions {
        secret: [secret; 32],
        listen: loopback(),
        profile: Profile::Default,
        limits,
    };
    Endpoint::bind(options).await.unwrap()
}

/// The dialler's and the other's view of a connection.
async fn connected(from: &Endpoint, to: &Endpoint) -> (Connection, Connection) {
    let addresses = to.addresses();
    let (dialled, accepted) = soon(async { tokio::join!(from.connect(to.id(), &addresses), to.accept()) }).await;
    (dialled.unwrap(), accepted.unwrap())
}

type Halves = (FrameSender, FrameReceiver);

/// The stream as both sides have it, after a first frame of the dialler.
async fn opened(dialled: &Connection, accepted: &Connection) -> (Halves, Halves) {
    let mut ours = soon(dialled.open()).await.unwrap();
    soon(ours.0.send(b"hello")).await.unwrap();
    let mut theirs = soon(accepted.open()).await.unwrap();
    assert_eq!(soon(theirs.1.receive()).await.unwrap().unwrap(), b"hello");
    (ours, theirs)
}

/// A peer on the bare transport that has written `bytes`, and the connection as `to` has it.
struct Raw {
    connection: iroh::endpoint::Connection,
    sending: SendStream,
    _receiving: RecvStream,
    _endpoint: iroh::Endpoint,
}

async fn raw(to: &Endpoint, bytes: &[u8]) -> (Raw, Connection) {
    let endpoint = iroh::Endpoint::builder(presets::Minimal).clear_ip_transports();
    let endpoint = endpoint.bind_addr("127.0.0.1:0").unwrap().bind().await.unwrap();
    let id = iroh::EndpointId::from_bytes(&to.id().0).unwrap();
    let address = iroh::EndpointAddr::new(id).with_ip_addr(to.addresses()[0]);
    let (connection, accepted) =
        soon(async { tokio::join!(endpoint.connect(address, b"pistol/1"), to.accept()) }).await;
    let connection = connection.unwrap();
    let (mut sending, receiving) = soon(connection.open_bi()).await.unwrap();
    soon(sending.write_all(bytes)).await.unwrap();
    (
        Raw {
            connection,
            sending,
            _receiving: receiving,
            _endpoint: endpoint,
        },
        accepted.unwrap(),
    )
}

#[tokio::test]
async fn frames_of_every_size_arrive_whole_and_in_order_in_both_directions() {
    let (a, b) = (endpoint(1, patient()).await, endpoint(2, patient()).await);
    let (dialled, accepted) = connected(&a, &b).await;
    let ((mut sender, mut receiver), (mut echo_sender, mut echo_receiver)) = opened(&dialled, &accepted).await;
    let echo = tokio::spawn(async move {
        while let Some(frame) = echo_receiver.receive().await.unwrap() {
            echo_sender.send(&frame).await.unwrap();
        }
        echo_sender.finish();
        (echo_sender, echo_receiver)
    });
    let frames: Vec<Vec<u8>> = [1, 2, 1000, 65536, FRAME_BYTES_MAX]
        .into_iter()
        .map(|size| vec![7; size])
        .collect();
    for frame in &frames {
        soon(sender.send(frame)).await.unwrap();
        assert_eq!(soon(receiver.receive()).await.unwrap().as_ref(), Some(frame));
    }
    sender.finish();
    assert_eq!(soon(receiver.receive()).await.unwrap(), None);
    soon(echo).await.unwrap();
}

#[tokio::test]
async fn each_side_knows_the_other_and_who_dialled() {
    let (a, b) = (endpoint(1, patient()).await, endpoint(2, patient()).await);
    let (dialled, accepted) = connected(&a, &b).await;
    assert_eq!((dialled.peer(), accepted.peer()), (b.id(), a.id()));
    assert_eq!((dialled.is_dialler(), accepted.is_dialler()), (true, false));
}

#[tokio::test]
async fn both_sides_export_the_same_key_and_no_two_connections_do() {
    let (a, b) = (endpoint(1, patient()).await, endpoint(2, patient()).await);
    let (first, first_there) = connected(&a, &b).await;
    let (second, second_there) = connected(&a, &b).await;
    assert_eq!(first.exported_key(), first_there.exported_key());
    assert_eq!(second.exported_key(), second_there.exported_key());
    assert_ne!(first.exported_key(), second.exported_key());
}

#[tokio::test]
async fn what_is_no_frame_ends_the_connection_with_its_reason() {
    let too_long = |length| ReceiveError::Frame(FrameError::TooLong { length });
    let four_gib = u32::MAX.to_le_bytes();
    for (bytes, error) in [
        (&four_gib[..], too_long(u32::MAX as usize)),
        (b"GET / HTTP/1.1\r\n", too_long(u32::from_le_bytes(*b"GET ") as usize)),
        (&[0; 4], ReceiveError::Frame(FrameError::Empty)),
    ] {
        let node = endpoint(1, patient()).await;
        let (raw, accepted) = raw(&node, bytes).await;
        let (_sender, mut receiver) = soon(accepted.open()).await.unwrap();
        assert_eq!(soon(receiver.receive()).await, Err(error));
        let iroh::endpoint::ConnectionError::ApplicationClosed(close) = soon(raw.connection.closed()).await else {
            panic!("the peer is told why")
        };
        assert_eq!(close.error_code, 2_u32.into());
    }
}

#[tokio::test]
async fn a_frame_that_begins_and_does_not_go_on_stalls() {
    let node = endpoint(
        1,
        Limits {
            stall: SHORT,
            ..patient()
        },
    )
    .await;
    let (_raw, accepted) = raw(&node, &encode(b"hello").unwrap()[..7]).await;
    let (_sender, mut receiver) = soon(accepted.open()).await.unwrap();
    assert_eq!(
        soon(receiver.receive()).await,
        Err(ReceiveError::Stalled { limit: SHORT })
    );
    assert_eq!(soon(accepted.closed()).await, Closed::Here);
}

#[tokio::test]
async fn a_stream_that_ends_inside_a_frame_is_an_error_and_between_two_it_is_the_end() {
    let hello = encode(b"hello").unwrap();
    for (bytes, last) in [
        (&hello[..8], Err(ReceiveError::Truncated)),
        (&hello, Ok(Some(b"hello".to_vec()))),
    ] {
        let node = endpoint(1, patient()).await;
        let (mut raw, accepted) = raw(&node, bytes).await;
        raw.sending.finish().unwrap();
        let (_sender, mut receiver) = soon(accepted.open()).await.unwrap();
        let is_whole = last.is_ok();
        assert_eq!(soon(receiver.receive()).await, last);
        if is_whole {
            assert_eq!(soon(receiver.receive()).await, Ok(None));
        }
    }
}

#[tokio::test]
async fn a_frame_survives_a_receive_that_was_cancelled_inside_it() {
    let node = endpoint(1, patient()).await;
    let hello = encode(b"hello").unwrap();
    let (mut raw, accepted) = raw(&node, &hello[..6]).await;
    let (_sender, mut receiver) = soon(accepted.open()).await.unwrap();
    assert!(tokio::time::timeout(SHORT, receiver.receive()).await.is_err());
    soon(raw.sending.write_all(&hello[6..])).await.unwrap();
    assert_eq!(soon(receiver.receive()).await, Ok(Some(b"hello".to_vec())));
}

#[tokio::test]
async fn a_peer_that_does_not_read_stalls_the_sender() {
    let (a, b) = (
        endpoint(
            1,
            Limits {
                stall: SHORT,
                ..patient()
            },
        )
        .await,
        endpoint(2, patient()).await,
    );
    let (dialled, accepted) = connected(&a, &b).await;
    let (mut sender, _receiver) = soon(dialled.open()).await.unwrap();
    let error = soon(async {
        loop {
            if let Err(error) = sender.send(&vec![1; FRAME_BYTES_MAX]).await {
                return error;
            }
        }
    });
    assert_eq!(error.await, SendError::Stalled { limit: SHORT });
    assert_eq!(soon(accepted.closed()).await, Closed::ByPeer(CloseReason::Stalled));
    assert_eq!(soon(sender.send(b"more")).await, Err(SendError::Closed(Closed::Here)));
}

#[tokio::test]
async fn a_send_that_was_cancelled_inside_a_frame_is_not_followed_by_another() {
    let (a, b) = (endpoint(1, patient()).await, endpoint(2, patient()).await);
    let (dialled, _accepted) = connected(&a, &b).await;
    let (mut sender, _receiver) = soon(dialled.open()).await.unwrap();
    let frame = vec![1; FRAME_BYTES_MAX];
    while tokio::time::timeout(SHORT, sender.send(&frame)).await.is_ok() {}
    assert_eq!(soon(sender.send(b"more")).await, Err(SendError::Interrupted));
}

#[tokio::test]
async fn a_frame_that_may_not_be_sent_leaves_the_stream_as_it_was() {
    let (a, b) = (endpoint(1, patient()).await, endpoint(2, patient()).await);
    let (dialled, accepted) = connected(&a, &b).await;
    let ((mut sender, _), (_, mut receiver)) = opened(&dialled, &accepted).await;
    let length = FRAME_BYTES_MAX + 1;
    assert_eq!(soon(sender.send(&[])).await, Err(SendError::Frame(FrameError::Empty)));
    assert_eq!(
        soon(sender.send(&vec![0; length])).await,
        Err(SendError::Frame(FrameError::TooLong { length }))
    );
    soon(sender.send(b"good")).await.unwrap();
    assert_eq!(soon(receiver.receive()).await, Ok(Some(b"good".to_vec())));
}

#[tokio::test]
async fn closing_wakes_the_other_side_with_the_reason() {
    let (a, b) = (endpoint(1, patient()).await, endpoint(2, patient()).await);
    let (dialled, accepted) = connected(&a, &b).await;
    let (_ours, (_, mut receiver)) = opened(&dialled, &accepted).await;
    let waiting = tokio::spawn(async move { receiver.receive().await });
    dialled.close(CloseReason::Duplicate);
    dialled.close(CloseReason::Busy);
    let closed = Closed::ByPeer(CloseReason::Duplicate);
    assert_eq!(soon(waiting).await.unwrap(), Err(ReceiveError::Closed(closed.clone())));
    accepted.close(CloseReason::Busy);
    assert_eq!(
        (soon(accepted.closed()).await, soon(dialled.closed()).await),
        (closed, Closed::Here)
    );
}

#[tokio::test]
async fn closing_an_endpoint_ends_its_connections_and_its_waiting() {
    let (a, b) = (endpoint(1, patient()).await, endpoint(2, patient()).await);
    let (_dialled, accepted) = connected(&a, &b).await;
    let accepting = tokio::spawn({
        let a = a.clone();
        async move { a.accept().await.is_none() }
    });
    soon(a.close()).await;
    soon(a.close()).await;
    assert_eq!(soon(accepted.closed()).await, Closed::ByPeer(CloseReason::Shutdown));
    assert!(soon(accepting).await.unwrap());
    assert!(soon(a.accept()).await.is_none());
    assert_eq!(
        soon(a.connect(b.id(), &b.addresses())).await.unwrap_err(),
        ConnectError::EndpointClosed
    );
}

#[tokio::test]
async fn a_dial_that_cannot_succeed_says_why() {
    let silent = UdpSocket::bind("127.0.0.1:0").unwrap();
    let (node, other) = (
        endpoint(
            1,
            Limits {
                dial: SHORT,
                ..patient()
            },
        )
        .await,
        endpoint(2, patient()).await,
    );
    let silent = [silent.local_addr().unwrap()];
    let no_point = NodeId([2; 32]);
    for (id, addresses, expected) in [
        (other.id(), &silent[..], ConnectError::TimedOut { limit: SHORT }),
        (node.id(), &silent, ConnectError::Own),
        (no_point, &silent, ConnectError::NotANode(no_point)),
        (endpoint(3, patient()).await.id(), &[], ConnectError::NoAddress),
    ] {
        assert_eq!(soon(node.connect(id, addresses)).await.unwrap_err(), expected);
    }
}

#[tokio::test]
async fn a_node_that_speaks_another_protocol_or_has_another_key_is_not_connected_to() {
    let node = endpoint(1, patient()).await;
    let stranger = iroh::Endpoint::builder(presets::Minimal)
        .clear_ip_transports()
        .alpns(vec![b"other/1".to_vec()]);
    let stranger = stranger.bind_addr("127.0.0.1:0").unwrap().bind().await.unwrap();
    let accepting = tokio::spawn({
        let stranger = stranger.clone();
        async move {
            while let Some(incoming) = stranger.accept().await {
                let _ = incoming.await;
            }
        }
    });
    let id = NodeId(*stranger.id().as_bytes());
    assert_eq!(
        soon(node.connect(id, &stranger.bound_sockets())).await.unwrap_err(),
        ConnectError::OtherProtocol
    );
    let other = endpoint(2, patient()).await;
    let error = soon(node.connect(id, &other.addresses())).await.unwrap_err();
    assert!(
        matches!(error, ConnectError::Failed(_) | ConnectError::OtherProtocol),
        "{error:?}"
    );
    soon(stranger.close()).await;
    soon(accepting).await.unwrap();
}

#[tokio::test]
async fn traffic_counts_what_was_sent_and_received() {
    let (a, b) = (endpoint(1, patient()).await, endpoint(2, patient()).await);
    let (dialled, accepted) = connected(&a, &b).await;
    let ((mut sender, _), (_, mut receiver)) = opened(&dialled, &accepted).await;
    let before = (dialled.traffic(), accepted.traffic());
    soon(sender.send(&[1; 50_000])).await.unwrap();
    soon(receiver.receive()).await.unwrap();
    let after = (dialled.traffic(), accepted.traffic());
    assert!(after.0.sent_bytes >= before.0.sent_bytes + 50_000);
    assert!(after.1.received_bytes >= before.1.received_bytes + 50_000);
    assert!(after.0.sent_packets > before.0.sent_packets && after.1.received_packets > before.1.received_packets);
}

#[tokio::test]
async fn a_connection_has_one_stream() {
    let (a, b) = (endpoint(1, patient()).await, endpoint(2, patient()).await);
    let (dialled, accepted) = connected(&a, &b).await;
    let _halves = opened(&dialled, &accepted).await;
    assert_eq!(soon(dialled.open()).await.unwrap_err(), OpenError::AlreadyOpen);
    assert_eq!(soon(accepted.open()).await.unwrap_err(), OpenError::AlreadyOpen);
}

#[tokio::test]
async fn a_peer_cannot_open_other_streams() {
    let node = endpoint(1, patient()).await;
    let (raw, accepted) = raw(&node, b"x").await;
    let (_sender, _receiver) = soon(accepted.open()).await.unwrap();
    for stream in [tokio::time::timeout(SHORT, raw.connection.open_uni()).await.is_ok(), {
        tokio::time::timeout(SHORT, raw.connection.open_bi()).await.is_ok()
    }] {
        assert!(!stream, "the transport gives no credit for it");
    }
}

#[tokio::test]
async fn a_dialler_that_opens_no_stream_is_not_waited_for() {
    let (a, b) = (
        endpoint(1, patient()).await,
        endpoint(
            2,
            Limits {
                open: SHORT,
                ..patient()
            },
        )
        .await,
    );
    let (_dialled, accepted) = connected(&a, &b).await;
    assert_eq!(
        soon(accepted.open()).await.unwrap_err(),
        OpenError::TimedOut { limit: SHORT }
    );
}

#[tokio::test]
async fn a_dial_beyond_the_limit_fails_until_a_connection_is_dropped() {
    let a = endpoint(
        1,
        Limits {
            connections_dialled: 1,
            ..patient()
        },
    )
    .await;
    let (b, c) = (endpoint(2, patient()).await, endpoint(3, patient()).await);
    let (dialled, _accepted) = connected(&a, &b).await;
    let error = soon(a.connect(c.id(), &c.addresses())).await.unwrap_err();
    assert_eq!(error, ConnectError::TooMany { limit: 1 });
    drop(dialled);
    connected(&a, &c).await;
}

#[tokio::test]
async fn connections_beyond_the_limit_are_refused() {
    let node = endpoint(
        1,
        Limits {
            connections_accepted: 1,
            ..patient()
        },
    )
    .await;
    let (b, c) = (endpoint(2, patient()).await, endpoint(3, patient()).await);
    let held = connected(&b, &node).await;
    assert_eq!(
        soon(c.connect(node.id(), &node.addresses())).await.unwrap_err(),
        ConnectError::Refused
    );
    drop(held);
    connected(&c, &node).await;
}

#[tokio::test]
async fn a_connection_that_nobody_takes_does_not_keep_the_next_from_its_handshake() {
    let node = endpoint(
        1,
        Limits {
            handshakes: 2,
            ..patient()
        },
    )
    .await;
    let dialler = endpoint(2, patient()).await;
    let mut held = Vec::new();
    for _ in 0..2 {
        // The second has to prove its address first, as half of the places are taken.
        held.push(soon(dialler.connect(node.id(), &node.addresses())).await.unwrap());
    }
    assert_eq!(
        soon(dialler.connect(node.id(), &node.addresses())).await.unwrap_err(),
        ConnectError::Refused
    );
    soon(node.accept()).await.unwrap();
    soon(dialler.connect(node.id(), &node.addresses())).await.unwrap();
}

/// Begins a handshake with `to` that nobody will end: the first packet of a dial, sent on from a socket that never answers.
async fn begin_handshake(to: &Endpoint) -> tokio::net::UdpSocket {
    let silent = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let dialler = endpoint(9, patient()).await;
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
    let (node, dialler) = (endpoint(1, patient()).await, endpoint(2, patient()).await);
    let _silent = begin_handshake(&node).await;
    connected(&dialler, &node).await;
}

#[tokio::test]
async fn a_handshake_that_never_ends_gives_its_place_back() {
    let node = endpoint(
        1,
        Limits {
            handshakes: 1,
            handshake: SHORT,
            ..patient()
        },
    )
    .await;
    let dialler = endpoint(2, patient()).await;
    let _silent = begin_handshake(&node).await;
    soon(async { while dialler.connect(node.id(), &node.addresses()).await.is_err() {} }).await;
}

#[tokio::test]
async fn a_taken_port_is_an_error_that_says_so() {
    let taken = UdpSocket::bind("127.0.0.1:0").unwrap();
    let listen = vec![taken.local_addr().unwrap()];
    let options = BindOptions {
        secret: [1; 32],
        listen,
        profile: Profile::Game,
        limits: patient(),
    };
    assert!(matches!(
        Endpoint::bind(options).await.unwrap_err(),
        BindError::Socket(_)
    ));
}

#[tokio::test]
async fn an_endpoint_without_listed_addresses_can_be_dialled_at_those_it_tells() {
    for profile in [Profile::Default, Profile::Game, Profile::Battery] {
        let options = BindOptions {
            secret: [1; 32],
            listen: Vec::new(),
            profile,
            limits: patient(),
        };
        let node = Endpoint::bind(options).await.unwrap();
        assert!((1..=8).contains(&node.addresses().len()));
        let options = BindOptions {
            secret: [2; 32],
            listen: Vec::new(),
            profile,
            limits: patient(),
        };
        connected(&Endpoint::bind(options).await.unwrap(), &node).await;
        soon(node.network_change()).await;
    }
}
