//! Which actions a standing permits. Revocation is not looked at: this is final.

use crate::charter::{Charter, Kind};
use crate::path::{Refusal, Standing};
use crate::record::{AclOp, Action, Role, Subject};

/// Whether an author who stands so may write such an operation into such a log.
pub(super) fn permits(charter: &Charter, standing: &Standing, op: &AclOp) -> Result<(), Refusal> {
    let is_admin = standing.role == Role::Admin && !standing.is_stranger();
    let is_writer = standing.role >= Role::Writer && !standing.is_stranger();
    let is_root = is_admin && standing.root.is_some();
    let (is_powerful, fits) = match &op.action {
        Action::Grant { to, .. } => (is_admin, may_name(charter.kind, to)),
        Action::Revoke { who, .. } => (is_admin || (standing.is(&op.author, who) && !standing.is_stranger()), true),
        Action::Checkpoint(heads) if heads.heads.is_empty() => (is_writer, charter.kind == Kind::Space),
        Action::Checkpoint(_) => (is_admin, matches!(charter.kind, Kind::Space | Kind::Document)),
        Action::AddRoot { .. } | Action::Relinquish => (is_root, true),
        Action::Successor { .. } => (is_root, matches!(charter.kind, Kind::Space | Kind::Document)),
        Action::Release => (is_root, charter.is_releasable),
        Action::RemoveDocument { .. } => (is_root, charter.kind == Kind::Space),
        Action::Name { .. } => (standing.role >= Role::Writer, charter.kind == Kind::Space),
        Action::Witness { names } if names.is_empty() => (!standing.is_stranger(), true),
        Action::Witness { .. } => (is_admin, charter.kind == Kind::Space),
    };
    match (fits, is_powerful) {
        (false, _) => Err(Refusal::Misplaced),
        (true, false) => Err(Refusal::Role),
        (true, true) => Ok(()),
    }
}

/// Identities certify keys only, and nothing names what is greater than itself.
fn may_name(kind: Kind, to: &Subject) -> bool {
    match to {
        Subject::Key(_) => true,
        Subject::Identity(_) | Subject::Group(_) => kind > Kind::Identity,
        Subject::Space(_) => kind > Kind::Space,
    }
}
