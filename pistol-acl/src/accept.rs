//! The accepted set of one document: a pure function of what its genesis says, the operations of all logs it depends on,
//! and its changes.
//!
//! A change is *covered* if something active has it in its past, and *tainted* if something purged is in its own past.
//! Accepted is what is covered and not tainted. Both spread along dependencies only, so a change that arrives costs its
//! dependencies, and what it covers for the first time; a change of the logs costs two sweeps over the document.

mod cited;
mod news;
mod place;
mod purge;
mod sweep;

use std::collections::{BTreeMap, BTreeSet};

use pistol_core::envelope::Linked;
use pistol_core::id::{AuthorityId, ChangeId, DocumentId};
use pistol_core::key::AuthorId;
use pistol_core::validate::Ordinals;

pub(crate) use cited::{Basis, Cited};
pub use news::News;
pub use place::{Addition, Place, Places};

use crate::log::{Logs, Ordinal, Refused, Waiting, small};
use crate::path::{Refusal, Standing, Unsettled};
use crate::record::Subject;
use crate::rulings::Rulings;

/// What the judge needs to know of a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// The change.
    pub id: ChangeId,
    /// Who signed it.
    pub author: AuthorId,
    /// What it depends on.
    pub deps: Vec<ChangeId>,
    /// What it cites as authority.
    pub authority: Vec<AuthorityId>,
}

impl Summary {
    /// What the judge needs to know of a change.
    pub fn of(change: &Linked) -> Summary {
        let (id, change) = (change.id(), change.change());
        Summary { id, author: change.author, deps: change.deps.clone(), authority: change.authority.clone() }
    }
}

/// What became of a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Added {
    /// It is known with all its past, and so is what had waited for it; in this order.
    Ready(Vec<ChangeId>),
    /// It is here already.
    Known,
    /// It waits for one of these: changes, operations, or a genesis.
    Waiting(Vec<[u8; 32]>),
    /// It is refused, here and everywhere.
    Refused(Refusal),
    /// There is no room for it now: it must be asked for again.
    Owed,
}

/// A change whose past is known.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) id: ChangeId,
    pub(crate) author: AuthorId,
    pub(crate) deps: Vec<u32>,
    pub(crate) cited: u32,
    pub(crate) is_active: bool,
    pub(crate) is_purged: bool,
    pub(crate) is_covered: bool,
    pub(crate) is_tainted: bool,
}

impl Node {
    pub(crate) fn is_accepted(&self) -> bool {
        self.is_covered && !self.is_tainted
    }
}

/// The changes of one document, and which of them are accepted.
#[derive(Clone, Debug)]
pub(crate) struct Acceptance {
    pub(crate) document: DocumentId,
    pub(crate) nodes: Vec<Node>,
    pub(crate) ordinals: Ordinals,
    pub(crate) cited: Vec<Cited>,
    cited_by: BTreeMap<AuthorId, BTreeMap<Vec<AuthorityId>, u32>>,
    waiting: Waiting<ChangeId, Summary>,
    pub(crate) refused: Refused<ChangeId>,
    /// Changes that an operation names, with the operations that adopt them outright.
    pub(crate) named: BTreeMap<ChangeId, BTreeSet<Ordinal>>,
    pub(crate) place: Place,
    pub(crate) released: Option<Ordinal>,
    /// Changes that came to be accepted, and whether others ceased to be, since that was asked.
    news: (Vec<u32>, bool),
}

impl Acceptance {
    pub(crate) fn new(document: DocumentId) -> Self {
        Acceptance {
            document,
            nodes: Vec::new(),
            ordinals: Ordinals::default(),
            cited: Vec::new(),
            cited_by: BTreeMap::new(),
            waiting: Waiting::default(),
            refused: Refused::default(),
            named: BTreeMap::new(),
            place: Place::Unknown,
            released: None,
            news: (Vec::new(), false),
        }
    }

    /// Takes in a change and what waited for it. Says `true` if everything must be swept again to know what is accepted.
    pub(crate) fn add(&mut self, summary: Summary, logs: &Logs, rulings: &Rulings) -> (Added, bool) {
        let id = summary.id;
        if self.ordinals.of(&id).is_some() || self.waiting.contains(&id) {
            return (Added::Known, false);
        }
        if let Some(refusal) = self.refused.reason(&id) {
            return (Added::Refused(refusal), false);
        }
        match self.examine(&summary, logs) {
            Ok(basis) => {
                let mut is_stale = self.enter(summary, basis, logs, rulings);
                let (mut ready, woken_stale) = self.wake(id.0, logs, rulings);
                is_stale |= woken_stale;
                ready.insert(0, id);
                (Added::Ready(ready), is_stale)
            }
            Err(Unsettled::Missing(missing)) => match missing.first() {
                Some(first) if self.waiting.add(*first, id, summary) => (Added::Waiting(missing), false),
                _ => (Added::Owed, false),
            },
            Err(Unsettled::Refused(refusal)) => {
                self.refused.add(id, refusal);
                self.wake(id.0, logs, rulings);
                (Added::Refused(refusal), false)
            }
        }
    }

    /// Looks again at what waited for an id, and at what waited for that, and so on.
    pub(crate) fn wake(&mut self, id: [u8; 32], logs: &Logs, rulings: &Rulings) -> (Vec<ChangeId>, bool) {
        let (mut ready, mut is_stale) = (Vec::new(), false);
        let mut queue = std::collections::VecDeque::from([id]);
        while let Some(missing) = queue.pop_front() {
            for summary in self.waiting.take(&missing) {
                let id = summary.id;
                match self.examine(&summary, logs) {
                    Ok(basis) => {
                        is_stale |= self.enter(summary, basis, logs, rulings);
                        ready.push(id);
                        queue.push_back(id.0);
                    }
                    Err(Unsettled::Missing(missing)) => {
                        if let Some(first) = missing.first() {
                            self.waiting.add(*first, id, summary);
                        }
                    }
                    Err(Unsettled::Refused(refusal)) => {
                        self.refused.add(id, refusal);
                        queue.push_back(id.0);
                    }
                }
            }
        }
        (ready, is_stale)
    }

    /// Everything about a change that is final. What is missing or refused is found for all dependencies.
    pub(crate) fn examine(&self, summary: &Summary, logs: &Logs) -> Result<Option<Basis>, Unsettled> {
        if summary.deps.iter().any(|dep| self.refused.reason(dep).is_some()) {
            return Err(Refusal::Past.into());
        }
        let unknown = summary.deps.iter().filter(|dep| self.ordinals.of(dep).is_none());
        let missing: Vec<_> = unknown.map(|dep| dep.0).collect();
        if !missing.is_empty() {
            return Err(Unsettled::Missing(missing));
        }
        if self.cited_ordinal(summary).is_some() {
            return Ok(None);
        }
        Basis::of(logs, &self.document, &summary.author, &summary.authority).map(Some)
    }

    fn cited_ordinal(&self, summary: &Summary) -> Option<u32> {
        self.cited_by.get(&summary.author)?.get(summary.authority.as_slice()).copied()
    }

    /// The fast path: without a change of the logs, a change costs its dependencies and what it covers first.
    fn enter(&mut self, summary: Summary, basis: Option<Basis>, logs: &Logs, rulings: &Rulings) -> bool {
        let (cited, mut is_stale) = match (self.cited_ordinal(&summary), basis) {
            (Some(cited), _) => (cited, false),
            (None, basis) => self.cite(basis.unwrap_or(Basis::Release), &summary, logs, rulings),
        };
        let deps: Vec<u32> = summary.deps.iter().filter_map(|dep| self.ordinals.of(dep)).collect();
        let tainted = |dep: &u32| self.nodes.get(*dep as usize).is_some_and(|dep| dep.is_tainted);
        let (is_active, is_purged) = self.cited.get(cited as usize).map_or((false, false), |cited| {
            (cited.is_active() || self.released.is_some(), !cited.purges.is_empty() && self.released.is_none())
        });
        let is_tainted = is_purged || deps.iter().any(tainted);
        let ordinal = small(self.nodes.len());
        let id = summary.id;
        self.nodes.push(Node {
            id,
            author: summary.author,
            deps,
            cited,
            is_active,
            is_purged,
            is_covered: false,
            is_tainted,
        });
        self.ordinals.insert(id, ordinal);
        if is_active {
            self.cover(ordinal);
        }
        is_stale |= self.named.contains_key(&id);
        is_stale
    }

    /// Weighs a path that no change has cited before. What the revocations that act on it keep may be here already.
    fn cite(&mut self, basis: Basis, summary: &Summary, logs: &Logs, rulings: &Rulings) -> (u32, bool) {
        let cited = Cited::new(basis, summary.author, &self.document, logs, rulings);
        let acting = || cited.revoked.iter().chain(&cited.purges);
        let kept: Vec<ChangeId> = acting().flat_map(|by| self.kept_heads(logs, *by)).copied().collect();
        let is_stale = kept.iter().any(|head| self.ordinals.of(head).is_some());
        kept.into_iter().for_each(|head| {
            self.named.entry(head).or_default();
        });
        let ordinal = small(self.cited.len());
        self.cited.push(cited);
        self.cited_by.entry(summary.author).or_default().insert(summary.authority.clone(), ordinal);
        (ordinal, is_stale)
    }
}

impl Acceptance {
    pub(crate) fn is_waiting(&self, change: &ChangeId) -> bool {
        self.waiting.contains(change)
    }

    /// What a change that waits lacks first.
    pub(crate) fn lacks(&self, change: &ChangeId) -> Option<[u8; 32]> {
        self.waiting.lacks(change)
    }

    /// Whether a change's path names somebody.
    pub(crate) fn is_of(&self, node: &Node, subject: &Subject) -> bool {
        let names = |standing: &Standing| standing.namings.iter().any(|naming| naming.subject == *subject);
        *subject == Subject::Key(node.author)
            || self.cited.get(node.cited as usize).is_some_and(|cited| match &cited.basis {
                Basis::Standing(standing) => names(standing),
                Basis::Release => false,
            })
    }
}
