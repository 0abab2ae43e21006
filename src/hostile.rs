//! A peer that says what it likes, on a real connection: for tests and the demo, behind the feature `hostile`.
//!
//! It is deliberately not a node: it stores nothing, checks nothing it sends, and follows no rule but those it is told
//! to. What it can do, anybody who holds a ticket can do.

mod writer;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use pistol_core::document::Document;
use pistol_core::envelope::{Envelope, Linked};
use pistol_core::genesis::Genesis;
use pistol_core::id::{Link, Session};
use pistol_core::key::{AuthorId, AuthorKey, Verifier};
use pistol_core::validate::Check;
use pistol_sync::limits::FRAME_BYTES_MAX;
use pistol_sync::net::{BindOptions, Connection, Endpoint, FrameReceiver, FrameSender, Limits, Profile};
use pistol_sync::node::NodeId;
use pistol_sync::proto::heads;
use pistol_sync::proto::proof::{Binding, Role};
use pistol_sync::ticket::Ticket;
use tokio::time::timeout;

pub use pistol_core::chain::ChainId;
pub use pistol_sync::proto::message::{self, Message};
pub use writer::Writer;

use message::{Acknowledge, Follow, Head, Heads, Hello, Interest, Scope};

/// How long an honest node may take to say the next thing.
const LIMIT: Duration = Duration::from_mins(1);
/// The number of the one document that is followed; those of a dialler are even.
const TOPIC: message::Topic = 0;

/// Why a hostile peer got no further. Whether that is good or bad is for the test to say.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HostileError {
    /// There is no connection, or no longer one.
    #[error("there is no connection ({0}); see whether the honest node runs, and whether it hung up")]
    Connection(String),
    /// The honest node said nothing.
    #[error("the honest node said nothing for {LIMIT:?}; see what it waits for")]
    Silent,
    /// The honest node lets this peer read nothing.
    #[error("the honest node refuses ({0:?}); use a ticket that opens the document")]
    Refused(message::Refusal),
    /// The honest node said what it should not.
    #[error("the honest node said something unexpected: {0}")]
    Unexpected(String),
}

fn lost(error: impl std::error::Error) -> HostileError {
    HostileError::Connection(crate::error::with_sources(&error))
}

/// A connection to an honest node, and what was learnt over it.
///
/// ```no_run
/// # async fn example(ticket: &pistol::Ticket) -> Result<(), Box<dyn std::error::Error>> {
/// let mut peer = pistol::hostile::HostilePeer::connect(ticket, [7; 32]).await?;
/// let mut writer = peer.writer()?;
/// writer.edit(|doc| doc.text("body").push("I was here"))?;
/// peer.send_envelope(&writer.forged_envelope()).await?;
/// assert!(peer.acknowledged().await?.refused.is_empty(), "what is not signed is no change of anybody");
/// # Ok(())
/// # }
/// ```
pub struct HostilePeer {
    endpoint: Endpoint,
    connection: Connection,
    sender: FrameSender,
    receiver: FrameReceiver,
    ticket: Ticket,
    seed: [u8; 32],
    document: Option<Document>,
    changes: Vec<Linked>,
    envelopes: Vec<Vec<u8>>,
    sent: u64,
    acknowledged: Acknowledge,
}

impl HostilePeer {
    /// Dials the node that a ticket names, says hello, follows the document, and takes all of it in. The seed makes
    /// the peer's keys.
    ///
    /// # Errors
    /// [`HostileError`].
    pub async fn connect(ticket: &Ticket, seed: [u8; 32]) -> Result<Self, HostileError> {
        let mut peer = HostilePeer::dial(ticket, seed).await?;
        peer.greet().await?;
        peer.follow().await?;
        Ok(peer)
    }

    /// Dials, and says nothing yet.
    ///
    /// # Errors
    /// [`HostileError::Connection`].
    pub async fn dial(ticket: &Ticket, seed: [u8; 32]) -> Result<Self, HostileError> {
        let secret = seed.map(|byte| !byte);
        let listen = vec![([127, 0, 0, 1], 0).into()];
        let options = BindOptions { secret, listen, profile: Profile::default(), limits: Limits::default() };
        let endpoint = Endpoint::bind(options).await.map_err(lost)?;
        // A dial is large, and a test holds several.
        let dial = Box::pin(endpoint.connect(ticket.node, &ticket.addresses));
        let connection = dial.await.map_err(lost)?;
        let (sender, receiver) = connection.open().await.map_err(lost)?;
        Ok(HostilePeer {
            endpoint,
            connection,
            sender,
            receiver,
            ticket: ticket.clone(),
            seed,
            document: None,
            changes: Vec::new(),
            envelopes: Vec::new(),
            sent: 0,
            acknowledged: Acknowledge { topic: TOPIC, count: 0, refused: Vec::new(), waiting: 0 },
        })
    }

    /// Says hello, and hears it.
    ///
    /// # Errors
    /// [`HostileError`].
    pub async fn greet(&mut self) -> Result<(), HostileError> {
        let hello = Hello {
            versions: message::VERSIONS.to_vec(),
            epoch: [0; 16],
            cursor: None,
            features: 0,
            frame_bytes_max: u32::try_from(FRAME_BYTES_MAX).unwrap_or(u32::MAX),
            extensions: Vec::new(),
        };
        self.send(&Message::Hello(hello)).await?;
        match self.receive().await? {
            Message::Hello(_) => Ok(()),
            other => Err(HostileError::Unexpected(format!("{other:?} instead of a hello"))),
        }
    }

    /// Proves the ticket's read key, follows the document, and receives until it holds all that the node told of.
    ///
    /// # Errors
    /// [`HostileError`].
    pub async fn follow(&mut self) -> Result<(), HostileError> {
        let (dialler, listener) = (self.endpoint.id(), self.connection.peer());
        let binding = Binding { dialler, listener, exported: self.connection.exported_key() };
        let document = self.ticket.document;
        let proof = self.ticket.read_key.as_ref().map(|key| binding.prove(key, Role::Dialler, &document));
        let scope = Scope::Document(document.0);
        let interest = Interest { topic: TOPIC, scope, proof, wants_genesis: true, extensions: Vec::new() };
        self.send(&Message::Interest(interest)).await?;
        let follow = loop {
            match self.receive().await? {
                Message::Follow(follow) => break follow,
                Message::Refused(_, why) => return Err(HostileError::Refused(why)),
                _ => {}
            }
        };
        self.begin(&follow)?;
        self.send(&Message::Heads(TOPIC, Heads::all(Vec::new()))).await?;
        while !self.holds(&follow.heads.ends) {
            self.receive().await?;
        }
        Ok(())
    }

    fn begin(&mut self, follow: &Follow) -> Result<(), HostileError> {
        let unexpected = |error: &dyn std::error::Error| HostileError::Unexpected(error.to_string());
        let bytes = follow.genesis.as_deref().unwrap_or_default();
        let genesis = Genesis::verify_for(self.ticket.document, bytes, &mut Verifier::default());
        let genesis = genesis.map_err(|error| unexpected(&error))?;
        self.document = Some(Document::new(Arc::new(genesis)).map_err(|rule| unexpected(&rule))?);
        Ok(())
    }

    fn holds(&self, told: &[Head]) -> bool {
        let Some(document) = &self.document else { return false };
        told.iter().all(|head| {
            let Ok(author) = AuthorId::from_bytes(&head.author) else { return true };
            let chain = ChainId { author, session: Session(head.session) };
            heads::find(document.history(), &chain, head.seq, Link(head.link)).is_some()
        })
    }

    /// The author that this peer signs as.
    pub fn author(&self) -> AuthorId {
        AuthorKey::from_seed(&self.seed).id()
    }

    /// The name of this peer on the network.
    pub fn node(&self) -> NodeId {
        self.endpoint.id()
    }

    /// The envelopes received so far, as they came.
    pub fn envelopes(&self) -> &[Vec<u8>] {
        &self.envelopes
    }

    /// Everybody who has written in the document, sorted.
    pub fn authors(&self) -> Vec<AuthorId> {
        let authors: BTreeSet<AuthorId> = self.changes.iter().map(|linked| linked.change().author).collect();
        authors.into_iter().collect()
    }

    /// Writes in a session of this peer's own, after everything received so far. Two writers of one peer write in the
    /// same session, so that what they write is a fork.
    ///
    /// # Errors
    /// [`HostileError::Unexpected`] before the document was followed.
    pub fn writer(&self) -> Result<Writer, HostileError> {
        let number = self.seed.iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte));
        let session = Session(number);
        self.writer_in(ChainId { author: self.author(), session })
    }

    /// Writes in somebody else's session, where it ends now, and signs with this peer's own key all the same.
    ///
    /// # Errors
    /// [`HostileError::Unexpected`] if that author has not written.
    pub fn writer_as(&self, author: AuthorId) -> Result<Writer, HostileError> {
        let branches = self.document.iter().flat_map(|document| document.history().branches());
        let chain = branches.filter_map(pistol_core::validate::Branch::chain).find(|chain| chain.author == author);
        self.writer_in(chain.ok_or_else(|| HostileError::Unexpected(format!("{author} has written nothing")))?)
    }

    fn writer_in(&self, chain: ChainId) -> Result<Writer, HostileError> {
        let begun = self.document.as_ref().and_then(|document| {
            let genesis = Arc::clone(document.history().genesis());
            Writer::after(genesis, self.changes.clone(), self.seed, chain)
        });
        begun.ok_or_else(|| HostileError::Unexpected("the document was not followed yet".to_owned()))
    }
}

/// Speaking.
impl HostilePeer {
    /// Sends a message.
    ///
    /// # Errors
    /// [`HostileError::Connection`].
    pub async fn send(&mut self, message: &Message) -> Result<(), HostileError> {
        self.send_frame(&message.to_frame()).await
    }

    /// Sends a frame of any payload.
    ///
    /// # Errors
    /// [`HostileError::Connection`].
    pub async fn send_frame(&mut self, payload: &[u8]) -> Result<(), HostileError> {
        self.sender.send(payload).await.map_err(lost)
    }

    /// Sends any bytes as an envelope of the document.
    ///
    /// # Errors
    /// [`HostileError::Connection`].
    pub async fn send_envelope(&mut self, bytes: &[u8]) -> Result<(), HostileError> {
        self.sent += 1;
        self.send(&Message::Envelope(TOPIC, bytes.to_vec())).await
    }

    /// Sends any bytes, framed or not.
    ///
    /// # Errors
    /// [`HostileError::Connection`].
    pub async fn send_raw(&mut self, bytes: &[u8]) -> Result<(), HostileError> {
        self.sender.send_raw(bytes).await.map_err(lost)
    }

    /// From now on it only speaks: what it hears is thrown away, so that the node is not made to wait.
    pub fn deaf(self) -> DeafPeer {
        let HostilePeer { endpoint, connection, sender, mut receiver, .. } = self;
        let listening = tokio::spawn(async move { while let Ok(Some(_)) = receiver.receive().await {} });
        DeafPeer { endpoint, connection, sender, listening }
    }

    /// Says that nothing more follows.
    pub fn finish(&mut self) {
        self.sender.finish();
    }
}

/// Listening.
impl HostilePeer {
    /// Waits for the next message. Envelopes are taken in and acknowledged.
    ///
    /// # Errors
    /// [`HostileError`].
    pub async fn receive(&mut self) -> Result<Message, HostileError> {
        loop {
            let frame = timeout(LIMIT, self.receiver.receive()).await.map_err(|_| HostileError::Silent)?;
            let frame = frame.map_err(lost)?.ok_or_else(|| HostileError::Connection("the stream ended".to_owned()))?;
            let message = Message::from_frame(&frame).map_err(|error| HostileError::Unexpected(error.to_string()))?;
            match message {
                Some(Message::Envelope(topic, bytes)) => {
                    self.take(&bytes)?;
                    let count = self.envelopes.len() as u64 + 1;
                    self.envelopes.push(bytes.clone());
                    self.send(&Message::Acknowledge(Acknowledge { topic, count, refused: Vec::new(), waiting: 0 }))
                        .await?;
                    return Ok(Message::Envelope(topic, bytes));
                }
                Some(Message::Acknowledge(acknowledge)) => {
                    self.acknowledged.count = acknowledge.count;
                    self.acknowledged.refused.extend(acknowledge.refused.iter().copied());
                    return Ok(Message::Acknowledge(acknowledge));
                }
                Some(message) => return Ok(message),
                None => {}
            }
        }
    }

    /// Waits until the node has dealt with every envelope sent so far. Gives all that it said it refused.
    ///
    /// # Errors
    /// [`HostileError`].
    pub async fn acknowledged(&mut self) -> Result<Acknowledge, HostileError> {
        while self.acknowledged.count < self.sent {
            self.receive().await?;
        }
        Ok(self.acknowledged.clone())
    }

    /// Waits for the end of the connection, and says how it ended.
    ///
    /// # Errors
    /// [`HostileError::Silent`] if the node keeps it.
    pub async fn ended(&mut self) -> Result<String, HostileError> {
        let closed = timeout(LIMIT, self.connection.closed()).await.map_err(|_| HostileError::Silent)?;
        Ok(closed.to_string())
    }

    /// Leaves the network.
    pub async fn close(self) {
        self.connection.close(pistol_sync::net::CloseReason::Shutdown);
        self.endpoint.close().await;
    }

    fn take(&mut self, bytes: &[u8]) -> Result<(), HostileError> {
        let unexpected = |error: &dyn std::error::Error| HostileError::Unexpected(error.to_string());
        let Some(document) = &mut self.document else { return Ok(()) };
        let id = document.history().genesis().id();
        let envelope = Envelope::from_bytes(id, bytes).map_err(|error| unexpected(&error))?;
        let verified = envelope.verify(&mut Verifier::default()).map_err(|error| unexpected(&error))?;
        for change in verified.into_changes() {
            if let Check::Valid(valid) = document.check(&change) {
                document.accept(*valid).map_err(|error| unexpected(&error))?;
                self.changes.push((*change).clone());
            }
        }
        Ok(())
    }
}

/// A hostile peer that does not listen.
pub struct DeafPeer {
    endpoint: Endpoint,
    connection: Connection,
    sender: FrameSender,
    listening: tokio::task::JoinHandle<()>,
}

impl DeafPeer {
    /// Sends a frame of any payload.
    ///
    /// # Errors
    /// [`HostileError::Connection`].
    pub async fn send_frame(&mut self, payload: &[u8]) -> Result<(), HostileError> {
        self.sender.send(payload).await.map_err(lost)
    }

    /// Leaves the network.
    pub async fn close(self) {
        self.listening.abort();
        self.connection.close(pistol_sync::net::CloseReason::Shutdown);
        self.endpoint.close().await;
    }
}

impl std::fmt::Debug for DeafPeer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "DeafPeer({:?} at {:?})", self.endpoint.id(), self.connection.peer())
    }
}

impl std::fmt::Debug for HostilePeer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "HostilePeer({:?} at {:?})", self.node(), self.connection.peer())
    }
}
