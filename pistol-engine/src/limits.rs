//! Every queue and count in a node that somebody else can influence, with its reason.

/// Logs that are not what they were named as, remembered at most.
pub(crate) const UNFIT_LOGS_MAX: usize = 1024;
/// Logs that one peer is asked for at the same time at most: a document may lead to many that nobody has.
pub(crate) const LOGS_ASKED_MAX: usize = 64;
/// Documents of a space of which one peer told and that wait to be asked for: a few parts of its list.
pub(crate) const DOCUMENTS_QUEUED_MAX: usize = 4 * pistol_sync::limits::LISTED_MAX;
/// Invitations that a node keeps for one log: each is a row, and its application may give one to each visitor.
pub(crate) const INVITES_MAX: usize = 10_000;
/// The time of a change made here is rounded down to this: how somebody's keystrokes follow each other would tell who it is,
/// and take a byte each.
pub(crate) const TIME_GRAIN_MS: u64 = 1000;
/// Bytes of changes made here that may wait for the disk; past it an edit is refused, not kept in memory.
pub(crate) const UNSTORED_BYTES_MAX: usize = 64 << 20;
/// Changes with missing dependencies that are kept for one peer.
pub const WAITING_A_PEER: usize = 10_000;
/// Memory that changes with missing dependencies of one peer take.
pub const WAITING_BYTES_A_PEER: usize = 4 << 20;
/// Memory that all changes with missing dependencies take.
pub const WAITING_BYTES_IN_ALL: usize = 64 << 20;
/// Operations of a document's log from one connection that wait for others at most, and their bytes: peers send them in order.
pub const OPERATIONS_WAITING_MAX: usize = 64;
pub(crate) const OPERATIONS_WAITING_BYTES_MAX: usize = 512 << 10;
/// Operations of a log, and changes, that are judged anew in a millisecond, about.
pub(crate) const JUDGED_OPERATIONS_IN_A_MS: u64 = 500;
pub(crate) const JUDGED_CHANGES_IN_A_MS: u64 = 10_000;
/// Rest after judging everything anew, as a multiple of what it took: each operation that somebody sends asks for it, and may cost its
/// author nothing. What came meanwhile is judged together.
pub(crate) const RESTS_FROM_JUDGING: u64 = 20;
/// Milliseconds of that rest at most.
pub(crate) const RESTS_FROM_JUDGING_MS_MAX: u64 = 10_000;
/// What an operation takes in memory beside its bytes, about.
pub(crate) const OPERATION_ROOM: usize = 512;
/// Things waited for that a document's status names.
pub(crate) const WAITS_TOLD_MAX: usize = 8;
/// Peers that a document remembers to be asked again, those that are dialled anyway apart.
pub const OWED_STRANGERS_MAX: usize = 1024;
/// Connections remembered as senders of one change that waits.
pub(crate) const SENDERS_MAX: usize = 16;
/// Ids of refused changes that a document remembers.
pub(crate) const REJECTED_MAX: usize = 10_000;
/// Records that a node knows again, since they were refused or held nothing new.
pub(crate) const RECORDS_MAX: usize = 10_000;
/// Changes after which the tail of a document is sealed into one envelope.
pub(crate) const TAIL_CHANGES: usize = 1000;
/// Weight in bytes after which an envelope is closed.
pub(crate) const ROW_WEIGHT: usize = 64 << 10;
/// Bytes of envelopes kept of a document as they came, until they are stored: what may be under way from one peer.
pub(crate) const RECEIVED_BYTES_MAX: usize = 4 << 20;
/// Peers of a document of which it is told how it stands with them, but for those that are connected or will be dialled.
pub(crate) const PEERS_TOLD_MAX: usize = 256;
/// Frames that wait behind a long turn, from which on a connection counts as bringing much: who types has one or two, of which one
/// acknowledges.
pub(crate) const BULK_WAITING: usize = 4;
/// Bytes of rows read at once to open a document: some thousands of keystrokes, which take ten milliseconds, and nobody
/// else's turn is later than that.
pub(crate) const LOAD_BYTES: usize = 4 << 10;
/// Bytes of rows read at once for a peer, or to remove them.
pub(crate) const READ_BYTES: usize = 256 << 10;
/// Bytes that the documents in memory may take, unless the application says otherwise: some large ones, or ten thousand
/// small ones.
pub const OPEN_BYTES: usize = 256 << 20;
/// What an open document takes when it is empty, about: Automerge's tables, and ours.
pub(crate) const DOCUMENT_BYTES: usize = 16 << 10;
/// What each of its changes takes, about, beside its operations and what they hold.
pub(crate) const CHANGE_BYTES: usize = 600;
/// What each of its operations takes, about, in Automerge and in our index.
pub(crate) const OPERATION_BYTES: usize = 64;
/// Documents looked at in one tick to be closed.
pub(crate) const CLOSED_AT_ONCE: usize = 64;
/// Documents that are opened at the same time: each may take as much memory as it likes until it is open.
pub(crate) const LOADS_MAX: usize = 32;
/// Bytes of messages of one connection that may wait for documents to be opened: its window, and a frame more.
pub(crate) const PARKED_BYTES_MAX: usize = 8 << 20;
/// What a message counts there beside its contents.
pub(crate) const PARKED_MESSAGE_BYTES: usize = 256;
/// Things that a peer could have checked itself, before its connection is closed.
pub(crate) const FAULTS_MAX: u32 = 32;
/// Milliseconds that a join may take before it is given up.
pub(crate) const JOIN_MS: u64 = 10_000;
/// Milliseconds before a failed commit is tried again.
pub(crate) const STORE_RETRY_MS: u64 = 500;
/// Milliseconds before the first attempt to reach a peer again; doubled each time.
pub(crate) const REDIAL_MS: u64 = 100;
/// Milliseconds between attempts at most.
pub(crate) const REDIAL_MS_MAX: u64 = 30_000;
/// Milliseconds after which a side that dropped changes for want of room asks again; doubled each time.
pub(crate) const ASK_AGAIN_MS: u64 = 1000;
/// How often that is doubled at most.
pub(crate) const ASK_AGAIN_DOUBLED: u32 = 5;
/// Milliseconds within which two connections with a peer, one from each side, count as dialled at the same time.
pub(crate) const SIMULTANEOUS_MS: u64 = 2000;
/// Milliseconds after which a connected peer that did not have a document is asked for it again.
pub(crate) const ASK_LATER_MS: u64 = 10_000;
/// Milliseconds after which rows that could not be read, or were on the move, are read again.
pub(crate) const READ_AGAIN_MS: u64 = 100;
/// Milliseconds that a document which is new here is gathered after its last change came, before readers see a part of it.
pub(crate) const WHOLE_MS: u64 = 3000;
/// Changes of a new document from which on it is stored first and then shown.
pub(crate) const SHOWN_UNSTORED: usize = 2000;
/// Milliseconds that it is gathered at most.
pub(crate) const WHOLE_MS_MAX: u64 = 15_000;
/// Operations that Automerge walks in a millisecond, on a machine of 2025.
pub(crate) const WALKED_IN_A_MS: u64 = 5000;
/// Rest after showing what took a walk, as a multiple of the time that the walk took.
pub(crate) const RESTS: u64 = 4;
/// The same for a part of a long history that a peer was asked for, while the rest of it comes: to show a thousand changes
/// walks through all that is shown.
pub(crate) const RESTS_GATHERING: u64 = 50;
/// Operations shown at once that people may have typed while there was rest. When more are shown there is no rest, but the
/// connection that brought them rests, for longer: they may keep nobody's keystroke from being shown.
pub(crate) const TYPED_OPERATIONS: usize = 64;
/// Milliseconds that taking in branches must have cost before there is rest from more.
pub(crate) const BRANCHED_MS_LEAST: u64 = 4;
/// Rest after branches were taken in, before more are, as a multiple of the time that it took: less than one in a hundred keystrokes
/// of others waits for it, on each of two nodes.
pub(crate) const RESTS_FROM_BRANCHES: u64 = 200;
/// The same where this node dialled: a peer that passes on what many wrote has rested itself, and must not fall behind.
pub(crate) const RESTS_FROM_BRANCHES_DIALLED: u64 = 8;
/// Branches taken in at once, those of peers that sent few first: each is one more name, and one more head for later edits.
pub(crate) const BRANCHES_AT_ONCE_MAX: usize = 32;
/// Milliseconds of that rest at most: others may have begun or forked in good faith.
pub(crate) const RESTS_FROM_BRANCHES_MS_MAX: u64 = 60_000;
/// Microseconds that a turn of a connection is to take, with all that follows from it: much less than it takes to store a
/// keystroke, which whoever waits for a turn waits for anyway.
pub(crate) const TURN_US: u64 = 1000;
/// Rest after a short turn, as a multiple of what it took: a tenth of the time at most goes to one connection.
pub(crate) const TURNS_REST: u64 = 9;
/// The same for a connection that this node dialled: somebody here wants what comes on it.
pub(crate) const TURNS_REST_DIALLED: u64 = 4;
/// The same for a connection of which little waits, less than [`BULK_WAITING`]: it waits for answers itself.
pub(crate) const LITTLE_RESTS: u64 = 1;
/// Microseconds up to which a turn is short: what others wait for it is lost among what disks and networks take. For one that
/// is longer, the rest as a multiple of what it took grows with the square of its length: whoever types notices one of
/// 8 ms, while on a slow machine all turns may take 3.
pub(crate) const SHORT_TURN_US: u64 = 2000;
/// The same for a connection of which little waits.
pub(crate) const LITTLE_SHORT_TURN_US: u64 = 4000;
/// The same for a connection that this node dialled: a thousand changes of a long history that somebody waits for.
pub(crate) const DIALLED_SHORT_TURN_US: u64 = 5000;
/// Rest after the longest turns, as a multiple of what they took: less than one in a hundred keystrokes of others meets one,
/// here or where it is passed on to.
pub(crate) const RESTS_MOST: u64 = 200;
/// The same for a connection that this node dialled: a peer that passes on what many wrote must not fall behind for one.
pub(crate) const RESTS_MOST_DIALLED: u64 = 20;
/// Microseconds that other threads have with a frame, however short, until the engine has it, and bytes for which they
/// have one more: measured at 120,000 short frames a second, rounded up.
pub(crate) const CARRIED_US: u64 = 20;
pub(crate) const CARRIED_BYTES_A_US: u64 = 200;
/// Microseconds that a connection rests at most.
pub(crate) const REST_MOST_US: u64 = 60_000_000;
/// Microseconds for which a connection counts as active after its turn, and others rest for its sake.
pub(crate) const ACTIVE_US: u64 = 1_000_000;
/// Microseconds that newcomers rest at most, if others left with long turns that they had not paid for: new names cost
/// nothing, but honest newcomers wait as well.
pub(crate) const NEWCOMERS_REST_US: u64 = 2_000_000;
/// Changes after which a document's snapshot is renewed: to read them again takes some 10 ms, about what it takes to
/// write and read the snapshot of a small document.
pub const SNAPSHOT_CHANGES: u32 = 2000;
/// A larger document's snapshot is renewed after this part of its changes: to read those again adds little to opening
/// it, and each change is then saved some 30 times until the document is twice as large.
pub(crate) const SNAPSHOT_SHARE: u32 = 32;
/// That part of them for a document that is closed, and of the number for small ones: it may be long until it is written
/// again, and is opened at least once.
pub(crate) const REST_SHARE: u32 = 256;
pub(crate) const REST_PART: u32 = 4;
/// Changes of a document from which on nobody is to wait while its picture is taken, which copies it: some 2 ms for so many.
pub(crate) const CALM_CHANGES: u32 = 10_000;
/// Milliseconds after an edit for which such a picture waits: people pause. Who never does waits when twice as much is new.
pub(crate) const CALM_MS: u64 = 300;
/// Operations left to a session below which another is begun.
pub(crate) const SESSION_RESERVE: u32 = 131_072;
/// Kinds of refusals counted apart.
pub(crate) const REFUSALS_MAX: usize = 64;
/// Milliseconds within which a new connection must say hello.
pub(crate) const HELLO_MS: u64 = 5000;
