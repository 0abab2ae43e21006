//! Every length and count of the access logs that somebody else can influence, with its reason.
//!
//! Those that decide validity are part of the protocol version; those that say "here" only delay, and what they leave out is owed.

/// Ids on a path of authority at most: a role, two groups, a device.
pub const PATH_MAX: usize = pistol_core::limits::AUTHORITY_MAX;
/// Direct predecessors of an operation at most; as many as a change may have.
pub const PREVIOUS_MAX: usize = 64;
/// Canonical bytes of an operation at most: kept heads with their tips are the largest part, and it must fit a frame.
pub const OPERATION_BYTES_MAX: usize = 256 << 10;
/// Documents, or spaces' documents, whose heads one operation keeps at most.
pub const KEPT_DOCUMENTS_MAX: usize = 1024;
/// Heads kept in one document at most; as many as a change may depend on.
pub const HEADS_MAX: usize = pistol_core::limits::DEPENDENCIES_MAX;
/// Tips beside kept heads at most: one for each head.
pub const TIPS_MAX: usize = HEADS_MAX;
/// Operations of other logs that a revocation keeps at most.
pub const KEPT_OPERATIONS_MAX: usize = 1024;
/// Bytes of a name at most: it is shown on one line.
pub const NAME_BYTES_MAX: usize = 128;
/// Digits of a claimant behind a name: so many are shown, and at least so many asked for.
pub const CLAIMANT_DIGITS: usize = 10;
/// Digits of a claimant at most: all of its id.
pub const CLAIMANT_DIGITS_MAX: usize = 52;
/// Names listed at once at most.
pub const NAMES_LISTED_MAX: usize = 1000;
/// Claims of one contested name that are listed at most: all others are counted, and found by their claimants' digits.
pub const CLAIMS_LISTED_MAX: usize = 64;
/// Claims that one witness confirms at most.
pub const WITNESSED_MAX: usize = 256;
/// Operations of one author in the past of another of its own at most.
pub const AUTHOR_OPERATIONS_MAX: usize = 10_000;
/// The same in the log of an identity, which every document of its devices depends on.
pub const AUTHOR_OPERATIONS_IN_IDENTITY_MAX: usize = 500;
/// Bytes of one author's operations in the past of another of its own at most: 64 of the largest, or a thousand revocations that
/// keep everything that a busy document has.
pub const AUTHOR_BYTES_MAX: u64 = 16 << 20;
/// The same in the log of an identity: 500 certificates take a tenth of it.
pub const AUTHOR_BYTES_IN_IDENTITY_MAX: u64 = 1 << 20;
/// Groups and spaces one inside the other at most.
pub const NESTING_MAX: usize = 2;
/// Other logs that a document's log leads to and that are looked for here at most: each is held by this node as a log of its own.
pub const LOGS_MAX: usize = 256;
/// How many grants, one after the other, lead from a log to the one that names a key at most.
pub const LOGS_DEPTH_MAX: usize = PATH_MAX - 1;
/// Grants that are looked at to find a path for somebody at most.
pub const SEARCHED_MAX: usize = 1024;
/// Lines of one author's operations in one log that are held here at most, unless others have built on more.
pub const FORKS_MAX: usize = 64;
/// Operations, and changes, that wait here for something unknown at most.
pub const WAITING_MAX: usize = 10_000;
/// Ids of refused operations and changes that are remembered here at most.
pub const REFUSED_MAX: usize = 65_536;
