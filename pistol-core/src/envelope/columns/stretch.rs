//! What writer and reader remember of a run: the next change of it will be like the last.

use super::cursor::Cursor;
use crate::change::Change;
use crate::id::AuthorityId;

/// A run, as far as it was written or read.
#[derive(Default)]
pub(super) struct Stretch {
    pub(super) cursor: Cursor,
    /// The number of its first operation here, as far as the writer could tell.
    pub(super) first_operation: u32,
    /// Index of the last change; at first, of the one before the run.
    pub(super) last: Option<usize>,
    pub(super) time_ms: Option<u64>,
    pub(super) authority: Vec<AuthorityId>,
}

impl Stretch {
    /// A run before which the change of this index came.
    pub(super) fn new(before: Option<usize>, first_operation: u32) -> Self {
        Stretch {
            cursor: Cursor::new(first_operation),
            first_operation,
            last: before,
            time_ms: None,
            authority: Vec::new(),
        }
    }

    /// Moves on past a change.
    pub(super) fn advance(&mut self, index: usize, change: &Change) {
        self.last = Some(index);
        self.time_ms = Some(change.time_ms);
        if self.authority != change.authority {
            self.authority.clone_from(&change.authority);
        }
    }
}

/// Codes of the column `deps`; from `LISTED` on twice the number of deps listed, and one more if the author's own
/// previous change is not among the deps.
pub(super) mod deps {
    pub(in super::super) const OWN: u64 = 0;
    pub(in super::super) const HEADS: u64 = 1;
    pub(in super::super) const LISTED: u64 = 2;
}

/// Codes of the column `table`; from `LISTED` on the number of entries.
pub(super) mod table {
    pub(in super::super) const NAMED: u64 = 0;
    pub(in super::super) const LISTED: u64 = 1;
}

/// Codes of the column `element`; from `EXPLICIT` on the code of a reference.
pub(super) mod element {
    pub(in super::super) const LIKELY: u64 = 0;
    pub(in super::super) const OTHER: u64 = 1;
    pub(in super::super) const EXPLICIT: u64 = 2;
}

/// Codes of the column `message`; from `NEW` on the number of characters.
pub(super) mod message {
    pub(in super::super) const NONE: u64 = 0;
    pub(in super::super) const SAME: u64 = 1;
    pub(in super::super) const NEW: u64 = 2;
}

/// Codes of the column `authority`; from `LISTED` on the length of the path.
pub(super) mod authority {
    pub(in super::super) const SAME: u64 = 0;
    pub(in super::super) const LISTED: u64 = 1;
}
