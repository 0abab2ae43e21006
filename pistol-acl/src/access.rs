//! Who may change one document, as far as this node knows: the logs it depends on, and its changes.

use pistol_core::id::{AuthorityId, ChangeId, DocumentId};

use crate::accept::{Acceptance, Added, News, Summary};
use crate::charter::Charter;
use crate::log::{Held, Logs, Woken};
use crate::names::Index;
use crate::path::Refusal;
use crate::record::{SignedOp, Subject};
use crate::rulings::Rulings;

/// One document with everything that decides what of it is accepted.
///
/// Take in whatever arrives, in any order, then [`Access::settle`]; what is accepted is the same on every node that has taken
/// in the same.
#[derive(Clone, Debug)]
pub struct Access {
    pub(crate) logs: Logs,
    pub(crate) rulings: Rulings,
    pub(crate) changes: Acceptance,
    pub(crate) names: Index,
    /// What was taken in since everything was judged, if that is not enough to go on from.
    is_stale: bool,
    are_logs_stale: bool,
}

/// The state of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Part of the document.
    Accepted,
    /// Not part of the document as things stand.
    Masked,
    /// It waits for something unknown.
    Pending,
    /// Refused, here and everywhere.
    Refused(Refusal),
    /// Nobody told of it.
    Unknown,
}

/// What an operation would take away.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Loss {
    /// Accepted changes of its subject.
    pub purged: usize,
    /// Accepted changes of others, which build on them.
    pub orphaned: usize,
}

impl Access {
    /// A document of which nothing is known yet.
    pub fn new(document: DocumentId) -> Self {
        Access {
            logs: Logs::default(),
            rulings: Rulings::default(),
            changes: Acceptance::new(document),
            names: Index::default(),
            is_stale: false,
            are_logs_stale: false,
        }
    }

    /// Takes in what a genesis says: the document's, or that of a space, group or identity.
    pub fn found(&mut self, charter: Charter) -> Woken {
        let log = charter.log;
        let woken = self.logs.found(charter);
        self.stale();
        self.wake(log.0);
        woken.entered.iter().chain(&woken.refused).for_each(|id| self.wake(id.0));
        woken
    }

    /// Takes in an operation of any log.
    pub fn hold(&mut self, signed: SignedOp) -> Held {
        let held = self.logs.hold(signed);
        self.note(&held);
        held
    }

    /// Takes in an operation on which somebody else is known to have built: it is held however many its author has written
    /// beside each other.
    pub fn hold_needed(&mut self, signed: SignedOp) -> Held {
        let held = self.logs.hold_needed(signed);
        self.note(&held);
        held
    }

    /// Whether [`Access::hold`] has room for an operation that nothing else forbids.
    pub fn has_room(&self, signed: &SignedOp) -> bool {
        self.logs.has_room(signed)
    }

    fn note(&mut self, held: &Held) {
        if let Held::Entered(woken) | Held::Refused(_, woken) = held {
            if !woken.entered.is_empty() {
                self.stale();
            }
            woken.entered.iter().chain(&woken.refused).for_each(|id| self.wake(id.0));
        }
    }

    /// Takes in a change.
    pub fn add(&mut self, summary: Summary) -> Added {
        let (added, is_stale) = self.changes.add(summary, &self.logs, &self.rulings);
        self.is_stale |= is_stale;
        added
    }

    fn stale(&mut self) {
        self.is_stale = true;
        self.are_logs_stale = true;
    }

    fn wake(&mut self, id: [u8; 32]) {
        let (_, is_stale) = self.changes.wake(id, &self.logs, &self.rulings);
        self.is_stale |= is_stale;
    }

    /// Judges again what has to be. Says whether anything had to: what is accepted may then have become less.
    pub fn settle(&mut self) -> bool {
        if std::mem::take(&mut self.are_logs_stale) {
            self.rulings = Rulings::judge(&self.logs);
            self.names.follow(&self.logs);
        }
        let was_stale = std::mem::take(&mut self.is_stale);
        if was_stale {
            self.changes.sweep(&self.logs, &self.rulings);
        }
        was_stale
    }

    /// Judges everything again, whether or not anything has changed.
    pub fn judge_anew(&mut self) {
        self.stale();
        self.settle();
    }

    /// Whether what [`Access::state`] says takes everything into account; if not, [`Access::settle`] first.
    pub fn is_settled(&self) -> bool {
        !self.is_stale
    }

    /// What became of the accepted set since this was asked last; [`Access::settle`] first.
    pub fn take_news(&mut self) -> News {
        self.changes.take_news()
    }

    /// The state of a change, as of when things were last settled.
    pub fn state(&self, change: &ChangeId) -> State {
        if let Some(node) = self.node(change) {
            return if node.is_accepted() { State::Accepted } else { State::Masked };
        }
        match self.changes.refused.reason(change) {
            Some(refusal) => State::Refused(refusal),
            None if self.changes.is_waiting(change) => State::Pending,
            None => State::Unknown,
        }
    }

    /// How many changes are known that are not accepted, though all that they need is here.
    pub fn masked(&self) -> usize {
        self.changes.nodes.iter().filter(|node| !node.is_accepted()).count()
    }

    /// The accepted changes, those that others depend on first.
    pub fn accepted(&self) -> impl Iterator<Item = &ChangeId> {
        self.changes.nodes.iter().filter(|node| node.is_accepted()).map(|node| &node.id)
    }

    /// Whether an operation is in its log, and valid as things stand.
    pub fn is_valid(&self, operation: &AuthorityId) -> bool {
        self.logs.ordinal(operation).is_some_and(|ordinal| self.rulings.is_valid(ordinal))
    }

    /// The heads of a log: what the next operation there cites.
    pub fn heads(&self, log: &DocumentId) -> Vec<AuthorityId> {
        let mut heads: std::collections::BTreeSet<_> =
            self.logs.of_log(log).map(|(_, entry)| entry.signed.id()).collect();
        for (_, entry) in self.logs.of_log(log) {
            entry.op().prev.iter().for_each(|prev| {
                heads.remove(prev);
            });
        }
        heads.into_iter().collect()
    }

    /// What an operation would take away, before it is sent: an `Exact` revocation orphans what others built.
    pub fn loss(&self, operation: SignedOp, subject: &Subject) -> Loss {
        let mut before = self.clone();
        before.settle();
        let mut after = before.clone();
        after.hold(operation);
        after.settle();
        let gone = before.changes.nodes.iter().filter(|node| node.is_accepted());
        let gone = gone.filter(|node| after.state(&node.id) != State::Accepted);
        gone.fold(Loss::default(), |loss, node| {
            if before.changes.is_of(node, subject) {
                Loss { purged: loss.purged + 1, ..loss }
            } else {
                Loss { orphaned: loss.orphaned + 1, ..loss }
            }
        })
    }

    pub(crate) fn node(&self, change: &ChangeId) -> Option<&crate::accept::Node> {
        self.changes.nodes.get(self.changes.ordinals.of(change)? as usize)
    }
}
