//! One connection to another node, and the one stream of its session.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use iroh::endpoint::{Path, Side};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::timeout;

use super::closing::{CloseReason, Closed};
use super::frame_receiver::FrameReceiver;
use super::frame_sender::FrameSender;
use super::limits::Limits;
use crate::node::NodeId;

/// What the exported key is for: the proof of a read key, bound to one connection.
const EXPORTED_KEY_LABEL: &[u8] = b"pistol/read/1";

/// A connection to one peer, whose key the handshake has proved. It closes when the last clone and both halves of its
/// stream are dropped.
#[derive(Clone)]
pub struct Connection {
    shared: Arc<Shared>,
}

struct Shared {
    iroh: iroh::endpoint::Connection,
    exported_key: [u8; 32],
    is_opened: AtomicBool,
    limits: Limits,
    _place: OwnedSemaphorePermit,
}

/// Why the stream of a session could not be had. The connection is of no further use.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The stream was asked for before.
    #[error("a connection has one stream, and it was opened before: use that one, or connect again")]
    AlreadyOpen,
    /// The peer did not do its part in time.
    #[error("the peer opened no stream within {limit:?}: close the connection and connect again")]
    TimedOut {
        /// The time limit.
        limit: Duration,
    },
    /// The connection ended.
    #[error("the connection ended before its stream was open")]
    Closed(#[source] Closed),
}

/// What a connection has cost so far, counted by the transport: encryption, acknowledgements and repeats are in it, the
/// headers of UDP and IP are not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Traffic {
    /// Bytes in the UDP packets sent.
    pub sent_bytes: u64,
    /// Bytes in the UDP packets received.
    pub received_bytes: u64,
    /// UDP packets sent.
    pub sent_packets: u64,
    /// UDP packets received.
    pub received_packets: u64,
    /// Packets that were sent and given up for lost.
    pub lost_packets: u64,
    /// The smoothed round trip of the path in use, `None` while there is none.
    pub round_trip: Option<Duration>,
}

impl Connection {
    /// `None` when the transport gives no key: then nothing could be proved on this connection.
    pub(super) fn new(iroh: iroh::endpoint::Connection, limits: Limits, place: OwnedSemaphorePermit) -> Option<Self> {
        let mut exported_key = [0; 32];
        iroh.export_keying_material(&mut exported_key, EXPORTED_KEY_LABEL, &[]).ok()?;
        let is_opened = AtomicBool::new(false);
        let shared = Shared { iroh, exported_key, is_opened, limits, _place: place };
        Some(Self { shared: Arc::new(shared) })
    }

    /// The node on the other side.
    pub fn peer(&self) -> NodeId {
        NodeId(*self.shared.iroh.remote_id().as_bytes())
    }

    /// Whether this side dialled.
    pub fn is_dialler(&self) -> bool {
        self.shared.iroh.side() == Side::Client
    }

    /// 32 secret bytes that both sides of this connection know and nobody else, different for each connection (RFC 8446,
    /// section 7.5).
    pub fn exported_key(&self) -> [u8; 32] {
        self.shared.exported_key
    }

    /// Opens the one stream of the session, once. The dialler must send first: until then the peer sees no stream.
    ///
    /// # Errors
    /// It was opened before, the peer did not open it in time, or the connection ended.
    ///
    /// # Cancel safety
    /// Not cancellation-safe: the stream cannot be had again.
    pub async fn open(&self) -> Result<(FrameSender, FrameReceiver), OpenError> {
        if self.shared.is_opened.swap(true, Ordering::Relaxed) {
            return Err(OpenError::AlreadyOpen);
        }
        let limit = self.shared.limits.open;
        let stream = async {
            if self.is_dialler() { self.shared.iroh.open_bi().await } else { self.shared.iroh.accept_bi().await }
        };
        let (sending, receiving) = timeout(limit, stream)
            .await
            .map_err(|_| OpenError::TimedOut { limit })?
            .map_err(|error| OpenError::Closed(error.into()))?;
        let stall = self.shared.limits.stall;
        Ok((FrameSender::new(sending, self.clone(), stall), FrameReceiver::new(receiving, self.clone(), stall)))
    }

    /// Ends the connection at once. What the peer has not read yet is lost to it, so of two who part in peace the one
    /// that received last closes. Does nothing to a connection that has ended.
    pub fn close(&self, reason: CloseReason) {
        if self.is_open() {
            self.shared.iroh.close(reason.code(), &[]);
        }
    }

    /// Whether the connection has not ended yet.
    pub fn is_open(&self) -> bool {
        self.shared.iroh.close_reason().is_none()
    }

    /// Waits for the end of the connection.
    ///
    /// # Cancel safety
    /// Cancellation-safe.
    pub async fn closed(&self) -> Closed {
        self.shared.iroh.closed().await.into()
    }

    /// What the connection has cost so far.
    pub fn traffic(&self) -> Traffic {
        let statistics = self.shared.iroh.stats();
        let paths = self.shared.iroh.paths();
        Traffic {
            sent_bytes: statistics.udp_tx.bytes,
            received_bytes: statistics.udp_rx.bytes,
            sent_packets: statistics.udp_tx.datagrams,
            received_packets: statistics.udp_rx.datagrams,
            lost_packets: statistics.lost_packets,
            round_trip: paths.iter().find(Path::is_selected).or(paths.iter().next()).map(|path| path.rtt()),
        }
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").field("peer", &self.peer()).field("is_dialler", &self.is_dialler()).finish()
    }
}
