//! The changes of an envelope that no later one of it depends on: what an author who has seen them all depends on.

use crate::limits;

/// Indices of changes, ascending.
#[derive(Default)]
pub(super) struct Heads {
    heads: Vec<usize>,
    /// Whether a change of the envelope came.
    is_begun: bool,
}

impl Heads {
    /// Before the first change: those before the runs. The first change is taken to have seen them all.
    pub(super) fn new(befores: impl Iterator<Item = usize>) -> Self {
        Heads { heads: befores.collect(), is_begun: false }
    }

    /// The heads and an author's own previous change, unless they are too many to depend on.
    pub(super) fn with(&self, own: Option<usize>) -> Option<Vec<usize>> {
        if self.heads.len() >= limits::DEPENDENCIES_MAX {
            return None;
        }
        let mut heads = self.heads.clone();
        heads.extend(own.filter(|own| !self.heads.contains(own)));
        Some(heads)
    }

    /// Adds the next change, which depends on `deps`.
    pub(super) fn add(&mut self, change: usize, deps: &[usize]) {
        if !self.is_begun {
            self.heads.clear();
            self.is_begun = true;
        }
        for dep in deps {
            if let Ok(place) = self.heads.binary_search(dep) {
                self.heads.remove(place);
            }
        }
        self.heads.push(change);
    }
}
