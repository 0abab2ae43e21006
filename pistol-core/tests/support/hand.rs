//! Changes written by hand: whatever a test puts into them, they are linked and signed as their author would.

#![allow(dead_code, missing_docs, unreachable_pub)]

use std::sync::Arc;

use pistol_core::chain::{ChainId, Tip};
use pistol_core::change::{Action, Change, Op, Place, Reference, Scalar};
use pistol_core::envelope::{Envelope, Run, VerifiedChange};
use pistol_core::id::{ChangeId, DocumentId, Link, Session};
use pistol_core::key::{AuthorKey, Verifier};

/// The hand that writes one chain.
#[derive(Clone)]
pub struct Hand {
    pub document: DocumentId,
    pub number: u8,
    pub session: Session,
    /// Place of the last change.
    pub seq: u64,
    pub link: Link,
    pub last: Option<ChangeId>,
}

impl Hand {
    pub fn new(document: DocumentId, number: u8, session: u64) -> Self {
        let session = Session(session);
        let chain = ChainId { author: key(number).id(), session };
        Hand { document, number, session, seq: 0, link: chain.root(&document), last: None }
    }

    /// The next change, with the own previous one and `others` as dependencies.
    pub fn draft(&self, others: &[ChangeId], table: &[ChangeId], ops: Vec<Op>) -> Change {
        let mut deps: Vec<ChangeId> = others.iter().copied().chain(self.last).collect();
        deps.sort_unstable();
        deps.dedup();
        let mut table = table.to_vec();
        table.sort_unstable();
        let author = key(self.number).id();
        let (session, seq) = (self.session, self.seq + 1);
        Change { author, session, seq, deps, authority: vec![], time_ms: 1, message: None, table, ops }
    }

    /// Signs a change as the next one of the chain.
    pub fn sign(&self, change: Change) -> VerifiedChange {
        sign(self.document, self.number, self.link, change)
    }

    /// Writes the next change.
    pub fn write(&mut self, others: &[ChangeId], table: &[ChangeId], ops: Vec<Op>) -> VerifiedChange {
        let change = self.sign(self.draft(others, table, ops));
        (self.seq, self.link, self.last) = (change.change().seq, change.link(), Some(change.id()));
        change
    }
}

pub fn key(number: u8) -> AuthorKey {
    AuthorKey::from_seed(&[number; 32])
}

/// Signs a change after `base`; its author must be the one of that number.
pub fn sign(document: DocumentId, number: u8, base: Link, change: Change) -> VerifiedChange {
    let link = base.then(&change.id());
    let tip = Tip::sign(&key(number), &document, change.session, change.seq, link);
    let chain = ChainId { author: change.author, session: change.session };
    let run = Run { chain, first_seq: change.seq, base, withheld: vec![], tip };
    let envelope = Envelope::new(document, vec![run], vec![(0, Arc::new(change))]).unwrap();
    envelope.verify(&mut Verifier::default()).unwrap().into_changes().remove(0)
}

pub fn op(object: Option<Reference>, place: Place, action: Action, pred: &[Reference]) -> Op {
    Op { object, place, action, pred: pred.to_vec() }
}

pub fn text(text: &str) -> Action {
    Action::Put(Scalar::Text(text.to_owned()))
}

pub fn at_key(key: &str) -> Place {
    Place::Key(key.to_owned())
}
