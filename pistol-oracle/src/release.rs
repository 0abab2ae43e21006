//! Release: proved from the geneses, the cited path and the release alone, so that nothing can be said against it later.

use std::collections::BTreeMap;

use crate::authority::Authority;
use crate::verdict::{Fault, Missing, Verdict};
use crate::world::{Action, Log, LogId, Operation, OperationId, World};

/// Whether a release is one, proved by these geneses and operations, without the rest of the log.
pub fn verify_release(logs: &[Log], proof: &[Operation], release: &Operation) -> bool {
    let operations = proof.iter().chain([release]).cloned().collect();
    let world = World { logs: logs.to_vec(), operations, ..World::default() };
    release.is_well_signed && releases(&world).get(&release.id) == Some(&Verdict::Valid)
}

/// What becomes of each well signed release. What it and its path follow on does not matter, and neither does a
/// revocation, so the answer is the same in every larger world.
pub(crate) fn releases(world: &World) -> BTreeMap<OperationId, Verdict> {
    let bare = World { operations: world.operations.iter().map(without_past).collect(), ..world.clone() };
    let authority = Authority::of(&bare);
    let is_release = |operation: &&&Operation| operation.action == Action::Release;
    let judge = |release: &&Operation| match authority.of_operation(release.id) {
        Some(Ok(_)) => Verdict::Valid,
        Some(Err(fault)) => Verdict::Invalid(fault),
        None => Verdict::Pending(authority.known.lacks(release).unwrap_or(Missing::Operation(release.id))),
    };
    let mut verdicts: BTreeMap<OperationId, Verdict> =
        authority.known.signed.values().filter(is_release).map(|release| (release.id, judge(release))).collect();
    for operation in world.operations.iter().filter(|operation| operation.action == Action::Release) {
        verdicts.entry(operation.id).or_insert(Verdict::Invalid(Fault::BadSignature));
    }
    verdicts
}

/// Of each released log the first valid release, by id.
pub(crate) fn released(world: &World, releases: &BTreeMap<OperationId, Verdict>) -> BTreeMap<LogId, OperationId> {
    let mut released = BTreeMap::new();
    for operation in world.operations.iter().filter(|operation| releases.get(&operation.id) == Some(&Verdict::Valid)) {
        let first = released.entry(operation.log).or_insert(operation.id);
        *first = operation.id.min(*first);
    }
    released
}

fn without_past(operation: &Operation) -> Operation {
    Operation { prev: Vec::new(), ..operation.clone() }
}
