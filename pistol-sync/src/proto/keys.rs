//! The key table of a connection: a public key is sent once, and named by a number from then on. One table for each direction.
//!
//! It lies outside of all messages: a frame of kind [`NAMED_KEYS`] is another frame out of which keys were cut, and what it
//! reads is that frame. So a sender may name keys or not, and what is signed or hashed holds no number.

use std::collections::BTreeMap;

use pistol_core::codec::{Malformed, Reader};
use pistol_core::cut::{KEY_BYTES, Key, cut, whole};
use pistol_core::envelope::Envelope;
use pistol_core::genesis::Genesis;

use super::message::{Follow, Head, Heads, Locate, Message, Topic};
use crate::limits::{FRAME_BYTES_MAX, KEYS_NAMED_MAX};

/// The kind of a frame out of which keys were cut.
pub const NAMED_KEYS: u8 = 34;
/// The bit in [`super::message::Hello::features`] of who takes such frames.
pub const KNOWS_NAMED_KEYS: u64 = 1;

/// Stands where the number of a known key would, one more: the key follows, and gets the next number if there is one.
const NEW: u64 = 0;

/// The keys that were told.
#[derive(Debug, Default)]
pub struct KeysTold {
    numbers: BTreeMap<Key, u64>,
}

impl KeysTold {
    /// A frame as it is sent: without the keys that the peer was told, unless it would be longer than a frame may be.
    pub fn named(&mut self, frame: Vec<u8>) -> Vec<u8> {
        let places = key_places(&frame);
        let mut new = BTreeMap::new();
        let cut = cut(&frame, &places, |key, writer| {
            if let Some(number) = self.numbers.get(key).or_else(|| new.get(key)) {
                writer.number(number + 1);
            } else {
                writer.number(NEW);
                writer.raw(key);
                let count = self.numbers.len() + new.len();
                if count < KEYS_NAMED_MAX {
                    new.insert(*key, count as u64);
                }
            }
            true
        });
        let Some(cut) = cut.filter(|cut| cut.len() < FRAME_BYTES_MAX) else { return frame };
        self.numbers.extend(new);
        [&[NAMED_KEYS], cut.as_slice()].concat()
    }
}

/// The keys that were heard, in the order of their numbers.
#[derive(Debug, Default)]
pub struct KeysHeard {
    keys: Vec<Key>,
}

impl KeysHeard {
    /// A frame as it was before keys were cut out.
    ///
    /// # Errors
    /// [`Malformed`] if it names a key that was not told, or is not what [`KeysTold::named`] gives; what follows on the
    /// connection then has no meaning.
    pub fn whole(&mut self, frame: Vec<u8>) -> Result<Vec<u8>, Malformed> {
        let Some((&NAMED_KEYS, named)) = frame.split_first() else { return Ok(frame) };
        let frame = whole(named, FRAME_BYTES_MAX, |reader| self.key(reader))?;
        if frame.is_empty() { Err(Malformed::Short) } else { Ok(frame) }
    }

    fn key(&mut self, reader: &mut Reader<'_>) -> Result<Key, Malformed> {
        let Some(number) = reader.number()?.checked_sub(1) else {
            let key = reader.array()?;
            if self.keys.len() < KEYS_NAMED_MAX {
                self.keys.push(key);
            }
            return Ok(key);
        };
        let known = usize::try_from(number).ok().and_then(|number| self.keys.get(number));
        known.copied().ok_or(Malformed::Key)
    }
}

/// Where keys lie in a frame. Other bytes may be taken for keys: they are put back all the same.
fn key_places(frame: &[u8]) -> Vec<usize> {
    match frame.first() {
        Some(7) => envelope_places(frame).unwrap_or_default(),
        Some(3 | 5 | 6 | 13) => keys_of(frame).map(|keys| find(frame, &keys)).unwrap_or_default(),
        _ => Vec::new(),
    }
}

/// The authors of an envelope, which takes what follows the topic.
fn envelope_places(frame: &[u8]) -> Option<Vec<usize>> {
    let (_, envelope) = postcard::take_from_bytes::<Topic>(frame.get(1..)?).ok()?;
    let before = frame.len() - envelope.len();
    Some(Envelope::author_places(envelope).into_iter().map(|place| before + place).collect())
}

/// The keys that a message names, in the order in which they lie in its frame.
fn keys_of(frame: &[u8]) -> Option<Vec<Key>> {
    let authors = |heads: &Heads| heads.after.iter().chain(&heads.ends).map(|head| head.author).collect();
    Some(match Message::from_frame(frame).ok()?? {
        Message::Follow(Follow { genesis, heads, .. }) => {
            let mut keys = genesis.map(|genesis| Genesis::root_keys(&genesis)).unwrap_or_default();
            keys.extend::<Vec<Key>>(authors(&heads));
            keys
        }
        Message::Heads(_, heads) => authors(&heads),
        Message::Locate(Locate { author, .. }) | Message::MoreHeads(_, Some(Head { author, .. })) => vec![author],
        _ => Vec::new(),
    })
}

/// Where keys lie, each after the one before.
fn find(frame: &[u8], keys: &[Key]) -> Vec<usize> {
    let (mut places, mut from) = (Vec::with_capacity(keys.len()), 0);
    for key in keys {
        let found = frame.get(from..).and_then(|rest| rest.windows(KEY_BYTES).position(|window| window == key));
        let Some(found) = found else { break };
        places.push(from + found);
        from += found + KEY_BYTES;
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn head(author: u8, number: u64) -> Head {
        Head { author: [author; 32], session: number, seq: number, link: [author ^ 0x55; 32] }
    }

    fn heads(authors: &[u8]) -> Vec<u8> {
        let ends = authors.iter().zip(7..).map(|(author, number)| head(*author, number)).collect();
        Message::Heads(3, Heads::all(ends)).to_frame()
    }

    #[test]
    fn a_key_is_sent_once_and_named_from_then_on() {
        let (mut told, mut heard) = (KeysTold::default(), KeysHeard::default());
        let first = heads(&[1, 2, 1]);
        let named = told.named(first.clone());
        assert_eq!(named.len(), first.len() - KEY_BYTES + 1 + 1 + 3 * 2);
        assert_eq!(heard.whole(named), Ok(first));
        let again = heads(&[2, 1]);
        let named = told.named(again.clone());
        assert_eq!(named.len(), again.len() - 2 * KEY_BYTES + 1 + 1 + 2 * 2);
        assert!(!named.windows(KEY_BYTES).any(|window| window == [1; 32] || window == [2; 32]));
        assert_eq!(heard.whole(named), Ok(again));
    }

    #[test]
    fn a_frame_without_keys_stays_as_it_is() {
        let (mut told, mut heard) = (KeysTold::default(), KeysHeard::default());
        for message in [Message::Ping(1), Message::Leave(4), Message::Envelope(1, vec![9; 200])] {
            let frame = message.to_frame();
            assert_eq!(told.named(frame.clone()), frame);
            assert_eq!(heard.whole(frame.clone()), Ok(frame));
        }
    }

    #[test]
    fn a_number_that_was_not_told_is_malformed() {
        let (mut told, frame) = (KeysTold::default(), heads(&[1]));
        told.named(frame.clone());
        let named = told.named(frame);
        assert_eq!(KeysHeard::default().whole(named), Err(Malformed::Key));
        assert_eq!(KeysHeard::default().whole(vec![NAMED_KEYS, 0]), Err(Malformed::Short));
        assert_eq!(KeysHeard::default().whole(vec![NAMED_KEYS]), Err(Malformed::Short));
    }

    #[test]
    fn past_the_last_number_keys_are_sent_in_full() {
        let (mut told, mut heard) = (KeysTold::default(), KeysHeard::default());
        let key = |number: usize| {
            let mut key = [3; 32];
            key[..8].copy_from_slice(&number.to_le_bytes());
            key
        };
        let frame = |numbers: std::ops::Range<usize>| {
            let end = |number| Head { author: key(number), session: 1, seq: 1, link: [0; 32] };
            Message::Heads(3, Heads::all(numbers.map(end).collect())).to_frame()
        };
        let step = crate::limits::HEADS_MAX;
        for first in (0..KEYS_NAMED_MAX + step).step_by(step) {
            let frame = frame(first..first + step);
            assert_eq!(heard.whole(told.named(frame.clone())), Ok(frame));
        }
        assert_eq!((told.numbers.len(), heard.keys.len()), (KEYS_NAMED_MAX, KEYS_NAMED_MAX));
        let last = frame(KEYS_NAMED_MAX..KEYS_NAMED_MAX + 1);
        for _ in 0..2 {
            let named = told.named(last.clone());
            assert!(named.len() > last.len());
            assert_eq!(heard.whole(named), Ok(last.clone()));
        }
    }

    proptest! {
        #[test]
        fn frames_come_through_whatever_they_are(frames in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 1..200), 1..20)) {
            let (mut told, mut heard) = (KeysTold::default(), KeysHeard::default());
            for frame in frames.into_iter().filter(|frame| frame[0] != NAMED_KEYS) {
                prop_assert_eq!(heard.whole(told.named(frame.clone())), Ok(frame));
            }
        }

        #[test]
        fn heads_come_through_in_any_order(all in proptest::collection::vec(proptest::collection::vec(0..9_u8, 0..30), 1..20)) {
            let (mut told, mut heard) = (KeysTold::default(), KeysHeard::default());
            for authors in all {
                let frame = heads(&authors);
                prop_assert_eq!(heard.whole(told.named(frame.clone())), Ok(frame));
            }
        }

        #[test]
        fn no_bytes_panic_or_grow_past_a_frame(mut frame in proptest::collection::vec(any::<u8>(), 0..300)) {
            frame.insert(0, NAMED_KEYS);
            if let Ok(whole) = KeysHeard::default().whole(frame) {
                prop_assert!(whole.len() <= FRAME_BYTES_MAX);
            }
        }
    }
}
