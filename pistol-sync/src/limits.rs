//! Every length and count that a peer can influence, with its reason.

use std::time::Duration;

/// The largest frame in bytes: a sealed envelope of 64 KiB to 1 MiB and its header.
pub const FRAME_BYTES_MAX: usize = 1 << 20;

/// Ends of chains that fit one message, at some 80 bytes each; more are told in parts. So many that are not here are remembered of a
/// peer's: when these have come it is asked again.
pub const HEADS_MAX: usize = 8192;
/// Chains of which one side may be asked at a time where they fork, at some 2 KiB each.
pub const LOCATES_UNDER_WAY_MAX: usize = 256;
/// Places told of a branch: enough for 2^60 changes, ever further apart.
pub const SAMPLES_MAX: usize = 64;
/// Unknown fields carried along at most.
pub const EXTENSIONS_MAX: usize = 32;
/// Refused changes told in one acknowledgement.
pub const REFUSED_TOLD_MAX: usize = 16;
/// Heads of a document's log of operations told at once. Of more, others are not told of; they are sent all the same.
pub const LOG_HEADS_MAX: usize = 1024;
/// Operations before the heads told with them: every second power of a log's length.
pub const LOG_SAMPLES_MAX: usize = 64;
/// Operations in one message: to check the signatures of so many takes some milliseconds, and nobody else's turn is later than that.
pub const OPERATIONS_MAX: usize = 64;
/// Bytes of operations after which a message of them is closed, unless one alone is larger.
pub const OPERATIONS_BYTES_AIM: usize = 256 << 10;
/// Public keys that one side of a connection may name by numbers, which then take two bytes at most: half a MiB of memory at the
/// side that hears them, and about one at the side that tells them.
pub const KEYS_NAMED_MAX: usize = (1 << 14) - 1;
/// Documents of a space told at once, 32 bytes each: half a frame. More are told in parts.
pub const LISTED_MAX: usize = 16_384;
/// Documents that one session may follow: all of a large space.
pub const TOPICS_MAX: usize = 131_072;
/// Bytes of envelopes, and of what their changes take in memory, that may be under way to one peer without an acknowledgement.
pub const UNDER_WAY_BYTES_MAX: usize = 4 << 20;
/// The most addresses of one node that are told or dialled: all its interfaces, and no help to one who wants others flooded.
pub const ADDRESSES_MAX: usize = 8;

/// How long a dial may take. The transport would wait 30 s for an address that never answers.
pub const DIAL_LIMIT: Duration = Duration::from_secs(5);

/// How long a stranger's handshake may take before its place is given to another.
pub const HANDSHAKE_LIMIT: Duration = Duration::from_secs(10);

/// How long the side that was dialled waits for the dialler's first frame.
pub const OPEN_LIMIT: Duration = Duration::from_secs(10);

/// How long a frame that has begun may go without completing or advancing by [`STALL_BYTES`].
pub const STALL_LIMIT: Duration = Duration::from_secs(10);

/// How far a long frame must advance in each [`STALL_LIMIT`]: a slow link does, a peer that trickles to hold memory does not.
pub const STALL_BYTES: usize = 16 * 1024;

/// How long closing waits for the peers to hear of it: three probe timeouts of a slow link.
pub const CLOSE_LIMIT: Duration = Duration::from_secs(3);

/// The most connections that others may have dialled to us; each may hold a receive window of at most 1 MiB.
pub const CONNECTIONS_ACCEPTED_MAX: usize = 128;

/// The most connections that we dialled: counted apart, so that strangers cannot use up the places of our own dials.
pub const CONNECTIONS_DIALLED_MAX: usize = 64;

/// The most incoming connections that are being shaken hands with or wait to be taken.
pub const HANDSHAKES_MAX: usize = 64;

/// The bytes of datagrams that wait in each direction. They are presence: the oldest are dropped.
pub const DATAGRAM_BYTES_WAITING_MAX: usize = 16 * 1024;
