//! Which documents stand in a space: added by one who may, kept by somebody, and not removed.

use std::collections::BTreeMap;

use crate::validity::Validity;
use crate::verdict::{Mask, Missing, Standing, State, Why};
use crate::world::{Action, Home, Kept, Kind, Log, LogId, Operation, World};

/// What becomes in its space of each document that names one.
pub(crate) fn documents(world: &World, validity: &Validity<'_>) -> BTreeMap<LogId, State> {
    let in_space = world.logs.iter().filter(|log| log.kind == Kind::Document);
    in_space.filter_map(|log| log.home.as_ref().map(|home| (log.id, judge(validity, log, home)))).collect()
}

fn judge(validity: &Validity<'_>, document: &Log, home: &Home) -> State {
    let known = &validity.authority.known;
    let Some(space) = known.logs.get(&home.space) else { return State::Pending(Missing::Log(home.space)) };
    if space.kind != Kind::Space {
        return State::Rejected(Why::NotADocument);
    }
    if let Some(missing) = known.first_missing(home.authority.iter().copied()) {
        return State::Pending(missing);
    }
    let chain = match validity.authority.to_write(space, home.creator, &home.authority) {
        Ok(chain) => chain,
        Err(fault) => return State::Rejected(Why::Authority(fault)),
    };
    if let Some(release) = validity.released.get(&space.id) {
        return State::Accepted(Standing::Released(*release));
    }
    let here = || validity.valid().filter(|operation| operation.log == space.id);
    if let Some(removal) = here().find(|by| by.action == Action::RemoveDocument { document: document.id }) {
        return State::Masked(Mask::Removed(removal.id));
    }
    let keeps = |by: &Operation| by.revocation().is_some_and(|by| by.keep.contains(&Kept::Document(document.id)));
    if let Some(by) = validity.purging(space.id, home.creator, &chain, keeps) {
        return State::Masked(Mask::Purged(by));
    }
    if space.policy.needs_no_grant() {
        return State::Accepted(Standing::NoGrantNeeded);
    }
    let Some(fault) = validity.inactive(space.id, &chain, &[Kept::Document(document.id)]) else {
        return State::Accepted(Standing::ActivePath);
    };
    let is_named = |by: &&Operation| match &by.action {
        Action::Checkpoint { document: named, .. } => *named == document.id,
        Action::Acknowledge { document: named } => *named == document.id && by.author != home.creator,
        Action::Revoke(_) => keeps(by) && validity.may_vouch(by),
        _ => false,
    };
    let named = here().find(is_named).map(|by| Standing::Named(by.id));
    named.map_or(State::Masked(Mask::Inactive(fault)), State::Accepted)
}
