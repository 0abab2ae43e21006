//! What happens to a node.

use std::net::SocketAddr;
use std::sync::Arc;

use pistol_core::document::Opened;
use pistol_core::genesis::Genesis;
use pistol_core::id::DocumentId;
use pistol_core::store::{Row, StoreError};
use pistol_sync::node::NodeId;
use pistol_sync::ticket::Ticket;

use crate::replica::Saved;

/// The time, as whoever runs the engine sees it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Now {
    /// Milliseconds that only ever grow: for deadlines.
    pub steady_ms: u64,
    /// Milliseconds since 1970: for display, and nothing else.
    pub wall_ms: u64,
}

/// One connection; never used again after it ended.
pub type ConnectionId = u64;
/// One read of the store.
pub type ReadId = u64;
/// One request of the application, answered by [`crate::Effect::Reply`].
pub type Token = u64;
/// Where a node may be reached.
pub type Address = SocketAddr;

/// What happens.
#[derive(Debug)]
pub enum Input {
    /// A connection to a peer stands.
    Connected {
        /// Its name from now on.
        connection: ConnectionId,
        /// Who is at the other end.
        peer: NodeId,
        /// Whether this node opened it.
        is_dialler: bool,
        /// Keying material that both ends can export, and nobody else.
        exported: [u8; 32],
    },
    /// A frame arrived.
    Received {
        /// On this connection.
        connection: ConnectionId,
        /// The payload.
        frame: Vec<u8>,
    },
    /// A connection ended.
    Disconnected {
        /// Which.
        connection: ConnectionId,
        /// Why, in words.
        reason: String,
    },
    /// A peer could not be reached.
    DialFailed {
        /// Who.
        peer: NodeId,
        /// Why, in words.
        reason: String,
    },
    /// The outstanding batch is durable.
    Stored,
    /// The outstanding batch is not; nothing of it was kept.
    StoreFailed {
        /// Why, in words.
        reason: String,
    },
    /// The answer to an [`crate::Effect::Read`].
    Rows {
        /// Which.
        read: ReadId,
        /// The rows, or why there are none.
        rows: Result<Vec<Row>, Unreadable>,
    },
    /// The answer to an [`crate::Effect::Save`].
    Saved {
        /// Of which document.
        document: DocumentId,
        /// What was saved; none if that failed.
        saved: Option<Saved>,
    },
    /// The answer to an [`crate::Effect::OpenPicture`].
    PictureOpened {
        /// Which.
        read: ReadId,
        /// What was loaded; none if that failed.
        opened: Option<Box<Opened>>,
    },
    /// The answer to an [`crate::Effect::Salvage`].
    Salvaged {
        /// Which document.
        document: DocumentId,
        /// Whether its rows are in order, or why not.
        result: Result<(), Unreadable>,
    },
    /// The application asks for something.
    Command {
        /// What the answer is called.
        token: Token,
        /// What.
        command: Command,
    },
    /// Something was edited through [`crate::Documents`], or a deadline came.
    Wake,
    /// Nothing more is waiting: what was taken in is projected, stored and sent.
    TickEnd,
}

/// Why rows could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unreadable {
    /// The disk failed, in words; they may be read another time.
    Failed(String),
    /// They are not what was written.
    Damaged {
        /// What was found, in words.
        reason: String,
        /// The key of the first such row, if that is known.
        key: Option<Vec<u8>>,
    },
}

impl From<StoreError> for Unreadable {
    fn from(error: StoreError) -> Self {
        let reason = error.to_string();
        match error {
            StoreError::Damaged { .. } => Unreadable::Damaged { reason, key: None },
            StoreError::DamagedRow { key, .. } => Unreadable::Damaged { reason, key: Some(key) },
            _ => Unreadable::Failed(reason),
        }
    }
}

impl Unreadable {
    /// Why, in words.
    pub(crate) fn reason(&self) -> &str {
        match self {
            Unreadable::Failed(reason) | Unreadable::Damaged { reason, .. } => reason,
        }
    }
}

/// What an application may ask for.
#[derive(Debug)]
pub enum Command {
    /// Add a document made here.
    Create {
        /// Its genesis.
        genesis: Arc<Genesis>,
        /// The key to read it.
        read_key: Option<pistol_core::genesis::ReadKey>,
    },
    /// Join a document by invitation.
    Join(Ticket),
    /// Grant a role in a log to whoever shows a secret first.
    Invite {
        /// The log: of a document with members, a space or a group.
        document: DocumentId,
        /// The secret, which a ticket tells.
        secret: [u8; 16],
        /// What is granted.
        role: pistol_acl::record::Role,
        /// Milliseconds since 1970 after which nobody is; 0 is never.
        not_after_ms: u64,
    },
    /// Take in a document from a file; one that the store holds is to be open.
    Import(crate::export::Exported),
    /// Load a document, and keep it loaded.
    Open(DocumentId),
    /// Call a document by a name, here.
    Name(DocumentId, String),
    /// Remove a document from the store, and answer when its room is free. It is refused while a handle is on it.
    Forget(DocumentId),
    /// Answer when everything edited so far is durable.
    Flush,
    /// The node is about to end. Answer when a picture is stored of each document of which many changes are in none: so they
    /// open fast.
    Rest,
    /// Answer when a document is equal with a peer's.
    Synced {
        /// Which.
        document: DocumentId,
        /// Milliseconds to wait at most.
        within_ms: u64,
    },
    /// Try now to reach all known peers that are not connected.
    Redial,
}
