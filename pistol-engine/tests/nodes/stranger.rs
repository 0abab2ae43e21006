//! An author whose records are made by hand.

use std::sync::Arc;

use pistol_core::chain::{ChainId, Tip};
use pistol_core::change::Change;
use pistol_core::envelope::{Envelope, Run};
use pistol_core::id::{ChangeId, DocumentId, Link, Session};
use pistol_core::key::AuthorKey;
use pistol_sync::proto::message::Message;

pub struct Stranger {
    key: AuthorKey,
    document: DocumentId,
}

impl Stranger {
    pub fn new(number: u8, document: DocumentId) -> Self {
        Stranger { key: AuthorKey::from_seed(&[number; 32]), document }
    }

    /// Changes that follow each other, the first after `deps`.
    pub fn chain(&self, session: u64, count: u64, mut deps: Vec<ChangeId>) -> Vec<Change> {
        let (author, session, time_ms) = (self.key.id(), Session(session), 1);
        let next = |seq| {
            let (authority, table, ops) = (vec![], vec![], vec![]);
            let deps_of_it = std::mem::take(&mut deps);
            let change =
                Change { author, session, seq, deps: deps_of_it, authority, time_ms, message: None, table, ops };
            deps.push(change.id());
            change
        };
        (1..=count).map(next).collect()
    }

    pub fn root(&self, session: u64) -> Link {
        ChainId { author: self.key.id(), session: Session(session) }.root(&self.document)
    }

    /// Changes that follow each other from `base` on, under one signature that `spoil` may spoil.
    pub fn record(&self, base: Link, changes: &[Change], spoil: impl FnOnce(&mut Tip)) -> Message {
        let (first, last) = (&changes[0], changes.last().unwrap());
        let link = changes.iter().fold(base, |link, change| link.then(&change.id()));
        let mut tip = Tip::sign(&self.key, &self.document, first.session, last.seq, link);
        spoil(&mut tip);
        let chain = ChainId { author: self.key.id(), session: first.session };
        let run = Run { chain, first_seq: first.seq, base, withheld: vec![], tip };
        let changes = changes.iter().map(|change| (0, Arc::new(change.clone()))).collect();
        Message::Envelope(0, Envelope::new(self.document, vec![run], changes).unwrap().to_bytes())
    }

    /// Chains of one change each, well signed.
    pub fn chains(&self, sessions: std::ops::Range<u64>) -> Message {
        let author = self.key.id();
        let (mut runs, mut changes) = (Vec::new(), Vec::new());
        for (number, session) in (0..).zip(sessions) {
            let change = self.chain(session, 1, vec![]).remove(0);
            let base = self.root(session);
            let tip = Tip::sign(&self.key, &self.document, Session(session), 1, base.then(&change.id()));
            let chain = ChainId { author, session: Session(session) };
            runs.push(Run { chain, first_seq: 1, base, withheld: vec![], tip });
            changes.push((number, Arc::new(change)));
        }
        Message::Envelope(0, Envelope::new(self.document, runs, changes).unwrap().to_bytes())
    }

    /// A chain of changes from its beginning, well signed.
    pub fn honest(&self, changes: &[Change]) -> Message {
        self.record(self.root(changes[0].session.0), changes, |_| {})
    }
}
