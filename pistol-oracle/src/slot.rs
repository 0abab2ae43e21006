//! Reading a slot that several may write to: who came first as far as the data can say, else nobody.

use std::collections::BTreeSet;

use crate::world::{ChangeId, OperationId, Person};

/// A value that lies at a slot and that nothing replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Candidate {
    /// Who wrote it.
    pub author: Person,
    /// The change that did.
    pub change: ChangeId,
}

/// A checkpoint of the document's owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Witness {
    /// The checkpoint.
    pub id: OperationId,
    /// Every operation in its past.
    pub past: BTreeSet<OperationId>,
    /// Every change that it covers.
    pub covers: BTreeSet<ChangeId>,
}

/// What a reader sees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Slot {
    /// Nothing.
    Empty,
    /// The values of one author.
    Of(Person, Vec<ChangeId>),
    /// Values of several, in order of author; none is picked.
    Contested(Vec<Candidate>),
}

/// Drops each candidate that has another author's candidate in its past; then the earliest owner checkpoint that tells
/// the rest apart decides; else all are shown.
pub fn read_slot(
    candidates: &[Candidate],
    is_past: impl Fn(ChangeId, ChangeId) -> bool,
    owner_checkpoints: &[Witness],
) -> Slot {
    let is_late = |late: &Candidate| {
        candidates.iter().any(|first| first.author != late.author && is_past(first.change, late.change))
    };
    let rest: BTreeSet<Candidate> = candidates.iter().filter(|candidate| !is_late(candidate)).copied().collect();
    let authors: BTreeSet<Person> = rest.iter().map(|candidate| candidate.author).collect();
    let decided = witnessed(&rest, owner_checkpoints);
    match (authors.first(), authors.len(), decided) {
        (None, ..) => Slot::Empty,
        (Some(only), 1, _) => Slot::Of(*only, of_author(&rest, *only)),
        (Some(_), _, Some(author)) => Slot::Of(author, of_author(&rest, author)),
        (Some(_), _, None) => Slot::Contested(rest.into_iter().collect()),
    }
}

/// The one author whom the earliest checkpoints that cover candidates of a single author agree on.
fn witnessed(candidates: &BTreeSet<Candidate>, checkpoints: &[Witness]) -> Option<Person> {
    let named = |checkpoint: &Witness| {
        let covered = candidates.iter().filter(|candidate| checkpoint.covers.contains(&candidate.change));
        let authors: BTreeSet<Person> = covered.map(|candidate| candidate.author).collect();
        authors.first().copied().filter(|_| authors.len() == 1)
    };
    let deciding: Vec<(&Witness, Person)> =
        checkpoints.iter().filter_map(|checkpoint| named(checkpoint).map(|author| (checkpoint, author))).collect();
    let is_earliest =
        |(witness, _): &&(&Witness, Person)| !deciding.iter().any(|(other, _)| witness.past.contains(&other.id));
    let named: BTreeSet<Person> = deciding.iter().filter(is_earliest).map(|(_, author)| *author).collect();
    named.first().copied().filter(|_| named.len() == 1)
}

fn of_author(candidates: &BTreeSet<Candidate>, author: Person) -> Vec<ChangeId> {
    candidates.iter().filter(|candidate| candidate.author == author).map(|candidate| candidate.change).collect()
}
