//! Frames: a length of four bytes, least significant first, then that many bytes.

use crate::limits::FRAME_BYTES_MAX;

/// Why a frame is refused, before anything is allocated for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FrameError {
    /// A frame says nothing.
    #[error("a frame is empty: every message has at least one byte; update the node that sent it")]
    Empty,
    /// A frame is longer than [`FRAME_BYTES_MAX`].
    #[error("a frame of {length} bytes is above the {FRAME_BYTES_MAX} allowed: split the message")]
    TooLong {
        /// The length that was claimed, in bytes.
        length: usize,
    },
}

/// Puts the length before a payload.
///
/// # Errors
/// A payload that [`FrameParser`] would refuse.
pub fn encode(payload: &[u8]) -> Result<Vec<u8>, FrameError> {
    let length = u32::try_from(payload.len()).map_err(|_| FrameError::TooLong { length: payload.len() })?;
    payload_length(length)?;
    let mut frame = Vec::with_capacity(payload.len().saturating_add(4));
    frame.extend_from_slice(&length.to_le_bytes());
    frame.extend_from_slice(payload);
    Ok(frame)
}

/// Takes frames out of bytes that arrive in any pieces. What it holds grows with what arrived, never with what was claimed.
///
/// ```
/// use pistol_sync::proto::frame::{FrameParser, encode};
///
/// let mut bytes = &encode(b"hello")?[..];
/// assert_eq!(FrameParser::default().push(&mut bytes)?, Some(b"hello".to_vec()));
/// # Ok::<(), pistol_sync::proto::frame::FrameError>(())
/// ```
#[derive(Debug, Default)]
pub struct FrameParser {
    state: State,
}

#[derive(Debug)]
enum State {
    Length { taken: u32, value: u32 },
    Payload { length: usize, payload: Vec<u8> },
    Refused(FrameError),
}

impl Default for State {
    fn default() -> Self {
        Self::Length { taken: 0, value: 0 }
    }
}

impl FrameParser {
    /// Takes bytes from the front of `input`, at most to the end of a frame, and gives the frame that they complete.
    /// Without one it has taken all of `input`.
    ///
    /// # Errors
    /// The length of a frame is refused. What follows has no meaning then: every later call gives the same error.
    pub fn push(&mut self, input: &mut &[u8]) -> Result<Option<Vec<u8>>, FrameError> {
        loop {
            match &mut self.state {
                State::Length { taken, value } => {
                    let Some((byte, rest)) = input.split_first() else {
                        return Ok(None);
                    };
                    *input = rest;
                    *value |= u32::from(*byte) << (8 * *taken);
                    *taken += 1;
                    if *taken == 4 {
                        self.state = State::after(*value);
                    }
                }
                State::Payload { length, payload } => {
                    let missing = length.saturating_sub(payload.len());
                    let (arrived, rest) = input.split_at(missing.min(input.len()));
                    *input = rest;
                    append(payload, arrived, *length);
                    if payload.len() < *length {
                        return Ok(None);
                    }
                    let frame = std::mem::take(payload);
                    self.state = State::default();
                    return Ok(Some(frame));
                }
                State::Refused(error) => return Err(*error),
            }
        }
    }

    /// How many bytes are known to be missing to go on: those of the length, then those of the payload.
    pub fn wanted(&self) -> usize {
        match &self.state {
            State::Length { taken: 0, .. } => 4,
            State::Length { taken: 1, .. } => 3,
            State::Length { taken: 2, .. } => 2,
            State::Length { .. } => 1,
            State::Payload { length, payload } => length.saturating_sub(payload.len()),
            State::Refused(_) => 0,
        }
    }

    /// Whether part of a frame has arrived and the rest has not.
    pub fn has_begun(&self) -> bool {
        !matches!(self.state, State::Length { taken: 0, .. })
    }
}

impl State {
    fn after(length: u32) -> Self {
        match payload_length(length) {
            Ok(length) => Self::Payload { length, payload: Vec::new() },
            Err(error) => Self::Refused(error),
        }
    }
}

fn payload_length(length: u32) -> Result<usize, FrameError> {
    match usize::try_from(length).unwrap_or(usize::MAX) {
        0 => Err(FrameError::Empty),
        length if length > FRAME_BYTES_MAX => Err(FrameError::TooLong { length }),
        length => Ok(length),
    }
}

/// Appends with a capacity of at most twice what arrived, and never more than the frame will need.
fn append(payload: &mut Vec<u8>, arrived: &[u8], length: usize) {
    let needed = payload.len().saturating_add(arrived.len());
    if needed > payload.capacity() {
        let roomy = needed.max(payload.capacity().saturating_mul(2)).min(length);
        payload.reserve_exact(roomy.saturating_sub(payload.len()));
    }
    payload.extend_from_slice(arrived);
}

#[cfg(test)]
mod tests;
