//! How a change names others: those of the envelope by their distance, all else by 32 bytes that are written once.

use std::collections::BTreeMap;

use super::numbers::{fold, unfold};
use crate::codec::Malformed;
use crate::id::ChangeId;

/// Bit of a name that says "one of the ids that are written".
const OUTSIDE: u64 = 1;

/// Names that are being written.
#[derive(Default)]
pub(super) struct Names {
    inside: BTreeMap<ChangeId, usize>,
    outside: BTreeMap<[u8; 32], usize>,
    ids: Vec<[u8; 32]>,
}

impl Names {
    /// Makes the next change one that can be named by its distance.
    pub(super) fn add(&mut self, index: usize, id: ChangeId) {
        self.inside.insert(id, index);
    }

    /// The index of a change that came before.
    pub(super) fn inside(&self, id: &ChangeId) -> Option<usize> {
        self.inside.get(id).copied()
    }

    /// The name of a change, and its index if it came before. `base` is the index of the change that is expected.
    pub(super) fn change(&mut self, id: &ChangeId, base: usize) -> (u64, Option<usize>) {
        match self.inside(id) {
            Some(index) => {
                let distance = (base as u64).wrapping_sub(index as u64);
                (fold(distance.cast_signed()) << 1, Some(index))
            }
            None => (self.outside(id.as_bytes()), None),
        }
    }

    /// The name of anything: 0 steps back from the next id if it is new, else from the last one.
    pub(super) fn outside(&mut self, id: &[u8; 32]) -> u64 {
        let next = self.ids.len();
        let place = *self.outside.entry(*id).or_insert(next);
        if place == next {
            self.ids.push(*id);
        }
        ((next - place) as u64) << 1 | OUTSIDE
    }

    /// The ids that must be written, in the order of their first use.
    pub(super) fn ids(&self) -> &[[u8; 32]] {
        &self.ids
    }
}

/// Names that are being read.
pub(super) struct NamesReader {
    /// First those before the runs; none where a chain begins.
    inside: Vec<Option<ChangeId>>,
    outside: Vec<[u8; 32]>,
    next: usize,
}

impl NamesReader {
    pub(super) fn new(befores: Vec<Option<ChangeId>>, ids: Vec<[u8; 32]>) -> Self {
        NamesReader { inside: befores, outside: ids, next: 0 }
    }

    /// Makes the next change one that can be named by its distance.
    pub(super) fn add(&mut self, id: ChangeId) {
        self.inside.push(Some(id));
    }

    /// The index of the next change.
    pub(super) fn count(&self) -> usize {
        self.inside.len()
    }

    /// The id of a change that came before.
    pub(super) fn inside(&self, index: usize) -> Result<ChangeId, Malformed> {
        self.inside.get(index).copied().flatten().ok_or(Malformed::Limit)
    }

    /// The id of a change, and its index if it came before.
    pub(super) fn change(&mut self, name: u64, base: usize) -> Result<(ChangeId, Option<usize>), Malformed> {
        if name & OUTSIDE != 0 {
            return self.outside(name).map(|id| (ChangeId(id), None));
        }
        let distance = unfold(name >> 1).cast_unsigned();
        let index = (base as u64).wrapping_sub(distance);
        let index = usize::try_from(index).map_err(|_| Malformed::Number)?;
        Ok((self.inside(index)?, Some(index)))
    }

    /// The id that is meant by a name.
    pub(super) fn outside(&mut self, name: u64) -> Result<[u8; 32], Malformed> {
        let back = usize::try_from(name >> 1).map_err(|_| Malformed::Limit)?;
        if name & OUTSIDE == 0 {
            return Err(Malformed::Tag);
        }
        let place = self.next.checked_sub(back).ok_or(Malformed::Limit)?;
        let id = self.outside.get(place).ok_or(Malformed::Limit)?;
        if back == 0 {
            self.next += 1;
        }
        Ok(*id)
    }

    /// Checks that every id was named.
    pub(super) fn end(&self) -> Result<(), Malformed> {
        if self.next == self.outside.len() { Ok(()) } else { Err(Malformed::Long) }
    }
}
