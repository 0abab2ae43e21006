//! A simulated disk: a commit becomes durable later, or fails, or is caught half-way by a crash.

use std::collections::BTreeSet;
use std::sync::Arc;

use pistol_core::id::DocumentId;
use pistol_core::store::memory::MemoryStore;
use pistol_core::store::schema::LogRecord;
use pistol_core::store::{Batch, Row, Store, Table, Write};

use crate::chance::Chance;
use crate::held::{Id, in_row};

/// The tables of what people wrote.
const WRITTEN: [Table; 3] = [Table::Envelopes, Table::Tail, Table::Operations];
/// Snapshots kept to be restored.
const SNAPSHOTS_MAX: usize = 3;

/// What survives a crash.
#[derive(Clone, Debug, Default)]
pub(crate) struct Platter {
    pub(crate) store: MemoryStore,
    /// Every change and operation that the store holds.
    pub(crate) held: BTreeSet<Id>,
}

#[derive(Debug, Default)]
pub(crate) struct Disk {
    pub(crate) platter: Platter,
    outstanding: Option<Arc<Batch>>,
    snapshots: Vec<Platter>,
}

impl Disk {
    /// Takes a batch; `false` if another one is outstanding, which the engine promised never to do.
    pub(crate) fn begin(&mut self, batch: Arc<Batch>) -> bool {
        self.outstanding.replace(batch).is_none()
    }

    /// The outstanding batch.
    pub(crate) fn outstanding(&self) -> Option<Arc<Batch>> {
        self.outstanding.clone()
    }

    /// The outstanding batch is durable, or was not kept.
    pub(crate) fn end(&mut self, is_kept: bool) {
        let Some(batch) = self.outstanding.take().filter(|_| is_kept) else { return };
        let _ = self.platter.store.commit(&batch);
        let rows = || batch.writes.iter().filter(|write: &&Write| WRITTEN.contains(&write.table));
        if !rows().any(|write| write.value.is_some()) && rows().next().is_some() {
            // Rows are removed, and no others take their place: a document is.
            let all = |table| self.rows(table).into_iter().flat_map(move |(_, value)| in_row(table, &value));
            self.platter.held = WRITTEN.into_iter().flat_map(all).collect();
        }
        let new = rows().filter_map(|write| Some(in_row(write.table, write.value.as_deref()?)));
        self.platter.held.extend(new.flatten());
    }

    /// The power goes: what was not synced is there or not, as chance will have it.
    pub(crate) fn crash(&mut self, is_kept: bool) {
        self.end(is_kept);
    }

    /// A byte of what only makes opening faster goes wrong: that may cost time, never data.
    pub(crate) fn rot(&mut self, chance: &mut Chance) {
        let rows = self.rows(Table::Snapshots);
        let Some((key, mut value)) = rows.get(chance.index(rows.len())).cloned() else { return };
        let at = chance.index(value.len());
        if let Some(byte) = value.get_mut(at) {
            *byte ^= 1 << chance.below(8);
        }
        let mut batch = Batch::default();
        batch.put(Table::Snapshots, key, value);
        let _ = self.platter.store.commit(&batch);
    }

    pub(crate) fn rows(&self, table: Table) -> Vec<Row> {
        self.read(table, &[], &[0xff; 64], usize::MAX)
    }

    pub(crate) fn read(&self, table: Table, from: &[u8], to: &[u8], bytes_max: usize) -> Vec<Row> {
        self.platter.store.range(table, from, to, bytes_max).unwrap_or_default()
    }

    /// Whether a document is in the store.
    pub(crate) fn holds(&self, document: &DocumentId) -> bool {
        let logs = self.rows(Table::Logs);
        let is_it = |log: LogRecord| log.document == document.0 && !log.is_removed();
        logs.iter().any(|(_, value)| LogRecord::from_value(value).is_ok_and(is_it))
    }

    /// Whether a document with this genesis is in the store.
    pub(crate) fn holds_genesis(&self, genesis: &[u8]) -> bool {
        let logs = self.rows(Table::Logs);
        logs.iter().any(|(_, value)| LogRecord::from_value(value).is_ok_and(|log| log.genesis == genesis))
    }

    /// Whether every row is of a log that is there, and none of one that was removed.
    pub(crate) fn is_cleared(&self) -> bool {
        let logs = self.rows(Table::Logs);
        let is_whole = |value: &[u8]| LogRecord::from_value(value).is_ok_and(|log| !log.is_removed());
        let of = [Table::Ends, Table::Sessions, Table::Snapshots, Table::Owed, Table::Invites];
        let mut rows = WRITTEN.into_iter().chain(of).flat_map(|table| self.rows(table));
        let is_of_one = |key: &[u8]| logs.iter().any(|(number, _)| key.starts_with(number));
        logs.iter().all(|(_, value)| is_whole(value)) && rows.all(|(key, _)| is_of_one(&key))
    }

    /// Whether sealed rows took the place of the small ones they are made of.
    pub(crate) fn is_tidy(&self) -> bool {
        let sealed = self.rows(Table::Envelopes);
        let is_after =
            |key: &[u8]| sealed.iter().all(|(other, _)| other.get(..4) != key.get(..4) || other.as_slice() < key);
        self.rows(Table::Tail).iter().all(|(key, _)| is_after(key))
    }

    /// Copies everything away, as a backup does.
    pub(crate) fn snapshot(&mut self) {
        if self.snapshots.len() >= SNAPSHOTS_MAX {
            self.snapshots.remove(0);
        }
        self.snapshots.push(self.platter.clone());
    }

    /// Puts a backup in place, the newest if there are not so many. Returns what was there before; `None` if there is
    /// no backup.
    pub(crate) fn restore(&mut self, which: usize) -> Option<Platter> {
        let snapshot = self.snapshots.get(which).or(self.snapshots.last())?.clone();
        Some(std::mem::replace(&mut self.platter, snapshot))
    }

    /// What opening a store does whose fence does not match: its sessions are over.
    pub(crate) fn forget_sessions(&mut self) {
        let mut batch = Batch::default();
        self.rows(Table::Sessions).into_iter().for_each(|(key, _)| batch.remove(Table::Sessions, key));
        let _ = self.platter.store.commit(&batch);
    }
}
