//! The payload of a frame: a message.

use pistol_sync::proto::message::{
    Acknowledge, Follow, Head, Heads, Hello, Interest, Locate, LogHeads, Message, Refusal, Scope, VERSIONS,
};

use crate::chance::Chance;
use crate::finding::{Outcome, promise};
use crate::mutate::mutate;

/// Gives the payload of a frame.
///
/// # Errors
/// [`crate::finding::Divergence`] if a message that was read is another one when it is written and read again.
pub fn accepts(frame: &[u8]) -> Outcome {
    match Message::from_frame(frame) {
        Ok(Some(message)) => {
            let again = Message::from_frame(&message.to_frame());
            promise(again == Ok(Some(message)), "a message changes when it is sent on")?;
            Ok(true)
        }
        Ok(None) | Err(_) => Ok(false),
    }
}

/// Every message, honestly.
pub(crate) fn examples() -> Vec<Message> {
    let head = |number| Head { author: [number; 32], session: 2, seq: 3, link: [4; 32] };
    let (epoch, cursor) = ([1; 16], Some(([2; 16], 3)));
    let extensions = vec![(7, vec![8])];
    let (author, session, samples) = ([1; 32], 2, vec![(3, [4; 32]), (2, [5; 32])]);
    vec![
        Message::Hello(Hello {
            versions: VERSIONS.to_vec(),
            epoch,
            cursor,
            features: 4,
            frame_bytes_max: 1 << 20,
            extensions,
        }),
        Message::Interest(Interest {
            topic: 0,
            scope: Scope::Document([5; 32]),
            proof: Some([6; 32]),
            wants_genesis: true,
            extensions: vec![],
        }),
        Message::Interest(Interest {
            topic: 1,
            scope: Scope::Prefix([5; 32], "notes/".to_owned()),
            proof: None,
            wants_genesis: false,
            extensions: vec![],
        }),
        Message::Follow(Follow {
            topic: 0,
            proof: None,
            genesis: Some(vec![7; 9]),
            heads: Heads::all(vec![head(1), head(2)]),
        }),
        Message::Refused(0, Refusal::Busy(500)),
        Message::Heads(0, Heads { after: Some(head(0)), ends: vec![head(1), head(2), head(3)], has_more: true }),
        Message::MoreHeads(0, Some(head(1))),
        Message::LogHeads(0, LogHeads { heads: vec![[1; 32], [2; 32]], samples: vec![[3; 32]] }),
        Message::Operations(0, vec![vec![1; 300], vec![2; 5]]),
        Message::Locate(Locate { topic: 0, author, session, samples, is_reply: true }),
        Message::Envelope(0, vec![9; 100]),
        Message::Acknowledge(Acknowledge { topic: 0, count: 2, waiting: 3, refused: vec![([3; 32], 4)] }),
        Message::Settled(0, [2; 32]),
        Message::Leave(0),
        Message::Ping(5),
        Message::Pong(6),
    ]
}

/// Bytes for coverage-guided targets to begin with.
pub fn seeds() -> Vec<Vec<u8>> {
    examples().iter().map(Message::to_frame).collect()
}

/// An honest message, mutated.
pub(crate) fn mutated(chance: &mut Chance) -> Vec<u8> {
    let examples = examples();
    let mut frame = chance.pick(&examples).map(Message::to_frame).unwrap_or_default();
    let other = chance.pick(&examples).map(Message::to_frame).unwrap_or_default();
    mutate(&mut frame, &other, chance);
    frame
}

pub(super) fn run(chance: &mut Chance) -> Outcome {
    accepts(&mutated(chance))
}
