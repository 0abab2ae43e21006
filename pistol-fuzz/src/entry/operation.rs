//! Operations of access logs, as peers send them and files hold them.

use pistol_acl::SignedOp;
use pistol_acl::record::{AclOp, Action, Heads, Keep, Mode, Role, Subject};
use pistol_core::id::{AuthorityId, ChangeId, DocumentId};
use pistol_core::key::{AuthorKey, Verifier};

use crate::chance::Chance;
use crate::finding::{Outcome, promise};
use crate::mutate::mutate;

/// Gives the bytes of an operation.
///
/// # Errors
/// [`crate::finding::Divergence`] if what is accepted is not what its author would write.
pub fn accepts(bytes: &[u8]) -> Outcome {
    let Ok(read) = SignedOp::verify(bytes, &mut Verifier::default()) else {
        return Ok(false);
    };
    promise(read.bytes() == bytes && SignedOp::id_of(bytes) == Some(read.id()), "an operation has two forms")?;
    Ok(true)
}

/// Honest operations.
pub fn seeds() -> Vec<Vec<u8>> {
    let (key, document) = (AuthorKey::from_seed(&[7; 32]), DocumentId([1; 32]));
    let who = Subject::Key(AuthorKey::from_seed(&[8; 32]).id());
    let heads = Heads { document, heads: vec![ChangeId([2; 32]), ChangeId([3; 32])], tips: vec![] };
    let keep = Keep { changes: vec![heads.clone()], operations: vec![AuthorityId([4; 32])] };
    let actions = [
        Action::Grant { to: who, role: Role::Writer },
        Action::Revoke { who, mode: Mode::Exact, cascade: false, keep },
        Action::Checkpoint(heads),
        Action::AddRoot { key: key.id() },
        Action::Name { name: "scores".to_owned(), target: document },
        Action::Witness { names: vec![AuthorityId([5; 32])] },
    ];
    let sign = |action| {
        let (proof, prev) = (vec![AuthorityId([6; 32])], vec![AuthorityId([7; 32]), AuthorityId([8; 32])]);
        let op = AclOp { log: document, author: key.id(), proof, prev, own: Some(1), action };
        SignedOp::sign(&key, &op).map(|signed| signed.bytes().to_vec())
    };
    actions.into_iter().filter_map(|action| sign(action).ok()).collect()
}

/// An honest operation, mutated.
pub(crate) fn mutated(chance: &mut Chance) -> Vec<u8> {
    let seeds = seeds();
    let mut bytes = chance.pick(&seeds).cloned().unwrap_or_default();
    let other = chance.pick(&seeds).cloned().unwrap_or_default();
    if !chance.one_in(10) {
        mutate(&mut bytes, &other, chance);
    }
    bytes
}

pub(super) fn run(chance: &mut Chance) -> Outcome {
    accepts(&mutated(chance))
}
