//! A simulated world of Pistol nodes: the engines that production runs, with a network, disks and users by chance.
//!
//! It is deliberately not: a model of the protocol. Every byte that the nodes exchange and store is the real one.
//!
//! One seed makes one world. Architecture Invariant: the same seed gives the same trace hash.

mod chance;
mod checker;
mod clock;
mod disk;
mod held;
mod judged;
mod member;
mod net;
mod node;
mod picture;
pub mod power;
mod reopened;
mod shrink;
mod stranger;
mod theorems;
mod trace;
mod traitor;
mod user;
mod weather;
mod wires;
mod world;

pub use shrink::{Most, least};

/// What happened in a world that kept every promise.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// The hash of all that the engines took in and wanted done.
    pub trace: [u8; 32],
    /// Edits that changed something.
    pub edits: u64,
    /// Changes that all nodes accepted in the end.
    pub changes: u64,
    /// Commits, kept or failed.
    pub commits: u64,
    /// Frames sent.
    pub frames: u64,
    /// Nodes that crashed.
    pub crashes: u64,
    /// Connections that were cut, but for crashes and partitions.
    pub cuts: u64,
    /// Partitions of the network.
    pub partitions: u64,
    /// Floods of a stranger's.
    pub floods: u64,
    /// Times that a traitor told a node something.
    pub treasons: u64,
    /// Operations that users wrote.
    pub operations: u64,
    /// Operations and changes by traitors that all nodes hold in the end.
    pub plotted: u64,
    /// Changes of documents with members that are masked in the end.
    pub masked: u64,
    /// Changes that had to stay part of such a document although somebody was revoked.
    pub spared: u64,
    /// Changes that had to be masked, since their author was revoked and nobody else built on them.
    pub ended: u64,
    /// Stores put back to an older state without their node noticing.
    pub rollbacks: u64,
    /// Authors whose sessions forked, by document.
    pub forks: u64,
    /// Times that a user was told of being equal with a peer.
    pub syncs: u64,
    /// Documents that were closed since nobody used them.
    pub closed: u64,
    /// Documents that were opened from a snapshot and compared with what their rows say.
    pub opened_fast: u64,
    /// How long it took, in simulated milliseconds.
    pub simulated_ms: u64,
}

/// A promise that was broken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("after {at_ms} simulated ms: {reason}")]
pub struct Failure {
    /// Which.
    pub reason: String,
    /// When, in simulated milliseconds.
    pub at_ms: u64,
}

/// Lives through the world of a seed; with `is_shown` it tells everything on standard error.
///
/// # Errors
/// [`Failure`] if a node broke a promise.
pub fn run(seed: u64, is_shown: bool) -> Result<Report, Failure> {
    world::World::new(seed, is_shown).run()
}

/// How much happens in the world of a seed.
pub fn size(seed: u64) -> Most {
    world::World::new(seed, false).size()
}

/// As [`run`], in a world in which less happens.
///
/// # Errors
/// [`Failure`] if a node broke a promise.
pub fn run_less(seed: u64, most: Most, is_shown: bool) -> Result<Report, Failure> {
    world::World::new(seed, is_shown).with_at_most(most).run()
}
