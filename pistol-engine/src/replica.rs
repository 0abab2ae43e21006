//! One open document of a node: its records, what waits for the disk, and what waits for other changes.

mod admit;
mod cut;
mod holes;
mod members;
mod publish;
mod received;
mod rows;
mod screens;
mod show;
mod snapshot;
mod state;
mod verdict;
mod waiting;

use std::sync::Arc;

use pistol_core::document::Document;
use pistol_core::envelope::{Linked, Verified, VerifiedChange};
use pistol_core::genesis::ReadKey;
use pistol_core::id::{ChangeId, DocumentId, Session};
use pistol_core::key::AuthorKey;
use pistol_core::store::schema::LogNumber;
use pistol_core::validate::{History, Ordinal, Rule};
use pistol_sync::node::NodeId;
use pistol_sync::proto::heads;
use pistol_sync::proto::message::Head;

pub(crate) use cut::rows as cut_into_rows;
pub use members::OperateError;
pub(crate) use members::{Members, Took, grow};
pub(crate) use publish::Sealed;
pub(crate) use rows::{Rows, StoredRow};
pub(crate) use snapshot::Written;
pub use snapshot::{Saved, Saving};
pub use state::{DocumentState, PeerState, PeerView};
pub use verdict::Verdict;

use crate::Insight;
use crate::entropy::Entropy;
use crate::input::ConnectionId;
use crate::limits;
use crate::recent::Recent;
use holes::Holes;
use received::Received;
use screens::Screens;
use show::Showing;
use waiting::Waiting;

/// An open document.
#[derive(Debug)]
pub(crate) struct Replica {
    /// What readers see.
    document: Document,
    /// Of a document with members, what else there is.
    members: Option<Members>,
    log: LogNumber,
    read_key: Option<ReadKey>,
    key: Arc<AuthorKey>,
    entropy: Arc<Entropy>,
    /// The session that the next edit continues; none if it must begin one.
    session: Option<Session>,
    is_session_stored: bool,
    /// Accepted and not yet given to the disk, in order of acceptance.
    unstored: Vec<Unstored>,
    unstored_bytes: usize,
    /// When it was last edited here, by the steady clock.
    edited_ms: u64,
    /// What is durable.
    rows: Rows,
    /// The changes of the rows that are not sealed yet, durable or on their way to the disk.
    tail: Vec<VerifiedChange>,
    /// Those changes as one row, unless it is to be made anew.
    tail_as_row: Option<cut::Row>,
    /// Where those rows begin.
    tail_rows: Vec<Ordinal>,
    /// Envelopes whose changes are not stored yet.
    received: Received,
    waiting: Waiting,
    holes: Holes,
    /// Changes whose content broke a rule that is final: so they are refused in any record.
    rejected: Recent<ChangeId, Rule>,
    screens: Screens,
    showing: Showing,
    written: Written,
    pub(crate) state: DocumentState,
}

/// A record as it was received: its hash, with the document for which it came.
pub(crate) type RecordHash = [u8; 32];

/// From where a change came.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Source {
    pub(crate) connection: ConnectionId,
    pub(crate) node: NodeId,
    /// Whether this node dialled: then somebody here wants what comes.
    pub(crate) is_dialled: bool,
    pub(crate) record: RecordHash,
}

/// A change that the disk has not got.
#[derive(Debug)]
enum Unstored {
    /// Made here; signed when it goes to the disk.
    Own(Linked),
    /// Received on a connection.
    Foreign(VerifiedChange, ConnectionId),
}

/// What a new replica is made of.
#[derive(Debug)]
pub(crate) struct Parts {
    pub(crate) document: Document,
    pub(crate) members: Option<Members>,
    pub(crate) log: LogNumber,
    pub(crate) read_key: Option<ReadKey>,
    pub(crate) key: Arc<AuthorKey>,
    pub(crate) entropy: Arc<Entropy>,
    pub(crate) session: Option<Session>,
    pub(crate) rows: Rows,
    pub(crate) tail: Vec<VerifiedChange>,
    pub(crate) written: Written,
}

impl Replica {
    pub(crate) fn new(parts: Parts) -> Self {
        let Parts { document, members, log, read_key, key, entropy, session, rows, tail, written } = parts;
        Replica {
            document,
            members,
            log,
            read_key,
            key,
            entropy,
            session,
            is_session_stored: session.is_some(),
            unstored: Vec::new(),
            unstored_bytes: 0,
            edited_ms: 0,
            tail_rows: rows.unsealed(),
            rows,
            tail,
            tail_as_row: None,
            received: Received::default(),
            waiting: Waiting::default(),
            holes: Holes::default(),
            rejected: Recent::up_to(limits::REJECTED_MAX),
            screens: Screens::default(),
            showing: Showing::default(),
            written,
            state: DocumentState::default(),
        }
    }

    pub(crate) fn id(&self) -> DocumentId {
        self.document.history().genesis().id()
    }

    pub(crate) fn document(&self) -> &Document {
        &self.document
    }

    /// Everything that keeps the rules: what is stored, and what peers are told of and sent. In a document with members some of
    /// it may not be shown.
    pub(crate) fn history(&self) -> &History {
        self.members.as_ref().map_or(self.document.history(), |members| members.ready().history())
    }

    pub(crate) fn members(&self) -> Option<&Members> {
        self.members.as_ref()
    }

    pub(crate) fn members_mut(&mut self) -> Option<&mut Members> {
        self.members.as_mut()
    }

    pub(crate) fn read_key(&self) -> Option<&ReadKey> {
        self.read_key.as_ref()
    }

    pub(crate) fn learn_read_key(&mut self, read_key: Option<ReadKey>) {
        self.read_key = read_key;
    }

    pub(crate) fn log(&self) -> LogNumber {
        self.log
    }

    pub(crate) fn rows(&self) -> &Rows {
        &self.rows
    }

    /// An envelope came: if its changes come to rest in one row, they rest as they came.
    pub(crate) fn keep_received(&mut self, envelope: &Verified, bytes: &[u8]) {
        self.received.keep(envelope, bytes);
    }

    /// Whether everything accepted is durable.
    pub(crate) fn is_durable(&self) -> bool {
        self.rows.end() == self.history().next() && self.members.as_ref().is_none_or(Members::is_durable)
    }

    /// The ends of the chains, as far as they are durable: nothing else may be told of.
    pub(crate) fn heads(&self) -> Vec<Head> {
        heads::heads_of(self.history(), self.rows.end())
    }

    /// What nodes that hold the same have in common, as far as it is durable.
    pub(crate) fn digest(&self) -> [u8; 32] {
        let of_changes = heads::digest(&self.heads());
        self.members.as_ref().map_or(of_changes, |members| members.digest(of_changes))
    }

    /// About how much memory it takes.
    pub(crate) fn bytes(&self) -> usize {
        let history = self.document.history();
        let changes = usize::try_from(history.next()).unwrap_or(usize::MAX).saturating_mul(limits::CHANGE_BYTES);
        let operations = history.operations().saturating_mul(limits::OPERATION_BYTES);
        let content = usize::try_from(history.bytes()).unwrap_or(usize::MAX);
        let of_members = self.members.as_ref().map_or(0, |members| members.bytes(self.document.history()));
        [changes, operations, content, of_members].into_iter().fold(limits::DOCUMENT_BYTES, usize::saturating_add)
    }

    /// Whether nothing is lost if it is closed, as far as it knows: everything is durable and shown, and nothing waits.
    pub(crate) fn may_close(&self) -> bool {
        let is_stored = self.unstored.is_empty() && self.is_durable() && !self.is_saving();
        is_stored && self.waiting.len() == 0 && !self.document.is_behind() && self.showing.has_told_all()
    }

    /// The session that is gone on with when it is opened again.
    pub(crate) fn stored_session(&self) -> Option<Session> {
        self.session.filter(|_| self.is_session_stored)
    }

    pub(crate) fn insight(&self) -> Insight<'_> {
        Insight {
            document: &self.document,
            held: self.history(),
            access: self.members.as_ref().map(Members::access),
            state: &self.state,
        }
    }
}
