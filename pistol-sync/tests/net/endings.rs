//! How a connection ends.

use pistol_sync::net::{CloseReason, Closed, ConnectError, Profile, ReceiveError};

use crate::peers::{bind, connected, endpoint, opened, patient, soon};

#[tokio::test]
async fn closing_wakes_the_other_side_with_the_reason() {
    let (a, b) = (endpoint(1).await, endpoint(2).await);
    let (dialled, accepted) = connected(&a, &b).await;
    let (_ours, (_, mut receiver)) = opened(&dialled, &accepted).await;
    let waiting = tokio::spawn(async move { receiver.receive().await });
    dialled.close(CloseReason::Duplicate);
    dialled.close(CloseReason::Busy);
    let closed = Closed::ByPeer(CloseReason::Duplicate);
    assert_eq!(soon(waiting).await.unwrap(), Err(ReceiveError::Closed(closed.clone())));
    accepted.close(CloseReason::Busy);
    assert_eq!((soon(accepted.closed()).await, soon(dialled.closed()).await), (closed, Closed::Here));
}

#[tokio::test]
async fn closing_an_endpoint_ends_its_connections_and_its_waiting() {
    let (a, b) = (endpoint(1).await, endpoint(2).await);
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
    assert_eq!(soon(a.connect(b.id(), &b.addresses())).await.unwrap_err(), ConnectError::EndpointClosed);
}

#[test]
fn a_peer_that_vanishes_is_noticed() {
    let runtime = || tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let bind = |secret| bind(secret, "127.0.0.1:0", Profile::Game, patient());
    let (here, there) = (runtime(), runtime());
    let (node, peer) = (here.block_on(bind(1)).unwrap(), there.block_on(bind(2)).unwrap());
    let (id, addresses) = (peer.id(), peer.addresses());
    let accepting = there.spawn(async move { peer.accept().await.map(|connection| (connection, peer)) });
    let connection = here.block_on(soon(node.connect(id, &addresses))).unwrap();
    let held = here.block_on(soon(accepting)).unwrap();
    there.shutdown_background();
    assert_eq!(here.block_on(soon(connection.closed())), Closed::Silent);
    drop(held);
}
