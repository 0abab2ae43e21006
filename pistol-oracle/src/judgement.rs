//! What the rules make of a world.

use std::collections::{BTreeMap, BTreeSet};

use crate::acceptance::Acceptance;
use crate::names::{Naming, names};
use crate::slot::{Candidate, Slot, Witness, read_slot};
use crate::space::documents;
use crate::validity::Validity;
use crate::verdict::{State, Verdict};
use crate::world::{Action, ChangeId, LogId, OperationId, World};

/// The verdicts on everything in a world.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// What becomes of each operation.
    pub operations: BTreeMap<OperationId, Verdict>,
    /// The level of each operation whose path leads to its author.
    pub levels: BTreeMap<OperationId, u32>,
    /// What becomes of each change.
    pub changes: BTreeMap<ChangeId, State>,
    /// What becomes of each document in the space that it names.
    pub documents: BTreeMap<LogId, State>,
    /// Of each released log a release.
    pub released: BTreeMap<LogId, OperationId>,
    /// Of each space what becomes of each name that somebody claims.
    pub names: BTreeMap<(LogId, u32), Naming>,
    /// Of each ready change whose certificate is not active any more, which of its writes are void.
    pub void: BTreeMap<ChangeId, Vec<usize>>,
    /// Of each ready change its past.
    past: BTreeMap<ChangeId, BTreeSet<ChangeId>>,
    /// The owners' checkpoints of each document.
    witnesses: BTreeMap<LogId, Vec<Witness>>,
}

impl Judgement {
    pub(crate) fn of(world: &World) -> Self {
        let validity = Validity::of(world);
        let acceptance = Acceptance::of(world, &validity);
        let levels = validity.authority.known.in_order.iter().map(|operation| operation.id);
        let has_path = |id: &OperationId| matches!(validity.authority.of_operation(*id), Some(Ok(_)));
        let ids: BTreeSet<ChangeId> = acceptance.states.keys().copied().collect();
        let past =
            |later: ChangeId| ids.iter().copied().filter(|earlier| acceptance.is_past(*earlier, later)).collect();
        Self {
            levels: levels.filter(has_path).map(|id| (id, validity.authority.level(id))).collect(),
            documents: documents(world, &validity),
            names: names(world, &validity),
            void: acceptance.void(),
            past: ids.iter().map(|later| (*later, past(*later))).collect(),
            witnesses: witnesses(&validity, &acceptance, &ids),
            changes: acceptance.states.clone(),
            released: validity.released.clone(),
            operations: validity.verdicts.clone(),
        }
    }

    /// Whether a change is in the accepted set.
    pub fn accepts(&self, change: ChangeId) -> bool {
        matches!(self.changes.get(&change), Some(State::Accepted(_)))
    }

    /// The accepted set.
    pub fn accepted(&self) -> BTreeSet<ChangeId> {
        self.changes.keys().copied().filter(|change| self.accepts(*change)).collect()
    }

    /// Whether an operation is valid.
    pub fn is_valid(&self, operation: OperationId) -> bool {
        self.operations.get(&operation) == Some(&Verdict::Valid)
    }

    /// What is in the past of a change.
    pub fn past(&self, change: ChangeId) -> BTreeSet<ChangeId> {
        self.past.get(&change).cloned().unwrap_or_default()
    }

    /// What a reader sees at a slot of a document where these values lie.
    pub fn slot(&self, document: LogId, candidates: &[Candidate]) -> Slot {
        let accepted: Vec<Candidate> = candidates.iter().filter(|value| self.accepts(value.change)).copied().collect();
        let witnesses = self.witnesses.get(&document).map(Vec::as_slice).unwrap_or_default();
        read_slot(&accepted, |earlier, later| self.past(later).contains(&earlier), witnesses)
    }
}

/// The valid checkpoints by roots, of each document.
fn witnesses(
    validity: &Validity<'_>,
    acceptance: &Acceptance<'_>,
    changes: &BTreeSet<ChangeId>,
) -> BTreeMap<LogId, Vec<Witness>> {
    let known = &validity.authority.known;
    let mut witnesses: BTreeMap<LogId, Vec<Witness>> = BTreeMap::new();
    for by in validity.valid().filter(|by| validity.authority.level(by.id) == 0) {
        let Action::Checkpoint { document, heads } = &by.action else { continue };
        if *document == by.log {
            let is_covered = |change: &&ChangeId| heads.iter().any(|head| acceptance.is_covered(**change, *head));
            let is_past = |earlier: &OperationId| known.is_past(*earlier, by.id);
            let past = known.signed.keys().copied().filter(is_past).collect();
            let covers = changes.iter().filter(is_covered).copied().collect();
            witnesses.entry(*document).or_default().push(Witness { id: by.id, past, covers });
        }
    }
    witnesses
}
