//! A picture of a document: what Automerge saves of the projection, and of which changes it is. A document that has
//! accepted those shows it in the time that Automerge takes to load it, and need not project them.
//!
//! Architecture Invariant: only pictures that this node made are opened. Automerge would take the order of elements in
//! another one on trust, and may panic on it.

use std::collections::BTreeSet;

use automerge::{Automerge, ChangeHash};

use super::backlog::Backlog;
use super::hashes::Hashes;
use super::names::Names;
use super::{Document, apply, project};
use crate::id::ChangeId;
use crate::validate::{History, Ordinal};

/// A document as it is at some time. To take it costs a copy of Automerge's columns; to save it is for another thread.
#[derive(Clone)]
pub struct Picture {
    automerge: Automerge,
    heads: Vec<ChangeId>,
    end: Ordinal,
}

impl std::fmt::Debug for Picture {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Picture({} changes)", self.end)
    }
}

impl Picture {
    /// The number after its last change.
    pub fn end(&self) -> Ordinal {
        self.end
    }

    /// The heads of its changes: by them the changes are known again.
    pub fn heads(&self) -> &[ChangeId] {
        &self.heads
    }

    /// Saves the projection; `None` if Automerge fails.
    pub fn save(&self) -> Option<Vec<u8>> {
        apply::contained(|| Ok::<_, std::convert::Infallible>(self.automerge.save())).ok()
    }
}

/// What Automerge loaded of a picture.
#[derive(Clone)]
pub struct Opened(Automerge);

impl Opened {
    /// Loads what a picture saved; `None` if Automerge fails. The bytes must be such that this node wrote itself. It is
    /// nearly all of the time that opening a long history takes, and needs nothing else of the document: it is for
    /// another thread.
    pub fn load(save: &[u8]) -> Option<Opened> {
        apply::contained(|| Automerge::load(save)).ok().map(Opened)
    }
}

impl std::fmt::Debug for Opened {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Opened")
    }
}

impl Document {
    /// Takes a picture; `None` while changes are accepted that readers do not see, or that no edit has returned yet.
    pub fn picture(&self) -> Option<Picture> {
        let is_whole =
            self.backlog.is_empty() && self.before_own.is_empty() && self.hashes.len() == self.history.nodes();
        let picture = || Picture {
            automerge: self.automerge.clone(),
            heads: self.history.heads().filter_map(|head| self.history.id(head)).collect(),
            end: self.history.next(),
        };
        is_whole.then(picture)
    }

    /// Shows what a picture shows, in place of projecting what is accepted. `false`, and all is as before, if the picture is
    /// not of just these changes, which have these heads, or something is shown already.
    pub fn show_picture(&mut self, heads: &[ChangeId], Opened(automerge): Opened) -> bool {
        let history = &self.history;
        let own = history.heads().filter_map(|head| history.id(head));
        if !self.is_bare() || own.collect::<BTreeSet<_>>() != heads.iter().copied().collect() {
            return false;
        }
        let names = Names::of(history);
        let skeleton = project::skeleton(history, &names).map(|skeleton| skeleton.hash());
        let Some(known) = known_hashes(history, &names, &automerge, skeleton) else { return false };
        self.hashes = Hashes::partly(history, known.into_iter().chain(skeleton.map(|hash| (0, hash))));
        (self.automerge, self.names, self.backlog) = (automerge, names, Backlog::default());
        true
    }
}

/// The heads' hashes, if Automerge's heads are those of the history.
fn known_hashes(
    history: &History,
    names: &Names,
    automerge: &Automerge,
    skeleton: Option<ChangeHash>,
) -> Option<Vec<(Ordinal, ChangeHash)>> {
    let hashes = automerge.get_heads();
    if history.heads().len() == 0 {
        return (hashes == Vec::from_iter(skeleton)).then(Vec::new);
    }
    let ordinal = |hash: &ChangeHash| {
        let change = automerge.get_change_meta_by_hash(hash)?;
        Some((names.ordinal(history, &change.actor, change.seq)?, *hash))
    };
    let known = hashes.iter().map(ordinal).collect::<Option<Vec<_>>>()?;
    let ordinals: BTreeSet<Ordinal> = known.iter().map(|(ordinal, _)| *ordinal).collect();
    (known.len() == ordinals.len() && ordinals.into_iter().eq(history.heads())).then_some(known)
}
