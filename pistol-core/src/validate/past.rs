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
    reach: Option<Arc<Reach>>,
}

/// What lies beyond the prefix.
#[derive(Debug, PartialEq, Eq)]
struct Reach {
    /// Of each of these branches everything up to a change, sorted by branch.
    ends: Vec<(u32, Ordinal)>,
    /// The changes that these branches begin after, sorted: each is continued in the past.
    forked: Vec<Ordinal>,
}

impl Reach {
    fn holds(&self, branch: u32, ordinal: Ordinal) -> bool {
        let found = self.ends.binary_search_by_key(&branch, |(branch, _)| *branch).ok();
        found.and_then(|found| self.ends.get(found)).is_some_and(|(_, last)| ordinal <= *last)
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
            node.past.reach.iter().flat_map(|reach| &reach.ends).for_each(|(branch, last)| extend(*branch, *last));
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
        self.past(prefix, reach.into_iter().collect())
    }

    /// A past of everything before `prefix` and of these branches everything up to a change, sorted by branch.
    fn past(&self, prefix: Ordinal, ends: Vec<(u32, Ordinal)>) -> Past {
        if ends.is_empty() {
            return Past { prefix, reach: None };
        }
        let parents = ends.iter().filter_map(|(branch, _)| self.branch(*branch)?.parent());
        let mut forked: Vec<Ordinal> = parents.collect();
        forked.sort_unstable();
        forked.dedup();
        Past { prefix, reach: Some(Arc::new(Reach { ends, forked })) }
    }

    /// Whether a change is in the past of another one.
    pub fn is_before(&self, earlier: Ordinal, later: Ordinal) -> bool {
        let Some((node, branch)) = self.node(later).zip(self.branch_of(later)) else { return false };
        let previous = node.seq.checked_sub(1).and_then(|seq| branch.at(seq)).or(branch.parent());
        earlier == 0 && later != 0 || self.is_in_past(earlier, &node.past, previous)
    }

    /// Whether a change is in the past of one that has this past and this own previous change.
    pub(super) fn is_in_past(&self, ordinal: Ordinal, past: &Past, previous: Option<Ordinal>) -> bool {
        let is_reached = |reach: &Reach| self.branch_index(ordinal).is_some_and(|branch| reach.holds(branch, ordinal));
        ordinal < past.prefix
            || past.reach.as_deref().is_some_and(is_reached)
            || previous.is_some_and(|previous| self.is_on_path(ordinal, previous))
    }

    /// Whether a change of another chain's path is the last one there that is in such a past: it is in it, not on the own
    /// path, and no change of its chain that follows it is in it. The answer is that of the set, not of the order of arrival.
    pub(super) fn is_last_in_past(&self, ordinal: Ordinal, past: &Past, previous: Option<Ordinal>) -> bool {
        let is_in = |ordinal| self.is_in_past(ordinal, past, previous);
        let is_own = previous.is_some_and(|previous| self.is_on_path(ordinal, previous));
        let is_forked = self.first_fork(ordinal).is_some_and(|first| first < past.prefix)
            || past.reach.as_deref().is_some_and(|reach| reach.forked.binary_search(&ordinal).is_ok());
        let next = self.seq(ordinal).zip(self.branch_of(ordinal)).and_then(|(seq, branch)| branch.at(seq + 1));
        is_in(ordinal) && !is_own && !is_forked && !next.is_some_and(is_in)
    }
}
