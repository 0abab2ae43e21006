//! A document: its history of validated changes, and the Automerge document that is projected from them.
//!
//! Architecture Invariant: the projection (values, conflicts, operation ids, change hashes) is a function of the set of
//! accepted changes, whatever the order in which they came.
//!
//! Architecture Invariant: everything that Automerge is given was computed here from the history.

mod apply;
mod authors;
mod backlog;
mod chunk;
mod content;
mod convert;
mod cursor;
mod edit;
mod hashes;
mod linear;
mod log;
mod names;
mod patch;
mod picture;
mod project;
mod readback;
mod ready;
mod remade;
mod rename;
mod rich;
mod rivals;
mod skeleton;
mod slot;
mod tree;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use automerge::{Automerge, ObjId, PatchLog, ReadDoc};

pub use content::{Content, ListContent, MapContent, TextContent, Value};
pub use cursor::{Cursor, NotACursor};
pub use edit::{Edit, EditError, ListEdit, MapEdit, TextEdit};
pub use log::LogEntry;
pub use patch::Patch;
pub use picture::{Opened, Picture};
pub use readback::{EditAs, Judge, Made, UNJUDGED};
pub use ready::Ready;
pub use rich::{Expand, Mark, TextSpan};
pub use skeleton::skeleton;
pub use slot::{Candidate, Slot, first_come};

use crate::envelope::Linked;
use crate::genesis::Genesis;
use crate::key::AuthorId;
use crate::validate::{Accepted, Check, History, Rule, Stale, Valid};
use backlog::Backlog;
use hashes::Hashes;
use names::Names;
use tree::Tree;

/// A document as one node holds it.
pub struct Document {
    history: History,
    automerge: Automerge,
    /// Holds the place of `automerge` while a transaction owns that; to make a new one takes as long as to type.
    empty: Option<Automerge>,
    names: Names,
    /// The order of elements; grown when there are marks only.
    tree: Tree,
    hashes: Hashes,
    /// Accepted, and to be projected at the end of the tick.
    backlog: Backlog,
    /// Changes made before an edit's own, merges of heads and removals of rivals. Those made for an edit that failed are
    /// returned by the next one, since it stands on them.
    before_own: Vec<Accepted>,
    /// Patches made for edits that failed: readers have yet to see them.
    unseen: Vec<Patch>,
    /// Texts that somebody follows, by their object ids' text; patches are made while there are any.
    followed: BTreeMap<String, ObjId>,
    /// Authors of changes that Automerge would have made otherwise: theirs are applied, never made again.
    distrusted: BTreeSet<AuthorId>,
    /// Operations that were walked to show changes.
    walked: u64,
    /// What of that went to making the projection anew.
    rebuilt: u64,
}

impl std::fmt::Debug for Document {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Document({:?}, {} changes)", self.history.genesis().id(), self.history.next())
    }
}

impl Document {
    /// A new document, as its genesis makes it.
    ///
    /// # Errors
    /// The [`Rule`] that the skeleton breaks.
    pub fn new(genesis: Arc<Genesis>) -> Result<Self, Rule> {
        let history = History::new(genesis)?;
        let names = Names::of(&history);
        let mut automerge = Automerge::new();
        let skeleton = project::skeleton(&history, &names);
        let hash = skeleton.as_ref().map(automerge::Change::hash);
        apply::contained(|| apply::apply(&mut automerge, skeleton.into_iter().collect(), None))
            .map_err(|_| Rule::Operation)?;
        Ok(Document::of(history, automerge, names, Hashes::new(vec![hash])))
    }

    fn of(history: History, automerge: Automerge, names: Names, hashes: Hashes) -> Self {
        Document {
            history,
            automerge,
            empty: None,
            names,
            tree: Tree::default(),
            hashes,
            backlog: Backlog::default(),
            before_own: Vec::new(),
            unseen: Vec::new(),
            followed: BTreeMap::new(),
            distrusted: BTreeSet::new(),
            walked: 0,
            rebuilt: 0,
        }
    }

    /// What was accepted.
    pub fn history(&self) -> &History {
        &self.history
    }

    /// Checks a change against the rules of structure.
    pub fn check(&self, change: &Linked) -> Check {
        self.history.check(change)
    }

    /// Takes a change in. It is seen by readers after [`Document::project`].
    ///
    /// # Errors
    /// [`Stale`] if another change came in since the check.
    pub fn accept(&mut self, valid: Valid) -> Result<Accepted, Stale> {
        let accepted = self.history.accept(valid)?;
        self.backlog.push(&accepted);
        Ok(accepted)
    }

    /// Whether there are accepted changes that readers do not see yet.
    pub fn is_behind(&self) -> bool {
        !self.backlog.is_empty()
    }

    /// How many accepted changes readers do not see yet.
    pub fn behind(&self) -> usize {
        self.backlog.len()
    }

    /// How many operations those have.
    pub fn operations_behind(&self) -> usize {
        self.backlog.operations()
    }

    /// Whether readers see nothing but the skeleton.
    pub fn is_bare(&self) -> bool {
        self.hashes.len() <= 1
    }

    /// How many operations were walked so far to show changes: what that cost.
    pub fn walked(&self) -> u64 {
        self.walked
    }

    /// How much of [`Document::walked`] went to new branches: to make everything anew since an author forked, and to make room
    /// for the names of new chains.
    pub fn rebuilt(&self) -> u64 {
        self.rebuilt
    }

    /// What readers see.
    pub fn content(&self) -> Content<'_> {
        Content::new(self)
    }

    /// The document as an ordinary Automerge file.
    pub fn save(&self) -> Vec<u8> {
        self.automerge.save()
    }

    /// The hashes of the projection's heads, sorted: equal on all replicas that accepted the same changes.
    pub fn projected_heads(&self) -> Vec<[u8; 32]> {
        self.automerge.get_heads().into_iter().map(|hash| hash.0).collect()
    }
}

/// Following a text.
impl Document {
    /// Makes patches of a text from now on. Returns the object as patches call it.
    pub fn follow(&mut self, text: impl for<'a> FnOnce(&'a Content<'a>) -> TextContent<'a>) -> Option<String> {
        let object = text(&self.content()).object_id()?;
        let name = object.to_string();
        self.followed.insert(name.clone(), object);
        Some(name)
    }

    /// Makes no more patches of a text.
    pub fn unfollow(&mut self, object: &str) {
        self.followed.remove(object);
    }

    /// Edits a followed text: at each position removes some code points and adds a text, one after the other.
    ///
    /// # Errors
    /// [`EditError`]; the document is then as before.
    pub fn edit_followed<'a>(
        &mut self,
        by: &EditAs<'_>,
        object: &str,
        splices: impl Iterator<Item = (usize, usize, &'a str)>,
    ) -> Result<Made<()>, EditError> {
        let object = self.followed.get(object).cloned().ok_or(EditError::Closed)?;
        self.edit(by, |edit| {
            let text = edit.text_of(object);
            splices.for_each(|(at, length, new)| text.splice(at, length, new));
        })
    }

    fn is_followed(&self) -> bool {
        !self.followed.is_empty()
    }

    /// Where Automerge logs what the followed texts become.
    fn patch_log(&self) -> PatchLog {
        if self.is_followed() { PatchLog::active() } else { PatchLog::inactive() }
    }

    /// How many code points a followed text has.
    pub fn followed_length(&self, object: &str) -> Option<usize> {
        self.followed.get(object).map(|object| self.automerge.length(object))
    }

    /// What a followed text says.
    pub fn followed_text(&self, object: &str) -> Option<String> {
        self.automerge.text(self.followed.get(object)?).ok()
    }
}
