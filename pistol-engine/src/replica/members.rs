//! A document with members: its log of operations says what of its changes is part of it. What is held, stored and sent is all
//! that keeps the rules; what is shown and edited is the accepted part.
//!
//! Architecture Invariant: of a document with members the replica's document holds the accepted changes and no others.

mod aside;
mod depends;
mod operate;
mod remake;
mod waiting;

use std::collections::BTreeSet;
use std::sync::Arc;

use pistol_acl::record::SignedOp;
use pistol_acl::{Access, Charter, Held, Summary, Unready};
use pistol_core::document::Ready;
use pistol_core::envelope::Linked;
use pistol_core::genesis::{Genesis, Policy, Terms};
use pistol_core::id::{AuthorityId, ChangeId, DocumentId};
use pistol_core::store::schema::{self, LogNumber};
use pistol_core::store::{Table, Write};
use pistol_core::validate::{Accepted, Check, History, Rule, Valid};
use pistol_sync::proto::heads;

use aside::Aside;
use depends::Others;
pub use operate::OperateError;
pub(crate) use remake::{Shown, grow};
use waiting::WaitingOperations;

use crate::input::ConnectionId;
use crate::limits;

/// Who may write, and all changes that keep the rules.
#[derive(Debug)]
pub(crate) struct Members {
    document: DocumentId,
    access: Access,
    ready: Ready,
    /// How many operations were given to the disk, and how many are durable: the first ones, in the order of arrival.
    given: u32,
    durable: u32,
    /// The durable operations that no durable one follows on.
    heads: BTreeSet<AuthorityId>,
    /// What this node's author cites to write; looked for again when operations were judged.
    path: Option<Vec<AuthorityId>>,
    waiting: WaitingOperations,
    aside: Aside,
    others: Others,
    /// Until when nothing is judged anew.
    rest_until_ms: u64,
    /// Operations that were taken in or refused, since changes that wait for them were looked at.
    decided: Vec<AuthorityId>,
    /// Connections whose operations waited and do so no more.
    released: BTreeSet<ConnectionId>,
}

/// What became of an operation.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Took {
    /// It is in the log, now or since before.
    Entered,
    /// It waits for others.
    Waiting,
    /// There is no room for it: it is to be asked for again.
    Dropped,
    /// It is refused, here and everywhere.
    Refused(pistol_acl::Refusal),
}

impl Members {
    /// Nothing is known yet but the genesis; `None` for a document without members, or one whose genesis makes no document. A
    /// space has a log whoever may add documents to it.
    pub(crate) fn of(genesis: &Arc<Genesis>) -> Option<Members> {
        let Terms { kind, policy, .. } = genesis.terms();
        if kind.is_document() && *policy != Policy::Members {
            return None;
        }
        let mut access = Access::new(genesis.id());
        access.found(Charter::of(genesis)?);
        access.settle();
        Some(Members {
            document: genesis.id(),
            access,
            ready: Ready::new(Arc::clone(genesis)).ok()?,
            given: 0,
            durable: 0,
            heads: BTreeSet::new(),
            path: None,
            waiting: WaitingOperations::default(),
            aside: Aside::default(),
            others: Others::default(),
            rest_until_ms: 0,
            decided: Vec::new(),
            released: BTreeSet::new(),
        })
    }

    pub(crate) fn access(&self) -> &Access {
        &self.access
    }

    pub(crate) fn ready(&self) -> &Ready {
        &self.ready
    }

    /// Something that the change cites and that is not known.
    pub(crate) fn lacks(&self, change: &Linked) -> Option<AuthorityId> {
        match self.access.look(&Summary::of(change)) {
            Err(Unready::Waiting(missing)) => missing.first().copied().map(AuthorityId),
            Ok(()) | Err(Unready::Refused(_)) => None,
        }
    }

    /// Takes in a change that keeps the rules of structure, if what it cites allows it.
    pub(crate) fn accept(&mut self, valid: Valid) -> Result<Accepted, Rule> {
        let admitted = self.access.admit(valid).map_err(|_| Rule::Policy)?;
        self.ready.accept(admitted.into_valid()).map_err(|_| Rule::Chain)
    }

    /// Takes in a change that was made here, on what is shown.
    pub(super) fn enter_own(&mut self, change: &Linked) -> Result<(), Rule> {
        match self.ready.check(change) {
            Check::Valid(valid) => self.accept(*valid).map(|_| ()),
            Check::Known => Ok(()),
            Check::Rejected(rule) => Err(rule),
            Check::Missing(_) => Err(Rule::Dependencies),
        }
    }

    /// Takes in an operation, and what waited for it.
    pub(crate) fn take_operation(&mut self, signed: &SignedOp, from: ConnectionId) -> Took {
        let id = signed.id();
        if self.access.holds(&id) {
            return Took::Entered;
        }
        let took = self.try_operation(signed);
        match took {
            Took::Waiting if !self.waiting.keep(signed, from) => Took::Dropped,
            Took::Entered | Took::Refused(_) => {
                self.look_at_waiting();
                took
            }
            took => took,
        }
    }

    /// Takes in an operation of a file that was checked as a whole. `false` if it is refused here.
    pub(super) fn take_checked(&mut self, signed: &SignedOp) -> bool {
        self.path = None;
        let is_held = matches!(self.access.hold_needed(signed.clone()), Held::Entered(_) | Held::Known);
        if is_held {
            self.decided.push(signed.id());
            self.look_at_waiting();
        }
        is_held
    }

    fn try_operation(&mut self, signed: &SignedOp) -> Took {
        match self.access.look_at_operation(signed) {
            Err(Unready::Waiting(_)) => return Took::Waiting,
            Ok(()) | Err(Unready::Refused(_)) => {}
        }
        self.path = None;
        // Who forks without end has no room for more, but what somebody else has built on must come in, or what they wrote
        // could not.
        let is_needed = !self.access.has_room(signed) && self.waiting.is_built_on(signed);
        let held = if is_needed { self.access.hold_needed(signed.clone()) } else { self.access.hold(signed.clone()) };
        match held {
            Held::Entered(_) | Held::Known => {
                self.decided.push(signed.id());
                Took::Entered
            }
            Held::Refused(refusal, _) => {
                self.decided.push(signed.id());
                Took::Refused(refusal)
            }
            Held::Waiting(_) | Held::Owed => Took::Dropped,
        }
    }

    /// One operation may let another in, and that the next.
    fn look_at_waiting(&mut self) {
        let mut is_any_decided = true;
        while is_any_decided {
            is_any_decided = false;
            for signed in self.waiting.all() {
                if self.try_operation(&signed) != Took::Waiting {
                    is_any_decided = true;
                    self.released.extend(self.waiting.remove(&signed.id()));
                }
            }
            is_any_decided |= self.look_at_aside();
        }
    }

    /// Whether something that was set aside came in, or was refused.
    fn look_at_aside(&mut self) -> bool {
        let mut is_any_decided = false;
        for (number, signed) in self.aside.take() {
            let took = if self.access.holds(&signed.id()) { Took::Entered } else { self.try_operation(&signed) };
            match took {
                Took::Entered | Took::Refused(_) => {
                    is_any_decided = true;
                    self.aside.decide(number);
                }
                Took::Waiting | Took::Dropped => self.aside.add(number, signed),
            }
        }
        is_any_decided
    }

    pub(super) fn take_decided(&mut self) -> Vec<AuthorityId> {
        std::mem::take(&mut self.decided)
    }

    pub(super) fn take_released(&mut self) -> BTreeSet<ConnectionId> {
        std::mem::take(&mut self.released)
    }

    /// How many operations from a connection wait for others.
    pub(super) fn waiting_from(&self, connection: ConnectionId) -> usize {
        self.waiting.count_of(connection)
    }
}

/// What of the log rests in the store.
impl Members {
    /// Takes in an operation that was stored as the next one of the log.
    pub(crate) fn take_stored(&mut self, signed: SignedOp) -> Result<(), String> {
        if let Err(Unready::Waiting(_)) = self.access.look_at_operation(&signed) {
            return Err("operations before one are missing".to_owned());
        }
        self.path = None;
        // It had room, or was needed, when it came.
        match self.access.hold_needed(signed) {
            Held::Entered(_) => {
                self.given += 1;
                self.became_durable(self.durable + 1);
                Ok(())
            }
            held => Err(format!("an operation is not what was stored: {held:?}")),
        }
    }

    /// Keeps an operation that lies in the store behind a lost one.
    pub(crate) fn set_aside(&mut self, number: u32, signed: SignedOp) {
        self.aside.add(number, signed);
    }

    /// The number from which on rows were not read yet, while they are read in their order, of which so many wait.
    pub(crate) fn read_until(&self, waiting: u32) -> u32 {
        self.aside.end().unwrap_or(self.durable.saturating_add(waiting))
    }

    /// Judges everything that was read. Returns what is accepted, in an order in which it can be shown.
    pub(crate) fn settle(&mut self) -> Vec<ChangeId> {
        self.access.settle();
        self.access.take_news();
        self.access.accepted().copied().collect()
    }

    /// How many operations are durable.
    pub(crate) fn durable(&self) -> u32 {
        self.durable
    }

    pub(super) fn is_durable(&self) -> bool {
        self.durable == self.access.operation_count(&self.document)
    }

    pub(super) fn has_unstored(&self) -> bool {
        self.given < self.access.operation_count(&self.document)
    }

    /// Writes the operations that the disk has not got. Returns how many there are then.
    pub(super) fn write(&mut self, log: LogNumber, writes: &mut Vec<Write>) -> u32 {
        for signed in self.access.operations(&self.document, self.given) {
            let (key, value) = (schema::operation_key(log, self.given), signed.bytes().to_vec());
            writes.push(Write { table: Table::Operations, key, value: Some(value) });
            self.given += 1;
        }
        self.aside.write(log, writes);
        self.given
    }

    pub(super) fn became_durable(&mut self, count: u32) {
        let new = (count.saturating_sub(self.durable)) as usize;
        for signed in self.access.operations(&self.document, self.durable).take(new) {
            for prev in &signed.op().prev {
                self.heads.remove(prev);
            }
            self.heads.insert(signed.id());
        }
        self.durable = self.durable.max(count);
    }

    /// The durable operations from a number on.
    pub(crate) fn durable_from(&self, number: u32) -> impl Iterator<Item = (u32, &SignedOp)> {
        let count = self.durable.saturating_sub(number) as usize;
        (number..).zip(self.access.operations(&self.document, number)).take(count)
    }

    /// The durable operations that no durable one follows on, ascending.
    pub(crate) fn heads(&self) -> &BTreeSet<AuthorityId> {
        &self.heads
    }

    /// A connection is gone: what waits and came on no other goes too.
    pub(crate) fn went(&mut self, connection: ConnectionId) {
        self.waiting.went(connection);
    }

    /// About how much memory it takes beside what is shown: a history of its own, and the log.
    pub(super) fn bytes(&self, shown: &History) -> usize {
        let history = self.ready.history();
        let masked = history.next().saturating_sub(shown.next()) as usize;
        let operations = self.access.operations_in_all().saturating_mul(limits::OPERATION_ROOM);
        let changes = (history.next() as usize).saturating_add(masked).saturating_mul(limits::CHANGE_BYTES / 2);
        [changes, operations, history.index_bytes(), self.ready.bytes()].into_iter().fold(0, usize::saturating_add)
    }

    /// What nodes that hold the same changes and the same operations have in common.
    pub(super) fn digest(&self, of_changes: [u8; 32]) -> [u8; 32] {
        heads::digest_with_log(of_changes, self.heads.iter().map(|id| id.0))
    }
}
