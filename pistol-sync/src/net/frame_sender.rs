//! The half of a stream that sends frames.

use std::fmt;
use std::time::Duration;

use iroh::endpoint::{SendStream, WriteError};
use tokio::time::timeout_at;

use super::closing::{CloseReason, Closed};
use super::connection::Connection;
use super::progress::Progress;
use crate::proto::frame::{self, FrameError};

/// The half of a stream that sends frames. Dropping it finishes the stream.
pub struct FrameSender {
    stream: SendStream,
    connection: Connection,
    stall_limit: Duration,
    is_inside_a_frame: bool,
}

/// Why a frame was not sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SendError {
    /// The frame is empty or too long. Nothing was sent; the stream is as it was.
    #[error("the frame cannot be sent")]
    Frame(#[source] FrameError),
    /// The peer does not read. The connection was closed.
    #[error("the peer took no data for {limit:?}: connect again later")]
    Stalled {
        /// The time limit.
        limit: Duration,
    },
    /// The peer wants no more frames.
    #[error("the peer no longer reads this stream: connect again")]
    Stopped,
    /// This side has finished the stream.
    #[error("the stream is finished: connect again to send more")]
    Finished,
    /// An earlier send was cancelled inside a frame. The connection was closed.
    #[error("an earlier frame was cancelled halfway: connect again, and let sends run to their end")]
    Interrupted,
    /// The connection ended.
    #[error("the connection ended")]
    Closed(#[source] Closed),
}

impl FrameSender {
    pub(super) fn new(stream: SendStream, connection: Connection, stall_limit: Duration) -> Self {
        Self { stream, connection, stall_limit, is_inside_a_frame: false }
    }

    /// Sends one frame: returns when the transport holds all of it, which may be before the peer does.
    ///
    /// # Errors
    /// Those of [`SendError`]. After any but `Frame` nothing more can be sent.
    ///
    /// # Cancel safety
    /// Not cancellation-safe: when it is dropped halfway, the next send gives `Interrupted`.
    pub async fn send(&mut self, payload: &[u8]) -> Result<(), SendError> {
        let frame = frame::encode(payload).map_err(SendError::Frame)?;
        let is_interrupted = std::mem::replace(&mut self.is_inside_a_frame, true);
        let outcome = if is_interrupted { Err(SendError::Interrupted) } else { self.write(&frame).await };
        self.is_inside_a_frame = false;
        match &outcome {
            Err(SendError::Stalled { .. }) => self.connection.close(CloseReason::Stalled),
            Err(SendError::Interrupted) => self.connection.close(CloseReason::Protocol),
            _ => {}
        }
        outcome
    }

    /// Sends bytes as they are, frames or not: for peers that break the protocol on purpose, in tests and the demo.
    ///
    /// # Errors
    /// Those of [`SendError`].
    ///
    /// # Cancel safety
    /// Not cancellation-safe: how much went out is not known.
    #[cfg(feature = "hostile")]
    pub async fn send_raw(&mut self, bytes: &[u8]) -> Result<(), SendError> {
        self.write(bytes).await
    }

    /// Says that no more frames follow: the peer receives `None` after the last of them. To do it again changes nothing.
    pub fn finish(&mut self) {
        // It fails only on a stream that has ended already.
        let _ = self.stream.finish();
    }

    async fn write(&mut self, frame: &[u8]) -> Result<(), SendError> {
        let (mut progress, mut rest) = (Progress::begin(), frame);
        while !rest.is_empty() {
            let deadline = progress.deadline(self.stall_limit);
            let written = timeout_at(deadline, self.stream.write(rest))
                .await
                .map_err(|_| SendError::Stalled { limit: self.stall_limit })??;
            progress.advance(written);
            rest = rest.get(written..).unwrap_or_default();
        }
        Ok(())
    }
}

impl From<WriteError> for SendError {
    fn from(error: WriteError) -> Self {
        match error {
            WriteError::Stopped(_) => Self::Stopped,
            WriteError::ConnectionLost(error) => Self::Closed(error.into()),
            WriteError::ClosedStream | WriteError::ZeroRttRejected => Self::Finished,
        }
    }
}

impl fmt::Debug for FrameSender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FrameSender").field("connection", &self.connection).finish_non_exhaustive()
    }
}
