//! Which operations are valid: one pass from senior to junior, since a revocation acts on strictly junior grants only, or
//! on oneself.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use crate::authority::{Authority, Chain};
use crate::release::{released, releases};
use crate::verdict::{Fault, Missing, Verdict};
use crate::world::{Action, Author, Kept, Log, LogId, Mode, Operation, OperationId, Role, World};

/// The operations of a world, judged.
pub(crate) struct Validity<'w> {
    pub(crate) authority: Authority<'w>,
    /// Of each released log its release.
    pub(crate) released: BTreeMap<LogId, OperationId>,
    /// What became of each operation.
    pub(crate) verdicts: BTreeMap<OperationId, Verdict>,
}

impl<'w> Validity<'w> {
    pub(crate) fn of(world: &'w World) -> Self {
        let verdicts = releases(world);
        let released = released(world, &verdicts);
        let mut validity = Self { authority: Authority::of(world), released, verdicts };
        for operation in validity.senior_first() {
            let verdict = validity.judge(operation);
            validity.verdicts.insert(operation.id, verdict);
        }
        validity.set_the_rest_pending(world);
        validity
    }

    /// Logs on which others rest first, then by level. Of one level, first what makes and unmakes roots, each after what
    /// it cites, then those who leave, then later ones before those in their past, since later ones may speak for earlier ones.
    fn senior_first(&self) -> Vec<&'w Operation> {
        let known = &self.authority.known;
        let kind = |operation: &Operation| known.logs.get(&operation.log).map(|log| log.kind);
        let mut operations = known.in_order.clone();
        operations.retain(|operation| operation.action != Action::Release);
        operations.sort_by_key(|operation| {
            let turn = self.turn(operation);
            let depth = if turn == 0 { 0 } else { known.depth(operation.id) };
            (kind(operation), self.authority.level(operation.id), turn, Reverse(depth))
        });
        operations
    }

    fn turn(&self, operation: &Operation) -> u8 {
        match operation.action {
            Action::AddRoot { .. } | Action::Relinquish => 0,
            _ if self.is_leaving(operation) => 1,
            _ => 2,
        }
    }

    fn set_the_rest_pending(&mut self, world: &World) {
        for operation in &world.operations {
            let is_signed = self.authority.known.signed.contains_key(&operation.id);
            let missing = self.authority.known.lacks(operation).unwrap_or(Missing::Operation(operation.id));
            let rest = if is_signed { Verdict::Pending(missing) } else { Verdict::Invalid(Fault::BadSignature) };
            self.verdicts.entry(operation.id).or_insert(rest);
        }
    }

    /// valid(x): each hop of its path is valid, its role permits it, and no revocation and no relinquishing strikes it.
    pub(crate) fn judge(&self, operation: &Operation) -> Verdict {
        let chain = match self.authority.of_operation(operation.id) {
            Some(Ok(chain)) => chain,
            Some(Err(fault)) => return Verdict::Invalid(fault),
            None => return Verdict::Pending(Missing::Operation(operation.id)),
        };
        let invalid_hop = chain.hops.iter().find(|hop| !self.is_valid(hop.id)).map(|hop| Fault::Hop(hop.id));
        let fault = invalid_hop
            .or_else(|| self.striking(operation, chain).map(Fault::Revoked))
            .or_else(|| self.relinquished(operation, chain).map(Fault::Relinquished));
        fault.map_or(Verdict::Valid, Verdict::Invalid)
    }

    pub(crate) fn is_valid(&self, id: OperationId) -> bool {
        self.verdicts.get(&id) == Some(&Verdict::Valid)
    }

    /// Every valid operation.
    pub(crate) fn valid(&self) -> impl Iterator<Item = &'w Operation> {
        self.authority.known.in_order.iter().copied().filter(|operation| self.is_valid(operation.id))
    }

    /// The valid revocations that act on a hop: of the subject that it names, in its own log, by one who is senior to it
    /// or by the subject itself. In a released log there are none.
    pub(crate) fn acting_on(&self, hop: &'w Operation) -> impl Iterator<Item = &'w Operation> {
        self.valid().filter(move |operation| {
            let level = self.authority.level(operation.id);
            let given = self.authority.level_given(hop);
            operation.log == hop.log
                && !self.released.contains_key(&hop.log)
                && operation
                    .revocation()
                    .is_some_and(|revocation| hop.grant().is_some_and(|(to, _)| to == revocation.who))
                && (level < given || (level == given && self.is_leaving(operation)))
        })
    }

    /// Whether it revokes its own author.
    pub(crate) fn is_leaving(&self, operation: &Operation) -> bool {
        let Some(revocation) = operation.revocation() else { return false };
        let chain = self.authority.of_operation(operation.id);
        matches!(chain, Some(Ok(chain)) if chain.is_oneself(operation.author, revocation.who))
    }

    /// The revocation that makes an operation invalid: it acts on a hop, the hop does not follow on it, and the
    /// operation is not spared.
    fn striking(&self, operation: &'_ Operation, chain: &Chain<'w>) -> Option<OperationId> {
        let is_leaving = self.is_leaving(operation);
        for hop in &chain.hops {
            for revocation in self.acting_on(hop) {
                let is_granted_again = self.authority.known.is_past(revocation.id, hop.id);
                let both_leave = is_leaving && revocation.log == operation.log && self.is_leaving(revocation);
                if !is_granted_again && !both_leave && !self.is_spared(operation, revocation) {
                    return Some(revocation.id);
                }
            }
        }
        None
    }

    /// In its own log a revocation spares what its author had seen, unless it cascades. In other logs it spares what it
    /// keeps, and what another active author has in its past.
    fn is_spared(&self, operation: &Operation, by: &Operation) -> bool {
        let Some(revocation) = by.revocation() else { return true };
        if by.log == operation.log {
            return self.authority.known.is_past(operation.id, by.id) && !revocation.cascade;
        }
        let covers =
            |kept: &Kept| matches!(kept, Kept::Operation(id) if self.authority.known.is_covered(operation.id, *id));
        revocation.keep.iter().any(covers) || (!self.is_leaving(operation) && self.is_endorsed(operation))
    }

    /// Whether a valid operation of another active author of the same log, no junior one, has this one in its past.
    fn is_endorsed(&self, operation: &Operation) -> bool {
        let level = self.authority.level(operation.id);
        self.valid().any(|later| {
            later.log == operation.log
                && later.author != operation.author
                && self.authority.known.is_past(operation.id, later.id)
                && self.authority.level(later.id) <= level
                && matches!(self.authority.of_operation(later.id), Some(Ok(chain))
                    if self.inactive(later.log, chain, &[]).is_none())
        })
    }

    /// active(path): each hop is valid and follows on every revocation that acts on it, those apart that keep what is
    /// asked about; and the root has not given up.
    pub(crate) fn inactive(&self, log: LogId, chain: &Chain<'w>, asked: &[Kept]) -> Option<Fault> {
        for hop in &chain.hops {
            if !self.is_valid(hop.id) {
                return Some(Fault::Hop(hop.id));
            }
            let ends = |by: &&Operation| !self.authority.known.is_past(by.id, hop.id) && !names(by, asked);
            if let Some(revocation) = self.acting_on(hop).find(ends) {
                return Some(Fault::Revoked(revocation.id));
            }
        }
        self.relinquishing(log, &chain.roots).next().map(|gave_up| Fault::Relinquished(gave_up.id))
    }

    /// Where a root gave up, the operation that it must be in the past of and is not.
    fn relinquished(&self, operation: &Operation, chain: &Chain<'w>) -> Option<OperationId> {
        if matches!(operation.action, Action::AddRoot { .. } | Action::Relinquish) {
            return None;
        }
        let is_past = |gave_up: &Operation| self.authority.known.is_past(operation.id, gave_up.id);
        self.relinquishing(operation.log, &chain.roots).find(|gave_up| !is_past(gave_up)).map(|gave_up| gave_up.id)
    }

    fn relinquishing(&self, log: LogId, roots: &BTreeSet<Author>) -> impl Iterator<Item = &'w Operation> {
        let gives_up = move |operation: &&Operation| {
            operation.action == Action::Relinquish && operation.log == log && roots.contains(&operation.author)
        };
        self.valid().filter(gives_up)
    }

    /// Whether an operation speaks for the work of others: its author may write checkpoints, and does not leave with it.
    pub(crate) fn may_vouch(&self, operation: &Operation) -> bool {
        let chain = self.authority.of_operation(operation.id);
        matches!(chain, Some(Ok(chain)) if chain.role >= Role::Admin) && !self.is_leaving(operation)
    }

    /// The exact revocation that purges what was written along this path, if it is not kept and not granted again.
    pub(crate) fn purging(
        &self,
        log: LogId,
        author: Author,
        chain: &Chain<'w>,
        is_kept: impl Fn(&Operation) -> bool,
    ) -> Option<OperationId> {
        let is_exact = |by: &Operation| by.revocation().is_some_and(|revocation| revocation.mode == Mode::Exact);
        let is_void = self.released.contains_key(&log);
        let purges = |by: &&Operation| {
            !is_void && by.log == log && is_exact(by) && self.may_vouch(by) && self.falls(by, author, chain)
        };
        self.valid().filter(purges).find(|by| !is_kept(by)).map(|by| by.id)
    }

    /// Whether an exact revocation reaches an author under a path: through a junior hop that names its subject and was
    /// not given again, or, where no hop does and no grant is needed, through the author or its identity itself.
    fn falls(&self, by: &Operation, author: Author, chain: &Chain<'w>) -> bool {
        let Some(revocation) = by.revocation() else { return false };
        let names_subject =
            |hop: &&&Operation| hop.log == by.log && hop.grant().is_some_and(|(to, _)| to == revocation.who);
        let named: Vec<&&Operation> = chain.hops.iter().filter(names_subject).collect();
        if named.is_empty() {
            return self.is_bannable(by.log, author, chain) && chain.is_oneself(author, revocation.who);
        }
        let is_junior = |hop: &Operation| self.authority.level(by.id) < self.authority.level_given(hop);
        named.iter().all(|hop| is_junior(hop) && !self.authority.known.is_past(by.id, hop.id))
    }

    /// Whether one who cites no grant in a log may be banned from it: not a root, and where nobody needs a grant.
    fn is_bannable(&self, log: LogId, author: Author, chain: &Chain<'w>) -> bool {
        let is_open = |log: &Log| log.policy.needs_no_grant() && !log.roots.contains(&author);
        chain.level > 0 && self.authority.known.logs.get(&log).is_some_and(|log| is_open(log))
    }
}

/// Whether a revocation keeps one of these.
fn names(by: &Operation, asked: &[Kept]) -> bool {
    by.revocation().is_some_and(|revocation| asked.iter().any(|kept| revocation.keep.contains(kept)))
}

#[cfg(test)]
mod tests {
    use super::Validity;
    use crate::random::Size;
    use crate::world::{Action, Operation, World};

    /// The one pass judges each operation while juniors are not judged yet; with all verdicts known it says the same.
    #[test]
    fn one_pass_from_senior_to_junior_gives_a_verdict_that_the_rules_confirm() {
        for seed in 0..4_000 {
            let world = World::random(seed, if seed % 20 == 0 { Size::Medium } else { Size::Small });
            let validity = Validity::of(&world);
            let is_judged_here = |operation: &&&Operation| operation.action != Action::Release;
            for operation in validity.authority.known.in_order.iter().filter(is_judged_here) {
                let again = validity.judge(operation);
                assert_eq!(validity.verdicts.get(&operation.id), Some(&again), "seed {seed}: {operation}\n{world}");
            }
        }
    }
}
