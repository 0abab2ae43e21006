//! Random histories: honest people and hostile ones, who cite, backdate, fork and revoke as they like.

#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "a test fails by panicking, and no test uses everything"
)]

use pistol_acl::record::{Action, Keep, LogId, Mode, Role, Subject};
use pistol_acl::{Access, AccessPolicy, Added, Held, Kind, SignedOp};
use pistol_core::id::{AuthorityId, ChangeId};

use crate::story::{Dice, Story, author, heads, log};

/// Keys that act; those of identities and groups among them.
pub(crate) const KEYS: u8 = 8;
const IDENTITY: u8 = 40;
const GROUP: u8 = 41;
const SPACE: u8 = 42;

/// A story that grows by dice.
pub(crate) struct History {
    pub(crate) story: Story,
    pub(crate) dice: Dice,
    /// A node that knows the logs: people build on what was not refused.
    node: Access,
    told: usize,
}

impl History {
    /// A document of key 1 with an identity of key 5, a group of key 6 and a space of key 7.
    pub(crate) fn new(seed: u64, policy: AccessPolicy, may_be_in_space: bool) -> Self {
        let mut story = Story::new(policy);
        story.charter(IDENTITY, Kind::Identity, AccessPolicy::Owned, &[5]);
        story.charter(GROUP, Kind::Group, AccessPolicy::Owned, &[6]);
        let space = story.charter(SPACE, Kind::Space, AccessPolicy::WorldWritable, &[7]);
        let mut dice = Dice(seed);
        if may_be_in_space && dice.one_in(3) {
            story.charters[0].space = Some((space, vec![]));
        }
        let mut node = Access::new(story.document);
        story.charters.iter().for_each(|charter| drop(node.found(charter.clone())));
        History { story, dice, node, told: 0 }
    }

    pub(crate) fn of_any_policy(seed: u64) -> Self {
        let policies = [
            AccessPolicy::Members,
            AccessPolicy::Members,
            AccessPolicy::Members,
            AccessPolicy::Owned,
            AccessPolicy::WorldWritable,
            AccessPolicy::FirstWriter { members_only: true },
        ];
        History::new(seed, policies[Dice(seed ^ 0xacc).below(policies.len())], true)
    }

    /// Every path by which a key may stand in a log, counting or not.
    pub(crate) fn paths(&self, log: LogId, depth: usize) -> Vec<(u8, Vec<AuthorityId>)> {
        let charter = self.story.charters.iter().find(|charter| charter.log == log).unwrap();
        let roots = (1..=KEYS).filter(|number| charter.is_root(&author(*number)));
        let mut paths: Vec<_> = roots.map(|number| (number, vec![])).collect();
        for signed in self.story.operations.iter().filter(|signed| signed.op().log == log && depth > 0) {
            paths.extend(self.beyond(signed, depth));
        }
        paths
    }

    fn beyond(&self, signed: &SignedOp, depth: usize) -> Vec<(u8, Vec<AuthorityId>)> {
        let key = |id| (1..=KEYS).find(|number| author(*number) == id);
        match &signed.op().action {
            Action::Grant { to: Subject::Key(to), .. } | Action::AddRoot { key: to } => {
                key(*to).map(|number| (number, vec![signed.id()])).into_iter().collect()
            }
            Action::Grant { to: Subject::Identity(to) | Subject::Group(to) | Subject::Space(to), .. } => {
                let inner = self.paths(*to, depth - 1).into_iter();
                inner.map(|(number, path)| (number, [vec![signed.id()], path].concat())).collect()
            }
            _ => vec![],
        }
    }

    fn subject(&mut self) -> Subject {
        match self.dice.below(8) {
            0 => Subject::Identity(log(IDENTITY)),
            1 => Subject::Group(log(GROUP)),
            2 => Subject::Space(log(SPACE)),
            _ => Subject::Key(author(2 + self.dice.below(usize::from(KEYS) - 1) as u8)),
        }
    }

    fn some_changes(&mut self, max: usize) -> Vec<ChangeId> {
        let changes = &self.story.changes;
        let picked = (0..self.dice.below(max + 1)).filter(|_| !changes.is_empty());
        picked.map(|_| changes[self.dice.below(changes.len())].id).collect()
    }

    fn keep(&mut self) -> Keep {
        let kept = self.some_changes(1);
        let changes = if kept.is_empty() { vec![] } else { vec![heads(self.story.document, &kept)] };
        let operations = &self.story.operations;
        let is_kept = self.dice.one_in(3) && !operations.is_empty();
        let operations = is_kept.then(|| operations[self.dice.below(operations.len())].id()).into_iter().collect();
        Keep { changes, operations }
    }

    pub(crate) fn action(&mut self) -> Action {
        let role = [Role::Admin, Role::Admin, Role::Writer, Role::Writer, Role::Reader][self.dice.below(5)];
        match self.dice.below(16) {
            0..=6 => Action::Grant { to: self.subject(), role },
            7..=10 => {
                let mode = if self.dice.one_in(3) { Mode::Exact } else { Mode::Endorsed };
                let (who, cascade) = (self.subject(), self.dice.one_in(5));
                Action::Revoke { who, mode, cascade, keep: self.keep() }
            }
            11 => {
                let kept = self.some_changes(2);
                Action::Checkpoint(heads(self.story.document, &kept))
            }
            12 => Action::AddRoot { key: author(2 + self.dice.below(usize::from(KEYS) - 1) as u8) },
            13 => Action::Relinquish,
            14 => Action::RemoveDocument { document: self.story.document },
            _ => Action::Witness { names: vec![] },
        }
    }

    /// An operation by some key among `by`, after whatever its author likes to have known.
    pub(crate) fn operate(&mut self, by: &[u8], action: Action) -> Option<AuthorityId> {
        let log = [log(1), log(1), log(1), log(IDENTITY), log(GROUP), log(SPACE)][self.dice.below(6)];
        self.operate_in(log, by, action)
    }

    pub(crate) fn operate_in(&mut self, log: LogId, by: &[u8], action: Action) -> Option<AuthorityId> {
        let mut paths = self.paths(log, 3);
        paths.retain(|(number, _)| by.contains(number));
        if paths.is_empty() {
            return None;
        }
        let (number, proof) = paths.swap_remove(self.dice.below(paths.len()));
        self.tell();
        let prev = if self.dice.one_in(2) { self.node.heads(&log) } else { self.some_operations(log) };
        let written = self.story.write(number, log, &proof, &prev, action);
        let is_refused = self.tell();
        if is_refused && !self.dice.one_in(8) {
            self.story.operations.pop();
            self.told -= 1;
            return None;
        }
        Some(written)
    }

    /// Tells the node what it does not know; says whether it refused the last.
    fn tell(&mut self) -> bool {
        let mut is_refused = false;
        for signed in &self.story.operations[self.told..] {
            is_refused = matches!(self.node.hold(signed.clone()), Held::Refused(..));
        }
        self.told = self.story.operations.len();
        is_refused
    }

    fn some_operations(&mut self, log: LogId) -> Vec<AuthorityId> {
        let all: Vec<_> = self.story.operations.iter().filter(|op| op.op().log == log).map(SignedOp::id).collect();
        (0..self.dice.below(3)).filter(|_| !all.is_empty()).map(|_| all[self.dice.below(all.len())]).collect()
    }

    /// A change by some key among `by`, on whatever its author likes.
    pub(crate) fn change(&mut self, by: &[u8]) -> Option<ChangeId> {
        let deps = self.some_changes(2);
        self.change_on(by, &deps)
    }

    pub(crate) fn change_on(&mut self, by: &[u8], deps: &[ChangeId]) -> Option<ChangeId> {
        let mut paths = self.paths(self.story.document, 4);
        paths.extend(by.iter().map(|number| (*number, vec![])));
        paths.retain(|(number, path)| by.contains(number) && path.len() <= 4);
        if paths.is_empty() {
            return None;
        }
        self.tell();
        let (number, path) = paths.swap_remove(self.dice.below(paths.len()));
        let change = self.story.change(number, deps, &path);
        let added = self.story.changes.last().map(|summary| self.node.add(summary.clone()));
        if matches!(added, Some(Added::Refused(_))) && !self.dice.one_in(8) {
            self.story.changes.pop();
            return None;
        }
        Some(change)
    }

    /// Everybody does as they like.
    pub(crate) fn chaos(&mut self, steps: usize, by: &[u8]) {
        for _ in 0..steps {
            if self.dice.one_in(2) {
                let _ = self.change(by);
            } else {
                let action = self.action();
                let _ = self.operate(by, action);
            }
        }
    }
}
