//! Changes whose dependencies are not here yet: in the room of the peers that sent them, found by what they wait for.

use std::collections::{BTreeMap, BTreeSet};

use pistol_core::envelope::VerifiedChange;
use pistol_core::id::{AuthorityId, ChangeId, DocumentId, Link};

use super::Source;
use crate::input::ConnectionId;
use crate::limits;
use crate::room::{Place, Record, Room};

/// What a change waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Until {
    /// The end of the rest from branches: it begins another one, and was first sent by a peer that this node dialled or not.
    Rested { is_dialled: bool },
    /// Another change.
    Decided(ChangeId),
    /// An operation of the document's log.
    Cited(AuthorityId),
}

#[derive(Debug, Default)]
pub(super) struct Waiting {
    changes: BTreeMap<Record, Kept>,
    /// What is waited for, and by whom.
    until: BTreeMap<Until, BTreeSet<Record>>,
    shared: BTreeMap<usize, Shared>,
    by_sender: BTreeMap<ConnectionId, usize>,
}

#[derive(Debug)]
struct Kept {
    change: VerifiedChange,
    until: Until,
    /// In the share of the one who sent it first, or of another who sent it, when that one's was full.
    place: Place,
    /// Who sent it, the first one first.
    from: Vec<Source>,
}

/// What changes under one signature share.
#[derive(Debug)]
struct Shared {
    /// Who has taken the room for it.
    payer: Record,
    by: BTreeSet<Record>,
}

impl Waiting {
    pub(super) fn len(&self) -> usize {
        self.changes.len()
    }

    /// Whether a change waits, in any place of its chain.
    pub(super) fn holds(&self, change: &ChangeId) -> bool {
        self.changes.range((*change, Link([0; 32]))..).next().is_some_and(|((id, _), _)| id == change)
    }

    /// How many changes from a connection wait.
    pub(super) fn count_of(&self, connection: ConnectionId) -> usize {
        self.by_sender.get(&connection).copied().unwrap_or(0)
    }

    /// Some of what is waited for, and by how many changes.
    pub(super) fn for_what(&self) -> impl Iterator<Item = (ChangeId, usize)> + '_ {
        let of = |(until, records): (&Until, &BTreeSet<Record>)| match until {
            Until::Decided(dependency) => Some((*dependency, records.len())),
            Until::Rested { .. } | Until::Cited(_) => None,
        };
        self.until.iter().filter_map(of)
    }

    /// How many changes wait until more branches may be taken in.
    pub(super) fn branches(&self) -> usize {
        let of = |is_dialled| self.until.get(&Until::Rested { is_dialled }).map_or(0, BTreeSet::len);
        of(true) + of(false)
    }

    /// Keeps a change for later. `distance`: how many changes of its chain are to be accepted first.
    pub(super) fn keep(
        &mut self,
        document: DocumentId,
        change: VerifiedChange,
        from: Source,
        until: Until,
        distance: u64,
        room: &mut Room,
    ) {
        let record = (change.id(), change.base());
        if let Some(kept) = self.changes.get_mut(&record) {
            let is_known = kept.from.iter().any(|source| source.connection == from.connection);
            if !is_known && kept.from.len() < limits::SENDERS_MAX {
                kept.from.push(from);
                *self.by_sender.entry(from.connection).or_default() += 1;
            }
            kept.place = room.nearer(kept.place, distance);
            return;
        }
        let (shared, shared_bytes) = change.shared();
        let bytes = change.memory() + if self.shared.contains_key(&shared) { 0 } else { shared_bytes };
        let place = room.take(from.node, document, record, bytes, distance);
        let sharing = self.shared.entry(shared).or_insert(Shared { payer: record, by: BTreeSet::new() });
        sharing.by.insert(record);
        self.until.entry(until).or_default().insert(record);
        *self.by_sender.entry(from.connection).or_default() += 1;
        self.changes.insert(record, Kept { change, until, place, from: vec![from] });
    }

    /// Takes out what waited for something, each with those who sent it.
    pub(super) fn release(&mut self, until: Until, room: &mut Room) -> Vec<(VerifiedChange, Vec<Source>)> {
        let records = self.until.remove(&until).unwrap_or_default();
        records.iter().filter_map(|record| self.remove(record, room)).collect()
    }

    /// Whether branches wait that came from a peer that this node dialled; none if none wait.
    pub(super) fn is_branch_dialled(&self) -> Option<bool> {
        [true, false].into_iter().find(|is_dialled| self.until.contains_key(&Until::Rested { is_dialled: *is_dialled }))
    }

    /// Takes out some of the changes that wait to begin branches and may, those first whose sender has least that waits.
    pub(super) fn release_branches(
        &mut self,
        may: impl Fn(bool) -> bool,
        room: &mut Room,
    ) -> Vec<(VerifiedChange, Vec<Source>)> {
        let of = |record: &Record| {
            let from = self.changes.get(record)?.from.first()?;
            Some((self.count_of(from.connection), *record))
        };
        let allowed = [true, false].into_iter().filter(|is_dialled| may(*is_dialled));
        let records = allowed.filter_map(|is_dialled| self.until.get(&Until::Rested { is_dialled })).flatten();
        let mut branches: Vec<_> = records.filter_map(of).collect();
        branches.sort_unstable();
        branches.truncate(limits::BRANCHES_AT_ONCE_MAX);
        branches.iter().filter_map(|(_, record)| self.remove(record, room)).collect()
    }

    /// Moves a change into the share of another peer that sent it too and has room.
    pub(super) fn hand_over(&mut self, record: &Record, room: &mut Room) -> bool {
        let Some(kept) = self.changes.get_mut(record) else { return false };
        let mut others = kept.from.iter().map(|source| source.node).filter(|node| *node != kept.place.node);
        match others.find_map(|node| room.hand_over(kept.place, node)) {
            Some(place) => {
                kept.place = place;
                true
            }
            None => false,
        }
    }

    /// Takes out one change.
    pub(super) fn remove(&mut self, record: &Record, room: &mut Room) -> Option<(VerifiedChange, Vec<Source>)> {
        let Kept { change, until, place, from } = self.changes.remove(record)?;
        room.give_back(place);
        if let Some(records) = self.until.get_mut(&until) {
            records.remove(record);
            if records.is_empty() {
                self.until.remove(&until);
            }
        }
        self.unshare(record, &change, room);
        for source in &from {
            if let Some(count) = self.by_sender.get_mut(&source.connection) {
                *count -= 1;
                if *count == 0 {
                    self.by_sender.remove(&source.connection);
                }
            }
        }
        Some((change, from))
    }

    /// Takes out everything.
    pub(super) fn clear(&mut self, room: &mut Room) {
        while let Some(record) = self.changes.keys().next().copied() {
            drop(self.remove(&record, room));
        }
    }

    /// What a change shared with others is left to them: if it had taken the room for it, the next one does.
    fn unshare(&mut self, record: &Record, change: &VerifiedChange, room: &mut Room) {
        let (shared, bytes) = change.shared();
        let Some(sharing) = self.shared.get_mut(&shared) else { return };
        sharing.by.remove(record);
        match sharing.by.first() {
            Some(next) if sharing.payer == *record => {
                sharing.payer = *next;
                if let Some(next) = self.changes.get(next) {
                    room.grow(next.place, bytes);
                }
            }
            Some(_) => {}
            None => drop(self.shared.remove(&shared)),
        }
    }
}
