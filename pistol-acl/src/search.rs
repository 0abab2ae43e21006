//! Finding what an author may cite: the grants that lead to a key, from the document's log through groups and identities.
//!
//! It is looked for from the key: who certifies it, who names that identity, and so on. So a group of thousands costs nothing
//! but the grants that lead to this key.

use std::cmp::Reverse;
use std::collections::{BTreeMap, VecDeque};

use pistol_core::id::{AuthorityId, ChangeId};
use pistol_core::key::AuthorId;

use crate::accept::Basis;
use crate::access::Access;
use crate::charter::Kind;
use crate::limits;
use crate::log::Ordinal;
use crate::path::{Standing, resolve};
use crate::record::{Action, LogId, Role, Subject};

impl Access {
    /// What a key may cite in the document to do what needs a role, as things stand: the strongest of what leads to it, of those
    /// the most senior, then what names the person behind the key. A root of the genesis cites nothing.
    pub fn path(&self, author: &AuthorId, least: Role) -> Option<Vec<AuthorityId>> {
        let log = &self.changes.document;
        let counts = |path: &[AuthorityId]| {
            let standing = resolve(&self.logs, log, author, path).ok()?;
            let is_active = !standing.is_stranger() && self.rulings.inactive(&self.logs, *log, &standing).is_none();
            (is_active && standing.role >= least).then_some(standing)
        };
        if counts(&[]).is_some() {
            return Some(Vec::new());
        }
        let worth = |standing: &Standing| (standing.role, Reverse(standing.level), standing.identity.is_some());
        let all = self.leading_to(author, |ordinal| self.rulings.is_valid(ordinal));
        let best =
            all.into_iter().filter_map(|path| Some((worth(&counts(&path)?), Reverse(path.len()), Reverse(path))));
        best.max().map(|(_, _, Reverse(path))| path)
    }

    /// What a key may cite to write changes, as things stand; after a release anybody may cite that.
    pub fn path_to_write(&self, author: &AuthorId) -> Option<Vec<AuthorityId>> {
        self.path(author, Role::Writer).or_else(|| self.released().map(|release| vec![release]))
    }

    /// Whether anything ever led to a key, whatever became of it.
    pub fn had_part(&self, author: &AuthorId) -> bool {
        let log = &self.changes.document;
        let is_root = self.logs.charter(log).is_ok_and(|charter| charter.is_root(author));
        is_root || !self.leading_to(author, |_| true).is_empty()
    }

    /// The identity of whoever made a change: the one that the path it cites names, for ever. None if it is the key's own.
    pub fn identity_of(&self, change: &ChangeId) -> Option<LogId> {
        let node = self.node(change)?;
        match &self.changes.cited.get(node.cited as usize)?.basis {
            Basis::Standing(standing) => standing.identity,
            Basis::Release => None,
        }
    }

    /// Lists of grants that lead from the document's log, or from one of its roots, to a key: those that pass through few grants
    /// first, as many as are looked at.
    pub(crate) fn leading_to(&self, author: &AuthorId, is_good: impl Fn(Ordinal) -> bool) -> Vec<Vec<AuthorityId>> {
        let document = &self.changes.document;
        let added = self.added_roots(&is_good);
        let mut found: Vec<_> = added.get(author).map(|root| vec![*root]).into_iter().collect();
        let mut queue = VecDeque::from([(Subject::Key(*author), Vec::new())]);
        let mut left = limits::SEARCHED_MAX;
        while let Some((subject, after)) = queue.pop_front() {
            for ordinal in self.logs.naming(&subject).iter().copied().filter(|ordinal| is_good(*ordinal)) {
                let Some(entry) = self.logs.entry(ordinal).filter(|_| left > 0) else { return found };
                left -= 1;
                let path: Vec<AuthorityId> = [entry.signed.id()].into_iter().chain(after.iter().copied()).collect();
                let log = entry.op().log;
                if log == *document {
                    found.push(path);
                    continue;
                }
                let Some(named) = self.named(&log) else { continue };
                if after.is_empty() && matches!(named, Subject::Identity(_)) {
                    found.extend(self.of_device_of_root(&log, entry.signed.id(), &added));
                }
                if path.len() < limits::PATH_MAX {
                    queue.push_back((named, path));
                }
            }
        }
        found
    }

    /// Of each key that was made a root of the document the operation that did so; the first, since none of them ends.
    fn added_roots(&self, is_good: impl Fn(Ordinal) -> bool) -> BTreeMap<AuthorId, AuthorityId> {
        let mut added = BTreeMap::new();
        for (ordinal, entry) in self.logs.of_log(&self.changes.document) {
            if let Action::AddRoot { key } = &entry.op().action
                && is_good(ordinal)
            {
                added.entry(*key).or_insert(entry.signed.id());
            }
        }
        added
    }

    /// What a device may cite if its identity is a root: its certificate alone, or after what made a root of the identity one.
    fn of_device_of_root(
        &self,
        identity: &LogId,
        certificate: AuthorityId,
        added: &BTreeMap<AuthorId, AuthorityId>,
    ) -> Vec<Vec<AuthorityId>> {
        let roots = self.logs.charter(identity).map_or(&[][..], |charter| &charter.roots);
        let after_root = roots.iter().filter_map(|root| Some(vec![*added.get(root)?, certificate]));
        [vec![certificate]].into_iter().chain(after_root).collect()
    }

    /// How grants name a log.
    fn named(&self, log: &LogId) -> Option<Subject> {
        Some(match self.logs.charter(log).ok()?.kind {
            Kind::Identity => Subject::Identity(*log),
            Kind::Group => Subject::Group(*log),
            Kind::Space => Subject::Space(*log),
            Kind::Document => return None,
        })
    }
}
