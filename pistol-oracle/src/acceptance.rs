//! Which changes of the documents are ready, active, purged and accepted: the acceptance function, set by set.

use std::collections::{BTreeMap, BTreeSet};

use crate::authority::Chain;
use crate::first_writer::broken_rules;
use crate::validity::Validity;
use crate::verdict::{Fault, Mask, Missing, Standing, State, Verdict, Why};
use crate::world::{Action, Change, ChangeId, Kept, Kind, Log, Operation, OperationId, Person, World};

/// A change that is ready: valid, and its past is ready.
struct Ready<'w> {
    change: &'w Change,
    log: &'w Log,
    /// Its path; none where it cites a release.
    chain: Option<Chain<'w>>,
    /// The closure of its deps, itself apart.
    past: BTreeSet<ChangeId>,
}

/// The changes of a world, judged.
pub(crate) struct Acceptance<'w> {
    validity: &'w Validity<'w>,
    ready: BTreeMap<ChangeId, Ready<'w>>,
    /// What became of each change.
    pub(crate) states: BTreeMap<ChangeId, State>,
}

impl<'w> Acceptance<'w> {
    pub(crate) fn of(world: &'w World, validity: &'w Validity<'w>) -> Self {
        let mut acceptance = Self { validity, ready: BTreeMap::new(), states: BTreeMap::new() };
        let changes: BTreeMap<ChangeId, &Change> = world.changes.iter().map(|change| (change.id, change)).collect();
        while changes.values().any(|change| acceptance.settle(change)) {}
        for (id, change) in changes {
            let missing = acceptance.lacks(change).unwrap_or(Missing::Change(id));
            acceptance.states.entry(id).or_insert(State::Pending(missing));
        }
        acceptance.accept();
        acceptance
    }

    /// Finds out whether a change is rejected or ready, as soon as that can be known, and says whether something is new.
    fn settle(&mut self, change: &'w Change) -> bool {
        if self.states.contains_key(&change.id) || self.ready.contains_key(&change.id) {
            return false;
        }
        let verdict = match self.rejection(change) {
            Some(why) => Err(why),
            None if self.lacks(change).is_some() => return false,
            None => self.ready(change),
        };
        match verdict {
            Ok(ready) => drop(self.ready.insert(change.id, ready)),
            Err(why) => drop(self.states.insert(change.id, State::Rejected(why))),
        }
        true
    }

    /// Why a change is rejected, whatever else is missing.
    fn rejection(&self, change: &Change) -> Option<Why> {
        if !change.is_structurally_valid {
            return Some(Why::Structure);
        }
        let is_rejected = |dep: &&ChangeId| matches!(self.states.get(dep), Some(State::Rejected(_)));
        let elsewhere = |dep: &&ChangeId| self.ready.get(dep).is_some_and(|dep| dep.change.document != change.document);
        let log = self.validity.authority.known.logs.get(&change.document);
        let wrong = log.filter(|log| log.kind != Kind::Document).map(|_| Why::NotADocument);
        wrong
            .or_else(|| change.deps.iter().find(is_rejected).map(|dep| Why::RejectedDep(*dep)))
            .or_else(|| change.deps.iter().find(elsewhere).map(|dep| Why::DepElsewhere(*dep)))
    }

    /// What a change waits for: its document, its deps, its authority.
    fn lacks(&self, change: &Change) -> Option<Missing> {
        let known = &self.validity.authority.known;
        let log = (!known.logs.contains_key(&change.document)).then_some(Missing::Log(change.document));
        let dep = change.deps.iter().find(|dep| !self.ready.contains_key(dep)).map(|dep| Missing::Change(*dep));
        log.or(dep).or_else(|| match self.cited_release(change) {
            Some(release) => match self.validity.verdicts.get(&release) {
                Some(Verdict::Pending(missing)) => Some(*missing),
                _ => None,
            },
            None => known.first_missing(change.authority.iter().copied()),
        })
    }

    /// The release that is all that a change cites.
    fn cited_release(&self, change: &Change) -> Option<OperationId> {
        let [only] = change.authority.as_slice() else { return None };
        let signed = &self.validity.authority.known.signed;
        signed.get(only).filter(|cited| cited.action == Action::Release).map(|cited| cited.id)
    }

    /// V7 and V8 of a change whose deps are ready and whose cited operations are known.
    fn ready(&self, change: &'w Change) -> Result<Ready<'w>, Why> {
        let authority = &self.validity.authority;
        let log = authority.known.logs.get(&change.document).copied().ok_or(Why::NotADocument)?;
        let deps = change.deps.iter().copied();
        let earlier = change.deps.iter().filter_map(|dep| self.ready.get(dep)).flat_map(|dep| dep.past.iter().copied());
        let past = deps.chain(earlier).collect();
        if let Some(release) = self.cited_release(change) {
            let cited = authority.known.signed.get(&release).filter(|cited| cited.log == log.id);
            let verdict = cited.and_then(|cited| self.validity.verdicts.get(&cited.id));
            return match verdict {
                Some(Verdict::Valid) => Ok(Ready { change, log, chain: None, past }),
                Some(Verdict::Invalid(fault)) => Err(Why::Authority(*fault)),
                Some(Verdict::Pending(_)) | None => Err(Why::Authority(Fault::PathBroken)),
            };
        }
        let chain = authority.to_write(log, change.author, &change.authority).map_err(Why::Authority)?;
        let person = chain.identity.map_or(Person::Key(change.author), Person::Identity);
        let broken = |write| broken_rules(log.policy, &log.roots, person, write).first().copied();
        match change.writes.iter().find_map(broken) {
            Some(rule) => Err(Why::FirstWriter(rule)),
            None => Ok(Ready { change, log, chain: Some(chain), past }),
        }
    }

    /// A = { c in past(Active) : past(c) meets no Purged }
    fn accept(&mut self) {
        let active: BTreeMap<ChangeId, Result<Standing, Mask>> =
            self.ready.iter().map(|(id, ready)| (*id, self.stands(ready))).collect();
        let purged: BTreeMap<ChangeId, OperationId> =
            self.ready.iter().filter_map(|(id, ready)| self.purge(ready).map(|by| (*id, by))).collect();
        for (id, ready) in &self.ready {
            let later = |endorser: &&Ready<'_>| {
                endorser.past.contains(id) && matches!(active.get(&endorser.change.id), Some(Ok(_)))
            };
            let endorsed = self.ready.values().find(later).map(|endorser| Standing::EndorsedBy(endorser.change.id));
            let on_purged = ready.past.iter().find_map(|earlier| purged.get(earlier).map(|by| (*earlier, *by)));
            let state = match (purged.get(id), on_purged, active.get(id).copied(), endorsed) {
                (Some(by), ..) => State::Masked(Mask::Purged(*by)),
                (None, Some((earlier, by)), ..) => State::Masked(Mask::OnPurged(earlier, by)),
                (None, None, Some(Ok(standing)), _) | (None, None, _, Some(standing)) => State::Accepted(standing),
                (None, None, Some(Err(mask)), None) => State::Masked(mask),
                (None, None, None, None) => continue,
            };
            self.states.insert(*id, state);
        }
    }

    /// Active: why a change stands by itself, or why it does not.
    fn stands(&self, ready: &Ready<'w>) -> Result<Standing, Mask> {
        if let Some(release) = self.validity.released.get(&ready.log.id) {
            return Ok(Standing::Released(*release));
        }
        if ready.log.policy.needs_no_grant() {
            return Ok(Standing::NoGrantNeeded);
        }
        let inactive = ready
            .chain
            .as_ref()
            .and_then(|chain| self.validity.inactive(ready.log.id, chain, &[Kept::Change(ready.change.id)]));
        let named = self.validity.valid().find(|by| self.is_named(ready, by)).map(|by| Standing::Named(by.id));
        match (inactive, named) {
            (None, _) => Ok(Standing::ActivePath),
            (Some(_), Some(standing)) => Ok(standing),
            (Some(fault), None) => Err(Mask::Inactive(fault)),
        }
    }

    /// Whether an operation of the document's log names a change as a head: a checkpoint, or a revocation that keeps it,
    /// by one who may vouch for others.
    fn is_named(&self, ready: &Ready<'w>, by: &Operation) -> bool {
        let names = match &by.action {
            Action::Checkpoint { heads, .. } => heads.contains(&ready.change.id),
            Action::Revoke(revocation) => revocation.keep.contains(&Kept::Change(ready.change.id)),
            _ => false,
        };
        names && by.log == ready.log.id && self.validity.may_vouch(by)
    }

    /// Purged: the exact revocation that purges a change.
    fn purge(&self, ready: &Ready<'w>) -> Option<OperationId> {
        let is_kept = |by: &Operation| {
            let kept = by.revocation().map(|revocation| revocation.keep.as_slice()).unwrap_or_default();
            kept.iter().any(|kept| matches!(kept, Kept::Change(head) if self.is_covered(ready.change.id, *head)))
        };
        let chain = ready.chain.as_ref()?;
        self.validity.purging(ready.log.id, ready.change.author, chain, is_kept)
    }

    /// Whether one change is in the past of another.
    pub(crate) fn is_past(&self, earlier: ChangeId, later: ChangeId) -> bool {
        self.ready.get(&later).is_some_and(|later| later.past.contains(&earlier))
    }

    /// Whether a change is another, or in its past.
    pub(crate) fn is_covered(&self, earlier: ChangeId, later: ChangeId) -> bool {
        earlier == later || self.is_past(earlier, later)
    }

    /// Of each ready change under rules of first writers what is void in the projection: what the bare key could not do,
    /// where the certificate that it cited is not active any more.
    pub(crate) fn void(&self) -> BTreeMap<ChangeId, Vec<usize>> {
        let void = |ready: &Ready<'w>| {
            let chain = ready.chain.as_ref()?;
            let certificate = chain.hops.last().filter(|_| chain.identity.is_some())?;
            let alone = Chain { hops: vec![certificate], roots: BTreeSet::new(), ..chain.clone() };
            self.validity.inactive(ready.log.id, &alone, &[])?;
            let person = Person::Key(ready.change.author);
            let is_broken = |write| !broken_rules(ready.log.policy, &ready.log.roots, person, write).is_empty();
            let writes = ready.change.writes.iter().enumerate();
            Some(writes.filter(|(_, write)| is_broken(write)).map(|(number, _)| number).collect())
        };
        let kept = self.ready.iter().filter(|(_, ready)| !self.validity.released.contains_key(&ready.log.id));
        kept.filter_map(|(id, ready)| void(ready).map(|void| (*id, void))).collect()
    }
}
