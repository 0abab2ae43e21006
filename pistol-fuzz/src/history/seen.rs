//! How far each change saw Ann's chain: what must stand in the tables of those that follow.

use std::collections::{BTreeMap, BTreeSet};

use pistol_core::change::Change;
use pistol_core::id::ChangeId;

use super::stage;
use crate::sealing;

/// Ann's first change and those that continue it, as each change knows them.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen {
    /// Of each change those of Ann's that are in its past, or itself.
    anns: BTreeMap<ChangeId, BTreeSet<ChangeId>>,
    /// Of each change of Ann's but the first, the one that it continues.
    previous: BTreeMap<ChangeId, ChangeId>,
}

impl Seen {
    /// Adds a change whose dependencies were added before.
    pub(super) fn add(&mut self, change: &Change) {
        let (id, mut anns) = (change.id(), self.all(&change.deps));
        if change.author == sealing::author(stage::ANN).id() && change.session.0 == stage::SESSION {
            let previous = change.deps.iter().find(|dep| anns.contains(dep));
            previous.and_then(|previous| self.previous.insert(id, *previous));
            // A chain that begins anew does not continue her first change.
            if previous.is_some() || self.anns.is_empty() {
                anns.insert(id);
            }
        }
        self.anns.insert(id, anns);
    }

    /// Those of Ann's that are in the past of a change with these dependencies and that none there continues, sorted.
    pub(super) fn ends(&self, deps: &[ChangeId]) -> Vec<ChangeId> {
        let all = self.all(deps);
        let continued: BTreeSet<ChangeId> = all.iter().filter_map(|id| self.previous.get(id)).copied().collect();
        all.difference(&continued).copied().collect()
    }

    fn all(&self, deps: &[ChangeId]) -> BTreeSet<ChangeId> {
        deps.iter().filter_map(|dep| self.anns.get(dep)).flatten().copied().collect()
    }
}
