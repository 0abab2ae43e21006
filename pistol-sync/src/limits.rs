//! Every length and count that a peer can influence, with its reason.

/// The largest frame in bytes: a sealed envelope of 64 KiB to 1 MiB and its header.
pub const FRAME_BYTES_MAX: usize = 1 << 20;

/// Chains whose ends fit one message; a document with more needs the trie.
pub const HEADS_MAX: usize = 8192;
/// Places told of a branch: enough for 2^60 changes, ever further apart.
pub const SAMPLES_MAX: usize = 64;
/// Unknown fields carried along at most.
pub const EXTENSIONS_MAX: usize = 32;
/// Refused changes told in one acknowledgement.
pub const REFUSED_TOLD_MAX: usize = 16;
/// Documents that one session may follow.
pub const TOPICS_MAX: usize = 4096;
/// Bytes of envelopes that may be under way to one peer without an acknowledgement.
pub const UNDER_WAY_BYTES_MAX: usize = 4 << 20;
