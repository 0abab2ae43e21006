//! Writing a stretch.

use super::columns::Columns;
use super::rows::Before;
use super::{PAST_ALL, PAST_FULL, PAST_SAME, STRETCH_CHANGES_MAX, STRETCH_PARTS_AIM, VERSION};
use crate::codec::Writer;
use crate::validate::past::Past;
use crate::validate::{Branch, History, Node, Ordinal, Spot};

/// Changes that follow each other in a history, as bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stretch {
    /// The first change.
    pub first: Ordinal,
    /// The number after the last change.
    pub end: Ordinal,
    /// The bytes.
    pub bytes: Vec<u8>,
}

impl History {
    /// Writes changes from `first` on, at most so many and no more than a stretch holds. The skeleton, number 0, follows
    /// from the genesis.
    pub fn stretch(&self, first: Ordinal, changes_most: usize) -> Stretch {
        let first = first.clamp(1, self.next());
        let changes_most = changes_most.clamp(1, STRETCH_CHANGES_MAX);
        let (mut columns, mut ids) = (Columns::default(), Writer::new());
        let mut rows = Rows::before(self, first);
        let (mut end, mut parts) = (first, 0);
        while let Some(node) = self.node(end).filter(|_| parts < STRETCH_PARTS_AIM) {
            if ids.as_bytes().len() >= changes_most * 32 {
                break;
            }
            ids.raw(node.id.as_bytes());
            self.write_change(&mut columns, end, node);
            parts += rows.write(self, &mut columns, node) + node.past.reach().len();
            end += 1;
        }
        let mut out = Writer::new();
        out.byte(VERSION);
        out.number(u64::from(first));
        out.number(u64::from(end - first));
        out.raw(ids.as_bytes());
        columns.deflate(&mut out);
        Stretch { first, end, bytes: out.into_bytes() }
    }

    fn write_change(&self, columns: &mut Columns<Writer>, ordinal: Ordinal, node: &Node) {
        let previous = self.previous_of(ordinal);
        let before = previous.and_then(|previous| self.node(previous));
        columns.previous.number(previous.map_or(0, |previous| u64::from(ordinal.saturating_sub(previous))));
        if let Some(chain) = self.branch_of(ordinal).and_then(Branch::chain).filter(|_| before.is_none()) {
            columns.chains.raw(chain.author.as_bytes());
            columns.chains.raw(&chain.session.0.to_le_bytes());
        }
        columns.operations.number(u64::from(node.ops));
        let expected = ordinal.checked_sub(1).and_then(|last| self.node(last)).map_or(1, Node::counter_end);
        columns.starts.signed(i64::from(node.start) - i64::from(expected));
        columns.bytes.number(node.chain_bytes.saturating_sub(before.map_or(0, |before| before.chain_bytes)));
        write_past(&mut columns.pasts, ordinal, &node.past, before.map(|before| &before.past));
    }

    /// The row of the first operation in a change or one after it.
    fn first_row_from(&self, first: Ordinal) -> u32 {
        let mut nodes = self.nodes.iter().skip(usize::try_from(first).unwrap_or(usize::MAX));
        let with_operations = nodes.find(|node| node.ops > 0);
        let row = with_operations.and_then(|node| self.row_at(Spot { branch: node.branch, number: node.first }));
        row.unwrap_or_else(|| u32::try_from(self.index.len()).unwrap_or(u32::MAX))
    }

    /// The change that one continues in its chain.
    fn previous_of(&self, ordinal: Ordinal) -> Option<Ordinal> {
        let branch = self.branch_of(ordinal)?;
        let before = self.seq(ordinal)?.checked_sub(1)?;
        branch.at(before).or_else(|| branch.parent())
    }
}

fn write_past(out: &mut Writer, ordinal: Ordinal, past: &Past, previous: Option<&Past>) {
    if past.prefix() == ordinal && past.reach().is_empty() {
        out.number(PAST_ALL);
    } else if previous == Some(past) {
        out.number(PAST_SAME);
    } else {
        out.number(PAST_FULL);
        out.number(u64::from(ordinal.saturating_sub(past.prefix())));
        out.length(past.reach().len());
        for (branch, last) in past.reach() {
            out.number(u64::from(*branch));
            out.number(u64::from(ordinal.saturating_sub(*last)));
        }
    }
}

/// The rows of the changes that are written, and the keys that are new in them.
struct Rows<'a> {
    next: u32,
    before: Before,
    keys: Vec<&'a str>,
    keys_end: u32,
}

impl<'a> Rows<'a> {
    fn before(history: &'a History, first: Ordinal) -> Self {
        let next = history.first_row_from(first);
        let keys_end = history.index.keys_before(next);
        Rows { next, before: Before::default(), keys: history.index.keys(), keys_end }
    }

    /// Writes a change's rows. Returns about how much that was.
    fn write(&mut self, history: &History, columns: &mut Columns<Writer>, node: &Node) -> usize {
        let keys_written = columns.keys.as_bytes().len();
        for number in self.next..self.next.saturating_add(node.ops) {
            let Some(row) = history.index.at(number) else { continue };
            self.before.write(columns, number, row);
            // Keys are numbered in the order in which they are first used.
            if history.index.is_in_map(row) && row.place == self.keys_end {
                let key = usize::try_from(self.keys_end).ok().and_then(|number| self.keys.get(number));
                columns.keys.bytes(key.copied().unwrap_or_default().as_bytes());
                self.keys_end += 1;
            }
        }
        self.next = self.next.saturating_add(node.ops);
        usize::try_from(node.ops).unwrap_or(usize::MAX).saturating_add(columns.keys.as_bytes().len() - keys_written)
    }
}
