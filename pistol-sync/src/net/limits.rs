//! How long to wait and how much to hold.

use std::time::Duration;

use crate::limits;

/// How long an endpoint waits and how much it holds. The defaults are those of [`crate::limits`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// How long a dial may take.
    pub dial: Duration,
    /// How long the handshake of an incoming connection may take.
    pub handshake: Duration,
    /// How long the side that was dialled waits for the first frame.
    pub open: Duration,
    /// How long a frame that has begun, in either direction, may go without completing or advancing by 16 KiB.
    pub stall: Duration,
    /// How long closing waits for the peers to hear of it.
    pub close: Duration,
    /// The most connections that others dialled; further ones are refused.
    pub connections_accepted: usize,
    /// The most connections that we dialled; further dials fail.
    pub connections_dialled: usize,
    /// The most incoming connections that are being shaken hands with or wait to be taken.
    pub handshakes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            dial: limits::DIAL_LIMIT,
            handshake: limits::HANDSHAKE_LIMIT,
            open: limits::OPEN_LIMIT,
            stall: limits::STALL_LIMIT,
            close: limits::CLOSE_LIMIT,
            connections_accepted: limits::CONNECTIONS_ACCEPTED_MAX,
            connections_dialled: limits::CONNECTIONS_DIALLED_MAX,
            handshakes: limits::HANDSHAKES_MAX,
        }
    }
}
