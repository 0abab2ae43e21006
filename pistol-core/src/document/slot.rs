//! Keys that anybody may write: who came first, as far as the data can say, else nobody.

use automerge::{ObjId, ReadDoc};

use super::Document;
use super::content::{self, MapContent, Place, Value};
use crate::genesis::Policy;
use crate::id::ChangeId;
use crate::key::AuthorId;
use crate::validate::Ordinal;

/// Rival values of one key that are weighed against each other; where there are more, none is picked. To weigh them takes
/// the square of their number, and anybody can add some.
const WEIGHED_MAX: usize = 256;

/// A value that lies at a key and that nothing replaced.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidate {
    /// Who wrote it.
    pub author: AuthorId,
    /// The change that did.
    pub change: ChangeId,
    /// What it is.
    pub value: Value,
}

/// Who has a key.
#[derive(Clone, Debug, PartialEq)]
pub enum Slot {
    /// Nobody.
    Empty,
    /// One author, with this value.
    Of(Candidate),
    /// Several, in order of their ids; none is picked, since nothing in the data can tell who was first.
    Contested(Vec<Candidate>),
}

/// Drops each candidate that has another author's candidate in its past: who wrote it knew.
pub fn first_come<T, A: PartialEq>(
    mut candidates: Vec<T>,
    author: impl Fn(&T) -> A,
    is_before: impl Fn(&T, &T) -> bool,
) -> Vec<T> {
    let is_late = |late: &T| candidates.iter().any(|first| author(first) != author(late) && is_before(first, late));
    let is_late: Vec<bool> = candidates.iter().map(is_late).collect();
    let mut is_late = is_late.into_iter();
    candidates.retain(|_| !is_late.next().unwrap_or(false));
    candidates
}

/// A value as Automerge has it, with its author and the number of its change.
type Found<'a> = (automerge::Value<'a>, ObjId, AuthorId, Ordinal);

impl Document {
    pub(super) fn has_shared_slots(&self) -> bool {
        matches!(self.history.genesis().terms().policy, Policy::FirstWriter { shared_slots: true, .. })
    }
}

impl<'a> Place<'a> {
    /// The candidates of a key that stay.
    fn staying(&self, key: &str) -> Vec<Found<'a>> {
        let history = &self.document.history;
        let all = self.object.as_ref().and_then(|object| self.automerge().get_all(object, key).ok());
        let found = |(value, id): (automerge::Value<'a>, ObjId)| {
            let spot = self.document.spot(&id)?;
            Some((value, id, history.author_at(spot)?, history.change_at(spot)?))
        };
        let all: Vec<Found<'a>> = all.unwrap_or_default().into_iter().filter_map(found).collect();
        if all.len() > WEIGHED_MAX {
            return all;
        }
        first_come(all, |(_, _, author, _)| *author, |first, late| history.is_before(first.3, late.3))
    }

    /// The value of the one author whose candidates stay; the one that Automerge would pick, if they are several.
    pub(super) fn first_come(&self, key: &str) -> Option<(automerge::Value<'a>, ObjId)> {
        let mut staying = self.staying(key);
        let (value, id, author, _) = staying.pop()?;
        staying.iter().all(|(_, _, other, _)| *other == author).then_some((value, id))
    }
}

impl MapContent<'_> {
    /// Who has a key that anybody may write. The value is that of the author who came first as far as the changes tell:
    /// a value whose author had seen another's is dropped.
    pub fn slot(&self, key: &str) -> Slot {
        let history = &self.0.document.history;
        let candidate = |(value, _, author, change): Found<'_>| {
            Some(Candidate { author, change: history.id(change)?, value: content::value(&value)? })
        };
        let mut staying: Vec<Candidate> = self.0.staying(key).into_iter().filter_map(candidate).collect();
        let is_one = staying.windows(2).all(|pair| matches!(pair, [one, next] if one.author == next.author));
        match staying.pop() {
            None => Slot::Empty,
            Some(last) if is_one => Slot::Of(last),
            Some(last) => {
                staying.push(last);
                staying.sort_by_key(|candidate| (candidate.author, candidate.change));
                Slot::Contested(staying)
            }
        }
    }
}
