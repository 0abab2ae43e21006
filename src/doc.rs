//! A document, as an application holds it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use pistol_core::document::{Content, Edit, EditError, LogEntry, TextContent};
use pistol_core::genesis::{Kind as LogKind, Policy, ReadKey};
use pistol_core::id::DocumentId;
use pistol_engine::{Command, Pin};
use pistol_sync::ticket::Ticket;

use crate::changes::Changes;
use crate::error::{FlushError, SyncError, ViewError};
use crate::runtime::Runtime;
use crate::status::DocStatus;
use crate::view::View;

/// A handle on an open document. It is cheap to clone, and keeps its document in memory and its node running.
#[derive(Clone)]
pub struct Doc {
    runtime: Arc<Runtime>,
    /// Keeps it in memory.
    pin: Arc<Pin>,
    policy: Policy,
    read_key: Option<ReadKey>,
}

impl fmt::Debug for Doc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Doc({:?})", self.id())
    }
}

impl Doc {
    pub(crate) fn new(runtime: Arc<Runtime>, pin: Pin, policy: Policy, read_key: Option<ReadKey>) -> Self {
        Doc { runtime, pin: Arc::new(pin), policy, read_key }
    }

    pub(crate) fn runtime(&self) -> &Arc<Runtime> {
        &self.runtime
    }

    /// The document's id.
    pub fn id(&self) -> DocumentId {
        self.pin.id()
    }

    /// Who may change it.
    pub fn policy(&self) -> Policy {
        self.policy
    }

    /// What it is: a document; of what [`crate::Node::join`] or [`crate::Node::held`] gave, perhaps the log of an identity or a
    /// group, which has no content.
    pub fn kind(&self) -> LogKind {
        self.runtime.catalog.entry(&self.id()).map_or(LogKind::Document, |entry| entry.kind)
    }

    /// One line of text that invites somebody to the document, through this node.
    pub fn ticket(&self) -> Ticket {
        Ticket::new(self.id(), self.read_key.clone(), self.runtime.node, &self.runtime.network.addresses())
    }

    /// An invitation that may be accepted for so long, by the clock of the one who accepts.
    ///
    /// It keeps nobody out who holds a ticket without an end, or the read key.
    pub fn ticket_for(&self, time: Duration) -> Ticket {
        let time_ms = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        let mut ticket = self.ticket();
        ticket.not_after_ms = self.runtime.now().wall_ms.saturating_add(time_ms).max(1);
        ticket
    }

    /// Edits the document: all of it or nothing. It waits for neither disk nor network.
    ///
    /// # Errors
    /// [`EditError`]; the document is then as before. What others would have to refuse fails here.
    ///
    /// # Panics
    /// If the closure does; the edit is rolled back first.
    pub fn edit<T>(&self, closure: impl FnOnce(&mut Edit) -> T) -> Result<T, EditError> {
        self.edit_as(None, closure)
    }

    /// Whether an edit would be made: it is made and taken back, which takes as long as to open the document. To show
    /// whose something is, ask for its author: [`ListContent::author`](crate::ListContent::author).
    ///
    /// # Errors
    /// As [`Doc::edit`] would; [`EditError::NotYours`] says whose it is.
    ///
    /// # Panics
    /// If the closure does.
    pub fn can_edit<T>(&self, closure: impl FnOnce(&mut Edit) -> T) -> Result<(), EditError> {
        if self.runtime.is_stopped() {
            return Err(EditError::Closed);
        }
        self.runtime.documents.rehearse(&self.id(), self.runtime.now(), closure).map(drop)
    }

    /// Edits the document, with a word on why.
    ///
    /// # Errors
    /// As [`Doc::edit`].
    pub fn edit_with<T>(&self, message: &str, closure: impl FnOnce(&mut Edit) -> T) -> Result<T, EditError> {
        self.edit_as(Some(message), closure)
    }

    fn edit_as<T>(&self, message: Option<&str>, closure: impl FnOnce(&mut Edit) -> T) -> Result<T, EditError> {
        if self.runtime.is_stopped() {
            return Err(EditError::Closed);
        }
        let edited = self.runtime.documents.edit(&self.id(), self.runtime.now(), message, closure);
        // One that failed may have merged what others wrote: that is kept, and sent.
        let edited = edited.inspect_err(|_| self.runtime.wake())?;
        if edited.is_changed {
            self.edited();
        }
        Ok(edited.result)
    }

    /// Whether the node was shut down.
    pub(crate) fn is_stopped(&self) -> bool {
        self.runtime.is_stopped()
    }

    /// Something was edited here: the engine is woken, and listeners are told.
    pub(crate) fn edited(&self) {
        self.runtime.wake();
        self.runtime.subscribers.tell(&self.id(), &[(self.runtime.author, 1)], true);
    }

    /// Reads the document.
    ///
    /// # Panics
    /// Inside the closure of an edit or another read of this thread, since it could wait for itself.
    #[expect(clippy::expect_used, reason = "a handle pins its document, and nesting is the caller's documented error")]
    pub fn read<T>(&self, closure: impl FnOnce(&Content<'_>) -> T) -> T {
        self.runtime
            .documents
            .read(&self.id(), closure)
            .expect("a read inside an edit or a read: end the outer one first")
    }

    /// Begins an editor's picture of a text.
    ///
    /// # Errors
    /// [`ViewError::NoText`] if there is no such text.
    pub fn view(&self, text: impl for<'a> FnOnce(&'a Content<'a>) -> TextContent<'a>) -> Result<View, ViewError> {
        let opened = self.runtime.documents.open_screen(&self.id(), text).map_err(|_| ViewError::NoText)?;
        Ok(View::new(self.clone(), opened.0, opened.1))
    }

    /// Others' changes, from now on.
    pub fn changes(&self) -> Changes {
        Changes(self.runtime.subscribers.add(self.id()))
    }

    /// All changes, dependencies first.
    pub fn history(&self) -> Vec<LogEntry> {
        self.runtime.documents.look(&self.id(), |insight| insight.document.log()).unwrap_or_default()
    }

    /// How the document stands, here and with each peer.
    #[expect(clippy::expect_used, reason = "as for `read`")]
    pub fn status(&self) -> DocStatus {
        let status = self.runtime.documents.look(&self.id(), |insight| DocStatus::of(&insight));
        status.expect("a status inside an edit or a read: end the outer one first")
    }

    /// The document as JSON.
    pub fn to_json(&self) -> serde_json::Value {
        self.read(|content| crate::json::map(content))
    }

    /// The document as an ordinary Automerge file.
    pub fn to_automerge(&self) -> Vec<u8> {
        self.runtime.documents.look(&self.id(), |insight| insight.document.save()).unwrap_or_default()
    }

    /// Waits until everything edited so far is durable.
    ///
    /// # Errors
    /// [`FlushError`] if the disk did not take it; it is tried again by itself.
    pub async fn flush(&self) -> Result<(), FlushError> {
        self.runtime.ask(Command::Flush).await??;
        Ok(())
    }

    /// Waits until the document is equal with a peer's: all that is here is durable there, and all that the peer told
    /// of is here.
    ///
    /// # Errors
    /// [`SyncError`] if that does not come to pass in time.
    pub async fn synced(&self, within: Duration) -> Result<(), SyncError> {
        let within_ms = u64::try_from(within.as_millis()).unwrap_or(u64::MAX);
        self.runtime.ask(Command::Synced { document: self.id(), within_ms }).await??;
        Ok(())
    }
}
