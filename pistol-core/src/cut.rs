//! Bytes out of which public keys were cut, each named by something shorter: the outer framing of records at rest and on their
//! way. Nothing that is signed or hashed is ever written so: the keys are put back before anything is read.
//!
//! First a number of keys; for each of them the number of bytes that lie before it, after the key before, and its name, as the
//! key table has it; then the bytes that are left.

use crate::codec::{Malformed, Reader, Writer};

/// Bytes of a public key.
pub const KEY_BYTES: usize = 32;
/// Bytes that a key takes here at least: how far it is from the last, and its name.
const NAMED_BYTES_MIN: usize = 2;

/// A public key, as it lies in a record. It need not be one that anybody could use.
pub type Key = [u8; KEY_BYTES];

/// Cuts the keys out that lie at these places, ascending. `name` writes the name of a key, or leaves it where it is. `None` if
/// there is none to be cut out.
pub fn cut(bytes: &[u8], places: &[usize], mut name: impl FnMut(&Key, &mut Writer) -> bool) -> Option<Vec<u8>> {
    let (mut names, mut rest, mut count) = (Writer::new(), Vec::with_capacity(bytes.len()), 0);
    let (mut left, mut before) = (bytes, 0_usize);
    for place in places {
        let at = place.checked_sub(bytes.len() - left.len())?;
        let (gap, after) = left.split_at_checked(at)?;
        let (key, after) = after.split_first_chunk::<KEY_BYTES>()?;
        let mut named = Writer::new();
        before += gap.len();
        rest.extend_from_slice(gap);
        if name(key, &mut named) {
            names.length(before);
            names.raw(named.as_bytes());
            (count, before) = (count + 1, 0);
        } else {
            before += KEY_BYTES;
            rest.extend_from_slice(key);
        }
        left = after;
    }
    rest.extend_from_slice(left);
    let mut writer = Writer::new();
    writer.length(count);
    writer.raw(names.as_bytes());
    writer.raw(&rest);
    (count > 0).then(|| writer.into_bytes())
}

/// Puts the keys back; `key` reads a name and says whose it is. The result has at most `bytes_max` bytes.
///
/// # Errors
/// [`Malformed`], or what `key` returns.
pub fn whole<E: From<Malformed>>(
    cut: &[u8],
    bytes_max: usize,
    mut key: impl FnMut(&mut Reader<'_>) -> Result<Key, E>,
) -> Result<Vec<u8>, E> {
    let mut reader = Reader::new(cut);
    let count = reader.count(bytes_max / KEY_BYTES, NAMED_BYTES_MIN)?;
    let mut keys = Vec::with_capacity(count);
    for _ in 0..count {
        let gap = reader.number_to(bytes_max as u64)?;
        keys.push((usize::try_from(gap).map_err(|_| Malformed::Limit)?, key(&mut reader)?));
    }
    let mut left = reader.raw(reader.remaining())?;
    let length = left.len().saturating_add(count * KEY_BYTES);
    if length > bytes_max {
        return Err(Malformed::Limit.into());
    }
    let mut bytes = Vec::with_capacity(length);
    for (gap, key) in keys {
        let (before, after) = left.split_at_checked(gap).ok_or(Malformed::Short)?;
        bytes.extend_from_slice(before);
        bytes.extend_from_slice(&key);
        left = after;
    }
    bytes.extend_from_slice(left);
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn names() -> impl FnMut(&Key, &mut Writer) -> bool {
        |key, writer| {
            writer.byte(key[0]);
            key[0] % 3 != 0
        }
    }

    fn key(reader: &mut Reader<'_>) -> Result<Key, Malformed> {
        Ok([reader.byte()?; KEY_BYTES])
    }

    proptest! {
        #[test]
        fn what_was_cut_is_whole_again(parts in proptest::collection::vec((proptest::collection::vec(any::<u8>(), 0..300), any::<u8>()), 0..20)) {
            let (mut bytes, mut places) = (Vec::new(), Vec::new());
            for (before, number) in &parts {
                bytes.extend_from_slice(before);
                places.push(bytes.len());
                bytes.extend_from_slice(&[*number; KEY_BYTES]);
            }
            let is_any = parts.iter().any(|(_, number)| number % 3 != 0);
            let cut = cut(&bytes, &places, names());
            prop_assert_eq!(cut.is_some(), is_any);
            if let Some(cut) = cut {
                prop_assert_eq!(whole(&cut, bytes.len(), key), Ok(bytes.clone()));
                prop_assert_eq!(whole(&cut, bytes.len() - 1, key), Err(Malformed::Limit));
            }
        }

        #[test]
        fn no_bytes_become_more_than_they_may(cut in proptest::collection::vec(any::<u8>(), 0..300)) {
            if let Ok(whole) = whole(&cut, 400, key) {
                prop_assert!(whole.len() <= 400);
            }
        }
    }

    #[test]
    fn places_that_are_none_cut_nothing() {
        for places in [&[1_usize][..], &[0, 8], &[40], &[usize::MAX]] {
            assert_eq!(cut(&[1; KEY_BYTES], places, names()), None);
        }
    }
}
