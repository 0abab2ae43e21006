//! A node whose power is cut, again and again, with a peer that stays: the engine that production runs, over the redb
//! store that production opens, on a disk of sectors in memory.
//!
//! Beside the store runs a mirror of what was acknowledged: after each cut the store holds just that, or that and all
//! of the one commit that was under way.

mod crash;
mod ending;
mod machine;
mod pair;
mod plan;

use std::collections::BTreeMap;

pub use crate::member::Deed;
pub use plan::{Cut, Plan, Step};

use pistol_core::store::Table;
use pistol_core::store::redb::faults::{Fault, Survivors};

/// What happened to nodes that lost nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Power cuts.
    pub crashes: u64,
    /// Power cuts before the store was open again after the one before.
    pub crashes_in_recovery: u64,
    /// Power cuts after which a commit that was not acknowledged was there, all of it.
    pub kept: u64,
    /// Writes, changes of length and syncs.
    pub operations: u64,
    /// Commits that were acknowledged.
    pub commits: u64,
    /// Commits that failed and were tried again.
    pub retries: u64,
    /// Rows written, by table.
    pub written: BTreeMap<Table, u64>,
    /// Rows removed, by table.
    pub removed: BTreeMap<Table, u64>,
    /// Changes that came from the peer.
    pub received: u64,
    /// Operations that the node or its peer wrote.
    pub operated: u64,
    /// Times that the node came to show less of a document than before, and made it anew.
    pub shrunk: u64,
    /// Changes that are masked in the end.
    pub masked: u64,
    /// Documents that were opened from a snapshot and compared with what their rows say.
    pub opened_fast: u64,
    /// Times that the file was made small and had packs then.
    pub packed: u64,
    /// Whether every cut that was planned came.
    pub is_cut_all: bool,
}

/// A promise that was broken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Breach {
    /// Something acknowledged is gone.
    #[error("lost: {0}")]
    Lost(String),
    /// A part of a commit is there.
    #[error("mixed: {0}")]
    Mixed(String),
    /// Something else.
    #[error("{0}")]
    Other(String),
}

/// Lives through a plan.
///
/// # Errors
/// [`Breach`] if the node broke a promise.
pub fn run(plan: &Plan) -> Result<Tally, Breach> {
    pair::Pair::new(plan)?.run(plan)
}
