//! What changes cite: each path by each author is looked at once, however many changes cite it.

use pistol_core::id::{AuthorityId, DocumentId};
use pistol_core::key::AuthorId;

use crate::charter::{Charter, Kind, Policy};
use crate::log::{Logs, Ordinal};
use crate::path::{Naming, Refusal, STRANGER, Standing, Unsettled, resolve};
use crate::record::{Action, Mode, Role, Subject};
use crate::rulings::{Fault, Rulings, may_vouch};

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
        // A log of its own has no content.
        if charter.kind != Kind::Document {
            return Err(Refusal::Policy.into());
        }
        if let [only] = authority {
            let cited = logs.find_all(&[*only])?;
            let entry = cited.first().and_then(|ordinal| logs.entry(*ordinal));
            if entry.is_some_and(|entry| entry.op().action == Action::Release && entry.op().log == *document) {
                return Ok(Basis::Release);
            }
        }
        may_write(charter, logs, author, authority).map(Basis::Standing)
    }
}

/// What an author stands on, if the policy lets it write into a document, or add documents to a space.
pub(super) fn may_write(
    charter: &Charter,
    logs: &Logs,
    author: &AuthorId,
    authority: &[AuthorityId],
) -> Result<Standing, Unsettled> {
    let standing = resolve(logs, &charter.log, author, authority)?;
    let is_writer = standing.role >= Role::Writer && !standing.is_stranger();
    let may_write = match charter.policy {
        policy if policy.is_open() => true,
        Policy::Owned => standing.level == 0 && is_writer,
        _ => is_writer,
    };
    if may_write { Ok(standing) } else { Err(Refusal::Policy.into()) }
}

/// A path by an author, and what it is worth as the logs stand.
#[derive(Clone, Debug)]
pub(crate) struct Cited {
    pub(crate) basis: Basis,
    author: AuthorId,
    /// Why its changes are not active, if they are not.
    pub(crate) fault: Option<Fault>,
    /// Every revocation that acts on it, if nothing else is wrong: a change that all of them keep is active.
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
        self.purges = purging(charter, logs, rulings, &self.author, standing);
        if charter.policy.is_open() {
            return;
        }
        self.fault = rulings.inactive(logs, *document, standing);
        if rulings.broken(*document, standing).is_none() {
            self.revoked = standing.namings.iter().flat_map(|naming| rulings.acting(logs, naming)).collect();
            self.revoked.sort_unstable();
            self.revoked.dedup();
        }
    }
}

/// The `Exact` revocations by Admins in the log itself that purge what an author wrote along a path. Those in other logs do
/// not: an author could erase what others built on it by revoking its own device.
pub(super) fn purging(
    charter: &Charter,
    logs: &Logs,
    rulings: &Rulings,
    author: &AuthorId,
    standing: &Standing,
) -> Vec<Ordinal> {
    let is_exact = |by: &Ordinal| {
        logs.entry(*by)
            .is_some_and(|by| may_vouch(by) && matches!(&by.op().action, Action::Revoke { mode: Mode::Exact, .. }))
    };
    let here = standing.namings.iter().filter(|naming| naming.log == charter.log).copied();
    let namings = here.chain(bannable(charter, author, standing));
    let mut purging = Vec::new();
    for naming in namings {
        purging.extend(rulings.acting(logs, &naming).filter(is_exact));
    }
    purging.sort_unstable();
    purging.dedup();
    purging
}

/// Where anyone may write, a ban names who writes without a grant: by key or identity, roots apart.
fn bannable(charter: &Charter, author: &AuthorId, standing: &Standing) -> Vec<Naming> {
    if !charter.policy.is_open() || standing.level == 0 || charter.is_root(author) {
        return Vec::new();
    }
    let identity = standing.identity.map(Subject::Identity);
    let subjects = [Some(Subject::Key(*author)), identity].into_iter().flatten();
    let is_named =
        |subject: &Subject| standing.namings.iter().any(|named| named.log == charter.log && named.subject == *subject);
    let naming = |subject| Naming { subject, log: charter.log, hop: None, level: STRANGER };
    subjects.filter(|subject| !is_named(subject)).map(naming).collect()
}
