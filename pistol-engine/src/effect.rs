//! What a node wants done.

use std::sync::Arc;

use pistol_core::id::DocumentId;
use pistol_core::key::AuthorId;
use pistol_core::store::{Batch, Table};
use pistol_sync::node::NodeId;

use crate::engine::Opening;
use crate::input::{Address, ConnectionId, ReadId, Token, Unreadable};
use crate::replica::Saving;
use crate::salvage::Salvage;

/// What is to be done, in order.
#[derive(Clone, Debug)]
pub enum Effect {
    /// Make a batch durable; answer with `Stored` or `StoreFailed`. There is never more than one outstanding.
    Store(Arc<Batch>),
    /// Read rows; answer with `Rows`.
    Read {
        /// What the answer is called.
        read: ReadId,
        /// From this table.
        table: Table,
        /// From this key on.
        from: Vec<u8>,
        /// Up to this key.
        to: Vec<u8>,
        /// As many as fit.
        bytes_max: usize,
    },
    /// Save a picture, on another thread if there is one; answer with `Saved`.
    Save(Box<Saving>),
    /// Load a picture, on another thread if there is one; answer with `PictureOpened`.
    OpenPicture(Box<Opening>),
    /// Put the rows of a damaged document in order, with [`Salvage::run`]; answer with `Salvaged`.
    Salvage(Box<Salvage>),
    /// Send a frame.
    Send {
        /// On this connection.
        connection: ConnectionId,
        /// The payload.
        frame: Vec<u8>,
    },
    /// End a connection.
    Close {
        /// Which.
        connection: ConnectionId,
        /// Why, in words.
        reason: String,
    },
    /// Open a connection; answer with `Connected` or `DialFailed`.
    Dial {
        /// To this node.
        peer: NodeId,
        /// It may be at one of these.
        addresses: Vec<Address>,
    },
    /// Readers see something new.
    Changed {
        /// Where.
        document: DocumentId,
        /// Whose changes, and how many of each.
        authors: Vec<(AuthorId, u64)>,
        /// Whether they were made by this node's application.
        is_own: bool,
    },
    /// An answer to the application.
    Reply {
        /// To this request.
        token: Token,
        /// What.
        reply: Result<Reply, ReplyError>,
    },
}

/// What a request came to.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reply {
    /// The document is loaded.
    Document(DocumentId),
    /// Done.
    Done,
}

/// Why a request failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReplyError {
    /// There is no such document in this store.
    #[error("this store does not hold the document; join it with a ticket")]
    NotFound,
    /// Nobody answered in time.
    #[error(
        "no peer that holds the document answered in time ({last}); check that the other side is sharing and reachable"
    )]
    NoPeer {
        /// What happened last.
        last: String,
    },
    /// The inviting node refused.
    #[error("the other side refused: {0}")]
    Refused(String),
    /// The ticket does not open the document.
    #[error("the ticket does not open the document: {0}; ask for a new one")]
    BadTicket(String),
    /// What is stored of the document cannot be read.
    #[error(
        "the stored document is damaged ({0}); connect to a peer that holds it, or go on without what is lost with \
         `pistol doctor --repair`"
    )]
    Damaged(String),
    /// What is stored of the document could not be read now.
    #[error("the document could not be read ({0}); look at the disk, then open the document again")]
    Unread(String),
    /// The disk did not take it.
    #[error("the store did not take it ({0}); it is tried again, but look at the disk")]
    Store(String),
    /// The application still holds the document.
    #[error("the document is in use here; let go of every handle and view of it, then try again")]
    InUse,
    /// It would come back with its space.
    #[error(
        "the document belongs to a space that this store follows, and would come back from there; forget the space, with all that is in it"
    )]
    InSpace,
    /// Very many invitations were given that nobody used.
    #[error("too many invitations into this were given and not used; give them an end, or grant to a key")]
    TooManyInvites,
    /// Documents may depend on it.
    #[error(
        "documents of this store may depend on it: what they say of who may write would be lost; remove those with members first"
    )]
    Needed,
    /// The name is taken.
    #[error("something else is called so here; choose another name")]
    NameTaken,
}

impl From<Unreadable> for ReplyError {
    fn from(error: Unreadable) -> Self {
        match error {
            Unreadable::Failed(reason) => ReplyError::Unread(reason),
            Unreadable::Damaged { reason, .. } => ReplyError::Damaged(reason),
        }
    }
}
