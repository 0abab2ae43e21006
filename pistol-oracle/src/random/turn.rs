//! One step of a random world: somebody says or writes something, or two meet.

use std::collections::BTreeSet;

use super::play::{Play, UNKNOWN};
use crate::first_writer::{Element, Key, Place, Verb, Write};
use crate::world::{
    Action, Author, Change, ChangeId, Kept, Kind, LogId, Mode, Operation, OperationId, Person, Revocation, Role,
    Subject,
};

impl Play {
    /// Somebody does something. Who finds no way to do it leaves the turn to others.
    pub(super) fn step(&mut self) {
        let authors = self.authors.clone();
        for _ in 0..6 {
            let (Some(author), Some(other)) = (self.chance.pick(&authors), self.chance.pick(&authors)) else { return };
            if !self.chance.one_in(3) {
                self.meet(author, other);
            }
            let is_done = if self.chance.one_in(2) { self.write(author) } else { self.say(author) };
            if is_done.is_some() {
                return;
            }
        }
    }

    fn write(&mut self, author: Author) -> Option<()> {
        let documents: Vec<LogId> = self.logs(|kind| kind == Kind::Document);
        let document = if self.chance.one_in(4) { self.chance.pick(&documents)? } else { *documents.first()? };
        let (authority, is_rubbish) = self.path(author, document, Role::Writer)?;
        let deps = self.deps(author, document);
        let id = ChangeId(self.fresh());
        let is_structurally_valid = !(self.hostile.contains(&author) && self.chance.one_in(15));
        let is_on_rubbish = deps.iter().any(|dep| dep.0 == UNKNOWN || self.rubbish.contains(dep));
        if is_rubbish || is_on_rubbish || !is_structurally_valid {
            self.rubbish.insert(id);
        }
        let writes = self.writes(author, &authority);
        self.world.changes.push(Change { id, document, author, deps, authority, is_structurally_valid, writes });
        self.seen.entry(author).or_default().changes.insert(id);
        Some(())
    }

    /// Honest ones follow on all heads that they have seen, plain rubbish apart; others on what they like, known or not.
    fn deps(&mut self, author: Author, document: LogId) -> Vec<ChangeId> {
        let is_dishonest = self.is_dishonest(author);
        let seen = self.seen.get(&author).map(|seen| seen.changes.clone()).unwrap_or_default();
        let is_seen =
            |change: &&Change| is_dishonest || (seen.contains(&change.id) && !self.rubbish.contains(&change.id));
        let here: Vec<&Change> =
            self.world.changes.iter().filter(|change| change.document == document).filter(is_seen).collect();
        let followed: BTreeSet<ChangeId> = here.iter().flat_map(|change| change.deps.iter().copied()).collect();
        let mut ids: Vec<ChangeId> = here.iter().map(|change| change.id).collect();
        if is_dishonest {
            if self.chance.one_in(10) {
                ids.push(ChangeId(UNKNOWN));
            }
            return self.chance.some_of(&ids, 2);
        }
        ids.retain(|id| !followed.contains(id));
        ids
    }

    fn writes(&mut self, author: Author, path: &[OperationId]) -> Vec<Write> {
        if !self.chance.one_in(3) {
            return Vec::new();
        }
        let last = self.world.operations.iter().find(|operation| Some(&operation.id) == path.last());
        let is_certified = last.is_some_and(|hop| hop.log == super::stage::IDENTITY);
        let me = if is_certified { Person::Identity(super::stage::IDENTITY) } else { Person::Key(author) };
        let others = [me, me, me, me, Person::Identity(super::stage::IDENTITY), Person::Key(Author(0))];
        let is_honest = !self.hostile.contains(&author);
        let people = if is_honest { [me; 6] } else { others };
        let verbs = [Verb::Put, Verb::Delete, Verb::Insert, Verb::Mark, Verb::Increment];
        let (verb, owner) = (self.chance.pick(&verbs).unwrap_or(Verb::Put), self.chance.pick(&people).unwrap_or(me));
        let creator = self.chance.pick(&people).unwrap_or(me);
        let key = [Key::Id(owner), Key::Under(owner, 1), Key::Beside(owner, 1), Key::Plain(1)];
        let in_map =
            [Place::Map { object_creator: owner }, Place::Root(self.chance.pick(&key).unwrap_or(Key::Plain(0)))];
        let in_list = Place::Sequence { object_creator: owner, element: Some(Element { creator }) };
        let is_in_list = matches!(verb, Verb::Insert | Verb::Mark) || self.chance.one_in(3);
        let place = if is_in_list { in_list } else { self.chance.pick(&in_map).unwrap_or(in_list) };
        let pred_authors = if verb == Verb::Insert { Vec::new() } else { self.chance.some_of(&people, 1) };
        vec![Write { verb, place, pred_authors }]
    }

    fn say(&mut self, author: Author) -> Option<()> {
        if self.has_names && !self.chance.one_in(3) {
            let (proof, _) = self.path(author, super::stage::SPACE, Role::Writer)?;
            let action = self.naming()?;
            self.operate(author, super::stage::SPACE, proof, action);
            return Some(());
        }
        let logs = self.logs(|_| true);
        let log = if self.chance.one_in(2) { *logs.first()? } else { self.chance.pick(&logs)? };
        let (proof, _) = self.path(author, log, Role::Relay)?;
        let action = self.action(author, log)?;
        self.operate(author, log, proof, action);
        Some(())
    }

    /// A claim of one of a few names, or a witness of some claims.
    fn naming(&mut self) -> Option<Action> {
        if self.chance.one_in(2) {
            let name = u32::from(self.chance.one_in(3));
            return Some(Action::Name { name, target: LogId(if self.chance.one_in(3) { 5 } else { 0 }) });
        }
        let is_claim = |operation: &&Operation| matches!(operation.action, Action::Name { .. });
        let claims: Vec<OperationId> = self.world.operations.iter().filter(is_claim).map(|claim| claim.id).collect();
        let mut names = self.chance.some_of(&claims, 2);
        names.extend(self.chance.pick(&claims));
        names.sort();
        names.dedup();
        (!names.is_empty()).then_some(Action::Witness { names })
    }

    fn action(&mut self, author: Author, log: LogId) -> Option<Action> {
        let documents = self.logs(|kind| kind == Kind::Document);
        let document = if self.chance.one_in(3) { self.chance.pick(&documents)? } else { log };
        let is_root = self.world.logs.iter().any(|known| known.id == log && known.roots.contains(&author));
        match self.chance.below(28) {
            0..=7 => Some(Action::Grant { to: self.subject()?, role: self.role() }),
            8..=16 => Some(Action::Revoke(self.revocation(author, log)?)),
            17..=19 => Some(Action::Checkpoint { document, heads: self.seen_changes(author) }),
            20 => Some(Action::Acknowledge { document: super::stage::SHARED_DOCUMENT }),
            21 => Some(Action::RemoveDocument { document: super::stage::SHARED_DOCUMENT }),
            22..=23 if is_root => Some(Action::AddRoot { key: self.anybody()? }),
            24 if is_root => Some(Action::Relinquish),
            25 if is_root => Some(Action::Release),
            _ => self.lie(),
        }
    }

    /// What only roots may do, now and then by others.
    fn lie(&mut self) -> Option<Action> {
        let key = self.anybody()?;
        let actions = [Action::AddRoot { key }, Action::Relinquish, Action::Release];
        if self.chance.one_in(4) { self.chance.pick(&actions) } else { None }
    }

    fn revocation(&mut self, author: Author, log: LogId) -> Option<Revocation> {
        let granted =
            self.world.operations.iter().filter(|operation| operation.log == log).filter_map(Operation::grant);
        let named: Vec<Subject> = granted.map(|(to, _)| to).collect();
        let who = match self.chance.below(6) {
            0 => Subject::Key(author),
            1 => Subject::Key(self.anybody()?),
            _ => self.chance.pick(&named)?,
        };
        let mode = if self.chance.one_in(4) { Mode::Exact } else { Mode::Endorsed };
        let mut keep: Vec<Kept> = self.seen_changes(author).into_iter().map(Kept::Change).collect();
        let operations: Vec<OperationId> = self.world.operations.iter().map(|operation| operation.id).collect();
        keep.extend(self.chance.some_of(&operations, 1).into_iter().map(Kept::Operation));
        if self.chance.one_in(8) {
            keep.push(Kept::Document(super::stage::SHARED_DOCUMENT));
        }
        Some(Revocation { who, mode, keep, cascade: self.chance.one_in(5) })
    }

    fn seen_changes(&mut self, author: Author) -> Vec<ChangeId> {
        let seen: Vec<ChangeId> =
            self.seen.get(&author).map_or_else(Vec::new, |seen| seen.changes.iter().copied().collect());
        self.chance.some_of(&seen, 2)
    }

    fn subject(&mut self) -> Option<Subject> {
        use super::stage::{GROUP, IDENTITY, INNER_GROUP, SPACE};
        let wide = [
            Subject::Identity(IDENTITY),
            Subject::Group(GROUP),
            Subject::Group(INNER_GROUP),
            Subject::Space(SPACE),
            Subject::Group(IDENTITY),
        ];
        if self.chance.one_in(4) { self.chance.pick(&wide) } else { self.anybody().map(Subject::Key) }
    }

    /// Any of the keys that act, or one of those that are always there.
    fn anybody(&mut self) -> Option<Author> {
        let mut authors = self.authors.clone();
        authors.extend((0..6).map(Author));
        self.chance.pick(&authors)
    }

    fn role(&mut self) -> Role {
        let roles = [Role::Admin, Role::Admin, Role::Writer, Role::Writer, Role::Reader, Role::Relay];
        self.chance.pick(&roles).unwrap_or(Role::Writer)
    }

    fn logs(&self, is_wanted: impl Fn(Kind) -> bool) -> Vec<LogId> {
        self.world.logs.iter().filter(|log| is_wanted(log.kind)).map(|log| log.id).collect()
    }

    /// A path of this author into a log, and whether it is rubbish: one that leads there with such a role, as far as it
    /// has seen; for a dishonest one anything.
    fn path(&mut self, author: Author, log: LogId, role: Role) -> Option<(Vec<OperationId>, bool)> {
        if self.is_dishonest(author) && self.chance.one_in(3) {
            let mut ids: Vec<OperationId> = self.world.operations.iter().map(|operation| operation.id).collect();
            ids.push(OperationId(UNKNOWN));
            return Some(((0..self.chance.below(6)).filter_map(|_| self.chance.pick(&ids)).collect(), true));
        }
        let seen = self.seen.get(&author).map(|seen| seen.operations.clone()).unwrap_or_default();
        let genesis = self.world.logs.iter().find(|known| known.id == log)?;
        let mut paths = Vec::new();
        if genesis.roots.contains(&author) || genesis.policy.needs_no_grant() {
            paths.push(Vec::new());
        }
        let is_seen = |operation: &&Operation| {
            seen.contains(&operation.id) && operation.grant().is_none_or(|(_, given)| given >= role)
        };
        let operations: Vec<&Operation> = self.world.operations.iter().filter(is_seen).collect();
        let releases = operations.iter().filter(|by| by.action == Action::Release && by.log == log);
        paths.extend(releases.map(|release| vec![release.id]));
        self.lead(&operations, log, Subject::Key(author), &[], &mut paths);
        self.chance.pick(&paths).map(|path| (path, false))
    }

    /// Collects the paths that give a subject standing in a log, found from the subject backwards.
    fn lead(
        &self,
        operations: &[&Operation],
        log: LogId,
        to: Subject,
        tail: &[OperationId],
        found: &mut Vec<Vec<OperationId>>,
    ) {
        if tail.len() == 4 || found.len() > 50 {
            return;
        }
        for hop in operations {
            let gives = match hop.action {
                Action::Grant { to: named, .. } => named == to,
                Action::AddRoot { key } => Subject::Key(key) == to,
                _ => false,
            };
            if !gives {
                continue;
            }
            let path: Vec<OperationId> = [hop.id].iter().chain(tail).copied().collect();
            let genesis = self.world.logs.iter().find(|known| known.id == hop.log);
            let (kind, roots) = genesis.map_or((Kind::Document, &[][..]), |known| (known.kind, known.roots.as_slice()));
            if hop.log == log || kind == Kind::Identity {
                found.push(path.clone());
            }
            if kind == Kind::Identity {
                roots.iter().for_each(|root| self.lead(operations, log, Subject::Key(*root), &path, found));
            }
            let through = match kind {
                Kind::Identity => Subject::Identity(hop.log),
                Kind::Group => Subject::Group(hop.log),
                Kind::Space => Subject::Space(hop.log),
                Kind::Document => continue,
            };
            self.lead(operations, log, through, &path, found);
        }
    }
}
