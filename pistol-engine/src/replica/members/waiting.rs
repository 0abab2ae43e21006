//! Operations that follow on others which are not here. Peers send operations in order, so hardly any wait; a connection that
//! sends them otherwise has room for a few, and is asked for the others again.

use std::collections::{BTreeMap, BTreeSet};

use pistol_acl::record::SignedOp;
use pistol_core::id::AuthorityId;

use crate::input::ConnectionId;
use crate::limits;

/// Operations that wait, by their ids.
#[derive(Debug, Default)]
pub(super) struct WaitingOperations(BTreeMap<AuthorityId, Waiting>);

#[derive(Debug)]
struct Waiting {
    signed: SignedOp,
    /// Who sent it: each has room of its own, so nobody fills that of others.
    from: BTreeSet<ConnectionId>,
}

impl WaitingOperations {
    /// Keeps an operation; `false` if the connection has no room.
    pub(super) fn keep(&mut self, signed: &SignedOp, from: ConnectionId) -> bool {
        let own = || self.0.values().filter(|waiting| waiting.from.contains(&from));
        let bytes: usize = own().map(|waiting| waiting.signed.bytes().len()).sum();
        let is_full = own().count() >= limits::OPERATIONS_WAITING_MAX
            || bytes.saturating_add(signed.bytes().len()) > limits::OPERATIONS_WAITING_BYTES_MAX;
        if is_full && !self.0.get(&signed.id()).is_some_and(|waiting| waiting.from.contains(&from)) {
            return false;
        }
        let new = || Waiting { signed: signed.clone(), from: BTreeSet::new() };
        self.0.entry(signed.id()).or_insert_with(new).from.insert(from);
        true
    }

    /// Everything that waits.
    pub(super) fn all(&self) -> Vec<SignedOp> {
        self.0.values().map(|waiting| waiting.signed.clone()).collect()
    }

    /// It waits no more. Returns who sent it.
    pub(super) fn remove(&mut self, id: &AuthorityId) -> BTreeSet<ConnectionId> {
        self.0.remove(id).map(|waiting| waiting.from).unwrap_or_default()
    }

    /// A connection is gone.
    pub(super) fn went(&mut self, connection: ConnectionId) {
        self.0.retain(|_, waiting| !(waiting.from.remove(&connection) && waiting.from.is_empty()));
    }

    /// Whether something by another author waits that follows on an operation or cites it, be it by way of others that wait.
    pub(super) fn is_built_on(&self, signed: &SignedOp) -> bool {
        let (author, mut past) = (signed.op().author, BTreeSet::from([signed.id()]));
        loop {
            let follows = |waiting: &&SignedOp| {
                let op = waiting.op();
                !past.contains(&waiting.id()) && op.prev.iter().chain(&op.proof).any(|id| past.contains(id))
            };
            let new: Vec<&SignedOp> = self.0.values().map(|waiting| &waiting.signed).filter(follows).collect();
            if new.iter().any(|waiting| waiting.op().author != author) {
                return true;
            }
            let count = past.len();
            past.extend(new.iter().map(|waiting| waiting.id()));
            if past.len() == count {
                return false;
            }
        }
    }

    /// How many came on a connection.
    pub(super) fn count_of(&self, connection: ConnectionId) -> usize {
        self.0.values().filter(|waiting| waiting.from.contains(&connection)).count()
    }
}
