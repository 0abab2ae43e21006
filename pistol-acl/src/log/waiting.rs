//! What waits for something unknown, by what it waits for; and what was refused.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::limits;
use crate::path::Refusal;

/// What waits, each under one id that it lacks.
#[derive(Clone, Debug)]
pub(crate) struct Waiting<I, T> {
    by_missing: BTreeMap<[u8; 32], Vec<(I, T)>>,
    ids: BTreeSet<I>,
}

impl<I, T> Default for Waiting<I, T> {
    fn default() -> Self {
        Waiting { by_missing: BTreeMap::new(), ids: BTreeSet::new() }
    }
}

impl<I: Ord + Copy, T> Waiting<I, T> {
    /// Whether something waits.
    pub(crate) fn contains(&self, id: &I) -> bool {
        self.ids.contains(id)
    }

    /// Lets something wait; not if too much does.
    pub(crate) fn add(&mut self, missing: [u8; 32], id: I, thing: T) -> bool {
        if self.ids.len() >= limits::WAITING_MAX {
            return false;
        }
        self.ids.insert(id);
        self.by_missing.entry(missing).or_default().push((id, thing));
        true
    }

    /// Takes what waited for an id.
    pub(crate) fn take(&mut self, missing: &[u8; 32]) -> Vec<T> {
        let woken = self.by_missing.remove(missing).unwrap_or_default();
        woken.iter().for_each(|(id, _)| {
            self.ids.remove(id);
        });
        woken.into_iter().map(|(_, thing)| thing).collect()
    }

    /// What waits for an id.
    pub(crate) fn waits_for(&self, missing: &[u8; 32]) -> impl Iterator<Item = &T> {
        self.by_missing.get(missing).into_iter().flatten().map(|(_, thing)| thing)
    }

    /// What something that waits lacks.
    pub(crate) fn lacks(&self, id: &I) -> Option<[u8; 32]> {
        let is_it = |list: &Vec<(I, T)>| list.iter().any(|(waiting, _)| waiting == id);
        self.by_missing.iter().find(|(_, list)| is_it(list)).map(|(missing, _)| *missing)
    }
}

/// Ids that were refused, with the reason; the oldest are forgotten, and then what builds on them waits instead.
#[derive(Clone, Debug)]
pub(crate) struct Refused<I> {
    reasons: BTreeMap<I, Refusal>,
    order: VecDeque<I>,
}

impl<I> Default for Refused<I> {
    fn default() -> Self {
        Refused { reasons: BTreeMap::new(), order: VecDeque::new() }
    }
}

impl<I: Ord + Copy> Refused<I> {
    pub(crate) fn reason(&self, id: &I) -> Option<Refusal> {
        self.reasons.get(id).copied()
    }

    pub(crate) fn add(&mut self, id: I, reason: Refusal) {
        if self.reasons.insert(id, reason).is_none() {
            self.order.push_back(id);
        }
        if self.order.len() > limits::REFUSED_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.reasons.remove(&oldest);
        }
    }
}
