//! The validator: whether a change is well formed in its past. A pure function of the change, its past and the genesis,
//! so its verdict is final and the same on every replica.
//!
//! Architecture Invariant: `Valid` is made here only, and only a `Valid` change enters the history.
//!
//! Checking needs no Automerge document, only the [`History`]: an index of operations and the pasts of changes.

mod branch;
mod index;
mod operation;
mod ordinals;
mod past;
mod reference;
mod rule;

use std::collections::BTreeSet;
use std::sync::Arc;

pub use branch::{Branch, Spot};
pub use rule::Rule;

use crate::chain::ChainId;
use crate::envelope::Linked;
use crate::genesis::Genesis;
use crate::id::{ChangeId, Link};
use crate::limits;
use branch::{Branches, Previous};
use index::{Addition, Index};
pub use ordinals::Ordinals;
use past::Past;

/// The number of a change in the order in which this replica accepted them. The skeleton is number 0.
pub type Ordinal = u32;

/// Everything accepted so far, as the validator needs it.
#[derive(Clone, Debug)]
pub struct History {
    genesis: Arc<Genesis>,
    nodes: Vec<Node>,
    ordinals: Ordinals,
    branches: Branches,
    index: Index,
    heads: BTreeSet<Ordinal>,
}

/// What is kept of an accepted change.
#[derive(Clone, Debug)]
struct Node {
    id: ChangeId,
    link: Link,
    /// Place in its chain, from 1.
    seq: u64,
    branch: u32,
    /// Number of its first operation along its chain.
    first: u32,
    ops: u32,
    /// The operation counter of its first operation, as Automerge counts.
    start: u32,
    /// Canonical bytes of the chain up to and with it.
    chain_bytes: u64,
    past: Past,
}

impl Node {
    fn end(&self) -> u32 {
        self.first + self.ops
    }

    /// The counter after its last operation.
    fn counter_end(&self) -> u32 {
        self.start + self.ops
    }
}

/// What became of a check.
#[derive(Debug)]
pub enum Check {
    /// The change may enter the history.
    Valid(Box<Valid>),
    /// It was accepted before.
    Known,
    /// It waits for these dependencies.
    Missing(Vec<ChangeId>),
    /// It is refused, here and everywhere.
    Rejected(Rule),
}

/// A change that keeps every rule of structure, checked against a history that has not changed since.
#[derive(Debug)]
pub struct Valid {
    change: Linked,
    /// How many changes the history held.
    at: usize,
    previous: Option<Ordinal>,
    deps: Vec<Ordinal>,
    table: Vec<Ordinal>,
    start: u32,
    first: u32,
    chain_bytes: u64,
    past: Past,
    addition: Addition,
}

impl Valid {
    /// The change.
    pub fn change(&self) -> &Linked {
        &self.change
    }

    /// The numbers of the changes in its table of references.
    pub fn table(&self) -> &[Ordinal] {
        &self.table
    }
}

/// A change that entered the history.
#[derive(Clone, Debug)]
pub struct Accepted {
    /// Its number here.
    pub ordinal: Ordinal,
    /// The change.
    pub change: Linked,
    /// The numbers of the changes it depends on.
    pub deps: Vec<Ordinal>,
    /// The numbers of the changes in its table of references.
    pub table: Vec<Ordinal>,
    /// Whether it made a fork known: a second change after the same one.
    pub is_fork: bool,
}

/// The history changed between a check and the acceptance that relied on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the history changed since the change was checked; check it again")]
pub struct Stale;

impl History {
    /// The history of a new document: its skeleton.
    ///
    /// # Errors
    /// The [`Rule`] that the skeleton breaks.
    pub fn new(genesis: Arc<Genesis>) -> Result<Self, Rule> {
        let skeleton = &genesis.terms().skeleton;
        let mut index = Index::default();
        let addition = index.check_skeleton(skeleton)?;
        let ops = addition.len();
        let branches = Branches::with_skeleton(&mut index, addition);
        let past = Past::default();
        let (id, link) = (ChangeId(genesis.id().0), Link([0; 32]));
        let node = Node { id, link, seq: 0, branch: 0, first: 0, ops, start: 1, chain_bytes: 0, past };
        Ok(History {
            genesis,
            nodes: vec![node],
            ordinals: Ordinals::default(),
            branches,
            index,
            heads: BTreeSet::new(),
        })
    }

    /// The document's genesis.
    pub fn genesis(&self) -> &Arc<Genesis> {
        &self.genesis
    }

    /// How many changes were accepted, the skeleton included: the number of the next one.
    pub fn next(&self) -> Ordinal {
        u32::try_from(self.nodes.len()).unwrap_or(u32::MAX)
    }

    /// How many changes were accepted, the skeleton included.
    pub(crate) fn nodes(&self) -> usize {
        self.nodes.len()
    }

    /// The number of an accepted change.
    pub fn ordinal(&self, id: &ChangeId) -> Option<Ordinal> {
        // Most of what is asked for is what the next change depends on: the last one.
        match self.nodes.last() {
            Some(last) if last.id == *id && self.nodes.len() > 1 => self.next().checked_sub(1),
            _ => self.ordinals.of(id),
        }
    }

    /// The id of an accepted change.
    pub fn id(&self, ordinal: Ordinal) -> Option<ChangeId> {
        self.node(ordinal).map(|node| node.id)
    }

    /// The link after an accepted change.
    pub fn link(&self, ordinal: Ordinal) -> Option<Link> {
        self.node(ordinal).map(|node| node.link)
    }

    /// Canonical bytes of an accepted change's chain, up to and with it.
    pub fn chain_bytes(&self, ordinal: Ordinal) -> Option<u64> {
        self.node(ordinal).map(|node| node.chain_bytes)
    }

    /// The accepted changes that no accepted change depends on.
    pub fn heads(&self) -> impl ExactSizeIterator<Item = Ordinal> + '_ {
        self.heads.iter().copied()
    }

    /// The branches of the chains, the skeleton's first; those without forks have one each.
    pub fn branches(&self) -> &[Branch] {
        self.branches.all()
    }

    /// The branches of one chain.
    pub fn branches_of(&self, chain: &ChainId) -> &[u32] {
        self.branches.of(chain)
    }

    /// How many operations the validator has indexed.
    pub fn operations(&self) -> usize {
        self.index.len()
    }

    /// Bytes that the index of operations takes, map keys apart.
    pub fn index_bytes(&self) -> usize {
        self.index.bytes() + self.branches.bytes()
    }

    fn node(&self, ordinal: Ordinal) -> Option<&Node> {
        self.nodes.get(usize::try_from(ordinal).ok()?)
    }

    /// Checks a change against V1 to V6. V8 is the judge's.
    pub fn check(&self, change: &Linked) -> Check {
        if self.ordinals.of(&change.id()).is_some() {
            return Check::Known;
        }
        let (deps, missing) = self.dependencies(change);
        if !missing.is_empty() {
            return Check::Missing(missing);
        }
        match self.check_in_past(change, deps) {
            Ok(valid) => Check::Valid(Box::new(valid)),
            Err(rule) => Check::Rejected(rule),
        }
    }

    fn dependencies(&self, change: &Linked) -> (Vec<Ordinal>, Vec<ChangeId>) {
        let mut deps = Vec::with_capacity(change.change().deps.len());
        let mut missing = Vec::new();
        for id in &change.change().deps {
            match self.ordinal(id) {
                Some(ordinal) => deps.push(ordinal),
                None => missing.push(*id),
            }
        }
        (deps, missing)
    }

    fn check_in_past(&self, linked: &Linked, deps: Vec<Ordinal>) -> Result<Valid, Rule> {
        let (change, limits) = (linked.change(), &self.genesis.terms().limits);
        let ops = u32::try_from(change.ops.len()).map_err(|_| Rule::ChangeTooLarge)?;
        if ops > limits.ops_per_change || linked.bytes() as u64 > u64::from(limits.change_bytes) {
            return Err(Rule::ChangeTooLarge);
        }
        if deps.len() as u64 > u64::from(limits.deps) || !is_strictly_sorted(&change.deps) {
            return Err(Rule::Dependencies);
        }
        let message = change.message.as_ref().map_or(0, String::len);
        if message > limits::MESSAGE_BYTES_MAX || change.authority.len() > limits::AUTHORITY_MAX {
            return Err(Rule::ChangeTooLarge);
        }
        if change.time_ms > limits::EXACT_MAX {
            return Err(Rule::Value);
        }
        let previous = self.previous(linked, &deps)?;
        let (first, bytes) = previous
            .and_then(|previous| self.node(previous))
            .map_or((0, 0), |previous| (previous.end(), previous.chain_bytes));
        let chain_bytes = bytes + linked.bytes() as u64;
        let end = first.checked_add(ops).filter(|end| *end <= limits.ops_per_chain).ok_or(Rule::ChainTooLong)?;
        if chain_bytes > limits.bytes_per_chain {
            return Err(Rule::ChainTooLong);
        }
        let start = self.start_after(&deps);
        if start.checked_add(end - first).is_none_or(|end| end > limits::COUNTER_MAX) {
            return Err(Rule::CountersUsedUp);
        }
        let past = self.past_of(&deps, previous);
        let table = self.resolve_table(change, previous, &past)?;
        let addition = self.check_operations(change, previous, &table, first)?;
        let table = table.tips;
        let (change, at) = (linked.clone(), self.nodes.len());
        Ok(Valid { change, at, previous, deps, table, start, first, chain_bytes, past, addition })
    }

    /// The own previous change: exactly one direct dependency of the own chain, at the place before, with the link that
    /// the chain continues from; none at the first place.
    fn previous(&self, linked: &Linked, deps: &[Ordinal]) -> Result<Option<Ordinal>, Rule> {
        let change = linked.change();
        let chain = linked.chain();
        let is_own = |ordinal: &Ordinal| self.branch_of(*ordinal).is_some_and(|branch| branch.chain() == Some(chain));
        let mut own = deps.iter().copied().filter(is_own);
        match (own.next(), own.next(), change.seq) {
            (None, None, 1) if linked.base() == chain.root(&self.genesis.id()) => Ok(None),
            (Some(previous), None, seq) if seq > 1 => {
                let is_right = self.seq(previous) == Some(seq - 1) && self.link(previous) == Some(linked.base());
                if is_right { Ok(Some(previous)) } else { Err(Rule::Chain) }
            }
            _ => Err(Rule::Chain),
        }
    }

    fn start_after(&self, deps: &[Ordinal]) -> u32 {
        let skeleton = self.node(0).map_or(1, Node::counter_end);
        deps.iter().filter_map(|dep| self.node(*dep)).map(Node::counter_end).max().unwrap_or(skeleton)
    }

    /// Whether a change that may be taken in would begin a branch: it is the first of its chain, or its author wrote another one
    /// after the same.
    pub fn would_branch(&self, valid: &Valid) -> bool {
        let Some(previous) = valid.previous else { return true };
        self.branch_of(previous).is_some_and(|branch| branch.changes().last() != Some(&previous))
    }

    /// Takes a change in.
    ///
    /// # Errors
    /// [`Stale`] if another change was taken in since this one was checked.
    pub fn accept(&mut self, valid: Valid) -> Result<Accepted, Stale> {
        let ordinal = self.next();
        if valid.at != self.nodes.len() || ordinal == u32::MAX {
            return Err(Stale);
        }
        let Valid { change, previous, deps, table, start, first, chain_bytes, past, addition, .. } = valid;
        let ops = addition.len();
        let rows = self.index.add(addition);
        let previous = previous.and_then(|ordinal| {
            Some(Previous { ordinal, branch: self.branch_index(ordinal)?, seq: self.seq(ordinal)? })
        });
        let joined = self.branches.join(change.chain(), ordinal, previous, first);
        self.branches.number(joined.branch, rows, start, ops);
        for dep in &deps {
            self.heads.remove(dep);
        }
        self.heads.insert(ordinal);
        self.ordinals.insert(change.id(), ordinal);
        let (id, link, seq, branch) = (change.id(), change.link(), change.change().seq, joined.branch);
        self.nodes.push(Node { id, link, seq, branch, first, ops, start, chain_bytes, past });
        Ok(Accepted { ordinal, change, deps, table, is_fork: joined.is_fork })
    }
}

fn is_strictly_sorted<T: Ord>(list: &[T]) -> bool {
    list.iter().zip(list.iter().skip(1)).all(|(one, next)| one < next)
}

#[cfg(test)]
mod tests;
