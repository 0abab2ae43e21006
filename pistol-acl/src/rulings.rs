//! Which operations are valid: one pass from the most senior to the most junior, logs of identities first.
//!
//! A revocation acts on strictly junior grants, or on what its own author holds. So when an operation is judged, all that can
//! act on it has been: there are no duels, no cycles and nothing to resolve. The result is a function of the set of
//! operations alone.
//!
//! Cost: for each operation, the branches that hold revocations of a subject on its path, each searched by bisection.

mod acts;

use std::collections::{BTreeMap, BTreeSet};

use pistol_core::id::AuthorityId;
use pistol_core::key::AuthorId;

use acts::{Acting, Acts};

use crate::charter::Kind;
use crate::log::{Entry, Logs, Ordinal};
use crate::path::{Height, Naming, Standing};
use crate::record::{Action, LogId, Subject};

/// Why an operation is not valid, or a path does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Something that it stands on is not valid.
    Hop(Ordinal),
    /// The root that it stands on gave its powers up.
    Relinquished(Ordinal),
    /// Somebody that it stands on was revoked.
    Revoked(Ordinal),
}

/// Which operations are valid.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rulings {
    /// For each operation what is wrong with it. What was not judged is not valid.
    faults: Vec<Option<Fault>>,
    judged: usize,
    acts: BTreeMap<(LogId, Subject), Acts>,
    relinquished: BTreeMap<(LogId, AuthorId), Vec<Ordinal>>,
    released: BTreeSet<LogId>,
}

/// Of each branch the latest operation that is valid and whose author is active: what is in its past has been built on.
type Witnesses = BTreeMap<u32, Ordinal>;

impl Rulings {
    /// Judges everything.
    pub(crate) fn judge(logs: &Logs) -> Rulings {
        let mut rulings = Rulings { faults: vec![None; logs.len()], judged: logs.len(), ..Rulings::default() };
        for kind in [Kind::Identity, Kind::Group, Kind::Space, Kind::Document] {
            for (log, ordinals) in logs.of_kind(kind) {
                if logs.release_of(log).is_some() {
                    rulings.released.insert(*log);
                } else {
                    rulings.judge_log(logs, ordinals);
                }
            }
        }
        rulings
    }

    fn judge_log(&mut self, logs: &Logs, ordinals: &[Ordinal]) {
        let mut steps: BTreeMap<Height, Vec<(Ordinal, &Entry)>> = BTreeMap::new();
        for (ordinal, entry) in ordinals.iter().filter_map(|ordinal| Some((*ordinal, logs.entry(*ordinal)?))) {
            steps.entry(entry.standing.height).or_default().push((ordinal, entry));
        }
        let mut witnesses = Witnesses::new();
        for entries in steps.values() {
            let (resigning, others): (Vec<_>, Vec<_>) = entries.iter().partition(|(_, entry)| is_resignation(entry));
            // Resignations do not act on each other: to resign twice is to resign.
            let verdicts: Vec<_> =
                resigning.iter().map(|(ordinal, entry)| (*ordinal, *entry, self.fault(logs, entry, None))).collect();
            verdicts.into_iter().for_each(|(ordinal, entry, fault)| self.rule(ordinal, entry, fault));
            // Those that others have in their past come last: what builds on an operation is judged before it.
            for (ordinal, entry) in others.iter().rev() {
                let fault = self.fault(logs, entry, Some(&witnesses));
                self.rule(*ordinal, entry, fault);
                if fault.is_none() && self.inactive(logs, &entry.standing).is_none() {
                    witness(&mut witnesses, logs, *ordinal, entry);
                }
            }
        }
    }

    /// Records a verdict, and what the operation does if it is valid.
    fn rule(&mut self, ordinal: Ordinal, entry: &Entry, fault: Option<Fault>) {
        if let Some(slot) = self.faults.get_mut(ordinal as usize) {
            *slot = fault;
        }
        if fault.is_some() {
            return;
        }
        match &entry.op().action {
            Action::Revoke { who, cascade, .. } => {
                let is_self = is_resignation(entry);
                self.acts.entry((entry.op().log, *who)).or_default().add(ordinal, entry, is_self, *cascade);
            }
            Action::Relinquish => {
                if let Some(root) = entry.standing.root {
                    self.relinquished.entry((entry.op().log, root)).or_default().push(ordinal);
                }
            }
            _ => {}
        }
    }

    fn fault(&self, logs: &Logs, entry: &Entry, witnesses: Option<&Witnesses>) -> Option<Fault> {
        if let Some(hop) = self.broken_hop(&entry.standing) {
            return Some(Fault::Hop(hop));
        }
        if let Some(by) = self.relinquished_before(logs, entry) {
            return Some(Fault::Relinquished(by));
        }
        entry.standing.namings.iter().find_map(|naming| self.unspared(logs, entry, naming, witnesses))
    }

    fn broken_hop(&self, standing: &Standing) -> Option<Ordinal> {
        standing.hops.iter().copied().find(|hop| !self.is_valid(*hop))
    }

    /// The relinquishment by the operation's root that does not have the operation in its past.
    fn relinquished_before(&self, logs: &Logs, entry: &Entry) -> Option<Ordinal> {
        if matches!(entry.op().action, Action::AddRoot { .. } | Action::Release | Action::Relinquish) {
            return None;
        }
        let given_up = self.relinquished.get(&(entry.op().log, entry.standing.root?))?;
        given_up.iter().copied().find(|by| {
            let by = logs.entry(*by);
            by.is_some_and(|by| {
                by.standing.height <= entry.standing.height && !by.past.holds(entry.branch, entry.place)
            })
        })
    }

    /// The revocation of somebody on an operation's path that does not spare the operation.
    fn unspared(&self, logs: &Logs, entry: &Entry, naming: &Naming, witnesses: Option<&Witnesses>) -> Option<Fault> {
        let acts = self.acts.get(&(naming.log, naming.subject))?;
        let is_here = naming.log == entry.op().log;
        acts.acting(logs, naming).find_map(|acting| {
            // The first has the least past, so what it spares all spare.
            let first = acting.first()?;
            let is_spared = if is_here {
                !acting.cascades() && logs.entry(first)?.past.holds(entry.branch, entry.place)
            } else {
                !acting.cascades() && witnesses.is_some_and(|witnesses| is_built_on(logs, entry, witnesses))
                    || acting.all().all(|by| is_kept(logs, by, entry))
            };
            (!is_spared).then_some(Fault::Revoked(first))
        })
    }

    /// Why a path does not count for what is written now.
    pub(crate) fn inactive(&self, logs: &Logs, standing: &Standing) -> Option<Fault> {
        if let Some(hop) = self.broken_hop(standing) {
            return Some(Fault::Hop(hop));
        }
        let acting = |naming: &Naming| self.acting(logs, naming).next();
        standing.namings.iter().find_map(acting).map(Fault::Revoked)
    }

    /// The valid revocations that act on a naming and do not lie in the past of its step.
    pub(crate) fn acting<'a>(&'a self, logs: &'a Logs, naming: &'a Naming) -> impl Iterator<Item = Ordinal> + 'a {
        let acts = self.acts.get(&(naming.log, naming.subject));
        acts.into_iter().flat_map(move |acts| acts.acting(logs, naming)).flat_map(Acting::all)
    }

    pub(crate) fn is_valid(&self, ordinal: Ordinal) -> bool {
        (ordinal as usize) < self.judged && self.fault_of(ordinal).is_none()
    }

    pub(crate) fn fault_of(&self, ordinal: Ordinal) -> Option<Fault> {
        self.faults.get(ordinal as usize).copied().flatten()
    }

    pub(crate) fn is_released(&self, log: &LogId) -> bool {
        self.released.contains(log)
    }
}

/// Whether an operation gives up what its own author holds.
pub(crate) fn is_resignation(entry: &Entry) -> bool {
    match &entry.op().action {
        Action::Relinquish => true,
        Action::Revoke { who, .. } => entry.standing.is(&entry.op().author, who),
        _ => false,
    }
}

fn witness(witnesses: &mut Witnesses, logs: &Logs, ordinal: Ordinal, entry: &Entry) {
    let latest = witnesses.entry(entry.branch).or_insert(ordinal);
    if logs.entry(*latest).is_some_and(|latest| latest.place < entry.place) {
        *latest = ordinal;
    }
}

/// Whether another active author, no less senior, has an operation in its past.
fn is_built_on(logs: &Logs, entry: &Entry, witnesses: &Witnesses) -> bool {
    witnesses
        .values()
        .filter_map(|ordinal| logs.entry(*ordinal))
        .any(|witness| witness.op().author != entry.op().author && witness.past.holds(entry.branch, entry.place))
}

/// Whether a revocation in another log names an operation as one that stays, or one that has it in its past.
fn is_kept(logs: &Logs, by: Ordinal, entry: &Entry) -> bool {
    let Some(Action::Revoke { keep, .. }) = logs.entry(by).map(|by| &by.op().action) else { return false };
    let id: AuthorityId = entry.signed.id();
    keep.operations.contains(&id)
        || keep
            .operations
            .iter()
            .filter_map(|kept| logs.find(kept))
            .any(|kept| kept.op().log == entry.op().log && kept.past.holds(entry.branch, entry.place))
}
