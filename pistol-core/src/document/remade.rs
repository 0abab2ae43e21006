//! A document that shows other changes than before: some of them count no more, so it was made anew from the others.

use automerge::{ObjId, ReadDoc};

use super::Document;
use super::patch::{Patch, replaced};
use crate::id::ChangeId;
use crate::validate::{Ordinal, Spot};

impl Document {
    /// Shows what `made`, the same document of other changes, shows. Patches of followed texts are found by comparison; a text
    /// that is not there any more is empty, and nothing can be typed into it.
    pub fn become_remade(&mut self, mut made: Document) -> Vec<Patch> {
        let mut patches = std::mem::take(&mut self.unseen);
        for (name, object) in std::mem::take(&mut self.followed) {
            let before = self.automerge.text(&object).unwrap_or_default();
            let Some(there) = self.object_in(&made, &object) else {
                patches.extend(replaced(&name, &before, ""));
                continue;
            };
            let new = there.to_string();
            let after = made.automerge.text(&there).unwrap_or_default();
            patches.push(Patch::Rename { object: name, new: new.clone() });
            patches.extend(replaced(&new, &before, &after));
            made.followed.insert(new, there);
        }
        (made.walked, made.rebuilt) = (made.walked + self.walked, made.rebuilt + self.rebuilt);
        *self = made;
        patches
    }

    /// The same object in another document, found by the change that made it.
    fn object_in(&self, other: &Document, object: &ObjId) -> Option<ObjId> {
        let ObjId::Id(counter, actor, _) = object else { return Some(ObjId::Root) };
        let spot = self.names.spot(&self.history, *counter, actor)?;
        let ordinal = self.history.change_at(spot)?;
        let (first, _) = self.history.numbers(ordinal)?;
        let there = other.ordinal_of(ordinal, self.history.id(ordinal)?)?;
        let (first_there, _) = other.history.numbers(there)?;
        let number = first_there.checked_add(spot.number.checked_sub(first)?)?;
        let branch = other.history.branch_index(there)?;
        let counter = other.history.branch(branch)?.counter(number)?;
        let actor = other.names.actor(Spot { branch, number })?.clone();
        Some(ObjId::Id(u64::from(counter), actor, 0))
    }

    /// The number of a change here that has `ordinal` elsewhere; the skeleton has 0 everywhere.
    fn ordinal_of(&self, ordinal: Ordinal, id: ChangeId) -> Option<Ordinal> {
        if ordinal == 0 { Some(0) } else { self.history.ordinal(&id) }
    }
}
