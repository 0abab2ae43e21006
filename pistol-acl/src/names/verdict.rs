//! Who has a name: a function of the valid claims and witnesses. Of each line of operations only one end matters, so pasts
//! are compared between lines and not between operations.

use std::collections::{BTreeMap, BTreeSet};

use pistol_core::id::{AuthorityId, DocumentId};

use super::{Claim, Claimant, Index, Naming, SpaceName};
use crate::limits::CLAIMS_LISTED_MAX;
use crate::log::{Entry, Logs, Ordinal};
use crate::path::Level;
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
            [(_, only)] if name.has_digits() => Naming::ByClaimant(*only),
            [(_, only)] if witnessed.is_empty() => Naming::Unconfirmed(*only),
            [(_, only)] => Naming::Confirmed(*only),
            _ => Naming::Contested { count: standing.len(), claims: listed(standing) },
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

/// What each claimant says last, in order of claimants, and how senior who says it is. A claimant who forks its own line says several
/// things.
fn current<'a>(claims: impl Iterator<Item = &'a Entry>) -> Vec<(Level, Claim)> {
    let mut lasts: BTreeMap<(Claimant, u32), &Entry> = BTreeMap::new();
    for claim in claims {
        let last = lasts.entry((person(claim), claim.branch)).or_insert(claim);
        if last.place < claim.place {
            *last = claim;
        }
    }
    let mut said: BTreeMap<(Claimant, DocumentId), (Level, AuthorityId)> = BTreeMap::new();
    for ((claimant, _), claim) in &lasts {
        let mut own = lasts.range((*claimant, 0)..=(*claimant, u32::MAX));
        let is_followed = own.any(|(_, later)| later.past.holds(claim.branch, claim.place));
        let Action::Name { target, .. } = &claim.op().action else { continue };
        if !is_followed {
            // Several operations that say the same are one claim; which of them is shown decides nothing.
            let shown = (claim.standing.level, claim.signed.id());
            let (level, id) = said.entry((*claimant, *target)).or_insert(shown);
            (*level, *id) = (shown.0.min(*level), shown.1.min(*id));
        }
    }
    let claim = |((claimant, target), (level, operation))| (level, Claim { claimant, target, operation });
    said.into_iter().map(claim).collect()
}

/// As many as are listed. One of each claimant first, so that nobody fills the list alone; and of those the ones of senior
/// claimants, so that keys that somebody makes in numbers, whose ids can be chosen, come after whom the space gave a part.
fn listed(all: Vec<(Level, Claim)>) -> Vec<Claim> {
    let mut turns: BTreeMap<Claimant, usize> = BTreeMap::new();
    let in_turn = |(level, claim): (Level, Claim)| {
        let turn = turns.entry(claim.claimant).or_default();
        *turn += 1;
        (*turn, level, claim)
    };
    let mut all: Vec<(usize, Level, Claim)> = all.into_iter().map(in_turn).collect();
    all.sort_unstable();
    let mut claims: Vec<Claim> = all.into_iter().take(CLAIMS_LISTED_MAX).map(|(.., claim)| claim).collect();
    claims.sort_unstable();
    claims
}

/// Whose an operation is.
pub(super) fn person(entry: &Entry) -> Claimant {
    entry.standing.identity.map_or(Claimant::Key(entry.op().author), Claimant::Identity)
}
