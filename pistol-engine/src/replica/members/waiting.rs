//! Operations that follow on others which are not here. Peers send operations in order, so hardly any wait; a peer that sends them
//! otherwise has room for a few, and is asked for the others again.

use pistol_acl::record::SignedOp;

use crate::input::ConnectionId;
use crate::limits;

/// Operations that wait, in the order in which they came.
#[derive(Debug, Default)]
pub(super) struct WaitingOperations {
    kept: Vec<(SignedOp, ConnectionId)>,
    bytes: usize,
}

impl WaitingOperations {
    /// Keeps an operation; `false` if there is no room.
    pub(super) fn keep(&mut self, signed: &SignedOp, from: ConnectionId) -> bool {
        if self.kept.iter().any(|(kept, _)| kept.id() == signed.id()) {
            return true;
        }
        let bytes = self.bytes.saturating_add(signed.bytes().len());
        if self.kept.len() >= limits::OPERATIONS_WAITING_MAX || bytes > limits::OPERATIONS_WAITING_BYTES_MAX {
            return false;
        }
        self.bytes = bytes;
        self.kept.push((signed.clone(), from));
        true
    }

    /// Takes out everything.
    pub(super) fn take_all(&mut self) -> Vec<(SignedOp, ConnectionId)> {
        self.bytes = 0;
        std::mem::take(&mut self.kept)
    }

    /// How many came on a connection.
    pub(super) fn count_of(&self, connection: ConnectionId) -> usize {
        self.kept.iter().filter(|(_, from)| *from == connection).count()
    }
}
