//! The file of an author's secret key.

use pistol_core::key::{key_file, seed_of_key_file};

use crate::chance::Chance;
use crate::finding::{Outcome, promise};
use crate::mutate::mutate;

/// Gives the bytes of a file.
///
/// # Errors
/// [`crate::finding::Divergence`] if a file that was read is not what its seed would be written as.
pub fn accepts(bytes: &[u8]) -> Outcome {
    let Some(seed) = seed_of_key_file(bytes) else {
        return Ok(false);
    };
    promise(key_file(&seed).as_slice() == bytes, "a key file that nobody wrote is accepted")?;
    Ok(true)
}

/// Honest files.
pub fn seeds() -> Vec<Vec<u8>> {
    [[0; 32], [0x5a; 32]].iter().map(|seed| key_file(seed).to_vec()).collect()
}

pub(super) fn run(chance: &mut Chance) -> Outcome {
    let (mut bytes, other) = (key_file(&chance.bytes32()).to_vec(), key_file(&chance.bytes32()));
    if !chance.one_in(50) {
        mutate(&mut bytes, &other, chance);
    }
    accepts(&bytes)
}
