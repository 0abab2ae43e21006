//! The documents in memory: what they weigh, and which of them was used last.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use pistol_core::id::DocumentId;

use crate::replica::Replica;

#[derive(Debug, Default)]
pub(super) struct Open {
    documents: BTreeMap<DocumentId, One>,
    /// By their last use, the oldest first.
    by_use: BTreeMap<u64, DocumentId>,
    uses: u64,
    bytes: usize,
}

#[derive(Debug)]
struct One {
    replica: Arc<Mutex<Replica>>,
    used: u64,
    bytes: usize,
}

impl Open {
    pub(super) fn insert(&mut self, id: DocumentId, replica: Replica) {
        let bytes = replica.bytes();
        self.remove(&id);
        self.bytes += bytes;
        self.documents.insert(id, One { replica: Arc::new(Mutex::new(replica)), used: 0, bytes });
        self.touch(&id);
    }

    pub(super) fn get(&self, id: &DocumentId) -> Option<&Arc<Mutex<Replica>>> {
        self.documents.get(id).map(|one| &one.replica)
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Arc<Mutex<Replica>>> {
        self.documents.values().map(|one| &one.replica)
    }

    pub(super) fn remove(&mut self, id: &DocumentId) {
        if let Some(one) = self.documents.remove(id) {
            self.by_use.remove(&one.used);
            self.bytes -= one.bytes.min(self.bytes);
        }
    }

    /// A document is used.
    pub(super) fn touch(&mut self, id: &DocumentId) {
        let Some(one) = self.documents.get_mut(id).filter(|one| one.used == 0 || one.used != self.uses) else { return };
        self.by_use.remove(&one.used);
        self.uses += 1;
        one.used = self.uses;
        self.by_use.insert(one.used, *id);
    }

    /// A document weighs so much now.
    pub(super) fn weigh(&mut self, id: &DocumentId, bytes: usize) {
        if let Some(one) = self.documents.get_mut(id) {
            self.bytes = self.bytes.saturating_sub(one.bytes).saturating_add(bytes);
            one.bytes = bytes;
        }
    }

    /// What all weigh.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Some documents, those first that were not used for longest.
    pub(super) fn unused_longest(&self, at_most: usize) -> Vec<DocumentId> {
        self.by_use.values().take(at_most).copied().collect()
    }
}
