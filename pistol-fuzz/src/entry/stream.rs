//! Bytes of a stream: frames with their lengths, in any pieces.

use pistol_sync::limits::FRAME_BYTES_MAX;
use pistol_sync::proto::frame::{FrameError, FrameParser, encode};
use pistol_sync::proto::message::Message;

use super::{frame, named_keys};
use crate::chance::Chance;
use crate::finding::{Outcome, promise};
use crate::mutate::mutate;

/// Gives the bytes of a stream, as a whole and in pieces.
///
/// # Errors
/// [`crate::finding::Divergence`] if the pieces matter, or a frame is longer than it may be.
pub fn accepts(stream: &[u8]) -> Outcome {
    let whole = frames(stream, stream.len());
    for piece in [1, 3, 1000] {
        promise(frames(stream, piece) == whole, "the same bytes in other pieces are other frames")?;
    }
    let (frames, error) = whole;
    let is_bounded = frames.iter().all(|frame| (1..=FRAME_BYTES_MAX).contains(&frame.len()));
    promise(is_bounded, "a frame is empty or longer than it may be")?;
    for frame in &frames {
        frame::accepts(frame)?;
    }
    named_keys::accepts(&frames)?;
    Ok(error.is_none() && !frames.is_empty())
}

fn frames(stream: &[u8], piece: usize) -> (Vec<Vec<u8>>, Option<FrameError>) {
    let mut parser = FrameParser::default();
    let mut frames = Vec::new();
    for mut input in stream.chunks(piece.max(1)) {
        loop {
            match parser.push(&mut input) {
                Ok(Some(frame)) => frames.push(frame),
                Ok(None) => break,
                Err(error) => return (frames, Some(error)),
            }
        }
    }
    (frames, None)
}

pub(super) fn run(chance: &mut Chance) -> Outcome {
    let examples = frame::examples();
    let mut stream = Vec::new();
    for _ in 0..=chance.below(4) {
        let message = chance.pick(&examples).map(Message::to_frame).unwrap_or_default();
        stream.extend(encode(&message).unwrap_or_default());
    }
    let other = stream.clone();
    mutate(&mut stream, &other, chance);
    accepts(&stream)
}
