//! What the file of a secret key holds that is sealed with a passphrase. The sealing itself is done where keys are opened.

const HEADER: &[u8] = b"pistol sealed author key 1\n";

/// Bytes of the file of a sealed key.
pub const SEALED_KEY_FILE_BYTES: usize = HEADER.len() + 16 + 12 + 12 + 48;
/// Memory that deriving a key may take, in KiB: a file could ask for any.
const MEMORY_KIB_MAX: u32 = 1 << 20;
/// Passes over that memory at most.
const PASSES_MAX: u32 = 64;
/// Lanes at most.
const LANES_MAX: u32 = 16;

/// What it costs to try a passphrase, in the terms of Argon2id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SealingCost {
    /// Memory in KiB.
    pub memory_kib: u32,
    /// Passes.
    pub passes: u32,
    /// Lanes.
    pub lanes: u32,
}

/// A sealed key: nobody learns the key from it without the passphrase.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SealedKey {
    /// Random, for the derivation.
    pub salt: [u8; 16],
    /// What the derivation costs.
    pub cost: SealingCost,
    /// Random, for the cipher.
    pub nonce: [u8; 12],
    /// The seed, encrypted, with its tag.
    pub sealed: [u8; 48],
}

/// Whether a file is, or begins like, that of a sealed key.
pub fn is_sealed_key_file(bytes: &[u8]) -> bool {
    bytes.starts_with(HEADER)
}

impl SealedKey {
    /// The bytes of the file.
    pub fn to_bytes(&self) -> Vec<u8> {
        [self.head().as_slice(), &self.nonce, &self.sealed].concat()
    }

    /// What the cipher covers without encrypting it: the format, the salt, the cost.
    pub fn head(&self) -> Vec<u8> {
        let SealingCost { memory_kib, passes, lanes } = self.cost;
        let cost = [memory_kib, passes, lanes].map(u32::to_be_bytes).concat();
        [HEADER, &self.salt, &cost].concat()
    }

    /// Reads a file; `None` if it is not whole, or would cost too much to open.
    pub fn from_bytes(bytes: &[u8]) -> Option<SealedKey> {
        let (salt, rest) = bytes.strip_prefix(HEADER)?.split_first_chunk()?;
        let (memory_kib, rest) = rest.split_first_chunk()?;
        let (passes, rest) = rest.split_first_chunk()?;
        let (lanes, rest) = rest.split_first_chunk()?;
        let (nonce, rest) = rest.split_first_chunk()?;
        let [memory_kib, passes, lanes] = [memory_kib, passes, lanes].map(|bytes| u32::from_be_bytes(*bytes));
        let is_bounded = (1..=LANES_MAX).contains(&lanes)
            && (1..=PASSES_MAX).contains(&passes)
            && (8 * lanes..=MEMORY_KIB_MAX).contains(&memory_kib);
        let sealed = rest.try_into().ok().filter(|_| is_bounded)?;
        Some(SealedKey { salt: *salt, cost: SealingCost { memory_kib, passes, lanes }, nonce: *nonce, sealed })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sealed_key_is_read_back_as_written_and_no_other_length() {
        let cost = SealingCost { memory_kib: 65_536, passes: 3, lanes: 1 };
        let key = SealedKey { salt: [1; 16], cost, nonce: [2; 12], sealed: [3; 48] };
        let bytes = key.to_bytes();
        assert_eq!((bytes.len(), SealedKey::from_bytes(&bytes)), (SEALED_KEY_FILE_BYTES, Some(key)));
        assert!((0..bytes.len()).all(|length| SealedKey::from_bytes(&bytes[..length]).is_none()));
        assert!(SealedKey::from_bytes(&[bytes.as_slice(), &[0]].concat()).is_none());
    }

    #[test]
    fn a_file_that_asks_for_too_much_is_refused() {
        let key = |memory_kib, passes, lanes| {
            let cost = SealingCost { memory_kib, passes, lanes };
            SealedKey::from_bytes(&SealedKey { salt: [1; 16], cost, nonce: [2; 12], sealed: [3; 48] }.to_bytes())
        };
        assert!(key(MEMORY_KIB_MAX, PASSES_MAX, LANES_MAX).is_some());
        for (memory_kib, passes, lanes) in [
            (MEMORY_KIB_MAX + 1, 1, 1),
            (64, PASSES_MAX + 1, 1),
            (1024, 1, LANES_MAX + 1),
            (64, 0, 1),
            (64, 1, 0),
            (7, 1, 1),
        ] {
            assert!(key(memory_kib, passes, lanes).is_none(), "{memory_kib} {passes} {lanes}");
        }
    }
}
