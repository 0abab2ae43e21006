//! Group commit: one batch is on its way to the disk, and what gathers meanwhile goes into the next. What it holds is
//! sent, acknowledged and answered only when it is durable.

use std::collections::BTreeSet;
use std::sync::Arc;

use pistol_core::id::DocumentId;
use pistol_core::store::{Batch, Write};
use pistol_sync::proto::message::{Acknowledge, Topic};

use super::{Engine, answer};
use crate::documents::lock;
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
    answers: Vec<(Token, Reply)>,
    /// Topics whose received envelopes were dealt with, but are not durable.
    acknowledge: BTreeSet<(ConnectionId, Topic)>,
    retry_ms: Option<u64>,
    failure: Option<String>,
}

#[derive(Debug)]
struct UnderWay {
    batch: Arc<Batch>,
    sealed: Vec<Sealed>,
    added: Vec<DocumentId>,
    answers: Vec<(Token, Reply)>,
    acknowledge: Vec<(ConnectionId, Acknowledge)>,
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

    pub(super) fn acknowledge_when_stored(&mut self, connection: ConnectionId, topic: Topic) {
        self.acknowledge.insert((connection, topic));
    }

    pub(super) fn deadline_ms(&self) -> Option<u64> {
        self.retry_ms
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
        let mut sealed: Vec<Sealed> = self.documents.take_dirty().iter().filter_map(|id| self.seal(id)).collect();
        effects.extend(
            sealed.iter_mut().filter_map(|sealed| sealed.saving.take()).map(|saving| Effect::Save(Box::new(saving))),
        );
        let mut writes = std::mem::take(&mut self.commits.writes);
        writes.extend(sealed.iter().flat_map(|sealed| sealed.writes.iter().cloned()));
        let added = std::mem::take(&mut self.commits.added);
        let answers = std::mem::take(&mut self.commits.answers);
        let acknowledge = std::mem::take(&mut self.commits.acknowledge);
        let acknowledge = acknowledge.into_iter().filter_map(|(c, t)| Some((c, self.acknowledgement(c, t)?))).collect();
        let under_way = UnderWay { batch: Arc::new(Batch { writes }), sealed, added, answers, acknowledge };
        if under_way.batch.writes.is_empty() {
            return self.settle(under_way, effects);
        }
        effects.push(Effect::Store(Arc::clone(&under_way.batch)));
        self.commits.under_way = Some(under_way);
        self.documents.will_look_again();
    }

    fn seal(&self, document: &DocumentId) -> Option<Sealed> {
        let replica = self.documents.replica(document)?;
        let mut replica = lock(&replica);
        replica.seal()
    }

    /// A picture was saved: it goes to the disk with the next batch, after all that it speaks of.
    pub(super) fn saved(&mut self, document: DocumentId, saved: Option<Saved>) {
        let Some(replica) = self.documents.replica(&document) else { return };
        lock(&replica).saved(saved.as_ref());
        if let Some(saved) = saved {
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
                lock(&replica).settle(sealed);
            }
            if sealed.goes_on {
                self.documents.mark_dirty(sealed.document);
            }
            self.push(sealed, effects);
        }
        for (connection, acknowledge) in under_way.acknowledge {
            self.send_acknowledgement(connection, acknowledge, effects);
        }
        effects.extend(under_way.answers.into_iter().map(|(token, reply)| answer(token, Ok(reply))));
    }

    /// The outstanding batch was not kept: those who wait for it are told, and it is tried again as it is.
    pub(super) fn store_failed(&mut self, reason: &str, effects: &mut Vec<Effect>) {
        self.commits.retry_ms = Some(self.now.steady_ms + limits::STORE_RETRY_MS);
        self.commits.failure = Some(reason.to_owned());
        let waiting = self.commits.under_way.as_mut().map(|under_way| std::mem::take(&mut under_way.answers));
        let waiting = waiting.into_iter().flatten().chain(std::mem::take(&mut self.commits.answers));
        let failed = |(token, _)| answer(token, Err(ReplyError::Store(reason.to_owned())));
        effects.extend(waiting.map(failed));
        self.tell_store_failure();
    }

    fn tell_store_failure(&self) {
        for entry in self.catalog.entries() {
            if let Some(replica) = self.documents.replica(&entry.genesis.id()) {
                lock(&replica).state.store_failure = self.commits.failure().cloned();
            }
        }
    }

    pub(super) fn retry_store(&mut self, effects: &mut Vec<Effect>) {
        if self.commits.retry_ms.is_some_and(|at| self.now.steady_ms >= at) {
            self.commits.retry_ms = None;
            effects.extend(self.commits.under_way.iter().map(|batch| Effect::Store(Arc::clone(&batch.batch))));
        }
    }
}
