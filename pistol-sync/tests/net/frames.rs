//! What passes on a stream, and what ends it.

use pistol_sync::limits::FRAME_BYTES_MAX;
use pistol_sync::net::{CloseReason, Closed, ReceiveError, SendError};
use pistol_sync::proto::frame::{FrameError, encode};

use crate::peers::{SHORT, connected, endpoint, limited, opened, raw, soon};

#[tokio::test]
async fn frames_of_every_size_arrive_whole_and_in_order_in_both_directions() {
    let (a, b) = (endpoint(1).await, endpoint(2).await);
    let (dialled, accepted) = connected(&a, &b).await;
    let ((mut sender, mut receiver), (mut echo_sender, mut echo_receiver)) = opened(&dialled, &accepted).await;
    let echo = tokio::spawn(async move {
        while let Some(frame) = echo_receiver.receive().await.unwrap() {
            echo_sender.send(&frame).await.unwrap();
        }
        echo_sender.finish();
        (echo_sender, echo_receiver)
    });
    let frames: Vec<Vec<u8>> = [1, 2, 1000, 65536, FRAME_BYTES_MAX].into_iter().map(|size| vec![7; size]).collect();
    for frame in &frames {
        soon(sender.send(frame)).await.unwrap();
        assert_eq!(soon(receiver.receive()).await.unwrap().as_ref(), Some(frame));
    }
    sender.finish();
    assert_eq!(soon(receiver.receive()).await.unwrap(), None);
    soon(echo).await.unwrap();
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
        let node = endpoint(1).await;
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
    let node = limited(1, |limits| limits.stall = SHORT).await;
    let (_raw, accepted) = raw(&node, &encode(b"hello").unwrap()[..7]).await;
    let (_sender, mut receiver) = soon(accepted.open()).await.unwrap();
    assert_eq!(soon(receiver.receive()).await, Err(ReceiveError::Stalled { limit: SHORT }));
    assert_eq!(soon(accepted.closed()).await, Closed::Here);
}

#[tokio::test]
async fn a_stream_that_ends_inside_a_frame_is_an_error_and_between_two_it_is_the_end() {
    let hello = encode(b"hello").unwrap();
    for (bytes, last) in [(&hello[..8], Err(ReceiveError::Truncated)), (&hello, Ok(Some(b"hello".to_vec())))] {
        let node = endpoint(1).await;
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
    let node = endpoint(1).await;
    let hello = encode(b"hello").unwrap();
    let (mut raw, accepted) = raw(&node, &hello[..6]).await;
    let (_sender, mut receiver) = soon(accepted.open()).await.unwrap();
    assert!(tokio::time::timeout(SHORT, receiver.receive()).await.is_err());
    soon(raw.sending.write_all(&hello[6..])).await.unwrap();
    assert_eq!(soon(receiver.receive()).await, Ok(Some(b"hello".to_vec())));
}

#[tokio::test]
async fn a_peer_that_does_not_read_stalls_the_sender() {
    let (a, b) = (limited(1, |limits| limits.stall = SHORT).await, endpoint(2).await);
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
    let (a, b) = (endpoint(1).await, endpoint(2).await);
    let (dialled, _accepted) = connected(&a, &b).await;
    let (mut sender, _receiver) = soon(dialled.open()).await.unwrap();
    let frame = vec![1; FRAME_BYTES_MAX];
    while let Ok(sent) = tokio::time::timeout(SHORT, sender.send(&frame)).await {
        sent.unwrap();
    }
    assert_eq!(soon(sender.send(b"more")).await, Err(SendError::Interrupted));
}

#[tokio::test]
async fn a_frame_that_may_not_be_sent_leaves_the_stream_as_it_was() {
    let (a, b) = (endpoint(1).await, endpoint(2).await);
    let (dialled, accepted) = connected(&a, &b).await;
    let ((mut sender, _), (_, mut receiver)) = opened(&dialled, &accepted).await;
    let length = FRAME_BYTES_MAX + 1;
    assert_eq!(soon(sender.send(&[])).await, Err(SendError::Frame(FrameError::Empty)));
    assert_eq!(soon(sender.send(&vec![0; length])).await, Err(SendError::Frame(FrameError::TooLong { length })));
    soon(sender.send(b"good")).await.unwrap();
    assert_eq!(soon(receiver.receive()).await, Ok(Some(b"good".to_vec())));
}
