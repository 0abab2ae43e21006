//! How the operations of an envelope name paths of other chains: by the run that the path is seen in, so that a name stays
//! the same from change to change; and how far each change has seen each run.

use std::collections::BTreeMap;

use super::cursor::Hand;
use crate::change::{Op, Place, Reference};
use crate::codec::Malformed;
use crate::id::ChangeId;
use crate::limits;

/// A path is written as an entry of a table is: there are as many numbers.
pub(super) const PATHS_MAX: u32 = 1024;
const _: () = assert!(PATHS_MAX as usize == limits::REFERENCES_MAX);

/// What every change of the envelope has seen of every run, and the paths outside that were named.
#[derive(Default)]
pub(super) struct Paths {
    /// For each run, one more than the index of the change before it, which every change is taken to have seen.
    before: Vec<u32>,
    /// Of each change its run and, for each run, one more than the index of the last change seen, itself included.
    seen: Vec<(usize, Vec<u32>)>,
    /// The last changes of paths that none of the envelope's runs continued.
    outside: Vec<ChangeId>,
    numbers: BTreeMap<ChangeId, u32>,
}

impl Paths {
    /// The changes before the runs, where there are any, have the first indices.
    pub(super) fn new(befores: &[Option<ChangeId>]) -> Self {
        let before = |(one_more, before): (u32, &Option<ChangeId>)| before.map_or(0, |_| one_more);
        let seen = (0..befores.len()).map(|run| (run, Vec::new())).collect();
        Paths { before: (1..).zip(befores).map(before).collect(), seen, ..Paths::default() }
    }

    /// What a change that depends on these has seen.
    pub(super) fn seen(&self, deps: &[usize]) -> Vec<u32> {
        let mut seen = self.before.clone();
        for dep in deps {
            let Some((run, by_dep)) = self.seen.get(*dep) else { continue };
            let is_new = seen.get(*run).is_some_and(|last| *last as usize <= *dep);
            for (one, other) in seen.iter_mut().zip(by_dep).filter(|_| is_new) {
                *one = (*other).max(*one);
            }
        }
        seen
    }

    /// Adds the next change of a run.
    pub(super) fn add(&mut self, run: usize, mut seen: Vec<u32>) {
        if let Some(own) = seen.get_mut(run) {
            *own = u32::try_from(self.seen.len() + 1).unwrap_or(u32::MAX);
        }
        self.seen.push((run, seen));
    }

    /// The number of the path that ends with a change of the envelope, if nothing later of it was seen.
    pub(super) fn inside(&self, index: usize, seen: &[u32]) -> Option<u32> {
        let (run, _) = self.seen.get(index)?;
        let is_last = seen.get(*run).is_some_and(|last| *last as usize == index + 1);
        u32::try_from(*run).ok().filter(|_| is_last)
    }

    /// The number of the path that ends with a change outside, if it was named before.
    pub(super) fn outside(&self, id: &ChangeId) -> Option<u32> {
        self.numbers.get(id).copied()
    }

    /// The number of the next path that ends outside.
    pub(super) fn next(&self) -> u32 {
        u32::try_from(self.before.len() + self.outside.len()).unwrap_or(u32::MAX)
    }

    /// Names a path that ends with a change outside. Whether it is new.
    pub(super) fn add_outside(&mut self, id: ChangeId) -> bool {
        let is_new = self.numbers.insert(id, self.next()).is_none();
        self.outside.push(id);
        is_new
    }

    /// Where the path of a number ends.
    pub(super) fn end(&self, number: u32, seen: &[u32]) -> End {
        if number == self.next() {
            return End::New;
        }
        let number = number as usize;
        match (seen.get(number), number.checked_sub(self.before.len()).and_then(|outside| self.outside.get(outside))) {
            (Some(last), _) => (*last as usize).checked_sub(1).map_or(End::Unknown, End::Inside),
            (None, Some(id)) => End::Outside(*id),
            (None, None) => End::Unknown,
        }
    }
}

/// Where a path ends.
pub(super) enum End {
    /// With a change of the envelope.
    Inside(usize),
    /// With a change that was named before.
    Outside(ChangeId),
    /// With one that is named next.
    New,
    /// Nothing has this number.
    Unknown,
}

/// The numbers of paths that operations refer to, ascending.
pub(super) fn named(ops: &[Op]) -> Vec<u32> {
    let mut named = Vec::new();
    for reference in ops.iter().flat_map(references) {
        if let Reference::Entry(number, _) = reference
            && named.last() != Some(&number)
        {
            named.push(number);
        }
    }
    named.sort_unstable();
    named.dedup();
    named
}

fn references(op: &Op) -> impl Iterator<Item = Reference> + '_ {
    let element = match op.place {
        Place::Key(_) => None,
        Place::After(element) => element,
        Place::At(element) => Some(element),
    };
    op.object.into_iter().chain(element).chain(op.pred.iter().copied())
}

/// Gives paths other numbers.
pub(super) fn renumber(ops: &mut [Op], number: impl Fn(u32) -> Option<u32>) -> Result<(), Malformed> {
    let renumber = |reference: &mut Reference| {
        if let Reference::Entry(path, _) = reference {
            *path = number(*path).filter(|number| *number < PATHS_MAX).ok_or(Malformed::Limit)?;
        }
        Ok(())
    };
    for op in ops {
        op.object.iter_mut().try_for_each(renumber)?;
        match &mut op.place {
            Place::Key(_) => {}
            Place::After(element) => element.iter_mut().try_for_each(renumber)?,
            Place::At(element) => renumber(element)?,
        }
        op.pred.iter_mut().try_for_each(renumber)?;
    }
    Ok(())
}

/// What one run's author calls a hand, in the words of another's.
pub(super) fn reworded(hand: Hand, from: usize, to: usize) -> Hand {
    let run = |run: usize| u32::try_from(run).unwrap_or(u32::MAX);
    hand.reworded(|reference| match reference {
        Reference::Own(number) => Reference::Entry(run(from), number),
        Reference::Entry(path, number) if path == run(to) => Reference::Own(number),
        other => other,
    })
}
