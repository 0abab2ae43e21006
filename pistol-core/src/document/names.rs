//! What the projection calls each stretch of a chain.
//!
//! A chain without forks is one Automerge actor. At a fork every way on, whichever came first, gets an actor of its own:
//! the actor before the fork, followed by the id of the first change after it. As the name before stays the prefix,
//! comparison with every other actor stays as it was, and with it the order of elements and the winners of conflicts.

use std::collections::{BTreeMap, BTreeSet};

use automerge::ActorId;

use crate::chain::ChainId;
use crate::hash::{Context, hash};
use crate::validate::{Branch, History, Ordinal, Spot};

/// A stretch of a branch with one actor.
#[derive(Clone, Debug)]
struct Segment {
    first_seq: u64,
    /// Number of its first operation along the chain.
    first: u32,
    actor: ActorId,
}

/// The actors of a document.
#[derive(Clone, Debug, Default)]
pub(super) struct Names {
    /// Of each branch, in order.
    segments: Vec<Vec<Segment>>,
    /// Of each actor its branch, and the first place there.
    of_actors: BTreeMap<ActorId, (u32, u64)>,
}

impl Names {
    /// Names everything that the history holds.
    pub(super) fn of(history: &History) -> Self {
        let mut names = Names::default();
        let cuts = cuts(history);
        for (index, branch) in (0..).zip(history.branches()) {
            names.name(history, index, branch, cuts.get(&index));
        }
        names
    }

    /// Names a branch that is new and makes no fork.
    pub(super) fn add_branch(&mut self, history: &History, index: u32) {
        if let Some(branch) = history.branch(index).filter(|_| self.segments.len() == as_index(index)) {
            self.name(history, index, branch, None);
        }
    }

    pub(super) fn knows(&self, branch: u32) -> bool {
        as_index(branch) < self.segments.len()
    }

    fn name(&mut self, history: &History, index: u32, branch: &Branch, cuts: Option<&BTreeSet<u64>>) {
        let mut segments: Vec<Segment> = Vec::new();
        let starts = std::iter::once(branch.first_seq()).chain(cuts.into_iter().flatten().copied());
        for first_seq in starts {
            let Some(ordinal) = branch.at(first_seq).or_else(|| branch.changes().first().copied()) else {
                continue;
            };
            let first = history.numbers(ordinal).map_or(0, |(first, _)| first);
            let actor = match segments.last() {
                Some(before) => extended(&before.actor, history, ordinal),
                None => self.first_actor(history, branch, ordinal),
            };
            self.of_actors.insert(actor.clone(), (index, first_seq));
            segments.push(Segment { first_seq, first, actor });
        }
        self.segments.push(segments);
    }

    fn first_actor(&self, history: &History, branch: &Branch, ordinal: Ordinal) -> ActorId {
        let document = history.genesis().id();
        let Some(chain) = branch.chain() else {
            return ActorId::from(hash(Context::Actor, &[document.as_bytes()]).to_vec());
        };
        let root = || root_actor(history, &chain);
        if let Some(parent) = branch.parent() {
            let before = history.branch_index(parent).zip(history.seq(parent));
            let before = before.and_then(|(branch, seq)| self.at_seq(branch, seq)).cloned();
            extended(&before.unwrap_or_else(root), history, ordinal)
        } else {
            let is_root = |index: &&u32| history.branch(**index).is_some_and(|branch| branch.parent().is_none());
            let roots = history.branches_of(&chain).iter().filter(is_root).count();
            if roots > 1 { extended(&root(), history, ordinal) } else { root() }
        }
    }

    /// The actor of a place in a branch.
    pub(super) fn at_seq(&self, branch: u32, seq: u64) -> Option<&ActorId> {
        self.segment(branch, |segment| segment.first_seq <= seq).map(|segment| &segment.actor)
    }

    /// The actor that a chain's next change will have; `None` if the chain forked, since then it must not go on.
    pub(super) fn next_actor(&self, history: &History, chain: &ChainId) -> Option<ActorId> {
        match history.branches_of(chain) {
            [] => Some(root_actor(history, chain)),
            [branch] => self.at_seq(*branch, u64::MAX).cloned(),
            _ => None,
        }
    }

    /// Automerge's sequence number of a place in a branch: it counts within the actor.
    pub(super) fn automerge_seq(&self, branch: u32, seq: u64) -> Option<u64> {
        self.segment(branch, |segment| segment.first_seq <= seq).map(|segment| seq - segment.first_seq + 1)
    }

    /// The actor of an operation.
    pub(super) fn actor(&self, spot: Spot) -> Option<&ActorId> {
        self.segment(spot.branch, |segment| segment.first <= spot.number).map(|segment| &segment.actor)
    }

    /// The change that has a sequence number of Automerge's under an actor.
    pub(super) fn ordinal(&self, history: &History, actor: &ActorId, automerge_seq: u64) -> Option<Ordinal> {
        let (branch, first_seq) = self.of_actors.get(actor).copied()?;
        history.branch(branch)?.at(first_seq.checked_add(automerge_seq.checked_sub(1)?)?)
    }

    /// The operation that Automerge calls by a counter and an actor.
    pub(super) fn spot(&self, history: &History, counter: u64, actor: &ActorId) -> Option<Spot> {
        let branch = self.branch(actor)?;
        let number = history.branch(branch)?.number(u32::try_from(counter).ok()?)?;
        Some(Spot { branch, number })
    }

    /// The branch of an actor.
    pub(super) fn branch(&self, actor: &ActorId) -> Option<u32> {
        self.of_actors.get(actor).map(|(branch, _)| *branch)
    }

    fn segment(&self, branch: u32, is_before: impl Fn(&Segment) -> bool) -> Option<&Segment> {
        let segments = self.segments.get(as_index(branch))?;
        segments.get(segments.partition_point(is_before).checked_sub(1)?)
    }
}

fn root_actor(history: &History, chain: &ChainId) -> ActorId {
    let root = chain.root(&history.genesis().id());
    ActorId::from(hash(Context::Actor, &[root.as_bytes()]).to_vec())
}

fn as_index(branch: u32) -> usize {
    usize::try_from(branch).unwrap_or(usize::MAX)
}

/// Forks after each other that a name spells out. Deeper ones are folded into its last part, or a chain that forks again
/// and again would have names of any length; only among themselves may such branches then change their order.
const FORKS_SPELLED: usize = 16;

fn extended(actor: &ActorId, history: &History, first: Ordinal) -> ActorId {
    let id = history.id(first).map(|id| id.0).unwrap_or_default();
    match actor.to_bytes().split_last_chunk::<32>() {
        Some((before, last)) if before.len() >= 32 * FORKS_SPELLED => {
            ActorId::from([before, &hash(Context::Actor, &[last, &id])].concat())
        }
        _ => ActorId::from([actor.to_bytes(), &id].concat()),
    }
}

/// Of each branch the places where it goes on after a fork.
fn cuts(history: &History) -> BTreeMap<u32, BTreeSet<u64>> {
    let mut cuts: BTreeMap<u32, BTreeSet<u64>> = BTreeMap::new();
    for parent in history.branches().iter().filter_map(Branch::parent) {
        if let Some((branch, seq)) = history.branch_index(parent).zip(history.seq(parent)) {
            cuts.entry(branch).or_default().insert(seq + 1);
        }
    }
    cuts
}
