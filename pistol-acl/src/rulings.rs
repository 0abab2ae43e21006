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
use crate::path::{Level, Naming, Standing};
use crate::record::{Action, LogId, Role, Subject};

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
                }
                rulings.judge_log(logs, ordinals);
            }
        }
        rulings
    }

    fn judge_log(&mut self, logs: &Logs, ordinals: &[Ordinal]) {
        let mut steps: BTreeMap<Level, Vec<(Ordinal, &Entry)>> = BTreeMap::new();
        for (ordinal, entry) in ordinals.iter().filter_map(|ordinal| Some((*ordinal, logs.entry(*ordinal)?))) {
            steps.entry(entry.standing.level).or_default().push((ordinal, entry));
        }
        let mut witnesses = Witnesses::new();
        for entries in steps.values() {
            let of_turn = |turn| entries.iter().filter(move |(_, entry)| turn_of(entry) == turn);
            for (ordinal, entry) in of_turn(Turn::Root).chain(of_turn(Turn::Resignation)) {
                self.rule(*ordinal, entry, self.fault(logs, entry, None));
            }
            for (ordinal, entry) in of_turn(Turn::Root).chain(of_turn(Turn::Resignation)) {
                self.witness(&mut witnesses, logs, *ordinal, entry);
            }
            // Those that others have in their past come last: what builds on an operation is judged before it.
            for (ordinal, entry) in of_turn(Turn::Other).collect::<Vec<_>>().into_iter().rev() {
                self.rule(*ordinal, entry, self.fault(logs, entry, Some(&witnesses)));
                self.witness(&mut witnesses, logs, *ordinal, entry);
            }
        }
    }

    /// Lets an operation that was judged shield what it has in its past, if it is valid and its author is active.
    fn witness(&self, witnesses: &mut Witnesses, logs: &Logs, ordinal: Ordinal, entry: &Entry) {
        if !self.is_valid(ordinal) || self.inactive(logs, entry.op().log, &entry.standing).is_some() {
            return;
        }
        let latest = witnesses.entry(entry.branch).or_insert(ordinal);
        if logs.entry(*latest).is_some_and(|latest| latest.place < entry.place) {
            *latest = ordinal;
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
            // After a release revocations are void.
            Action::Revoke { .. } if self.is_released(&entry.op().log) => {}
            Action::Revoke { who, cascade, .. } => {
                let is_self = turn_of(entry) == Turn::Resignation;
                self.acts.entry((entry.op().log, *who)).or_default().add(ordinal, entry, is_self, *cascade);
            }
            Action::Relinquish => {
                self.relinquished.entry((entry.op().log, entry.op().author)).or_default().push(ordinal);
            }
            _ => {}
        }
    }

    fn fault(&self, logs: &Logs, entry: &Entry, witnesses: Option<&Witnesses>) -> Option<Fault> {
        // Nothing that becomes known later counts against a release.
        if entry.op().action == Action::Release {
            return None;
        }
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
        if turn_of(entry) == Turn::Root {
            return None;
        }
        let holds = |by: &Ordinal| logs.entry(*by).is_some_and(|by| by.past.holds(entry.branch, entry.place));
        self.given_up(entry.op().log, &entry.standing).find(|by| !holds(by))
    }

    /// The relinquishments by the roots that somebody stands on.
    fn given_up<'a>(&'a self, log: LogId, standing: &'a Standing) -> impl Iterator<Item = Ordinal> + 'a {
        standing.roots.iter().filter_map(move |root| self.relinquished.get(&(log, *root))).flatten().copied()
    }

    /// The revocation of somebody on an operation's path that does not spare the operation.
    fn unspared(&self, logs: &Logs, entry: &Entry, naming: &Naming, witnesses: Option<&Witnesses>) -> Option<Fault> {
        let acts = self.acts.get(&(naming.log, naming.subject))?;
        let is_here = naming.log == entry.op().log;
        let is_resigning = is_here && turn_of(entry) == Turn::Resignation;
        // To resign twice is to resign: those who do so do not act on each other.
        acts.acting(logs, naming).filter(|acting| !(is_resigning && acting.is_self)).find_map(|acting| {
            // The first has the least past, so what it spares all spare.
            let first = acting.first()?;
            let is_spared = if is_here {
                !acting.cascades() && logs.entry(first)?.past.holds(entry.branch, entry.place)
            } else {
                witnesses.is_some_and(|witnesses| is_built_on(logs, entry, witnesses))
                    || acting.all().all(|by| is_kept(logs, by, entry))
            };
            (!is_spared).then_some(Fault::Revoked(first))
        })
    }

    /// Why a path into a log does not count for what is written now.
    pub(crate) fn inactive(&self, logs: &Logs, log: LogId, standing: &Standing) -> Option<Fault> {
        let acting = |naming: &Naming| self.acting(logs, naming).next();
        let revoked = || standing.namings.iter().find_map(acting).map(Fault::Revoked);
        self.broken(log, standing).or_else(revoked)
    }

    /// What is wrong with a path, revocations of those on it apart.
    pub(crate) fn broken(&self, log: LogId, standing: &Standing) -> Option<Fault> {
        let given_up = || self.given_up(log, standing).next().map(Fault::Relinquished);
        self.broken_hop(standing).map(Fault::Hop).or_else(given_up)
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

/// When an operation is judged among those of its level.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Turn {
    /// Makes or unmakes roots: nothing acts on it.
    Root,
    /// Gives up what its own author holds.
    Resignation,
    Other,
}

fn turn_of(entry: &Entry) -> Turn {
    match &entry.op().action {
        Action::AddRoot { .. } | Action::Relinquish => Turn::Root,
        Action::Revoke { who, .. } if entry.standing.is(&entry.op().author, who) => Turn::Resignation,
        _ => Turn::Other,
    }
}

/// Whether an operation speaks for the work of others: its author is an Admin, and does not leave with it.
pub(crate) fn may_vouch(entry: &Entry) -> bool {
    entry.standing.role == Role::Admin && turn_of(entry) != Turn::Resignation
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
