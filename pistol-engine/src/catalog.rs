//! The documents that the store holds, open or not, and what they are called here.
//!
//! It is shared by the engine, which changes it, and the application, which looks things up in passing. Of a document
//! that is not open it keeps what lists and peers ask for: the genesis stays in the store.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use pistol_core::genesis::{Addition, Genesis, Glance, Kind, Policy, Read, ReadKey};
use pistol_core::id::{DocumentId, Session};
use pistol_core::store::schema::{self, LogNumber, LogRecord, SessionRecord};
use pistol_core::store::{Row, StoreError, Table, Write};

use crate::documents::lock;

/// A document that the store holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Which.
    pub id: DocumentId,
    /// What it is: a document, or a log of its own.
    pub kind: Kind,
    /// Who may change it.
    pub policy: Policy,
    /// Whether anyone may read it.
    pub is_public: bool,
    /// The key to read it.
    pub read_key: Option<ReadKey>,
    /// The space it belongs to.
    pub space: Option<DocumentId>,
    /// What it is called here.
    pub name: Option<String>,
}

/// What the node knows of one log.
#[derive(Clone, Debug)]
pub(crate) struct Log {
    pub(crate) number: LogNumber,
    pub(crate) kind: Kind,
    policy: Policy,
    pub(crate) is_public: bool,
    pub(crate) read_key: Option<ReadKey>,
    /// How it came into its space.
    pub(crate) addition: Option<Arc<Addition>>,
    pub(crate) session: Option<Session>,
    /// Whether the store holds it: before that nobody is told of it.
    pub(crate) is_durable: bool,
    name: Option<String>,
}

/// The documents of a store. Cheap to clone; all clones are the same.
#[derive(Clone, Debug, Default)]
pub struct Catalog(Arc<Mutex<Held>>);

#[derive(Debug, Default)]
struct Held {
    logs: BTreeMap<DocumentId, Log>,
    names: BTreeMap<String, DocumentId>,
    /// While the rows of a store are read.
    numbers: BTreeMap<LogNumber, DocumentId>,
    /// Logs that are being removed, when they were read.
    removed: Vec<LogNumber>,
    next: u32,
}

impl Catalog {
    /// The documents that all rows of the tables of logs, names and sessions tell of.
    ///
    /// # Errors
    /// [`StoreError::Damaged`].
    pub fn from_rows(logs: &[Row], names: &[Row], sessions: &[Row]) -> Result<Catalog, StoreError> {
        let catalog = Catalog::default();
        for (table, rows) in [(Table::Logs, logs), (Table::Names, names), (Table::Sessions, sessions)] {
            rows.iter().try_for_each(|row| catalog.take_row(table, row))?;
        }
        Ok(catalog)
    }

    /// Takes in a row of the tables of logs, names and sessions; the logs' go first. What a row says of its genesis is
    /// believed for lists only: it is verified when the document is opened.
    ///
    /// # Errors
    /// [`StoreError::Damaged`].
    pub fn take_row(&self, table: Table, (key, value): &Row) -> Result<(), StoreError> {
        let mut held = lock(&self.0);
        match table {
            Table::Logs => held.take_log(LogNumber::from_key(key)?, &LogRecord::from_value(value)?)?,
            Table::Names => held.name(schema::name(key)?, DocumentId(schema::named_document(value)?)),
            Table::Sessions => {
                let session = Session(SessionRecord::from_value(value)?.session);
                let document = held.numbers.get(&LogNumber::from_key(key)?).copied();
                if let Some(log) = document.and_then(|document| held.logs.get_mut(&document)) {
                    log.session = Some(session);
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// All documents, in the order of their ids.
    pub fn list(&self) -> Vec<Entry> {
        lock(&self.0).logs.iter().map(|(id, log)| log.entry(*id)).collect()
    }

    /// Whether a log of its own may be what documents here depend on: some other has members, and
    /// goes not with it.
    pub(crate) fn may_need(&self, id: &DocumentId) -> bool {
        let held = lock(&self.0);
        let Some(kind) = held.logs.get(id).map(|log| log.kind).filter(|kind| !kind.is_document()) else { return false };
        // Nothing but documents depends on spaces.
        let may_depend = |log: &Log| match log.kind {
            Kind::Document => log.policy == Policy::Members,
            Kind::Space => kind != Kind::Space,
            _ => kind != Kind::Space && log.policy == Policy::Members,
        };
        let is_in_it = |log: &Log| log.addition.as_ref().is_some_and(|addition| addition.space == *id);
        held.logs.iter().any(|(other, log)| other != id && may_depend(log) && !is_in_it(log))
    }

    /// How many documents there are.
    pub fn len(&self) -> usize {
        lock(&self.0).logs.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// One document.
    pub fn entry(&self, id: &DocumentId) -> Option<Entry> {
        lock(&self.0).logs.get(id).map(|log| log.entry(*id))
    }

    /// The document that is called so here.
    pub fn named(&self, name: &str) -> Option<DocumentId> {
        let held = lock(&self.0);
        held.names.get(name).copied().filter(|id| held.logs.contains_key(id))
    }

    /// Some documents or logs of these kinds, at most so many, whose ids as text begin so.
    pub fn beginning_with(&self, prefix: &str, kinds: &[Kind], at_most: usize) -> Vec<DocumentId> {
        // Making texts of a hundred thousand ids takes a moment, for which the engine must not wait.
        let held = lock(&self.0);
        let is_wanted = |(_, log): &(&DocumentId, &Log)| kinds.contains(&log.kind);
        let ids: Vec<DocumentId> = held.logs.iter().filter(is_wanted).map(|(id, _)| *id).collect();
        drop(held);
        ids.into_iter().filter(|id| id.to_string().starts_with(prefix)).take(at_most).collect()
    }

    /// The documents that say they belong to a space.
    pub(crate) fn of_space(&self, space: &DocumentId) -> Vec<(DocumentId, Arc<Addition>)> {
        let held = lock(&self.0);
        let additions = held.logs.iter().filter_map(|(id, log)| Some((*id, Arc::clone(log.addition.as_ref()?))));
        additions.filter(|(_, addition)| addition.space == *space).collect()
    }

    pub(crate) fn log(&self, document: &DocumentId) -> Option<Log> {
        lock(&self.0).logs.get(document).cloned()
    }

    pub(crate) fn holds(&self, document: &DocumentId) -> bool {
        lock(&self.0).logs.contains_key(document)
    }

    /// The document of a log, while rows are being read.
    pub(crate) fn numbered(&self, number: LogNumber) -> Option<DocumentId> {
        lock(&self.0).numbers.get(&number).copied()
    }

    /// All rows were read. Without continuing sessions each document's begins anew. Returns the logs that are being
    /// removed.
    pub(crate) fn has_all_rows(&self, sessions_continue: bool) -> Vec<LogNumber> {
        let mut held = lock(&self.0);
        held.numbers = BTreeMap::new();
        if !sessions_continue {
            held.logs.values_mut().for_each(|log| log.session = None);
        }
        std::mem::take(&mut held.removed)
    }

    /// A log is in the store.
    pub(crate) fn became_durable(&self, document: &DocumentId) {
        if let Some(log) = lock(&self.0).logs.get_mut(document) {
            log.is_durable = true;
        }
    }

    /// The session in which a document is written now, so that it is gone on with when the document is opened again.
    pub(crate) fn continues(&self, document: &DocumentId, session: Option<Session>) {
        if let Some(log) = lock(&self.0).logs.get_mut(document) {
            log.session = session;
        }
    }

    /// Adds a log, and says what is to be written.
    pub(crate) fn add(&self, genesis: &Genesis, read_key: Option<ReadKey>) -> (Log, Write) {
        let mut held = lock(&self.0);
        let number = LogNumber(held.next);
        held.next = held.next.saturating_add(1);
        let terms = genesis.terms();
        let addition = terms.space.map(|space| {
            let (creator, authority, nonce) = (*genesis.creator().as_bytes(), terms.authority.clone(), terms.nonce);
            Arc::new(Addition { space, creator, authority, nonce })
        });
        let log = Log {
            number,
            kind: terms.kind,
            policy: terms.policy,
            is_public: terms.read == Read::Public,
            read_key,
            addition,
            session: None,
            is_durable: false,
            name: None,
        };
        held.logs.insert(genesis.id(), log.clone());
        let write = log.write(genesis);
        (log, write)
    }

    /// Notes the key of a document that has none, if it is the right one. Says what is to be written.
    pub(crate) fn learn_read_key(&self, genesis: &Genesis, read_key: &ReadKey) -> Option<Write> {
        let mut held = lock(&self.0);
        let log = held.logs.get_mut(&genesis.id()).filter(|log| log.read_key.is_none())?;
        genesis.is_readable_with(Some(read_key)).then_some(())?;
        log.read_key = Some(read_key.clone());
        Some(log.write(genesis))
    }

    /// Takes a document out, and says what is to be written: a mark that its rows are being removed.
    pub(crate) fn remove(&self, document: &DocumentId) -> Option<(LogNumber, Vec<Write>)> {
        let mut held = lock(&self.0);
        let log = held.logs.remove(document)?;
        let mark = LogRecord::removed(document.0);
        let key = log.number.key();
        let mut writes = vec![
            Write { table: Table::Logs, key: key.clone(), value: Some(mark.to_value()) },
            Write { table: Table::Sessions, key, value: None },
        ];
        if let Some(name) = log.name {
            held.names.remove(&name);
            writes.push(Write { table: Table::Names, key: schema::name_key(&name), value: None });
        }
        Some((log.number, writes))
    }

    /// Gives new logs this number or a later one: rows of logs that cannot be read any more may have those before.
    pub fn begin_logs_at(&self, least: u32) {
        let mut held = lock(&self.0);
        held.next = held.next.max(least);
    }

    /// Calls a document by a name, instead of the one it had. Says what is to be written; `None` if another one is
    /// called so.
    pub(crate) fn rename(&self, document: DocumentId, name: &str) -> Option<Vec<Write>> {
        let mut held = lock(&self.0);
        if held.names.get(name).is_some_and(|other| *other != document) {
            return None;
        }
        let old = held.logs.get(&document).and_then(|log| log.name.clone());
        let unnamed = |name: &str| Write { table: Table::Names, key: schema::name_key(name), value: None };
        let mut writes: Vec<Write> = old.iter().map(|old| unnamed(old)).collect();
        if let Some(old) = old {
            held.names.remove(&old);
        }
        held.name(name, document);
        let value = Some(schema::name_value(document.0));
        writes.push(Write { table: Table::Names, key: schema::name_key(name), value });
        Some(writes)
    }
}

impl Held {
    fn take_log(&mut self, number: LogNumber, record: &LogRecord) -> Result<(), StoreError> {
        self.next = self.next.max(number.0.saturating_add(1));
        if record.is_removed() {
            self.removed.push(number);
            return Ok(());
        }
        let damaged = |error| StoreError::Damaged { reason: format!("a document's genesis: {error}") };
        let Glance { kind, policy, read, addition } = Genesis::glance(&record.genesis).map_err(damaged)?;
        let id = DocumentId(record.document);
        let (read_key, is_public) = (record.read_key.map(ReadKey), read == Read::Public);
        self.numbers.insert(number, id);
        let (session, is_durable, name) = (None, true, None);
        let addition = addition.map(Arc::new);
        self.logs.insert(id, Log { number, kind, policy, is_public, read_key, addition, session, is_durable, name });
        Ok(())
    }

    fn name(&mut self, name: &str, document: DocumentId) {
        self.names.insert(name.to_owned(), document);
        if let Some(log) = self.logs.get_mut(&document) {
            log.name = Some(name.to_owned());
        }
    }
}

impl Log {
    fn write(&self, genesis: &Genesis) -> Write {
        let record = LogRecord {
            document: genesis.id().0,
            genesis: genesis.bytes().to_vec(),
            read_key: self.read_key.as_ref().map(|key| key.0),
            flags: 0,
        };
        Write { table: Table::Logs, key: self.number.key(), value: Some(record.to_value()) }
    }

    fn entry(&self, id: DocumentId) -> Entry {
        let Log { kind, policy, is_public, .. } = *self;
        let space = self.addition.as_ref().map(|addition| addition.space);
        Entry { id, kind, policy, is_public, read_key: self.read_key.clone(), space, name: self.name.clone() }
    }
}
