//! The tree of elements: each hangs on the one that it was inserted after, siblings newest first. Read from the top down
//! it is the sequence, also of what was deleted. It tells which of two elements comes first, and so which marks end
//! before they begin: Automerge cannot save a document with such a mark, so its end is moved to its begin.
//!
//! Two elements keep their order for ever, and every replica sees the same tree. So what is moved is a function of the
//! accepted changes. The tree is made when the first mark comes, and goes on with the history from then on.

use std::cmp::Ordering;

use automerge::ActorId;
use automerge::legacy::OpId;

use super::names::Names;
use crate::change::{Action, Op};
use crate::validate::{History, Ordinal, Spot};

/// Not an element; as a parent, the head of a sequence.
const NONE: u32 = u32::MAX;

/// What hangs on what, by the rows of the history.
#[derive(Debug, Default)]
pub(super) struct Tree {
    nodes: Vec<Node>,
    /// The first row of each change.
    starts: Vec<u32>,
}

#[derive(Clone, Copy, Debug)]
struct Node {
    parent: u32,
    /// An ancestor, chosen by depth alone, so that every walk up takes logarithmic time.
    jump: u32,
    depth: u32,
}

const HEAD: Node = Node { parent: NONE, jump: NONE, depth: 0 };

/// Whether operations hold marks.
pub(super) fn has_marks(ops: &[Op]) -> bool {
    ops.iter().any(|op| matches!(op.action, Action::MarkEnd { .. }))
}

impl Tree {
    /// Takes in all rows up to those of a change.
    pub(super) fn grow(&mut self, history: &History, names: &Names, last: Ordinal) {
        let mut end = self.end_of_starts(history);
        while let Some((_, ops)) = self.next(last).and_then(|next| history.numbers(next)) {
            self.starts.push(end);
            end += ops;
        }
        let starts = std::mem::take(&mut self.starts);
        self.grow_to(end, history, |row| id(&starts, history, names, row));
        self.starts = starts;
    }

    fn next(&self, last: Ordinal) -> Option<Ordinal> {
        u32::try_from(self.starts.len()).ok().filter(|next| *next <= last)
    }

    fn end_of_starts(&self, history: &History) -> u32 {
        let last = self.starts.len().checked_sub(1).and_then(|last| u32::try_from(last).ok());
        let ops = last.and_then(|last| history.numbers(last)).map_or(0, |(_, ops)| ops);
        self.starts.last().map_or(0, |start| start + ops)
    }

    /// Takes in the rows before `end`. `id` gives what siblings are sorted by.
    pub(super) fn grow_to<I: Ord>(&mut self, end: u32, history: &History, id: impl Fn(u32) -> Option<I>) {
        for row in u32::try_from(self.nodes.len()).unwrap_or(NONE)..end {
            let node = history.element(row).map_or(HEAD, |element| {
                let after = element.after.unwrap_or(NONE);
                let begin = row.checked_sub(1).filter(|begin| element.is_mark_end && *begin != after);
                let parent = match begin {
                    Some(begin) if !self.is_before(self.node(begin).parent, after, &id) => begin,
                    _ => after,
                };
                self.under(parent)
            });
            self.nodes.push(node);
        }
    }

    /// Whether the mark that ends at a row is empty: as it was made, or since it would have ended before it begins.
    pub(super) fn ends_at_begin(&self, row: u32) -> bool {
        self.parent(row).is_some_and(|parent| Some(parent) == row.checked_sub(1))
    }

    /// The element that one hangs on; `None` for the head.
    pub(super) fn parent(&self, row: u32) -> Option<u32> {
        Some(self.node(row).parent).filter(|parent| *parent != NONE)
    }

    /// What Automerge calls the operation of a row.
    pub(super) fn op_id(&self, history: &History, names: &Names, row: u32) -> Option<OpId> {
        id(&self.starts, history, names, row).map(|(counter, actor)| OpId::new(u64::from(counter), actor))
    }

    fn node(&self, row: u32) -> Node {
        usize::try_from(row).ok().and_then(|row| self.nodes.get(row)).copied().unwrap_or(HEAD)
    }

    fn under(&self, parent: u32) -> Node {
        let (above, depth) = (self.node(parent), |row| self.node(row).depth);
        let far = self.node(above.jump);
        let is_even = above.depth - depth(above.jump) == depth(above.jump) - depth(far.jump);
        Node { parent, jump: if is_even { far.jump } else { parent }, depth: above.depth + 1 }
    }

    /// The ancestor at a depth, or the element itself if that is its own.
    fn lifted(&self, mut row: u32, depth: u32) -> u32 {
        while self.node(row).depth > depth {
            let node = self.node(row);
            row = if self.node(node.jump).depth >= depth { node.jump } else { node.parent };
        }
        row
    }

    /// Whether an element comes before another one of the same sequence.
    fn is_before<I: Ord>(&self, one: u32, other: u32, id: &impl Fn(u32) -> Option<I>) -> bool {
        let depth = self.node(one).depth.min(self.node(other).depth);
        let (mut left, mut right) = (self.lifted(one, depth), self.lifted(other, depth));
        if left == right {
            // One hangs on the other.
            return self.node(one).depth < self.node(other).depth;
        }
        while self.node(left).parent != self.node(right).parent {
            let (from, to) = (self.node(left), self.node(right));
            (left, right) = if from.jump == to.jump { (from.parent, to.parent) } else { (from.jump, to.jump) };
        }
        id(left).cmp(&id(right)) == Ordering::Greater
    }
}

/// The id that Automerge gives the operation of a row.
fn id<'a>(starts: &[u32], history: &History, names: &'a Names, row: u32) -> Option<(u32, &'a ActorId)> {
    let ordinal = starts.partition_point(|start| *start <= row).checked_sub(1)?;
    let start = starts.get(ordinal)?;
    let ordinal = u32::try_from(ordinal).ok()?;
    let number = history.numbers(ordinal)?.0 + (row - start);
    let spot = Spot { branch: history.branch_index(ordinal)?, number };
    Some((history.branch(spot.branch)?.counter(number)?, names.actor(spot)?))
}
