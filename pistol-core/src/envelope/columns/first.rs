//! With which number each run begins, as far as references tell: each names an earlier operation, and one that names the
//! operation just before it tells all.

use std::collections::BTreeMap;

use crate::change::{Change, Op, Place, Reference};
use crate::id::ChangeId;

/// The least numbers that the first operations of runs can have.
pub(super) struct First {
    /// Of each run: the number, and how many of its operations came.
    runs: Vec<(u32, u32)>,
    /// Of each change its run, and how many operations of that came up to it.
    ends: BTreeMap<ChangeId, (usize, u32)>,
}

impl First {
    pub(super) fn new(befores: &[Option<ChangeId>]) -> Self {
        let ends = befores.iter().enumerate().filter_map(|(run, before)| Some(((*before)?, (run, 0))));
        First { runs: vec![(0, 0); befores.len()], ends: ends.collect() }
    }

    /// The numbers, in the order of the runs.
    pub(super) fn numbers(&self) -> impl Iterator<Item = u32> + '_ {
        self.runs.iter().map(|(first, _)| *first)
    }

    /// Takes in the next change of a run.
    pub(super) fn add(&mut self, run: usize, change: &Change, id: ChangeId) {
        for op in &change.ops {
            let passed = self.runs.get(run).map_or(0, |(_, passed)| *passed);
            for reference in elements(op) {
                match reference {
                    Reference::Own(number) => self.note(run, number, passed),
                    Reference::Entry(entry, number) => {
                        let end = usize::try_from(entry).ok().and_then(|entry| self.ends.get(change.table.get(entry)?));
                        if let Some((other, passed)) = end.copied() {
                            self.note(other, number, passed);
                        }
                    }
                    Reference::Skeleton(_) => {}
                }
            }
            if let Some((_, passed)) = self.runs.get_mut(run) {
                *passed = passed.saturating_add(1);
            }
        }
        // One run alone has no paths of others inside.
        if self.runs.len() > 1 {
            let passed = self.runs.get(run).map_or(0, |(_, passed)| *passed);
            self.ends.insert(id, (run, passed));
        }
    }

    /// Notes that an operation with this number came before so many of a run's had passed.
    fn note(&mut self, run: usize, number: u32, passed: u32) {
        if let Some((first, _)) = self.runs.get_mut(run) {
            *first = number.saturating_add(1).saturating_sub(passed).max(*first);
        }
    }
}

/// Its object and element.
fn elements(op: &Op) -> impl Iterator<Item = Reference> {
    let element = match op.place {
        Place::After(element) => element,
        Place::At(element) => Some(element),
        Place::Key(_) => None,
    };
    op.object.into_iter().chain(element)
}
