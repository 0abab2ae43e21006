//! The order of operations in a document.
//!
//! Objects stand by id, the root first. In a map operations stand by key, then by id. In a sequence each element is
//! followed by its updates, by id, and then by what was inserted after it, the newest first, each with all that was
//! inserted after that: the order that Automerge reaches by moving each new element over those with larger ids, since an
//! element's id is larger than that of the one it was inserted after.

use std::collections::BTreeMap;

use super::operations::{Operation, Operations};
use crate::change::{Action, Kind};

const NONE: u32 = u32::MAX;

/// The rows of all operations but deletions.
pub(super) fn rows(operations: &Operations<'_>) -> Vec<u32> {
    let rows = operations.rows();
    let mut by_id: Vec<u32> = (0..).zip(rows).filter(|(_, operation)| is_row(operation)).map(|(row, _)| row).collect();
    by_id.sort_by_key(|row| operations.id(Some(*row)));
    let sequences = Sequences::of(operations, &by_id);
    let mut maps = maps(operations, &by_id);
    let mut order = Vec::with_capacity(by_id.len());
    order.extend(maps.remove(&None).unwrap_or_default());
    for row in by_id {
        match operations.row(row).map(|operation| &operation.op.action) {
            Some(Action::Make(Kind::Map)) => order.extend(maps.remove(&Some(row)).unwrap_or_default()),
            Some(Action::Make(Kind::List | Kind::Text)) => sequences.write(row, &mut order),
            Some(_) | None => {}
        }
    }
    order
}

fn is_row(operation: &Operation<'_>) -> bool {
    !matches!(operation.op.action, Action::Delete)
}

/// The rows in each map, by key and id.
fn maps(operations: &Operations<'_>, by_id: &[u32]) -> BTreeMap<Option<u32>, Vec<u32>> {
    let mut maps: BTreeMap<Option<u32>, Vec<u32>> = BTreeMap::new();
    for row in by_id {
        if let Some(operation) = operations.row(*row).filter(|operation| operation.key().is_some()) {
            maps.entry(operation.object).or_default().push(*row);
        }
    }
    for map in maps.values_mut() {
        map.sort_by_key(|row| operations.row(*row).and_then(Operation::key));
    }
    maps
}

/// What follows what in all sequences, by row.
struct Sequences {
    /// The newest element at the head of a sequence.
    heads: Vec<u32>,
    /// The newest element that was inserted after one.
    children: Vec<u32>,
    /// The oldest update of an element.
    updates: Vec<u32>,
    /// Of an element the next older one inserted at the same place, of an update the next newer one.
    next: Vec<u32>,
}

impl Sequences {
    fn of(operations: &Operations<'_>, by_id: &[u32]) -> Self {
        let none = || vec![NONE; operations.rows().len()];
        let mut sequences = Sequences { heads: none(), children: none(), updates: none(), next: none() };
        for row in by_id {
            let Some(operation) = operations.row(*row).filter(|operation| operation.op.is_insert()) else { continue };
            match (operation.element, operation.object) {
                (Some(element), _) => put_first(&mut sequences.children, &mut sequences.next, element, *row),
                (None, Some(object)) => put_first(&mut sequences.heads, &mut sequences.next, object, *row),
                (None, None) => {}
            }
        }
        for row in by_id.iter().rev() {
            let updated = operations.row(*row).filter(|operation| !operation.op.is_insert());
            if let Some(element) = updated.and_then(|operation| operation.element) {
                put_first(&mut sequences.updates, &mut sequences.next, element, *row);
            }
        }
        sequences
    }

    /// Writes one sequence. What is yet to be written waits on a stack, so that depth costs no recursion.
    fn write(&self, object: u32, order: &mut Vec<u32>) {
        let mut stack = vec![get(&self.heads, object)];
        while let Some(element) = stack.pop() {
            if element == NONE {
                continue;
            }
            order.push(element);
            let mut update = get(&self.updates, element);
            while update != NONE {
                order.push(update);
                update = get(&self.next, update);
            }
            stack.push(get(&self.next, element));
            stack.push(get(&self.children, element));
        }
    }
}

fn put_first(firsts: &mut [u32], next: &mut [u32], of: u32, row: u32) {
    let first = usize::try_from(of).ok().and_then(|of| firsts.get_mut(of));
    let next = usize::try_from(row).ok().and_then(|row| next.get_mut(row));
    if let (Some(first), Some(next)) = (first, next) {
        *next = std::mem::replace(first, row);
    }
}

fn get(list: &[u32], row: u32) -> u32 {
    usize::try_from(row).ok().and_then(|row| list.get(row)).copied().unwrap_or(NONE)
}
