//! Rule V8 in documents with members: whether a change may be taken in, as far as what it cites says for ever. Whether it is shown
//! is another question, which may be answered otherwise tomorrow.
//!
//! What cites something unknown is not kept here: whoever asks has room for it, bounded for each peer, and asks again.

use pistol_core::id::AuthorityId;
use pistol_core::validate::Valid;

use crate::Admitted;
use crate::accept::Summary;
use crate::access::Access;
use crate::path::{Refusal, Unsettled};
use crate::record::SignedOp;

/// A change, or an operation, that cannot be taken in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unready {
    /// It waits for one of these, which are not known: operations, changes or a genesis.
    Waiting(Vec<[u8; 32]>),
    /// It is refused, here and everywhere.
    Refused(Refusal),
}

impl From<Unsettled> for Unready {
    fn from(unsettled: Unsettled) -> Self {
        match unsettled {
            Unsettled::Missing(missing) => Unready::Waiting(missing),
            Unsettled::Refused(refusal) => Unready::Refused(refusal),
        }
    }
}

impl Access {
    /// Whether a change may be taken in.
    ///
    /// # Errors
    /// [`Unready`].
    pub fn look(&self, summary: &Summary) -> Result<(), Unready> {
        self.changes.examine(summary, &self.logs).map(|_| ()).map_err(Unready::from)
    }

    /// Whether an operation may be taken in.
    ///
    /// # Errors
    /// [`Unready`].
    pub fn look_at_operation(&self, signed: &SignedOp) -> Result<(), Unready> {
        self.logs.examine(signed.op()).map(|_| ()).map_err(Unready::from)
    }

    /// Takes in a valid change, which is then to enter its history.
    ///
    /// # Errors
    /// [`Unready`]; nothing is kept of it then.
    pub fn admit(&mut self, valid: Valid) -> Result<Admitted, Unready> {
        let summary = Summary::of(valid.change());
        self.look(&summary)?;
        self.add(summary);
        Ok(Admitted(valid))
    }

    /// Whether an operation is in its log.
    pub fn holds(&self, operation: &AuthorityId) -> bool {
        self.logs.ordinal(operation).is_some()
    }
}
