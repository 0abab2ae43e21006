//! Any split of the bytes gives the same frames, and bad lengths are refused before anything is allocated.

use proptest::prelude::*;

use super::{FrameError, FrameParser, State, encode};
use crate::limits::FRAME_BYTES_MAX;

#[expect(clippy::cast_possible_truncation, reason = "the limit is 1 MiB")]
const LONGEST: u32 = FRAME_BYTES_MAX as u32;

/// Every frame in bytes that arrive in pieces of the given sizes, over and over.
fn check(bytes: &[u8], pieces: &[usize]) -> Result<Vec<Vec<u8>>, FrameError> {
    let (mut parser, mut frames, mut rest) = (FrameParser::default(), Vec::new(), bytes);
    for size in pieces.iter().cycle() {
        let (mut piece, later) = rest.split_at((*size).min(rest.len()));
        while !piece.is_empty() {
            frames.extend(parser.push(&mut piece)?);
        }
        if later.is_empty() {
            break;
        }
        rest = later;
    }
    assert!(!parser.has_begun(), "the bytes end between two frames");
    Ok(frames)
}

proptest! {
    #[test]
    fn the_pieces_in_which_bytes_arrive_do_not_change_the_frames(
        frames in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..300), 1..8),
        pieces in prop::collection::vec(1_usize..400, 1..20),
    ) {
        let bytes: Vec<u8> = frames.iter().flat_map(|frame| encode(frame).unwrap()).collect();
        prop_assert_eq!(check(&bytes, &pieces), Ok(frames));
    }

    #[test]
    fn a_length_of_nothing_or_above_the_limit_is_refused_with_nothing_allocated(
        length in prop_oneof![Just(0), (LONGEST + 1)..=u32::MAX],
        after in prop::collection::vec(any::<u8>(), 0..20),
    ) {
        let mut parser = FrameParser::default();
        let bytes = [&length.to_le_bytes()[..], &after].concat();
        let refusal = if length == 0 { FrameError::Empty } else { FrameError::TooLong { length: length as usize } };
        prop_assert_eq!(parser.push(&mut &bytes[..]), Err(refusal));
        prop_assert!(matches!(parser.state, State::Refused(_)));
        prop_assert_eq!(parser.push(&mut &b"more"[..]), Err(refusal));
        prop_assert_eq!(parser.wanted(), 0);
    }

    #[test]
    fn what_is_held_grows_with_what_arrived_and_not_with_what_was_claimed(arrived in 0_usize..5000, piece in 1_usize..700) {
        let bytes = [&LONGEST.to_le_bytes()[..], &vec![7; arrived]].concat();
        let mut parser = FrameParser::default();
        for mut piece in bytes.chunks(piece) {
            prop_assert_eq!(parser.push(&mut piece), Ok(None));
        }
        let State::Payload { payload, .. } = &parser.state else { panic!("the payload is not complete") };
        prop_assert_eq!(payload.len(), arrived);
        prop_assert!(payload.capacity() <= 2 * arrived);
    }

    #[test]
    fn reading_what_is_wanted_never_takes_bytes_of_the_next_frame(
        frames in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..50), 1..5),
    ) {
        let bytes: Vec<u8> = frames.iter().flat_map(|frame| encode(frame).unwrap()).collect();
        let (mut parser, mut rest, mut read) = (FrameParser::default(), &bytes[..], Vec::new());
        while !rest.is_empty() {
            let (mut wanted, later) = rest.split_at(parser.wanted());
            read.extend(parser.push(&mut wanted).unwrap());
            prop_assert!(wanted.is_empty());
            rest = later;
        }
        prop_assert_eq!(read, frames);
    }
}

#[test]
fn the_longest_frame_passes_and_a_byte_more_is_refused() {
    let longest = vec![1; FRAME_BYTES_MAX];
    assert_eq!(check(&encode(&longest).unwrap(), &[1 << 15]).unwrap(), [longest]);
    let length = FRAME_BYTES_MAX + 1;
    assert_eq!(encode(&vec![1; length]), Err(FrameError::TooLong { length }));
    assert_eq!(encode(&[]), Err(FrameError::Empty));
}

#[test]
fn a_length_is_four_bytes_least_significant_first() {
    assert_eq!(encode(b"ab").unwrap(), [2, 0, 0, 0, b'a', b'b']);
}
