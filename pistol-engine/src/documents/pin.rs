//! An application's hold on a document.

use std::collections::BTreeMap;

use pistol_core::id::DocumentId;

use super::{Documents, lock};

/// Keeps a document in memory for as long as this lives, from the moment at which it is open.
#[derive(Debug)]
pub struct Pin {
    documents: Documents,
    id: DocumentId,
}

/// How many hold each document.
pub(super) type Pins = BTreeMap<DocumentId, usize>;

impl Documents {
    /// Keeps a document in memory, from when it is open. To be called before it is opened: then it is never closed in
    /// between.
    pub fn pin(&self, id: DocumentId) -> Pin {
        *lock(&self.0.pins).entry(id).or_default() += 1;
        Pin { documents: self.clone(), id }
    }

    /// How many hold a document.
    pub fn pins(&self, id: &DocumentId) -> usize {
        lock(&self.0.pins).get(id).copied().unwrap_or(0)
    }
}

impl Pin {
    /// Of this document.
    pub fn id(&self) -> DocumentId {
        self.id
    }
}

impl Drop for Pin {
    fn drop(&mut self) {
        let mut pins = lock(&self.documents.0.pins);
        if let Some(count) = pins.get_mut(&self.id) {
            *count -= 1;
            if *count == 0 {
                pins.remove(&self.id);
            }
        }
    }
}
