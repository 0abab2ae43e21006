//! What changes cite: each path by each author is looked at once, however many changes cite it.

use pistol_core::id::{AuthorityId, DocumentId};
use pistol_core::key::AuthorId;

use crate::charter::{Charter, Policy};
use crate::log::{Logs, Ordinal};
use crate::path::{Height, Naming, Refusal, Standing, Unsettled, resolve};
use crate::record::{Action, LogId, Mode, Role, Subject};
use crate::rulings::{Fault, Rulings};

/// What a change rests on, for ever.
#[derive(Clone, Debug)]
pub(crate) enum Basis {
    /// The release of the document.
    Release,
    /// A path from a root, or none where anyone may write.
    Standing(Standing),
}

impl Basis {
    /// Follows what a change cites, and holds it against the policy.
    pub(crate) fn of(
        logs: &Logs,
        document: &DocumentId,
        author: &AuthorId,
        authority: &[AuthorityId],
    ) -> Result<Basis, Unsettled> {
        let charter = logs.charter(document)?;
        if let [only] = authority {
            let cited = logs.find_all(&[*only])?;
            let entry = cited.first().and_then(|ordinal| logs.entry(*ordinal));
            if entry.is_some_and(|entry| entry.op().action == Action::Release && entry.op().log == *document) {
                return Ok(Basis::Release);
            }
        }
        let standing = resolve(logs, document, author, authority)?;
        let is_writer = standing.role >= Role::Writer;
        let may_write = match charter.policy {
            policy if policy.is_open() => true,
            Policy::Owned => standing.root.is_some() && is_writer,
            _ => is_writer && !standing.is_stranger(),
        };
        if may_write { Ok(Basis::Standing(standing)) } else { Err(Refusal::Policy.into()) }
    }
}

/// A path by an author, and what it is worth as the logs stand.
#[derive(Clone, Debug)]
pub(crate) struct Cited {
    pub(crate) basis: Basis,
    author: AuthorId,
    /// Why its changes are not active, if they are not.
    pub(crate) fault: Option<Fault>,
    /// Every revocation that acts on it, if that is the only fault: a change that all of them keep is active.
    pub(crate) revoked: Vec<Ordinal>,
    /// The `Exact` revocations that purge its changes, but for what they keep.
    pub(crate) purges: Vec<Ordinal>,
}

impl Cited {
    pub(crate) fn new(basis: Basis, author: AuthorId, document: &DocumentId, logs: &Logs, rulings: &Rulings) -> Self {
        let mut cited = Cited { basis, author, fault: None, revoked: Vec::new(), purges: Vec::new() };
        cited.weigh(document, logs, rulings);
        cited
    }

    pub(crate) fn is_active(&self) -> bool {
        self.fault.is_none()
    }

    /// Judges it by the logs as they stand.
    pub(crate) fn weigh(&mut self, document: &DocumentId, logs: &Logs, rulings: &Rulings) {
        self.fault = None;
        self.revoked.clear();
        self.purges.clear();
        let (Basis::Standing(standing), Ok(charter)) = (&self.basis, logs.charter(document)) else { return };
        let is_exact = |by: &Ordinal| {
            let action = logs.entry(*by).map(|entry| &entry.op().action);
            matches!(action, Some(Action::Revoke { mode: Mode::Exact, .. }))
        };
        let banned = banned_in_space(charter, logs, &self.author, standing);
        let namings = standing.namings.iter().chain(&banned);
        self.purges = namings.flat_map(|naming| rulings.acting(logs, naming)).filter(is_exact).collect();
        self.purges.sort_unstable();
        self.purges.dedup();
        if charter.policy.is_open() {
            return;
        }
        self.fault = rulings.inactive(logs, standing);
        if matches!(self.fault, Some(Fault::Revoked(_))) {
            self.revoked = standing.namings.iter().flat_map(|naming| rulings.acting(logs, naming)).collect();
            self.revoked.sort_unstable();
            self.revoked.dedup();
        }
    }
}

/// How the document's space knows an author whom the path does not name there: bans are written in its log.
fn banned_in_space(charter: &Charter, logs: &Logs, author: &AuthorId, standing: &Standing) -> Vec<Naming> {
    let Some((space, _)) = &charter.space else { return Vec::new() };
    let Ok(space) = logs.charter(space) else { return Vec::new() };
    if standing.namings.iter().any(|naming| naming.log == space.log) {
        return Vec::new();
    }
    let is_root = space.is_root(author) || standing.root.is_some_and(|root| space.is_root(&root));
    let height = if is_root { Height::ROOT } else { Height::STRANGER };
    let naming = |subject: Subject, log: LogId| Naming { subject, log, hop: None, height };
    let identity = standing.identity.map(|identity| naming(Subject::Identity(identity), space.log));
    identity.into_iter().chain([naming(Subject::Key(*author), space.log)]).collect()
}
