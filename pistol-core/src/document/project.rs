//! From accepted changes to Automerge changes: actors, counters, sequence numbers and hashes are computed here.

use std::collections::BTreeSet;
use std::num::NonZeroU64;

use automerge::legacy::{self, ElementId, Key, ObjectId, OpId};
use automerge::{ActorId, Change, ChangeHash, ExpandedChange};

use super::hashes::Hashes;
use super::names::Names;
use super::patch::Patch;
use super::tree::{Tree, has_marks};
use super::{Document, apply, convert};
use crate::change::{Action, Op, Place, Reference};
use crate::validate::{Accepted, History, Ordinal, Rule, Spot};

/// What a new name costs among few with all that follows from it, in operations that a walk visits in that time: it is one more head,
/// to be merged by those who write next.
const NAME: u64 = 2500;
/// Names that are moved in the time of one such operation, to make room for a new one among them.
const NAMES_MOVED: u64 = 2;

impl Document {
    /// Shows readers what was accepted since the last time. Returns the patches, if they are wanted.
    ///
    /// # Errors
    /// [`Rule::Operation`] if Automerge failed; the document is then as it was before, without the changes.
    pub fn project(&mut self) -> Result<Vec<Patch>, Rule> {
        let patches = self.project_waiting()?;
        self.unseen.extend(patches);
        Ok(std::mem::take(&mut self.unseen))
    }

    /// Shows of what was accepted as much as costs next to nothing, from the beginning. Returns the patches.
    pub fn project_cheap(&mut self) -> Vec<Patch> {
        if self.is_linear_faster() {
            self.project_one_by_one();
        }
        std::mem::take(&mut self.unseen)
    }

    /// Shows changes up to the first that has to be applied.
    fn project_one_by_one(&mut self) {
        loop {
            let rest = self.backlog.rest();
            let next = self.backlog.take(&self.history, 1);
            let Some(patches) = next.first().and_then(|accepted| self.project_linear(accepted)) else {
                return self.backlog.rewind(rest);
            };
            self.unseen.extend(patches);
        }
    }

    fn project_waiting(&mut self) -> Result<Vec<Patch>, Rule> {
        let mut patches = self.project_cheap();
        let mut backlog = std::mem::take(&mut self.backlog);
        let mut failed = None;
        if !self.project_in_bulk(&mut backlog) && backlog.has_forks() {
            let waiting = backlog.take(&self.history, usize::MAX);
            patches.extend(self.rebuild(&waiting)?);
        }
        loop {
            let some = backlog.take(&self.history, apply::BATCH);
            if some.is_empty() {
                break;
            }
            let shown = if failed.is_none() { self.apply(&some) } else { Ok(self.leave_out(&some)) };
            shown.map_or_else(|rule| failed = Some(rule), |shown| patches.extend(shown));
        }
        failed.map_or(Ok(patches), Err)
    }

    /// Counts changes that are not shown, since Automerge failed on earlier ones.
    fn leave_out(&mut self, accepted: &[Accepted]) -> Vec<Patch> {
        self.expand_all(accepted);
        Vec::new()
    }

    /// Applies changes all at once.
    pub(super) fn apply(&mut self, waiting: &[Accepted]) -> Result<Vec<Patch>, Rule> {
        if waiting.is_empty() {
            return Ok(Vec::new());
        }
        let named = self.cost_of_names(waiting);
        (self.walked, self.rebuilt) = (self.walked + self.walk(waiting) + named, self.rebuilt + named);
        let changes = self.expand_all(waiting);
        let before = self.seen();
        let mut log = self.patch_log();
        apply::contained(|| apply::apply(&mut self.automerge, changes, Some(&mut log))).map_err(|_| Rule::Operation)?;
        Ok(self.patches(&mut log, &before))
    }

    /// How many operations Automerge walks to apply changes: all of each object that they touch.
    fn walk(&self, waiting: &[Accepted]) -> u64 {
        let objects: BTreeSet<u32> =
            waiting.iter().flat_map(|accepted| self.history.objects_of(accepted.ordinal)).collect();
        objects.into_iter().map(|object| u64::from(self.history.size_of_object(object))).sum()
    }

    /// What it costs that changes begin new chains, in operations walked in that time: Automerge makes room for each new name,
    /// and later edits depend on one more head.
    fn cost_of_names(&self, waiting: &[Accepted]) -> u64 {
        let begun = waiting.iter().filter(|accepted| accepted.change.change().seq == 1).count() as u64;
        begun * (NAME + self.history.branches().len() as u64 / NAMES_MOVED)
    }

    /// Names the branches of changes and expands them, remembering their hashes.
    pub(super) fn expand_all(&mut self, accepted: &[Accepted]) -> Vec<Change> {
        let mut changes = Vec::with_capacity(accepted.len());
        for accepted in accepted {
            let change = self.expand(accepted).map(Change::from);
            self.hashes.push(change.as_ref().map(Change::hash));
            changes.extend(change);
        }
        changes
    }

    /// Names the branch of a change and expands it.
    pub(super) fn expand(&mut self, accepted: &Accepted) -> Option<ExpandedChange> {
        if let Some(branch) = self.history.branch_index(accepted.ordinal).filter(|branch| !self.names.knows(*branch)) {
            self.names.add_branch(&self.history, branch);
        }
        self.hashes.look_up(&accepted.deps, &self.history, &self.names, &self.automerge);
        if has_marks(&accepted.change.change().ops) {
            self.tree.grow(&self.history, &self.names, accepted.ordinal);
        }
        let (history, names, tree) = (&self.history, &self.names, &self.tree);
        Expander { history, names, tree, hashes: &self.hashes }.expand(accepted)
    }

    pub(super) fn hash_of(&self, ordinal: Ordinal) -> Option<ChangeHash> {
        self.hashes.of(ordinal)
    }
}

/// The skeleton as an Automerge change; none if it is empty.
pub(super) fn skeleton(history: &History, names: &Names) -> Option<Change> {
    let skeleton = &history.genesis().terms().skeleton;
    if skeleton.is_empty() {
        return None;
    }
    let mut tree = Tree::default();
    if has_marks(skeleton) {
        tree.grow(history, names, 0);
    }
    let expander = Expander { history, names, tree: &tree, hashes: &Hashes::default() };
    let find = |reference| match reference {
        Reference::Skeleton(number) => Some(Spot { branch: 0, number }),
        Reference::Own(_) | Reference::Entry(..) => None,
    };
    let operations = expander.operations(0, skeleton, &find)?;
    let actor_id = names.at_seq(0, 0)?.clone();
    expanded(operations, actor_id, 1, 1, 0, None, Vec::new()).map(Change::from)
}

fn expanded(
    operations: Vec<legacy::Op>,
    actor_id: ActorId,
    seq: u64,
    start: u32,
    time: i64,
    message: Option<String>,
    mut deps: Vec<ChangeHash>,
) -> Option<ExpandedChange> {
    deps.sort_unstable();
    let start_op = NonZeroU64::new(u64::from(start))?;
    let (hash, extra_bytes, author) = (None, Vec::new(), None);
    Some(ExpandedChange { operations, actor_id, hash, seq, start_op, time, message, deps, extra_bytes, author })
}

struct Expander<'a> {
    history: &'a History,
    names: &'a Names,
    tree: &'a Tree,
    hashes: &'a Hashes,
}

impl Expander<'_> {
    fn expand(&self, accepted: &Accepted) -> Option<ExpandedChange> {
        let change = accepted.change.change();
        let ordinal = accepted.ordinal;
        let branch = self.history.branch_index(ordinal)?;
        let find = |reference| match reference {
            Reference::Own(number) => self.history.spot(ordinal, number),
            Reference::Skeleton(number) => self.history.spot(0, number),
            Reference::Entry(entry, number) => {
                let tip = accepted.table.get(usize::try_from(entry).ok()?)?;
                self.history.spot(*tip, number)
            }
        };
        let operations = self.operations(ordinal, &change.ops, &find)?;
        let deps = if accepted.deps.is_empty() {
            self.hash(0).into_iter().collect()
        } else {
            accepted.deps.iter().filter_map(|dep| self.hash(*dep)).collect()
        };
        let actor = self.names.at_seq(branch, change.seq)?.clone();
        let seq = self.names.automerge_seq(branch, change.seq)?;
        let time = i64::try_from(change.time_ms).ok()?;
        expanded(operations, actor, seq, self.history.start(ordinal)?, time, change.message.clone(), deps)
    }

    fn hash(&self, ordinal: Ordinal) -> Option<ChangeHash> {
        self.hashes.of(ordinal)
    }

    fn operations(
        &self,
        ordinal: Ordinal,
        ops: &[Op],
        find: &impl Fn(Reference) -> Option<Spot>,
    ) -> Option<Vec<legacy::Op>> {
        let (branch, (first, _)) = (self.history.branch_index(ordinal)?, self.history.numbers(ordinal)?);
        let mut operations = Vec::with_capacity(ops.len());
        for (number, op) in (first..).zip(ops) {
            let mut operation = self.operation(op, find)?;
            let is_mark_end = matches!(op.action, Action::MarkEnd { .. });
            if is_mark_end && self.tree.ends_at_begin(self.history.row_at(Spot { branch, number })?) {
                let begin = Spot { branch, number: number.checked_sub(1)? };
                operation.key = Key::Seq(ElementId::Id(self.op_id(begin)?));
            }
            operations.push(operation);
        }
        Some(operations)
    }

    fn operation(&self, op: &Op, find: &impl Fn(Reference) -> Option<Spot>) -> Option<legacy::Op> {
        let id = |reference: Reference| self.op_id(find(reference)?);
        let obj = match op.object {
            None => ObjectId::Root,
            Some(object) => ObjectId::Id(id(object)?),
        };
        let key = match &op.place {
            Place::Key(key) => Key::Map(key.as_str().into()),
            Place::After(None) => Key::Seq(ElementId::Head),
            Place::After(Some(element)) | Place::At(element) => Key::Seq(ElementId::Id(id(*element)?)),
        };
        let action = convert::action_to_automerge(&op.action);
        let mut pred = op.pred.iter().map(|pred| id(*pred)).collect::<Option<Vec<OpId>>>()?;
        pred.sort_unstable();
        Some(legacy::Op { action, obj, key, pred: pred.into(), insert: op.is_insert() })
    }

    fn op_id(&self, spot: Spot) -> Option<OpId> {
        let counter = self.history.branch(spot.branch)?.counter(spot.number)?;
        Some(OpId::new(u64::from(counter), self.names.actor(spot)?))
    }
}
