//! Which actions a standing permits. Revocation is not looked at: this is final.

use crate::charter::{Charter, Kind};
use crate::path::{Refusal, Standing};
use crate::record::{AclOp, Action, Role, Subject};

/// Whether an author who stands so may write such an operation into such a log.
pub(super) fn permits(charter: &Charter, standing: &Standing, op: &AclOp) -> Result<(), Refusal> {
    let is_admin = standing.role == Role::Admin && !standing.is_stranger();
    let is_writer = standing.role >= Role::Writer && !standing.is_stranger();
    let is_root = is_admin && standing.level == 0;
    // A stolen device must not make roots for ever, nor whether a root exists depend on revocations elsewhere.
    let is_roots_own_key = is_root && standing.identity.is_none();
    let (is_powerful, fits) = match &op.action {
        Action::Grant { to, .. } => (is_admin, may_name(charter.kind, to)),
        Action::Revoke { who, .. } => (is_admin || (standing.is(&op.author, who) && !standing.is_stranger()), true),
        Action::Checkpoint(heads) if heads.heads.is_empty() => (is_writer, charter.kind == Kind::Space),
        Action::Checkpoint(heads) => {
            (is_admin, charter.kind == Kind::Space || charter.kind == Kind::Document && heads.document == op.log)
        }
        Action::AddRoot { .. } | Action::Relinquish => (is_roots_own_key, true),
        Action::Successor { .. } => (is_root, matches!(charter.kind, Kind::Space | Kind::Document)),
        Action::Release => (is_root, charter.is_releasable && matches!(charter.kind, Kind::Space | Kind::Document)),
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
