//! What connections are tuned for.

use std::time::Duration;

use iroh::endpoint::{IdleTimeout, QuicTransportConfig, VarInt};

use crate::limits::DATAGRAM_BYTES_WAITING_MAX;

/// What the connections of an endpoint are tuned for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Profile {
    /// A dead peer is noticed in about 10 seconds.
    #[default]
    Default,
    /// A dead peer is noticed in 2 to 3 seconds, at the price of a packet each half second.
    Game,
    /// Like `Default`, with smaller windows.
    Battery,
}

/// How a profile sets the transport. The shorter silence of the two sides holds for both.
struct Tuning {
    silence: Duration,
    keep_alive: Duration,
    window_bytes: u32,
}

impl Profile {
    fn tuning(self) -> Tuning {
        let (silence_ms, keep_alive_ms, window_bytes) = match self {
            Self::Default => (10_000, 3_000, 1024 * 1024),
            Self::Game => (2_000, 500, 256 * 1024),
            Self::Battery => (10_000, 3_000, 256 * 1024),
        };
        Tuning {
            silence: Duration::from_millis(silence_ms),
            keep_alive: Duration::from_millis(keep_alive_ms),
            window_bytes,
        }
    }

    /// The transport of connections on which the peer may open `streams` streams at a time.
    pub(super) fn transport(self, streams: u32) -> QuicTransportConfig {
        let Tuning { silence, keep_alive, window_bytes } = self.tuning();
        QuicTransportConfig::builder()
            .max_concurrent_bidi_streams(VarInt::from_u32(streams))
            .max_concurrent_uni_streams(VarInt::from_u32(0))
            .stream_receive_window(VarInt::from_u32(window_bytes))
            .receive_window(VarInt::from_u32(window_bytes))
            .send_window(u64::from(window_bytes))
            .datagram_receive_buffer_size(Some(DATAGRAM_BYTES_WAITING_MAX))
            .datagram_send_buffer_size(DATAGRAM_BYTES_WAITING_MAX)
            .max_idle_timeout(IdleTimeout::try_from(silence).ok())
            .default_path_max_idle_timeout(silence)
            .keep_alive_interval(keep_alive)
            .default_path_keep_alive_interval(keep_alive)
            .build()
    }
}
