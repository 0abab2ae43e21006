//! Chains as trees: where an author's session forked, each way on is a branch.
//!
//! Here a branch is whatever this replica saw continue; which of two ways it calls the continuation follows the order of
//! arrival, so nothing outside may depend on that. The projection names both ways alike.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use super::index::{Addition, Element, Index};
use super::{History, Ordinal};
use crate::chain::ChainId;
use crate::id::Session;
use crate::key::AuthorId;

/// An operation, found: the branch and its number along the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Spot {
    /// Index of the branch.
    pub branch: u32,
    /// Number along the chain, from the chain's start.
    pub number: u32,
}

/// A stretch of a chain without forks in its middle, as this replica sees it.
#[derive(Clone, Debug)]
pub struct Branch {
    chain: Option<ChainId>,
    /// The change that it continues, in another branch of the chain.
    parent: Option<Ordinal>,
    /// The branch of the parent, and one further up, so that long rows of forks are walked in few steps.
    up: Option<Up>,
    first_seq: u64,
    /// Number of its first operation along the chain.
    first: u32,
    changes: Vec<Ordinal>,
    /// Row of each operation.
    rows: Vec<u32>,
    /// Where counters do not continue: (operation number, counter).
    counters: Vec<(u32, u32)>,
}

/// The way from a branch to the chain's start.
#[derive(Clone, Copy, Debug)]
struct Up {
    parent: u32,
    jump: u32,
    depth: u32,
}

impl Branch {
    /// The chain; `None` for the skeleton.
    pub fn chain(&self) -> Option<ChainId> {
        self.chain
    }

    /// The change that it continues, if it begins at a fork.
    pub fn parent(&self) -> Option<Ordinal> {
        self.parent
    }

    /// Place in the chain of its first change.
    pub fn first_seq(&self) -> u64 {
        self.first_seq
    }

    /// Its changes.
    pub fn changes(&self) -> &[Ordinal] {
        &self.changes
    }

    /// Place in the chain of its last change.
    pub fn last_seq(&self) -> u64 {
        (self.first_seq + self.changes.len() as u64).saturating_sub(1)
    }

    /// The change at a place in the chain.
    pub fn at(&self, seq: u64) -> Option<Ordinal> {
        self.changes.get(usize::try_from(seq.checked_sub(self.first_seq)?).ok()?).copied()
    }

    fn row(&self, number: u32) -> Option<u32> {
        self.rows.get(usize::try_from(number.checked_sub(self.first)?).ok()?).copied()
    }

    fn end(&self) -> u32 {
        self.first.saturating_add(u32::try_from(self.rows.len()).unwrap_or(u32::MAX))
    }

    /// The counter of an operation of this branch.
    pub fn counter(&self, number: u32) -> Option<u32> {
        let run = self.counters.partition_point(|(first, _)| *first <= number).checked_sub(1)?;
        let (first, start) = self.counters.get(run)?;
        (number < self.end()).then(|| start + (number - first))
    }

    /// The operation that has a counter.
    pub fn number(&self, counter: u32) -> Option<u32> {
        let run = self.counters.partition_point(|(_, start)| *start <= counter).checked_sub(1)?;
        let (first, start) = self.counters.get(run)?;
        let number = first.checked_add(counter - start)?;
        let end = self.counters.get(run + 1).map_or(self.end(), |(next, _)| *next);
        (number < end).then_some(number)
    }
}

/// All branches of a document. Branch 0 is the skeleton.
#[derive(Clone, Debug)]
pub(super) struct Branches {
    all: Vec<Branch>,
    of: BTreeMap<ChainId, Vec<u32>>,
    /// Of each change that a branch begins after: the first change of the first such branch.
    forked: BTreeMap<Ordinal, Ordinal>,
}

/// How a path goes on from where it meets another: the change after which they part, and the branch that it takes there.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Parting {
    last: Ordinal,
    onward: Option<u32>,
}

/// The change that one continues.
#[derive(Clone, Copy)]
pub(super) struct Previous {
    pub(super) ordinal: Ordinal,
    pub(super) branch: u32,
    pub(super) seq: u64,
}

/// Where a change joined.
pub(super) struct Joined {
    pub(super) branch: u32,
    pub(super) is_fork: bool,
}

impl Branches {
    pub(super) fn with_skeleton(index: &mut Index, addition: Addition) -> Self {
        let ops = addition.len();
        let rows = index.add(addition);
        let skeleton = Branch {
            chain: None,
            parent: None,
            up: None,
            first_seq: 0,
            first: 0,
            changes: vec![0],
            rows: vec![],
            counters: vec![],
        };
        let mut branches = Branches { all: vec![skeleton], of: BTreeMap::new(), forked: BTreeMap::new() };
        branches.number(0, rows, 1, ops);
        branches
    }

    pub(super) fn all(&self) -> &[Branch] {
        &self.all
    }

    /// Bytes that the numbering of operations takes.
    pub(super) fn bytes(&self) -> usize {
        let bytes = |branch: &Branch| size_of_val(branch.rows.as_slice()) + size_of_val(branch.counters.as_slice());
        self.all.iter().map(bytes).sum()
    }

    pub(super) fn of(&self, chain: &ChainId) -> &[u32] {
        self.of.get(chain).map_or(&[], Vec::as_slice)
    }

    fn chain_of(&self, author: &[u8; 32], session: Session) -> Option<ChainId> {
        let named = ChainId { author: AuthorId::to_look_up(author), session };
        self.of.get_key_value(&named).map(|(chain, _)| *chain)
    }

    pub(super) fn branch(&self, branch: u32) -> Option<&Branch> {
        self.all.get(usize::try_from(branch).ok()?)
    }

    /// Adds a change after its previous one, in the same branch if that was its last.
    pub(super) fn join(&mut self, chain: ChainId, ordinal: Ordinal, previous: Option<Previous>, first: u32) -> Joined {
        if let Some(previous) = previous {
            let branch = usize::try_from(previous.branch).ok().and_then(|index| self.all.get_mut(index));
            if let Some(branch) = branch.filter(|branch| branch.changes.last() == Some(&previous.ordinal)) {
                branch.changes.push(ordinal);
                return Joined { branch: previous.branch, is_fork: false };
            }
        }
        let up = previous.map(|previous| self.above(previous.branch));
        let branch = u32::try_from(self.all.len()).unwrap_or(u32::MAX);
        let known = self.of.entry(chain).or_default();
        let is_fork = !known.is_empty();
        known.push(branch);
        if let Some(previous) = previous {
            self.forked.entry(previous.ordinal).or_insert(ordinal);
        }
        self.all.push(Branch {
            chain: Some(chain),
            parent: previous.map(|previous| previous.ordinal),
            up,
            first_seq: previous.map_or(1, |previous| previous.seq + 1),
            first,
            changes: vec![ordinal],
            rows: Vec::new(),
            counters: Vec::new(),
        });
        Joined { branch, is_fork }
    }

    /// The way up from a new branch. Where it jumps to makes every walk logarithmic in the depth of the forks.
    fn above(&self, parent: u32) -> Up {
        let up = |branch: u32| self.branch(branch).and_then(|branch| branch.up);
        let depth = |branch: u32| up(branch).map_or(0, |up| up.depth);
        let near = up(parent).map_or(parent, |up| up.jump);
        let far = up(near).map_or(near, |up| up.jump);
        let is_even = depth(parent) - depth(near) == depth(near) - depth(far);
        Up { parent, jump: if is_even { far } else { parent }, depth: depth(parent) + 1 }
    }

    /// The last branch on the way up, from `branch` itself on, that still is as asked.
    fn last_while(&self, branch: u32, is_so: impl Fn(u32, &Branch) -> bool) -> Option<&Branch> {
        let is = |index: u32| self.branch(index).is_some_and(|branch| is_so(index, branch));
        let mut found = self.branch(branch).filter(|_| is(branch))?;
        while let Some(up) = found.up {
            found = match (is(up.jump), is(up.parent)) {
                (true, _) => self.branch(up.jump)?,
                (false, true) => self.branch(up.parent)?,
                (false, false) => break,
            };
        }
        Some(found)
    }

    /// The branch on the way up that lies so deep.
    fn lifted(&self, mut branch: u32, depth: u32) -> u32 {
        while let Some(up) = self.branch(branch).and_then(|branch| branch.up).filter(|up| up.depth > depth) {
            let jump = self.branch(up.jump).and_then(|jump| jump.up).map_or(0, |up| up.depth);
            branch = if jump >= depth { up.jump } else { up.parent };
        }
        branch
    }

    /// Where two paths part, which end in these branches with these changes. `None` if they have nothing in common.
    fn parting(&self, one: (u32, Ordinal), other: (u32, Ordinal)) -> Option<(Parting, Parting)> {
        let up = |branch: u32| self.branch(branch).and_then(|branch| branch.up);
        let depth = |branch: u32| up(branch).map_or(0, |up| up.depth);
        let meet = depth(one.0).min(depth(other.0));
        let raised = |(branch, last): (u32, Ordinal)| {
            if depth(branch) == meet {
                return Some((branch, Parting { last, onward: None }));
            }
            let onward = self.lifted(branch, meet + 1);
            Some((up(onward)?.parent, Parting { last: self.branch(onward)?.parent?, onward: Some(onward) }))
        };
        let ((mut one, one_parts), (mut other, other_parts)) = (raised(one)?, raised(other)?);
        if one == other {
            return Some((one_parts, other_parts));
        }
        loop {
            let (one_up, other_up) = (up(one)?, up(other)?);
            if one_up.parent == other_up.parent {
                let parts = |onward: u32| Some(Parting { last: self.branch(onward)?.parent?, onward: Some(onward) });
                return Some((parts(one)?, parts(other)?));
            }
            let is_above = one_up.jump == other_up.jump;
            (one, other) = if is_above { (one_up.parent, other_up.parent) } else { (one_up.jump, other_up.jump) };
        }
    }

    /// Numbers a change's operations, whose rows are consecutive from `row`.
    pub(super) fn number(&mut self, branch: u32, row: u32, start: u32, ops: u32) {
        let branch = usize::try_from(branch).ok().and_then(|branch| self.all.get_mut(branch));
        let Some(branch) = branch.filter(|_| ops > 0) else {
            return;
        };
        let number = branch.end();
        let continues = branch.counters.last().is_some_and(|(first, counter)| counter + (number - first) == start);
        if !continues {
            branch.counters.push((number, start));
        }
        branch.rows.extend(row..row + ops);
    }
}

impl History {
    pub(super) fn branch_of(&self, ordinal: Ordinal) -> Option<&Branch> {
        self.branches.branch(self.node(ordinal)?.branch)
    }

    /// The index of the branch that an accepted change is in.
    pub fn branch_index(&self, ordinal: Ordinal) -> Option<u32> {
        self.node(ordinal).map(|node| node.branch)
    }

    /// Who wrote an accepted change; the skeleton is its signer's.
    pub fn author(&self, ordinal: Ordinal) -> Option<AuthorId> {
        self.branch_of(ordinal).map(|branch| self.author_of(branch))
    }

    /// Who wrote an operation.
    pub(crate) fn author_at(&self, spot: Spot) -> Option<AuthorId> {
        self.branches.branch(spot.branch).map(|branch| self.author_of(branch))
    }

    fn author_of(&self, branch: &Branch) -> AuthorId {
        branch.chain().map_or_else(|| self.genesis.creator(), |chain| chain.author)
    }

    /// Canonical bytes of all accepted changes.
    pub fn bytes(&self) -> u64 {
        let up_to = |ordinal: Option<Ordinal>| ordinal.and_then(|ordinal| self.chain_bytes(ordinal)).unwrap_or(0);
        let of = |branch: &Branch| up_to(branch.changes.last().copied()).saturating_sub(up_to(branch.parent));
        self.branches().iter().map(of).fold(0, u64::saturating_add)
    }

    /// A branch by its index.
    pub fn branch(&self, index: u32) -> Option<&Branch> {
        self.branches.branch(index)
    }

    /// The chain of an author and session, if any change of it was accepted. The author may be no key at all: to parse
    /// one takes a hundred times as long as to look it up.
    pub fn chain_of(&self, author: &[u8; 32], session: Session) -> Option<ChainId> {
        self.branches.chain_of(author, session)
    }

    /// The place of an accepted change in its chain.
    pub fn seq(&self, ordinal: Ordinal) -> Option<u64> {
        self.node(ordinal).map(|node| node.seq)
    }

    /// Finds operation `number` on the path of a chain that ends with the change `tip`.
    pub fn spot(&self, tip: Ordinal, number: u32) -> Option<Spot> {
        let node = self.node(tip)?;
        if number >= node.end() {
            return None;
        }
        let later = self.branches.last_while(node.branch, |_, branch| branch.first > number);
        let branch = later.map_or(Some(node.branch), |branch| branch.up.map(|up| up.parent))?;
        Some(Spot { branch, number })
    }

    /// The row of an operation: rows count all operations in the order in which they were accepted, the skeleton's first.
    pub(crate) fn row_at(&self, spot: Spot) -> Option<u32> {
        self.branches.branch(spot.branch)?.row(spot.number)
    }

    /// The lists, texts and maps in which a change does something.
    pub(crate) fn objects_of(&self, ordinal: Ordinal) -> impl Iterator<Item = u32> + '_ {
        let place = self.branch_index(ordinal).zip(self.numbers(ordinal));
        let rows = place.into_iter().flat_map(move |(branch, (first, ops))| {
            (first..first.saturating_add(ops)).filter_map(move |number| self.row_at(Spot { branch, number }))
        });
        rows.filter_map(|row| self.index.object_of(row))
    }

    /// How many operations an object holds.
    pub(crate) fn size_of_object(&self, object: u32) -> u32 {
        self.index.size(object)
    }

    /// The element that the operation of a row inserted into a list or text, if it did.
    pub(crate) fn element(&self, row: u32) -> Option<Element> {
        self.index.inserted(row)
    }

    /// Whether `earlier` is `tip` or before it on the path of their chain.
    pub fn is_on_path(&self, earlier: Ordinal, tip: Ordinal) -> bool {
        let Some((target, tip_branch)) = self.branch_index(earlier).zip(self.branch_index(tip)) else {
            return false;
        };
        if target == tip_branch {
            return earlier <= tip;
        }
        // A branch's number is larger than those of the branches that it continues.
        let child = self.branches.last_while(tip_branch, |index, _| index > target);
        let parent = child.and_then(|child| child.up.zip(child.parent));
        parent.is_some_and(|(up, parent)| up.parent == target && earlier <= parent)
    }

    /// How many operations two paths have in common, which end with these changes; and which comes first in an order in
    /// which paths with more in common lie nearer to each other.
    pub(super) fn parting(&self, one: Ordinal, other: Ordinal) -> (u32, Ordering) {
        let end = |tip: Ordinal| self.branch_index(tip).map(|branch| (branch, tip));
        let parting = end(one).zip(end(other)).and_then(|(one, other)| self.branches.parting(one, other));
        let Some((one_parts, other_parts)) = parting else {
            let root = |tip: Ordinal| self.branch_index(tip).map(|branch| self.branches.lifted(branch, 0));
            return (0, root(one).cmp(&root(other)));
        };
        let shared = self.node(one_parts.last.min(other_parts.last)).map_or(0, super::Node::end);
        (shared, one_parts.cmp(&other_parts))
    }

    /// The change that first continued one in another branch.
    pub(super) fn first_fork(&self, ordinal: Ordinal) -> Option<Ordinal> {
        self.branches.forked.get(&ordinal).copied()
    }

    /// The operations of an accepted change: the number of the first, and how many.
    pub fn numbers(&self, ordinal: Ordinal) -> Option<(u32, u32)> {
        self.node(ordinal).map(|node| (node.first, node.ops))
    }

    /// The counter of an accepted change's first operation.
    pub fn start(&self, ordinal: Ordinal) -> Option<u32> {
        self.node(ordinal).map(|node| node.start)
    }

    /// The change that holds an operation.
    pub fn change_at(&self, spot: Spot) -> Option<Ordinal> {
        let branch = self.branches.branch(spot.branch)?;
        let first = |ordinal: &Ordinal| self.node(*ordinal).map_or(0, |node| node.first);
        let after = branch.changes.partition_point(|ordinal| first(ordinal) <= spot.number);
        branch.changes.get(after.checked_sub(1)?).copied()
    }
}
