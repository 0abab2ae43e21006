//! Authors and their signatures: ed25519, `verify_strict` only, keys refused once if weak or not canonical.

mod file;
mod sealed;

pub use file::{KEY_FILE_BYTES, key_file, seed_of_key_file};
pub use sealed::{SEALED_KEY_FILE_BYTES, SealedKey, SealingCost, is_sealed_key_file};

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use ed25519_dalek::{Signer, SigningKey, VerifyingKey};

use crate::stamp::StampKey;

/// An author's public key, as bytes that are known to be a canonical encoding of a point of full order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AuthorId([u8; 32]);

impl AuthorId {
    /// The bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Bytes that are no key as far as is known: only to be compared with keys that are.
    pub(crate) fn to_look_up(bytes: &[u8; 32]) -> Self {
        AuthorId(*bytes)
    }

    /// The id that a text begins with, in the form in which ids are shown, and what comes after it. It may be no key's.
    pub fn shown_first(text: &str) -> Option<([u8; 32], &str)> {
        let (shown, rest) = text.split_at_checked(64)?;
        let mut id = [0; 32];
        data_encoding::HEXLOWER.decode_mut(shown.as_bytes(), &mut id).ok()?;
        Some((id, rest))
    }

    /// Accepts a key that a verifier may trust to have one encoding and to bind signatures to messages.
    ///
    /// # Errors
    /// [`WeakKey`] if the bytes are no point, not the canonical encoding of one, or a point of small order.
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<Self, WeakKey> {
        parse(bytes).map(|_| AuthorId(*bytes))
    }
}

fn parse(bytes: &[u8; 32]) -> Result<VerifyingKey, WeakKey> {
    let key = VerifyingKey::from_bytes(bytes).map_err(|_| WeakKey)?;
    let is_canonical = key.to_edwards().compress().as_bytes() == bytes;
    if key.is_weak() || !is_canonical {
        return Err(WeakKey);
    }
    Ok(key)
}

impl fmt::Display for AuthorId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl FromStr for AuthorId {
    type Err = NotAnAuthor;

    fn from_str(text: &str) -> Result<Self, NotAnAuthor> {
        let bytes = data_encoding::HEXLOWER_PERMISSIVE.decode(text.as_bytes()).map_err(|_| NotAnAuthor)?;
        AuthorId::from_bytes(&bytes.try_into().map_err(|_| NotAnAuthor)?).map_err(|_| NotAnAuthor)
    }
}

/// A text is not an author.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is no author: an author is 64 hexadecimal digits, as its node shows them")]
pub struct NotAnAuthor;

impl fmt::Debug for AuthorId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().take(4).try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// A public key that nobody should sign with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this public key is weak or not canonical; its owner must make another")]
pub struct WeakKey;

/// A signature over one of our messages.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Signature(pub [u8; 64]);

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().take(4).try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// An author's secret key. It is wiped from memory when dropped, and has no `Debug` that shows it.
pub struct AuthorKey(SigningKey);

impl AuthorKey {
    /// Makes the key of 32 secret random bytes.
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        AuthorKey(SigningKey::from_bytes(seed))
    }

    /// The public half.
    pub fn id(&self) -> AuthorId {
        AuthorId(self.0.verifying_key().to_bytes())
    }

    /// The key by which this node knows what it wrote itself.
    pub fn stamp_key(&self) -> StampKey {
        StampKey::of(self.0.as_bytes())
    }

    /// Signs a message.
    pub fn sign(&self, message: &[u8]) -> Signature {
        Signature(self.0.sign(message).to_bytes())
    }
}

impl fmt::Debug for AuthorKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AuthorKey({:?})", self.id())
    }
}

/// Checks signatures, and keeps the keys it has parsed: decompressing a key costs a tenth of a check.
#[derive(Clone, Debug, Default)]
pub struct Verifier {
    parsed: BTreeMap<AuthorId, VerifyingKey>,
}

impl Verifier {
    /// Parsed keys kept at most; past it the cache starts again.
    const KEYS_MAX: usize = 4096;

    /// Whether `signature` is the author's, strictly.
    pub fn is_signed(&mut self, author: &AuthorId, message: &[u8], signature: &Signature) -> bool {
        if self.parsed.len() >= Self::KEYS_MAX {
            self.parsed.clear();
        }
        let key = match self.parsed.get(author) {
            Some(key) => *key,
            None => match parse(&author.0) {
                Ok(key) => *self.parsed.entry(*author).or_insert(key),
                Err(WeakKey) => return false,
            },
        };
        key.verify_strict(message, &ed25519_dalek::Signature::from_bytes(&signature.0)).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_small_order_are_refused() {
        let mut identity = [0; 32];
        identity[0] = 1;
        assert_eq!(AuthorId::from_bytes(&identity), Err(WeakKey));
        assert_eq!(AuthorId::from_bytes(&[0; 32]), Err(WeakKey));
    }

    #[test]
    fn a_second_encoding_of_a_point_is_refused() {
        // y = p + 3: the same point as y = 3 would be, were it reduced.
        let mut bytes = [0xff; 32];
        bytes[0] = 0xf0;
        bytes[31] = 0x7f;
        assert_eq!(AuthorId::from_bytes(&bytes), Err(WeakKey));
    }

    #[test]
    fn any_flipped_bit_of_a_signature_is_noticed() {
        let key = AuthorKey::from_seed(&[3; 32]);
        let signature = key.sign(b"hello");
        let mut verifier = Verifier::default();
        assert!(verifier.is_signed(&key.id(), b"hello", &signature));
        for bit in 0..512 {
            let mut wrong = signature;
            wrong.0[bit / 8] ^= 1 << (bit % 8);
            assert!(!verifier.is_signed(&key.id(), b"hello", &wrong), "bit {bit}");
        }
    }

    #[test]
    fn the_secret_key_is_never_shown() {
        let shown = format!("{:?}", AuthorKey::from_seed(&[0xab; 32]));
        assert!(!shown.contains("abab"), "{shown}");
    }
}
