//! How connections end.

use iroh::endpoint::{ConnectionError, VarInt};

/// Why one side ends a connection. The other side is told the number only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum CloseReason {
    /// The node shuts down, or nobody holds the connection any more.
    Shutdown,
    /// Another connection between the two nodes stays.
    Duplicate,
    /// The peer broke the protocol.
    Protocol,
    /// The peer stopped in the middle of a frame, or no longer read.
    Stalled,
    /// This node has too much to do: try again later.
    Busy,
    /// Nothing is left to say.
    Idle,
    /// A reason of a newer version.
    Unknown(u32),
}

impl CloseReason {
    pub(super) fn code(self) -> VarInt {
        VarInt::from_u32(match self {
            Self::Shutdown => 0,
            Self::Duplicate => 1,
            Self::Protocol => 2,
            Self::Stalled => 3,
            Self::Busy => 4,
            Self::Idle => 5,
            Self::Unknown(code) => code,
        })
    }

    fn from_code(code: VarInt) -> Self {
        match code.into_inner() {
            0 => Self::Shutdown,
            1 => Self::Duplicate,
            2 => Self::Protocol,
            3 => Self::Stalled,
            4 => Self::Busy,
            5 => Self::Idle,
            code => Self::Unknown(u32::try_from(code).unwrap_or(u32::MAX)),
        }
    }
}

/// How a connection ended.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Closed {
    /// This side closed it.
    #[error("this node closed the connection: connect again to go on")]
    Here,
    /// The peer closed it.
    #[error("the peer closed the connection ({0:?}): connect again later")]
    ByPeer(CloseReason),
    /// Nothing was heard from the peer for the time limit of the profile.
    #[error("the peer fell silent: check the network, and connect again")]
    Silent,
    /// The peer lost the connection, as after a restart.
    #[error("the peer no longer knows the connection: connect again")]
    Forgotten,
    /// The transport of one side found a fault in the other's.
    #[error("the transport failed (code {code:#x}): connect again; if it persists, update both nodes")]
    Transport {
        /// The error code of QUIC (RFC 9000, section 20).
        code: u64,
    },
}

impl From<ConnectionError> for Closed {
    fn from(error: ConnectionError) -> Self {
        match error {
            ConnectionError::LocallyClosed => Self::Here,
            ConnectionError::ApplicationClosed(close) => Self::ByPeer(CloseReason::from_code(close.error_code)),
            ConnectionError::TimedOut => Self::Silent,
            ConnectionError::Reset => Self::Forgotten,
            ConnectionError::TransportError(error) => Self::Transport { code: error.code.into() },
            ConnectionError::ConnectionClosed(close) => Self::Transport { code: close.error_code.into() },
            ConnectionError::VersionMismatch | ConnectionError::CidsExhausted => Self::Transport { code: 0x1 },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::CloseReason;

    #[test]
    fn every_reason_is_the_same_after_its_number_was_sent() {
        use CloseReason::{Busy, Duplicate, Idle, Protocol, Shutdown, Stalled, Unknown};
        for reason in [Shutdown, Duplicate, Protocol, Stalled, Busy, Idle, Unknown(6), Unknown(u32::MAX)] {
            assert_eq!(CloseReason::from_code(reason.code()), reason);
        }
    }
}
