//! What travels: wire types, separate from the domain's, written by postcard behind one byte of kind.
//!
//! Kinds of 128 and above are optional: who does not know them ignores them. Every list of `extensions` does the same
//! for fields. `docs/protocol.md` lists the kinds, those kept for the feed, the trie and presence included.

use serde::{Deserialize, Serialize};

use crate::limits;

/// Protocol versions that this node speaks.
pub const VERSIONS: [u16; 1] = [1];

/// A field that later versions may add; unknown numbers are ignored.
pub type Extension = (u16, Vec<u8>);

/// The number by which both sides call a document for the length of a session, chosen by the dialler.
pub type Topic = u32;

/// The first message of each side.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// Versions spoken, best first.
    pub versions: Vec<u16>,
    /// The epoch of the sender's store.
    pub epoch: [u8; 16],
    /// Position in the receiver's feed up to which the sender holds everything. Kept for the feed.
    pub cursor: Option<([u8; 16], u64)>,
    /// Bits for what the sender can do: [`super::keys::KNOWS_NAMED_KEYS`].
    pub features: u64,
    /// The largest frame that the sender takes.
    pub frame_bytes_max: u32,
    /// Fields of later versions.
    pub extensions: Vec<Extension>,
}

/// What an interest is in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Scope {
    /// One document.
    Document([u8; 32]),
    /// A whole space. Kept for spaces.
    Space([u8; 32]),
    /// Documents of a space by a prefix of their names. Kept for spaces.
    Prefix([u8; 32], String),
}

/// "I would like to follow this, and here is why I may."
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interest {
    /// How both sides will call it.
    pub topic: Topic,
    /// What it is in.
    pub scope: Scope,
    /// Proof of the read key, if one is needed.
    pub proof: Option<[u8; 32]>,
    /// Whether the genesis is wanted.
    pub wants_genesis: bool,
    /// Fields of later versions.
    pub extensions: Vec<Extension>,
}

/// The last change of one branch of a chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Head {
    /// The chain's author.
    pub author: [u8; 32],
    /// The chain's session.
    pub session: u64,
    /// Place in the chain.
    pub seq: u64,
    /// The link there.
    pub link: [u8; 32],
}

/// Where the sender's chains end, or as much of that as one message holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heads {
    /// The end after which these come, if they are not the first.
    pub after: Option<Head>,
    /// The ends, ascending.
    pub ends: Vec<Head>,
    /// Whether there are more after the last of these: they are asked for by [`Message::MoreHeads`].
    pub has_more: bool,
}

impl Heads {
    /// All that there are.
    pub fn all(ends: Vec<Head>) -> Heads {
        Heads { after: None, ends, has_more: false }
    }
}

/// "You may; this is what I hold."
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Follow {
    /// Which interest is answered.
    pub topic: Topic,
    /// Proof of the read key by the one who answers.
    pub proof: Option<[u8; 32]>,
    /// The genesis, if it was wanted.
    pub genesis: Option<Vec<u8>>,
    /// Where the sender's chains end.
    pub heads: Heads,
}

/// Why an interest was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Refusal {
    /// The sender does not hold it.
    NotStored,
    /// The proof is missing or wrong.
    NotAllowed,
    /// The sender has too much to do; ask again after so many milliseconds.
    Busy(u32),
    /// The sender does not know this kind of scope.
    NotSupported,
}

/// Places of one branch, to find where two nodes' branches part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Locate {
    /// The document.
    pub topic: Topic,
    /// The chain's author.
    pub author: [u8; 32],
    /// The chain's session.
    pub session: u64,
    /// Places and their links, from the end of the branch backwards, ever further apart.
    pub samples: Vec<(u64, [u8; 32])>,
    /// Whether this answers another one.
    pub is_reply: bool,
}

/// Whether all was taken, and what was not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acknowledge {
    /// The document.
    pub topic: Topic,
    /// How many envelopes of this topic the sender has dealt with, from the start of the session.
    pub count: u64,
    /// How many of their changes are not durable, as they wait for others or found no room. All else that was not
    /// refused is durable.
    pub waiting: u32,
    /// Changes that were refused, with the code of the rule; a bounded sample.
    pub refused: Vec<([u8; 32], u8)>,
}

/// What the sender holds of the log of a document's operations.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogHeads {
    /// The operations on which no other follows, or some of very many.
    pub heads: Vec<[u8; 32]>,
    /// Operations before them, ever further back: where the receiver does not know the heads, it may know one of these, and
    /// then it knows that the sender holds all before it.
    pub samples: Vec<[u8; 32]>,
}

/// Documents of a space that the sender holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listed {
    /// Their ids, ascending.
    pub ids: Vec<[u8; 32]>,
    /// None: they are new to the sender. Otherwise they answer [`Message::MoreListed`], and this says whether there are more
    /// after the last of them.
    pub has_more: Option<bool>,
}

/// "I have the secret of an invitation; this is the author to whom it is to be granted."
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Redeem {
    /// The log into which it invites.
    pub topic: Topic,
    /// The secret of the ticket.
    pub secret: [u8; 16],
    /// The author.
    pub author: [u8; 32],
    /// The author's signature over this connection, the log and the secret, in two halves.
    pub signature: ([u8; 32], [u8; 32]),
}

/// What became of an invitation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Redeemed {
    /// The author has been granted what it says.
    Granted,
    /// It was used before, or never given.
    Used,
    /// Its time is over.
    Late,
    /// Who invited may not grant it any more.
    Void,
}

/// Everything that nodes say to each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// Kind 1: first, from both sides.
    Hello(Hello),
    /// Kind 2: from the dialler.
    Interest(Interest),
    /// Kind 3: the answer yes.
    Follow(Follow),
    /// Kind 4: the answer no.
    Refused(Topic, Refusal),
    /// Kind 5: where the sender's chains end: the dialler's answer to `Follow`, and again after something was owed.
    Heads(Topic, Heads),
    /// Kind 6: where do our branches part?
    Locate(Locate),
    /// Kind 7: changes.
    Envelope(Topic, Vec<u8>),
    /// Kind 8: changes were dealt with here.
    Acknowledge(Acknowledge),
    /// Kind 9: the sender has nothing more to send; this is the digest of what it accepted.
    Settled(Topic, [u8; 32]),
    /// Kind 10: the sender follows no longer.
    Leave(Topic),
    /// Kind 11: a sign of life.
    Ping(u32),
    /// Kind 12: the answer to a sign of life.
    Pong(u32),
    /// Kind 13: which ends come after this one, or which come first?
    MoreHeads(Topic, Option<Head>),
    /// Kind 14: the digest of the ids of all documents of the space that the sender holds; once, when the space is followed.
    Catalogue(Topic, [u8; 32]),
    /// Kind 15: some of these documents.
    Listed(Topic, Listed),
    /// Kind 16: which documents of the space come after this one, or which come first?
    MoreListed(Topic, Option<[u8; 32]>),
    /// Kind 17: whoever has this secret is to be granted what it promises.
    Redeem(Redeem),
    /// Kind 18: what became of that.
    Redeemed(Topic, Redeemed),
    /// Kind 32: what the sender holds of the document's log; after `Follow` and its answer, and again with heads.
    LogHeads(Topic, LogHeads),
    /// Kind 33: operations of the document's log, each after those that it cites or follows on. It counts as an envelope.
    Operations(Topic, Vec<Vec<u8>>),
}

/// A frame is not a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the peer sent something that is not a message of this protocol (kind {kind}); one of the two needs an upgrade"
)]
pub struct NotAMessage {
    /// The kind that it claimed to be.
    pub kind: u8,
}

impl Message {
    fn kind(&self) -> u8 {
        match self {
            Message::Hello(_) => 1,
            Message::Interest(_) => 2,
            Message::Follow(_) => 3,
            Message::Refused(..) => 4,
            Message::Heads(..) => 5,
            Message::Locate(_) => 6,
            Message::Envelope(..) => 7,
            Message::Acknowledge(_) => 8,
            Message::Settled(..) => 9,
            Message::Leave(_) => 10,
            Message::Ping(_) => 11,
            Message::Pong(_) => 12,
            Message::MoreHeads(..) => 13,
            Message::Catalogue(..) => 14,
            Message::Listed(..) => 15,
            Message::MoreListed(..) => 16,
            Message::Redeem(_) => 17,
            Message::Redeemed(..) => 18,
            Message::LogHeads(..) => 32,
            Message::Operations(..) => 33,
        }
    }

    /// The frame's payload.
    pub fn to_frame(&self) -> Vec<u8> {
        let mut frame = vec![self.kind()];
        match self {
            Message::Hello(body) => write(body, &mut frame),
            Message::Interest(body) => write(body, &mut frame),
            Message::Follow(body) => write(body, &mut frame),
            Message::Refused(topic, why) => write(&(topic, why), &mut frame),
            Message::Heads(topic, heads) => write(&(topic, heads), &mut frame),
            Message::Locate(body) => write(body, &mut frame),
            // The envelope takes the rest of the frame: bytes one by one would be slow.
            Message::Envelope(topic, bytes) => {
                write(topic, &mut frame);
                frame.extend_from_slice(bytes);
            }
            Message::Acknowledge(body) => write(body, &mut frame),
            Message::Settled(topic, digest) | Message::Catalogue(topic, digest) => write(&(topic, digest), &mut frame),
            Message::Leave(topic) => write(topic, &mut frame),
            Message::Ping(number) | Message::Pong(number) => write(number, &mut frame),
            Message::MoreHeads(topic, after) => write(&(topic, after), &mut frame),
            Message::Listed(topic, listed) => write(&(topic, listed), &mut frame),
            Message::MoreListed(topic, after) => write(&(topic, after), &mut frame),
            Message::Redeem(body) => write(body, &mut frame),
            Message::Redeemed(topic, outcome) => write(&(topic, outcome), &mut frame),
            Message::LogHeads(topic, heads) => write(&(topic, heads), &mut frame),
            Message::Operations(topic, operations) => write(&(topic, operations), &mut frame),
        }
        frame
    }

    /// Reads a frame's payload; `None` for an optional kind that is not known here.
    ///
    /// # Errors
    /// [`NotAMessage`] if it is not one, or goes on after its end, or holds more than its limits allow.
    pub fn from_frame(frame: &[u8]) -> Result<Option<Message>, NotAMessage> {
        let (&kind, body) = frame.split_first().ok_or(NotAMessage { kind: 0 })?;
        let message = match kind {
            1 => read(body).map(Message::Hello),
            2 => read(body).map(Message::Interest),
            3 => read(body).map(Message::Follow),
            4 => read(body).map(|(topic, why)| Message::Refused(topic, why)),
            5 => read(body).map(|(topic, heads)| Message::Heads(topic, heads)),
            6 => read(body).map(Message::Locate),
            7 => postcard::take_from_bytes(body).ok().map(|(topic, rest)| Message::Envelope(topic, rest.to_vec())),
            8 => read(body).map(Message::Acknowledge),
            9 => read(body).map(|(topic, digest)| Message::Settled(topic, digest)),
            10 => read(body).map(Message::Leave),
            11 => read(body).map(Message::Ping),
            12 => read(body).map(Message::Pong),
            13 => read(body).map(|(topic, after)| Message::MoreHeads(topic, after)),
            14 => read(body).map(|(topic, digest)| Message::Catalogue(topic, digest)),
            15 => read(body).map(|(topic, listed)| Message::Listed(topic, listed)),
            16 => read(body).map(|(topic, after)| Message::MoreListed(topic, after)),
            17 => read(body).map(Message::Redeem),
            18 => read(body).map(|(topic, outcome)| Message::Redeemed(topic, outcome)),
            32 => read(body).map(|(topic, heads)| Message::LogHeads(topic, heads)),
            33 => read(body).map(|(topic, operations)| Message::Operations(topic, operations)),
            128.. => return Ok(None),
            _ => None,
        };
        message.filter(Message::is_within_limits).map(Some).ok_or(NotAMessage { kind })
    }

    fn is_within_limits(&self) -> bool {
        match self {
            Message::Hello(hello) => hello.versions.len() <= 64 && hello.extensions.len() <= limits::EXTENSIONS_MAX,
            Message::Interest(interest) => interest.extensions.len() <= limits::EXTENSIONS_MAX,
            Message::Follow(Follow { heads, .. }) | Message::Heads(_, heads) => heads.ends.len() <= limits::HEADS_MAX,
            Message::Locate(locate) => locate.samples.len() <= limits::SAMPLES_MAX,
            Message::LogHeads(_, LogHeads { heads, samples }) => {
                heads.len() <= limits::LOG_HEADS_MAX && samples.len() <= limits::LOG_SAMPLES_MAX
            }
            Message::Listed(_, listed) => listed.ids.len() <= limits::LISTED_MAX,
            Message::Operations(_, operations) => operations.len() <= limits::OPERATIONS_MAX,
            Message::Acknowledge(acknowledge) => acknowledge.refused.len() <= limits::REFUSED_TOLD_MAX,
            _ => true,
        }
    }
}

fn write<T: Serialize>(body: &T, frame: &mut Vec<u8>) {
    // Writing these plain structures to memory cannot fail.
    if let Ok(bytes) = postcard::to_allocvec(body) {
        frame.extend_from_slice(&bytes);
    }
}

fn read<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Option<T> {
    postcard::take_from_bytes(body).ok().and_then(|(value, rest)| rest.is_empty().then_some(value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn examples() -> Vec<Message> {
        let hello = Hello {
            versions: VERSIONS.to_vec(),
            epoch: [1; 16],
            cursor: Some(([2; 16], 3)),
            features: 4,
            frame_bytes_max: 1 << 20,
            extensions: vec![(7, vec![8])],
        };
        let head = Head { author: [1; 32], session: 2, seq: 3, link: [4; 32] };
        let heads = Heads { after: Some(head), ends: vec![head, head], has_more: true };
        let scope = Scope::Document([5; 32]);
        vec![
            Message::Hello(hello),
            Message::Interest(Interest {
                topic: 1,
                scope,
                proof: Some([6; 32]),
                wants_genesis: true,
                extensions: vec![],
            }),
            Message::Follow(Follow { topic: 1, proof: None, genesis: Some(vec![7; 9]), heads: Heads::all(vec![head]) }),
            Message::Refused(1, Refusal::Busy(500)),
            Message::Heads(1, heads),
            Message::Locate(Locate {
                topic: 1,
                author: [1; 32],
                session: 2,
                samples: vec![(3, [4; 32])],
                is_reply: true,
            }),
            Message::Envelope(300, vec![9; 100]),
            Message::Acknowledge(Acknowledge { topic: 1, count: 2, waiting: 3, refused: vec![([3; 32], 4)] }),
            Message::Settled(1, [2; 32]),
            Message::Leave(1),
            Message::Ping(5),
            Message::Pong(6),
            Message::MoreHeads(1, Some(head)),
            Message::Catalogue(1, [3; 32]),
            Message::Listed(1, Listed { ids: vec![[4; 32], [5; 32]], has_more: Some(true) }),
            Message::MoreListed(1, Some([5; 32])),
            Message::Redeem(Redeem { topic: 1, secret: [1; 16], author: [2; 32], signature: ([3; 32], [4; 32]) }),
            Message::Redeemed(1, Redeemed::Late),
            Message::LogHeads(1, LogHeads { heads: vec![[1; 32]], samples: vec![[2; 32], [3; 32]] }),
            Message::Operations(1, vec![vec![1; 200], vec![2; 300]]),
        ]
    }

    #[test]
    fn every_message_survives_its_frame() {
        for message in examples() {
            assert_eq!(Message::from_frame(&message.to_frame()), Ok(Some(message)));
        }
    }

    #[test]
    fn a_truncated_frame_is_refused() {
        for message in examples().into_iter().filter(|message| !matches!(message, Message::Envelope(..))) {
            let frame = message.to_frame();
            for length in 0..frame.len() {
                assert!(Message::from_frame(&frame[..length]).is_err(), "{message:?} to {length}");
            }
        }
    }

    #[test]
    fn more_of_a_log_than_one_message_may_hold_is_refused() {
        let heads = LogHeads { heads: vec![[1; 32]; limits::LOG_HEADS_MAX + 1], samples: vec![] };
        let operations = vec![vec![1]; limits::OPERATIONS_MAX + 1];
        let listed = Listed { ids: vec![[1; 32]; limits::LISTED_MAX + 1], has_more: None };
        let told = [(Message::Listed(1, listed), 15), (Message::LogHeads(1, heads), 32)];
        for (message, kind) in told.into_iter().chain([(Message::Operations(1, operations), 33)]) {
            assert_eq!(Message::from_frame(&message.to_frame()), Err(NotAMessage { kind }));
        }
    }

    #[test]
    fn an_unknown_optional_kind_is_ignored_and_another_unknown_kind_is_not() {
        assert_eq!(Message::from_frame(&[200, 1, 2]), Ok(None));
        assert_eq!(Message::from_frame(&[100, 1, 2]), Err(NotAMessage { kind: 100 }));
        assert_eq!(Message::from_frame(&[]), Err(NotAMessage { kind: 0 }));
    }

    proptest! {
        #[test]
        fn no_bytes_panic(frame in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = Message::from_frame(&frame);
        }
    }
}
