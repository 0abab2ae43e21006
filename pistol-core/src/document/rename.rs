//! What happens when a fork becomes known: each way on gets a name of its own, so the projection is made anew.

use std::collections::BTreeMap;

use automerge::legacy::{ElementId, Key, ObjectId, OpId, OpType, SortedVec};
use automerge::{Automerge, Change, ChangeHash, ObjId, ReadDoc};

use super::hashes::Hashes;
use super::names::Names;
use super::patch::{Patch, replaced};
use super::tree::Tree;
use super::{Document, apply};
use crate::validate::{Accepted, History, Ordinal, Rule, Spot};

/// What it costs to make a change anew, in operations that a walk visits in that time: a text of 100,000 changes takes two
/// seconds.
const REBUILT_CHANGE: u64 = 90;
/// What it costs to make an operation anew.
const REBUILT_OPERATION: u64 = 10;
/// Names that are made room for in that time: Automerge sorts them, so each new one moves those after it.
const NAMES_MOVED: u64 = 20;

impl Document {
    /// Projects everything again under the names that the history now gives. Patches of texts are found by comparison.
    pub(super) fn rebuild(&mut self, waiting: &[Accepted]) -> Result<Vec<Patch>, Rule> {
        let branches = self.history.branches().len() as u64;
        let cost = REBUILT_CHANGE * u64::from(self.history.next())
            + REBUILT_OPERATION * self.history.operations() as u64
            + branches * branches / NAMES_MOVED;
        (self.walked, self.rebuilt) = (self.walked + cost, self.rebuilt + cost);
        let names = Names::of(&self.history);
        let mut tree = Tree::default();
        let mut renamer = Renamer { history: &self.history, old: &self.names, new: &names, ordinals: BTreeMap::new() };
        let mut hashes = vec![None; self.hashes.len()];
        let mut changes = Vec::with_capacity(self.hashes.len() + waiting.len());
        let projected = renamer.in_order(self.automerge.get_changes(&[]));
        renamer.ordinals = projected.iter().map(|(ordinal, change)| (change.hash(), *ordinal)).collect();
        for (ordinal, change) in projected {
            let renamed = renamer.rename(ordinal, &change, &hashes, &mut tree).ok_or(Rule::Operation)?;
            if let Some(hash) = usize::try_from(ordinal).ok().and_then(|index| hashes.get_mut(index)) {
                *hash = Some(renamed.hash());
            }
            changes.push(renamed);
        }
        let old = std::mem::replace(&mut self.names, names);
        self.tree = tree;
        self.hashes = Hashes::new(hashes);
        changes.extend(self.expand_all(waiting));
        let mut automerge = Automerge::new();
        apply::contained(|| apply::apply(&mut automerge, changes, None)).map_err(|_| Rule::Operation)?;
        let renamed = std::mem::take(&mut self.followed);
        let renamed = renamed
            .into_values()
            .filter_map(|object| Some((rename_object(&self.history, &old, &self.names, &object)?, object)));
        let mut patches = Vec::new();
        for (new, object) in renamed {
            let before = self.automerge.text(&object).unwrap_or_default();
            let after = automerge.text(&new).unwrap_or_default();
            patches.push(Patch::Rename { object: object.to_string(), new: new.to_string() });
            patches.extend(replaced(&new.to_string(), &before, &after));
            self.followed.insert(new.to_string(), new);
        }
        self.automerge = automerge;
        Ok(patches)
    }
}

fn rename_object(history: &History, old: &Names, new: &Names, object: &ObjId) -> Option<ObjId> {
    let ObjId::Id(counter, actor, _) = object else {
        return Some(ObjId::Root);
    };
    let renamer = Renamer { history, old, new, ordinals: BTreeMap::new() };
    let id = renamer.op_id(&OpId::new(*counter, actor))?;
    Some(ObjId::Id(id.0, id.1, 0))
}

struct Renamer<'a> {
    history: &'a History,
    old: &'a Names,
    new: &'a Names,
    ordinals: BTreeMap<ChangeHash, Ordinal>,
}

impl Renamer<'_> {
    fn in_order(&self, changes: Vec<Change>) -> Vec<(Ordinal, Change)> {
        let ordinal = |change: Change| Some((self.old.ordinal(self.history, change.actor_id(), change.seq())?, change));
        let mut changes: Vec<_> = changes.into_iter().filter_map(ordinal).collect();
        changes.sort_unstable_by_key(|(ordinal, _)| *ordinal);
        changes
    }

    fn rename(
        &self,
        ordinal: Ordinal,
        change: &Change,
        hashes: &[Option<ChangeHash>],
        tree: &mut Tree,
    ) -> Option<Change> {
        let mut change = change.decode();
        let (branch, (first, _)) = (self.history.branch_index(ordinal)?, self.history.numbers(ordinal)?);
        for (number, op) in (first..).zip(&mut change.operations) {
            if let ObjectId::Id(id) = &mut op.obj {
                *id = self.op_id(id)?;
            }
            if let OpType::MarkEnd(_) = op.action {
                tree.grow(self.history, self.new, ordinal);
                let element = tree.parent(self.history.row_at(Spot { branch, number })?)?;
                op.key = Key::Seq(ElementId::Id(tree.op_id(self.history, self.new, element)?));
            } else if let Key::Seq(ElementId::Id(id)) = &mut op.key {
                *id = self.op_id(id)?;
            }
            let pred = op.pred.iter().map(|id| self.op_id(id)).collect::<Option<Vec<OpId>>>()?;
            op.pred = SortedVec::from(pred);
        }
        let renamed = |hash: &ChangeHash| {
            let ordinal = usize::try_from(*self.ordinals.get(hash)?).ok()?;
            hashes.get(ordinal).copied().flatten()
        };
        change.deps = change.deps.iter().map(renamed).collect::<Option<Vec<_>>>()?;
        change.deps.sort_unstable();
        let (branch, seq) = (self.history.branch_index(ordinal)?, self.history.seq(ordinal)?);
        change.actor_id = self.new.at_seq(branch, seq)?.clone();
        change.seq = self.new.automerge_seq(branch, seq)?;
        change.hash = None;
        Some(Change::from(change))
    }

    fn op_id(&self, id: &OpId) -> Option<OpId> {
        let spot = self.old.spot(self.history, id.0, &id.1)?;
        Some(OpId::new(id.0, self.new.actor(spot)?))
    }
}
