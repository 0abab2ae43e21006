//! Opening a document: its rows are read in order, checked as strictly as if a peer had sent them, and projected.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use pistol_core::document::Document;
use pistol_core::envelope::{Envelope, VerifiedChange};
use pistol_core::id::DocumentId;
use pistol_core::key::AuthorId;
use pistol_core::store::{Row, Table, schema};
use pistol_core::validate::Check;

use super::catalog::Log;
use super::{Engine, answer};
use crate::documents::lock;
use crate::effect::{Effect, Reply, ReplyError};
use crate::input::{ReadId, Token};
use crate::limits;
use crate::replica::{Rows, StoredRow};

/// Why a row was read.
#[derive(Debug)]
enum Purpose {
    Load(DocumentId),
    Send(super::transfer::Wanted),
}

/// A document that is being opened.
#[derive(Debug)]
struct Load {
    document: Document,
    rows: Rows,
    tail: Vec<VerifiedChange>,
    /// Authors whose sessions forked.
    forks: BTreeSet<AuthorId>,
    table: Table,
    tokens: Vec<Token>,
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
            let document = Document::new(Arc::clone(&log.genesis)).ok()?;
            let (rows, table) = (Rows::default(), Table::Envelopes);
            let (tail, forks, tokens) = (Vec::new(), BTreeSet::new(), Vec::new());
            self.loads.under_way.insert(id, Load { document, rows, tail, forks, table, tokens });
            self.read_on(id, &log, table, 0, effects);
        }
        self.loads.under_way.get_mut(&id).map(|load| &mut load.tokens)
    }

    fn read_on(&mut self, id: DocumentId, log: &Log, table: Table, from: u32, effects: &mut Vec<Effect>) {
        let read = self.loads.begin(Purpose::Load(id));
        let (from, to) = schema::envelopes_from(log.number, from);
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
                let taken = rows.and_then(|rows| self.take_rows(document, &rows, effects));
                if let Err(reason) = taken {
                    self.give_up_load(document, &reason, effects);
                }
            }
            Some(Purpose::Send(wanted)) => self.send_rows(wanted, rows, effects),
            None => {}
        }
    }

    fn take_rows(&mut self, id: DocumentId, rows: &[Row], effects: &mut Vec<Effect>) -> Result<(), String> {
        let log = self.catalog.log(&id).cloned().ok_or("its log is gone")?;
        let load = self.loads.under_way.get_mut(&id).ok_or("nobody asked for it")?;
        for (key, value) in rows {
            let (_, first) = schema::envelope_position(key).map_err(|error| error.to_string())?;
            let changes = verified(id, value, &mut self.verifier)?;
            load.take(first, &changes)?;
        }
        let next = load.document.history().next();
        match (rows.is_empty(), load.table) {
            (false, table) => self.read_on(id, &log, table, next, effects),
            (true, Table::Envelopes) => {
                load.table = Table::Tail;
                self.read_on(id, &log, Table::Tail, next, effects);
            }
            (true, _) => self.finish_load(id, &log, effects)?,
        }
        Ok(())
    }

    fn finish_load(&mut self, id: DocumentId, log: &Log, effects: &mut Vec<Effect>) -> Result<(), String> {
        let Some(mut load) = self.loads.under_way.remove(&id) else { return Ok(()) };
        load.document.project().map_err(|rule| rule.to_string())?;
        self.insert(log, load.document, load.rows, load.tail);
        if let Some(replica) = self.documents.replica(&id) {
            lock(&replica).state.forks = load.forks;
        }
        effects.extend(load.tokens.into_iter().map(|token| answer(token, Ok(Reply::Document(id)))));
        self.document_is_open(id, effects);
        Ok(())
    }

    fn give_up_load(&mut self, document: DocumentId, reason: &str, effects: &mut Vec<Effect>) {
        self.loads.damaged.insert(document, reason.to_owned());
        let load = self.loads.under_way.remove(&document);
        let damaged = |token| answer(token, Err(ReplyError::Damaged(reason.to_owned())));
        effects.extend(load.into_iter().flat_map(|load| load.tokens).map(damaged));
        self.document_is_damaged(document, effects);
    }
}

impl Load {
    fn take(&mut self, first: u32, changes: &[VerifiedChange]) -> Result<(), String> {
        if first != self.document.history().next() {
            return Err(format!("changes before number {first} are missing"));
        }
        for change in changes {
            let Check::Valid(valid) = self.document.check(change) else {
                return Err(format!("change number {first} or one after it is not what was stored"));
            };
            let admitted = pistol_acl::judge(self.document.history().genesis(), *valid).map_err(|e| e.to_string())?;
            let accepted = self.document.accept(admitted.into_valid()).map_err(|error| error.to_string())?;
            self.forks.extend(accepted.is_fork.then(|| change.change().author));
        }
        let count = u32::try_from(changes.len()).map_err(|error| error.to_string())?;
        self.rows.set(first, Some(StoredRow { count, table: self.table }));
        if self.table == Table::Tail {
            self.tail.extend_from_slice(changes);
        }
        Ok(())
    }
}

/// The changes of a stored envelope, checked like a received one.
pub(super) fn verified(
    document: DocumentId,
    bytes: &[u8],
    verifier: &mut pistol_core::key::Verifier,
) -> Result<Vec<VerifiedChange>, String> {
    let envelope = Envelope::from_bytes(bytes).map_err(|error| error.to_string())?;
    if envelope.document() != document {
        return Err("an envelope of another document is in its place".to_owned());
    }
    let verified = envelope.verify(verifier).map_err(|error| error.to_string())?;
    Ok(verified.into_changes())
}
