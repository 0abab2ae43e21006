//! What a reader may be made to allocate: columns are short, what they stand for need not be.

use crate::change::{Change, Op};
use crate::codec::Malformed;
use crate::envelope::Entry;
use crate::limits;

/// Bytes that the changes of one envelope may take in memory. The most that one valid change takes is a little less: as many
/// operations as there may be. With the columns inflated beside them it comes to 16 MiB.
pub(super) const BYTES_MAX: usize = (14 << 20) + (512 << 10);
/// What each change takes: itself, its entry in a list that may have twice the room it needs, and its own previous change.
const CHANGE_BYTES: usize = size_of::<Change>() + 2 * size_of::<Entry>() + 2 * 32;

/// What is left.
pub(super) struct Budget {
    bytes: usize,
    operations: usize,
}

impl Budget {
    pub(super) fn new() -> Self {
        Budget { bytes: BYTES_MAX, operations: limits::ENVELOPE_OPERATIONS_MAX }
    }

    /// Spends bytes, before they are allocated.
    pub(super) fn spend(&mut self, bytes: usize) -> Result<(), Malformed> {
        self.bytes = self.bytes.checked_sub(bytes).ok_or(Malformed::Limit)?;
        Ok(())
    }

    /// Spends what a change takes, apart from what it holds, and the numbers that say what it has seen of so many runs.
    pub(super) fn spend_change(&mut self, runs: usize) -> Result<(), Malformed> {
        self.spend(CHANGE_BYTES + runs * size_of::<u32>())
    }

    /// Spends operations, and what they take apart from what they hold.
    pub(super) fn spend_operations(&mut self, operations: usize) -> Result<(), Malformed> {
        self.operations = self.operations.checked_sub(operations).ok_or(Malformed::Limit)?;
        self.spend(operations * size_of::<Op>())
    }
}
