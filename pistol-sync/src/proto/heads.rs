//! Comparing what two nodes hold, from where their chains end.

mod comparison;

use std::collections::{BTreeMap, BTreeSet};

use pistol_core::chain::ChainId;
use pistol_core::id::{Link, Session};
use pistol_core::validate::{Branch, History, Ordinal};

pub use comparison::{Comparison, HeadsError};

use super::message::{Head, Heads};
use crate::limits;

/// Where every branch of every chain ends, sorted, as of the first `end` changes.
///
/// No other branch goes on from an end: it would have joined that branch instead.
pub fn heads_of(history: &History, end: Ordinal) -> Vec<Head> {
    let head = |branch: &Branch| {
        let chain = branch.chain()?;
        let last = last_before(branch, end)?;
        let (seq, link) = (history.seq(last)?, history.link(last)?);
        Some(Head { author: *chain.author.as_bytes(), session: chain.session.0, seq, link: link.0 })
    };
    let mut heads: Vec<Head> = history.branches().iter().filter_map(head).collect();
    heads.sort_unstable();
    heads
}

/// The last of a branch's changes that is among the first `end` of all.
fn last_before(branch: &Branch, end: Ordinal) -> Option<Ordinal> {
    let count = branch.changes().partition_point(|ordinal| *ordinal < end);
    branch.changes().get(count.checked_sub(1)?).copied()
}

/// The ends that come after one, as many as one message holds.
pub fn part(ends: &[Head], after: Option<Head>) -> Heads {
    let begin = after.map_or(0, |after| ends.partition_point(|head| *head <= after));
    let rest = ends.get(begin..).unwrap_or_default();
    let first: Vec<Head> = rest.iter().copied().take(limits::HEADS_MAX).collect();
    Heads { after, has_more: first.len() < rest.len(), ends: first }
}

/// The digest of everything accepted: equal digests, equal documents.
pub fn digest(heads: &[Head]) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new_derive_key("pistol digest v1");
    for head in heads {
        hasher.update(&head.author);
        hasher.update(&head.session.to_le_bytes());
        hasher.update(&head.seq.to_le_bytes());
        hasher.update(&head.link);
    }
    *hasher.finalize().as_bytes()
}

/// The digest of everything accepted in a document with members: of its changes, and of the heads of its log, ascending.
pub fn digest_with_log(of_changes: [u8; 32], heads: impl Iterator<Item = [u8; 32]>) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new_derive_key("pistol digest with log v1");
    hasher.update(&of_changes);
    for head in heads {
        hasher.update(&head);
    }
    *hasher.finalize().as_bytes()
}

/// A chain as a peer names it: the author may be no key at all. Thousands are named at once, so none is parsed.
type ChainName = ([u8; 32], u64);

fn name(chain: &ChainId) -> ChainName {
    (*chain.author.as_bytes(), chain.session.0)
}

/// What a peer is known to hold: of each branch, everything up to a place.
#[derive(Clone, Debug, Default)]
pub struct Held {
    /// Last place held, by branch.
    up_to: BTreeMap<u32, u64>,
    /// Chains that fork: it is not known yet where the peer's branch parts from ours.
    forked: BTreeSet<ChainName>,
    /// Chains of which the peer holds something that is not here, and does so after all of ours as far as is known.
    ahead: BTreeSet<ChainName>,
}

/// The change that a head names, if it is here.
pub fn find_head(history: &History, head: &Head) -> Option<Ordinal> {
    let chain = history.chain_of(&head.author, Session(head.session))?;
    find(history, &chain, head.seq, Link(head.link))
}

/// The change at a place of a chain that has this link.
pub fn find(history: &History, chain: &ChainId, seq: u64, link: Link) -> Option<Ordinal> {
    let of = history.branches_of(chain).iter().filter_map(|index| history.branch(*index));
    of.filter_map(|branch| branch.at(seq)).find(|ordinal| history.link(*ordinal) == Some(link))
}

/// Places of a chain's branches to find a common one by, as of the first `end` changes: from each end backwards, ever
/// further apart.
pub fn samples(history: &History, chain: &ChainId, end: Ordinal) -> Vec<(u64, [u8; 32])> {
    let mut samples = Vec::new();
    for index in history.branches_of(chain) {
        let mut tip = history.branch(*index).and_then(|branch| last_before(branch, end));
        let mut step = 1;
        while let Some(ordinal) = tip.filter(|_| samples.len() < limits::SAMPLES_MAX) {
            let Some((seq, link)) = history.seq(ordinal).zip(history.link(ordinal)) else { break };
            samples.push((seq, link.0));
            tip = before(history, ordinal, step);
            step *= 2;
        }
    }
    samples.dedup();
    samples
}

/// The change `steps` places before another on its path.
fn before(history: &History, ordinal: Ordinal, steps: u64) -> Option<Ordinal> {
    let target = history.seq(ordinal)?.checked_sub(steps).filter(|seq| *seq > 0)?;
    let mut branch = history.branch(history.branch_index(ordinal)?)?;
    while branch.first_seq() > target {
        branch = history.branch(history.branch_index(branch.parent()?)?)?;
    }
    branch.at(target)
}

impl Held {
    /// Adds everything on the path of a chain up to a change.
    pub fn add_path(&mut self, history: &History, ordinal: Ordinal) {
        let mut tip = Some(ordinal);
        while let Some((branch, seq)) = tip.and_then(|tip| history.branch_index(tip).zip(history.seq(tip))) {
            let up_to = self.up_to.entry(branch).or_insert(0);
            *up_to = seq.max(*up_to);
            tip = history.branch(branch).and_then(Branch::parent);
        }
    }

    /// Notes that a change that the peer told of as the end of a chain is now here.
    pub fn found(&mut self, history: &History, head: &Head, ordinal: Ordinal) {
        self.is_clear(&(head.author, head.session));
        self.add_path(history, ordinal);
    }

    fn is_clear(&mut self, chain: &ChainName) {
        self.forked.remove(chain);
        self.ahead.remove(chain);
    }

    /// Whether the peer holds a change.
    pub fn holds(&self, history: &History, ordinal: Ordinal) -> bool {
        let place = history.branch_index(ordinal).zip(history.seq(ordinal));
        place.is_some_and(|(branch, seq)| self.up_to.get(&branch).is_some_and(|up_to| seq <= *up_to))
    }

    /// Whether it is not known yet if the peer needs a change that is new here.
    pub fn is_unclear(&self, history: &History, ordinal: Ordinal) -> bool {
        let branch = history.branch_index(ordinal).and_then(|index| history.branch(index));
        let chain = branch.and_then(Branch::chain);
        !self.forked.is_empty() || chain.is_some_and(|chain| self.ahead.contains(&name(&chain)))
    }

    /// Notes where a peer's branch parts from ours, if one of its samples is known here.
    pub fn locate(&mut self, history: &History, chain: &ChainId, samples: &[(u64, [u8; 32])]) {
        self.is_clear(&name(chain));
        for (seq, link) in samples {
            if let Some(ordinal) = find(history, chain, *seq, Link(*link)) {
                self.add_path(history, ordinal);
            }
        }
    }

    /// The changes of a branch after the last that the peer holds.
    fn beyond<'a>(&self, history: &'a History, index: u32) -> impl Iterator<Item = Ordinal> + 'a {
        let held = self.up_to.get(&index).copied().unwrap_or(0);
        let branch = history.branch(index);
        let skip = branch.map_or(0, |branch| (held + 1).saturating_sub(branch.first_seq()));
        let changes = branch.map(Branch::changes).unwrap_or_default();
        changes.iter().copied().skip(usize::try_from(skip).unwrap_or(usize::MAX))
    }

    /// The numbers of the changes that the peer lacks, in order. Where the peer is ahead it holds the rest of the chain,
    /// as far as is known. What comes after a fork that is looked into waits for the answer: it may depend on it.
    pub fn lacking(&self, history: &History) -> Vec<Ordinal> {
        let mut lacking = Vec::new();
        let mut end = Ordinal::MAX;
        for (index, branch) in (0..).zip(history.branches()) {
            let Some(chain) = branch.chain() else { continue };
            let chain = name(&chain);
            if self.forked.contains(&chain) {
                end = self.beyond(history, index).next().map_or(end, |first| first.min(end));
            } else if !self.ahead.contains(&chain) {
                lacking.extend(self.beyond(history, index));
            }
        }
        lacking.retain(|ordinal| *ordinal < end);
        lacking.sort_unstable();
        lacking
    }
}
