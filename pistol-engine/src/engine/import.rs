//! Documents that come from a file.

use std::sync::{Arc, Mutex};

use super::{Engine, answer};
use crate::documents::lock;
use crate::effect::{Effect, Reply, ReplyError};
use crate::export::Exported;
use crate::input::Token;
use crate::other_log::OtherLog;
use crate::replica::Replica;

impl Engine {
    /// Takes in what was read from a file, and answers when it is durable. What is here already is kept.
    pub(super) fn import(&mut self, token: Token, exported: Exported, effects: &mut Vec<Effect>) {
        let Exported { genesis, operations, others, changes } = exported;
        let document = genesis.id();
        if let Err(error) = self.import_logs(&others) {
            return effects.push(answer(token, Err(error)));
        }
        let added = match self.catalog.log(&document) {
            Some(_) => Ok(()),
            None => self.add_document(Arc::clone(&genesis), None),
        };
        let replica = self.documents.replica(&document);
        let taken = added.and_then(|()| {
            let replica = replica.or_else(|| self.documents.replica(&document)).ok_or(ReplyError::NotFound)?;
            give(&replica, &others);
            lock(&replica).take_in(&operations, changes).map_err(|rule| ReplyError::BadTicket(rule.to_string()))
        });
        match taken {
            Ok(is_new) => {
                // What waited for it is looked at when the tick ends.
                self.inbox.entry(document).or_default();
                if is_new {
                    self.documents.mark_dirty(document);
                    self.unshown.insert(document);
                }
                self.commits.answer_when_stored(token, Reply::Document(document));
            }
            Err(error) => effects.push(answer(token, Err(error))),
        }
    }

    /// Takes in the logs that a document depends on: they go to the disk with it. Those that are here already are open.
    fn import_logs(&mut self, others: &[OtherLog]) -> Result<(), ReplyError> {
        for other in others {
            let log = other.genesis.id();
            if !self.catalog.holds(&log) {
                self.add_document(Arc::clone(&other.genesis), None)?;
            }
            let replica = self.documents.replica(&log).ok_or(ReplyError::NotFound)?;
            give(&replica, others);
            let taken = lock(&replica).take_in(&other.operations, Vec::new());
            if taken.map_err(|rule| ReplyError::BadTicket(rule.to_string()))? {
                self.documents.mark_dirty(log);
            }
            self.inbox.entry(log).or_default();
        }
        Ok(())
    }
}

/// Lets a document know what else is in the file.
fn give(replica: &Mutex<Replica>, others: &[OtherLog]) {
    if let Some(members) = lock(replica).members_mut() {
        others.iter().for_each(|other| members.take_checked_other(&other.genesis, &other.operations));
    }
}
