//! The node that everybody writes to, the one that follows it, and what goes between the two.

use std::collections::BTreeMap;
use std::sync::Arc;

use pistol_core::id::DocumentId;
use pistol_engine::{Command, ConnectionId, Input};
use pistol_sync::limits::FRAME_BYTES_MAX;
use pistol_sync::node::NodeId;
use pistol_sync::proto::message::{Heads, Hello, Interest, Message, Scope, Topic, VERSIONS};
use pistol_sync::ticket::Ticket;

use super::crowd::{Enveloped, Written};
use super::machine::Machine;
use crate::Outcome;

/// The connection on which the crowd writes, which is not counted.
const CROWD: ConnectionId = 1;
/// How often the follower is waited for.
const ROUNDS_MAX: usize = 10_000;
/// Bytes of the length before each frame.
const LENGTH_BYTES: u64 = 4;

pub(super) struct Wire {
    hub: Machine,
    follower: Machine,
    connection: ConnectionId,
    topics: BTreeMap<DocumentId, Topic>,
    /// What went between hub and follower, in both directions.
    pub(super) bytes: u64,
}

impl Wire {
    pub(super) fn new(hub: Machine, follower: Machine) -> Wire {
        Wire { hub, follower, connection: CROWD, topics: BTreeMap::new(), bytes: 0 }
    }

    /// The hub gets a document, and the crowd follows it there.
    pub(super) fn create(&mut self, document: &Written) -> Outcome<()> {
        let genesis = Arc::clone(&document.genesis);
        self.hub.give(Input::Command { token: 0, command: Command::Create { genesis, read_key: None } })?;
        if self.topics.is_empty() {
            self.connect_crowd()?;
        }
        let topic = u32::try_from(self.topics.len() * 2)?;
        self.topics.insert(document.id(), topic);
        let scope = Scope::Document(document.id().0);
        let interest = Interest { topic, scope, proof: None, wants_genesis: false, extensions: vec![] };
        self.say(&Message::Interest(interest))?;
        self.say(&Message::Heads(topic, Heads::all(vec![])))
    }

    fn connect_crowd(&mut self) -> Outcome<()> {
        let peer = NodeId([9; 32]);
        self.hub.give(Input::Connected { connection: CROWD, peer, is_dialler: false, exported: [0; 32] })?;
        let frame_bytes_max = u32::try_from(FRAME_BYTES_MAX)?;
        let (versions, epoch) = (VERSIONS.to_vec(), [9; 16]);
        let hello = Hello { versions, epoch, cursor: None, features: 0, frame_bytes_max, extensions: vec![] };
        self.say(&Message::Hello(hello))
    }

    fn say(&mut self, message: &Message) -> Outcome<()> {
        self.hub.give(Input::Received { connection: CROWD, frame: message.to_frame() })
    }

    /// Somebody of the crowd hands in what was written; it goes to the follower.
    pub(super) fn publish(&mut self, document: &Written, envelope: Enveloped) -> Outcome<()> {
        let topic = *self.topics.get(&document.id()).ok_or("nobody follows")?;
        self.say(&Message::Envelope(topic, envelope.bytes))?;
        // What many new authors write is not judged all at once.
        self.hub.rest()?;
        self.follower.rest()?;
        self.exchange()
    }

    /// The follower asks for a document, and gets all of it.
    pub(super) fn join(&mut self, document: DocumentId) -> Outcome<()> {
        self.ask(document)?;
        self.connect()?;
        self.settle()
    }

    /// The follower asks for a document.
    pub(super) fn ask(&mut self, document: DocumentId) -> Outcome<()> {
        let ticket = Ticket::new(document, None, self.hub.node, &[]);
        self.follower.give(Input::Command { token: 0, command: Command::Join(ticket) })?;
        self.exchange()
    }

    fn connect(&mut self) -> Outcome<()> {
        self.connection += 1;
        let connection = self.connection;
        let (hub, follower) = (self.hub.node, self.follower.node);
        let exported = [1; 32];
        self.hub.give(Input::Connected { connection, peer: follower, is_dialler: false, exported })?;
        self.follower.give(Input::Connected { connection, peer: hub, is_dialler: true, exported })?;
        self.exchange()
    }

    /// The follower loses its connection and comes again.
    pub(super) fn connect_again(&mut self) -> Outcome<()> {
        let (connection, reason) = (self.connection, "it went");
        self.hub.give(Input::Disconnected { connection, reason: reason.to_owned() })?;
        self.follower.give(Input::Disconnected { connection, reason: reason.to_owned() })?;
        self.connect()?;
        self.settle()
    }

    /// Carries everything that is to be said, and lets some seconds pass.
    pub(super) fn settle(&mut self) -> Outcome<()> {
        for _ in 0..3 {
            self.exchange()?;
            self.hub.rest()?;
            self.follower.rest()?;
        }
        self.exchange()
    }

    /// Lets time pass until the follower holds so many changes of a document.
    pub(super) fn wait(&mut self, document: DocumentId, changes: usize) -> Outcome<()> {
        for _ in 0..ROUNDS_MAX {
            if self.follower.held(document) >= changes {
                return Ok(());
            }
            self.settle()?;
        }
        Err("the follower does not come to hold what was written".into())
    }

    fn exchange(&mut self) -> Outcome<()> {
        loop {
            if let Some((connection, frame)) = self.hub.sent.pop_front() {
                if connection != CROWD {
                    self.bytes += LENGTH_BYTES + frame.len() as u64;
                    self.follower.give(Input::Received { connection, frame })?;
                }
            } else if let Some((connection, frame)) = self.follower.sent.pop_front() {
                self.bytes += LENGTH_BYTES + frame.len() as u64;
                self.hub.give(Input::Received { connection, frame })?;
            } else {
                return Ok(());
            }
        }
    }

    /// Both end; returns how many bytes the follower's file has.
    pub(super) fn end(self) -> Outcome<u64> {
        self.follower.end()
    }
}
