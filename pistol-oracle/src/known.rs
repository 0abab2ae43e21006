//! What can be judged at all: operations whose past and whose cited paths are known down to the geneses.

use std::collections::{BTreeMap, BTreeSet};

use crate::verdict::Missing;
use crate::world::{Author, Log, LogId, Operation, OperationId, World};

/// The geneses and the well signed operations of a world, each once, and the pasts of those that are known whole.
pub(crate) struct Known<'w> {
    /// The geneses.
    pub(crate) logs: BTreeMap<LogId, &'w Log>,
    /// Every well signed operation, also one that waits for others.
    pub(crate) signed: BTreeMap<OperationId, &'w Operation>,
    /// The operations that are known whole, each after those that it names.
    pub(crate) in_order: Vec<&'w Operation>,
    /// Of each operation that is known whole the closure by `prev`, itself apart.
    past: BTreeMap<OperationId, BTreeSet<OperationId>>,
}

impl<'w> Known<'w> {
    pub(crate) fn of(world: &'w World) -> Self {
        let logs = world.logs.iter().map(|log| (log.id, log)).collect();
        let well_signed = world.operations.iter().filter(|operation| operation.is_well_signed);
        let signed = well_signed.map(|operation| (operation.id, operation)).collect();
        let mut known = Self { logs, signed, in_order: Vec::new(), past: BTreeMap::new() };
        while known.learn() {}
        known
    }

    /// Adds the operations of which nothing is missing any more, and says whether there were some. Operations that name
    /// each other in a circle, which hashes cannot, are never known.
    fn learn(&mut self) -> bool {
        let is_new =
            |operation: &&&Operation| !self.past.contains_key(&operation.id) && self.lacks(operation).is_none();
        let found: Vec<&'w Operation> = self.signed.values().filter(is_new).copied().collect();
        for operation in &found {
            let mut past: BTreeSet<OperationId> = operation.prev.iter().copied().collect();
            past.extend(operation.prev.iter().filter_map(|prev| self.past.get(prev)).flatten());
            self.past.insert(operation.id, past);
            self.in_order.push(operation);
        }
        !found.is_empty()
    }

    /// What an operation waits for: the first of its log, what it names in `prev`, and what it cites.
    pub(crate) fn lacks(&self, operation: &Operation) -> Option<Missing> {
        let log = (!self.logs.contains_key(&operation.log)).then_some(Missing::Log(operation.log));
        let named = operation.prev.iter().chain(&operation.proof);
        log.or_else(|| self.first_missing(named.copied()))
    }

    /// The first of these operations that is not known whole.
    pub(crate) fn first_missing(&self, named: impl IntoIterator<Item = OperationId>) -> Option<Missing> {
        named.into_iter().find(|id| !self.past.contains_key(id)).map(Missing::Operation)
    }

    /// The operation with this id, if it is known whole.
    pub(crate) fn operation(&self, id: OperationId) -> Option<&'w Operation> {
        self.signed.get(&id).copied().filter(|_| self.past.contains_key(&id))
    }

    /// Whether one operation is in the past of another.
    pub(crate) fn is_past(&self, earlier: OperationId, later: OperationId) -> bool {
        self.past.get(&later).is_some_and(|past| past.contains(&earlier))
    }

    /// Whether one operation is another, or in its past.
    pub(crate) fn is_covered(&self, earlier: OperationId, later: OperationId) -> bool {
        earlier == later || self.is_past(earlier, later)
    }

    /// How many operations an operation has in its past.
    pub(crate) fn depth(&self, id: OperationId) -> usize {
        self.past.get(&id).map_or(0, BTreeSet::len)
    }

    /// The operations of this author that an operation has in its past.
    pub(crate) fn earlier_ones_by(&self, author: Author, id: OperationId) -> Vec<&'w Operation> {
        let past = self.past.get(&id).into_iter().flatten();
        past.filter_map(|id| self.signed.get(id).copied()).filter(|earlier| earlier.author == author).collect()
    }
}
