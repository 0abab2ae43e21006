//! The file of an author's secret key.

use pistol_core::key::{SealedKey, SealingCost, key_file, seed_of_key_file};

use crate::chance::Chance;
use crate::finding::{Outcome, promise};
use crate::mutate::mutate;

/// Gives the bytes of a file.
///
/// # Errors
/// [`crate::finding::Divergence`] if a file that was read is not what its seed would be written as.
pub fn accepts(bytes: &[u8]) -> Outcome {
    if let Some(sealed) = SealedKey::from_bytes(bytes) {
        promise(sealed.to_bytes() == bytes, "a sealed key file is written as something else")?;
        promise(sealed.cost.memory_kib <= 1 << 20, "a sealed key file asks for too much memory")?;
        return Ok(true);
    }
    let Some(seed) = seed_of_key_file(bytes) else {
        return Ok(false);
    };
    promise(key_file(&seed).as_slice() == bytes, "a key file that nobody wrote is accepted")?;
    Ok(true)
}

/// Honest files.
pub fn seeds() -> Vec<Vec<u8>> {
    let plain = [[0; 32], [0x5a; 32]].map(|seed| key_file(&seed).to_vec());
    plain.into_iter().chain([sealed([7; 32])]).collect()
}

fn sealed(bytes: [u8; 32]) -> Vec<u8> {
    let [salt, nonce, sealed] =
        [16, 12, 48].map(|length| bytes.iter().cycle().take(length).copied().collect::<Vec<u8>>());
    let cost = SealingCost { memory_kib: 65_536, passes: 3, lanes: 1 };
    let parts = salt.try_into().ok().zip(nonce.try_into().ok()).zip(sealed.try_into().ok());
    parts.map(|((salt, nonce), sealed)| SealedKey { salt, cost, nonce, sealed }.to_bytes()).unwrap_or_default()
}

pub(super) fn run(chance: &mut Chance) -> Outcome {
    let (mut bytes, other) = (key_file(&chance.bytes32()).to_vec(), key_file(&chance.bytes32()));
    if chance.one_in(2) {
        bytes = sealed(chance.bytes32());
    }
    if !chance.one_in(50) {
        mutate(&mut bytes, &other, chance);
    }
    accepts(&bytes)
}
