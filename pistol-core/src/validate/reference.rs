//! V3: every reference names an operation of the past, in the one form that it has.

use super::{History, Ordinal, Past, Rule, Spot};
use crate::change::{Change, Reference};
use crate::limits;

impl History {
    /// Finds the changes of a table: all in the past, none on the own path, none on the path of another.
    pub(super) fn resolve_table(
        &self,
        change: &Change,
        previous: Option<Ordinal>,
        past: &Past,
    ) -> Result<Vec<Ordinal>, Rule> {
        if change.table.len() > limits::REFERENCES_MAX || !super::is_strictly_sorted(&change.table) {
            return Err(Rule::Reference);
        }
        let mut table = Vec::with_capacity(change.table.len());
        for id in &change.table {
            let ordinal = self.ordinal(id).ok_or(Rule::Reference)?;
            let is_own = previous.is_some_and(|previous| self.is_on_path(ordinal, previous));
            if is_own || !self.is_in_past(ordinal, past, previous) {
                return Err(Rule::Reference);
            }
            table.push(ordinal);
        }
        let is_before = |one: Ordinal, other: Ordinal| one != other && self.is_on_path(one, other);
        if table.iter().any(|one| table.iter().any(|other| is_before(*one, *other))) {
            return Err(Rule::Reference);
        }
        Ok(table)
    }

    /// Finds the operation that a reference names; `None` if it is one of the change's own.
    ///
    /// # Errors
    /// [`Rule::Reference`] if there is none, or if an earlier form of the reference would name it too.
    pub(super) fn resolve(
        &self,
        reference: Reference,
        previous: Option<Ordinal>,
        table: &[Ordinal],
        first: u32,
    ) -> Result<Option<Spot>, Rule> {
        let found = match reference {
            Reference::Own(number) if number >= first => return Ok(None),
            Reference::Own(number) => previous.and_then(|previous| self.spot(previous, number)),
            Reference::Skeleton(number) => self.spot(0, number),
            Reference::Entry(entry, number) => {
                let entry = usize::try_from(entry).map_err(|_| Rule::Reference)?;
                let spot = table.get(entry).and_then(|tip| self.spot(*tip, number)).ok_or(Rule::Reference)?;
                let is_first = table.iter().take(entry).chain(previous.iter()).all(|tip| !self.reaches(*tip, spot));
                is_first.then_some(spot)
            }
        };
        found.map(Some).ok_or(Rule::Reference)
    }

    /// Whether the path of a chain that ends with `tip` holds the operation.
    pub fn reaches(&self, tip: Ordinal, spot: Spot) -> bool {
        self.spot(tip, spot.number) == Some(spot)
    }
}
