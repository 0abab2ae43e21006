//! Changes whose dependencies are not here yet, bounded, and found by what they wait for.

use std::collections::{BTreeMap, BTreeSet};

use pistol_core::envelope::VerifiedChange;
use pistol_core::id::{ChangeId, Link};

use crate::input::ConnectionId;
use crate::limits;

/// A change at a place of its chain, by the link before it. Its author may sign it at a wrong place too, and that must
/// not keep the right one out.
type Record = (ChangeId, Link);

#[derive(Debug, Default)]
pub(super) struct Waiting {
    changes: BTreeMap<Record, Kept>,
    /// What is waited for, and by whom.
    by_dependency: BTreeMap<ChangeId, BTreeSet<Record>>,
    bytes: usize,
}

#[derive(Debug)]
struct Kept {
    change: VerifiedChange,
    /// Who sent it, the first one first.
    from: Vec<ConnectionId>,
}

impl Waiting {
    pub(super) fn len(&self) -> usize {
        self.changes.len()
    }

    /// How many changes from a connection wait.
    pub(super) fn count_of(&self, connection: ConnectionId) -> usize {
        self.changes.values().filter(|kept| kept.from.contains(&connection)).count()
    }

    /// Keeps a change until `dependency` comes; `false` if there is no room.
    pub(super) fn keep(&mut self, change: VerifiedChange, from: ConnectionId, dependency: ChangeId) -> bool {
        let record = (change.id(), change.base());
        if let Some(kept) = self.changes.get_mut(&record) {
            if !kept.from.contains(&from) {
                kept.from.truncate(limits::SENDERS_MAX - 1);
                kept.from.push(from);
            }
            return true;
        }
        let bytes = self.bytes + change.bytes();
        if self.changes.len() >= limits::WAITING_CHANGES_MAX || bytes > limits::WAITING_BYTES_MAX {
            return false;
        }
        self.bytes = bytes;
        self.changes.insert(record, Kept { change, from: vec![from] });
        self.by_dependency.entry(dependency).or_default().insert(record);
        true
    }

    /// Takes out what waited for a change, each with those who sent it.
    pub(super) fn release(&mut self, dependency: &ChangeId) -> Vec<(VerifiedChange, Vec<ConnectionId>)> {
        let waiting = self.by_dependency.remove(dependency).unwrap_or_default();
        let released: Vec<_> = waiting.iter().filter_map(|record| self.changes.remove(record)).collect();
        self.bytes -= released.iter().map(|kept| kept.change.bytes()).sum::<usize>().min(self.bytes);
        released.into_iter().map(|kept| (kept.change, kept.from)).collect()
    }
}
