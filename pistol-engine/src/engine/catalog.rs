//! The documents that the store holds, open or not, and what they are called here.

use std::collections::BTreeMap;
use std::sync::Arc;

use pistol_core::genesis::{Genesis, ReadKey};
use pistol_core::id::{DocumentId, Session};
use pistol_core::key::Verifier;
use pistol_core::store::schema::{self, LogNumber, LogRecord, SessionRecord};
use pistol_core::store::{Row, StoreError, Table, Write};

use super::{Engine, answer};
use crate::effect::{Effect, Reply, ReplyError};
use crate::input::Token;

/// A document that the store holds.
#[derive(Clone, Debug)]
pub struct Entry {
    /// What it is.
    pub genesis: Arc<Genesis>,
    /// The key to read it.
    pub read_key: Option<ReadKey>,
    /// What it is called here.
    pub name: Option<String>,
}

/// What the node knows of one log.
#[derive(Clone, Debug)]
pub(super) struct Log {
    pub(super) number: LogNumber,
    pub(super) genesis: Arc<Genesis>,
    pub(super) read_key: Option<ReadKey>,
    pub(super) session: Option<Session>,
    /// Whether the store holds it: before that nobody is told of it.
    pub(super) is_durable: bool,
}

#[derive(Debug, Default)]
pub(super) struct Catalog {
    logs: BTreeMap<DocumentId, Log>,
    names: BTreeMap<String, DocumentId>,
    next: u32,
}

impl Catalog {
    pub(super) fn from_rows(logs: &[Row], names: &[Row], sessions: &[Row]) -> Result<Self, StoreError> {
        let mut catalog = Catalog::default();
        let mut verifier = Verifier::default();
        let mut of: BTreeMap<LogNumber, Session> = BTreeMap::new();
        for (key, value) in sessions {
            of.insert(LogNumber::from_key(key)?, Session(SessionRecord::from_value(value)?.session));
        }
        for (key, value) in logs {
            let (number, record) = (LogNumber::from_key(key)?, LogRecord::from_value(value)?);
            let genesis = Genesis::verify_for(DocumentId(record.document), &record.genesis, &mut verifier)
                .map_err(|error| StoreError::Damaged { reason: format!("a document's genesis: {error}") })?;
            let (genesis, read_key) = (Arc::new(genesis), record.read_key.map(ReadKey));
            let session = of.get(&number).copied();
            catalog.next = catalog.next.max(number.0.saturating_add(1));
            catalog.logs.insert(genesis.id(), Log { number, genesis, read_key, session, is_durable: true });
        }
        for (key, value) in names {
            let document = DocumentId(schema::named_document(value)?);
            catalog.names.insert(schema::name(key)?.to_owned(), document);
        }
        Ok(catalog)
    }

    pub(super) fn log(&self, document: &DocumentId) -> Option<&Log> {
        self.logs.get(document)
    }

    /// The document of a log.
    pub(super) fn document(&self, number: LogNumber) -> Option<DocumentId> {
        self.logs.iter().find(|(_, log)| log.number == number).map(|(document, _)| *document)
    }

    /// A log is in the store.
    pub(super) fn became_durable(&mut self, document: &DocumentId) {
        if let Some(log) = self.logs.get_mut(document) {
            log.is_durable = true;
        }
    }

    pub(super) fn entries(&self) -> Vec<Entry> {
        let names: BTreeMap<&DocumentId, &String> = self.names.iter().map(|(name, id)| (id, name)).collect();
        let entry = |(id, log): (&DocumentId, &Log)| Entry {
            genesis: Arc::clone(&log.genesis),
            read_key: log.read_key.clone(),
            name: names.get(id).map(|name| (*name).clone()),
        };
        self.logs.iter().map(entry).collect()
    }

    /// Adds a log, and says what is to be written.
    pub(super) fn add(&mut self, genesis: Arc<Genesis>, read_key: Option<ReadKey>) -> (Log, Write) {
        let number = LogNumber(self.next);
        self.next = self.next.saturating_add(1);
        let record = LogRecord {
            document: genesis.id().0,
            genesis: genesis.bytes().to_vec(),
            read_key: read_key.as_ref().map(|key| key.0),
            flags: 0,
        };
        let log = Log { number, genesis, read_key, session: None, is_durable: false };
        self.logs.insert(log.genesis.id(), log.clone());
        (log, Write { table: Table::Logs, key: number.key(), value: Some(record.to_value()) })
    }
}

impl Engine {
    /// Calls a document by a name, instead of the one it had.
    pub(super) fn name(&mut self, token: Token, document: DocumentId, name: &str, effects: &mut Vec<Effect>) {
        if self.catalog.log(&document).is_none() {
            return effects.push(answer(token, Err(ReplyError::NotFound)));
        }
        if self.catalog.names.get(name).is_some_and(|other| *other != document) {
            return effects.push(answer(token, Err(ReplyError::NameTaken)));
        }
        let old = self.catalog.names.iter().find(|(_, id)| **id == document).map(|(name, _)| name.clone());
        if let Some(old) = old {
            self.commits.write(Write { table: Table::Names, key: schema::name_key(&old), value: None });
            self.catalog.names.remove(&old);
        }
        let value = Some(schema::name_value(document.0));
        self.commits.write(Write { table: Table::Names, key: schema::name_key(name), value });
        self.catalog.names.insert(name.to_owned(), document);
        self.commits.answer_when_stored(token, Reply::Done);
    }
}
