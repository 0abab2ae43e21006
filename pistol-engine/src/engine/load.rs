//! Opening a document: its snapshot is read, if there is one, then its rows in order. Rows are checked as strictly as if
//! a peer had sent them. What the snapshot's picture shows need not be projected; it is loaded on another thread meanwhile.

mod cache;
mod others;
mod picture;
mod under_way;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use pistol_core::document::Opened;
use pistol_core::envelope::{Envelope, VerifiedChange};
use pistol_core::genesis::Genesis;
use pistol_core::id::DocumentId;
use pistol_core::store::schema::LogRecord;
use pistol_core::store::{Row, Table};

use super::forget::Removal;
use super::{Engine, answer};
use crate::catalog::Log;
use crate::documents::lock;
use crate::effect::{Effect, ReplyError};
use crate::input::{ReadId, Token, Unreadable};
use crate::limits;
use crate::replica::Written;
use crate::salvage::Salvage;
pub use cache::{CacheState, inspect_cache};
pub use picture::Opening;
use under_way::{Load, Next};

/// Why a row was read.
#[derive(Debug)]
enum Purpose {
    Load(DocumentId),
    Picture(DocumentId),
    Send(super::transfer::Wanted),
    Remove(Removal),
}

impl Purpose {
    fn is_to_open(&self, document: &DocumentId) -> bool {
        matches!(self, Purpose::Load(of) | Purpose::Picture(of) if of == document)
    }
}

/// A document that is being opened, and who waits for it.
#[derive(Debug, Default)]
struct UnderWay {
    tokens: Vec<Token>,
    /// None while its genesis is read.
    load: Option<Load>,
}

#[derive(Debug, Default)]
pub(super) struct Loads {
    under_way: BTreeMap<DocumentId, UnderWay>,
    reads: BTreeMap<ReadId, Purpose>,
    next: ReadId,
    /// Documents whose turn to be opened has not come.
    waiting: VecDeque<DocumentId>,
    damaged: BTreeMap<DocumentId, String>,
    /// Documents whose rows were put in order.
    salvaged: BTreeSet<DocumentId>,
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
            return self.open_or_wait(token, document, effects);
        }
        if let Some(reason) = self.loads.damaged.get(&document) {
            return effects.push(answer(token, Err(ReplyError::Damaged(reason.clone()))));
        }
        match self.load(document, effects) {
            Some(tokens) => tokens.push(token),
            None => effects.push(answer(token, Err(ReplyError::NotFound))),
        }
        self.begin_load(document, effects);
    }

    /// Loads a document when its turn comes, unless that is under way; `None` if the store does not hold it. Those that
    /// an application waits for need not wait for a turn.
    pub(super) fn load(&mut self, id: DocumentId, effects: &mut Vec<Effect>) -> Option<&mut Vec<Token>> {
        if !self.loads.under_way.contains_key(&id) {
            if !self.catalog.holds(&id) {
                return None;
            }
            self.loads.under_way.insert(id, UnderWay::default());
            self.loads.waiting.push_back(id);
            self.begin_loads(effects);
        }
        self.loads.under_way.get_mut(&id).map(|under_way| &mut under_way.tokens)
    }

    /// Begins with those whose turn it is.
    fn begin_loads(&mut self, effects: &mut Vec<Effect>) {
        while self.loads.under_way.len().saturating_sub(self.loads.waiting.len()) < limits::LOADS_MAX {
            let Some(id) = self.loads.waiting.front().copied() else { return };
            self.begin_load(id, effects);
        }
    }

    /// Begins with one that waits.
    fn begin_load(&mut self, id: DocumentId, effects: &mut Vec<Effect>) {
        let Some(at) = self.loads.waiting.iter().position(|waiting| *waiting == id) else { return };
        self.loads.waiting.remove(at);
        if let Some(log) = self.catalog.log(&id) {
            self.read_on(id, &log, effects);
        }
    }

    /// Reads what a document that is being opened needs next.
    fn read_on(&mut self, id: DocumentId, log: &Log, effects: &mut Vec<Effect>) {
        let Some(under_way) = self.loads.under_way.get(&id) else { return };
        let wants = match &under_way.load {
            None => Some((Table::Logs, log.number.range())),
            Some(load) => load.wants(log.number),
        };
        let Some((table, (from, to))) = wants else { return };
        let read = self.loads.begin(Purpose::Load(id));
        effects.push(Effect::Read { read, table, from, to, bytes_max: limits::LOAD_BYTES });
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

    /// Reads rows to remove them.
    pub(super) fn read_to_remove(
        &mut self,
        removal: Removal,
        (table, from, to): (Table, Vec<u8>, Vec<u8>),
        effects: &mut Vec<Effect>,
    ) {
        let read = self.loads.begin(Purpose::Remove(removal));
        effects.push(Effect::Read { read, table, from, to, bytes_max: limits::READ_BYTES });
    }

    /// A document is not to be opened any more: whoever waits for it is told that it is not there.
    pub(super) fn give_up_opening(&mut self, document: &DocumentId, effects: &mut Vec<Effect>) {
        self.loads.damaged.remove(document);
        self.loads.waiting.retain(|waiting| waiting != document);
        // Answers that are on their way would be taken for those of a document that is joined again.
        self.loads.reads.retain(|_, purpose| !purpose.is_to_open(document));
        let under_way = self.loads.under_way.remove(document).unwrap_or_default();
        effects.extend(under_way.tokens.into_iter().map(|token| answer(token, Err(ReplyError::NotFound))));
    }

    /// Rows that were asked for.
    pub(super) fn rows(&mut self, read: ReadId, rows: Result<Vec<Row>, Unreadable>, effects: &mut Vec<Effect>) {
        match self.loads.reads.remove(&read) {
            Some(Purpose::Load(document)) => {
                if let (Err(_), Some(log)) = (&rows, self.catalog.log(&document))
                    && self.pass_unreadable(&document)
                {
                    return self.read_on(document, &log, effects);
                }
                let rows = rows.map_err(ReplyError::from);
                let taken = rows.and_then(|rows| self.take_rows(document, &rows, effects).map_err(ReplyError::Damaged));
                if let Err(error) = taken {
                    self.give_up_load(document, error, effects);
                }
            }
            Some(Purpose::Send(wanted)) => self.send_rows(wanted, rows, effects),
            Some(Purpose::Remove(removal)) => self.remove_rows(removal, rows, effects),
            Some(Purpose::Picture(_)) | None => {}
        }
    }

    /// Whether it is gone on without what could not be read.
    fn pass_unreadable(&mut self, document: &DocumentId) -> bool {
        let under_way = self.loads.under_way.get_mut(document);
        under_way.and_then(|under_way| under_way.load.as_mut()).is_some_and(|load| load.pass_unreadable(&self.catalog))
    }

    /// A picture was loaded, or could not be.
    pub(super) fn picture_opened(&mut self, read: ReadId, opened: Option<Box<Opened>>, effects: &mut Vec<Effect>) {
        let Some(Purpose::Picture(document)) = self.loads.reads.remove(&read) else { return };
        let load = self.loads.under_way.get_mut(&document).and_then(|under_way| under_way.load.as_mut());
        let (Some(load), Some(log)) = (load, self.catalog.log(&document)) else { return };
        let taken = match load.take_picture(opened.map(|opened| *opened)) {
            Ok(Next::Nothing) => self.finish_load(document, &log, effects),
            taken => taken.map(|_| ()),
        };
        if let Err(reason) = taken {
            self.give_up_load(document, ReplyError::Damaged(reason), effects);
        }
    }

    fn take_rows(&mut self, id: DocumentId, rows: &[Row], effects: &mut Vec<Effect>) -> Result<(), String> {
        let log = self.catalog.log(&id).ok_or("its log is gone")?;
        let under_way = self.loads.under_way.get_mut(&id).ok_or("nobody asked for it")?;
        let next = if let Some(load) = &mut under_way.load {
            load.take(rows, &self.key.stamp_key(), &mut self.verifier, &self.catalog)?
        } else {
            let genesis = genesis(id, rows, &mut self.verifier)?;
            under_way.load = Some(Load::new(Arc::new(genesis)).ok_or("its genesis makes no document")?);
            Next::Rows
        };
        match next {
            Next::Nothing => return self.finish_load(id, &log, effects),
            Next::Picture => return Ok(()),
            Next::Rows => {}
            Next::RowsAndPicture(save) => {
                let read = self.loads.begin(Purpose::Picture(id));
                effects.push(Effect::OpenPicture(Box::new(Opening::new(read, save))));
            }
        }
        self.read_on(id, &log, effects);
        Ok(())
    }

    fn finish_load(&mut self, id: DocumentId, log: &Log, effects: &mut Vec<Effect>) -> Result<(), String> {
        let load = self.loads.under_way.get_mut(&id).and_then(|under_way| under_way.load.as_mut());
        let Some(load) = load else { return Ok(()) };
        load.show_members()?;
        load.document.project().map_err(|rule| rule.to_string())?;
        let Some(UnderWay { tokens, load: Some(load) }) = self.loads.under_way.remove(&id) else { return Ok(()) };
        let written = Written::up_to(self.snapshot_changes, load.pictured);
        self.insert(log, load.document, load.members, (load.rows, load.tail), written);
        if let Some(replica) = self.documents.replica(&id) {
            let mut replica = lock(&replica);
            replica.state.forks = load.forks;
            replica.state.damage = load.damage;
            replica.state.is_from_snapshot = load.pictured > 1;
            if replica.is_snapshot_due() {
                self.documents.mark_dirty(id);
            }
        }
        if load.damage.is_some() {
            self.begin_repair(id, load.aside);
        }
        self.loads.salvaged.remove(&id);
        // A picture that came to nothing may still be on its way: it is nothing to the next opening.
        self.loads.reads.retain(|_, purpose| !purpose.is_to_open(&id));
        self.learn_read_key(&id);
        for token in tokens {
            self.open_or_wait(token, id, effects);
        }
        self.document_is_open(id, effects);
        self.begin_loads(effects);
        Ok(())
    }

    /// The rows are wrong: whoever holds the store puts them in order, once, and the document is opened with what is left.
    /// What stays damaged is remembered; what could not be read may be read when it is asked for again.
    fn give_up_load(&mut self, document: DocumentId, error: ReplyError, effects: &mut Vec<Effect>) {
        if let ReplyError::Damaged(reason) = &error {
            if self.begin_salvage(document, effects) {
                return;
            }
            self.loads.damaged.insert(document, reason.clone());
        }
        self.loads.salvaged.remove(&document);
        let under_way = self.loads.under_way.remove(&document).unwrap_or_default();
        effects.extend(under_way.tokens.into_iter().map(|token| answer(token, Err(error.clone()))));
        self.withdraw(document, effects);
        self.begin_loads(effects);
    }

    /// Has the rows put in order, if that was not done already; of one without a genesis that cannot be.
    fn begin_salvage(&mut self, document: DocumentId, effects: &mut Vec<Effect>) -> bool {
        let load = self.loads.under_way.get_mut(&document).and_then(|under_way| under_way.load.as_mut());
        let (Some(log), Some(load)) = (self.catalog.log(&document), load) else { return false };
        let is_first = self.loads.salvaged.insert(document);
        if is_first {
            load.salvage();
            let genesis = Arc::clone(load.document.history().genesis());
            // A picture that is being loaded is nothing to what is opened anew.
            self.loads.reads.retain(|_, purpose| !purpose.is_to_open(&document));
            effects.push(Effect::Salvage(Box::new(Salvage { document, log: log.number, genesis })));
        }
        is_first
    }

    /// The rows of a document were put in order: it is opened anew. Its session is over.
    pub(super) fn salvaged(&mut self, id: DocumentId, result: Result<(), Unreadable>, effects: &mut Vec<Effect>) {
        self.catalog.continues(&id, None);
        // It was removed meanwhile.
        let Some(under_way) = self.loads.under_way.get_mut(&id) else { return };
        match (result, self.catalog.log(&id)) {
            (Ok(()), Some(log)) => {
                // From its genesis on: nothing that was read before is of use.
                under_way.load = None;
                self.read_on(id, &log, effects);
            }
            (Ok(()), None) => {}
            (Err(error), _) => self.give_up_load(id, error.into(), effects),
        }
    }
}

/// The genesis in a log's row: checked as if a peer had sent it.
fn genesis(document: DocumentId, rows: &[Row], verifier: &mut pistol_core::key::Verifier) -> Result<Genesis, String> {
    let (_, value) = rows.first().ok_or("its genesis is gone")?;
    let record = LogRecord::from_value(value).map_err(|error| error.to_string())?;
    Genesis::verify_for(document, &record.genesis, verifier).map_err(|error| error.to_string())
}

/// The changes of a stored envelope, checked like a received one.
pub(crate) fn verified(
    document: DocumentId,
    bytes: &[u8],
    verifier: &mut pistol_core::key::Verifier,
) -> Result<Vec<VerifiedChange>, String> {
    let envelope = Envelope::from_bytes(document, bytes).map_err(|error| error.to_string())?;
    let verified = envelope.verify(verifier).map_err(|error| error.to_string())?;
    Ok(verified.into_changes())
}
