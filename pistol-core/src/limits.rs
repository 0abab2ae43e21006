//! Every length and count that somebody else can influence, with its reason.
//!
//! Limits that decide validity are part of the protocol version: were they configuration, replicas would diverge.

/// Canonical bytes of one change at most: with its envelope it must fit a frame of 1 MiB.
pub const CHANGE_BYTES_MAX: usize = 960 << 10;
/// Operations in one change at most: what Automerge applies in about half a second.
pub const OPERATIONS_PER_CHANGE_MAX: usize = 131_072;
/// Marks in one change at most: Automerge compares each with all that overlap it.
pub const MARKS_PER_CHANGE_MAX: usize = 1000;
/// Direct dependencies of a change at most. A node merges heads before it comes near.
pub const DEPENDENCIES_MAX: usize = 64;
/// Heads above which a node first writes merges, so that nobody can lock a document with heads.
pub const HEADS_MERGED_AT: usize = 63;
/// Chain paths one change may refer to. A deletion over the work of more people is split.
pub const REFERENCES_MAX: usize = 1024;
/// Ids on an authority path at most: grant, group, identity, device.
pub const AUTHORITY_MAX: usize = 4;
/// Predecessors of one operation at most: rival values of one place.
pub const PREDECESSORS_MAX: usize = 4096;
/// Bytes of a change's message at most.
pub const MESSAGE_BYTES_MAX: usize = 4096;
/// Bytes of a map key at most.
pub const KEY_BYTES_MAX: usize = 1024;
/// Operations of one chain at most, by default; then the author begins another session.
pub const OPERATIONS_PER_CHAIN_MAX: u32 = 1_000_000;
/// Canonical bytes of one chain at most, by default.
pub const BYTES_PER_CHAIN_MAX: u64 = 1 << 30;
/// Automerge counts operations in 32 bits and panics past the end: stay a factor of two below.
pub const COUNTER_MAX: u32 = (1 << 31) - 1;
/// Times and initial counters fit a double, for other languages.
pub const EXACT_MAX: u64 = (1 << 53) - 1;
/// One increment of a counter at most, either way.
pub const INCREMENT_MAX: i64 = 1 << 31;
/// Root keys of a document at most.
pub const ROOTS_MAX: usize = 8;
/// Operations of a skeleton at most.
pub const SKELETON_OPERATIONS_MAX: usize = 4096;
/// Bytes of a genesis at most.
pub const GENESIS_BYTES_MAX: usize = 256 << 10;
/// Bytes of an envelope at most, as it travels: a frame less its header.
pub const ENVELOPE_BYTES_MAX: usize = (1 << 20) - 1024;
/// Changes in one envelope at most: so many may wait for one signature.
pub const ENVELOPE_CHANGES_MAX: usize = 1000;
/// Changes that one signature covers in an envelope, those withheld included: a part of them can then always be sent on.
pub const SIGNED_MAX: usize = ENVELOPE_CHANGES_MAX;
/// Bytes of changes after which an envelope is closed, unless one change alone is larger.
pub const ENVELOPE_BYTES_AIM: usize = 64 << 10;
/// Chains in one envelope at most, each with a signature to check.
pub const ENVELOPE_CHAINS_MAX: usize = 256;
/// Ids that may stand for withheld changes between an envelope's last change of a chain and its tip.
pub const WITHHELD_MAX: usize = 1000;
/// Operations in all changes of one envelope at most: what a decoder may be made to allocate.
pub const ENVELOPE_OPERATIONS_MAX: usize = OPERATIONS_PER_CHANGE_MAX;
/// Bytes of all texts, keys and values in one envelope at most, once inflated.
pub const ENVELOPE_TEXT_MAX: usize = 1 << 20;
/// How deep objects may nest: readers may walk them by recursion.
pub const OBJECT_DEPTH_MAX: u8 = 64;
