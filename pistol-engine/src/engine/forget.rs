//! Removing a document from the store. First, in one commit, it is marked as removed and loses its name; then its rows
//! go, a page with each commit, and its log's row last. So a crash at any time leaves either the document or a mark, by
//! which the removal goes on when the store is opened again.

use pistol_core::genesis::Kind;
use pistol_core::id::DocumentId;
use pistol_core::store::schema::{self, LogNumber};
use pistol_core::store::{Row, Table, Write};

use super::{Engine, answer};
use crate::documents::lock;
use crate::effect::{Effect, Reply, ReplyError};
use crate::input::{Token, Unreadable};

/// The tables in which a document has many rows, what others can be made from last.
const TABLES: [Table; 5] = [Table::Snapshots, Table::Ends, Table::Tail, Table::Envelopes, Table::Operations];

/// A document that is being removed.
#[derive(Clone, Debug)]
pub(super) struct Removal {
    log: LogNumber,
    /// How many of the tables are done.
    done: usize,
    token: Option<Token>,
}

impl Removal {
    /// One that a former process began.
    pub(super) fn begun(log: LogNumber) -> Self {
        Removal { log, done: 0, token: None }
    }

    /// Who waits for it is told now how it stands.
    pub(super) fn take_token(&mut self) -> Option<Token> {
        self.token.take()
    }
}

impl Engine {
    /// Removes a document, and answers when its room is free. A space goes with its documents.
    pub(super) fn forget(&mut self, token: Token, document: DocumentId, effects: &mut Vec<Effect>) {
        let is_space = self.catalog.log(&document).is_some_and(|log| log.kind == Kind::Space);
        let with_it = if is_space { self.catalog.of_space(&document) } else { Vec::new() };
        let all = || with_it.iter().map(|(id, _)| *id).chain([document]);
        if all().any(|id| self.documents.pins(&id) > 0) {
            return effects.push(answer(token, Err(ReplyError::InUse)));
        }
        if self.catalog.may_need(&document) {
            return effects.push(answer(token, Err(ReplyError::Needed)));
        }
        if self.is_in_followed_space(&document) {
            return effects.push(answer(token, Err(ReplyError::InSpace)));
        }
        // The space goes last: while anything of it is here it is known what that is.
        for id in all() {
            self.remove(id, (id == document).then_some(token), effects);
        }
    }

    fn remove(&mut self, document: DocumentId, token: Option<Token>, effects: &mut Vec<Effect>) {
        let Some((log, writes)) = self.catalog.remove(&document) else {
            return effects.extend(token.map(|token| answer(token, Err(ReplyError::NotFound))));
        };
        writes.into_iter().for_each(|write| self.commits.write(write));
        self.withdraw(document, effects);
        for write in self
            .contacts
            .remove(&document)
            .into_iter()
            .chain(self.owed.remove(&document, log))
            .chain(self.invites.remove(&document, log))
        {
            self.commits.write(write);
        }
        self.drop_from_memory(&document, effects);
        self.commits.remove_when_stored(Removal { log, done: 0, token });
    }

    fn drop_from_memory(&mut self, document: &DocumentId, effects: &mut Vec<Effect>) {
        self.give_up_opening(document, effects);
        self.commits.forget(document);
        if let Some(replica) = self.documents.replica(document) {
            lock(&replica).drop_all_waiting(&mut self.room);
        }
        self.documents.close(document);
        self.inbox.remove(document);
        self.logs.forget(document);
        self.spaces.forget(document);
        self.unshown.remove(document);
        self.to_look_again.remove(document);
        // It may come again, and then what was known of it is not.
        self.records.clear();
    }

    /// What came before is durable: the next page of rows to be removed is read.
    pub(super) fn go_on_removing(&mut self, removal: Removal, effects: &mut Vec<Effect>) {
        let Some(table) = TABLES.get(removal.done).copied() else {
            return effects.extend(removal.token.map(|token| answer(token, Ok(Reply::Done))));
        };
        let (from, to) = match table {
            Table::Snapshots => removal.log.range(),
            Table::Ends => schema::ends_range(removal.log),
            Table::Operations => schema::operations_from(removal.log, 0),
            _ => schema::envelopes_from(removal.log, 0),
        };
        self.read_to_remove(removal, (table, from, to), effects);
    }

    /// A page of rows to be removed.
    pub(super) fn remove_rows(
        &mut self,
        mut removal: Removal,
        rows: Result<Vec<Row>, Unreadable>,
        effects: &mut Vec<Effect>,
    ) {
        let keys = match rows {
            Ok(rows) => Some(rows.into_iter().map(|(key, _)| key).collect()),
            // A damaged row goes like any other.
            Err(Unreadable::Damaged { key: Some(key), .. }) => Some(vec![key]),
            Err(_) => None,
        };
        let (Some(table), Some(keys)) = (TABLES.get(removal.done).copied(), keys) else {
            // What cannot be read now is removed when the store is opened again.
            let reason = "some of its rows cannot be read, and stay for now".to_owned();
            return effects.extend(removal.token.map(|token| answer(token, Err(ReplyError::Store(reason)))));
        };
        if !keys.is_empty() {
            keys.into_iter().for_each(|key| self.commits.write(Write { table, key, value: None }));
            return self.commits.remove_when_stored(removal);
        }
        removal.done += 1;
        if removal.done == TABLES.len() {
            self.commits.write(Write { table: Table::Logs, key: removal.log.key(), value: None });
            return self.commits.remove_when_stored(removal);
        }
        self.go_on_removing(removal, effects);
    }
}
