//! Local edits: an Automerge transaction on all current heads, read back as a change of ours.

mod references;

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use automerge::legacy::{self, ElementId, Key, ObjectId};
use automerge::transaction::{CommitOptions, OwnedTransaction};
use automerge::{Automerge, ChangeHash, ExpandedChange, PatchLog};

use super::edit::{self, Edit, EditError};
use super::patch::Patch;
use super::tree::has_marks;
use super::{Document, apply, convert, rivals};
use crate::chain::ChainId;
use crate::change::{Change, Op, Place, Reference};
use crate::envelope::Linked;
use crate::id::{AuthorityId, ChangeId, Link};
use crate::limits;
use crate::validate::{Accepted, Check, History, Ordinal, Rule, Spot, Valid};
use references::Draft;

/// Says whether others would take in a change that keeps the rules of structure.
pub type Judge = fn(&History, &Valid) -> Result<(), EditError>;

/// The judge who lets everything pass.
pub const UNJUDGED: Judge = |_, _| Ok(());

/// Who edits, when, and under whose eyes.
#[derive(Clone, Copy, Debug)]
pub struct EditAs<'a> {
    /// The chain that the change continues, or begins.
    pub chain: ChainId,
    /// Milliseconds since 1970, for display.
    pub time_ms: u64,
    /// What the author says of it.
    pub message: Option<&'a str>,
    /// What allows the author to write here, and is cited by each change; empty where nothing need be cited.
    pub authority: &'a [AuthorityId],
    /// The policy's judge: what he refuses is not made.
    pub judge: Judge,
}

/// What an edit made.
#[derive(Debug)]
pub struct Made<T> {
    /// What the closure returned.
    pub result: T,
    /// The changes, in order: the edit's own comes last, before it merges of too many heads and removals of too many rivals.
    /// Empty if nothing changed.
    pub changes: Vec<Accepted>,
    /// What readers see of it, where patches are wanted.
    pub patches: Vec<Patch>,
}

impl Document {
    /// Edits the document. What was accepted before is projected first.
    ///
    /// # Errors
    /// [`EditError`]; the document is then as before.
    ///
    /// # Panics
    /// If the closure does; the edit is rolled back first.
    pub fn edit<T>(&mut self, by: &EditAs<'_>, closure: impl FnOnce(&mut Edit) -> T) -> Result<Made<T>, EditError> {
        self.show_all(by)?;
        let log = self.patch_log();
        let before = self.seen();
        let (result, committed) = self.transact(by, log, closure)?;
        let own = match committed {
            Some(mut log) => {
                let own = self.take_back(by)?;
                if self.is_behind() {
                    self.unseen = self.project().map_err(EditError::Refused)?;
                } else {
                    let patches = self.patches(&mut log, &before);
                    self.unseen.extend(patches);
                }
                Some(own)
            }
            None => None,
        };
        let changes = std::mem::take(&mut self.before_own).into_iter().chain(own).collect();
        let patches = std::mem::take(&mut self.unseen);
        Ok(Made { result, changes, patches })
    }

    /// Shows everything, with so few heads that an edit can follow on all.
    fn show_all(&mut self, by: &EditAs<'_>) -> Result<(), EditError> {
        self.unseen = self.project().map_err(EditError::Refused)?;
        let most = self.deps_most();
        // A document that allows fewer than three dependencies cannot be merged at all: its edits wait for one head.
        while most > 2 && self.history.heads().len() >= most {
            let merge = self.merge_heads(by)?;
            self.before_own.push(merge);
            self.unseen = self.project().map_err(EditError::Refused)?;
        }
        Ok(())
    }

    /// Edits the document as [`Document::edit`] does, and takes everything back: whether it would be made. It takes as long as
    /// to make the document anew.
    ///
    /// # Errors
    /// Those of the edit.
    ///
    /// # Panics
    /// If the closure does.
    pub fn rehearse<T>(&mut self, by: &EditAs<'_>, closure: impl FnOnce(&mut Edit) -> T) -> Result<T, EditError> {
        self.show_all(by)?;
        let heads: Vec<Ordinal> = self.history.heads().collect();
        let (result, committed) = self.transact(by, PatchLog::inactive(), closure)?;
        if committed.is_none() {
            return Ok(result);
        }
        let made = self.automerge.get_last_local_change().map(|made| made.decode());
        let read = made.and_then(|made| self.read_back(by, &made)).ok_or(EditError::Refused(Rule::Operation));
        let judged = read.and_then(|linked| self.judge_own(by, &linked));
        self.undo(&heads);
        judged.map(|_| result)
    }

    /// The changes that were made before an edit that then failed, and were not returned by another one yet.
    pub fn made_in_vain(&mut self) -> Vec<Accepted> {
        std::mem::take(&mut self.before_own)
    }

    /// Runs the closure in a transaction. `Some` if anything was changed.
    fn transact<T>(
        &mut self,
        by: &EditAs<'_>,
        log: PatchLog,
        closure: impl FnOnce(&mut Edit) -> T,
    ) -> Result<(T, Option<PatchLog>), EditError> {
        let actor = self.names.next_actor(&self.history, &by.chain).ok_or(EditError::Refused(Rule::Chain))?;
        self.automerge.set_actor(actor);
        let automerge = self.lend();
        let transaction = automerge.into_transaction(Some(log), None);
        let transaction = transaction.map_err(|error| EditError::Failed(error.to_string()))?;
        let (mut edit, shared) = Edit::begin(transaction);
        let result = catch_unwind(AssertUnwindSafe(|| closure(&mut edit)));
        let (transaction, finished) = shared.finish();
        match (result, finished, transaction) {
            (Ok(result), Ok(()), Some(transaction)) => Ok((result, self.commit(by, transaction))),
            (result, finished, transaction) => {
                self.give_back(edit::rolled_back(transaction).unwrap_or_default());
                let result = result.unwrap_or_else(|panic| resume_unwind(panic));
                finished.and(Err(EditError::Nested)).map(|()| (result, None))
            }
        }
    }

    /// Lends Automerge's document to a transaction.
    fn lend(&mut self) -> Automerge {
        let empty = self.empty.take().unwrap_or_default();
        std::mem::replace(&mut self.automerge, empty)
    }

    fn give_back(&mut self, automerge: Automerge) {
        self.empty = Some(std::mem::replace(&mut self.automerge, automerge));
    }

    fn commit(&mut self, by: &EditAs<'_>, transaction: OwnedTransaction) -> Option<PatchLog> {
        let mut options = CommitOptions::default().with_time(i64::try_from(by.time_ms).unwrap_or(0));
        if let Some(message) = by.message {
            options = options.with_message(message.to_owned());
        }
        let (automerge, hash, log) = transaction.commit_with(options);
        self.give_back(automerge);
        hash.map(|_| log)
    }

    /// Reads the transaction just committed back and takes it into the history.
    fn take_back(&mut self, by: &EditAs<'_>) -> Result<Accepted, EditError> {
        let heads: Vec<Ordinal> = self.history.heads().collect();
        let made = self.automerge.get_last_local_change().map(|made| (made.decode(), made.hash()));
        if let Some((made, _)) = made.as_ref().filter(|(made, _)| rivals::is_crowded(made)) {
            self.undo(&heads);
            return self.take_back_crowded(by, made.clone());
        }
        let read = made.and_then(|(made, hash)| Some((self.read_back(by, &made)?, hash)));
        let accepted = match read {
            Some((linked, hash)) => self.accept_own(by, linked).map(|accepted| (accepted, hash)),
            None => Err(EditError::Refused(Rule::Operation)),
        };
        match accepted {
            Ok((accepted, hash)) => {
                if let Some(branch) = self.history.branch_index(accepted.ordinal).filter(|b| !self.names.knows(*b)) {
                    self.names.add_branch(&self.history, branch);
                }
                if self.is_projected_alike(&accepted, hash) {
                    self.hashes.push(Some(hash));
                } else {
                    self.undo(&heads);
                    self.backlog.push(&accepted);
                }
                Ok(accepted)
            }
            Err(error) => {
                self.undo(&heads);
                Err(error)
            }
        }
    }

    /// Takes in a change that replaces too many values, after others that remove most of them.
    fn take_back_crowded(&mut self, by: &EditAs<'_>, mut made: ExpandedChange) -> Result<Accepted, EditError> {
        let removals = self.remove_rivals(by, &mut made)?;
        self.before_own.extend(removals);
        let linked = self.read_back(by, &made).ok_or(EditError::Refused(Rule::Operation))?;
        let accepted = self.accept_own(by, linked)?;
        self.backlog.push(&accepted);
        Ok(accepted)
    }

    /// Whether others will make the same of a local change. They do, but a mark's end may be moved to its begin, and here
    /// it would have to be as well.
    fn is_projected_alike(&mut self, accepted: &Accepted, hash: ChangeHash) -> bool {
        !has_marks(&accepted.change.change().ops)
            || self.expand(accepted).is_some_and(|expanded| automerge::Change::from(expanded).hash() == hash)
    }

    /// Every local change is checked as all others will check it.
    pub(super) fn accept_own(&mut self, by: &EditAs<'_>, linked: Linked) -> Result<Accepted, EditError> {
        let valid = self.judge_own(by, &linked)?;
        self.history.accept(valid).map_err(|_| EditError::Refused(Rule::Chain))
    }

    fn judge_own(&self, by: &EditAs<'_>, linked: &Linked) -> Result<Valid, EditError> {
        match self.history.check(linked) {
            Check::Valid(valid) => (by.judge)(&self.history, &valid).map(|()| *valid),
            // What cannot be foreseen while the edit goes on: how long its references and predecessors are.
            Check::Rejected(Rule::ChangeTooLarge) => Err(EditError::TooLarge),
            Check::Rejected(_) if linked.change().table.len() > limits::REFERENCES_MAX => Err(EditError::TooLarge),
            Check::Rejected(rule) => Err(EditError::Refused(rule)),
            Check::Known | Check::Missing(_) => Err(EditError::Refused(Rule::Chain)),
        }
    }

    /// Takes the document back to what it was, slowly: the last local change must not be seen.
    fn undo(&mut self, heads: &[Ordinal]) {
        let mut hashes: Vec<_> = heads.iter().filter_map(|head| self.hash_of(*head)).collect();
        if heads.is_empty() {
            hashes.extend(self.hash_of(0));
        }
        self.take_back_to(&hashes);
    }

    /// Forgets what Automerge holds beyond these heads.
    pub(super) fn take_back_to(&mut self, heads: &[ChangeHash]) {
        let earlier = apply::contained(|| self.automerge.fork_at(heads));
        self.automerge = earlier.unwrap_or_default();
    }

    /// A change without operations that depends on some of the heads, so that there are fewer.
    fn merge_heads(&mut self, by: &EditAs<'_>) -> Result<Accepted, EditError> {
        let previous = self.own_tip(&by.chain);
        let merged: Vec<Ordinal> = self.history.heads().take(self.deps_most() - 1).collect();
        let deps = merged.into_iter().chain(previous);
        let change = self.draft(by, deps).map(|draft| draft.finish(Vec::new()));
        let accepted = self.accept_own(by, change.ok_or(EditError::Refused(Rule::Chain))?)?;
        self.backlog.push(&accepted);
        Ok(accepted)
    }

    /// How many dependencies a change may have; one of them is its own previous change.
    fn deps_most(&self) -> usize {
        let most = self.history.genesis().terms().limits.deps;
        usize::try_from(most).unwrap_or(usize::MAX).clamp(1, limits::HEADS_MERGED_AT + 1)
    }

    /// The last change of a chain that has not forked.
    fn own_tip(&self, chain: &ChainId) -> Option<Ordinal> {
        let [branch] = self.history.branches_of(chain) else {
            return None;
        };
        self.history.branch(*branch)?.changes().last().copied()
    }

    fn draft(&self, by: &EditAs<'_>, deps: impl Iterator<Item = Ordinal>) -> Option<Draft<'_>> {
        let previous = self.own_tip(&by.chain);
        let deps = deps.chain(previous).filter_map(|ordinal| self.history.id(ordinal));
        let deps: std::collections::BTreeSet<ChangeId> = deps.collect();
        let seq = previous.map_or(Some(0), |previous| self.history.seq(previous))? + 1;
        let base: Link = match previous {
            Some(previous) => self.history.link(previous)?,
            None => by.chain.root(&self.history.genesis().id()),
        };
        let change = Change {
            author: by.chain.author,
            session: by.chain.session,
            seq,
            deps: deps.into_iter().collect(),
            authority: by.authority.to_vec(),
            time_ms: by.time_ms,
            message: by.message.map(str::to_owned),
            table: Vec::new(),
            ops: Vec::new(),
        };
        Some(Draft::new(&self.history, change, previous, base))
    }

    /// A change of Automerge's as one of ours, on all heads.
    pub(super) fn read_back(&self, by: &EditAs<'_>, made: &ExpandedChange) -> Option<Linked> {
        let mut draft = self.draft(by, self.history.heads())?;
        let (start, first) = (made.start_op.get(), draft.first());
        let branch = self.own_tip(&by.chain).and_then(|tip| self.history.branch_index(tip));
        let find = |id: &legacy::OpId| -> Option<Spot> {
            if let Some(own) = id.0.checked_sub(start).filter(|_| id.1 == made.actor_id) {
                return Some(Spot { branch: Draft::OWN, number: first.checked_add(u32::try_from(own).ok()?)? });
            }
            let branch = if id.1 == made.actor_id { branch? } else { self.names.branch(&id.1)? };
            let number = self.history.branch(branch)?.number(u32::try_from(id.0).ok()?)?;
            Some(Spot { branch, number })
        };
        let ids = || made.operations.iter().flat_map(operation_ids);
        draft.refer(&ids().map(&find).collect::<Option<Vec<Spot>>>()?)?;
        let reference = |id: &legacy::OpId| draft.reference(find(id)?);
        let ops = made.operations.iter().map(|op| operation(op, &reference)).collect::<Option<Vec<Op>>>()?;
        Some(draft.finish(ops))
    }
}

/// The operations that an operation refers to.
fn operation_ids(op: &legacy::Op) -> impl Iterator<Item = &legacy::OpId> {
    let object = match &op.obj {
        ObjectId::Id(id) => Some(id),
        ObjectId::Root => None,
    };
    let element = match &op.key {
        Key::Seq(ElementId::Id(id)) => Some(id),
        Key::Seq(ElementId::Head) | Key::Map(_) => None,
    };
    object.into_iter().chain(element).chain(op.pred.iter())
}

fn operation(op: &legacy::Op, reference: &impl Fn(&legacy::OpId) -> Option<Reference>) -> Option<Op> {
    let object = match &op.obj {
        ObjectId::Id(id) => Some(reference(id)?),
        ObjectId::Root => None,
    };
    let place = match (&op.key, op.insert) {
        (Key::Map(key), false) => Place::Key(key.to_string()),
        (Key::Seq(ElementId::Head), true) => Place::After(None),
        (Key::Seq(ElementId::Id(id)), true) => Place::After(Some(reference(id)?)),
        (Key::Seq(ElementId::Id(id)), false) => Place::At(reference(id)?),
        (Key::Seq(ElementId::Head), false) | (Key::Map(_), true) => return None,
    };
    let action = convert::action_from_automerge(&op.action)?;
    let mut pred = op.pred.iter().map(reference).collect::<Option<Vec<_>>>()?;
    pred.sort_unstable();
    Some(Op { object, place, action, pred })
}
