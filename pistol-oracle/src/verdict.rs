//! What the oracle says, and which rule says so.

use crate::first_writer::Rule;
use crate::world::{ChangeId, LogId, OperationId};

/// What is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Missing {
    /// A genesis.
    Log(LogId),
    /// A cited or preceding operation, or one that it waits for in turn.
    Operation(OperationId),
    /// A change that another follows on, or one that it waits for in turn.
    Change(ChangeId),
}

/// Why an operation, or the path of a change, is not valid. The last three depend on the whole set; all others are final.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// The signature does not verify.
    BadSignature,
    /// `prev` names an operation of another log.
    PrevElsewhere,
    /// The path has more than four hops.
    PathTooLong,
    /// The path leads through more than two groups or spaces.
    NestedTooDeep,
    /// A hop does not lead from the one before to the one after.
    PathBroken,
    /// The path begins at no root of the log.
    NotARoot,
    /// A hop lies in a log on which this log's operations may not rest.
    PathThroughPeers,
    /// The path gives a role that does not suffice.
    RoleTooLow,
    /// No such operation in logs of this kind, or no such subject.
    NotInThisLog,
    /// The genesis forbids release.
    NotReleasable,
    /// Its past holds too many operations of its author.
    QuotaExceeded,
    /// The operations of its author in its past take too many bytes.
    BytesExceeded,
    /// A hop is not valid.
    Hop(OperationId),
    /// A revocation strikes a subject of the path.
    Revoked(OperationId),
    /// The root gave up, and this is not in the past of that.
    Relinquished(OperationId),
}

/// What becomes of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It counts.
    Valid,
    /// It does not count.
    Invalid(Fault),
    /// It cannot be judged yet.
    Pending(Missing),
}

/// Why a change is rejected, for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// One of V1 to V6.
    Structure,
    /// It follows on a rejected change.
    RejectedDep(ChangeId),
    /// It belongs to something that is no document.
    NotADocument,
    /// It follows on a change of another document.
    DepElsewhere(ChangeId),
    /// V7: the path.
    Authority(Fault),
    /// V8: ownership inside the document.
    FirstWriter(Rule),
}

/// Why a change is accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// The policy asks for no grant.
    NoGrantNeeded,
    /// Its path is active.
    ActivePath,
    /// The document was released.
    Released(OperationId),
    /// A checkpoint or a revocation by one who may write checkpoints names it.
    Named(OperationId),
    /// It is in the past of this change, which stands by itself.
    EndorsedBy(ChangeId),
}

/// Why a change is masked, or a document is not in its space.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mask {
    /// The path is not active.
    Inactive(Fault),
    /// An exact revocation purges it.
    Purged(OperationId),
    /// An exact revocation purges this change of its past.
    OnPurged(ChangeId, OperationId),
    /// The space removed the document.
    Removed(OperationId),
}

/// What becomes of a change; or of a document in its space.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Never, for anybody.
    Rejected(Why),
    /// Not yet.
    Pending(Missing),
    /// Not now.
    Masked(Mask),
    /// Yes.
    Accepted(Standing),
}
