//! The door for applications: editing and reading documents from any thread.

mod open;
mod pin;

use std::cell::Cell;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};

use pistol_acl::record::{AclOp, Action, SignedOp, Subject};
use pistol_acl::{Access, Loss};
use pistol_core::delta::Delta;
use pistol_core::document::{Content, Document, Edit, EditError, TextContent};
use pistol_core::id::{AuthorityId, ChangeId, DocumentId};
use pistol_core::key::{AuthorId, AuthorKey};
use pistol_core::validate::History;

use crate::input::Now;
use crate::replica::{DocumentState, OperateError, Replica, Verdict};
use open::Open;
pub use pin::Pin;
use pin::Pins;

/// The documents that are open, shared by all threads.
#[derive(Clone, Debug, Default)]
pub struct Documents(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    open: Mutex<Open>,
    pins: Mutex<Pins>,
    dirty: Mutex<Dirty>,
}

/// What was edited and is not on its way to the disk.
#[derive(Debug, Default)]
struct Dirty {
    documents: BTreeSet<DocumentId>,
    /// Whether the engine will look without being woken (again).
    is_awaited: bool,
}

/// What an edit did.
#[derive(Debug)]
pub struct Edited<T> {
    /// What the closure returned.
    pub result: T,
    /// Whether anything changed; then [`Documents::must_wake`] is to be asked.
    pub is_changed: bool,
    /// Whose changes readers now see: always this node's author.
    pub author: AuthorId,
}

/// A read-only look at a document's records.
#[derive(Debug)]
pub struct Insight<'a> {
    /// The document.
    pub document: &'a Document,
    /// Everything that keeps the rules. In a document with members some of it may not be shown.
    pub held: &'a History,
    /// Of a document with members, who may write, and what of it is masked.
    pub access: Option<&'a Access>,
    /// What is known of its state and its peers.
    pub state: &'a DocumentState,
}

/// The name of one editor's picture of a text, within its document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Screen(pub u64);

/// The document is not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the document is not open; open it again")]
pub struct UnknownDocument;

thread_local! {
    /// Whether this thread is inside a closure of some document: a second lock could wait for itself.
    static IS_INSIDE: Cell<bool> = const { Cell::new(false) };
}

/// Marks the thread as being inside a document for as long as it lives, also while a panic passes.
struct Inside;

impl Inside {
    fn enter() -> Option<Inside> {
        (!IS_INSIDE.replace(true)).then_some(Inside)
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        IS_INSIDE.set(false);
    }
}

/// Locks, also after a panic: an edit is rolled back before its panic goes on.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Locks a document for the engine. Who types holds the lock nearly always and gives it up for a moment after each edit. A
/// thread that sleeps until then comes too late, and makes a call of the system of each of those moments: so it looks for
/// the moment itself first, for about as long as an edit takes.
pub(crate) fn lock_between_edits<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    const LOOKS: usize = 2000;
    const PAUSES: usize = 8;
    for _ in 0..LOOKS {
        match mutex.try_lock() {
            Ok(guard) => return guard,
            Err(TryLockError::Poisoned(poisoned)) => return poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => (0..PAUSES).for_each(|_| std::hint::spin_loop()),
        }
    }
    lock(mutex)
}

impl Documents {
    pub(crate) fn insert(&self, id: DocumentId, replica: Replica) {
        lock(&self.0.open).insert(id, replica);
    }

    pub(crate) fn replica(&self, id: &DocumentId) -> Option<Arc<Mutex<Replica>>> {
        lock(&self.0.open).get(id).cloned()
    }

    /// All that are open.
    pub(crate) fn all_open(&self) -> Vec<Arc<Mutex<Replica>>> {
        lock(&self.0.open).all().cloned().collect()
    }

    /// Takes a document out of memory. Who is inside it still sees it.
    pub(crate) fn close(&self, id: &DocumentId) {
        lock(&self.0.open).remove(id);
    }

    /// A document is used: it is closed later than those that are not.
    pub(crate) fn touch(&self, id: &DocumentId) {
        lock(&self.0.open).touch(id);
    }

    /// A document weighs so much now.
    pub(crate) fn weigh(&self, id: &DocumentId, bytes: usize) {
        lock(&self.0.open).weigh(id, bytes);
    }

    /// Some documents in memory, those first that were not used for longest.
    pub(crate) fn unused_longest(&self, at_most: usize) -> Vec<DocumentId> {
        lock(&self.0.open).unused_longest(at_most)
    }

    /// About how many bytes the documents in memory take.
    pub fn open_bytes(&self) -> usize {
        lock(&self.0.open).bytes()
    }

    /// Whether a document is in memory.
    pub fn is_open(&self, id: &DocumentId) -> bool {
        lock(&self.0.open).get(id).is_some()
    }

    pub(crate) fn is_dirty(&self, id: &DocumentId) -> bool {
        lock(&self.0.dirty).documents.contains(id)
    }

    /// A document that an application uses.
    fn used(&self, id: &DocumentId) -> Option<Arc<Mutex<Replica>>> {
        let mut open = lock(&self.0.open);
        open.touch(id);
        open.get(id).cloned()
    }

    pub(crate) fn mark_dirty(&self, id: DocumentId) {
        lock(&self.0.dirty).documents.insert(id);
    }

    pub(crate) fn take_dirty(&self) -> BTreeSet<DocumentId> {
        std::mem::take(&mut *lock(&self.0.dirty)).documents
    }

    /// Says that the engine looks again by itself, as it does when a commit is done.
    pub(crate) fn will_look_again(&self) {
        lock(&self.0.dirty).is_awaited = true;
    }

    /// Whether the engine is to be given [`Input::Wake`](crate::Input::Wake) because of edits; `true` once for all that
    /// are made before it looks. To wake a thread costs about as much as a keystroke.
    pub fn must_wake(&self) -> bool {
        let mut dirty = lock(&self.0.dirty);
        let must_wake = !dirty.is_awaited && !dirty.documents.is_empty();
        dirty.is_awaited |= must_wake;
        must_wake
    }

    /// Runs `run` with the document locked.
    fn inside<T>(&self, id: &DocumentId, run: impl FnOnce(&mut Replica) -> T) -> Result<T, EditError> {
        let replica = self.used(id).ok_or(EditError::Closed)?;
        let _inside = Inside::enter().ok_or(EditError::Nested)?;
        let mut replica = lock(&replica);
        Ok(run(&mut replica))
    }

    /// Edits a document. It neither waits for the disk nor for the network.
    ///
    /// # Errors
    /// [`EditError`]; the document is then as before.
    pub fn edit<T>(
        &self,
        id: &DocumentId,
        now: Now,
        message: Option<&str>,
        closure: impl FnOnce(&mut Edit) -> T,
    ) -> Result<Edited<T>, EditError> {
        let edited = self.inside(id, |replica| replica.edit(now, message, closure))?;
        // One that failed may have merged heads before, and that stays.
        if edited.as_ref().map_or(true, |edited| edited.is_changed) {
            self.mark_dirty(*id);
        }
        edited
    }

    /// Makes an edit and takes it back: whether it would be made.
    ///
    /// # Errors
    /// As [`Documents::edit`] would.
    pub fn rehearse<T>(&self, id: &DocumentId, now: Now, closure: impl FnOnce(&mut Edit) -> T) -> Result<T, EditError> {
        self.inside(id, |replica| replica.rehearse(now, closure))?
    }

    /// Writes an operation into the log of a document with members, made of what is known at that moment.
    ///
    /// # Errors
    /// [`OperateError`]; the document is then as before.
    pub fn operate(
        &self,
        id: &DocumentId,
        make: impl FnOnce(Insight<'_>) -> Result<Action, OperateError>,
    ) -> Result<AuthorityId, OperateError> {
        self.operate_as(id, None, make)
    }

    /// The same, signed with another key than this node's: that of an identity's root, while its owner has it at hand.
    ///
    /// # Errors
    /// As [`Documents::operate`].
    pub fn operate_as(
        &self,
        id: &DocumentId,
        key: Option<&AuthorKey>,
        make: impl FnOnce(Insight<'_>) -> Result<Action, OperateError>,
    ) -> Result<AuthorityId, OperateError> {
        let operated = self.inside(id, |replica| replica.operate(key, make))??;
        self.mark_dirty(*id);
        Ok(operated)
    }

    /// An operation of another author, whose key is elsewhere, to be signed there.
    ///
    /// # Errors
    /// As [`Documents::operate`].
    pub fn draft(&self, id: &DocumentId, author: AuthorId, action: Action) -> Result<AclOp, OperateError> {
        self.inside(id, |replica| replica.draft(author, action))?
    }

    /// Takes in what was signed of a draft.
    ///
    /// # Errors
    /// As [`Documents::operate`]. What follows on operations that are not here is refused.
    pub fn enter(&self, signed: &SignedOp) -> Result<(), OperateError> {
        let log = signed.op().log;
        self.inside(&log, |replica| replica.enter_signed(signed))??;
        self.mark_dirty(log);
        Ok(())
    }

    /// What an operation would take away, if it was written now.
    ///
    /// # Errors
    /// As [`Documents::operate`] would.
    pub fn loss(&self, id: &DocumentId, subject: &Subject, action: Action) -> Result<Loss, OperateError> {
        self.inside(id, |replica| {
            let signed = replica.signed(None, action)?;
            let members = replica.members().ok_or(OperateError::NoMembers)?;
            Ok(members.access().loss(signed, subject))
        })?
    }

    /// Reads a document.
    ///
    /// # Errors
    /// [`EditError::Closed`], or [`EditError::Nested`] inside another closure of a document.
    pub fn read<T>(&self, id: &DocumentId, closure: impl FnOnce(&Content<'_>) -> T) -> Result<T, EditError> {
        self.inside(id, |replica| closure(&replica.document().content()))
    }

    /// Looks at a document's records and state.
    ///
    /// # Errors
    /// As [`Documents::read`].
    pub fn look<T>(&self, id: &DocumentId, closure: impl FnOnce(Insight<'_>) -> T) -> Result<T, EditError> {
        self.inside(id, |replica| closure(replica.insight()))
    }

    /// What became of a change here.
    ///
    /// # Errors
    /// As [`Documents::read`].
    pub fn verdict(&self, id: &DocumentId, change: &ChangeId) -> Result<Verdict, EditError> {
        self.inside(id, |replica| replica.verdict(change))
    }

    /// Begins a picture of a text; returns its name and the text.
    ///
    /// # Errors
    /// [`EditError::Missing`] if there is no such text, or as [`Documents::read`].
    pub fn open_screen(
        &self,
        id: &DocumentId,
        text: impl for<'a> FnOnce(&'a Content<'a>) -> TextContent<'a>,
    ) -> Result<(Screen, String), EditError> {
        let opened = self.inside(id, |replica| replica.open_screen(text))?;
        opened.ok_or(EditError::Missing { at: "the text to view".to_owned() })
    }

    /// What happened to a picture's text since it was last asked for.
    ///
    /// # Errors
    /// As [`Documents::read`].
    pub fn take_screen(&self, id: &DocumentId, screen: Screen) -> Result<Delta, EditError> {
        self.inside(id, |replica| replica.take_screen(screen))
    }

    /// Makes an edit that was typed on a picture; returns what the picture must still show after it.
    ///
    /// # Errors
    /// [`EditError`]; the document is then as before.
    pub fn edit_screen(&self, id: &DocumentId, now: Now, screen: Screen, typed: &Delta) -> Result<Delta, EditError> {
        let rest = self.inside(id, |replica| replica.edit_screen(now, screen, typed))?;
        self.mark_dirty(*id);
        rest
    }

    /// Ends a picture. Inside a closure of a document it is left to the document's end: a second lock would wait for
    /// itself.
    pub fn close_screen(&self, id: &DocumentId, screen: Screen) {
        let _ = self.inside(id, |replica| replica.close_screen(screen));
    }
}
