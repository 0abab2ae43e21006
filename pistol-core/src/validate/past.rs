//! The past of a change, in a few bytes: nearly always it is "everything accepted here before some number", plus a reach
//! into each branch that went on concurrently. The own chain's path is always in the past and is not written down.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{History, Ordinal};

/// What a change depends on, directly or not, apart from the path of its own chain.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Past {
    /// Every change with a smaller number is in the past.
    prefix: Ordinal,
    /// Beyond that: of each of these branches everything up to a change, sorted by branch.
    reach: Option<Arc<[(u32, Ordinal)]>>,
}

impl Past {
    pub(super) fn new(prefix: Ordinal, reach: Vec<(u32, Ordinal)>) -> Self {
        Past { prefix, reach: (!reach.is_empty()).then(|| reach.into()) }
    }

    pub(super) fn prefix(&self) -> Ordinal {
        self.prefix
    }

    pub(super) fn reach(&self) -> &[(u32, Ordinal)] {
        self.reach.as_deref().unwrap_or_default()
    }
}

impl History {
    /// The past of a change with these direct dependencies, of which `previous` is its own chain's.
    pub(super) fn past_of(&self, deps: &[Ordinal], previous: Option<Ordinal>) -> Past {
        if deps.len() == self.heads.len() && deps.iter().all(|dep| self.heads.contains(dep)) {
            return Past { prefix: self.next(), reach: None };
        }
        if let (Some(previous), [_]) = (previous, deps) {
            return self.node(previous).map(|node| node.past.clone()).unwrap_or_default();
        }
        self.merged_past(deps, previous)
    }

    fn merged_past(&self, deps: &[Ordinal], previous: Option<Ordinal>) -> Past {
        let nodes = || deps.iter().filter_map(|dep| self.node(*dep));
        let prefix = nodes().map(|node| node.past.prefix).max().unwrap_or(0);
        let mut reach: BTreeMap<u32, Ordinal> = BTreeMap::new();
        let mut extend = |branch: u32, last: Ordinal| {
            let is_own = previous.is_some_and(|previous| self.is_on_path(last, previous));
            if last >= prefix && !is_own {
                let known = reach.entry(branch).or_insert(last);
                *known = last.max(*known);
            }
        };
        for node in nodes() {
            node.past.reach.iter().flat_map(|reach| reach.iter()).for_each(|(branch, last)| extend(*branch, *last));
        }
        let mut walked = BTreeSet::new();
        for dep in deps {
            let mut tip = Some(*dep);
            while let Some((tip_now, node)) =
                tip.filter(|tip| *tip >= prefix).and_then(|tip| Some((tip, self.node(tip)?)))
            {
                extend(node.branch, tip_now);
                let is_new = walked.insert(node.branch);
                tip = self.branches.branch(node.branch).and_then(super::Branch::parent).filter(|_| is_new);
            }
        }
        Past { prefix, reach: (!reach.is_empty()).then(|| reach.into_iter().collect()) }
    }

    /// Whether a change is in the past of one that has this past and this own previous change.
    pub(super) fn is_in_past(&self, ordinal: Ordinal, past: &Past, previous: Option<Ordinal>) -> bool {
        let is_reached = |reach: &[(u32, Ordinal)]| {
            let found =
                self.branch_index(ordinal).map(|branch| reach.binary_search_by_key(&branch, |(branch, _)| *branch));
            let found = found.and_then(Result::ok).and_then(|found| reach.get(found));
            found.is_some_and(|(_, last)| ordinal <= *last)
        };
        ordinal < past.prefix
            || past.reach.as_deref().is_some_and(is_reached)
            || previous.is_some_and(|previous| self.is_on_path(ordinal, previous))
    }
}
