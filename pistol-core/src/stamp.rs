//! Stamps: by them a node knows bytes in its store as its own. The key is made of the author's secret, which lies in a
//! file of its own, so that a store which somebody else wrote or changed holds nothing with a right stamp.

use zeroize::{Zeroize, ZeroizeOnDrop};

/// The key of a node's stamps. It is wiped from memory when dropped, and has no `Debug` that shows it.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct StampKey([u8; 32]);

/// What shows that bytes are a node's own.
pub type Stamp = [u8; 32];

impl StampKey {
    /// Makes the key of a secret.
    pub(crate) fn of(secret: &[u8; 32]) -> Self {
        StampKey(crate::hash::hash(crate::hash::Context::Stamp, &[secret]))
    }

    /// Stamps the concatenation of `parts`. Callers make parts of fixed or stated length, but for the last.
    pub fn stamp(&self, parts: &[&[u8]]) -> Stamp {
        let mut hasher = blake3::Hasher::new_keyed(&self.0);
        for part in parts {
            hasher.update(part);
        }
        *hasher.finalize().as_bytes()
    }

    /// Whether a stamp is right, in the same time for all.
    pub fn is_right(&self, stamp: &Stamp, parts: &[&[u8]]) -> bool {
        blake3::Hash::from_bytes(self.stamp(parts)) == blake3::Hash::from_bytes(*stamp)
    }
}

impl std::fmt::Debug for StampKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("StampKey")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_is_right_under_its_own_key_for_its_own_bytes() {
        let (key, other) = (StampKey::of(&[1; 32]), StampKey::of(&[2; 32]));
        let stamp = key.stamp(&[b"a", b"b"]);
        assert!(key.is_right(&stamp, &[b"ab"]));
        assert!(!key.is_right(&stamp, &[b"ac"]));
        assert!(!other.is_right(&stamp, &[b"ab"]));
    }
}
