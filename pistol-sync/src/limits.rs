//! Every length and count that a peer can influence, with its reason.

/// The largest frame in bytes: a sealed envelope of 64 KiB to 1 MiB and its header.
pub const FRAME_BYTES_MAX: usize = 1 << 20;
