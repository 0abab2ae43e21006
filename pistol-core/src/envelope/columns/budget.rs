//! What a reader may be made to allocate: columns are short, what they stand for need not be.

use crate::codec::Malformed;
use crate::limits;

/// Bytes that the changes of one envelope may be charged: four times those of the largest change, as nothing is charged
/// more than four times its canonical bytes.
const BYTES_MAX: usize = 4 * limits::ENVELOPE_TEXT_MAX;

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

    /// Spends operations.
    pub(super) fn spend_operations(&mut self, operations: usize) -> Result<(), Malformed> {
        self.operations = self.operations.checked_sub(operations).ok_or(Malformed::Limit)?;
        Ok(())
    }
}
