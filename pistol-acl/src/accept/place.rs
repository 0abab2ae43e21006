//! Whether a document has its place in its space. Its contents are not looked at: a space decides by its own log, and what
//! is accepted in the document does not change with it.

use pistol_core::id::AuthorityId;

use super::cited::{may_write, purging};
use crate::charter::{Charter, Kind};
use crate::log::{Entry, Logs, Ordinal};
use crate::path::{Refusal, Standing, Unsettled};
use crate::record::{Action, LogId};
use crate::rulings::{Fault, Rulings, may_vouch};

/// The place of a document in its space.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Place {
    /// What the genesis says is not known yet.
    Unknown,
    /// It stands by itself.
    NoSpace,
    /// It is one of the space's.
    Here,
    /// The space, or what the genesis cites there, is not known.
    Pending(Vec<[u8; 32]>),
    /// Its creator may not add documents.
    Refused(Refusal),
    /// Its creator's path counts no more because of this operation, and none keeps the document.
    Masked(AuthorityId),
    /// The space's owner removed it.
    Removed(AuthorityId),
}

impl Place {
    /// Where a document stands.
    pub(crate) fn of(document: &LogId, logs: &Logs, rulings: &Rulings) -> Place {
        let Ok(charter) = logs.charter(document) else { return Place::Unknown };
        let Some((space, path)) = &charter.space else { return Place::NoSpace };
        let standing = match may_add(charter, space, path, logs) {
            Ok(standing) => standing,
            Err(Unsettled::Missing(missing)) => return Place::Pending(missing),
            Err(Unsettled::Refused(refusal)) => return Place::Refused(refusal),
        };
        let Ok(space) = logs.charter(space) else { return Place::Unknown };
        let room = Room { document, charter, space, standing: &standing, logs, rulings };
        if rulings.is_released(&space.log) {
            return Place::Here;
        }
        if let Some(by) = room.removed() {
            return Place::Removed(by);
        }
        let is_open = space.policy.is_open();
        let fault = room.purged().or_else(|| if is_open { None } else { room.fault() });
        fault.and_then(|fault| logs.entry(fault)).map_or(Place::Here, |fault| Place::Masked(fault.signed.id()))
    }
}

/// What the creator stands on in the space, if that lets it add documents.
fn may_add(charter: &Charter, space: &LogId, path: &[AuthorityId], logs: &Logs) -> Result<Standing, Unsettled> {
    let space = logs.charter(space)?;
    if space.kind != Kind::Space {
        return Err(Refusal::Misplaced.into());
    }
    may_write(space, logs, &charter.creator, path)
}

struct Room<'a> {
    document: &'a LogId,
    charter: &'a Charter,
    space: &'a Charter,
    /// What the document's creator stands on.
    standing: &'a Standing,
    logs: &'a Logs,
    rulings: &'a Rulings,
}

impl Room<'_> {
    fn valid(&self) -> impl Iterator<Item = &Entry> {
        self.logs.of_log(&self.space.log).filter(|(by, _)| self.rulings.is_valid(*by)).map(|(_, entry)| entry)
    }

    fn removed(&self) -> Option<AuthorityId> {
        let removal = Action::RemoveDocument { document: *self.document };
        self.valid().find(|entry| entry.op().action == removal).map(|entry| entry.signed.id())
    }

    /// The ban of the creator that does not keep the document.
    fn purged(&self) -> Option<Ordinal> {
        let purging = purging(self.space, self.logs, self.rulings, &self.charter.creator, self.standing);
        purging.into_iter().find(|by| !self.logs.entry(*by).is_some_and(|by| self.keeps(by)))
    }

    /// Why the creator's path does not count, unless something keeps the document.
    fn fault(&self) -> Option<Ordinal> {
        let broken = self.rulings.broken(self.space.log, self.standing);
        let acting = self.standing.namings.iter().flat_map(|naming| self.rulings.acting(self.logs, naming));
        let mut unsparing = acting.filter(|by| !self.logs.entry(*by).is_some_and(|by| self.keeps(by)));
        let fault = match broken {
            Some(Fault::Hop(by) | Fault::Relinquished(by) | Fault::Revoked(by)) => Some(by),
            None => unsparing.next(),
        }?;
        (!self.valid().any(|entry| self.names(entry))).then_some(fault)
    }

    fn keeps(&self, entry: &Entry) -> bool {
        match &entry.op().action {
            Action::Revoke { keep, .. } => keep.changes.iter().any(|heads| heads.document == *self.document),
            _ => false,
        }
    }

    /// Whether a valid operation of the space speaks for the document: a checkpoint, a revocation that keeps it, another
    /// member's acknowledgement.
    fn names(&self, entry: &Entry) -> bool {
        let is_other = entry.op().author != self.charter.creator
            && (entry.standing.identity.is_none() || entry.standing.identity != self.standing.identity);
        match &entry.op().action {
            Action::Checkpoint(heads) => heads.document == *self.document && (is_other || !heads.heads.is_empty()),
            _ => self.keeps(entry) && may_vouch(entry),
        }
    }
}
