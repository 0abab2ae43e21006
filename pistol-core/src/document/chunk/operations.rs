//! The operations of all changes, with short names, and their columns.

use super::changes::Entry;
use super::columns::Columns;
use super::value;
use crate::change::{Action, Op, Place, Reference};
use crate::document::tree::Tree;
use crate::validate::History;

/// Automerge's name of an operation. Ids sort as Automerge sorts them, since actors are called by their sorted places.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Id {
    pub(super) counter: u32,
    pub(super) actor: u32,
}

/// An operation. Others are called by their row: their place in the history.
pub(super) struct Operation<'a> {
    pub(super) op: &'a Op,
    pub(super) id: Id,
    /// `None` is the root map.
    pub(super) object: Option<u32>,
    /// The element it acts on, or that it inserts after; `None` in maps, and at the head of a sequence.
    pub(super) element: Option<u32>,
    /// The first and the end of its predecessors in the list of all.
    preds: (u32, u32),
}

impl<'a> Operation<'a> {
    pub(super) fn key(&self) -> Option<&'a str> {
        match &self.op.place {
            Place::Key(key) => Some(key),
            Place::After(_) | Place::At(_) => None,
        }
    }
}

/// All operations in the order of the history, the skeleton's first: by row.
#[derive(Default)]
pub(super) struct Operations<'a> {
    rows: Vec<Operation<'a>>,
    /// Rows of the predecessors of all operations, those of each sorted by id.
    preds: Vec<u32>,
}

impl<'a> Operations<'a> {
    pub(super) fn read(history: &History, entries: &[Entry<'a>]) -> Option<Self> {
        let (mut operations, mut tree) = (Operations::default(), Tree::default());
        operations.rows.reserve(entries.iter().map(|entry| entry.ops().len()).sum());
        for entry in entries {
            let find = |reference| {
                let (tip, number) = match reference {
                    Reference::Own(number) => (entry.ordinal, number),
                    Reference::Skeleton(number) => (0, number),
                    Reference::Entry(place, number) => (*entry.table().get(usize::try_from(place).ok()?)?, number),
                };
                history.row_at(history.spot(tip, number)?)
            };
            for (counter, op) in (entry.start..).zip(entry.ops()) {
                operations.add(op, Id { counter, actor: entry.actor }, &find)?;
                if let Action::MarkEnd { .. } = op.action {
                    operations.end_mark(history, &mut tree)?;
                }
            }
        }
        Some(operations)
    }

    fn add(&mut self, op: &'a Op, id: Id, find: &impl Fn(Reference) -> Option<u32>) -> Option<()> {
        let found = |reference: Option<Reference>| match reference {
            Some(reference) => find(reference).map(Some),
            None => Some(None),
        };
        let object = found(op.object)?;
        let element = match &op.place {
            Place::Key(_) => None,
            Place::After(element) => found(*element)?,
            Place::At(element) => Some(find(*element)?),
        };
        let first = self.preds.len();
        for pred in &op.pred {
            self.preds.push(find(*pred)?);
        }
        let rows = &self.rows;
        self.preds.get_mut(first..)?.sort_unstable_by_key(|row| at(rows, *row).map(|pred| pred.id));
        let preds = (u32::try_from(first).ok()?, u32::try_from(self.preds.len()).ok()?);
        self.rows.push(Operation { op, id, object, element, preds });
        Some(())
    }

    /// Moves the mark's end that was added last to where it belongs.
    fn end_mark(&mut self, history: &History, tree: &mut Tree) -> Option<()> {
        tree.grow_to(u32::try_from(self.rows.len()).ok()?, history, |row| self.id(Some(row)));
        let row = self.rows.len().checked_sub(1)?;
        self.rows.get_mut(row)?.element = tree.parent(u32::try_from(row).ok()?);
        Some(())
    }

    pub(super) fn rows(&self) -> &[Operation<'a>] {
        &self.rows
    }

    pub(super) fn row(&self, row: u32) -> Option<&Operation<'a>> {
        at(&self.rows, row)
    }

    pub(super) fn id(&self, row: Option<u32>) -> Option<Id> {
        self.row(row?).map(|operation| operation.id)
    }

    /// The rows that an operation replaces, deletes or adds to.
    pub(super) fn preds(&self, operation: &Operation<'_>) -> &[u32] {
        let (first, end) = operation.preds;
        let range = usize::try_from(first).ok().zip(usize::try_from(end).ok());
        range.and_then(|(first, end)| self.preds.get(first..end)).unwrap_or_default()
    }

    /// The columns of a change, in which actors are called as `actor` says.
    pub(super) fn write_change(
        &self,
        columns: &mut Columns,
        rows: &[Operation<'_>],
        actor: impl Fn(u32) -> u64 + Copy,
    ) {
        let preds = || rows.iter().flat_map(|operation| self.preds(operation)).filter_map(|row| self.id(Some(*row)));
        self.write_places(columns, rows.iter(), actor);
        write_actions(columns, rows.iter());
        columns.numbers(112, rows.iter().map(|operation| self.preds(operation).len() as u64));
        columns.numbers(113, preds().map(|id| actor(id.actor)));
        columns.differences(115, preds().map(|id| i64::from(id.counter)));
        write_marks(columns, rows.iter());
    }

    /// The columns of a document whose rows stand in a given order.
    pub(super) fn write_ordered(&self, columns: &mut Columns, order: &[u32]) {
        let rows = || order.iter().filter_map(|row| self.row(*row));
        let (counts, successors) = self.successors(order);
        let actor = |actor| u64::from(actor);
        self.write_places(columns, rows(), actor);
        columns.numbers(33, rows().map(|operation| actor(operation.id.actor)));
        columns.differences(35, rows().map(|operation| i64::from(operation.id.counter)));
        write_actions(columns, rows());
        columns.numbers(128, counts.iter().map(|count| u64::from(*count)));
        columns.numbers(129, successors.iter().map(|id| actor(id.actor)));
        columns.differences(131, successors.iter().map(|id| i64::from(id.counter)));
        write_marks(columns, rows());
    }

    /// How many successors each row has, and all of them, sorted for each.
    fn successors(&self, order: &[u32]) -> (Vec<u32>, Vec<Id>) {
        let mut place = vec![u32::MAX; self.rows.len()];
        for (number, row) in (0..).zip(order) {
            if let Some(place) = usize::try_from(*row).ok().and_then(|row| place.get_mut(row)) {
                *place = number;
            }
        }
        let mut counts = vec![0_u32; order.len()];
        let mut pairs = Vec::with_capacity(self.preds.len());
        for operation in &self.rows {
            for pred in self.preds(operation) {
                let Some(place) = usize::try_from(*pred).ok().and_then(|pred| place.get(pred)).copied() else {
                    continue;
                };
                pairs.push((place, operation.id));
                if let Some(count) = usize::try_from(place).ok().and_then(|place| counts.get_mut(place)) {
                    *count += 1;
                }
            }
        }
        pairs.sort_unstable();
        (counts, pairs.into_iter().map(|(_, id)| id).collect())
    }

    /// Where operations act: the object (columns 0) and the key or element (columns 1).
    fn write_places<'b>(
        &self,
        columns: &mut Columns,
        rows: impl Iterator<Item = &'b Operation<'b>> + Clone,
        actor: impl Fn(u32) -> u64 + Copy,
    ) {
        let object = |operation: &Operation<'_>| self.id(operation.object);
        let element = |operation: &Operation<'_>| self.id(operation.element);
        let counter = |operation: &Operation<'_>| match operation.op.place {
            Place::Key(_) => None,
            Place::After(_) | Place::At(_) => Some(element(operation).map_or(0, |id| i64::from(id.counter))),
        };
        columns.some_numbers(1, rows.clone().map(|operation| object(operation).map(|id| actor(id.actor))));
        columns.some_numbers(2, rows.clone().map(|operation| object(operation).map(|id| u64::from(id.counter))));
        columns.some_numbers(17, rows.clone().map(|operation| element(operation).map(|id| actor(id.actor))));
        columns.some_differences(19, rows.clone().map(counter));
        columns.some_texts(21, rows.map(Operation::key));
    }
}

/// What operations do: whether they insert, the action, the value.
fn write_actions<'a>(columns: &mut Columns, rows: impl Iterator<Item = &'a Operation<'a>> + Clone) {
    columns.flags(52, rows.clone().map(|operation| operation.op.is_insert()));
    columns.numbers(66, rows.clone().map(|operation| value::code(&operation.op.action)));
    columns.numbers(86, rows.clone().map(|operation| value::meta(&operation.op.action)));
    columns.raw(87, |out| rows.for_each(|operation| value::write(&operation.op.action, out)));
}

/// Where marks begin and end. Nearly all documents have none, and so no columns of marks.
fn write_marks<'a>(columns: &mut Columns, rows: impl Iterator<Item = &'a Operation<'a>> + Clone) {
    if rows.clone().any(|operation| value::is_mark(&operation.op.action)) {
        columns.some_flags(148, rows.clone().map(|operation| value::expand(&operation.op.action)));
        columns.some_texts(165, rows.map(|operation| value::mark_name(&operation.op.action)));
    }
}

fn at<'a, 'b>(rows: &'b [Operation<'a>], row: u32) -> Option<&'b Operation<'a>> {
    rows.get(usize::try_from(row).ok()?)
}
