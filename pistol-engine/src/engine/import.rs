//! Documents that come from a file.

use std::sync::Arc;

use super::{Engine, answer};
use crate::documents::lock;
use crate::effect::{Effect, Reply, ReplyError};
use crate::export::Exported;
use crate::input::Token;

impl Engine {
    /// Takes in what was read from a file, and answers when it is durable. What is here already is kept.
    pub(super) fn import(&mut self, token: Token, exported: Exported, effects: &mut Vec<Effect>) {
        let Exported { genesis, operations, changes } = exported;
        let document = genesis.id();
        let added = match self.catalog.log(&document) {
            Some(_) => Ok(()),
            None => self.add_document(Arc::clone(&genesis), None),
        };
        let replica = self.documents.replica(&document);
        let taken = added.and_then(|()| {
            let replica = replica.or_else(|| self.documents.replica(&document)).ok_or(ReplyError::NotFound)?;
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
}
