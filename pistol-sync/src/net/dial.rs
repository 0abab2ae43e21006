//! Why a node could not be reached.

use std::time::Duration;

use iroh::endpoint::{ConnectWithOptsError, ConnectingError};

use super::closing::Closed;
use crate::node::NodeId;

/// Why a dial failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The id is no public key.
    #[error("{0} is not the id of a node: ask for a new ticket")]
    NotANode(NodeId),
    /// The id is this node's own.
    #[error("a node cannot connect to itself: use the ticket of another")]
    Own,
    /// No address of the peer is known.
    #[error("no address of the peer is known: ask for a new ticket")]
    NoAddress,
    /// Too many connections are open.
    #[error("{limit} connections are open already: close one first")]
    TooMany {
        /// The limit.
        limit: usize,
    },
    /// No answer came.
    #[error("the peer did not answer within {limit:?}: check that it runs and is on a network that reaches this one")]
    TimedOut {
        /// The time limit.
        limit: Duration,
    },
    /// The peer has no room.
    #[error("the peer has no room for another connection: try again later")]
    Refused,
    /// Something else answered.
    #[error("the peer does not speak this version of the protocol: update both nodes")]
    OtherProtocol,
    /// The connection ended in the handshake.
    #[error("the handshake failed")]
    Failed(#[source] Closed),
    /// Another node answered at the address, or the transport refused its key.
    #[error("the peer could not prove its id: ask for a new ticket")]
    Unproved,
    /// This endpoint is closed.
    #[error("this node has left the network: open it again")]
    EndpointClosed,
}

impl From<ConnectWithOptsError> for ConnectError {
    fn from(error: ConnectWithOptsError) -> Self {
        match error {
            ConnectWithOptsError::SelfConnect { .. } => Self::Own,
            ConnectWithOptsError::NoAddress { .. } => Self::NoAddress,
            _ => Self::EndpointClosed,
        }
    }
}

impl From<ConnectingError> for ConnectError {
    fn from(error: ConnectingError) -> Self {
        match error {
            ConnectingError::ConnectionError { source, .. } => Closed::from(source).into(),
            ConnectingError::HandshakeFailure { .. } => Self::Unproved,
            _ => Self::EndpointClosed,
        }
    }
}

impl From<Closed> for ConnectError {
    fn from(closed: Closed) -> Self {
        // RFC 9000, section 20.1; the alert that no protocol is shared is that of RFC 7301.
        const REFUSED: u64 = 0x2;
        const NO_APPLICATION_PROTOCOL: u64 = 0x100 + 120;
        match closed {
            Closed::Transport { code: REFUSED } => Self::Refused,
            Closed::Transport { code: NO_APPLICATION_PROTOCOL } => Self::OtherProtocol,
            Closed::Transport { code: 0x100..=0x1ff } => Self::Unproved,
            other => Self::Failed(other),
        }
    }
}
