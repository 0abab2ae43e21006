//! Which change came before each run, as far as the changes tell: a chain's next change depends on its last one.

use std::collections::BTreeSet;

use crate::envelope::{Entry, Run};
use crate::id::ChangeId;

/// Written where it cannot be told.
const UNKNOWN: ChangeId = ChangeId([0; 32]);

/// The change before each run; none where a chain begins.
pub(super) fn befores(runs: &[Run], changes: &[Entry]) -> Vec<Option<ChangeId>> {
    let mut firsts: Vec<&[ChangeId]> = vec![&[]; runs.len()];
    for entry in changes.iter().rev() {
        if let Some(first) = firsts.get_mut(entry.run) {
            *first = &entry.change.deps;
        }
    }
    let mut outside: BTreeSet<ChangeId> = firsts.iter().copied().flatten().copied().collect();
    for entry in changes {
        outside.remove(&entry.id);
    }
    let before = |(run, deps): (&Run, &[ChangeId])| {
        if run.first_seq == 1 {
            return None;
        }
        // One that is taken is no other run's.
        let dep = deps.iter().find(|dep| outside.remove(*dep));
        Some(dep.copied().unwrap_or(UNKNOWN))
    };
    // Backwards: a run that begins late depends on less outside, and so leaves the earlier ones no choice.
    let mut befores: Vec<_> = runs.iter().zip(firsts).rev().map(before).collect();
    befores.reverse();
    befores
}
