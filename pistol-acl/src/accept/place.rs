//! Whether a document has its place in its space. Its contents are not looked at: a space decides by its own log, and what
//! is accepted in the document does not change with it.

use std::collections::BTreeMap;

use pistol_core::id::AuthorityId;
use pistol_core::key::AuthorId;

use super::cited::{may_write, purging};
use crate::access::Access;
use crate::charter::{Charter, Kind};
use crate::log::{Entry, Logs, Ordinal};
use crate::path::{Refusal, Standing, Unsettled};
use crate::record::{Action, LogId, Role};
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

/// How a document says that it came into a space.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Addition<'a> {
    /// Which document.
    pub document: LogId,
    /// Who made it.
    pub creator: AuthorId,
    /// Which space.
    pub space: LogId,
    /// What it cites there.
    pub path: &'a [AuthorityId],
}

/// Where documents stand in their spaces, as of when things were last settled. What a space's log says of documents is sorted once
/// for all of them.
#[derive(Debug)]
pub struct Places<'a> {
    logs: &'a Logs,
    rulings: &'a Rulings,
    /// Of each space what its valid operations say of each document.
    said: BTreeMap<LogId, Said<'a>>,
}

#[derive(Debug, Default)]
struct Said<'a> {
    removals: BTreeMap<LogId, AuthorityId>,
    /// Operations that may keep a document.
    speakers: BTreeMap<LogId, Vec<&'a Entry>>,
}

impl Access {
    /// Where documents stand in this space, one by one.
    pub fn places(&self) -> Places<'_> {
        Places::new(&self.logs, &self.rulings)
    }

    /// Whether documents lose their place here when the part of their creator ends, unless somebody speaks for them: in a space
    /// where anyone may add documents there is no part to end.
    pub fn loses_places(&self) -> bool {
        self.logs.charter(&self.changes.document).is_ok_and(|space| !space.policy.is_open())
    }

    /// What a document that this author makes now cites to be one of this space's; `None` if the author may not add any.
    pub fn path_to_add(&self, author: &AuthorId) -> Option<Vec<AuthorityId>> {
        let space = self.logs.charter(&self.changes.document).ok().filter(|charter| charter.kind == Kind::Space)?;
        let granted = self.path(author, Role::Writer);
        let path = granted.or_else(|| space.policy.is_open().then(Vec::new))?;
        may_write(space, &self.logs, author, &path).is_ok().then_some(path)
    }
}

impl<'a> Places<'a> {
    pub(crate) fn new(logs: &'a Logs, rulings: &'a Rulings) -> Self {
        Places { logs, rulings, said: BTreeMap::new() }
    }

    /// Where a document stands of which this is the charter.
    pub(crate) fn of_charter(&mut self, charter: &Charter) -> Place {
        let (document, creator) = (charter.log, charter.creator);
        let Some((space, path)) = &charter.space else { return Place::NoSpace };
        self.of(&Addition { document, creator, space: *space, path })
    }

    /// Whether an operation of the space speaks for a document, so that it stays when its creator is revoked.
    pub fn is_kept(&mut self, addition: &Addition<'_>) -> bool {
        let (logs, rulings) = (self.logs, self.rulings);
        let (Ok(standing), Ok(space)) = (may_add(addition, logs), logs.charter(&addition.space)) else { return false };
        let said = self.said.entry(space.log).or_insert_with(|| Said::of(&space.log, logs, rulings));
        let speakers = said.speakers.get(&addition.document).map_or(&[][..], |speakers| speakers);
        let room = Room { addition, space, standing: &standing, speakers, logs, rulings };
        speakers.iter().any(|entry| room.names(entry))
    }

    /// Where a document stands.
    pub fn of(&mut self, addition: &Addition<'_>) -> Place {
        let standing = match may_add(addition, self.logs) {
            Ok(standing) => standing,
            Err(Unsettled::Missing(missing)) => return Place::Pending(missing),
            Err(Unsettled::Refused(refusal)) => return Place::Refused(refusal),
        };
        let Ok(space) = self.logs.charter(&addition.space) else { return Place::Unknown };
        if self.rulings.is_released(&space.log) {
            return Place::Here;
        }
        let (logs, rulings) = (self.logs, self.rulings);
        let said = self.said.entry(space.log).or_insert_with(|| Said::of(&space.log, logs, rulings));
        if let Some(by) = said.removals.get(&addition.document) {
            return Place::Removed(*by);
        }
        let speakers = said.speakers.get(&addition.document).map_or(&[][..], |speakers| speakers);
        let room = Room { addition, space, standing: &standing, speakers, logs, rulings };
        let is_open = space.policy.is_open();
        let fault = room.purged().or_else(|| if is_open { None } else { room.fault() });
        fault.and_then(|fault| logs.entry(fault)).map_or(Place::Here, |fault| Place::Masked(fault.signed.id()))
    }
}

impl<'a> Said<'a> {
    fn of(space: &LogId, logs: &'a Logs, rulings: &Rulings) -> Self {
        let mut said = Said::default();
        for (_, entry) in logs.of_log(space).filter(|(by, _)| rulings.is_valid(*by)) {
            match &entry.op().action {
                Action::RemoveDocument { document } => {
                    said.removals.entry(*document).or_insert(entry.signed.id());
                }
                Action::Checkpoint(heads) => said.speakers.entry(heads.document).or_default().push(entry),
                Action::Revoke { keep, .. } => {
                    for heads in &keep.changes {
                        said.speakers.entry(heads.document).or_default().push(entry);
                    }
                }
                _ => {}
            }
        }
        said
    }
}

/// What the creator stands on in the space, if that lets it add documents.
fn may_add(addition: &Addition<'_>, logs: &Logs) -> Result<Standing, Unsettled> {
    let space = logs.charter(&addition.space)?;
    if space.kind != Kind::Space {
        return Err(Refusal::Misplaced.into());
    }
    may_write(space, logs, &addition.creator, addition.path)
}

struct Room<'a> {
    addition: &'a Addition<'a>,
    space: &'a Charter,
    /// What the document's creator stands on.
    standing: &'a Standing,
    speakers: &'a [&'a Entry],
    logs: &'a Logs,
    rulings: &'a Rulings,
}

impl Room<'_> {
    /// The ban of the creator that does not keep the document.
    fn purged(&self) -> Option<Ordinal> {
        let purging = purging(self.space, self.logs, self.rulings, &self.addition.creator, self.standing);
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
        (!self.speakers.iter().any(|entry| self.names(entry))).then_some(fault)
    }

    fn keeps(&self, entry: &Entry) -> bool {
        match &entry.op().action {
            Action::Revoke { keep, .. } => keep.changes.iter().any(|heads| heads.document == self.addition.document),
            _ => false,
        }
    }

    /// Whether a valid operation of the space speaks for the document: a checkpoint, a revocation that keeps it, another
    /// member's acknowledgement.
    fn names(&self, entry: &Entry) -> bool {
        let is_other = entry.op().author != self.addition.creator
            && (entry.standing.identity.is_none() || entry.standing.identity != self.standing.identity);
        match &entry.op().action {
            Action::Checkpoint(heads) => {
                heads.document == self.addition.document && (is_other || !heads.heads.is_empty())
            }
            _ => self.keeps(entry) && may_vouch(entry),
        }
    }
}
