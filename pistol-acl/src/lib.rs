//! Who *may* change what, decided alike by every replica from the change and the genesis.
//!
//! It is deliberately not: a look into documents, a network, a store, or a clock. A change that the validator of
//! `pistol-core` passed is judged here (rule V8), and becomes [`Admitted`].
//!
//! Architecture Invariant: `Admitted` is made by [`judge`] only, and only an admitted change enters a history.

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
