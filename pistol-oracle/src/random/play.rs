//! A random world as it comes about: who is there, and what each has seen.

use std::collections::{BTreeMap, BTreeSet};

use super::stage::{
    self, DEVICES, DOCUMENT, GROUP, IDENTITY, INNER_GROUP, OFFLINE_ROOT, OWNER, SHARED_DOCUMENT, SPACE,
};
use super::{Chance, Size};
use crate::world::{Action, Author, ChangeId, LogId, Operation, OperationId, Role, Subject, World};

/// Cited by those who lie: nothing has this number.
pub(super) const UNKNOWN: u32 = u32::MAX;

/// What one author has seen.
#[derive(Clone, Default)]
pub(super) struct Seen {
    pub(super) operations: BTreeSet<OperationId>,
    pub(super) changes: BTreeSet<ChangeId>,
}

/// A world, and those who act in it.
pub(super) struct Play {
    pub(super) world: World,
    pub(super) chance: Chance,
    pub(super) authors: Vec<Author>,
    pub(super) hostile: BTreeSet<Author>,
    pub(super) seen: BTreeMap<Author, Seen>,
    /// What everybody must see to be no good, so that honest authors do not build on it.
    pub(super) rubbish: BTreeSet<ChangeId>,
    /// Whether names are talked about.
    pub(super) has_names: bool,
    next: u32,
}

impl Play {
    /// Raises the logs, and lets their owners grant something.
    pub(super) fn begin(mut chance: Chance, size: Size) -> Self {
        let authors = stage::authors(size);
        let world = World { logs: stage::logs(&mut chance), limits: stage::limits(&mut chance), ..World::default() };
        let hostile = authors.iter().copied().filter(|author| *author != OWNER && chance.one_in(3)).collect();
        let mut play = Self {
            world,
            chance,
            authors,
            hostile,
            seen: BTreeMap::new(),
            rubbish: BTreeSet::new(),
            has_names: false,
            next: 0,
        };
        play.open(size);
        play
    }

    /// Goes on with a world that is there, by authors who are all hostile and know everything.
    pub(super) fn resume(chance: Chance, world: &World, authors: &[Author]) -> Self {
        let operations = world.operations.iter().map(|operation| operation.id).collect();
        let changes = world.changes.iter().map(|change| change.id).collect();
        let seen = Seen { operations, changes };
        let named = world.operations.iter().flat_map(|operation| operation.prev.iter().chain(&operation.proof));
        let cited = world.changes.iter().flat_map(|change| change.authority.iter());
        let operations = named.chain(cited).chain(&seen.operations).map(|id| id.0);
        let deps = world.changes.iter().flat_map(|change| change.deps.iter());
        let numbers = operations.chain(deps.chain(&seen.changes).map(|id| id.0));
        let last = numbers.filter(|number| *number < UNKNOWN).max();
        Self {
            world: world.clone(),
            chance,
            authors: authors.to_vec(),
            hostile: authors.iter().copied().collect(),
            seen: authors.iter().map(|author| (*author, seen.clone())).collect(),
            rubbish: BTreeSet::new(),
            has_names: false,
            next: last.map_or(0, |last| last + 1),
        }
    }

    /// The grants that make deep paths possible, some of them left out.
    fn open(&mut self, size: Size) {
        let [first, second] = DEVICES;
        let to_device = |device| Action::Grant { to: Subject::Key(device), role: Role::Admin };
        let grant = |to, role| Action::Grant { to, role };
        let creator = grant(Subject::Key(Author(4)), Role::Writer);
        let grants = [
            (OWNER, SPACE, creator),
            (OFFLINE_ROOT, IDENTITY, to_device(first)),
            (OFFLINE_ROOT, IDENTITY, to_device(second)),
            (OWNER, DOCUMENT, grant(Subject::Identity(IDENTITY), Role::Admin)),
            (OWNER, DOCUMENT, grant(Subject::Key(Author(4)), Role::Admin)),
            (OWNER, DOCUMENT, grant(Subject::Group(GROUP), Role::Writer)),
            (OWNER, GROUP, grant(Subject::Group(INNER_GROUP), Role::Writer)),
            (OWNER, GROUP, grant(Subject::Identity(IDENTITY), Role::Writer)),
            (Author(5), INNER_GROUP, grant(Subject::Identity(IDENTITY), Role::Writer)),
            (OWNER, SPACE, grant(Subject::Identity(IDENTITY), Role::Writer)),
            (Author(4), SHARED_DOCUMENT, grant(Subject::Space(SPACE), Role::Writer)),
        ];
        for (number, (author, log, action)) in grants.into_iter().enumerate() {
            let is_left_out = match size {
                Size::Tiny => !self.chance.one_in(6),
                Size::Small => !self.chance.one_in(2),
                Size::Medium => self.chance.one_in(4),
            };
            if number == 0 || !is_left_out {
                self.operate(author, log, Vec::new(), action);
            }
        }
        self.meet_all();
    }

    /// Registrars of two levels in the space, and talk of names from here on.
    pub(super) fn open_names(&mut self) {
        self.has_names = true;
        let grant = |key| Action::Grant { to: Subject::Key(key), role: Role::Admin };
        let next = OperationId(self.next);
        self.operate(OWNER, SPACE, Vec::new(), grant(Author(5)));
        self.operate(OWNER, SPACE, Vec::new(), grant(Author(3)));
        self.meet_all();
        self.operate(Author(5), SPACE, vec![next], grant(Author(2)));
        self.meet_all();
    }

    /// Adds an operation by an author who follows on all that it has seen of a log; a hostile one on what it likes.
    pub(super) fn operate(&mut self, author: Author, log: LogId, proof: Vec<OperationId>, action: Action) {
        let id = OperationId(self.fresh());
        let prev = if self.is_dishonest(author) { self.any_prev(log) } else { self.heads(author, log) };
        let is_well_signed = !(self.hostile.contains(&author) && self.chance.one_in(20));
        let bytes = u64::from(id.0 % 4) + 1;
        self.world.operations.push(Operation { id, log, author, proof, prev, action, bytes, is_well_signed });
        self.seen.entry(author).or_default().operations.insert(id);
    }

    /// A hostile author is dishonest now and then, so that its lies stand on something.
    pub(super) fn is_dishonest(&mut self, author: Author) -> bool {
        self.hostile.contains(&author) && self.chance.one_in(2)
    }

    pub(super) fn fresh(&mut self) -> u32 {
        self.next += 1;
        self.next - 1
    }

    fn any_prev(&mut self, log: LogId) -> Vec<OperationId> {
        let is_mixed = self.chance.one_in(12);
        let here = self.world.operations.iter().filter(|operation| is_mixed || operation.log == log);
        let mut ids: Vec<OperationId> = here.map(|operation| operation.id).collect();
        if self.chance.one_in(12) {
            ids.push(OperationId(UNKNOWN));
        }
        self.chance.some_of(&ids, 2)
    }

    /// The operations of a log that an author has seen, and none that it has seen follows on.
    fn heads(&self, author: Author, log: LogId) -> Vec<OperationId> {
        let seen = self.seen.get(&author).map(|seen| &seen.operations);
        let is_seen = |operation: &&Operation| seen.is_some_and(|seen| seen.contains(&operation.id));
        let here: Vec<&Operation> =
            self.world.operations.iter().filter(|operation| operation.log == log).filter(is_seen).collect();
        let followed: BTreeSet<OperationId> =
            here.iter().flat_map(|operation| operation.prev.iter().copied()).collect();
        here.iter().map(|operation| operation.id).filter(|id| !followed.contains(id)).collect()
    }

    /// One author learns what another has seen.
    pub(super) fn meet(&mut self, one: Author, other: Author) {
        let seen = self.seen.get(&other).cloned().unwrap_or_default();
        let mine = self.seen.entry(one).or_default();
        mine.operations.extend(seen.operations);
        mine.changes.extend(seen.changes);
    }

    fn meet_all(&mut self) {
        let operations: BTreeSet<OperationId> = self.world.operations.iter().map(|operation| operation.id).collect();
        for author in self.authors.clone() {
            self.seen.entry(author).or_default().operations.extend(operations.iter().copied());
        }
    }

    /// The world in any order, with something lost and something twice now and then.
    pub(super) fn end(mut self) -> World {
        let (operations, changes) = (&mut self.world.operations, &mut self.world.changes);
        if self.chance.one_in(3) && !operations.is_empty() {
            let lost = self.chance.below(operations.len());
            operations.remove(lost);
        }
        if let Some(twice) = self.chance.pick(operations) {
            let is_well_signed = self.chance.one_in(2) && twice.is_well_signed;
            operations.push(Operation { is_well_signed, ..twice });
        }
        if self.chance.one_in(5) && !changes.is_empty() {
            let lost = self.chance.below(changes.len());
            changes.remove(lost);
        }
        changes.extend(self.chance.pick(changes));
        self.chance.shuffle(operations);
        self.chance.shuffle(changes);
        self.world
    }
}
