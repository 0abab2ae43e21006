//! Documents that come into the store: made here, or by invitation.

use std::collections::BTreeMap;
use std::sync::Arc;

use pistol_core::document::Document;
use pistol_core::genesis::{Genesis, ReadKey};
use pistol_core::id::DocumentId;
use pistol_core::store::schema::EndRecord;
use pistol_core::store::{Table, Write};
use pistol_sync::node::NodeId;
use pistol_sync::ticket::Ticket;

use super::{Engine, answer};
use crate::catalog::Log;
use crate::documents::lock;
use crate::effect::{Effect, Reply, ReplyError};
use crate::input::Token;
use crate::limits;
use crate::replica::{Members, Parts, Replica, Rows, Written};

/// Somebody waits for the genesis of a document.
#[derive(Debug)]
pub(super) struct Join {
    tokens: Vec<Token>,
    pub(super) read_key: Option<ReadKey>,
    node: NodeId,
    deadline_ms: u64,
    last: String,
}

#[derive(Debug, Default)]
pub(super) struct Joins {
    under_way: BTreeMap<DocumentId, Join>,
    /// Keys of documents that came from files, until those are open.
    keys: BTreeMap<DocumentId, ReadKey>,
}

impl Joins {
    pub(super) fn deadline_ms(&self) -> Option<u64> {
        self.under_way.values().map(|join| join.deadline_ms).min()
    }

    pub(super) fn get(&self, document: &DocumentId) -> Option<&Join> {
        self.under_way.get(document)
    }

    /// Remembers what went wrong with a peer, for the one who waits.
    pub(super) fn note(&mut self, node: NodeId, reason: &str) {
        for join in self.under_way.values_mut().filter(|join| join.node == node) {
            reason.clone_into(&mut join.last);
        }
    }
}

impl Engine {
    /// Adds a document made here.
    pub(super) fn create(
        &mut self,
        token: Token,
        genesis: Arc<Genesis>,
        read_key: Option<ReadKey>,
        effects: &mut Vec<Effect>,
    ) {
        let id = genesis.id();
        match self.add_document(genesis, read_key) {
            Ok(()) => self.commits.answer_when_stored(token, Reply::Document(id)),
            Err(error) => effects.push(answer(token, Err(error))),
        }
    }

    pub(super) fn add_document(&mut self, genesis: Arc<Genesis>, read_key: Option<ReadKey>) -> Result<(), ReplyError> {
        let document = Document::new(Arc::clone(&genesis)).map_err(|rule| ReplyError::BadTicket(rule.to_string()))?;
        let (log, write) = self.catalog.add(&genesis, read_key);
        self.commits.add(genesis.id(), write);
        let end = EndRecord { end: document.history().next(), damage: None, operations: 0 }.to_value();
        self.commits.write(Write { table: Table::Ends, key: log.number.key(), value: Some(end) });
        let written = Written::up_to(self.snapshot_changes, 1);
        let members = Members::of(&genesis);
        self.insert(&log, document, members, (Rows::default(), Vec::new()), written);
        Ok(())
    }

    /// Opens the door to a document that is all in memory.
    pub(super) fn insert(
        &mut self,
        log: &Log,
        document: Document,
        members: Option<Members>,
        (rows, tail): (Rows, Vec<pistol_core::envelope::VerifiedChange>),
        written: Written,
    ) {
        let parts = Parts {
            document,
            members,
            log: log.number,
            read_key: log.read_key.clone(),
            key: Arc::clone(&self.key),
            entropy: Arc::clone(&self.entropy),
            session: log.session,
            rows,
            tail,
            written,
        };
        let replica = Replica::new(parts);
        self.documents.insert(replica.id(), replica);
    }

    /// Joins a document: at once if it is known, else as soon as its genesis came.
    pub(super) fn join(&mut self, token: Token, ticket: Ticket, effects: &mut Vec<Effect>) {
        let document = ticket.document;
        if ticket.is_expired(self.now.wall_ms) {
            return effects.push(answer(token, Err(ReplyError::BadTicket("its time is over".to_owned()))));
        }
        if ticket.node != self.node {
            let write = self.contacts.add(ticket.node, &ticket.addresses, document, self.now);
            self.commits.write(write);
        }
        let secret = ticket.secret.filter(|_| ticket.node != self.node);
        if let Some(secret) = secret {
            self.will_redeem(token, document, ticket.node, secret);
        }
        if self.catalog.holds(&document) {
            self.joins.keys.extend(ticket.read_key.map(|read_key| (document, read_key)));
            self.learn_read_key(&document);
            self.leave_unread_space(&ticket.node, &document, effects);
            match secret {
                Some(_) => self.load_invited(&document, effects),
                None => self.open(token, document, effects),
            }
        } else {
            let deadline_ms = self.now.steady_ms + limits::JOIN_MS;
            let last = "no answer yet".to_owned();
            let join = Join { tokens: vec![], read_key: ticket.read_key, node: ticket.node, deadline_ms, last };
            let join = self.joins.under_way.entry(document).or_insert(join);
            join.tokens.extend(secret.is_none().then_some(token));
            join.deadline_ms = deadline_ms;
        }
        if self.is_connected(&ticket.node) {
            self.reached(&ticket.node);
            self.declare_interest(ticket.node, document, effects);
        } else {
            self.dial_due(effects);
        }
    }

    /// A document that came from a file came without its key: a ticket brings it, and it is put to the genesis when the
    /// document is open.
    pub(super) fn learn_read_key(&mut self, document: &DocumentId) {
        let Some(replica) = self.documents.replica(document) else { return };
        let Some(read_key) = self.joins.keys.remove(document) else { return };
        let mut replica = lock(&replica);
        if let Some(write) = self.catalog.learn_read_key(replica.document().history().genesis(), &read_key) {
            self.commits.write(write);
            replica.learn_read_key(Some(read_key));
        }
    }

    /// The genesis of a document that somebody waits for.
    pub(super) fn take_genesis(&mut self, document: DocumentId, bytes: &[u8]) -> Result<(), ReplyError> {
        let Some(join) = self.joins.under_way.get(&document) else { return Ok(()) };
        let bad = |reason: String| ReplyError::BadTicket(reason);
        let genesis = Genesis::verify_for(document, bytes, &mut self.verifier).map_err(|e| bad(e.to_string()))?;
        if !genesis.is_readable_with(join.read_key.as_ref()) {
            return Err(bad("its key is not the document's".to_owned()));
        }
        let read_key = join.read_key.clone();
        self.add_document(Arc::new(genesis), read_key)
    }

    /// Ends a join, well or not.
    pub(super) fn end_join(
        &mut self,
        document: &DocumentId,
        outcome: &Result<(), ReplyError>,
        effects: &mut Vec<Effect>,
    ) {
        if outcome.is_err() {
            self.end_redeeming(document, outcome, effects);
        }
        let Some(join) = self.joins.under_way.remove(document) else { return };
        for token in join.tokens {
            match outcome {
                Ok(()) => self.commits.answer_when_stored(token, Reply::Document(*document)),
                Err(error) => effects.push(answer(token, Err(error.clone()))),
            }
        }
    }

    pub(super) fn give_up_joins(&mut self, effects: &mut Vec<Effect>) {
        let now = self.now.steady_ms;
        let late: Vec<_> = self.joins.under_way.iter().filter(|(_, join)| join.deadline_ms <= now).collect();
        let late: Vec<_> = late.into_iter().map(|(id, join)| (*id, join.last.clone())).collect();
        for (document, last) in late {
            self.end_join(&document, &Err(ReplyError::NoPeer { last }), effects);
        }
    }
}
