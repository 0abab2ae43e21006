//! The element that was last referred to of each path: numbers of elements are written relative to it.

use std::collections::BTreeMap;

use crate::change::Reference;

use super::cursor::number;

/// For each path the number of the last element, whoever referred to it.
#[derive(Default)]
pub(super) struct Elements(BTreeMap<Path, u32>);

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Path {
    Skeleton,
    /// That of a run, or one outside.
    Numbered(u32),
}

impl Elements {
    /// The elements that runs with these first operations begin with.
    pub(super) fn new(first_operations: impl Iterator<Item = u32>) -> Self {
        Elements((0..).map(Path::Numbered).zip(first_operations).collect())
    }

    /// The number that one in the path of `reference` is written relative to, for the author of a run.
    pub(super) fn last(&self, run: u32, reference: Reference) -> u32 {
        self.0.get(&path(run, reference)).copied().unwrap_or(0)
    }

    /// Notes that an author of a run referred to an element.
    pub(super) fn note(&mut self, run: u32, reference: Reference) {
        self.0.insert(path(run, reference), number(reference));
    }
}

fn path(run: u32, reference: Reference) -> Path {
    match reference {
        Reference::Own(_) => Path::Numbered(run),
        Reference::Skeleton(_) => Path::Skeleton,
        Reference::Entry(path, _) => Path::Numbered(path),
    }
}
