//! Writing a change's references in their one canonical form.

use std::collections::{BTreeMap, BTreeSet};

use crate::chain::ChainId;
use crate::change::{Change, Op, Reference};
use crate::envelope::Linked;
use crate::id::{ChangeId, Link};
use crate::validate::{History, Ordinal, Spot};

/// A change in the making.
pub(super) struct Draft<'a> {
    history: &'a History,
    change: Change,
    previous: Option<Ordinal>,
    base: Link,
    /// Of each chain the entries of the table that are its own.
    entries: BTreeMap<ChainId, Vec<(u32, Ordinal)>>,
}

impl<'a> Draft<'a> {
    /// The branch of spots in the change itself.
    pub(super) const OWN: u32 = u32::MAX;

    pub(super) fn new(history: &'a History, change: Change, previous: Option<Ordinal>, base: Link) -> Self {
        Draft { history, change, previous, base, entries: BTreeMap::new() }
    }

    /// The number of the change's first operation along its chain.
    pub(super) fn first(&self) -> u32 {
        let previous = self.previous.and_then(|previous| self.history.numbers(previous));
        previous.map_or(0, |(first, ops)| first + ops)
    }

    fn is_own(&self, spot: Spot) -> bool {
        spot.branch == Self::OWN || self.previous.is_some_and(|previous| self.history.reaches(previous, spot))
    }

    /// Makes the table: of each path of another chain that is referred to, the last change seen. Here that is the last one
    /// accepted, as the change depends on everything.
    pub(super) fn refer(&mut self, spots: &[Spot]) -> Option<()> {
        let is_foreign = |spot: &&Spot| spot.branch != 0 && !self.is_own(**spot);
        let spots: BTreeSet<Spot> = spots.iter().filter(is_foreign).copied().collect();
        let branches: BTreeSet<u32> = spots.iter().map(|spot| spot.branch).collect();
        let last = |branch: u32| self.history.branch(branch)?.changes().last().copied();
        let entry = |branch| last(branch).and_then(|tip| Some((self.history.id(tip)?, tip)));
        let mut entries = branches.into_iter().map(entry).collect::<Option<BTreeMap<ChangeId, Ordinal>>>()?;
        self.set_table(&entries)?;
        // Where a chain forked, what several of its paths have in common is the first one's: another may be left without.
        let used = spots.into_iter().map(|spot| self.entry(spot)).collect::<Option<BTreeSet<u32>>>()?;
        let mut numbers = 0..;
        entries.retain(|_, _| numbers.next().is_some_and(|number| used.contains(&number)));
        self.set_table(&entries)
    }

    fn set_table(&mut self, entries: &BTreeMap<ChangeId, Ordinal>) -> Option<()> {
        self.change.table = entries.keys().copied().collect();
        self.entries.clear();
        for (number, tip) in (0..).zip(entries.values()) {
            let chain = self.history.branch(self.history.branch_index(*tip)?)?.chain()?;
            self.entries.entry(chain).or_default().push((number, *tip));
        }
        Some(())
    }

    /// The first entry whose path holds an operation.
    fn entry(&self, spot: Spot) -> Option<u32> {
        let entries = self.entries.get(&self.history.branch(spot.branch)?.chain()?)?;
        entries.iter().find(|(_, tip)| self.history.reaches(*tip, spot)).map(|(number, _)| *number)
    }

    /// The reference to an operation.
    pub(super) fn reference(&self, spot: Spot) -> Option<Reference> {
        if spot.branch == 0 {
            return Some(Reference::Skeleton(spot.number));
        }
        if self.is_own(spot) {
            return Some(Reference::Own(spot.number));
        }
        Some(Reference::Entry(self.entry(spot)?, spot.number))
    }

    pub(super) fn finish(mut self, ops: Vec<Op>) -> Linked {
        self.change.ops = ops;
        Linked::after(self.base, self.change)
    }
}
