//! The numbers of accepted changes, by their ids. A table of hashes, since each change of a history is looked up in it once at
//! least: comparing ids along a sorted map was what reading a history mostly did.

#![expect(
    clippy::disallowed_types,
    reason = "its order differs from run to run, and is never seen: nothing walks through it"
)]

use std::collections::HashMap;
use std::fmt;

use super::Ordinal;
use crate::id::ChangeId;

/// The numbers of changes, by their ids.
#[derive(Clone, Default)]
pub struct Ordinals(HashMap<ChangeId, Ordinal>);

impl Ordinals {
    /// The number of a change.
    pub fn of(&self, id: &ChangeId) -> Option<Ordinal> {
        self.0.get(id).copied()
    }

    /// Gives a change a number.
    pub fn insert(&mut self, id: ChangeId, ordinal: Ordinal) {
        self.0.insert(id, ordinal);
    }
}

impl fmt::Debug for Ordinals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ordinals", self.0.len())
    }
}
