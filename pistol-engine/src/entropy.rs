//! Randomness as an argument: a seed given at the start, drawn out into as many numbers as are needed.

use std::sync::atomic::{AtomicU64, Ordering};

/// Numbers that nobody can guess who does not know the seed.
#[derive(Debug)]
pub struct Entropy {
    seed: [u8; 32],
    drawn: AtomicU64,
}

impl Entropy {
    /// Draws from a seed, which must be fresh and secret, except in a simulation.
    pub fn new(seed: [u8; 32]) -> Self {
        Entropy { seed, drawn: AtomicU64::new(0) }
    }

    /// 32 fresh bytes.
    pub fn bytes(&self) -> [u8; 32] {
        let number = self.drawn.fetch_add(1, Ordering::Relaxed);
        let mut input = self.seed.to_vec();
        input.extend_from_slice(&number.to_le_bytes());
        pistol_core::hash::hash(pistol_core::hash::Context::Entropy, &[&input])
    }

    /// A fresh number.
    pub fn number(&self) -> u64 {
        self.bytes().first_chunk().copied().map_or(0, u64::from_le_bytes)
    }
}
