//! Changes whose dependencies are not here yet, bounded, and found by what they wait for.

use std::collections::{BTreeMap, BTreeSet};

use pistol_core::envelope::VerifiedChange;
use pistol_core::id::ChangeId;

use crate::input::ConnectionId;
use crate::limits;

#[derive(Debug, Default)]
pub(super) struct Waiting {
    changes: BTreeMap<ChangeId, (VerifiedChange, ConnectionId)>,
    /// What is waited for, and by whom.
    by_dependency: BTreeMap<ChangeId, BTreeSet<ChangeId>>,
    bytes: usize,
}

impl Waiting {
    pub(super) fn len(&self) -> usize {
        self.changes.len()
    }

    /// Keeps a change until `dependency` comes; `false` if there is no room.
    pub(super) fn keep(&mut self, change: VerifiedChange, from: ConnectionId, dependency: ChangeId) -> bool {
        let id = change.id();
        if !self.changes.contains_key(&id) {
            let bytes = self.bytes + change.bytes();
            if self.changes.len() >= limits::WAITING_CHANGES_MAX || bytes > limits::WAITING_BYTES_MAX {
                return false;
            }
            self.bytes = bytes;
            self.changes.insert(id, (change, from));
        }
        self.by_dependency.entry(dependency).or_default().insert(id);
        true
    }

    /// Takes out what waited for a change.
    pub(super) fn release(&mut self, dependency: &ChangeId) -> Vec<(VerifiedChange, ConnectionId)> {
        let waiting = self.by_dependency.remove(dependency).unwrap_or_default();
        let released: Vec<_> = waiting.iter().filter_map(|id| self.changes.remove(id)).collect();
        self.bytes -= released.iter().map(|(change, _)| change.bytes()).sum::<usize>().min(self.bytes);
        released
    }
}
