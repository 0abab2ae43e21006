//! The logs that a node knows: operations whose past and proof are known and in order.
//!
//! What is found here is final for every replica. Whether an operation is still *valid* depends on revocations, and is
//! decided in [`crate::rulings`].
//!
//! Architecture Invariant: an operation enters after everything that it refers to, so ordinals are a topological order.

mod past;
mod permit;
mod waiting;

use std::collections::{BTreeMap, VecDeque};

use pistol_core::id::AuthorityId;
use pistol_core::key::AuthorId;

pub(crate) use past::Past;
pub(crate) use waiting::{Refused, Waiting};

use crate::charter::{Charter, Kind};
use crate::limits;
use crate::path::{Refusal, Standing, Unsettled, resolve};
use crate::record::{AclOp, Action, LogId, SignedOp, Subject};

/// The number of an operation in the order in which this node took them in. It never leaves the node.
pub(crate) type Ordinal = u32;

/// An operation in its log.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) signed: SignedOp,
    /// What its author stands on, by its proof.
    pub(crate) standing: Standing,
    /// Which line of its author's operations it continues, and where.
    pub(crate) branch: u32,
    pub(crate) place: u32,
    /// Bytes of that line, up to this operation and with it.
    pub(crate) bytes: u64,
    pub(crate) past: Past,
}

impl Entry {
    pub(crate) fn op(&self) -> &AclOp {
        self.signed.op()
    }
}

/// What became of an operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Held {
    /// It entered its log, and after it whatever had waited for it.
    Entered(Woken),
    /// It is here already, entered or waiting.
    Known,
    /// It waits for one of these: operations, or a genesis.
    Waiting(Vec<[u8; 32]>),
    /// It is refused, here and everywhere, and so is what had waited for it.
    Refused(Refusal, Woken),
    /// There is no room for it now: it must be asked for again.
    Owed,
}

/// What became of the operations that had waited.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Woken {
    /// Those that entered, in this order.
    pub entered: Vec<AuthorityId>,
    /// Those that are refused.
    pub refused: Vec<AuthorityId>,
    /// Those that there is no room for now.
    pub owed: Vec<AuthorityId>,
}

/// The logs that a node knows.
#[derive(Clone, Debug, Default)]
pub(crate) struct Logs {
    charters: BTreeMap<LogId, Charter>,
    entries: Vec<Entry>,
    ordinals: BTreeMap<AuthorityId, Ordinal>,
    by_log: BTreeMap<LogId, Vec<Ordinal>>,
    /// For each branch its operations.
    branches: Vec<Vec<Ordinal>>,
    by_author: BTreeMap<(LogId, AuthorId), Vec<u32>>,
    /// The grants that name somebody, in whatever log.
    by_subject: BTreeMap<Subject, Vec<Ordinal>>,
    waiting: Waiting<AuthorityId, SignedOp>,
    refused: Refused<AuthorityId>,
    /// Whether only paths are looked at: a release is proved without the log.
    ignores_past: bool,
}

impl Logs {
    /// Logs in which operations follow on nothing.
    pub(crate) fn without_past() -> Logs {
        Logs { ignores_past: true, ..Logs::default() }
    }

    /// Takes in what a genesis says; returns what became of the operations that waited for it.
    pub(crate) fn found(&mut self, charter: Charter) -> Woken {
        let log = charter.log;
        self.charters.entry(log).or_insert(charter);
        self.wake(log.as_bytes())
    }

    /// Takes in an operation, and whatever waited for it.
    pub(crate) fn hold(&mut self, signed: SignedOp) -> Held {
        self.hold_if(signed, Logs::has_room)
    }

    /// Takes in an operation on which somebody else is known to have built, however many lines its author has.
    pub(crate) fn hold_needed(&mut self, signed: SignedOp) -> Held {
        self.hold_if(signed, |_, _| true)
    }

    fn hold_if(&mut self, signed: SignedOp, has_room: impl Fn(&Logs, &SignedOp) -> bool) -> Held {
        let id = signed.id();
        if self.ordinals.contains_key(&id) || self.waiting.contains(&id) {
            return Held::Known;
        }
        if let Some(refusal) = self.refused.reason(&id) {
            return Held::Refused(refusal, Woken::default());
        }
        match self.examine(signed.op()) {
            Ok(standing) if has_room(self, &signed) => {
                self.enter(signed, standing);
                let mut woken = self.wake(id.as_bytes());
                woken.entered.insert(0, id);
                Held::Entered(woken)
            }
            Ok(_) => Held::Owed,
            Err(Unsettled::Missing(missing)) => match missing.first() {
                Some(first) if self.waiting.add(*first, id, signed) => Held::Waiting(missing),
                _ => Held::Owed,
            },
            Err(Unsettled::Refused(refusal)) => {
                self.refused.add(id, refusal);
                let mut woken = self.wake(id.as_bytes());
                woken.refused.insert(0, id);
                Held::Refused(refusal, woken)
            }
        }
    }

    /// Looks again at what waited for `id`, and at what waited for that, and so on.
    fn wake(&mut self, id: &[u8; 32]) -> Woken {
        let mut woken = Woken::default();
        let mut queue = VecDeque::from([*id]);
        while let Some(id) = queue.pop_front() {
            for signed in self.waiting.take(&id) {
                let id = signed.id();
                match self.examine(signed.op()) {
                    Ok(standing) if self.has_room(&signed) => {
                        self.enter(signed, standing);
                        woken.entered.push(id);
                        queue.push_back(id.0);
                    }
                    Ok(_) => woken.owed.push(id),
                    Err(Unsettled::Missing(missing)) => {
                        if let Some(first) = missing.first() {
                            self.waiting.add(*first, id, signed);
                        }
                    }
                    Err(Unsettled::Refused(refusal)) => {
                        self.refused.add(id, refusal);
                        woken.refused.push(id);
                        queue.push_back(id.0);
                    }
                }
            }
        }
        woken
    }

    /// Everything about an operation that is final: its past, its proof, its author's power to do such a thing.
    pub(crate) fn examine(&self, op: &AclOp) -> Result<Standing, Unsettled> {
        let charter = self.charter(&op.log)?;
        let prev = if self.ignores_past { Vec::new() } else { self.find_all(&op.prev)? };
        let is_one_log = prev.iter().filter_map(|ordinal| self.entry(*ordinal)).all(|entry| entry.op().log == op.log);
        let own = op.own_prev().and_then(|own| self.find(&own));
        let is_own = own.is_none_or(|own| own.op().author == op.author);
        // A release is proved without the log that it ends, so it follows on nothing.
        let is_bound = op.action == Action::Release && !op.prev.is_empty();
        if !is_one_log || !is_own || is_bound {
            return Err(Refusal::Past.into());
        }
        let standing = resolve(self, &op.log, &op.author, &op.proof)?;
        permit::permits(charter, &standing, op)?;
        if self.is_past_quota(charter, op, &prev) {
            return Err(Refusal::Quota.into());
        }
        Ok(standing)
    }

    /// Whether the operation's past holds as many of its author's as may be, or more bytes of them. Only who wrote that much costs
    /// a count.
    fn is_past_quota(&self, charter: &Charter, op: &AclOp, prev: &[Ordinal]) -> bool {
        let (most, most_bytes) = match charter.kind {
            Kind::Identity => (limits::AUTHOR_OPERATIONS_IN_IDENTITY_MAX, limits::AUTHOR_BYTES_IN_IDENTITY_MAX),
            Kind::Group | Kind::Space | Kind::Document => (limits::AUTHOR_OPERATIONS_MAX, limits::AUTHOR_BYTES_MAX),
        };
        let branches = self.by_author.get(&(op.log, op.author)).map_or(&[][..], Vec::as_slice);
        // Of each line so many operations, from its beginning.
        let is_too_much = |of_branch: &dyn Fn(u32) -> u32| {
            let counts = branches.iter().map(|branch| (*branch, of_branch(*branch)));
            let (count, bytes) = counts.fold((0, 0), |(count, bytes), (branch, of_it)| {
                (count + of_it as usize, self.bytes_of(branch, of_it).saturating_add(bytes))
            });
            count >= most || bytes > most_bytes
        };
        let length = |branch: u32| self.branches.get(branch as usize).map_or(0, |line| small(line.len()));
        if !is_too_much(&length) {
            return false;
        }
        let past = self.past_after(prev);
        is_too_much(&|branch| past.count(branch))
    }

    /// Bytes of the first operations of a branch.
    fn bytes_of(&self, branch: u32, count: u32) -> u64 {
        let last = count.checked_sub(1).and_then(|last| self.branches.get(branch as usize)?.get(last as usize));
        last.and_then(|last| self.entry(*last)).map_or(0, |entry| entry.bytes)
    }

    /// Whether one more line of this author's may be held: always, if others have built on it.
    pub(crate) fn has_room(&self, signed: &SignedOp) -> bool {
        let op = signed.op();
        let lines = self.by_author.get(&(op.log, op.author)).map_or(0, Vec::len);
        lines < limits::FORKS_MAX
            || self.continued(op).is_some()
            || self.waiting.waits_for(signed.id().as_bytes()).any(|other| other.op().author != op.author)
    }

    /// The branch that an operation continues, if nothing else continues it yet.
    fn continued(&self, op: &AclOp) -> Option<u32> {
        let own = self.find(&op.own_prev()?)?;
        let length = self.branches.get(own.branch as usize)?.len();
        (length == own.place as usize + 1).then_some(own.branch)
    }

    fn enter(&mut self, signed: SignedOp, standing: Standing) {
        let ordinal = small(self.entries.len());
        let op = signed.op();
        let (log, author) = (op.log, op.author);
        let prev: Vec<Ordinal> = op.prev.iter().filter_map(|id| self.ordinals.get(id).copied()).collect();
        let past = self.past_after(&prev);
        let branch = self.continued(op).unwrap_or_else(|| {
            self.branches.push(Vec::new());
            let branch = small(self.branches.len() - 1);
            self.by_author.entry((log, author)).or_default().push(branch);
            branch
        });
        let mut place = 0;
        if let Some(line) = self.branches.get_mut(branch as usize) {
            place = small(line.len());
            line.push(ordinal);
        }
        if let Action::Grant { to, .. } = &signed.op().action {
            self.by_subject.entry(*to).or_default().push(ordinal);
        }
        self.ordinals.insert(signed.id(), ordinal);
        self.by_log.entry(log).or_default().push(ordinal);
        let bytes = self.bytes_of(branch, place).saturating_add(signed.bytes().len() as u64);
        self.entries.push(Entry { signed, standing, branch, place, bytes, past });
    }

    fn past_after(&self, prev: &[Ordinal]) -> Past {
        let entries = prev.iter().filter_map(|ordinal| self.entry(*ordinal));
        Past::after(entries.map(|entry| (&entry.past, entry.branch, entry.place)))
    }

    /// What a genesis says.
    pub(crate) fn charter(&self, log: &LogId) -> Result<&Charter, Unsettled> {
        self.charters.get(log).ok_or_else(|| Unsettled::Missing(vec![log.0]))
    }

    /// The ordinals of operations that must all be here.
    pub(crate) fn find_all(&self, ids: &[AuthorityId]) -> Result<Vec<Ordinal>, Unsettled> {
        if ids.iter().any(|id| self.refused.reason(id).is_some()) {
            return Err(Refusal::Past.into());
        }
        let missing: Vec<_> = ids.iter().filter(|id| !self.ordinals.contains_key(id)).map(|id| id.0).collect();
        if !missing.is_empty() {
            return Err(Unsettled::Missing(missing));
        }
        Ok(ids.iter().filter_map(|id| self.ordinals.get(id).copied()).collect())
    }

    pub(crate) fn find(&self, id: &AuthorityId) -> Option<&Entry> {
        self.entry(*self.ordinals.get(id)?)
    }

    pub(crate) fn entry(&self, ordinal: Ordinal) -> Option<&Entry> {
        self.entries.get(ordinal as usize)
    }

    pub(crate) fn ordinal(&self, id: &AuthorityId) -> Option<Ordinal> {
        self.ordinals.get(id).copied()
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// The logs of one kind, each with its operations in order.
    pub(crate) fn of_kind(&self, kind: Kind) -> impl Iterator<Item = (&LogId, &[Ordinal])> {
        let is_kind = move |log: &LogId| self.charters.get(log).is_some_and(|charter| charter.kind == kind);
        self.by_log.iter().filter(move |(log, _)| is_kind(log)).map(|(log, entries)| (log, entries.as_slice()))
    }

    /// A log's operations in order.
    pub(crate) fn of_log(&self, log: &LogId) -> impl Iterator<Item = (Ordinal, &Entry)> {
        self.of_log_from(log, 0)
    }

    /// A log's operations in order, from one on.
    pub(crate) fn of_log_from(&self, log: &LogId, from: u32) -> impl Iterator<Item = (Ordinal, &Entry)> {
        let ordinals = self.by_log.get(log).and_then(|all| all.get(from as usize..)).unwrap_or_default();
        ordinals.iter().filter_map(|ordinal| Some((*ordinal, self.entry(*ordinal)?)))
    }

    /// The grants that name somebody, in whatever log, in order.
    pub(crate) fn naming(&self, subject: &Subject) -> &[Ordinal] {
        self.by_subject.get(subject).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn count_of(&self, log: &LogId) -> u32 {
        self.by_log.get(log).map_or(0, |ordinals| small(ordinals.len()))
    }

    /// The operation that opened a log for ever, if there is one.
    pub(crate) fn release_of(&self, log: &LogId) -> Option<Ordinal> {
        self.of_log(log).find(|(_, entry)| entry.op().action == Action::Release).map(|(ordinal, _)| ordinal)
    }
}

pub(crate) fn small(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
