//! Who has a name: a function of the valid claims and witnesses. Of each line of operations only one end matters, so pasts
//! are compared between lines and not between operations.

use std::collections::{BTreeMap, BTreeSet};

use pistol_core::id::{AuthorityId, DocumentId};

use super::{Claim, Claimant, Index, Naming, SpaceName};
use crate::log::{Entry, Logs, Ordinal};
use crate::record::{Action, LogId};
use crate::rulings::Rulings;

/// Judges the names of one space.
pub(super) struct Court<'a> {
    pub(super) space: &'a LogId,
    pub(super) logs: &'a Logs,
    pub(super) rulings: &'a Rulings,
    pub(super) index: &'a Index,
}

/// What becomes of a name, and the witnesses that decided it.
pub(super) struct Verdict<'a> {
    pub(super) naming: Naming,
    pub(super) witnesses: Vec<&'a Entry>,
}

/// A witness, and whose claims it confirms.
type Vote<'a> = (&'a Entry, BTreeSet<Claimant>);

impl<'a> Court<'a> {
    pub(super) fn judge(&self, name: &SpaceName) -> Verdict<'a> {
        let claims = self.valid(self.index.claims(self.space, name.label()));
        let claims: Vec<&Entry> = claims.filter(|claim| name.admits(&person(claim))).collect();
        let votes = if name.has_digits() { Vec::new() } else { self.votes(&claims) };
        let witnessed: BTreeSet<Claimant> = votes.iter().flat_map(|(_, claimants)| claimants).copied().collect();
        let is_left = |claim: &&Entry| witnessed.is_empty() || witnessed.contains(&person(claim));
        let standing = current(claims.into_iter().filter(is_left));
        let naming = match standing.as_slice() {
            [] => Naming::Unclaimed,
            [only] if name.has_digits() => Naming::ByClaimant(*only),
            [only] if witnessed.is_empty() => Naming::Unconfirmed(*only),
            [only] => Naming::Confirmed(*only),
            _ => Naming::Contested(standing),
        };
        let mut witnesses: Vec<&Entry> = votes.into_iter().map(|(witness, _)| witness).collect();
        witnesses.sort_by_key(|witness| (person(witness), witness.signed.id()));
        Verdict { naming, witnesses }
    }

    fn valid(&self, ordinals: &'a [Ordinal]) -> impl Iterator<Item = &'a Entry> {
        let (logs, rulings, space) = (self.logs, self.rulings, *self.space);
        let valid = ordinals.iter().filter(move |ordinal| rulings.is_valid(**ordinal));
        valid.filter_map(move |ordinal| logs.entry(*ordinal)).filter(move |entry| entry.op().log == space)
    }

    /// Of the most senior level what each witness said first of these claims. Who forks its own line says several things first.
    fn votes(&self, claims: &[&Entry]) -> Vec<Vote<'a>> {
        let mut senior: BTreeMap<AuthorityId, Vote<'a>> = BTreeMap::new();
        let mut level = u32::MAX;
        for claim in claims {
            for witness in self.valid(self.index.witnesses(&claim.signed.id())) {
                if witness.standing.level < level {
                    senior.clear();
                    level = witness.standing.level;
                }
                if witness.standing.level == level {
                    let vote = senior.entry(witness.signed.id()).or_insert_with(|| (witness, BTreeSet::new()));
                    vote.1.insert(person(claim));
                }
            }
        }
        let mut firsts: BTreeMap<(Claimant, u32), Vote<'a>> = BTreeMap::new();
        for vote in senior.into_values() {
            let line = (person(vote.0), vote.0.branch);
            if firsts.get(&line).is_none_or(|first| vote.0.place < first.0.place) {
                firsts.insert(line, vote);
            }
        }
        let follows = |vote: &Vote<'a>| {
            let by = person(vote.0);
            let own = firsts.range((by, 0)..=(by, u32::MAX));
            own.into_iter().any(|(_, (first, _))| vote.0.past.holds(first.branch, first.place))
        };
        firsts.values().filter(|vote| !follows(vote)).cloned().collect()
    }
}

/// What each claimant says last. A claimant who forks its own line says several things.
fn current<'a>(claims: impl Iterator<Item = &'a Entry>) -> Vec<Claim> {
    let mut lasts: BTreeMap<(Claimant, u32), &Entry> = BTreeMap::new();
    for claim in claims {
        let last = lasts.entry((person(claim), claim.branch)).or_insert(claim);
        if last.place < claim.place {
            *last = claim;
        }
    }
    let mut said: BTreeMap<(Claimant, DocumentId), AuthorityId> = BTreeMap::new();
    for ((claimant, _), claim) in &lasts {
        let mut own = lasts.range((*claimant, 0)..=(*claimant, u32::MAX));
        let is_followed = own.any(|(_, later)| later.past.holds(claim.branch, claim.place));
        let Action::Name { target, .. } = &claim.op().action else { continue };
        if !is_followed {
            // Several operations that say the same are one claim; which of them is shown decides nothing.
            let id = claim.signed.id();
            let shown = said.entry((*claimant, *target)).or_insert(id);
            *shown = id.min(*shown);
        }
    }
    said.into_iter().map(|((claimant, target), operation)| Claim { claimant, target, operation }).collect()
}

/// Whose an operation is.
pub(super) fn person(entry: &Entry) -> Claimant {
    entry.standing.identity.map_or(Claimant::Key(entry.op().author), Claimant::Identity)
}
