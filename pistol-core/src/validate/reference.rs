//! V3: every reference names an operation of the past, in the one form that it has.

use std::cmp::Ordering;

use super::{History, Ordinal, Past, Rule, Spot};
use crate::change::{Change, Reference};
use crate::limits;

/// A change's table of references: paths of chains as far as the author saw them.
#[derive(Debug, Default)]
pub(super) struct Table {
    /// Where each path ends.
    pub(super) tips: Vec<Ordinal>,
    /// How many operations of each path are on an earlier one too, the own path being the first.
    shared: Vec<u32>,
}

impl History {
    /// Finds the changes of a table: each is the last of a path of another chain in the past.
    pub(super) fn resolve_table(&self, change: &Change, previous: Option<Ordinal>, past: &Past) -> Result<Table, Rule> {
        if change.table.len() > limits::REFERENCES_MAX || !super::is_strictly_sorted(&change.table) {
            return Err(Rule::Reference);
        }
        let mut tips = Vec::with_capacity(change.table.len());
        for id in &change.table {
            let tip = self.ordinal(id).filter(|tip| self.is_last_in_past(*tip, past, previous));
            tips.push(tip.ok_or(Rule::Reference)?);
        }
        let shared = self.shared(previous, &tips);
        Ok(Table { tips, shared })
    }

    /// Of each path how much is on an earlier one. Paths are laid out so that those with more in common lie nearer to each
    /// other: only the two neighbours need to be looked at, however many paths and forks there are.
    pub(super) fn shared(&self, previous: Option<Ordinal>, tips: &[Ordinal]) -> Vec<u32> {
        let mut laid: Vec<Ordinal> = Vec::with_capacity(tips.len() + 1);
        laid.extend(previous);
        let mut lay = |tip: Ordinal| {
            let place = laid.partition_point(|earlier| self.parting(*earlier, tip).1 == Ordering::Less);
            let neighbours = laid.get(place.saturating_sub(1)..).unwrap_or_default().iter().take(2);
            let shared = neighbours.map(|earlier| self.parting(*earlier, tip).0).max().unwrap_or(0);
            laid.insert(place, tip);
            shared
        };
        tips.iter().map(|tip| lay(*tip)).collect()
    }

    /// Finds the operation that a reference names; `None` if it is one of the change's own.
    ///
    /// # Errors
    /// [`Rule::Reference`] if there is none, or if an earlier form of the reference would name it too.
    pub(super) fn resolve(
        &self,
        reference: Reference,
        previous: Option<Ordinal>,
        table: &Table,
        first: u32,
    ) -> Result<Option<Spot>, Rule> {
        let found = match reference {
            Reference::Own(number) if number >= first => return Ok(None),
            Reference::Own(number) => previous.and_then(|previous| self.spot(previous, number)),
            Reference::Skeleton(number) => self.spot(0, number),
            Reference::Entry(entry, number) => {
                let entry = usize::try_from(entry).map_err(|_| Rule::Reference)?;
                let spot = table.tips.get(entry).and_then(|tip| self.spot(*tip, number)).ok_or(Rule::Reference)?;
                table.shared.get(entry).filter(|shared| number >= **shared).map(|_| spot)
            }
        };
        found.map(Some).ok_or(Rule::Reference)
    }

    /// Whether the path of a chain that ends with `tip` holds the operation.
    pub fn reaches(&self, tip: Ordinal, spot: Spot) -> bool {
        self.spot(tip, spot.number) == Some(spot)
    }
}
