//! Writing changes that are well formed, and signing them well or badly.

use std::sync::Arc;

use pistol_core::chain::{ChainId, Tip};
use pistol_core::change::Change;
use pistol_core::document::{Document, Edit, EditAs, EditError, UNJUDGED};
use pistol_core::envelope::{Envelope, Linked, Run};
use pistol_core::genesis::Genesis;
use pistol_core::id::ChangeId;
use pistol_core::key::AuthorKey;
use pistol_core::validate::Check;

/// Makes changes in one session, each well formed. Whether the policy allows them is for honest nodes to find out.
pub struct Writer {
    document: Document,
    changes: Vec<Linked>,
    seed: [u8; 32],
    chain: ChainId,
    unsent: Vec<Linked>,
}

impl Writer {
    /// A writer that knows these changes. `None` if they are not all of a document, in causal order.
    pub(super) fn after(genesis: Arc<Genesis>, changes: Vec<Linked>, seed: [u8; 32], chain: ChainId) -> Option<Self> {
        let mut document = Document::new(genesis).ok()?;
        for change in &changes {
            match document.check(change) {
                Check::Valid(valid) => document.accept(*valid).ok()?,
                _ => return None,
            };
        }
        Some(Writer { document, changes, seed, chain, unsent: Vec::new() })
    }

    /// Another writer at the same place of the same session: what both write next is a fork.
    pub fn fork(&self) -> Option<Writer> {
        let genesis = Arc::clone(self.document.history().genesis());
        let mut fork = Writer::after(genesis, self.changes.clone(), self.seed, self.chain)?;
        fork.unsent.clone_from(&self.unsent);
        Some(fork)
    }

    /// The session that it writes in.
    pub fn chain(&self) -> ChainId {
        self.chain
    }

    /// Writes one change.
    ///
    /// # Errors
    /// [`EditError`] if it would not be well formed.
    pub fn edit<T>(&mut self, closure: impl FnOnce(&mut Edit) -> T) -> Result<T, EditError> {
        let by = EditAs { chain: self.chain, time_ms: 0, message: None, authority: &[], judge: UNJUDGED };
        let made = self.document.edit(&by, closure)?;
        let changes = made.changes.into_iter().map(|accepted| accepted.change);
        changes.for_each(|change| {
            self.changes.push(change.clone());
            self.unsent.push(change);
        });
        Ok(made.result)
    }

    /// The changes that are in no envelope yet.
    pub fn unsent(&self) -> Vec<(ChangeId, Arc<Change>)> {
        self.unsent.iter().map(|linked| (linked.id(), Arc::clone(linked.change()))).collect()
    }

    /// What was written since the last envelope, signed with the writer's own key. Empty if nothing was.
    pub fn envelope(&mut self) -> Vec<u8> {
        self.seal(|_| {})
    }

    /// The same with one bit of the signature flipped.
    pub fn forged_envelope(&mut self) -> Vec<u8> {
        self.seal(|tip| tip.signature.0.iter_mut().take(1).for_each(|byte| *byte ^= 1))
    }

    fn seal(&mut self, spoil: impl FnOnce(&mut Tip)) -> Vec<u8> {
        let unsent = std::mem::take(&mut self.unsent);
        let Some((first, last)) = unsent.first().zip(unsent.last()) else { return Vec::new() };
        let (key, document) = (AuthorKey::from_seed(&self.seed), self.document.history().genesis().id());
        let mut tip = Tip::sign(&key, &document, self.chain.session, last.change().seq, last.link());
        spoil(&mut tip);
        let run =
            Run { chain: self.chain, first_seq: first.change().seq, base: first.base(), withheld: Vec::new(), tip };
        let changes = unsent.iter().map(|linked| (0, Arc::clone(linked.change()))).collect();
        Envelope::new(document, vec![run], changes).map(|envelope| envelope.to_bytes()).unwrap_or_default()
    }
}

impl std::fmt::Debug for Writer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Writer({:?}, {} changes unsent)", self.chain, self.unsent.len())
    }
}
