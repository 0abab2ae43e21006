//! Who *may* change what, decided alike by every replica from what it holds and nothing else.
//!
//! It is deliberately not: a look into documents, a network, a store, or a clock. A change that the validator of
//! `pistol-core` passed is judged here (rule V8), and becomes [`Admitted`].
//!
//! [`judge`] is the one of documents without members, down to the entry: what a first writer wrote is theirs.
//!
//! [`Access`] is the judge of documents with members: from the operations of access logs and summaries of changes it finds
//! the accepted set. `docs/access.md` states the rules.
//!
//! Architecture Invariant: `Admitted` is made by [`judge`] and [`Access::admit`] only, and only an admitted change enters a history.
//!
//! Architecture Invariant: what is accepted is a function of the set of operations and changes, never of their order.

mod accept;
mod access;
mod admit;
mod charter;
mod depends;
mod explain;
mod first_writer;
pub mod limits;
mod log;
mod members;
mod names;
mod path;
pub mod record;
mod release;
mod rulings;
mod search;
mod words;

pub use accept::{Added, Addition, News, Place, Places, Summary};
pub use access::{Access, Loss, State};
pub use admit::Unready;
pub use charter::{Charter, Kind, Policy as AccessPolicy};
pub use depends::Need;
pub use explain::Reason;
pub use first_writer::{Foreign, Law};
pub use log::{Held, Woken};
pub use members::{Member, NoPower};
pub use names::{Claim, Claimant, Naming, NotAName, SpaceName};
pub use path::Refusal;
pub use record::SignedOp;
pub use release::{ReleaseError, Released, verify_release};
pub use words::{rules, why_accepted};

use pistol_core::document::EditError;
use pistol_core::genesis::{Genesis, Policy};
use pistol_core::key::AuthorId;
use pistol_core::validate::{History, Rule, Valid};

/// A change that its author may make.
#[derive(Debug)]
pub struct Admitted(Valid);

impl Admitted {
    /// The change, to be taken into its history.
    pub fn into_valid(self) -> Valid {
        self.0
    }
}

/// A change that its author may not make.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Denied {
    /// The policy lets this author write nothing.
    #[error("the document's policy does not let this author write here; ask one of its roots to make the change")]
    Stranger,
    /// The document has members: who may write there, its log of operations says, and [`Access`] knows.
    #[error("only this document's log of operations says who may write here; open the document to ask it")]
    Members,
    /// The change cites an authority, and documents of first writers know none.
    #[error("the change cites an authority, and in this document nobody has any; write it without")]
    Cites,
    /// What it touches is somebody else's.
    #[error(transparent)]
    Foreign(#[from] Foreign),
}

impl Denied {
    /// The rule, as peers tell each other of it.
    pub fn rule(&self) -> Rule {
        match self {
            Denied::Stranger | Denied::Members | Denied::Cites => Rule::Policy,
            Denied::Foreign(_) => Rule::FirstWriter,
        }
    }
}

/// Whether a key may change anything in a document without members; in one with members [`Access::path`] says.
pub fn may_edit(genesis: &Genesis, author: &AuthorId) -> bool {
    match genesis.terms().policy {
        Policy::WorldWritable | Policy::FirstWriter { .. } => true,
        Policy::Owned => genesis.terms().roots.contains(author),
        _ => false,
    }
}

/// Rule V8: whether a document's policy lets a change's author make it. It depends on the genesis, the change, and who wrote
/// what the change names, so every replica says the same.
///
/// # Errors
/// [`Denied`].
pub fn check(history: &History, valid: &Valid) -> Result<(), Denied> {
    let (genesis, change) = (history.genesis(), valid.change().change());
    if genesis.terms().policy == Policy::Members {
        return Err(Denied::Members);
    }
    if !may_edit(genesis, &change.author) {
        return Err(Denied::Stranger);
    }
    if matches!(genesis.terms().policy, Policy::FirstWriter { .. }) && !change.authority.is_empty() {
        return Err(Denied::Cites);
    }
    Ok(first_writer::check(history, valid)?)
}

/// Judges a valid change by the document's policy, as [`check`] does.
///
/// # Errors
/// The rule of what [`check`] finds.
pub fn judge(history: &History, valid: Valid) -> Result<Admitted, Rule> {
    check(history, &valid).map_err(|denied| denied.rule())?;
    Ok(Admitted(valid))
}

/// The judge of edits: what others would refuse is not made.
///
/// # Errors
/// [`EditError::NotYours`] or [`EditError::Refused`].
pub fn allow(history: &History, valid: &Valid) -> Result<(), EditError> {
    check(history, valid).map_err(|denied| match denied {
        Denied::Foreign(foreign) => EditError::NotYours { what: foreign.to_string(), owner: foreign.owner },
        denied => EditError::Refused(denied.rule()),
    })
}
