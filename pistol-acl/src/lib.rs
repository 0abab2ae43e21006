//! Who *may* change what, decided alike by every replica from what it holds and nothing else.
//!
//! It is deliberately not: a look into documents, a network, a store, or a clock. A change that the validator of
//! `pistol-core` passed is judged here (rule V8), and becomes [`Admitted`].
//!
//! [`Access`] is the judge of documents with members: from the operations of access logs and summaries of changes it finds
//! the accepted set. `docs/access.md` states the rules. The engine does not ask it yet.
//!
//! Architecture Invariant: `Admitted` is made by [`judge`] only, and only an admitted change enters a history.
//!
//! Architecture Invariant: what is accepted is a function of the set of operations and changes, never of their order.

mod accept;
mod access;
mod charter;
mod explain;
pub mod limits;
mod log;
mod path;
pub mod record;
mod release;
mod rulings;

pub use accept::{Added, Place, Summary};
pub use access::{Access, Loss, State};
pub use charter::{Charter, Kind, Policy as AccessPolicy};
pub use explain::Reason;
pub use log::{Held, Woken};
pub use path::Refusal;
pub use record::SignedOp;
pub use release::{ReleaseError, Released, verify_release};

use pistol_core::genesis::{Genesis, Policy};
use pistol_core::key::AuthorId;
use pistol_core::validate::{Rule, Valid};

/// A change that its author may make.
#[derive(Debug)]
pub struct Admitted(Valid);

impl Admitted {
    /// The change, to be taken into its history.
    pub fn into_valid(self) -> Valid {
        self.0
    }
}

/// Whether a key may change a document: the same rule that [`judge`] applies to changes.
pub fn may_edit(genesis: &Genesis, author: &AuthorId) -> bool {
    match genesis.terms().policy {
        Policy::WorldWritable => true,
        Policy::Owned => genesis.terms().roots.contains(author),
        _ => false,
    }
}

/// Judges a valid change by the document's policy.
///
/// # Errors
/// [`Rule::Policy`] if the policy does not let the author write here; every replica says the same.
pub fn judge(genesis: &Genesis, valid: Valid) -> Result<Admitted, Rule> {
    let author = valid.change().change().author;
    if may_edit(genesis, &author) { Ok(Admitted(valid)) } else { Err(Rule::Policy) }
}
