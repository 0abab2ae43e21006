//! The past of an operation: for each branch, how many of its operations.
//!
//! A branch is a line of one author's operations, each citing the one before, so what a past holds of it is always its
//! beginning. Sizes are counted in branches, not in operations.

use std::collections::BTreeMap;
use std::sync::Arc;

/// Of each branch, by number, how many operations are in the past.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Past(Arc<[(u32, u32)]>);

impl Past {
    /// What follows operations: their pasts and themselves, given by branch and place.
    pub(crate) fn after<'a>(previous: impl Iterator<Item = (&'a Past, u32, u32)>) -> Past {
        let mut counts: BTreeMap<u32, u32> = BTreeMap::new();
        let mut raise = |branch: u32, count: u32| {
            let known = counts.entry(branch).or_default();
            *known = count.max(*known);
        };
        for (past, branch, place) in previous {
            past.0.iter().for_each(|(branch, count)| raise(*branch, *count));
            raise(branch, place + 1);
        }
        Past(counts.into_iter().collect())
    }

    /// How many operations of a branch.
    pub(crate) fn count(&self, branch: u32) -> u32 {
        let found = self.0.binary_search_by_key(&branch, |(branch, _)| *branch);
        found.ok().and_then(|at| self.0.get(at)).map_or(0, |(_, count)| *count)
    }

    /// Whether the operation at a place of a branch is in it.
    pub(crate) fn holds(&self, branch: u32, place: u32) -> bool {
        self.count(branch) > place
    }
}
