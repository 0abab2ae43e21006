//! Judging all changes again after the logs have changed: one sweep for what is tainted, one for what is covered.

use std::collections::BTreeSet;

use super::purge::Named;
use super::{Acceptance, Place, Places};
use crate::log::{Entry, Logs, Ordinal, small};
use crate::record::Action;
use crate::rulings::{Rulings, may_vouch};

impl Acceptance {
    /// Judges every change again.
    pub(crate) fn sweep(&mut self, logs: &Logs, rulings: &Rulings) {
        self.released = logs.release_of(&self.document);
        self.place = match logs.charter(&self.document) {
            Ok(charter) => Places::new(logs, rulings).of_charter(charter),
            Err(_) => Place::Unknown,
        };
        let document = self.document;
        self.cited.iter_mut().for_each(|cited| cited.weigh(&document, logs, rulings));
        self.named = self.named(logs, rulings);
        let is_released = self.released.is_some();
        let purged = if is_released { vec![false; self.nodes.len()] } else { self.purged(logs) };
        let active: Vec<bool> = (0..self.nodes.len()).map(|at| is_released || self.is_active(at, logs)).collect();
        self.spread(&purged, &active);
    }

    fn spread(&mut self, purged: &[bool], active: &[bool]) {
        let flag = |flags: &[bool], at: usize| flags.get(at).copied().unwrap_or_default();
        let mut tainted = purged.to_vec();
        let mut covered = active.to_vec();
        for (at, node) in self.nodes.iter().enumerate() {
            let is_tainted = flag(&tainted, at) || node.deps.iter().any(|dep| flag(&tainted, *dep as usize));
            if let Some(slot) = tainted.get_mut(at) {
                *slot = is_tainted;
            }
        }
        for (at, node) in self.nodes.iter().enumerate().rev() {
            if flag(&covered, at) {
                node.deps.iter().for_each(|dep| {
                    if let Some(slot) = covered.get_mut(*dep as usize) {
                        *slot = true;
                    }
                });
            }
        }
        for (at, node) in self.nodes.iter_mut().enumerate() {
            let was_accepted = node.is_accepted();
            node.is_active = flag(active, at);
            node.is_purged = flag(purged, at);
            node.is_tainted = flag(&tainted, at);
            node.is_covered = flag(&covered, at);
            match (was_accepted, node.is_accepted()) {
                (false, true) => self.news.0.push(small(at)),
                (true, false) => self.news.1 = true,
                _ => {}
            }
        }
    }

    /// Whether a change counts by itself: by what it cites, or because an operation names it.
    fn is_active(&self, at: usize, logs: &Logs) -> bool {
        let Some(node) = self.nodes.get(at) else { return false };
        let Some(cited) = self.cited.get(node.cited as usize) else { return false };
        if cited.is_active() {
            return true;
        }
        let Some(adopting) = self.named.get(&node.id) else { return false };
        let is_spared = |by: &Ordinal| self.kept_heads(logs, *by).any(|head| *head == node.id);
        !adopting.is_empty() || !cited.revoked.is_empty() && cited.revoked.iter().all(is_spared)
    }

    /// The changes that valid operations name, each with those that adopt it: operations of Admins in the document's own
    /// log. A revocation elsewhere only says what it does not take away itself.
    fn named(&self, logs: &Logs, rulings: &Rulings) -> Named {
        let mut named = Named::new();
        for (ordinal, entry) in logs.of_log(&self.document).filter(|(ordinal, _)| rulings.is_valid(*ordinal)) {
            for head in self.adopted_heads(logs, ordinal, entry) {
                named.entry(*head).or_default().insert(ordinal);
            }
        }
        let acting: BTreeSet<Ordinal> =
            self.cited.iter().flat_map(|cited| cited.revoked.iter().chain(&cited.purges)).copied().collect();
        for head in acting.iter().flat_map(|by| self.kept_heads(logs, *by)) {
            named.entry(*head).or_default();
        }
        named
    }

    fn adopted_heads<'a>(
        &self,
        logs: &'a Logs,
        ordinal: Ordinal,
        entry: &'a Entry,
    ) -> Vec<&'a pistol_core::id::ChangeId> {
        match &entry.op().action {
            Action::Checkpoint(heads) if heads.document == self.document => heads.heads.iter().collect(),
            Action::Revoke { .. } if may_vouch(entry) => self.kept_heads(logs, ordinal).collect(),
            _ => Vec::new(),
        }
    }

    /// Covers a change and what is in its past. Each change is covered once, so this costs what it newly covers.
    pub(super) fn cover(&mut self, from: u32) {
        let mut stack = vec![from];
        while let Some(at) = stack.pop() {
            let Some(node) = self.nodes.get_mut(at as usize) else { continue };
            if !std::mem::replace(&mut node.is_covered, true) {
                stack.extend(node.deps.iter().copied());
                if node.is_accepted() {
                    self.news.0.push(at);
                }
            }
        }
    }
}
