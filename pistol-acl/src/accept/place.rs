//! Whether a document has its place in its space. Its contents are not looked at: a space decides by its own log.

use pistol_core::id::AuthorityId;

use crate::charter::{Charter, Policy};
use crate::log::{Logs, Ordinal};
use crate::path::{Refusal, Standing, Unsettled, resolve};
use crate::record::{Action, LogId, Mode, Role};
use crate::rulings::{Fault, Rulings};

/// The place of a document in its space.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// What the genesis says is not known yet.
    Unknown,
    /// It stands by itself, or belongs to its space.
    Here,
    /// The space, or what the genesis cites there, is not known.
    Pending(Vec<[u8; 32]>),
    /// Its creator may not add documents.
    Refused(Refusal),
    /// Its creator was revoked, and no operation keeps it.
    Masked(Fault),
    /// The space's owner removed it.
    Removed(Ordinal),
}

impl Place {
    pub(crate) fn is_here(&self) -> bool {
        *self == Place::Here
    }

    /// Where a document stands.
    pub(crate) fn of(document: &LogId, logs: &Logs, rulings: &Rulings) -> Place {
        let Ok(charter) = logs.charter(document) else { return Place::Unknown };
        let Some((space, path)) = &charter.space else { return Place::Here };
        if rulings.is_released(document) {
            return Place::Here;
        }
        let standing = match may_add(charter, space, path, logs) {
            Ok(standing) => standing,
            Err(Unsettled::Missing(missing)) => return Place::Pending(missing),
            Err(Unsettled::Refused(refusal)) => return Place::Refused(refusal),
        };
        if rulings.is_released(space) {
            return Place::Here;
        }
        let removes = |action: &Action| *action == Action::RemoveDocument { document: *document };
        if let Some(by) = valid(space, logs, rulings).find(|by| action(logs, *by).is_some_and(removes)) {
            return Place::Removed(by);
        }
        let is_open = logs.charter(space).is_ok_and(|space| space.policy.is_open());
        let banned = || exact(logs, rulings, &standing);
        let fault = if is_open { banned().map(Fault::Revoked) } else { rulings.inactive(logs, &standing) };
        match fault {
            Some(fault) if !is_kept(document, charter, space, &standing, logs, rulings) => Place::Masked(fault),
            _ => Place::Here,
        }
    }
}

/// What the creator stands on in the space, if that lets it add documents.
fn may_add(charter: &Charter, space: &LogId, path: &[AuthorityId], logs: &Logs) -> Result<Standing, Unsettled> {
    let policy = logs.charter(space)?.policy;
    let standing = resolve(logs, space, &charter.creator, path)?;
    let is_writer = standing.role >= Role::Writer;
    let may_add = match policy {
        policy if policy.is_open() => true,
        Policy::Owned => standing.root.is_some() && is_writer,
        _ => is_writer && !standing.is_stranger(),
    };
    if may_add { Ok(standing) } else { Err(Refusal::Policy.into()) }
}

fn action(logs: &Logs, by: Ordinal) -> Option<&Action> {
    logs.entry(by).map(|entry| &entry.op().action)
}

fn valid<'a>(space: &'a LogId, logs: &'a Logs, rulings: &'a Rulings) -> impl Iterator<Item = Ordinal> + 'a {
    logs.of_log(space).map(|(ordinal, _)| ordinal).filter(|ordinal| rulings.is_valid(*ordinal))
}

fn exact(logs: &Logs, rulings: &Rulings, standing: &Standing) -> Option<Ordinal> {
    let is_exact = |by: &Ordinal| matches!(action(logs, *by), Some(Action::Revoke { mode: Mode::Exact, .. }));
    standing.namings.iter().flat_map(|naming| rulings.acting(logs, naming)).find(is_exact)
}

/// Whether an operation in the space's log keeps the document: heads kept, a checkpoint, another member's acknowledgement.
fn is_kept(
    document: &LogId,
    charter: &Charter,
    space: &LogId,
    creator: &Standing,
    logs: &Logs,
    rulings: &Rulings,
) -> bool {
    valid(space, logs, rulings).filter_map(|ordinal| logs.entry(ordinal)).any(|entry| {
        let is_other = entry.op().author != charter.creator
            && (entry.standing.identity.is_none() || entry.standing.identity != creator.identity);
        match &entry.op().action {
            Action::Checkpoint(heads) => heads.document == *document && is_other,
            Action::Revoke { keep, .. } => keep.changes.iter().any(|heads| heads.document == *document),
            _ => false,
        }
    })
}
