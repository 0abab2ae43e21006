//! Writing a change's references in their one canonical form.

use std::collections::BTreeMap;

use crate::change::{Change, Op, Reference};
use crate::envelope::Linked;
use crate::id::Link;
use crate::validate::{History, Ordinal, Spot};

/// A change in the making.
pub(super) struct Draft<'a> {
    history: &'a History,
    change: Change,
    previous: Option<Ordinal>,
    base: Link,
    table: Vec<Ordinal>,
}

impl<'a> Draft<'a> {
    /// The branch of spots in the change itself.
    pub(super) const OWN: u32 = u32::MAX;

    pub(super) fn new(history: &'a History, change: Change, previous: Option<Ordinal>, base: Link) -> Self {
        Draft { history, change, previous, base, table: Vec::new() }
    }

    /// The number of the change's first operation along its chain.
    pub(super) fn first(&self) -> u32 {
        let previous = self.previous.and_then(|previous| self.history.numbers(previous));
        previous.map_or(0, |(first, ops)| first + ops)
    }

    fn is_own(&self, spot: Spot) -> bool {
        spot.branch == Self::OWN || self.previous.is_some_and(|previous| self.history.reaches(previous, spot))
    }

    /// Makes the table: of each path of another chain the latest change that is referred to.
    pub(super) fn refer(&mut self, spots: Vec<Spot>) -> Option<()> {
        let mut latest: BTreeMap<u32, Spot> = BTreeMap::new();
        for spot in spots.into_iter().filter(|spot| spot.branch != 0 && !self.is_own(*spot)) {
            let known = latest.entry(spot.branch).or_insert(spot);
            *known = spot.max(*known);
        }
        let tips = latest.into_values().map(|spot| self.history.change_at(spot)).collect::<Option<Vec<_>>>()?;
        let is_covered = |tip: Ordinal| tips.iter().any(|other| tip != *other && self.history.is_on_path(tip, *other));
        let entries = tips.iter().filter(|tip| !is_covered(**tip));
        let mut entries = entries.map(|tip| Some((self.history.id(*tip)?, *tip))).collect::<Option<Vec<_>>>()?;
        entries.sort_unstable();
        (self.change.table, self.table) = entries.into_iter().unzip();
        Some(())
    }

    /// The reference to an operation.
    pub(super) fn reference(&self, spot: Spot) -> Option<Reference> {
        if spot.branch == 0 {
            return Some(Reference::Skeleton(spot.number));
        }
        if self.is_own(spot) {
            return Some(Reference::Own(spot.number));
        }
        let entry = self.table.iter().position(|tip| self.history.reaches(*tip, spot))?;
        Some(Reference::Entry(u32::try_from(entry).ok()?, spot.number))
    }

    pub(super) fn finish(mut self, ops: Vec<Op>) -> Linked {
        self.change.ops = ops;
        Linked::after(self.base, self.change)
    }
}
