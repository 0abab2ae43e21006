//! Rows that were damaged on the disk after the document was opened. What they say is shown; only peers cannot be given it. So
//! peers are asked for those changes again, and the rows written anew.

use std::collections::BTreeMap;

use pistol_core::envelope::{Verified, VerifiedChange};
use pistol_core::store::Table;
use pistol_core::validate::Ordinal;

use super::Replica;
use super::publish::Sealed;

/// The damaged rows of a document, by the numbers of their first changes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Holes(BTreeMap<Ordinal, Hole>);

#[derive(Clone, Debug)]
struct Hole {
    table: Table,
    /// The number after its last change.
    end: Ordinal,
    /// What came again.
    found: BTreeMap<Ordinal, VerifiedChange>,
}

impl Hole {
    fn is_filled(&self, first: Ordinal) -> bool {
        u32::try_from(self.found.len()).is_ok_and(|count| count == self.end.saturating_sub(first))
    }
}

impl Holes {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many changes lie in damaged rows.
    fn changes(&self) -> u32 {
        self.0.iter().map(|(first, hole)| hole.end.saturating_sub(*first)).sum()
    }

    fn is_any_filled(&self) -> bool {
        self.0.iter().any(|(first, hole)| hole.is_filled(*first))
    }
}

impl Replica {
    pub(crate) fn holes(&self) -> &Holes {
        &self.holes
    }

    /// The number before which every row is whole.
    pub(crate) fn whole_before(&self) -> Ordinal {
        self.holes.0.keys().next().copied().unwrap_or(self.rows.end())
    }

    /// The rows turned out to be damaged that hold a change, another, and those between. Returns whether that is news.
    pub(crate) fn rows_are_damaged(&mut self, first: Ordinal, last: Ordinal) -> bool {
        let (mut ordinal, mut is_news) = (first, false);
        while let Some((_, end, _)) = self.rows.holding(ordinal).filter(|_| ordinal <= last) {
            is_news |= self.row_is_damaged(ordinal);
            ordinal = end.max(ordinal.saturating_add(1));
        }
        is_news
    }

    fn row_is_damaged(&mut self, ordinal: Ordinal) -> bool {
        let Some((first, end, row)) = self.rows.holding(ordinal) else { return false };
        if self.holes.0.contains_key(&first) {
            return false;
        }
        self.holes.0.insert(first, Hole { table: row.table, end, found: BTreeMap::new() });
        self.tell_holes();
        true
    }

    /// A change that is known came again: it may be one that lies in a damaged row.
    pub(super) fn fill_hole(&mut self, change: &VerifiedChange) {
        let Some(ordinal) = self.history().ordinal(&change.id()) else { return };
        let hole = self.holes.0.range_mut(..=ordinal).next_back();
        if let Some((_, hole)) = hole.filter(|(_, hole)| ordinal < hole.end) {
            hole.found.insert(ordinal, change.clone());
        }
    }

    pub(super) fn has_filled_holes(&self) -> bool {
        self.holes.is_any_filled()
    }

    /// Writes the rows anew of which everything came.
    pub(super) fn write_filled_holes(&mut self, sealed: &mut Sealed) {
        let (filled, left) =
            std::mem::take(&mut self.holes.0).into_iter().partition(|(first, hole)| hole.is_filled(*first));
        let filled: BTreeMap<Ordinal, Hole> = filled;
        self.holes.0 = left;
        if filled.is_empty() {
            return;
        }
        for (first, hole) in filled {
            let changes: Vec<VerifiedChange> = hole.found.into_values().collect();
            let bytes = Verified::seal(sealed.document, &changes).to_bytes();
            self.write_row(sealed, hole.table, (first, hole.end.saturating_sub(first)), &bytes);
        }
        self.tell_holes();
    }

    fn tell_holes(&mut self) {
        self.state.unsendable = self.holes.changes();
    }
}
