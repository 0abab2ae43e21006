//! What a log depends on: those of identities and groups that its grants lead to. Each is held by this node as a log of its own; what
//! is durable there is taken in here.
//!
//! Architecture Invariant: nothing of another log counts here before it is durable there, so whatever is stored here stands on
//! something that is stored.

use std::collections::{BTreeMap, VecDeque};

use pistol_acl::record::SignedOp;
use pistol_acl::{Charter, Held, Need, Unready};
use pistol_core::genesis::Genesis;
use pistol_core::id::{AuthorityId, DocumentId};

use super::Members;

/// Other logs, as far as they were taken in.
#[derive(Debug, Default)]
pub(super) struct Others {
    /// Of each known one how many operations, the first ones in the order in which they are stored.
    taken: BTreeMap<DocumentId, u32>,
    /// Operations that cite others which are not known here yet, by one of these: those of a third log may come later.
    waiting: BTreeMap<AuthorityId, Vec<SignedOp>>,
    /// How many operations there were when it was looked at last what is needed.
    looked_at: usize,
}

impl Members {
    /// The logs that this one leads to, known here or not.
    pub(crate) fn needs(&self) -> Vec<Need> {
        self.access.needs()
    }

    /// Those of them that are here.
    pub(crate) fn needs_held(&self, is_held: impl Fn(&Need) -> bool) -> Vec<Need> {
        self.access.needs_held(is_held)
    }

    /// How many operations of another log were taken in; none if it is not known here.
    pub(crate) fn taken_of(&self, log: &DocumentId) -> Option<u32> {
        self.others.taken.get(log).copied()
    }

    /// The logs that this one leads to, if operations came since this was asked last.
    pub(crate) fn new_needs(&mut self) -> Option<Vec<Need>> {
        let count = self.access.operations_in_all();
        (std::mem::replace(&mut self.others.looked_at, count) != count).then(|| self.needs())
    }

    /// Takes in what the genesis of another log says, and operations of it, which follow on the first `before`. Says whether
    /// anything was new.
    pub(crate) fn take_other(&mut self, genesis: &Genesis, before: u32, operations: &[SignedOp]) -> bool {
        let log = genesis.id();
        let Some(charter) = Charter::of(genesis).filter(|_| log != self.document) else { return false };
        let is_unknown = !self.access.knows(&log);
        if is_unknown {
            self.access.found(charter);
            self.decided.push(AuthorityId(log.0));
        }
        let count = u32::try_from(operations.len()).unwrap_or(u32::MAX);
        self.others.taken.insert(log, before.saturating_add(count));
        let is_new = is_unknown || !operations.is_empty();
        if is_new {
            self.path = None;
            self.take_others(operations);
            self.look_at_waiting();
        }
        is_new
    }

    /// Takes in a log that was read with this one: what is stored of it is another question.
    pub(crate) fn take_checked_other(&mut self, genesis: &Genesis, operations: &[SignedOp]) {
        let stored = self.taken_of(&genesis.id());
        self.take_other(genesis, 0, operations);
        match stored {
            Some(stored) => drop(self.others.taken.insert(genesis.id(), stored)),
            None => drop(self.others.taken.remove(&genesis.id())),
        }
    }

    /// Takes in operations of this log that were stored, in whatever order they can be taken in.
    pub(crate) fn take_all_stored(&mut self, operations: &[SignedOp]) {
        loop {
            let before = self.durable;
            for signed in operations {
                if !self.access.holds(&signed.id()) && !self.waits(signed) {
                    // One that is refused is found to be so by whoever reads the rows.
                    let _ = self.take_stored(signed.clone());
                }
            }
            if self.durable == before {
                return;
            }
        }
    }

    /// Whether an operation stands on something that is not known.
    pub(crate) fn waits(&self, signed: &SignedOp) -> bool {
        matches!(self.access.look_at_operation(signed), Err(Unready::Waiting(_)))
    }

    /// Takes in operations, and those that waited for them: those of a group cite others of identities. Each is looked at once for each
    /// thing that it lacks: some may lack what never comes.
    fn take_others(&mut self, operations: &[SignedOp]) {
        let mut next: VecDeque<SignedOp> = operations.iter().cloned().collect();
        let is_known = |id: &AuthorityId| self.access.holds(id) || self.access.knows(&DocumentId(id.0));
        let come: Vec<AuthorityId> = self.others.waiting.keys().filter(|id| is_known(id)).copied().collect();
        next.extend(come.iter().filter_map(|id| self.others.waiting.remove(id)).flatten());
        while let Some(signed) = next.pop_front() {
            let id = signed.id();
            match self.access.look_at_operation(&signed) {
                _ if self.access.holds(&id) => {}
                Err(Unready::Waiting(missing)) => {
                    let lacks = missing.first().map_or(id, |missing| AuthorityId(*missing));
                    self.others.waiting.entry(lacks).or_default().push(signed);
                }
                // There it had room, or was needed.
                _ => {
                    let held = self.access.hold_needed(signed);
                    debug_assert!(!matches!(held, Held::Owed), "there is no bound on what is needed");
                    self.decided.push(id);
                    next.extend(self.others.waiting.remove(&id).into_iter().flatten());
                }
            }
        }
    }
}
