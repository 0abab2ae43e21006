//! The Automerge hash of each projected change. Of those in a document that was opened from a picture only the heads'
//! are known at first: others are looked up in Automerge when a change depends on them, which is rare.

use automerge::{Automerge, ChangeHash, ObjId};

use super::names::Names;
use crate::validate::{History, Ordinal, Spot};

/// Hashes by ordinal; the skeleton's may be missing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Hashes {
    known: Vec<Option<ChangeHash>>,
    /// Those before this number may be in Automerge though they are not here.
    looked_up_before: Ordinal,
}

impl Hashes {
    /// All of them, from the skeleton's on.
    pub(super) fn new(known: Vec<Option<ChangeHash>>) -> Self {
        Hashes { known, looked_up_before: 0 }
    }

    /// As many unknown ones as the history has changes, but for some.
    pub(super) fn partly(history: &History, some: impl Iterator<Item = (Ordinal, ChangeHash)>) -> Self {
        let mut known = Vec::new();
        known.resize(as_index(history.next()), None);
        let mut hashes = Hashes { known, looked_up_before: history.next() };
        some.for_each(|(ordinal, hash)| hashes.set(ordinal, hash));
        hashes
    }

    /// How many changes are projected, the skeleton included.
    pub(super) fn len(&self) -> usize {
        self.known.len()
    }

    pub(super) fn push(&mut self, hash: Option<ChangeHash>) {
        self.known.push(hash);
    }

    fn set(&mut self, ordinal: Ordinal, hash: ChangeHash) {
        if let Some(known) = self.known.get_mut(as_index(ordinal)) {
            *known = Some(hash);
        }
    }

    pub(super) fn of(&self, ordinal: Ordinal) -> Option<ChangeHash> {
        self.known.get(as_index(ordinal)).copied().flatten()
    }

    /// Looks up what is not known of these changes.
    pub(super) fn look_up(&mut self, ordinals: &[Ordinal], history: &History, names: &Names, automerge: &Automerge) {
        for ordinal in ordinals {
            if *ordinal >= self.looked_up_before || self.of(*ordinal).is_some() {
                continue;
            }
            match by_operation(*ordinal, history, names, automerge) {
                Some(hash) => self.set(*ordinal, hash),
                // A change without operations: only a walk finds it.
                None => return self.look_up_all(history, names, automerge),
            }
        }
    }

    fn look_up_all(&mut self, history: &History, names: &Names, automerge: &Automerge) {
        self.looked_up_before = 0;
        for change in automerge.get_changes_meta(&[]) {
            if let Some(ordinal) = names.ordinal(history, &change.actor, change.seq) {
                self.set(ordinal, change.hash);
            }
        }
    }
}

fn by_operation(ordinal: Ordinal, history: &History, names: &Names, automerge: &Automerge) -> Option<ChangeHash> {
    let (first, _) = history.numbers(ordinal).filter(|(_, ops)| *ops > 0)?;
    let actor = names.actor(Spot { branch: history.branch_index(ordinal)?, number: first })?;
    automerge.hash_for_opid(&ObjId::Id(u64::from(history.start(ordinal)?), actor.clone(), 0))
}

fn as_index(ordinal: Ordinal) -> usize {
    usize::try_from(ordinal).unwrap_or(usize::MAX)
}
