//! Sealing the author key with a passphrase: Argon2id makes a key of it, AES-256-GCM encrypts the seed under that. A salt is
//! drawn for each sealing, so no key is ever used twice.

use aes_gcm::aead::{AeadInPlace, KeyInit};
use aes_gcm::{Aes256Gcm, Nonce, Tag};
use argon2::{Algorithm, Argon2, Params, Version};
use pistol_core::key::{SealedKey, SealingCost};
use zeroize::Zeroizing;

use super::{FolderError, Random, random_bytes};

/// Some tenths of a second and 64 MiB for each try: RFC 9106's second choice, with one lane.
const COST: SealingCost = SealingCost { memory_kib: 64 << 10, passes: 3, lanes: 1 };

/// A passphrase. It is wiped from memory when dropped and never shown.
#[derive(Clone)]
pub(crate) struct Passphrase(Zeroizing<String>);

impl Passphrase {
    pub(crate) fn new(passphrase: String) -> Self {
        Passphrase(Zeroizing::new(passphrase))
    }
}

impl std::fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Passphrase")
    }
}

/// Seals a seed.
pub(super) fn seal(seed: &[u8; 32], passphrase: &Passphrase, random: Random) -> Result<SealedKey, FolderError> {
    let (salt, nonce) = (random_bytes(random)?, random_bytes(random)?);
    let mut key = SealedKey { salt, cost: COST, nonce, sealed: [0; 48] };
    let mut bytes = Zeroizing::new(*seed);
    let cipher = cipher(&key, passphrase).ok_or(FolderError::Sealing)?;
    let tag = cipher.encrypt_in_place_detached(Nonce::from_slice(&nonce), &key.head(), bytes.as_mut_slice());
    let sealed = [bytes.as_slice(), tag.map_err(|_| FolderError::Sealing)?.as_slice()].concat();
    key.sealed = sealed.try_into().map_err(|_| FolderError::Sealing)?;
    Ok(key)
}

/// Opens a sealed seed; `None` if the passphrase is another one, or the file was altered.
pub(super) fn unseal(key: &SealedKey, passphrase: &Passphrase) -> Option<Zeroizing<[u8; 32]>> {
    let (sealed, tag) = key.sealed.split_first_chunk::<32>()?;
    let mut bytes = Zeroizing::new(*sealed);
    let (nonce, tag) = (Nonce::from_slice(&key.nonce), Tag::from_slice(tag));
    cipher(key, passphrase)?.decrypt_in_place_detached(nonce, &key.head(), bytes.as_mut_slice(), tag).ok()?;
    Some(bytes)
}

fn cipher(key: &SealedKey, passphrase: &Passphrase) -> Option<Aes256Gcm> {
    let SealingCost { memory_kib, passes, lanes } = key.cost;
    let params = Params::new(memory_kib, passes, lanes, Some(32)).ok()?;
    let mut derived = Zeroizing::new([0; 32]);
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    argon2.hash_password_into(passphrase.0.as_bytes(), &key.salt, derived.as_mut_slice()).ok()?;
    Aes256Gcm::new_from_slice(derived.as_slice()).ok()
}
