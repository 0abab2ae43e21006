//! The small tables: what the node is, what documents are called, who is known.

use std::collections::BTreeSet;

use pistol_core::store::scan::scan_table;
use pistol_core::store::schema::{self, Fence, LogNumber, SessionRecord};
use pistol_core::store::{Batch, Row, StoreError, Table};

use super::documents::Logs;
use super::{Examination, Severity};
use crate::runtime::folder::{self, FolderError};

impl Examination<'_> {
    pub(super) fn check_meta(&mut self) -> Result<(), FolderError> {
        let (rows, found) = scan_table(&self.store, Table::Meta)?;
        let value = |key: &[u8]| rows.iter().find(|(row, _)| row == key).map(|(_, value)| value.as_slice());
        let is_read: [(&[u8], bool); 4] = [
            (schema::EPOCH_KEY, value(schema::EPOCH_KEY).is_some_and(|value| schema::epoch(value).is_ok())),
            (schema::NODE_SECRET_KEY, value(schema::NODE_SECRET_KEY).is_some_and(|v| schema::node_secret(v).is_ok())),
            (schema::PORT_KEY, value(schema::PORT_KEY).is_none_or(|value| schema::port(value).is_ok())),
            (schema::FENCE_KEY, value(schema::FENCE_KEY).is_none_or(|value| Fence::from_value(value).is_ok())),
        ];
        let fence = value(schema::FENCE_KEY).and_then(|value| Fence::from_value(value).ok());
        let lost = is_read.iter().filter(|(_, is_read)| !is_read).map(|(key, _)| key.to_vec());
        let lost: BTreeSet<Vec<u8>> = lost.chain(found.damaged).collect();
        for key in lost {
            let what = format!("the row '{}' is lost", String::from_utf8_lossy(&key));
            let batch = folder::replacement(&key)?;
            self.settle("the node", what, lost_row(&key), &batch)?;
        }
        if fence.is_some_and(|fence| !folder::is_own_fence(self.folder, &fence)) {
            let what = "the store is a copy or a restored backup";
            let help =
                "nothing is to be done: its writing sessions begin anew when it is opened, and merge with the old ones";
            self.report.find(Severity::Note, "fence", what, help);
        }
        Ok(())
    }

    pub(super) fn check_names(&mut self, logs: &Logs) -> Result<(), StoreError> {
        let documents: BTreeSet<[u8; 32]> = logs.values().map(|genesis| genesis.id().0).collect();
        let is_good = |(key, value): &Row| {
            let document = schema::named_document(value).ok().filter(|_| schema::name(key).is_ok());
            document.is_some_and(|document| documents.contains(&document))
        };
        for key in self.bad_rows(Table::Names, is_good)? {
            let what = format!("the name '{}' stands for no document of this store", String::from_utf8_lossy(&key));
            let mut batch = Batch::default();
            batch.remove(Table::Names, key);
            self.settle("a name", what, "give the name again when the document is here", &batch)?;
        }
        Ok(())
    }

    pub(super) fn check_small_tables(&mut self, logs: &Logs) -> Result<(), StoreError> {
        let is_session = |(key, value): &Row| {
            let log = LogNumber::from_key(key).ok().filter(|log| logs.contains_key(log));
            log.is_some() && SessionRecord::from_value(value).is_ok()
        };
        let is_owed = |row: &Row| schema::owed(row).is_ok_and(|(log, _)| logs.contains_key(&log));
        let help = "nothing is lost: the next edit begins a writing session";
        self.check_small(Table::Sessions, "a writing session", help, is_session)?;
        self.check_small(Table::Peers, "a peer", "use a ticket of that peer again", pistol_engine::is_peer)?;
        let is_invite = |row: &Row| schema::Invite::from_row(row).is_ok_and(|(log, ..)| logs.contains_key(&log));
        self.check_small(Table::Invites, "an invitation", "give a new ticket to whom it was for", is_invite)?;
        self.check_small(Table::Owed, "a debt", "nothing is lost: heads are compared with every peer", is_owed)
    }

    fn check_small(
        &mut self,
        table: Table,
        about: &str,
        help: &str,
        is_good: impl Fn(&Row) -> bool,
    ) -> Result<(), StoreError> {
        let bad = self.bad_rows(table, is_good)?;
        if bad.is_empty() {
            return Ok(());
        }
        let what = format!("{} rows of it are not what was written, or belong to no document", bad.len());
        let mut batch = Batch::default();
        bad.into_iter().for_each(|key| batch.remove(table, key));
        self.settle(about, what, help, &batch)
    }

    fn bad_rows(&self, table: Table, is_good: impl Fn(&Row) -> bool) -> Result<Vec<Vec<u8>>, StoreError> {
        let (rows, found) = scan_table(&self.store, table)?;
        let bad = rows.into_iter().filter(|row| !is_good(row)).map(|(key, _)| key);
        Ok(bad.chain(found.damaged).collect())
    }
}

fn lost_row(key: &[u8]) -> &'static str {
    match key {
        schema::NODE_SECRET_KEY => {
            "the node gets a new name on the network: give new tickets to those who used the old ones"
        }
        schema::EPOCH_KEY | schema::FENCE_KEY => "nothing else is lost: writing sessions begin anew",
        _ => "nothing else is lost",
    }
}
