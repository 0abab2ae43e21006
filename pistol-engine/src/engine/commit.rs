//! Group commit: one batch is on its way to the disk, and what gathers meanwhile goes into the next. What it holds is
//! sent, acknowledged and answered only when it is durable.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use pistol_core::id::DocumentId;
use pistol_core::store::{Batch, Write};
use pistol_sync::proto::message::{Acknowledge, Topic};

use super::forget::Removal;
use super::{Engine, answer};
use crate::documents::{lock, lock_between_edits};
use crate::effect::{Effect, Reply, ReplyError};
use crate::input::{ConnectionId, Token};
use crate::limits;
use crate::replica::{Saved, Sealed};

#[derive(Debug, Default)]
pub(super) struct Commits {
    under_way: Option<UnderWay>,
    /// Rows of the catalogue and the like for the next batch.
    writes: Vec<Write>,
    /// Documents that were added with these rows.
    added: Vec<DocumentId>,
    /// Documents whose pictures are among these rows.
    pictured: Vec<DocumentId>,
    answers: Vec<(Token, Reply)>,
    /// What goes on being removed after the next batch.
    removals: Vec<Removal>,
    /// Topics whose received envelopes were dealt with, but are not durable.
    acknowledge: BTreeSet<(ConnectionId, Topic)>,
    /// Frames that promise what is in the next batch.
    promises: Vec<Effect>,
    retry_ms: Option<u64>,
    failure: Option<String>,
    /// Documents of which a picture is to be taken, and when.
    pictures_at_ms: BTreeMap<DocumentId, u64>,
}

#[derive(Debug)]
struct UnderWay {
    batch: Arc<Batch>,
    sealed: Vec<Sealed>,
    added: Vec<DocumentId>,
    pictured: Vec<DocumentId>,
    answers: Vec<(Token, Reply)>,
    removals: Vec<Removal>,
    acknowledge: Vec<(ConnectionId, Acknowledge)>,
    promises: Vec<Effect>,
}

impl Commits {
    pub(super) fn write(&mut self, write: Write) {
        self.writes.push(write);
    }

    pub(super) fn add(&mut self, document: DocumentId, write: Write) {
        self.added.push(document);
        self.writes.push(write);
    }

    pub(super) fn answer_when_stored(&mut self, token: Token, reply: Reply) {
        self.answers.push((token, reply));
    }

    pub(super) fn remove_when_stored(&mut self, removal: Removal) {
        self.removals.push(removal);
    }

    pub(super) fn acknowledge_when_stored(&mut self, connection: ConnectionId, topic: Topic) {
        self.acknowledge.insert((connection, topic));
    }

    /// Whether something of a document is on its way to the disk, or about to be.
    pub(super) fn concerns(&self, document: &DocumentId) -> bool {
        let is_under_way = |under_way: &UnderWay| {
            let is_sealed = under_way.sealed.iter().any(|sealed| sealed.document == *document);
            is_sealed || under_way.added.contains(document) || under_way.pictured.contains(document)
        };
        let is_to_come = self.added.contains(document) || self.pictured.contains(document);
        is_to_come || self.under_way.as_ref().is_some_and(is_under_way)
    }

    /// A document is removed: what is on its way to the disk is nothing to the document that it may be joined as again.
    pub(super) fn forget(&mut self, document: &DocumentId) {
        self.added.retain(|added| added != document);
        if let Some(under_way) = &mut self.under_way {
            under_way.added.retain(|added| added != document);
            under_way.sealed.retain(|sealed| sealed.document != *document);
        }
    }

    pub(super) fn promise_when_stored(&mut self, promise: Effect) {
        self.promises.push(promise);
    }

    /// Whether something received in a topic is still to be acknowledged.
    pub(super) fn acknowledges(&self, connection: ConnectionId, topic: Topic) -> bool {
        let is_it = |under_way: &UnderWay| {
            under_way.acknowledge.iter().any(|(c, acknowledge)| (*c, acknowledge.topic) == (connection, topic))
        };
        self.acknowledge.contains(&(connection, topic)) || self.under_way.as_ref().is_some_and(is_it)
    }

    /// Whether nothing is on its way to the disk.
    pub(super) fn is_idle(&self) -> bool {
        self.under_way.is_none() && self.writes.is_empty()
    }

    pub(super) fn deadline_ms(&self) -> Option<u64> {
        self.pictures_at_ms.values().copied().chain(self.retry_ms).min()
    }

    pub(super) fn failure(&self) -> Option<&String> {
        self.failure.as_ref()
    }
}

impl Engine {
    /// Answers when everything edited so far is durable.
    pub(super) fn flush(&mut self, token: Token, effects: &mut Vec<Effect>) {
        match self.commits.failure() {
            Some(reason) => effects.push(answer(token, Err(ReplyError::Store(reason.clone())))),
            None => self.commits.answer_when_stored(token, Reply::Done),
        }
    }

    /// Seals what gathered, if the disk is free.
    pub(super) fn commit(&mut self, effects: &mut Vec<Effect>) {
        if self.commits.under_way.is_some() {
            return;
        }
        let dirty = self.documents.take_dirty();
        let mut sealed: Vec<Sealed> = dirty.iter().filter_map(|id| self.seal(id)).collect();
        effects.extend(
            sealed.iter_mut().filter_map(|sealed| sealed.saving.take()).map(|saving| Effect::Save(Box::new(saving))),
        );
        let mut writes = std::mem::take(&mut self.commits.writes);
        writes.extend(sealed.iter().flat_map(|sealed| sealed.writes.iter().cloned()));
        let added = std::mem::take(&mut self.commits.added);
        let pictured = std::mem::take(&mut self.commits.pictured);
        let answers = std::mem::take(&mut self.commits.answers);
        let removals = std::mem::take(&mut self.commits.removals);
        let acknowledge = std::mem::take(&mut self.commits.acknowledge);
        let acknowledge = acknowledge.into_iter().filter_map(|(c, t)| Some((c, self.acknowledgement(c, t)?))).collect();
        let promises = std::mem::take(&mut self.commits.promises);
        let batch = Arc::new(Batch { writes });
        let under_way = UnderWay { batch, sealed, added, pictured, answers, removals, acknowledge, promises };
        if under_way.batch.writes.is_empty() {
            return self.settle(under_way, effects);
        }
        effects.push(Effect::Store(Arc::clone(&under_way.batch)));
        self.commits.under_way = Some(under_way);
        self.documents.will_look_again();
    }

    fn seal(&mut self, document: &DocumentId) -> Option<Sealed> {
        self.commits.pictures_at_ms.remove(document);
        let replica = self.documents.replica(document)?;
        let mut replica = lock_between_edits(&replica);
        let sealed = replica.seal(self.now);
        if let Some(at) = replica.snapshot_at_ms().filter(|at| *at > self.now.steady_ms) {
            self.commits.pictures_at_ms.insert(*document, at);
        }
        sealed
    }

    /// Documents of which a picture was to wait are looked at again.
    pub(super) fn take_pictures(&mut self) {
        let now = self.now.steady_ms;
        let due = self.commits.pictures_at_ms.extract_if(.., |_, at| *at <= now);
        due.for_each(|(document, _)| self.documents.mark_dirty(document));
    }

    /// A picture was saved: it goes to the disk with the next batch, after all that it speaks of.
    pub(super) fn saved(&mut self, document: DocumentId, saved: Option<Saved>) {
        let Some(replica) = self.documents.replica(&document) else { return };
        let mut replica = lock(&replica);
        // It may have been removed meanwhile and joined again: then the picture is of another log.
        if saved.as_ref().is_some_and(|saved| saved.write.key != replica.log().key()) {
            return;
        }
        replica.saved(saved.as_ref());
        if let Some(saved) = saved {
            self.commits.pictured.push(document);
            self.commits.write(saved.write);
        }
    }

    /// The outstanding batch is durable.
    pub(super) fn stored(&mut self, effects: &mut Vec<Effect>) {
        self.commits.retry_ms = None;
        if self.commits.failure.take().is_some() {
            self.tell_store_failure();
        }
        if let Some(under_way) = self.commits.under_way.take() {
            self.settle(under_way, effects);
        }
    }

    /// Everything of a batch is durable: now it may be known outside.
    fn settle(&mut self, under_way: UnderWay, effects: &mut Vec<Effect>) {
        for document in under_way.added {
            self.catalog.became_durable(&document);
            self.document_is_open(document, effects);
        }
        for sealed in &under_way.sealed {
            if let Some(replica) = self.documents.replica(&sealed.document) {
                let mut replica = lock_between_edits(&replica);
                replica.settle(sealed);
                self.documents.weigh(&sealed.document, replica.bytes());
            }
            self.push(sealed, effects);
            self.depend(sealed.document, effects);
            self.give_to_dependents(&sealed.document, effects);
            self.touch_space(&sealed.document);
            self.edited_in_space(sealed);
        }
        for (connection, acknowledge) in under_way.acknowledge {
            self.send_acknowledgement(connection, acknowledge, effects);
        }
        effects.extend(under_way.promises);
        effects.extend(under_way.answers.into_iter().map(|(token, reply)| answer(token, Ok(reply))));
        for removal in under_way.removals {
            self.go_on_removing(removal, effects);
        }
    }

    /// The outstanding batch was not kept: those who wait for it are told, and it is tried again as it is.
    pub(super) fn store_failed(&mut self, reason: &str, effects: &mut Vec<Effect>) {
        self.commits.retry_ms = Some(self.now.steady_ms + limits::STORE_RETRY_MS);
        self.commits.failure = Some(reason.to_owned());
        let waiting = self.commits.under_way.as_mut().map(|under_way| std::mem::take(&mut under_way.answers));
        let waiting = waiting.into_iter().flatten().chain(std::mem::take(&mut self.commits.answers));
        let under_way = self.commits.under_way.iter_mut().flat_map(|under_way| &mut under_way.removals);
        let removals = under_way.chain(&mut self.commits.removals).filter_map(Removal::take_token);
        let waiting = waiting.map(|(token, _)| token).chain(removals);
        effects.extend(waiting.map(|token| answer(token, Err(ReplyError::Store(reason.to_owned())))));
        self.tell_store_failure();
    }

    fn tell_store_failure(&self) {
        for replica in self.documents.all_open() {
            lock(&replica).state.store_failure = self.commits.failure().cloned();
        }
    }

    pub(super) fn retry_store(&mut self, effects: &mut Vec<Effect>) {
        if self.commits.retry_ms.is_some_and(|at| self.now.steady_ms >= at) {
            self.commits.retry_ms = None;
            effects.extend(self.commits.under_way.iter().map(|batch| Effect::Store(Arc::clone(&batch.batch))));
        }
    }
}
