//! The changes of an envelope that no later one of it depends on: what an author who has seen them all depends on.

use crate::limits;

/// Indices of changes, ascending.
#[derive(Default)]
pub(super) struct Heads(Vec<usize>);

impl Heads {
    /// The heads and an author's own previous change, unless they are too many to depend on.
    pub(super) fn with(&self, own: Option<usize>) -> Option<Vec<usize>> {
        if self.0.len() >= limits::DEPENDENCIES_MAX {
            return None;
        }
        let mut heads = self.0.clone();
        heads.extend(own.filter(|own| !self.0.contains(own)));
        Some(heads)
    }

    /// Adds the next change, which depends on `deps`.
    pub(super) fn add(&mut self, change: usize, deps: &[usize]) {
        for dep in deps {
            if let Ok(place) = self.0.binary_search(dep) {
                self.0.remove(place);
            }
        }
        self.0.push(change);
    }
}
