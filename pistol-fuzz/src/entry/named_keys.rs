//! Frames out of which keys were cut: what a connection says after each other.

use pistol_sync::limits::FRAME_BYTES_MAX;
use pistol_sync::proto::keys::{KeysHeard, KeysTold, NAMED_KEYS};
use pistol_sync::proto::message::Message;

use super::frame;
use crate::chance::Chance;
use crate::finding::{Outcome, promise};
use crate::mutate::mutate;

/// Gives frames, one after the other, until one is refused.
///
/// # Errors
/// [`crate::finding::Divergence`] if a frame is longer than it may be, or another one when it is named and read again.
pub fn accepts(frames: &[Vec<u8>]) -> Outcome {
    let (mut heard, mut told, mut heard_again) = (KeysHeard::default(), KeysTold::default(), KeysHeard::default());
    for frame in frames {
        let Ok(whole) = heard.whole(frame.clone()) else { return Ok(false) };
        promise(whole.len() <= FRAME_BYTES_MAX, "a frame is longer than it may be")?;
        if whole.first() == Some(&NAMED_KEYS) {
            return Ok(false);
        }
        let again = heard_again.whole(told.named(whole.clone()));
        promise(again.as_ref() == Ok(&whole), "a frame changes when its keys are named")?;
        frame::accepts(&whole)?;
    }
    Ok(!frames.is_empty())
}

pub(super) fn run(chance: &mut Chance) -> Outcome {
    let (examples, mut told) = (frame::examples(), KeysTold::default());
    let mut frames = Vec::new();
    for _ in 0..=chance.below(5) {
        frames.push(told.named(chance.pick(&examples).map(Message::to_frame).unwrap_or_default()));
    }
    if !chance.one_in(4) {
        let other = frames.first().cloned().unwrap_or_default();
        let which = chance.index(frames.len());
        if let Some(frame) = frames.get_mut(which) {
            mutate(frame, &other, chance);
        }
    }
    accepts(&frames)
}
