//! How many rows one range read returns: one rule for every store.

use super::Row;

/// Rows gathered until their bytes reach a limit.
pub(super) struct Page {
    rows: Vec<Row>,
    bytes: usize,
    bytes_max: usize,
}

impl Page {
    pub(super) fn new(bytes_max: usize) -> Page {
        Page { rows: Vec::new(), bytes: 0, bytes_max }
    }

    /// Adds a row if it fits; the first always does, so that a reader gets on. Says whether it was added.
    pub(super) fn push(&mut self, key: &[u8], value: &[u8]) -> bool {
        self.bytes = self.bytes.saturating_add(key.len()).saturating_add(value.len());
        if self.bytes > self.bytes_max && !self.rows.is_empty() {
            return false;
        }
        self.rows.push((key.to_vec(), value.to_vec()));
        true
    }

    #[cfg(feature = "redb")]
    pub(super) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    pub(super) fn into_rows(self) -> Vec<Row> {
        self.rows
    }
}
