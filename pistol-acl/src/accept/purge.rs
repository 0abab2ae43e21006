//! What `Exact` revocations purge: changes of their subject outside the past of the heads that they keep.
//!
//! Revocations are taken 64 at a time, a bit each, so that a thousand cost 16 sweeps and not a thousand.

use std::collections::{BTreeMap, BTreeSet};

use pistol_core::id::ChangeId;

use super::{Acceptance, Node};
use crate::log::{Logs, Ordinal};
use crate::record::Action;

impl Acceptance {
    /// For each change whether it is purged.
    pub(super) fn purged(&self, logs: &Logs) -> Vec<bool> {
        let mut purged = vec![false; self.nodes.len()];
        let all: BTreeSet<Ordinal> = self.cited.iter().flat_map(|cited| cited.purges.iter().copied()).collect();
        let all: Vec<Ordinal> = all.into_iter().collect();
        for batch in all.chunks(64) {
            let kept = self.kept(logs, batch);
            let masks: Vec<u64> = self.cited.iter().map(|cited| mask(batch, &cited.purges)).collect();
            for ((node, kept), is_purged) in self.nodes.iter().zip(kept).zip(&mut purged) {
                let acting = masks.get(node.cited as usize).copied().unwrap_or_default();
                *is_purged |= acting & !kept != 0;
            }
        }
        purged
    }

    /// For each change, a bit for each revocation that keeps it.
    fn kept(&self, logs: &Logs, batch: &[Ordinal]) -> Vec<u64> {
        let mut kept = vec![0u64; self.nodes.len()];
        for (bit, by) in batch.iter().enumerate() {
            for node in self.kept_heads(logs, *by).filter_map(|head| self.ordinals.of(head)) {
                if let Some(kept) = kept.get_mut(node as usize) {
                    *kept |= 1 << bit;
                }
            }
        }
        spread(&self.nodes, &mut kept);
        kept
    }

    /// The heads of this document that a revocation keeps.
    pub(super) fn kept_heads<'a>(&self, logs: &'a Logs, by: Ordinal) -> impl Iterator<Item = &'a ChangeId> {
        let keep = match logs.entry(by).map(|entry| &entry.op().action) {
            Some(Action::Revoke { keep, .. }) => Some(keep),
            _ => None,
        };
        let document = self.document;
        let heads = keep.into_iter().flat_map(|keep| &keep.changes);
        heads.filter(move |heads| heads.document == document).flat_map(|heads| &heads.heads)
    }
}

/// Gives what each change has to everything in its past. Changes come after their dependencies.
fn spread(nodes: &[Node], bits: &mut [u64]) {
    for (at, node) in nodes.iter().enumerate().rev() {
        let own = bits.get(at).copied().unwrap_or_default();
        if own == 0 {
            continue;
        }
        for dep in &node.deps {
            if let Some(bits) = bits.get_mut(*dep as usize) {
                *bits |= own;
            }
        }
    }
}

fn mask(batch: &[Ordinal], purges: &[Ordinal]) -> u64 {
    let bit = |(bit, by): (usize, &Ordinal)| u64::from(purges.binary_search(by).is_ok()) << bit;
    batch.iter().enumerate().map(bit).fold(0, |mask, bit| mask | bit)
}

/// Which changes operations name, for a document.
pub(super) type Named = BTreeMap<ChangeId, BTreeSet<Ordinal>>;

impl Acceptance {
    /// Whether a revocation keeps a change: the change is among the heads it keeps, or in the past of one.
    pub(crate) fn keeps(&self, logs: &Logs, by: Ordinal, node: &Node) -> bool {
        let kept = self.kept(logs, &[by]);
        let at = self.ordinals.of(&node.id).and_then(|at| kept.get(at as usize));
        at.is_some_and(|bits| *bits != 0)
    }
}
