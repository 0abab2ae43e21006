//! Which rows of the store hold which changes, by ordinal, as far as they are durable.

use std::collections::BTreeMap;

use pistol_core::store::Table;
use pistol_core::validate::Ordinal;

/// One row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct StoredRow {
    pub(crate) count: u32,
    pub(crate) table: Table,
    /// The hash of its value: what is read later is compared with it.
    pub(crate) digest: [u8; 32],
}

/// The rows of a document, by the ordinal of their first change.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rows(BTreeMap<Ordinal, StoredRow>);

impl Rows {
    /// A row is there from now on, or no more.
    pub(crate) fn set(&mut self, first: Ordinal, row: Option<StoredRow>) {
        match row {
            Some(row) => drop(self.0.insert(first, row)),
            None => drop(self.0.remove(&first)),
        }
    }

    /// The number after the last durable change.
    pub(crate) fn end(&self) -> Ordinal {
        self.0.last_key_value().map_or(1, |(first, row)| first.saturating_add(row.count))
    }

    /// The row that holds a change: its first ordinal, the one after its last, and what it is.
    pub(crate) fn holding(&self, ordinal: Ordinal) -> Option<(Ordinal, Ordinal, StoredRow)> {
        let (first, row) = self.0.range(..=ordinal).next_back()?;
        let end = first.checked_add(row.count)?;
        (ordinal < end).then_some((*first, end, *row))
    }

    /// The rows not yet sealed, by their first ordinals.
    pub(crate) fn unsealed(&self) -> Vec<Ordinal> {
        let unsealed = self.0.iter().rev().take_while(|(_, row)| row.table == Table::Tail);
        let mut firsts: Vec<Ordinal> = unsealed.map(|(first, _)| *first).collect();
        firsts.reverse();
        firsts
    }
}
