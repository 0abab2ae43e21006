//! Where a chain ends: what its author needs to write on.

use pistol_core::chain::ChainId;
use pistol_core::change::Change;
use pistol_core::id::{ChangeId, DocumentId, Link, Session};
use pistol_core::validate::{Branch, History};

use crate::sealing;

/// The end of one branch of a chain.
#[derive(Clone, Copy, Debug)]
pub struct Hand {
    /// The chain.
    pub chain: ChainId,
    /// Place of the last change; 0 if there is none.
    pub seq: u64,
    /// The link there.
    pub link: Link,
    /// The last change.
    pub last: Option<ChangeId>,
    /// Operations along the chain.
    pub operations: u32,
}

impl Hand {
    /// An author who has written nothing in this session.
    pub fn fresh(document: &DocumentId, author: u8, session: u64) -> Self {
        let chain = ChainId { author: sealing::author(author).id(), session: Session(session) };
        Hand { chain, seq: 0, link: chain.root(document), last: None, operations: 0 }
    }

    /// Every branch's end.
    pub fn all(history: &History) -> Vec<Hand> {
        history.branches().iter().filter_map(|branch| Hand::at_end(history, branch)).collect()
    }

    fn at_end(history: &History, branch: &Branch) -> Option<Hand> {
        Hand::at(history, branch.chain()?, *branch.changes().last()?)
    }

    /// After an accepted change of a chain.
    pub fn at(history: &History, chain: ChainId, ordinal: u32) -> Option<Hand> {
        let (first, count) = history.numbers(ordinal)?;
        let (seq, link) = (history.seq(ordinal)?, history.link(ordinal)?);
        Some(Hand { chain, seq, link, last: history.id(ordinal), operations: first + count })
    }

    /// After one more change.
    pub fn after(before: &Hand, change: &Change) -> Hand {
        let id = change.id();
        let operations = before.operations + u32::try_from(change.ops.len()).unwrap_or(0);
        Hand { chain: before.chain, seq: change.seq, link: before.link.then(&id), last: Some(id), operations }
    }
}
