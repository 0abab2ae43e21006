//! The history on disk: stretches of accepted changes in columns, each written once, since a history only grows.
//!
//! A stretch holds what the validator keeps of its changes and cannot compute from the stretches before: ids, which change
//! each continues, counts, pasts, and the rows of the operation index. Links, branches, numbers and counters are computed
//! again. The bytes come from this node's own disk and are known by their mark to be its own; nevertheless nothing here
//! panics on others, or allocates more than a bounded multiple of them.

mod columns;
mod read;
mod rows;
mod write;

pub use read::Restoring;
pub use write::Stretch;

use crate::limits;

/// Changes in a stretch at most: what is encoded in some milliseconds.
pub const STRETCH_CHANGES_MAX: usize = 8192;
/// Operations, reaches and bytes of keys after which a stretch ends. One change may take it past that.
const STRETCH_PARTS_AIM: usize = 131_072;
/// Operations in a stretch at most: the aim, and one change more.
const STRETCH_OPERATIONS_MAX: usize = STRETCH_PARTS_AIM + limits::OPERATIONS_PER_CHANGE_MAX;
/// Bytes of a stretch's columns at most, inflated: about 12 for each operation, and the keys of a change.
const COLUMNS_BYTES_MAX: usize = 8 << 20;

const VERSION: u8 = 1;

/// How a past is written: everything before; the same as the past of the change it continues; in full.
const PAST_ALL: u64 = 0;
const PAST_SAME: u64 = 1;
const PAST_FULL: u64 = 2;
