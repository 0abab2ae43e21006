//! Proving a release without the document: from the genesis, the operations that its author stands on, and the release.

use pistol_core::id::AuthorityId;

use crate::charter::Charter;
use crate::log::{Held, Logs};
use crate::path::Refusal;
use crate::record::{Action, LogId, SignedOp};

/// A document or space that everybody may change for ever. It is made here only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Released {
    log: LogId,
    by: AuthorityId,
}

impl Released {
    /// What was released.
    pub fn log(&self) -> LogId {
        self.log
    }

    /// The operation that released it, which changes cite.
    pub fn by(&self) -> AuthorityId {
        self.by
    }
}

/// A release was not proved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReleaseError {
    /// The operation releases nothing, or something else.
    #[error("this operation does not release it; ask for the one that does")]
    NotARelease,
    /// The proof lacks something.
    #[error("the proof is not complete; ask for the operations that the release cites")]
    Incomplete,
    /// Its author was never a root, or it may not be released.
    #[error("it was not released: {0}")]
    Refused(Refusal),
}

/// Checks that a document or space was released. `charters` are its own and those of identities on the proof; `proof` holds
/// the operations that the release cites, and those that they cite, in any order.
///
/// No revocation is looked at: who ever was a root may release, so the answer is the same for everybody and for ever.
///
/// # Errors
/// [`ReleaseError`].
pub fn verify_release(charters: &[Charter], proof: &[SignedOp], release: &SignedOp) -> Result<Released, ReleaseError> {
    let log = release.op().log;
    let is_first = charters.first().is_some_and(|charter| charter.log == log);
    if release.op().action != Action::Release || !is_first {
        return Err(ReleaseError::NotARelease);
    }
    let mut logs = Logs::without_past();
    for charter in charters {
        logs.found(charter.clone());
    }
    for operation in proof {
        logs.hold(operation.clone());
    }
    match logs.hold(release.clone()) {
        Held::Entered(_) | Held::Known if logs.ordinal(&release.id()).is_some() => {
            Ok(Released { log, by: release.id() })
        }
        Held::Refused(refusal, _) => Err(ReleaseError::Refused(refusal)),
        _ => Err(ReleaseError::Incomplete),
    }
}
