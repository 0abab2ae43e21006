//! Random worlds from a seed: honest authors and hostile ones, who backdate, fork, make puppets, cite what they like, and
//! say things concurrently. Nothing here asks the oracle, so that both judges meet worlds that neither has shaped.

mod chance;
mod play;
mod stage;
mod turn;

pub use chance::Chance;

use crate::world::{Author, World};
use play::Play;

/// How much happens in a random world.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    /// A handful of operations and changes: all orders of most can be tried.
    Tiny,
    /// A few operations and changes.
    Small,
    /// Some dozens.
    Medium,
}

impl World {
    /// A random world. The same seed makes the same one.
    ///
    /// ```
    /// use pistol_oracle::{Size, World};
    ///
    /// let world = World::random(1, Size::Small);
    /// assert_eq!(world, World::random(1, Size::Small));
    /// assert!(world.to_string().contains("log 0: Document"));
    /// ```
    pub fn random(seed: u64, size: Size) -> Self {
        let mut chance = Chance::new(seed);
        let steps = match size {
            Size::Tiny => 2 + chance.below(3),
            Size::Small => 5 + chance.below(8),
            Size::Medium => 30 + chance.below(30),
        };
        let mut play = Play::begin(chance, size);
        (0..steps).for_each(|_| play.step());
        play.end()
    }

    /// A random world in which names of its space are claimed and witnessed more than anything else happens.
    pub fn of_names(seed: u64, size: Size) -> Self {
        let mut chance = Chance::new(seed);
        let steps = match size {
            Size::Tiny => 4 + chance.below(4),
            Size::Small => 8 + chance.below(12),
            Size::Medium => 40 + chance.below(40),
        };
        let mut play = Play::begin(chance, size);
        play.open_names();
        (0..steps).for_each(|_| play.step());
        play.end()
    }

    /// The same world after some more steps by these authors, hostile ones, who know everything.
    pub fn continued(&self, seed: u64, steps: usize, authors: &[Author]) -> Self {
        let mut play = Play::resume(Chance::new(seed), self, authors);
        (0..steps).for_each(|_| play.step());
        play.world
    }
}
