//! V3: every reference names an operation of the past, in the one form that it has.

use std::collections::BTreeMap;

use super::{History, Ordinal, Past, Rule, Spot};
use crate::change::{Change, Reference};
use crate::limits;

/// A change's table of references, and what each of its paths is the first to reach.
#[derive(Debug, Default)]
pub(super) struct Table {
    pub(super) tips: Vec<Ordinal>,
    /// Of each branch: up to which operation, and by which path first. The own path is number 0. Both numbers rise.
    reached: BTreeMap<u32, Vec<(u32, usize)>>,
    /// Of each branch the last change that an entry's path has in it before it goes on in another.
    left: BTreeMap<u32, Ordinal>,
}

impl Table {
    /// Whether the path of an entry is the first that reaches an operation.
    fn is_first(&self, entry: usize, spot: Spot) -> bool {
        let paths = self.reached.get(&spot.branch).map_or(&[][..], Vec::as_slice);
        let first = paths.partition_point(|(end, _)| *end <= spot.number);
        paths.get(first).is_some_and(|(_, path)| *path == entry + 1)
    }
}

impl History {
    /// Finds the changes of a table: all in the past, none on the own path, none on the path of another.
    pub(super) fn resolve_table(&self, change: &Change, previous: Option<Ordinal>, past: &Past) -> Result<Table, Rule> {
        if change.table.len() > limits::REFERENCES_MAX || !super::is_strictly_sorted(&change.table) {
            return Err(Rule::Reference);
        }
        let mut table = Table::default();
        if change.table.is_empty() {
            return Ok(table);
        }
        if let Some(previous) = previous {
            self.reach(&mut table, previous, 0);
        }
        // Nothing can be on the path of an entry before the own path goes another way: that is the own path's.
        table.left.clear();
        for (entry, id) in (1..).zip(&change.table) {
            let ordinal = self.ordinal(id).ok_or(Rule::Reference)?;
            let is_own = previous.is_some_and(|previous| self.is_on_path(ordinal, previous));
            if is_own || !self.is_in_past(ordinal, past, previous) {
                return Err(Rule::Reference);
            }
            table.tips.push(ordinal);
            self.reach(&mut table, ordinal, entry);
        }
        let branches: BTreeMap<u32, Ordinal> =
            table.tips.iter().filter_map(|tip| Some((self.branch_index(*tip)?, *tip))).collect();
        let is_passed = |(branch, tip): (&u32, &Ordinal)| table.left.get(branch).is_some_and(|left| tip <= left);
        if branches.len() < table.tips.len() || branches.iter().any(is_passed) {
            return Err(Rule::Reference);
        }
        Ok(table)
    }

    /// Notes what a path reaches, up to the branch where an earlier path joins it: all above was noted then.
    fn reach(&self, table: &mut Table, tip: Ordinal, path: usize) {
        let mut end = self.node(tip).map_or(0, super::Node::end);
        let mut next = Some(tip);
        while let Some((branch, found)) = next.and_then(|tip| Some((self.branch_index(tip)?, self.branch_of(tip)?))) {
            let reached = table.reached.entry(branch).or_default();
            let is_joined = !reached.is_empty();
            if reached.last().is_none_or(|(known, _)| *known < end) {
                reached.push((end, path));
            }
            if let Some(left) = next.filter(|left| *left != tip) {
                let known = table.left.entry(branch).or_insert(left);
                *known = left.max(*known);
            }
            if is_joined {
                return;
            }
            (next, end) = (found.parent(), found.first());
        }
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
                table.is_first(entry, spot).then_some(spot)
            }
        };
        found.map(Some).ok_or(Rule::Reference)
    }

    /// Whether the path of a chain that ends with `tip` holds the operation.
    pub fn reaches(&self, tip: Ordinal, spot: Spot) -> bool {
        self.spot(tip, spot.number) == Some(spot)
    }
}
