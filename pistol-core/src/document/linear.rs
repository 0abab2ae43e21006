//! Showing one change that follows on everything shown: as a transaction of Automerge's own, with the author's actor.
//!
//! A transaction works at the places that the change touches. `apply_changes` walks every operation of each list or text
//! that it touches, which takes 0.2 microseconds each, for a single keystroke too. What the transaction made is compared
//! with the change by its hash; if it made another one, it is taken back and the change is applied.

mod steps;

use std::convert::Infallible;

use automerge::legacy::{ElementId, Key, OpId};
use automerge::transaction::CommitOptions;
use automerge::{Automerge, Change, ChangeHash, ExpandedChange, PatchLog};

use super::patch::Patch;
use super::tree::has_marks;
use super::{Document, apply};
use crate::validate::{Accepted, Branch, Ordinal};
use steps::Steps;

/// Operations of the document that a walk visits in the time that one operation takes in a transaction.
const WALKED_IN_A_STEP: usize = 250;
/// Authors whose changes a transaction made otherwise. Each costs a copy of the document, so there is an end to it.
const DISTRUSTED_MAX: usize = 16;

impl Document {
    /// Whether it is faster to show what was accepted one by one than to apply it all at once.
    pub(super) fn is_linear_faster(&self) -> bool {
        let backlog = &self.backlog;
        let is_safe = !backlog.is_empty() && !backlog.has_forks() && self.distrusted.len() < DISTRUSTED_MAX;
        is_safe && backlog.operations().saturating_mul(WALKED_IN_A_STEP) <= self.history.operations()
    }

    /// Shows a change. `None` if it has to be applied instead.
    pub(super) fn project_linear(&mut self, accepted: &Accepted) -> Option<Vec<Patch>> {
        let author = accepted.change.change().author;
        if self.distrusted.contains(&author) || has_marks(&accepted.change.change().ops) {
            return None;
        }
        let expanded = self.expand(accepted).filter(|expanded| !self.is_beside_mark(expanded))?;
        let heads = self.automerge.get_heads();
        if !self.follows_on(&heads, accepted, &expanded) {
            return None;
        }
        let expected = Change::from(expanded.clone()).hash();
        let before = self.seen();
        let log = self.patch_log();
        self.automerge.set_actor(expanded.actor_id.clone());
        match apply::contained(|| Ok::<_, Infallible>(transact(&mut self.automerge, &expanded, log))) {
            Ok(Some((hash, mut log))) if hash == expected => {
                self.hashes.push(Some(hash));
                Some(self.patches(&mut log, &before))
            }
            Ok(None) => None,
            // Automerge makes nothing of the kind from a user's edit, so neither did the author.
            Ok(Some(_)) | Err(_) => {
                self.distrusted.insert(author);
                self.take_back_to(&heads);
                None
            }
        }
    }

    /// Whether something is inserted right after a mark: where that is Automerge tells as it is built, with assertions or
    /// without.
    fn is_beside_mark(&self, change: &ExpandedChange) -> bool {
        let is_own = |id: &OpId| id.0 >= change.start_op.get() && id.1 == change.actor_id;
        let is_mark = |id: &OpId| {
            let row = self.names.spot(&self.history, id.0, &id.1).and_then(|spot| self.history.row_at(spot));
            row.and_then(|row| self.history.element(row)).is_some_and(|element| element.is_mark)
        };
        change.operations.iter().filter(|op| op.insert).any(|op| match &op.key {
            Key::Seq(ElementId::Id(id)) => !is_own(id) && is_mark(id),
            Key::Seq(ElementId::Head) | Key::Map(_) => false,
        })
    }

    /// Whether a transaction would depend on just what the change does: all heads, and the actor's previous change.
    fn follows_on(&self, heads: &[ChangeHash], accepted: &Accepted, expanded: &ExpandedChange) -> bool {
        let deps = &expanded.deps;
        let mut others = deps.iter().filter(|dep| !heads.contains(dep));
        let previous = |hash: &ChangeHash| {
            let is_it = |dep: &&Ordinal| self.hash_of(**dep) == Some(*hash);
            let dep = accepted.deps.iter().find(is_it);
            let branch =
                dep.and_then(|dep| self.history.branch_index(*dep)).and_then(|index| self.history.branch(index));
            expanded.seq > 1 && branch.and_then(Branch::chain) == Some(accepted.change.chain())
        };
        heads.iter().all(|head| deps.contains(head)) && others.next().is_none_or(previous) && others.next().is_none()
    }
}

/// Makes the change again. `None`, and nothing is changed, if a transaction cannot.
fn transact(automerge: &mut Automerge, change: &ExpandedChange, log: PatchLog) -> Option<(ChangeHash, PatchLog)> {
    let mut transaction = automerge.transaction_log_patches(log).ok()?;
    if Steps::new(&mut transaction, change).all().is_none() {
        transaction.rollback();
        return None;
    }
    let mut options = CommitOptions::default().with_time(change.time);
    if let Some(message) = &change.message {
        options = options.with_message(message.clone());
    }
    let (hash, log) = transaction.commit_with(options);
    hash.map(|hash| (hash, log))
}

#[cfg(test)]
mod tests;
