//! The half of a stream that receives frames.

use std::fmt;
use std::time::Duration;

use iroh::endpoint::{ReadError, RecvStream};
use tokio::time::timeout_at;

use super::closing::{CloseReason, Closed};
use super::connection::Connection;
use super::progress::Progress;
use crate::proto::frame::{FrameError, FrameParser};

/// The half of a stream that receives frames. Dropping it tells the peer to send no more.
pub struct FrameReceiver {
    stream: RecvStream,
    connection: Connection,
    stall_limit: Duration,
    parser: FrameParser,
    /// Since the first byte of a frame that is not complete.
    progress: Option<Progress>,
}

/// Why no further frame comes. The connection was closed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReceiveError {
    /// The peer sent what is no frame.
    #[error("the peer broke the protocol: update both nodes, or block it if it persists")]
    Frame(#[source] FrameError),
    /// The peer began a frame and does not go on.
    #[error("the peer stopped in the middle of a frame for {limit:?}: connect again later")]
    Stalled {
        /// The time limit.
        limit: Duration,
    },
    /// The peer ended the stream inside a frame.
    #[error("the peer ended the stream in the middle of a frame: connect again")]
    Truncated,
    /// The connection ended.
    #[error("the connection ended")]
    Closed(#[source] Closed),
}

impl FrameReceiver {
    pub(super) fn new(stream: RecvStream, connection: Connection, stall_limit: Duration) -> Self {
        Self { stream, connection, stall_limit, parser: FrameParser::default(), progress: None }
    }

    /// Waits for the next frame. `None`: the peer has sent all it had to say.
    ///
    /// # Errors
    /// Those of [`ReceiveError`], each the end of the connection.
    ///
    /// # Cancel safety
    /// Cancellation-safe: what has arrived of a frame is kept, and its time limit goes on.
    pub async fn receive(&mut self) -> Result<Option<Vec<u8>>, ReceiveError> {
        let outcome = self.next_frame().await;
        match &outcome {
            Ok(_) => {}
            Err(ReceiveError::Stalled { .. }) => self.connection.close(CloseReason::Stalled),
            Err(_) => self.connection.close(CloseReason::Protocol),
        }
        outcome
    }

    async fn next_frame(&mut self) -> Result<Option<Vec<u8>>, ReceiveError> {
        loop {
            let read = self.stream.read_chunk(self.parser.wanted());
            let arrived = match &self.progress {
                None => read.await,
                Some(progress) => timeout_at(progress.deadline(self.stall_limit), read)
                    .await
                    .map_err(|_| ReceiveError::Stalled { limit: self.stall_limit })?,
            };
            let Some(bytes) = arrived? else {
                return if self.parser.has_begun() { Err(ReceiveError::Truncated) } else { Ok(None) };
            };
            // No more than the parser wanted was read, so no byte of a second frame is in hand.
            let frame = self.parser.push(&mut &bytes[..]).map_err(ReceiveError::Frame)?;
            if frame.is_some() {
                self.progress = None;
                return Ok(frame);
            }
            self.progress.get_or_insert_with(Progress::begin).advance(bytes.len());
        }
    }
}

impl From<ReadError> for ReceiveError {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::ConnectionLost(error) => Self::Closed(error.into()),
            ReadError::Reset(_) | ReadError::ClosedStream | ReadError::ZeroRttRejected => Self::Truncated,
        }
    }
}

impl fmt::Debug for FrameReceiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FrameReceiver").field("connection", &self.connection).finish_non_exhaustive()
    }
}
