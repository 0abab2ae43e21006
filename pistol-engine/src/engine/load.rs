//! Opening a document: its snapshot is read, if there is one, then its rows in order. Rows are checked as strictly as if
//! a peer had sent them, and projected; those that the snapshot speaks of are not read, but the last of them, which shows
//! that the two belong together.

mod restore;
mod under_way;

use std::collections::BTreeMap;
use std::sync::Arc;

use pistol_core::envelope::{Envelope, VerifiedChange};
use pistol_core::id::DocumentId;
use pistol_core::store::{Row, Table, schema};

use super::catalog::Log;
use super::{Engine, answer};
use crate::documents::lock;
use crate::effect::{Effect, Reply, ReplyError};
use crate::input::{ReadId, Token};
use crate::limits;
use crate::replica::Written;
use under_way::Load;

/// Why a row was read.
#[derive(Debug)]
enum Purpose {
    Load(DocumentId),
    Send(super::transfer::Wanted),
}

#[derive(Debug, Default)]
pub(super) struct Loads {
    under_way: BTreeMap<DocumentId, Load>,
    reads: BTreeMap<ReadId, Purpose>,
    next: ReadId,
    damaged: BTreeMap<DocumentId, String>,
}

impl Loads {
    fn begin(&mut self, purpose: Purpose) -> ReadId {
        self.next += 1;
        self.reads.insert(self.next, purpose);
        self.next
    }
}

impl Engine {
    /// Loads a document, and answers when it is open.
    pub(super) fn open(&mut self, token: Token, document: DocumentId, effects: &mut Vec<Effect>) {
        if self.documents.replica(&document).is_some() {
            return effects.push(answer(token, Ok(Reply::Document(document))));
        }
        if let Some(reason) = self.loads.damaged.get(&document) {
            return effects.push(answer(token, Err(ReplyError::Damaged(reason.clone()))));
        }
        match self.load(document, effects) {
            Some(tokens) => tokens.push(token),
            None => effects.push(answer(token, Err(ReplyError::NotFound))),
        }
    }

    /// Begins to load a document, unless that is under way; `None` if the store does not hold it.
    pub(super) fn load(&mut self, id: DocumentId, effects: &mut Vec<Effect>) -> Option<&mut Vec<Token>> {
        if !self.loads.under_way.contains_key(&id) {
            let log = self.catalog.log(&id)?.clone();
            self.loads.under_way.insert(id, Load::new(Arc::clone(&log.genesis))?);
            self.read_on(id, &log, effects);
        }
        self.loads.under_way.get_mut(&id).map(|load| &mut load.tokens)
    }

    /// Reads what a document that is being opened needs next.
    fn read_on(&mut self, id: DocumentId, log: &Log, effects: &mut Vec<Effect>) {
        let Some(load) = self.loads.under_way.get(&id) else { return };
        let (table, (from, to)) = match load.wants() {
            (Table::Snapshots, _) => (Table::Snapshots, schema::snapshot_range(log.number)),
            (table, first) => (table, schema::envelopes_from(log.number, first)),
        };
        let read = self.loads.begin(Purpose::Load(id));
        effects.push(Effect::Read { read, table, from, to, bytes_max: limits::READ_BYTES });
    }

    /// Reads rows to send them.
    pub(super) fn read_to_send(
        &mut self,
        wanted: super::transfer::Wanted,
        (table, from, to): (Table, Vec<u8>, Vec<u8>),
        effects: &mut Vec<Effect>,
    ) {
        let read = self.loads.begin(Purpose::Send(wanted));
        effects.push(Effect::Read { read, table, from, to, bytes_max: limits::READ_BYTES });
    }

    /// Rows that were asked for.
    pub(super) fn rows(&mut self, read: ReadId, rows: Result<Vec<Row>, String>, effects: &mut Vec<Effect>) {
        match self.loads.reads.remove(&read) {
            Some(Purpose::Load(document)) => {
                let rows = rows.map_err(ReplyError::Unread);
                let taken = rows.and_then(|rows| self.take_rows(document, &rows, effects).map_err(ReplyError::Damaged));
                if let Err(error) = taken {
                    self.load_failed(document, error, effects);
                }
            }
            Some(Purpose::Send(wanted)) => self.send_rows(wanted, rows, effects),
            None => {}
        }
    }

    fn take_rows(&mut self, id: DocumentId, rows: &[Row], effects: &mut Vec<Effect>) -> Result<(), String> {
        let log = self.catalog.log(&id).cloned().ok_or("its log is gone")?;
        let load = self.loads.under_way.get_mut(&id).ok_or("nobody asked for it")?;
        if load.take(rows, &self.key.stamp_key(), &mut self.verifier)? {
            return self.finish_load(id, &log, effects);
        }
        self.read_on(id, &log, effects);
        Ok(())
    }

    fn finish_load(&mut self, id: DocumentId, log: &Log, effects: &mut Vec<Effect>) -> Result<(), String> {
        let Some(load) = self.loads.under_way.get_mut(&id) else { return Ok(()) };
        load.document.project().map_err(|rule| rule.to_string())?;
        let Some(load) = self.loads.under_way.remove(&id) else { return Ok(()) };
        let written = match &load.snapshot {
            Some(snapshot) => Written::up_to(self.snapshot_changes, snapshot),
            None => Written::nothing(self.snapshot_changes),
        };
        self.insert(log, load.document, load.rows, load.tail, written);
        if let Some(replica) = self.documents.replica(&id) {
            let mut replica = lock(&replica);
            replica.state.forks = load.forks;
            replica.state.is_from_snapshot = load.snapshot.is_some();
            if replica.is_snapshot_due() {
                self.documents.mark_dirty(id);
            }
        }
        effects.extend(load.tokens.into_iter().map(|token| answer(token, Ok(Reply::Document(id)))));
        self.document_is_open(id, effects);
        Ok(())
    }

    /// What was read is wrong, or nothing was. If it was a snapshot, or stood on one, the rows alone may still be right.
    fn load_failed(&mut self, id: DocumentId, error: ReplyError, effects: &mut Vec<Effect>) {
        let log = self.catalog.log(&id).cloned();
        let load = self.loads.under_way.get_mut(&id).filter(|load| load.is_from_snapshot());
        let fresh = log.as_ref().and_then(|log| Load::from_rows_alone(Arc::clone(&log.genesis)));
        let (Some(log), Some(load), Some(mut fresh)) = (log, load, fresh) else {
            return self.give_up_load(id, error, effects);
        };
        fresh.tokens = std::mem::take(&mut load.tokens);
        *load = fresh;
        self.read_on(id, &log, effects);
    }

    /// What is damaged stays so; what could not be read may be read when it is asked for again.
    fn give_up_load(&mut self, document: DocumentId, error: ReplyError, effects: &mut Vec<Effect>) {
        if let ReplyError::Damaged(reason) = &error {
            self.loads.damaged.insert(document, reason.clone());
        }
        let load = self.loads.under_way.remove(&document);
        let failed = |token| answer(token, Err(error.clone()));
        effects.extend(load.into_iter().flat_map(|load| load.tokens).map(failed));
        self.document_is_damaged(document, effects);
    }
}

/// The changes of a stored envelope, checked like a received one.
pub(super) fn verified(
    document: DocumentId,
    bytes: &[u8],
    verifier: &mut pistol_core::key::Verifier,
) -> Result<Vec<VerifiedChange>, String> {
    let envelope = Envelope::from_bytes(document, bytes).map_err(|error| error.to_string())?;
    let verified = envelope.verify(verifier).map_err(|error| error.to_string())?;
    Ok(verified.into_changes())
}
