//! What the file of an author's secret key holds: a line that names the format, then the seed twice, so that an altered
//! one is found.

use zeroize::Zeroizing;

const HEADER: &[u8] = b"pistol author key 1\n";
const SEED_BYTES: usize = 32;

/// Bytes of a key file.
pub const KEY_FILE_BYTES: usize = HEADER.len() + 2 * SEED_BYTES;

/// The bytes of the file of a seed. They are wiped from memory when dropped.
pub fn key_file(seed: &[u8; SEED_BYTES]) -> Zeroizing<Vec<u8>> {
    Zeroizing::new([HEADER, seed.as_slice(), seed.as_slice()].concat())
}

/// The seed in a file; `None` if the file is not whole and unaltered.
pub fn seed_of_key_file(bytes: &[u8]) -> Option<Zeroizing<[u8; SEED_BYTES]>> {
    let (first, second) = bytes.strip_prefix(HEADER)?.split_first_chunk::<SEED_BYTES>()?;
    (first.as_slice() == second).then(|| Zeroizing::new(*first))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_flipped_bit_and_no_cut_of_a_key_file_is_accepted() {
        let seed = std::array::from_fn(|index| u8::try_from(index).unwrap());
        let whole = key_file(&seed);
        assert_eq!(seed_of_key_file(&whole).map(|seed| *seed), Some(seed));
        for length in 0..whole.len() {
            assert!(seed_of_key_file(&whole[..length]).is_none());
        }
        for bit in 0..whole.len() * 8 {
            let mut flipped = whole.to_vec();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(seed_of_key_file(&flipped).is_none(), "bit {bit}");
        }
        assert!(seed_of_key_file(&[whole.as_slice(), &[0]].concat()).is_none());
    }
}
